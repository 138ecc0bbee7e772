"""Derivatives as functions: grad, value_and_grad, hvp, jacobian, hessian, of any order, nested.

The oracles are closed forms, complex steps and symmetry.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients
from tinygrad_landscape.engine.calls import RULES, spelled

from .cases import UNARY, real


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_closed_forms():
    x = np.array([-1.2, 1.0])
    slope = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
    curvature = [[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200]]
    value, gradient = tl.value_and_grad(rosenbrock)(x)
    assert value == pytest.approx(24.2)
    np.testing.assert_allclose(gradient, slope)
    np.testing.assert_allclose(tl.grad(rosenbrock)(x), slope)
    np.testing.assert_allclose(tl.hessian(rosenbrock)(x), curvature)
    np.testing.assert_allclose(
        tl.hvp(rosenbrock)(x, np.array([1.0, -2.0])), curvature @ np.array([1.0, -2.0])
    )


@pytest.mark.parametrize("order", range(1, 8))
def test_any_order(order):
    f = np.sin
    for _ in range(order):
        f = tl.grad(f)
    assert float(f(0.7)) == pytest.approx(np.sin(0.7 + order * np.pi / 2), rel=1e-13)


# ---- complex steps: the imaginary part of f(x + ih) / h is the derivative, to the last digit ----

REAL_ONLY = {np.absolute, np.fabs, np.cbrt, np.deg2rad, np.radians, np.rad2deg, np.degrees,
             np.nan_to_num, np.atleast_2d, tl.relu, tl.leaky_relu, tl.elu, tl.sigmoid, tl.softplus,
             tl.gelu, tl.silu, tl.log_sigmoid, tl.engine.functions.erfc}  # fmt: skip
ANALYTIC = [f for f in UNARY if f not in REAL_ONLY]


@pytest.mark.parametrize("function", ANALYTIC, ids=spelled)
def test_slopes_are_right_to_the_last_digits(function):
    x = UNARY[function](9)
    expected = function(x + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(tl.grad(lambda x: function(x).sum())(x), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "function", [f for f in ANALYTIC if f in RULES and f is not np.arcsinh], ids=spelled
)
def test_curvatures_are_right_to_the_last_digits(function):
    """A rule is plain NumPy, so it can be fed complex numbers, too."""
    x = UNARY[function](9)
    z = x + 1e-30j
    [slope] = RULES[function].body(np.ones(9), function(z), z)
    expected = np.imag(slope) / 1e-30 + 0.0 * x
    v = np.ones(9)
    got = tl.hvp(lambda x: function(x).sum())(x, v)
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-15)


# ---- second derivatives: symmetric, and the same by every road ----

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.random.default_rng(1).normal(size=(30, 1))


def network_loss(theta):
    """A 3-4-1 network; theta is (..., 21), and leading axes are other points."""
    lead = theta.shape[:-1]
    weight, bias = theta[..., :12].reshape((*lead, 3, 4)), theta[..., 12:16]
    out, last = theta[..., 16:20].reshape((*lead, 4, 1)), theta[..., 20:]
    prediction = tl.linear(np.tanh(tl.linear(X, weight, bias)), out, last)
    return np.mean((prediction - Y) ** 2, axis=(-1, -2))


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=20)
@given(rng=seeds)
def test_hessian_vector_products_are_symmetric(rng):
    theta, u, v = rng.normal(size=(3, 21))
    product = tl.hvp(network_loss)
    assert u @ product(theta, v) == pytest.approx(v @ product(theta, u), rel=1e-11, abs=1e-13)


@settings(max_examples=5)
@given(rng=seeds)
def test_the_hessian_is_the_stack_of_hessian_vector_products(rng):
    theta = rng.normal(size=21)
    hessian = tl.hessian(network_loss)(theta)
    columns = [tl.hvp(network_loss)(theta, e) for e in np.eye(21)]
    np.testing.assert_allclose(hessian, np.stack(columns, axis=-1), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10, atol=1e-13)
    step = 1e-6 * rng.normal(size=21)
    change = tl.grad(network_loss)(theta + step) - tl.grad(network_loss)(theta - step)
    np.testing.assert_allclose(2 * hessian @ step, change, rtol=1e-6, atol=1e-13)


@settings(max_examples=10)
@given(rng=seeds, lead=st.sampled_from([(1,), (5,), (2, 3), (0,)]))
def test_batched_weights_equal_a_loop(rng, lead):
    """Values, gradients and Hessian-vector products at many points in one call."""
    theta, v = rng.normal(size=(2, *lead, 21))
    many = Tensor(theta)
    losses = network_loss(many)
    assert losses.shape == lead
    [slopes] = gradients(losses, [many], seed=np.ones(lead), create_graph=True)
    [products] = gradients(slopes, [many], seed=v)
    for point in np.ndindex(lead):
        one = theta[point]
        assert losses.data[point] == pytest.approx(network_loss(one), rel=1e-12)
        np.testing.assert_allclose(slopes.data[point], tl.grad(network_loss)(one), rtol=1e-10)
        np.testing.assert_allclose(
            products[point], tl.hvp(network_loss)(one, v[point]), rtol=1e-9, atol=1e-12
        )


def test_a_matrix_is_a_point_like_any_other():
    a, v = real(3, 2), real(3, 2)
    f = lambda a: np.sum((a.T @ a) ** 2)  # noqa: E731
    h = tl.hessian(f)(a)
    assert h.shape == (3, 2, 3, 2)
    np.testing.assert_allclose(tl.hvp(f)(a, v), np.einsum("ijkl,kl", h, v), rtol=1e-12)


def test_jacobians_have_the_shape_of_result_and_argument():
    a = real(2, 3)
    np.testing.assert_array_equal(tl.jacobian(lambda x: a @ x)(real(3)), a)
    assert tl.jacobian(lambda x: np.outer(x, x))(real(3)).shape == (3, 3, 3)
    assert tl.jacobian(lambda x: x.sum())(real(2, 3)).shape == (2, 3)
    assert tl.jacobian(lambda x: x[:0])(real(3)).shape == (0, 3)
    np.testing.assert_array_equal(tl.jacobian(lambda x: np.ones(2))(real(3)), np.zeros((2, 3)))


# ---- nesting: no perturbation confusion ----


def test_an_inner_derivative_does_not_see_the_outer_one():
    """Siskind and Pearlmutter (2005): confusing the two gives 2 instead of 1."""
    outer = tl.grad(lambda x: x * tl.grad(lambda y: x + y)(1.0))
    assert outer(1.0) == 1.0
    assert tl.grad(lambda x: x * tl.grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert tl.grad(lambda x: tl.grad(lambda y: x**2 * y**3)(x))(2.0) == 96.0  # 3 x^4, slope 12 x^3
    assert tl.grad(lambda x: tl.grad(lambda x: x**3)(x) * x)(2.0) == 36.0  # 3 x^3, slope 9 x^2


def test_the_same_tensor_may_be_used_inside_and_outside():
    x = Tensor(3.0)
    slope = tl.grad(lambda y: y * y * x)(x)  # 2 y x at y = x; as a function of x: 2 x^2
    assert type(slope) is Tensor and slope.item() == 18.0
    assert gradients(slope, [x])[0] == 12.0


def test_hvp_jacobian_and_hessian_can_be_differentiated_again():
    cubic = lambda x: np.sum(x**3)  # noqa: E731
    x, v = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    np.testing.assert_allclose(tl.grad(lambda x: tl.hvp(cubic)(x, v).sum())(x), 6.0 * v)
    np.testing.assert_allclose(tl.grad(lambda v: tl.hvp(cubic)(x, v).sum())(v), 6.0 * x)
    np.testing.assert_allclose(tl.grad(lambda x: np.trace(tl.hessian(cubic)(x)))(x), [6.0, 6.0])
    np.testing.assert_allclose(tl.grad(lambda x: tl.jacobian(np.sin)(x).sum())(x), -np.sin(x))
    third = tl.jacobian(tl.hessian(cubic))(x)
    np.testing.assert_allclose(third, 6.0 * np.einsum("ij,jk->ijk", np.eye(2), np.eye(2)))


def test_a_step_of_descent_can_be_differentiated_by_its_learning_rate():
    def loss_after_a_step(lr):
        return rosenbrock(x - lr * tl.grad(rosenbrock)(x))

    x = np.array([0.5, 0.3])
    tl.check_gradients(loss_after_a_step, 1e-3, order=2)


# ---- what goes in and what comes out ----


def test_arrays_in_arrays_out_and_tensors_in_tensors_out():
    f, x, v = (lambda x: np.sum(x**3)), np.array([1.0, 2.0]), np.ones(2)
    calls = [tl.grad(f), tl.jacobian(f), tl.hessian(f), lambda x: tl.hvp(f)(x, v)]
    calls += [lambda x, i=i: tl.value_and_grad(f)(x)[i] for i in (0, 1)]
    for call in calls:
        plain, boxed = call(x), call(Tensor(x))
        assert type(plain) is np.ndarray and type(boxed) is Tensor
        np.testing.assert_array_equal(plain, boxed.data)


def test_arrays_out_also_when_derivatives_are_nested():
    """The inner variable is not mistaken for somebody's Tensor."""
    inner = lambda x: tl.grad(lambda y: x * y**2)(2.0)  # noqa: E731
    assert type(tl.grad(inner)(3.0)) is np.ndarray
    assert type(tl.grad(lambda v: tl.hvp(np.sin)(1.0, v))(3.0)) is np.ndarray
    assert type(tl.grad(tl.grad(tl.grad(np.sin)))(1.0)) is np.ndarray


def test_lists_and_whole_numbers_are_points_too():
    np.testing.assert_array_equal(tl.grad(lambda x: np.sum(x**2))([1, 2]), [2.0, 4.0])
    assert tl.grad(lambda x: x**2)(3).dtype == np.float64


@pytest.mark.parametrize("x", [np.ones(2), np.array([np.inf, 1.0]), Tensor([1.0, 2.0])], ids=repr)
def test_a_constant_function_has_zero_derivatives(x):
    kind = type(x)
    value, gradient = tl.value_and_grad(lambda x: 3)(x)
    for result in (value, gradient, tl.hessian(lambda x: 3.0)(x), tl.hvp(lambda x: 3.0)(x, [1, 2])):
        assert type(result) is kind
    assert value.item() == 3.0 and not gradient.any() if kind is np.ndarray else True


def test_a_linear_function_has_a_zero_hessian():
    f = lambda x: np.sum(2.0 * x)  # noqa: E731
    np.testing.assert_array_equal(tl.hessian(f)(np.ones(2)), np.zeros((2, 2)))
    np.testing.assert_array_equal(tl.hvp(f)(np.ones(2), np.ones(2)), np.zeros(2))


def test_other_arguments_are_passed_on():
    def scaled(x, factor, *, power):
        """Its docstring."""
        return factor * x**power

    assert tl.grad(scaled)(2.0, 5.0, power=3) == 60.0
    assert tl.hvp(scaled)(2.0, 1.0, 5.0, power=3) == 60.0
    assert tl.value_and_grad(scaled)(2.0, 5.0, power=3) == (40.0, 60.0)
    assert tl.jacobian(scaled)(2.0, 5.0, power=2) == 20.0
    assert tl.grad(scaled).__doc__ == "Its docstring."


def test_branches_and_loops_of_python_are_followed():
    def f(x):
        for _ in range(3):
            x = x * 2.0 if x > 1.0 else x**2
        return x

    assert tl.grad(f)(1.5) == 8.0
    assert tl.grad(f)(0.5) == pytest.approx(8 * 0.5**7)
