"""Rules of functions that move numbers about without changing them.

Whatever can be said as indexing is a composite of indexing, whose rule (`tensor.getitem`) scatters
the gradient back with addition.
"""

from __future__ import annotations

import inspect

import numpy as np

from .calls import composite, rule, spelled
from .errors import NotDifferentiableError
from .tensor import Tensor, scatter


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


@rule(np.squeeze, np.expand_dims)
def _(g, out, a, *, axis=None):
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
    sizes = [np.size(a) if axis is None else np.shape(a)[axis] for a in arrays]
    parts = np.split(g, np.cumsum(sizes)[:-1], axis=axis or 0)
    return tuple(np.reshape(part, np.shape(a)) for part, a in zip(parts, arrays))


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


# ---- taking apart ----


def _cut(ary, pieces, axis):
    """Slices of an array, given the places along an axis that each of them takes."""
    lead = (slice(None),) * (axis % ary.ndim)
    starts = [int(p[0]) if len(p) else 0 for p in pieces]
    return [ary[(*lead, slice(s, s + len(p)))] for s, p in zip(starts, pieces)]


@composite(np.split)
def _(ary, indices_or_sections, axis=0):
    return _cut(ary, np.split(np.arange(ary.shape[axis]), indices_or_sections), axis)


@composite(np.array_split)
def _(ary, indices_or_sections, axis=0):
    return _cut(ary, np.array_split(np.arange(ary.shape[axis]), indices_or_sections), axis)


@composite(np.hsplit)
def _(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=0 if ary.ndim == 1 else 1)


@composite(np.vsplit)
def _(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=0)


# ---- picking, turning and repeating: do to the numbers what NumPy does to their places ----


def _by_places(function, a, *args, **kwargs):
    if type(a) is not Tensor:
        raise NotDifferentiableError(f"{spelled(function)}: only its first argument is an input")
    places = function(np.arange(a.size).reshape(a.shape), *args, **kwargs)
    return np.reshape(np.reshape(a, -1)[np.ravel(places)], np.shape(places))


def _moving(function):
    def body(*args, **kwargs):
        given = inspect.signature(function).bind(*args, **kwargs)
        (_, a), *rest = given.arguments.items()
        return _by_places(function, a, **dict(rest))

    return body


for _function in (np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.repeat, np.tile,
                  np.take_along_axis, np.diagonal, np.linalg.diagonal):  # fmt: skip
    composite(_function)(_moving(_function))


@composite(np.take)
def _(a, indices, axis=None, mode="raise"):
    return _by_places(np.take, a, indices, axis, mode=mode)


@composite(np.sort)
def _(a, axis=-1):
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis=axis)


@composite(np.pad)
def _(array, pad_width, mode="constant", *, constant_values=0):
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return _by_places(np.pad, array, pad_width, mode)
    if mode != "constant":
        raise NotDifferentiableError(
            f"np.pad(mode={mode!r}) has no rule; build it by np.concatenate"
        )
    frame = np.pad(np.zeros(array.shape, array.dtype), pad_width, constant_values=constant_values)
    befores = np.broadcast_to(np.asarray(pad_width, dtype=int), (array.ndim, 2))[:, 0].tolist()
    inside = tuple(slice(b, b + n) for b, n in zip(befores, array.shape))
    return frame + scatter(array, index=inside, shape=frame.shape)


# ---- diagonals and triangles ----


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
    n, rows = len(v) + abs(k), np.arange(len(v))
    return scatter(v, index=(rows - min(k, 0), rows + max(k, 0)), shape=(n, n))


@composite(np.tril)
def _(m, k=0):
    return np.where(np.tril(np.ones(m.shape, dtype=bool), k), m, 0.0)


@composite(np.triu)
def _(m, k=0):
    return np.where(np.triu(np.ones(m.shape, dtype=bool), k), m, 0.0)


@composite(np.copy)
def _(a):
    return +a
