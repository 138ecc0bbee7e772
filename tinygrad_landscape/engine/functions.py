"""The functions of neural networks that NumPy lacks, in forms that neither overflow nor cancel.

Some are primitives with a rule of their own, because that is faster or steadier; the rest are
written in terms of those, and need no rule.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .calls import rule
from .errors import ShapeError
from .tensor import primitive


@primitive
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x @ weight + bias``, fused; leading axes of weight and bias are other points.

    Args:
        x: ``(..., N, in)``.
        weight: ``(..., in, out)``.
        bias: ``(..., out)`` or None.

    Raises:
        ShapeError: x and weight do not fit.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.linear(np.ones((1, 2)), np.eye(2), np.array([1.0, 2.0]))
    array([[2., 3.]])
    """
    if x.ndim < 2 or weight.ndim < 2 or x.shape[-1] != weight.shape[-2]:
        raise ShapeError(
            f"linear got x {x.shape} and weight {weight.shape}; expected (..., N, in) and "
            "(..., in, out) with the same in"
        )
    out = _product(x, weight)
    if bias is not None:
        out += bias if bias.ndim == 1 else bias[..., None, :]
    return out


@rule(linear)
def _(g, out, x, weight, bias=None):
    return (
        lambda: _product(g, weight.mT),
        lambda: _product(x.mT, g),
        lambda: _product(_ones(g.shape[-2], g.dtype), g)[..., 0, :],
    )


@lru_cache(maxsize=64)
def _ones(n: int, dtype: Any) -> Any:
    """A row of ones, by which BLAS adds up many short rows faster than `np.sum` does."""
    ones = np.ones((1, n), dtype)
    ones.flags.writeable = False
    return ones


def _product(a: Any, b: Any) -> Any:
    """``a @ b``, on the quickest way for matrices as small as these."""
    if a.ndim == b.ndim == 2 and type(a) is type(b) is np.ndarray:
        return a.dot(b)
    return a * b if a.shape[-1] == 1 else a @ b


@primitive
def relu(x: Any) -> Any:
    """``max(x, 0)``; the slope at 0 is 0.

    >>> import tinygrad_landscape as tl
    >>> tl.grad(lambda x: tl.relu(x).sum())([-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    return np.maximum(x, 0.0)


@rule(relu)
def _(g, out, x):
    return (g * (x > 0),)


@primitive
def leaky_relu(x: Any, *, slope: float = 0.01) -> Any:
    """``x`` where positive, ``slope * x`` elsewhere (and `slope` is the slope at 0).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.leaky_relu(np.array([-1.0, 2.0]), slope=0.1)
    array([-0.1,  2. ])
    """
    return np.where(x > 0, x, slope * x)


@rule(leaky_relu)
def _(g, out, x, *, slope=0.01):
    return (np.where(x > 0, g, slope * g),)


@primitive
def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2016).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.elu(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


@rule(elu)
def _(g, out, x, *, alpha=1.0):
    return (np.where(x > 0, g, g * (out + alpha)),)


@primitive
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return np.exp(np.minimum(x, 0.0)) / (1.0 + np.exp(-np.abs(x)))


@rule(sigmoid)
def _(g, out, x):
    return (g * out * (1.0 - out),)


@primitive
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``: relu with a rounded corner.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.softplus(np.array([-1000.0, 0.0, 2.0])).round(4)
    array([0.    , 0.6931, 2.1269])
    """
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


@rule(softplus)
def _(g, out, x):
    return (g * sigmoid(x),)


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``, without ever forming the sigmoid.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.log_sigmoid(np.array([-1000.0]))
    array([-1000.])
    """
    return -softplus(-x)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish (Ramachandran et al. 2017).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.silu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    return x * sigmoid(x)


@primitive
def erfc(x: Any) -> Any:
    """The complementary error function; NumPy has none, so Python's, element by element."""
    return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x), np.result_type(x))


@rule(erfc)
def _(g, out, x):
    return (g * (-2.0 / math.sqrt(math.pi)) * np.exp(-x * x),)


def gelu(x: Any) -> Any:
    """``x`` times the probability that a standard normal is below ``x`` (Hendrycks, Gimpel 2016).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.gelu(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-0.    ,  0.    ,  0.8413])
    """
    return 0.5 * x * erfc(x * -math.sqrt(0.5))


@primitive
def logsumexp(x: Any, *, axis: Any = -1, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` along an axis: a rounded maximum.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> float(tl.logsumexp(np.array([1000.0, 1000.0])).round(4))
    1000.6931
    """
    top = np.max(x, axis=axis, keepdims=True, initial=-math.inf)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        out = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return out if keepdims else np.squeeze(out, axis)


@rule(logsumexp)
def _(g, out, x, *, axis=-1, keepdims=False):
    if not keepdims:
        axes = tuple(range(x.ndim)) if axis is None else axis
        g, out = np.expand_dims(g, axes), np.expand_dims(out, axes)
    return (g * np.exp(x - out),)


@primitive
def log_softmax(x: Any, *, axis: int = -1) -> Any:
    """``x - logsumexp(x)``: logarithms of probabilities that sum to one.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    return x - logsumexp(x, axis=axis, keepdims=True)


@rule(log_softmax)
def _(g, out, x, *, axis=-1):
    return (g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),)


@primitive
def softmax(x: Any, *, axis: int = -1) -> Any:
    """``exp(x)`` divided by its sum along an axis: probabilities.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-math.inf))
    return powers / np.sum(powers, axis=axis, keepdims=True)


@rule(softmax)
def _(g, out, x, *, axis=-1):
    return (out * (g - np.sum(g * out, axis=axis, keepdims=True)),)
