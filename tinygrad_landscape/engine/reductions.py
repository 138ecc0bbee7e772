"""Rules of sums, means, products and extremes, and what is composed of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .calls import composite, rule


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


@rule(np.prod)
def _(g, out, a, *, axis=None, keepdims=False):
    shape = kept(a.shape, axis)
    if np.all(a != 0):
        return (g.reshape(shape) * out.reshape(shape) / a,)
    # a zero forbids dividing by it: for each element, the product of the others
    axes = tuple(i for i, (n, k) in enumerate(zip(a.shape, shape, strict=True)) if k == 1)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    lines = np.transpose(a, rest + axes).reshape((*(a.shape[i] for i in rest), -1))
    itself = np.eye(lines.shape[-1], dtype=bool)
    others = np.prod(np.where(itself, 1.0, np.expand_dims(lines, -2)), axis=-1)
    others = others.reshape(tuple(a.shape[i] for i in rest + axes))
    back = tuple(int(i) for i in np.argsort(rest + axes))
    return (g.reshape(shape) * np.transpose(others, back),)


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
    if np.ndim(weights) == 1 and axis is not None and np.ndim(a) > 1:
        weights = np.reshape(weights, tuple(-1 if k == 1 else 1 for k in kept(np.shape(a), axis)))
    weights = weights + np.zeros(np.shape(a), dtype=bool)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


@composite(np.ptp)
def _(a, axis=None, *, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@composite(np.diff)
def _(a, n=1, axis=-1, prepend=None, append=None):
    ends = [
        np.expand_dims(e, axis) if np.ndim(e) == 0 else e
        for e in (prepend, append)
        if e is not None
    ]
    if ends:
        shape = list(np.shape(a))
        shape[axis] = 1
        ends = [np.broadcast_to(e, shape) if np.size(e) == 1 else e for e in ends]
        parts = ([ends[0]] if prepend is not None else []) + [a]
        a = np.concatenate(parts + ([ends[-1]] if append is not None else []), axis=axis)
    for _step in range(n):
        lead = (slice(None),) * (axis % a.ndim)
        a = a[(*lead, slice(1, None))] - a[(*lead, slice(None, -1))]
    return a
