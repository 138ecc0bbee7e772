"""Another hand's autograd as an oracle: the PyPI package `autograd`, of the HIPS group at Harvard.

It shares no code with this engine. Where it lacks a function, the same mathematics is written out
in what it has. Gradients, Hessian-vector products, Hessians and third derivatives agree.
"""

from operator import attrgetter

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad as peer_slope
from autograd import grad as peer_grad
from autograd import hessian as peer_hessian
from autograd import hessian_vector_product as peer_hvp
from autograd.scipy.special import erfc as peer_erfc
from autograd.scipy.special import logsumexp as peer_logsumexp

import tinygrad_landscape as tl
from tinygrad_landscape.engine.calls import spelled
from tinygrad_landscape.engine.elementwise import clamp, select
from tinygrad_landscape.engine.functions import erfc
from tinygrad_landscape.engine.linear_algebra import contract
from tinygrad_landscape.engine.reductions import product
from tinygrad_landscape.engine.tensor import cast, getitem, scatter

from .cases import CALLS, UNARY

pytestmark = pytest.mark.filterwarnings("ignore:Output seems independent of input")

# ---- what the peer lacks, in what it has ----


def moving(function):
    """Functions that only move numbers about, by way of their places."""

    def twin(x, *args, **kwargs):
        places = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
        flat = anp.reshape(x, -1)
        return [flat[p] for p in places] if isinstance(places, list) else flat[places]

    return twin


def where(condition, x, y):
    zeros = np.zeros(np.broadcast_shapes(np.shape(condition), np.shape(x), np.shape(y)))
    return anp.where(condition, x + zeros, y + zeros)  # the peer does not undo broadcasting here


def clip(x, a_min, a_max):
    return anp.minimum(anp.maximum(x, a_min), a_max)


def solve(a, b):
    return anp.sum(anp.linalg.inv(a) * b, axis=-1) if b.ndim == 1 else anp.linalg.solve(a, b)


def average(a, axis=None, weights=1.0):
    return anp.sum(a * weights, axis=axis) / anp.sum(weights + np.zeros(a.shape), axis=axis)


def linear(x, weight, bias=0.0):
    return anp.matmul(x, weight) + (bias if np.ndim(bias) < 2 else bias[..., None, :])


def softmax(x, axis=-1):
    return anp.exp(x) / anp.sum(anp.exp(x), axis=axis, keepdims=True)


def sigmoid(x):
    return 1.0 / (1.0 + anp.exp(-x))


TWINS = {
    np.positive: lambda x: 1.0 * x, np.copy: lambda x: 1.0 * x, np.cbrt: lambda x: x ** (1 / 3),
    np.float_power: anp.power, np.fmod: anp.remainder, np.where: where, np.clip: clip,
    np.ptp: lambda a, **k: anp.max(a, **k) - anp.min(a, **k), np.average: average,
    np.linalg.solve: solve, np.vdot: lambda a, b: anp.dot(anp.ravel(a), anp.ravel(b)),
    np.vecdot: lambda a, b: anp.sum(a * b, axis=-1),
    np.linalg.slogdet: lambda a: list(anp.linalg.slogdet(a)),
    # this package's own
    tl.relu: lambda x: anp.where(x > 0, x, 0.0), tl.leaky_relu: lambda x: where(x > 0, x, 0.01 * x),
    tl.elu: lambda x: anp.where(x > 0, x, anp.exp(x) - 1.0), tl.sigmoid: sigmoid,
    tl.softplus: lambda x: anp.log(1.0 + anp.exp(x)), tl.silu: lambda x: x * sigmoid(x),
    tl.log_sigmoid: lambda x: anp.log(sigmoid(x)), tl.softmax: softmax, erfc: peer_erfc,
    tl.gelu: lambda x: 0.5 * x * peer_erfc(-x / np.sqrt(2.0)), tl.linear: linear,
    tl.log_softmax: lambda x, axis=-1: anp.log(softmax(x, axis)), clamp: clip, select: where,
    tl.logsumexp: lambda x, axis=-1, **k: peer_logsumexp(x, axis=axis, **k),
    product: lambda x: anp.prod(x, axis=-1), cast: lambda x, dtype: 1.0 * x,
    contract: lambda a, b, subscripts: anp.einsum(subscripts, a, b),
    getitem: lambda x, index: x[index],
} | {
    function: moving(function)
    for function in (
        np.transpose, np.matrix_transpose, np.linalg.matrix_transpose, np.broadcast_to, np.split,
        np.array_split, np.hsplit, np.vsplit, np.flip, np.roll, np.repeat, np.tile, np.take,
        np.take_along_axis, np.diagonal, np.linalg.diagonal,
    )
}  # fmt: skip

LACKING = {
    np.diff, np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.concatenate, np.sort, np.pad,
    np.linalg.trace, np.diag, np.linalg.norm, np.linalg.vector_norm, np.linalg.matrix_norm,
    np.einsum, np.linalg.cholesky, np.full_like, scatter,
}  # fmt: skip


def twin_of(function):
    return TWINS.get(function) or attrgetter(spelled(function).removeprefix("np."))(anp)


def supported(case) -> bool:
    """The peer's own limits, found by trying: each raises there, or is known to be wrong."""
    options, first = case.options, case.args[0]
    return case.function not in LACKING or (
        (case.function is np.concatenate and options.get("axis", 0) is not None)
        or (case.function is np.einsum and first not in ("ii", "iij->j", "ij,jk->ik"))
        or (case.function is np.linalg.cholesky and not options)
        or (case.function is np.linalg.norm and options in ({}, {"ord": 3}, {"ord": "fro"}))
        or (case.function is np.diff and not {"prepend", "append"} & set(options))
    )


SHARED = [case for case in CALLS if supported(case)]


@pytest.mark.parametrize("case", SHARED, ids=str)
def test_gradients_and_hessian_vector_products_agree(case):
    arrays, twin = case.arrays, twin_of(case.function)
    for i, x in enumerate(arrays):

        def mine(x, i=i):
            return case.flat(*arrays[:i], x, *arrays[i + 1 :])

        def theirs(x, i=i):
            return case.flat(*arrays[:i], x, *arrays[i + 1 :], function=twin, namespace=anp)

        v = np.sin(1.0 + np.arange(x.size)).reshape(x.shape)
        np.testing.assert_allclose(tl.grad(mine)(x), peer_grad(theirs)(x), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(tl.hvp(mine)(x, v), peer_hvp(theirs)(x, v), rtol=1e-8, atol=1e-9)


def test_the_peer_judges_most_functions():
    assert len({case.function for case in SHARED}) > 110


def slope(f):
    return tl.grad(lambda x: np.sum(f(x)))


@pytest.mark.parametrize("function", [f for f in UNARY if f not in LACKING], ids=spelled)
def test_slopes_up_to_the_third_agree(function):
    x, mine, theirs = UNARY[function](7), function, twin_of(function)
    for _ in range(3):
        mine, theirs = slope(mine), peer_slope(theirs)
        np.testing.assert_allclose(mine(x), theirs(x), rtol=1e-9, atol=1e-10)


X = np.random.default_rng(0).normal(size=(20, 2))
Y = np.sin(X[:, :1]) + X[:, 1:] ** 2


def network_loss(np, theta):
    """A 2-5-5-1 network with 51 weights, in whichever NumPy it is given."""
    a, b = np.reshape(theta[:10], (2, 5)), theta[10:15]
    c, d = np.reshape(theta[15:40], (5, 5)), theta[40:45]
    e, f = np.reshape(theta[45:50], (5, 1)), theta[50]
    hidden = np.tanh(np.tanh(X @ a + b) @ c + d)
    return np.mean((hidden @ e + f - Y) ** 2) + 0.01 * np.sum(theta**2)


def test_the_hessian_of_a_network_agrees():
    theta = np.random.default_rng(1).normal(size=51)
    mine, theirs = lambda t: network_loss(np, t), lambda t: network_loss(anp, t)
    np.testing.assert_allclose(tl.grad(mine)(theta), peer_grad(theirs)(theta), rtol=1e-10)
    hessian = tl.hessian(mine)(theta)
    np.testing.assert_allclose(hessian, peer_hessian(theirs)(theta), rtol=1e-9, atol=1e-11)
