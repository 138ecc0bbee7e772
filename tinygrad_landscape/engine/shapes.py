"""Rules of functions that move numbers about without changing them.

Whatever can be said as indexing is a composite of indexing, whose rule (`tensor.getitem`) scatters
the gradient back with addition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .calls import composite, rule
from .tensor import primitive, scatter


@rule(np.reshape)
def _(g, out, a, *, shape):
    return (g.reshape(a.shape),)


@composite(np.ravel)
def _(a):
    return np.reshape(a, -1)


@rule(np.transpose)
def _(g, out, a, *, axes=None):
    if axes is None:
        return (np.transpose(g),)
    back = np.argsort([axis % len(axes) for axis in axes])
    return (np.transpose(g, tuple(int(i) for i in back)),)


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def _(x):
    return np.swapaxes(x, -1, -2)


@rule(np.swapaxes)
def _(g, out, a, *, axis1, axis2):
    return (np.swapaxes(g, axis1, axis2),)


@rule(np.moveaxis)
def _(g, out, a, *, source, destination):
    return (np.moveaxis(g, destination, source),)


@rule(np.squeeze)
def _(g, out, a, *, axis=None):
    return (g.reshape(a.shape),)


@rule(np.expand_dims)
def _(g, out, a, *, axis):
    return (g.reshape(a.shape),)


@rule(np.broadcast_to)
def _(g, out, array, *, shape):
    return (g,)  # summed back by the caller, like any broadcast


@composite(np.broadcast_arrays)
def _(*args):
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@composite(np.atleast_1d)
def _(*arys):
    wide = tuple(a if np.ndim(a) else np.reshape(a, 1) for a in arys)
    return wide if len(wide) > 1 else wide[0]


@composite(np.atleast_2d)
def _(*arys):
    wide = tuple(a if np.ndim(a) > 1 else np.reshape(a, (1, -1)) for a in arys)
    return wide if len(wide) > 1 else wide[0]


# ---- joining ----


@rule(np.concatenate)
def _(g, out, *arrays, axis=0):
    if axis is None:
        ends = np.cumsum([np.size(a) for a in arrays])
        return tuple(
            lambda a=a, end=end: g[end - np.size(a) : end].reshape(np.shape(a))
            for a, end in zip(arrays, ends, strict=True)
        )
    lead = (slice(None),) * (axis % out.ndim)
    ends = np.cumsum([np.shape(a)[axis] for a in arrays])
    return tuple(
        lambda a=a, end=end: g[(*lead, slice(end - np.shape(a)[axis], end))]
        for a, end in zip(arrays, ends, strict=True)
    )


@composite(np.stack)
def _(arrays, axis=0):
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis=axis)


@composite(np.hstack)
def _(tup):
    parts = [np.atleast_1d(a) for a in tup]
    return np.concatenate(parts, axis=0 if np.ndim(parts[0]) == 1 else 1)


@composite(np.vstack)
def _(tup):
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0)


@composite(np.column_stack)
def _(tup):
    columns = [np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in tup]
    return np.concatenate(columns, axis=1)


# ---- taking apart, picking and repeating ----


@composite(np.split, np.array_split)
def _(ary, indices_or_sections, axis=0):
    n = ary.shape[axis]
    pieces = np.array_split(np.arange(n), indices_or_sections)
    if isinstance(indices_or_sections, int) and len({len(p) for p in pieces}) > 1:
        raise ValueError(f"{n} entries do not split into {indices_or_sections} equal parts")
    starts = np.cumsum([0, *(len(p) for p in pieces)])
    lead = (slice(None),) * (axis % ary.ndim)
    return [
        ary[(*lead, slice(int(s), int(s) + len(p)))] for s, p in zip(starts, pieces, strict=False)
    ]


@composite(np.hsplit)
def _(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=0 if ary.ndim == 1 else 1)


@composite(np.vsplit)
def _(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=0)


@composite(np.flip)
def _(m, axis=None):
    axes = range(m.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    turned = {a % m.ndim for a in axes}
    return m[tuple(slice(None, None, -1 if i in turned else None) for i in range(m.ndim))]


@composite(np.fliplr)
def _(m):
    return np.flip(m, 1)


@composite(np.flipud)
def _(m):
    return np.flip(m, 0)


@rule(np.roll)
def _(g, out, a, *, shift, axis=None):
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return (np.roll(g, back, axis),)


@composite(np.take)
def _(a, indices, axis=None, mode="raise"):
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    n = a.shape[axis]
    indices = np.asarray(indices)
    if mode != "raise":
        indices = indices % n if mode == "wrap" else np.clip(indices, 0, n - 1)
    return a[(*(slice(None),) * (axis % a.ndim), indices)]


@composite(np.take_along_axis)
def _(arr, indices, axis=-1):
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    axis %= arr.ndim
    index = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    index[axis] = indices
    return arr[tuple(index)]


@composite(np.sort)
def _(a, axis=-1):
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis=axis)


@composite(np.repeat)
def _(a, repeats, axis=None):
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


@composite(np.tile)
def _(A, reps):
    reps = tuple(np.atleast_1d(reps))
    ndim = max(A.ndim, len(reps))
    shape, reps = (1,) * (ndim - A.ndim) + A.shape, (1,) * (ndim - len(reps)) + reps
    pairs = tuple(int(n) for pair in zip(reps, shape, strict=True) for n in pair)
    ones = tuple(n for size in shape for n in (1, size))
    spread = np.broadcast_to(np.reshape(A, ones), pairs)
    return np.reshape(spread, tuple(int(r) * n for r, n in zip(reps, shape, strict=True)))


@primitive
def pad_constant(array: Any, *, width: Any, value: Any) -> Any:
    return np.pad(array, width, constant_values=value)


@rule(pad_constant)
def _(g, out, array, *, width, value):
    pairs = np.broadcast_to(np.asarray(width, dtype=int), (array.ndim, 2))
    ends = zip(pairs, array.shape, strict=True)
    return (g[tuple(slice(int(before), int(before) + n) for (before, _after), n in ends)],)


@composite(np.pad)
def _(array, pad_width, mode="constant", *, constant_values=0):
    if mode == "constant":
        return pad_constant(array, width=pad_width, value=constant_values)
    places = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode=mode)
    return np.reshape(array, -1)[places]


# ---- diagonals and triangles ----


@composite(np.diagonal)
def _(a, offset=0, axis1=0, axis2=1):
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows = np.arange(len(np.diagonal(np.empty(a.shape[-2:]), offset)))
    return a[..., rows - min(offset, 0), rows + max(offset, 0)]


@composite(np.linalg.diagonal)
def _(x, *, offset=0):
    return np.diagonal(x, offset, -2, -1)


@composite(np.trace)
def _(a, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@composite(np.linalg.trace)
def _(x, *, offset=0):
    return np.trace(x, offset, -2, -1)


@composite(np.diag)
def _(v, k=0):
    if v.ndim == 2:
        return np.diagonal(v, k)
    n, rows = v.size + abs(k), np.arange(v.size)
    return scatter(v, index=(rows - min(k, 0), rows + max(k, 0)), shape=(n, n))


@composite(np.tril)
def _(m, k=0):
    return np.where(np.tri(*np.shape(m)[-2:], k=k, dtype=bool), m, 0.0)


@composite(np.triu)
def _(m, k=0):
    return np.where(np.tri(*np.shape(m)[-2:], k=k - 1, dtype=bool), 0.0, m)


@composite(np.copy)
def _(a):
    return +a
