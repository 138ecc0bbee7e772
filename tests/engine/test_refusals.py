"""Refuse, never go silent: what cannot be differentiated says so, names itself and the way out.

A function that quietly answered with a constant would train nothing and tell nobody.
"""

import math

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import NotDifferentiableError, Tensor, gradients


def refused(attempt, *words):
    with pytest.raises(NotDifferentiableError) as caught:
        attempt()
    message = str(caught.value)
    assert all(word in message for word in words), message


T = Tensor([[1.0, 2.0], [3.0, 4.0]])

# ---- functions without a rule: their name, and the nearest functions that have one ----

WITHOUT_RULE = {
    "np.median": (lambda: np.median(T), "np.sort"),
    "np.percentile": (lambda: np.percentile(T, 50), "np.sort"),
    "np.quantile": (lambda: np.quantile(T, 0.5), "np.sort"),
    "np.cumprod": (lambda: np.cumprod(T), "np.exp(np.cumsum(np.log(t)))"),
    "np.append": (lambda: np.append(T, T), "np.concatenate"),
    "np.cross": (lambda: np.cross(T, T), "np.einsum"),
    "np.linalg.svd": (lambda: np.linalg.svd(T), "np.linalg.norm"),
    "np.linalg.pinv": (lambda: np.linalg.pinv(T), "np.linalg.solve"),
    "np.linalg.eigh": (lambda: np.linalg.eigh(T), "np.linalg.slogdet"),
    "np.linalg.eigvalsh": (lambda: np.linalg.eigvalsh(T), "np.trace"),
    "np.block": (lambda: np.block([[T, T]]), "np.concatenate"),
    "np.copyto": (lambda: np.copyto(np.zeros((2, 2)), T), "np.where"),
    "np.put": (lambda: np.put(T, [0], [1.0]), "np.where"),
    "np.nansum": (lambda: np.nansum(T), "np.sum"),
    "np.nanmax": (lambda: np.nanmax(T), "np.max"),
    "np.dstack": (lambda: np.dstack([T, T]), "np.stack"),
    "np.fft.fft": (lambda: np.fft.fft(T), "tl.engine.RULES"),
    "np.divmod": (lambda: divmod(T, 2.0), "np.divide"),
    "np.modf": (lambda: np.modf(T), "np.fmod"),
    "np.invert": (lambda: ~T, "np.linalg.inv"),
}


@pytest.mark.parametrize("name", WITHOUT_RULE)
def test_a_function_without_a_rule_names_itself_and_the_nearest_that_have_one(name):
    attempt, alternative = WITHOUT_RULE[name]
    refused(attempt, f"{name} has no differentiation rule", alternative, "t.numpy()", "tl.rule")


def test_no_function_of_numpy_is_silently_constant():
    """Every public function of one array either is in a table or refuses a Tensor."""
    from tinygrad_landscape.engine import COMPOSITES, CONSTANTS, RULES
    from tinygrad_landscape.engine.calls import ALIASES

    known = {*RULES, *COMPOSITES, *CONSTANTS, *ALIASES}
    looks_only = {"iterable", "isscalar", "isfortran", "typename", "shape", "asarray"}
    spaces = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
    silent, tried = [], 0
    for prefix, space in spaces.items():
        for name in dir(space):
            function = getattr(space, name)
            dispatched = isinstance(function, np.ufunc) or hasattr(function, "_implementation")
            if not dispatched or function in known or name in looks_only:
                continue
            tried += 1
            for args in [(T,), (T, T), ([T],), ([T, T],), (T, 1)]:
                try:
                    function(*args)
                except Exception:
                    continue
                silent.append(f"{prefix}.{name}")
    assert tried > 100
    assert not set(silent)


# ---- leaving the graph ----

LEAVING = {
    "np.asarray": lambda: np.asarray(T),
    "np.array": lambda: np.array(T, dtype=np.float32),
    "np.array of a list": lambda: np.array([T[0, 0], T[0, 1]]),
    "np.array of a list of arrays": lambda: np.array([T, T]),
    "a Tensor of a Tensor": lambda: Tensor(T),
    "a Tensor of a list": lambda: Tensor([T[0, 0], 1.0]),
    "np.sum of a list": lambda: np.sum([T, T]),
    "float": lambda: float(T[0, 0]),
    "int": lambda: int(T[0, 0]),
    "complex": lambda: complex(T[0, 0]),
    "range": lambda: range(T[0, 0]),
    "an index": lambda: [1, 2, 3][T[0, 0]],
    "a slice": lambda: np.arange(5)[: T[0, 0]],
    "math.exp": lambda: math.exp(T[0, 0]),
    "np.testing": lambda: np.testing.assert_allclose(T, T.data),
    "a masked array": lambda: np.ma.array([[1.0, 2.0]]) * T,
}


@pytest.mark.parametrize("attempt", LEAVING.values(), ids=LEAVING)
def test_a_tensor_never_turns_into_a_plain_number_by_itself(attempt):
    refused(attempt, "t.item()", "t.numpy()")


def test_assignment_into_an_array_says_why():
    with pytest.raises(ValueError) as caught:
        np.zeros(2)[0] = T[0, 0]
    assert isinstance(caught.value.__cause__, NotDifferentiableError)


def test_leaving_is_said_aloud():
    assert T[0, 1].item() == 2.0 and type(T[0, 1].item()) is float
    assert type(T.numpy()) is np.ndarray
    with pytest.raises(ValueError):
        T.item()


@pytest.mark.parametrize("tensor, truth", [(Tensor(2.0), True), (Tensor([[0.0]]), False)])
def test_one_element_has_a_truth_value(tensor, truth):
    assert bool(tensor) is truth


def test_several_elements_have_none():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(T)
    with pytest.raises(TypeError):
        len(Tensor(1.0))
    with pytest.raises(TypeError):
        list(Tensor(1.0))


# ---- changing what the graph remembers ----


def test_assignment_into_a_tensor_names_the_functional_way():
    def assign():
        T[0] = 1.0

    refused(assign, "t[i] = value", "np.where", "np.concatenate")
    assert T.data[0, 0] == 1.0


def in_place(op):
    def attempt():
        names = {"t": Tensor([5.0, 7.0]), "a": np.array([5.0, 7.0])}
        kept = names["t"], names["a"]
        try:
            exec(op, names)
        finally:
            assert kept[0].data.tolist() == [5.0, 7.0] and kept[1].tolist() == [5.0, 7.0]
            assert names["t"] is kept[0]

    return attempt


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "//", "**", "%"])
@pytest.mark.parametrize("other", ["2.0", "t", "a"])
def test_operators_in_place_are_refused(sign, other):
    """Also those that are constant: `t //= 2` must not reach into the data."""
    refused(in_place(f"t {sign}= {other}"), "(out=...)", "t = t + 1")


@pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
def test_an_array_does_not_swallow_a_tensor(sign):
    refused(in_place(f"a {sign}= t"), "(out=...)", "t = t + 1")


OUT = np.zeros((2, 2))
WITH_OUT = {
    "np.tanh": lambda: np.tanh(T, out=OUT),
    "np.tanh by position": lambda: np.tanh(T, OUT),
    "np.tanh of an array": lambda: np.tanh(T.data, out=T),
    "np.sum": lambda: np.sum(T, axis=0, out=OUT[0]),
    "np.sum by position": lambda: np.sum(T, 0, None, OUT[0]),
    "np.add.reduce": lambda: np.add.reduce(T, out=OUT[0]),
    "np.concatenate": lambda: np.concatenate([T], out=OUT),
    "np.take": lambda: np.take(T, [0], out=OUT[0, :1]),
    "np.take by position": lambda: np.take(T, [0], None, OUT[0, :1]),
    "np.einsum": lambda: np.einsum("ij->ij", T, out=OUT),
    "np.clip": lambda: np.clip(T, 0.0, 1.0, out=OUT),
    "np.dot": lambda: np.dot(T, T.data, out=OUT),
    "np.floor": lambda: np.floor(T, out=OUT),
    "np.greater": lambda: np.greater(T, 0.0, out=OUT > 0),
    "np.std": lambda: np.std(T, out=OUT[0, 0]),
}


@pytest.mark.parametrize("attempt", WITH_OUT.values(), ids=WITH_OUT)
def test_out_is_refused(attempt):
    refused(attempt, "(out=...)")
    assert not OUT.any()


OPTIONS = {
    "where of a reduction": (lambda: np.sum(T, where=T.data > 0), "where", "np.where(mask"),
    "where of a ufunc": (lambda: np.tanh(T, where=T.data > 0), "where", "t[mask]"),
    "where of a constant": (lambda: np.greater(T, 0.0, where=T.data > 0), "where", "t[mask]"),
    "dtype": (lambda: np.sum(T, dtype=np.float32), "dtype", "t.astype(dtype)"),
    "dtype of a ufunc": (lambda: np.add(T, 1.0, dtype=np.float32), "dtype", "t.astype(dtype)"),
    "initial": (lambda: np.max(T, initial=9.0), "initial", "afterwards"),
    "order": (lambda: np.reshape(T, (4,), order="F"), "order", "leave it out"),
    "reflect_type": (lambda: np.pad(T, 1, "reflect", reflect_type="odd"), "reflect_type", "out"),
    "returned": (lambda: np.average(T, returned=True), "returned", "leave it out"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_mean_nothing_here_are_refused(name):
    attempt, *words = OPTIONS[name]
    refused(attempt, f"({words[0]}=...)", *words[1:])


def test_options_at_their_default_are_fine():
    x = T.data
    assert np.sum(T, axis=None, dtype=None, out=None, keepdims=False).item() == 10.0
    assert np.max(T, None, None).item() == 4.0
    assert np.reshape(T, (4,), order="C").shape == (4,)
    np.testing.assert_array_equal(np.add(T, 1.0, out=None).data, x + 1.0)
    np.testing.assert_array_equal(np.sort(T, -1, None).data, np.sort(x))


METHODS = {
    "np.add.at": lambda: np.add.at(np.zeros(2), [0], T[0, :1]),
    "np.add.at of a tensor": lambda: np.add.at(T, [0], 1.0),
    "np.multiply.outer": lambda: np.multiply.outer(T, T),
    "np.add.reduceat": lambda: np.add.reduceat(T, [0, 1]),
    "np.subtract.reduce": lambda: np.subtract.reduce(T),
    "np.multiply.accumulate": lambda: np.multiply.accumulate(T),
    "np.logical_and.reduce": lambda: np.logical_and.reduce(T),
}


@pytest.mark.parametrize("name", METHODS)
def test_other_ufunc_methods_are_refused(name):
    refused(METHODS[name], name.removesuffix(" of a tensor"), "np.sum", "np.outer")


# ---- Tensors in the wrong place, data of the wrong kind ----

SETTINGS = {
    "tl.leaky_relu(slope=t)": lambda: tl.leaky_relu(T, slope=Tensor(0.1)),
    "tl.leaky_relu of an array": lambda: tl.leaky_relu(T.data, slope=Tensor(0.1)),
    "an index": lambda: T[Tensor([0.0])],
    "an index in a tuple": lambda: T[0, Tensor(0.0)],
    "tl.softmax(axis=t)": lambda: tl.softmax(T, axis=Tensor(0.0)),
    "np.sum(axis=t)": lambda: np.sum(T, axis=Tensor(0.0)),
    "np.nan_to_num(nan=t)": lambda: np.nan_to_num(T, nan=Tensor(0.0)),
}


@pytest.mark.parametrize("attempt", SETTINGS.values(), ids=SETTINGS)
def test_a_tensor_as_a_setting_is_refused(attempt):
    refused(attempt, "is a setting, not an input", "t.numpy()")


def test_a_tensor_of_places_is_refused():
    places = Tensor([[0.0, 0.0]])
    refused(lambda: np.take_along_axis(T, places, 0), "np.take_along_axis", "first argument")
    refused(lambda: np.tile(T, Tensor([2.0])), "np.tile", "first argument")
    refused(lambda: np.take(T.data, places), "t.numpy()")
    refused(lambda: np.repeat(T, places[0], axis=1), "t.numpy()")


@pytest.mark.parametrize(
    "data", [None, "text", 1j, [None], np.array(["a"]), object(), [[1], [1, 2]]], ids=repr
)
def test_a_tensor_holds_real_numbers(data):
    with pytest.raises((TypeError, ValueError)):
        Tensor(data)


def test_a_complex_or_whole_result_is_refused():
    refused(lambda: T * 1j, "np.multiply", "complex128", "real")
    refused(lambda: T.astype(int), "int64", "real")


def test_matrix_functions_that_have_no_gradient_here():
    refused(lambda: np.linalg.norm(T, 2), "ord=2", "fro")
    refused(lambda: np.linalg.norm(T, "nuc"), "nuc")
    refused(lambda: np.linalg.norm(T[0], 0), "counts")
    refused(lambda: np.pad(T, 1, mode="mean"), "mean", "np.concatenate")
    refused(lambda: np.pad(T, 1, mode="linear_ramp"), "linear_ramp")


def test_tensor_is_final():
    with pytest.raises(TypeError, match="final"):

        class Special(Tensor):
            pass


def test_a_tensor_has_no_other_attributes():
    with pytest.raises(AttributeError):
        T.name = "weights"


# ---- the derivative functions ----


def test_only_a_single_number_has_a_gradient():
    """PyTorch, tinygrad and HIPS autograd refuse here; others silently sum."""
    for attempt in (
        lambda: (T * 1.0).backward(),
        lambda: gradients(T * 1.0, [T]),
        lambda: tl.grad(lambda x: x * 2.0)(np.ones(3)),
        lambda: tl.value_and_grad(lambda x: x * 2.0)(np.ones(3)),
        lambda: tl.hvp(lambda x: x * 2.0)(np.ones(3), np.ones(3)),
        lambda: tl.hessian(lambda x: x * 2.0)(np.ones(3)),
        lambda: (T * 1.0).graph(),
    ):
        with pytest.raises(tl.ShapeError, match=r"\.sum\(\)"):
            attempt()


def test_a_direction_of_another_shape_is_refused():
    with pytest.raises(tl.ShapeError, match=r"\(3,\).*\(2,\)"):
        tl.hvp(lambda x: np.sum(x**2))(np.ones(2), np.ones(3))


def test_gradients_wants_a_tensor_and_a_list_of_tensors():
    with pytest.raises(TypeError, match=r"gradients\(y, \[x\]\)"):
        gradients(T.sum(), T)
    with pytest.raises(TypeError, match="list of Tensors"):
        gradients(T.sum(), [np.ones(2)])
    with pytest.raises(TypeError, match="ndarray"):
        gradients(np.ones(()), [T])


def test_a_layer_names_both_shapes():
    with pytest.raises(tl.ShapeError, match=r"\(4, 3\).*\(2, 5\)"):
        tl.linear(np.ones((4, 3)), Tensor(np.ones((2, 5))))


@pytest.mark.parametrize("product", [np.matmul, np.dot, np.inner, np.vecdot])
def test_products_of_unequal_lengths_are_refused_also_when_one_is_one(product):
    with pytest.raises(ValueError):
        product(Tensor(np.ones((3, 1))), np.ones(4))
    with pytest.raises(tl.ShapeError, match=r"\(3, 1\).*\(4,\)"):
        np.tensordot(Tensor(np.ones((3, 1))), np.ones(4), axes=1)


@pytest.mark.parametrize("axes", [([0, 0], [0, 1]), ([0, 1], [0, 0]), ([0], [0, 1]), 3, ([2], [0])])
def test_sums_over_axes_that_make_no_sense_are_refused(axes):
    with pytest.raises((ValueError, IndexError)):
        np.tensordot(T, T, axes=axes)


ERRORS = {
    "ShapeError": ValueError, "ParameterError": ValueError, "NotDifferentiableError": TypeError,
    "GraphReleasedError": RuntimeError, "TraceError": RuntimeError,
    "GradientError": AssertionError, "NotPicklableError": TypeError,
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_of_one_family_and_of_the_kind_python_would_raise(name):
    error = getattr(tl, name)
    assert issubclass(error, tl.TinygradLandscapeError) and issubclass(error, ERRORS[name])
