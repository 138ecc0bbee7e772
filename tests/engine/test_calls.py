"""One function, many ways to call it: all of them arrive at the same rule.

Tensors stand alone among arrays, lists and numbers, on the left and on the right, by position and
by keyword; as operators, methods, ufunc methods and indices.
"""

import inspect
import operator

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients

from .cases import CALLS, real


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_each_array_may_be_the_only_tensor(case):
    """Among arrays, and among lists and numbers."""
    if case.function is np.full_like:
        pytest.skip("NumPy asks the first argument only, on which nothing depends")
    tensors = [Tensor(x) for x in case.arrays]
    whole = gradients(case.flat(*tensors), tensors)
    for i, x in enumerate(case.arrays):
        for others in (case.arrays, [a.tolist() for a in case.arrays]):
            alone = Tensor(x)
            out = case.flat(*others[:i], alone, *others[i + 1 :])
            close(gradients(out, [alone])[0], whole[i])


def by_keyword(case):
    """The same case with every argument given by its name, where NumPy gives it one."""
    try:
        parameters = inspect.signature(case.function).parameters.values()
    except ValueError:
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    given = list(zip(parameters, case.args))
    named = {p.name: a for p, a in given if p.kind is p.POSITIONAL_OR_KEYWORD}
    places = tuple(a for p, a in given if p.kind is p.POSITIONAL_ONLY)
    options = named | case.options
    return type(case)(case.function, places, options, case.before) if named else None


KEYWORDS = [(a, b) for a in CALLS if (b := by_keyword(a)) is not None]


@pytest.mark.parametrize("case, named", KEYWORDS, ids=[str(a) for a, _ in KEYWORDS])
def test_arguments_by_name(case, named):
    tensors = [Tensor(x) for x in case.arrays]
    mine, theirs = case.flat(*tensors), named.flat(*tensors)
    close(theirs.data, mine.data)
    for got, expected in zip(gradients(theirs, tensors), gradients(mine, tensors)):
        close(got, expected)


def test_most_functions_have_named_arguments():
    assert len({case.function for case, _ in KEYWORDS}) > 60


# ---- operators ----

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod]
LEFT = [3, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(3), [1.5, 2.5, 3.5], (1, 2, 3),
        np.array([1.5, 2.5, 3.5]), np.array([[1.0], [2.0]]), np.array([1, 2, 3])]  # fmt: skip


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@pytest.mark.parametrize("left", LEFT, ids=repr)
def test_operators_with_anything_on_either_side(op, left):
    """Never an array of objects, always a Tensor with the numbers of NumPy."""
    x = np.array([1.2, 0.7, 2.1])
    for got, expected in [(op(left, Tensor(x)), op(left, x)), (op(Tensor(x), left), op(x, left))]:
        assert type(got) is Tensor
        close(got.data, expected)
    if not isinstance(left, list | tuple):
        value = op(left, Tensor(x)).sum()
        assert value.data == pytest.approx(np.sum(op(left, x)))


def test_matmul_with_an_array_on_either_side():
    a, x = real(2, 3), real(3)
    assert type(a @ Tensor(x)) is Tensor and type(x @ Tensor(a.T)) is Tensor
    close((a @ Tensor(x)).data, a @ x)
    close((Tensor(a) @ x.tolist()).data, a @ x)
    close((a.tolist() @ Tensor(x)).data, a @ x)


def test_unary_operators():
    t = Tensor([-1.0, 2.0])
    for got, expected in [(-t, [1.0, -2.0]), (+t, [-1.0, 2.0]), (abs(t), [1.0, 2.0])]:
        assert type(got) is Tensor
        close(got.data, expected)


@pytest.mark.parametrize("name", ["lt", "le", "eq", "ne", "ge", "gt"])
@pytest.mark.parametrize("left", [1.0, np.float64(1.0), np.array([1.0, 1.0, 1.0])], ids=repr)
def test_comparisons_answer_with_arrays_of_bools(name, left):
    compare, x = getattr(operator, name), np.array([0.0, 1.0, 2.0])
    for got, expected in [
        (compare(Tensor(x), left), compare(x, left)),
        (compare(left, Tensor(x)), compare(left, x)),
        (compare(Tensor(x), Tensor(np.ones(3))), compare(x, np.ones(3))),
    ]:
        assert type(got) is np.ndarray and got.dtype == bool
        assert got.tolist() == expected.tolist()


def test_python_builtins_that_only_add_and_compare():
    a, b = Tensor(2.0), Tensor(1.0)
    assert sum([a, b]).item() == 3.0 and max(a, b) is a and sorted([a, b]) == [b, a]
    assert [len(Tensor([1.0, 2.0])), *(row.item() for row in Tensor([1.0, 2.0]))] == [2, 1.0, 2.0]
    assert f"{a:.2f}" == "2.00" and f"{a}" == "Tensor(2.)"


# ---- methods and attributes ----

METHODS = [
    ("sum", ()), ("sum", (0,)), ("mean", (-1,)), ("max", ()), ("min", (1,)), ("prod", (0,)),
    ("var", ()), ("std", (0,)), ("cumsum", (1,)), ("clip", (-0.5, 0.5)), ("copy", ()),
    ("diagonal", ()), ("trace", ()), ("dot", (np.arange(3.0),)), ("ravel", ()), ("flatten", ()),
    ("repeat", (2,)), ("squeeze", ()), ("swapaxes", (0, 1)), ("take", ([0, 2],)),
    ("reshape", (3, 2)), ("reshape", ((3, -1),)), ("reshape", (-1,)), ("transpose", ()),
    ("transpose", (1, 0)), ("transpose", ((1, 0),)), ("astype", (np.float32,)),
]  # fmt: skip


@pytest.mark.parametrize("name, args", METHODS, ids=lambda v: str(v))
def test_methods_are_those_of_an_array(name, args):
    x = real(2, 3)
    got, expected = getattr(Tensor(x), name)(*args), getattr(x, name)(*args)
    assert type(got) is Tensor and got.dtype == expected.dtype
    close(got.data, expected)


@pytest.mark.parametrize("name", ["all", "any", "argmax", "argmin", "argsort", "nonzero", "round"])
def test_methods_that_are_constant(name):
    x = real(2, 3)
    np.testing.assert_array_equal(getattr(Tensor(x), name)(), getattr(x, name)())


def test_attributes_are_those_of_an_array():
    x = real(2, 3, 4).astype(np.float32)
    t = Tensor(x)
    assert (t.shape, t.ndim, t.size, t.dtype, len(t)) == (x.shape, x.ndim, x.size, x.dtype, len(x))
    close(t.T.data, x.T)
    close(t.mT.data, x.mT)
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(Tensor(np.float32([1.0]))) == "Tensor([1.], dtype=float32)"


@pytest.mark.parametrize("data", [3, [1, 2], True, np.arange(4, dtype=np.uint8)], ids=repr)
def test_whole_numbers_become_float64(data):
    assert Tensor(data).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_float_arrays_keep_their_dtype_and_are_copied(dtype):
    x = np.ones(3, dtype)
    t = Tensor(x)
    x[0] = 5.0
    assert t.dtype == dtype and t.data[0] == 1.0


# ---- ufunc methods ----

REDUCED = [
    (np.add.reduce, np.sum), (np.multiply.reduce, np.prod), (np.maximum.reduce, np.max),
    (np.minimum.reduce, np.min),
]  # fmt: skip


@pytest.mark.parametrize("reduce, function", REDUCED, ids=["add", "multiply", "maximum", "minimum"])
@pytest.mark.parametrize("args", [(), (1,), (None,), ((0, 1),)], ids=str)
def test_ufunc_reduce_is_the_reduction(reduce, function, args):
    x = real(2, 3)
    t = Tensor(x)
    assert reduce(t, *args).function is function(t).function
    close(reduce(t, *args).data, reduce(x, *args))
    close(reduce(t, *args, keepdims=True).data, reduce(x, *args, keepdims=True))


def test_ufunc_accumulate_is_cumsum():
    x = real(2, 3)
    close(np.add.accumulate(Tensor(x)).data, np.add.accumulate(x))
    close(np.add.accumulate(Tensor(x), 1).data, np.add.accumulate(x, 1))


# ---- indexing ----

shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)
indices = shapes.flatmap(
    lambda shape: st.tuples(
        st.just(shape),
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
            hnp.integer_array_indices(shape),
            hnp.arrays(bool, shape),
            hnp.arrays(bool, shape[:1]),
        ),
    )
)


@settings(max_examples=150)
@given(indices)
def test_any_index_picks_forwards_and_adds_backwards(drawn):
    """The gradient counts, with its weights, how often each element was picked."""
    shape, index = drawn
    x = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    t = Tensor(x)
    picked = t[index]
    assert type(picked) is Tensor
    np.testing.assert_array_equal(picked.data, x[index])

    weights = 1.0 + np.arange(np.size(x[index])).reshape(np.shape(x[index]))
    expected = np.zeros(x.size)
    places = np.arange(x.size).reshape(shape)[index]
    for place, weight in zip(np.ravel(places), np.ravel(weights)):
        expected[place] += weight
    [got] = gradients(picked, [t], seed=weights)
    np.testing.assert_array_equal(got, expected.reshape(shape))


@pytest.mark.parametrize(
    "index", [[0, 0, 1], np.array([0, 0, 1]), ([0, 0, 1],), (np.int64(1),)], ids=str
)
def test_an_element_picked_twice_gets_both_gradients(index):
    t = Tensor([1.0, 2.0])
    t[index].sum().backward()
    assert t.grad.sum() == np.size(t.data[index]) and t.grad[1] == 1.0


def test_indices_may_be_computed_from_tensors():
    t = Tensor([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(t[np.argsort(t)].data, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(t[t > 1.5].data, [3.0, 2.0])
    assert t[t.argmax()].item() == 3.0


def test_second_derivatives_pass_through_repeated_indices():
    h = tl.hessian(lambda x: (x[[0, 0, 1]] * x[[1, 0, 1]]).sum())(np.array([2.0, 3.0]))
    np.testing.assert_array_equal(h, [[2.0, 1.0], [1.0, 2.0]])


# ---- odd company ----


def test_where_with_one_argument_answers_with_places():
    [places] = np.where(Tensor([0.0, 2.0, 3.0]))
    assert places.tolist() == [1, 2] and type(places) is np.ndarray


def test_where_takes_a_tensor_or_a_list_as_its_condition():
    t = Tensor([-1.0, 2.0])
    np.testing.assert_array_equal(np.where(t, t, 0.0).data, [-1.0, 2.0])
    np.testing.assert_array_equal(np.where([True, False], t, 0.0).data, [-1.0, 0.0])


def test_subclasses_of_ndarray_on_the_left_become_plain():
    class Marked(np.ndarray):
        pass

    left = np.array([1.0, 2.0]).view(Marked)
    product = left * Tensor([3.0, 4.0])
    assert type(product) is Tensor and type(product.data) is np.ndarray


def test_a_sum_over_a_python_loop_is_a_tensor():
    t = Tensor([1.0, 2.0, 3.0])
    total = 0.0
    for x in t:
        total = total + x * x
    total.backward()
    np.testing.assert_array_equal(t.grad, [2.0, 4.0, 6.0])
