"""Corners, ties, zeros and extremes: what is promised there, at orders one and two.

The conventions stand in the table at the top of `engine/elementwise.py`; the table here is that
one, line by line, with numbers.
"""

import math
import warnings

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients
from tinygrad_landscape.engine.calls import spelled

from .cases import BINARY, UNARY

nan, inf = math.nan, math.inf


def slope_and_curvature(f, x):
    x = np.asarray(x, dtype=float)
    return tl.grad(f)(x), tl.hessian(f)(x)


CONVENTIONS = {
    "relu at 0": (lambda x: tl.relu(x), 0.0, 0.0, 0.0),
    "leaky relu at 0": (lambda x: tl.leaky_relu(x), 0.0, 0.01, 0.0),
    "elu at 0": (lambda x: tl.elu(x), 0.0, 1.0, 1.0),
    "|x| at 0": (np.abs, 0.0, 0.0, 0.0),
    "maximum(x, 0) at 0": (lambda x: np.maximum(x, 0.0), 0.0, 0.5, 0.0),
    "minimum(0, x) at 0": (lambda x: np.minimum(0.0, x), 0.0, 0.5, 0.0),
    "maximum(x, x)": (lambda x: np.maximum(x, x), 3.0, 1.0, 0.0),
    "fmax of a number and NaN": (lambda x: np.fmax(x, nan), 3.0, 1.0, 0.0),
    "fmin of NaN and a number": (lambda x: np.fmin(nan, x), 3.0, 1.0, 0.0),
    "clip at its lower bound": (lambda x: np.clip(x, 0.0, 1.0), 0.0, 1.0, 0.0),
    "clip at its upper bound": (lambda x: np.clip(x, 0.0, 1.0), 1.0, 1.0, 0.0),
    "clip by the value, at it": (lambda x: np.clip(1.0, x, 2.0), 1.0, 0.0, 0.0),
    "clip with crossed bounds": (lambda x: np.clip(9.0, 5.0, x), 3.0, 1.0, 0.0),
    "sqrt at 0": (np.sqrt, 0.0, 0.0, 0.0),
    "cbrt at 0": (np.cbrt, 0.0, 0.0, 0.0),
    "sqrt of a square at 0": (lambda x: np.sqrt(x * x), 0.0, 0.0, 0.0),
    "x**0 at 0": (lambda x: x**0, 0.0, 0.0, 0.0),
    "x**1 at 0": (lambda x: x**1, 0.0, 1.0, 0.0),
    "x**2 at 0": (lambda x: x**2, 0.0, 0.0, 2.0),
    "x**3 at 0": (lambda x: x**3, 0.0, 0.0, 0.0),
    "x**0.5 at 0": (lambda x: x**0.5, 0.0, 0.0, 0.0),
    "x**1.5 at 0": (lambda x: x**1.5, 0.0, 0.0, 0.0),
    "x**2.5 at 0": (lambda x: x**2.5, 0.0, 0.0, 0.0),
    "x**2 at -3": (lambda x: x**2, -3.0, -6.0, 2.0),
    "x**-1 at -2": (lambda x: x**-1, -2.0, -0.25, -0.25),
    "0**y at 0": (lambda y: np.power(0.0, y), 0.0, 0.0, 0.0),
    "0**y at 2": (lambda y: np.power(0.0, y), 2.0, 0.0, 0.0),
    "log of 1 + x at 0": (np.log1p, 0.0, 1.0, -1.0),
    "hypot(x, 0) at 0": (lambda x: np.hypot(x, 0.0), 0.0, 0.0, 0.0),
    "arctan2(x, 0) at 0": (lambda x: np.arctan2(x, 0.0), 0.0, 0.0, 0.0),
    "nan_to_num of NaN": (np.nan_to_num, nan, 0.0, 0.0),
    "x * sign(x) at 0": (lambda x: x * np.sign(x), 0.0, 0.0, 0.0),
    "remainder at a multiple": (lambda x: np.remainder(x, 2.0), 4.0, 1.0, 0.0),
    "a safe where": (
        lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), -1.0, 0.0, 0.0,
    ),
    "where with a NaN constant": (lambda x: np.where(True, x * x, nan), 3.0, 6.0, 2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_for_one_number(name):
    f, x, slope, curvature = CONVENTIONS[name]
    got = slope_and_curvature(f, x)
    assert (float(got[0]), float(got[1])) == (slope, pytest.approx(curvature, abs=1e-15))


ZEROS = np.zeros((2, 2))
FOR_ARRAYS = {
    "norm at 0": (np.linalg.norm, np.zeros(3), np.zeros(3), ZEROS[0, 0]),
    "norm of order 3 at 0": (lambda x: np.linalg.norm(x, 3), np.zeros(3), np.zeros(3), 0.0),
    "norm of order 1 at 0": (lambda x: np.linalg.norm(x, 1), np.zeros(3), np.zeros(3), 0.0),
    "hypot at (0, 0)": (lambda x: np.hypot(x[0], x[1]), np.zeros(2), np.zeros(2), 0.0),
    "arctan2 at (0, 0)": (lambda x: np.arctan2(x[0], x[1]), np.zeros(2), np.zeros(2), 0.0),
    "std of equal numbers": (np.std, np.full(3, 7.0), np.zeros(3), 0.0),
    "max with ties": (np.max, np.array([1.0, 3.0, 3.0]), np.array([0.0, 0.5, 0.5]), 0.0),
    "min with ties": (np.min, np.zeros(4), np.full(4, 0.25), 0.0),
    "norm of order inf with ties": (
        lambda x: np.linalg.norm(x, inf), np.array([2.0, -2.0]), np.array([0.5, -0.5]), 0.0,
    ),
    "ptp of equal numbers": (np.ptp, np.ones(2), np.zeros(2), 0.0),
    "prod with one zero": (
        np.prod, np.array([2.0, 0.0, 5.0]), np.array([0.0, 10.0, 0.0]),
        np.array([[0.0, 5.0, 0.0], [5.0, 0.0, 2.0], [0.0, 2.0, 0.0]]),
    ),
    "prod with two zeros": (
        np.prod, np.array([0.0, 0.0, 5.0]), np.zeros(3),
        np.array([[0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    ),
    "det of a singular matrix": (
        np.linalg.det, np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[4.0, -2.0], [-2.0, 1.0]]),
        np.array([[[[0, 0], [0, 1]], [[0, 0], [-1, 0]]], [[[0, -1], [0, 0]], [[1, 0], [0, 0]]]]),
    ),
    "det of zeros": (np.linalg.det, np.zeros((3, 3)), np.zeros((3, 3)), 0.0),
    "sort with ties": (
        lambda x: (np.sort(x) * np.arange(3.0)).sum(), np.ones(3), np.arange(3.0), 0.0,
    ),
    "softmax of equal numbers": (
        lambda x: tl.softmax(x)[0], np.zeros(2), np.array([0.25, -0.25]), 0.0,
    ),
    "logsumexp of a huge and a tiny": (
        tl.logsumexp, np.array([1000.0, -1000.0]), np.array([1.0, 0.0]), 0.0,
    ),
    "logsumexp with -inf": (tl.logsumexp, np.array([0.0, -inf]), np.array([1.0, 0.0]), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", FOR_ARRAYS)
def test_conventions_for_arrays(name):
    f, x, slope, curvature = FOR_ARRAYS[name]
    got = slope_and_curvature(f, x)
    np.testing.assert_allclose(got[0], slope, atol=1e-15)
    np.testing.assert_allclose(got[1], np.broadcast_to(curvature, got[1].shape), atol=1e-14)


def test_the_bounds_of_clip_share_nothing_with_the_value():
    low, high = Tensor(0.0), Tensor(1.0)
    y = np.clip(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), low, high).sum()
    assert [float(g) for g in gradients(y, [low, high])] == [1.0, 1.0]


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_a_product_with_zeros_is_right_to_the_third_order(zeros):
    x = np.array([2.0, -1.5, 3.0, 0.5])
    x[:zeros] = 0.0
    tl.check_gradients(np.prod, x, order=3)
    tl.check_gradients(lambda x: np.prod(x, axis=0), x.reshape(2, 2), order=3)


def test_the_branch_not_taken_gives_zero_times_its_slope():
    """The documented trap, and its cure: make the other branch's slope finite."""
    trap = tl.grad(lambda x: np.where(x > 0, np.log(x), 0.0))
    cure = tl.grad(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0))
    with np.errstate(all="ignore"):
        assert math.isnan(trap(0.0)) and cure(0.0) == 0.0


# ---- no warning that NumPy's own forward does not give ----


def complaints(f, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = f(*args)
    return {str(w.message).replace("scalar ", "") for w in caught}, result


def both_sweeps(f, *xs):
    tensors = [Tensor(x) for x in xs]
    y = f(*tensors)
    first = gradients(y, tensors, seed=np.ones(y.shape), create_graph=True)
    second = [h for g in first for h in gradients(g, tensors, seed=np.ones(g.shape))]
    return [g.data for g in first] + second


EXTREMES = np.array([-inf, -1000.0, -1.0, -1e-300, 0.0, 1e-300, 1.0, 1000.0, inf, nan])


@pytest.mark.parametrize("function", UNARY, ids=spelled)
def test_both_sweeps_are_silent_where_the_forward_is(function):
    for x in EXTREMES:
        said, _ = complaints(function, np.array([x]))
        back, results = complaints(lambda x=x: both_sweeps(function, [x]))
        assert back <= said, f"at {x}"
        assert all(r.shape == (1,) for r in results)


@pytest.mark.parametrize("function", BINARY, ids=spelled)
def test_both_sweeps_of_two_arguments_are_silent_where_the_forward_is(function):
    for x in EXTREMES:
        said, _ = complaints(function, np.full(EXTREMES.shape, x), EXTREMES)
        back, _ = complaints(both_sweeps, function, np.full(EXTREMES.shape, x), EXTREMES)
        assert back <= said, f"at {x}"


OUR_OWN = [
    tl.relu, tl.leaky_relu, tl.elu, tl.gelu, tl.silu, tl.sigmoid, tl.log_sigmoid, tl.softplus,
    tl.softmax, tl.log_softmax, tl.logsumexp,
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", OUR_OWN, ids=spelled)
def test_our_own_functions_are_finite_and_silent_at_a_thousand(function, dtype):
    x = np.array([-1000.0, 0.0, 1000.0, 1000.0, -0.0, 88.0, -88.0], dtype)
    said, out = complaints(function, x)
    back, results = complaints(both_sweeps, function, x)
    assert not said and not back
    assert np.isfinite(out).all() and all(np.isfinite(r).all() for r in results)
    assert all(r.dtype == dtype for r in [out, *results])


def test_logsumexp_of_infinities_is_silent():
    assert tl.logsumexp(np.array([-inf, -inf])) == -inf
    assert tl.logsumexp(np.array([-inf, inf])) == inf


def test_tanh_has_a_curvature_where_one_over_cosh_squared_is_nan():
    assert tl.hessian(np.tanh)(np.array(800.0)) == 0.0


@pytest.mark.parametrize("logit", [-1000.0, -40.0, 40.0, 1000.0])
def test_cross_entropy_from_logits_is_exact_where_probabilities_saturate(logit):
    loss = tl.softplus(np.array(logit))  # target 0
    assert loss == pytest.approx(max(logit, math.exp(min(logit, 0.0))))
    assert tl.grad(tl.softplus)(logit) == pytest.approx(1.0 / (1.0 + math.exp(min(-logit, 700))))


# ---- empty axes ----


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
@pytest.mark.parametrize(
    "function",
    [np.sum, np.prod, np.sort, np.cumsum, np.exp, tl.relu, tl.sigmoid, tl.softmax, tl.log_softmax,
     tl.logsumexp, np.linalg.norm, np.flip, lambda x: x @ np.ones((x.shape[-1], 2)),
     lambda x: np.concatenate([x, x]), lambda x: np.stack([x, x]), lambda x: x.T],
)  # fmt: skip
def test_empty_arrays_have_empty_gradients(function, shape):
    x = Tensor(np.zeros(shape))
    y = function(x)
    np.testing.assert_array_equal(y.data, function(np.zeros(shape)))
    [g] = gradients(y, [x], seed=np.ones(y.shape))
    assert g.shape == shape


def test_reductions_without_an_identity_refuse_empty_axes_as_numpy_does():
    for function in (np.max, np.min, np.argmax):
        with pytest.raises(ValueError):
            function(Tensor(np.zeros(0)))


def test_the_mean_of_nothing_says_what_numpy_says():
    with pytest.warns(RuntimeWarning):
        y = np.mean(Tensor(np.zeros((0, 2))))
    assert math.isnan(y.item())


def test_a_broadcast_to_nothing_sums_to_zero():
    x = Tensor(np.ones((1, 3)))
    [g] = gradients((x * np.zeros((0, 3))).sum(), [x])
    np.testing.assert_array_equal(g, np.zeros((1, 3)))
