"""The checker checked: wrong gradients are planted, and must be found and named.

One shipped checker of another engine passes a gradient made 123 times too large on purpose: it
compares a stale variable. So this one is given wrong rules at every order, for every argument.
"""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import GradientError, Tensor, check_gradients, primitive, rule


def curve(wrong_at=0, by=0.0):
    """x -> sin(2 x) with derivatives cos, -sin, ...; the one of order `wrong_at` is off by `by`."""

    def make(order):
        @primitive
        def derivative(x):
            return 2.0**order * np.sin(2.0 * x + order * np.pi / 2)

        @rule(derivative)
        def _(g, out, x):
            factor = 1.0 + by * (order + 1 == wrong_at)
            return (factor * g * make(order + 1)(x),)

        return derivative

    return make(0)


X = np.array([[0.3, -1.1, 2.0], [0.7, 0.1, -0.4]])


def test_right_gradients_pass():
    assert check_gradients(curve(), X, order=3) is None


@pytest.mark.parametrize("order, by", [(1, 0.0005), (2, 0.001), (3, 0.001)])
def test_gradients_that_are_a_little_wrong_are_found_at_every_order(order, by):
    """0.05 % at order 1, 0.1 % at order 2: as in the tests of HIPS autograd."""
    wrong = curve(order, by)
    for lower in range(1, order):
        check_gradients(wrong, X, order=lower)
    with pytest.raises(GradientError, match=f"order {order}"):
        check_gradients(wrong, X, order=order)
    with pytest.raises(GradientError, match=f"order {order}"):
        check_gradients(wrong, 1e-3 * X[0, :1], order=3)


def test_order_two_is_the_default():
    with pytest.raises(GradientError, match="order 2"):
        check_gradients(curve(2, 0.001), X)


@primitive
def one_entry_wrong(x, y):
    return x * y


@rule(one_entry_wrong)
def _(g, out, x, y):
    fault = np.zeros(np.shape(out))
    fault[1, 2] = 1e-3
    return g * y, g * (x + fault)


def test_the_message_names_the_order_the_argument_the_entry_and_both_numbers():
    with pytest.raises(GradientError) as caught:
        check_gradients(one_entry_wrong, X, X + 3.0)
    message = str(caught.value)
    assert "order 1" in message and "argument 1" in message and "entry (1, 2)" in message
    assert "1 of 6" in message
    got, expected = (
        float(message.split(word)[1].split()[0].rstrip(",")) for word in ("got", "expected")
    )
    assert got / expected == pytest.approx(1.0 + 1e-3 / X[1, 2], rel=1e-7)


def test_a_wrong_entry_does_not_hide_behind_other_results():
    """Each result has a weight of its own, so that errors cannot cancel in a sum."""

    @primitive
    def turned(x):
        return x**2

    @rule(turned)
    def _(g, out, x):
        return (2.0 * np.flip(g) * x,)

    with pytest.raises(GradientError):
        check_gradients(turned, np.ones(4), order=1)


def test_a_gradient_cut_off_on_the_way_is_found():
    with pytest.raises(GradientError):
        check_gradients(lambda x: x * x.numpy(), X, order=1)
    with pytest.raises(GradientError):
        check_gradients(lambda x: Tensor(np.sin(x.numpy())), X, order=1)


def test_a_second_derivative_cut_off_on_the_way_is_found():
    @primitive
    def cut(x):
        return x**2

    @rule(cut)
    def _(g, out, x):
        return (2.0 * g * (x.numpy() if type(x) is Tensor else x),)

    check_gradients(cut, X, order=1)
    with pytest.raises(GradientError, match="order 2"):
        check_gradients(cut, X, order=2)


def test_small_gradients_are_checked_too():
    @primitive
    def faint(x):
        return 1e-6 * np.sin(x)

    @rule(faint)
    def _(g, out, x):
        return (1.01e-6 * g * np.cos(x),)

    with pytest.raises(GradientError):
        check_gradients(faint, X, order=1)


def test_a_gradient_that_is_nan_or_infinite_is_found():
    for bad in (np.nan, np.inf):

        @primitive
        def spoilt(x):
            return x * 1.0

        @rule(spoilt)
        def _(g, out, x, bad=bad):
            return (g * bad,)

        with pytest.raises(GradientError, match=r"got (nan|inf)"):
            check_gradients(spoilt, X)


def test_a_kink_is_not_a_derivative():
    with pytest.raises(GradientError):
        check_gradients(np.abs, np.array([1e-4]))


def test_several_arguments_any_shapes_and_constant_functions():
    check_gradients(lambda a, b, c: (a @ b) * c, np.ones((2, 3)), np.ones(3), 2.0, order=3)
    check_gradients(lambda x: 3.0, X)
    check_gradients(lambda x: np.ones(3), X)
    check_gradients(lambda x: 2.0 * x, X, order=3)
    check_gradients(np.exp, np.zeros((0, 2)))
    check_gradients(lambda x: x**2, [1, 2])


def test_points_are_not_changed():
    x = X.copy()
    check_gradients(np.sin, x)
    np.testing.assert_array_equal(x, X)


def test_the_tolerance_can_be_widened():
    check_gradients(curve(1, 0.0005), X, order=1, rtol=1e-3)
    assert tl.check_gradients is check_gradients
