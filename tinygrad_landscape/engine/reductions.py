"""Rules of sums, means, products and extremes, and what is composed of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .calls import composite, rule
from .tensor import primitive


def kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape after reducing along `axis`, with 1 in the place of each axis that is gone."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements are reduced into one."""
    total = 1
    for n, k in zip(shape, kept(shape, axis), strict=True):
        total *= n if k == 1 else 1
    return total


@rule(np.sum)
def _(g, out, a, *, axis=None, keepdims=False):
    return (g.reshape(kept(a.shape, axis)),)  # spread over a's shape by the caller


@rule(np.mean)
def _(g, out, a, *, axis=None, keepdims=False):
    return (g.reshape(kept(a.shape, axis)) / max(count(a.shape, axis), 1),)


@rule(np.max, np.amax, np.min, np.amin)
def _(g, out, a, *, axis=None, keepdims=False):
    shape = kept(a.shape, axis)
    ties = np.equal(a, out.reshape(shape))
    shared = ties.sum(axis=axis, keepdims=True).astype(a.dtype)
    return (g.reshape(shape) * ties / shared,)


@primitive
def product(lines: Any) -> Any:
    return np.prod(lines, axis=-1)


@rule(product)
def _(g, out, lines):
    if np.all(lines != 0):
        return ((g * out)[..., None] / lines,)
    itself = np.eye(lines.shape[-1], dtype=bool)  # a zero forbids dividing: multiply the others
    return (g[..., None] * product(np.where(itself, 1.0, lines[..., None, :])),)


@composite(np.prod)
def _(a, axis=None, *, keepdims=False):
    axes = tuple(range(a.ndim)) if axis is None else normalize_axis_tuple(axis, a.ndim)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    shape = (*(a.shape[i] for i in rest), count(a.shape, axis))
    out = product(np.reshape(np.transpose(a, rest + axes), shape))
    return np.expand_dims(out, axes) if keepdims else out


@rule(np.cumsum)
def _(g, out, a, *, axis=None):
    along = 0 if axis is None else axis
    return (np.flip(np.cumsum(np.flip(g, along), axis=along), along).reshape(a.shape),)


@composite(np.var)
def _(a, axis=None, *, ddof=0, correction=None, keepdims=False):
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    freedom = count(a.shape, axis) - (ddof if correction is None else correction)
    total = np.sum(np.square(deviation), axis=axis, keepdims=keepdims)
    return np.divide(total, max(freedom, 0))


@composite(np.std)
def _(a, axis=None, *, ddof=0, correction=None, keepdims=False):
    ddof = ddof if correction is None else correction
    return np.sqrt(np.var(a, axis=axis, ddof=ddof, keepdims=keepdims))


@composite(np.average)
def _(a, axis=None, weights=None, *, keepdims=False):
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):  # then there is one for each place along the axis
        others = [i for i in range(np.ndim(a)) if i != axis % np.ndim(a)]
        weights = np.broadcast_to(np.expand_dims(weights, others), np.shape(a))
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


@composite(np.ptp)
def _(a, axis=None, *, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@composite(np.diff)
def _(a, n=1, axis=-1, prepend=None, append=None):
    edge = list(np.shape(a))
    edge[axis] = 1
    parts = [p for p in (prepend, a, append) if p is not None]
    if len(parts) > 1:
        a = np.concatenate([p if np.ndim(p) else np.broadcast_to(p, edge) for p in parts], axis)
    lead = (slice(None),) * (axis % a.ndim)
    for _step in range(n):
        a = a[(*lead, slice(1, None))] - a[(*lead, slice(None, -1))]
    return a
