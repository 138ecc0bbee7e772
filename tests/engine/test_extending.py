"""A function of your own: one decorated function and one rule make it a full member."""

import inspect
import pickle

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import NotDifferentiableError, Tensor, gradients, primitive, rule


@primitive
def cube(x):
    """The third power."""
    return x * x * x


@rule(cube)
def _(g, out, a):
    return (3.0 * g * a * a,)


@primitive
def blend(x, y, *, share=0.5):
    return share * x + (1.0 - share) * y


@rule(blend)
def _(g, out, x, y, *, share=0.5):
    return lambda: share * g, lambda: (1.0 - share) * g


def test_arrays_in_arrays_out():
    assert type(cube(np.ones(2))) is np.ndarray and cube(2.0) == 8.0
    assert cube.__doc__ == "The third power." and list(inspect.signature(cube).parameters) == ["x"]


def test_it_is_differentiable_to_any_order_and_broadcasts():
    tl.check_gradients(cube, np.array([0.5, -2.0]), order=3)
    tl.check_gradients(blend, np.ones((2, 3)), np.ones(3), order=2)
    assert float(tl.grad(tl.grad(tl.grad(cube)))(7.0)) == 6.0


def test_it_may_be_called_in_any_way():
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    for z in (
        blend(x, y),
        blend(x, y=y),
        blend(y=y, x=x),
        blend(x, y, share=0.5),
        blend(x, [3.0, 4.0]),
    ):
        np.testing.assert_array_equal(z.data, [2.0, 3.0])
    np.testing.assert_array_equal(cube(x=x).data, [1.0, 8.0])  # its own names, not the rule's
    with pytest.raises(TypeError):
        blend(x, y, 0.5)


def test_only_wanted_gradients_are_computed():
    computed = []

    @primitive
    def pair(x, y):
        return x + y

    @rule(pair)
    def _(g, out, x, y):
        return lambda: computed.append("x") or g, lambda: computed.append("y") or g

    x, y = Tensor(1.0), Tensor(2.0)
    gradients(pair(x, y), [y])
    gradients(pair(np.ones(()), y), [y])
    assert computed == ["y", "y"]


@primitive
def polar(x, y):
    """Two results: radius and angle."""
    return np.hypot(x, y), np.arctan2(y, x)


@rule(polar)
def _(g, out, x, y):
    (by_radius, by_angle), (radius, _) = g, out
    return (
        (by_radius * x - by_angle * y / radius) / radius,
        (by_radius * y + by_angle * x / radius) / radius,
    )


def test_several_results_are_several_tensors():
    radius, angle = polar(Tensor(3.0), Tensor(4.0))
    assert radius.item() == 5.0 and angle.item() == pytest.approx(np.arctan2(4.0, 3.0))
    assert polar(np.array(3.0), np.array(4.0))[0] == 5.0


@pytest.mark.parametrize(
    "use", [lambda r, a: r, lambda r, a: a, lambda r, a: r * a + r, lambda r, a: r * np.cos(a)]
)
def test_each_result_brings_its_part_of_the_gradient_to_any_order(use):
    tl.check_gradients(lambda x, y: use(*polar(x, y)), np.array([3.0, 1.0]), np.array(0.5), order=3)


def test_a_rule_may_say_that_there_is_no_gradient():
    @primitive
    def weighted(x, weights):
        return x * weights

    @rule(weighted)
    def _(g, out, x, weights):
        return lambda: g * weights, None

    x, weights = Tensor(2.0), Tensor(3.0)
    assert gradients(weighted(x, weights), [x, weights]) == [3.0, 0.0]
    assert gradients(weighted(x, x), [x]) == [2.0]


def test_a_primitive_without_a_rule_is_refused_by_name():
    @primitive
    def orphan(x):
        return x

    assert orphan(3.0) == 3.0
    with pytest.raises(NotDifferentiableError, match="orphan has no differentiation rule"):
        orphan(Tensor(3.0))


@pytest.mark.parametrize(
    "answer", [lambda g, x, y: g * y, lambda g, x, y: (g * y,), lambda g, x, y: [g, g]]
)
def test_a_rule_must_answer_with_a_gradient_for_each_argument(answer):
    """An array in the place of a tuple would be taken apart row by row, silently."""

    @primitive
    def product(x, y):
        return x * y

    @rule(product)
    def _(g, out, x, y):
        return answer(g, x, y)

    x, y = Tensor(np.ones(3)), Tensor(np.ones(3))
    with pytest.raises(TypeError, match=r"rule of product must return a tuple .* 2 arguments"):
        product(x, y).sum().backward()
    assert x.grad is None and y.grad is None


def test_a_second_rule_is_refused_and_changes_nothing():
    with pytest.raises(ValueError, match="cube is registered already"):

        @rule(cube)
        def _(g, out, x):
            return (g,)

    assert tl.grad(cube)(2.0) == 12.0


def test_several_functions_may_share_a_rule():
    first, second = (primitive(lambda x, k=k: k * x) for k in (2.0, 2.0))

    @rule(first, second)
    def _(g, out, x):
        return (2.0 * g,)

    assert tl.grad(first)(1.0) == tl.grad(second)(1.0) == 2.0


def test_a_primitive_pickles_by_name():
    assert pickle.loads(pickle.dumps(cube)) is cube


def test_a_primitive_takes_any_number_of_tensors():
    @primitive
    def total(*terms, scale=1.0):
        return scale * sum(terms)

    @rule(total)
    def _(g, out, *terms, scale=1.0):
        return tuple(scale * g for _ in terms)

    a, b, c = Tensor(1.0), Tensor(np.ones(3)), Tensor(2.0)
    y = total(a, b, 5.0, c, scale=2.0).sum()
    assert y.item() == 54.0
    assert [g.tolist() for g in gradients(y, [a, b, c])] == [6.0, [2.0, 2.0, 2.0], 6.0]
