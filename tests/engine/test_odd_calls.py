"""Calls at the edge of what NumPy allows, and just beyond it.

Where NumPy answers, a Tensor answers with the same numbers and with right derivatives to order
two; where NumPy refuses, so does a Tensor. A silent answer to a senseless call would be a wrong
gradient.
"""

import numpy as np
import pytest

from .cases import agrees

X = np.array([[0.4, 1.1, -0.7], [2.3, -1.6, 0.9]])
S = np.array(2.0)
V = X[0]

ARRAYS = {
    "flip": np.flip, "ravel": np.ravel, "sort": np.sort, "cumsum": np.cumsum, "prod": np.prod,
    "max": np.max, "squeeze": np.squeeze, "transpose": np.transpose, "diff": np.diff,
    "trace": np.trace, "diag": np.diag, "tril": np.tril, "fliplr": np.fliplr, "rot90": np.rot90,
    "atleast_2d": np.atleast_2d, "norm": np.linalg.norm,
    "repeat": lambda s: np.repeat(s, 3), "tile": lambda s: np.tile(s, 3),
    "roll": lambda s: np.roll(s, 3), "take": lambda s: np.take(s, [0, 0]),
    "pad": lambda s: np.pad(s, 1), "hsplit": lambda s: np.hsplit(s, 2),
    "average": np.average, "expand_dims": lambda s: np.expand_dims(s, (0, 1)),
    "index": lambda s: s[None, ..., None], "sum": lambda s: np.sum(s, keepdims=True),
    "inner": lambda s: np.inner(s, s), "matmul": lambda s: np.matmul(s, s),
    "einsum": lambda s: np.einsum("->", s), "logaddexp": lambda s: np.logaddexp(s, s),
}  # fmt: skip


@pytest.mark.parametrize("f", ARRAYS.values(), ids=ARRAYS)
def test_single_numbers(f):
    agrees(f, S)


SHAPES = {
    "tile by nothing": lambda x: np.tile(x, ()),
    "split into unequal parts": lambda x: np.split(x, 2, axis=1)[0],
    "split by an integer of NumPy": lambda x: np.split(x, np.int64(2))[1],
    "array_split along a negative axis": lambda x: np.array_split(x, 2, axis=-1)[0],
    "rows of a tensor as a sequence": lambda x: np.hstack(x),
    "rows of a tensor, stacked": lambda x: np.stack(x, axis=1),
    "rows of a tensor, joined": lambda x: np.concatenate(x),
    "rows of a tensor, as columns": lambda x: np.column_stack(x),
    "stack of unequal shapes": lambda x: np.stack([x, x[0]]),
    "stack along an axis that is not there": lambda x: np.stack([x, x], axis=5),
    "concatenate along an axis that is not there": lambda x: np.concatenate([x, x], axis=2),
    "expand_dims by a list": lambda x: np.expand_dims(x, [0, 2]),
    "expand_dims too far": lambda x: np.expand_dims(x, 7),
    "squeeze of an axis that is not one": lambda x: np.squeeze(x, axis=0),
    "moveaxis by lists": lambda x: np.moveaxis(x, [0, 1], [1, 0]),
    "transpose with an axis missing": lambda x: np.transpose(x, (0,)),
    "transpose with an axis twice": lambda x: np.transpose(x, (0, 0)),
    "reshape to a number": lambda x: np.reshape(x, 6),
    "reshape to a wrong size": lambda x: np.reshape(x, 4),
    "reshape with two unknowns": lambda x: np.reshape(x, (-1, -1)),
    "broadcast_to a shape that does not fit": lambda x: np.broadcast_to(x, (4, 3)),
    "repeat a negative number of times": lambda x: np.repeat(x, -1),
    "take a place that is not there": lambda x: np.take(x, [9]),
    "take by wrapping": lambda x: np.take(x, [9, -9], axis=1, mode="wrap"),
    "take by clipping": lambda x: np.take(x, [9, -9], mode="clip"),
    "take by a float": lambda x: np.take(x, [0.0]),
    "take_along_axis by too few dimensions": lambda x: np.take_along_axis(x, np.array([0]), 1),
    "roll far": lambda x: np.roll(x, 100, axis=1),
    "roll along one axis twice": lambda x: np.roll(x, (1, 1), axis=(0, 0)),
    "roll along two axes alike": lambda x: np.roll(x, 1, axis=(0, 1)),
    "roll along an axis that is not there": lambda x: np.roll(x, 1, axis=5),
    "flip of an axis that is not there": lambda x: np.flip(x, 5),
    "sort along an axis that is not there": lambda x: np.sort(x, axis=5),
    "diff no times": lambda x: np.diff(x, n=0),
    "diff too often": lambda x: np.diff(x, n=9),
    "diff with a row before": lambda x: np.diff(x, prepend=[[1.0], [2.0]]),
    "diff with a row before that does not fit": lambda x: np.diff(x, prepend=[1.0, 2.0]),
    "pad by one pair": lambda x: np.pad(x, (1, 2)),
    "pad by pairs of values": lambda x: np.pad(x, 1, constant_values=(7, 8)),
    "pad a negative width": lambda x: np.pad(x, -1),
    "pad too many axes": lambda x: np.pad(x, ((1, 1), (1, 1), (1, 1))),
    "pad in a mode that is not there": lambda x: np.pad(x, 1, mode="sideways"),
    "diag of a matrix, beyond it": lambda x: np.diag(x, 9),
    "diag of a cube": lambda x: np.diag(x.reshape(1, 2, 3)),
    "diagonal of an axis with itself": lambda x: np.diagonal(x, 0, 1, 1),
    "trace over later axes": lambda x: np.trace(x.reshape(1, 2, 3), 0, 1, 2),
    "tril of a row": lambda x: np.tril(x[0]),
    "an index that is not there": lambda x: x[5],
    "an index that is a float": lambda x: x[1.0],
    "an empty list as an index": lambda x: x[[]],
    "True as an index": lambda x: x[True],
    "a list and a slice": lambda x: x[[0, 1], :2],
    "unpacking": lambda x: (lambda a, b: a * b)(*x),
}


@pytest.mark.parametrize("f", SHAPES.values(), ids=SHAPES)
def test_shapes_and_places(f):
    agrees(f, X)


REDUCTIONS = {
    "sum along an axis of NumPy's": lambda x: np.sum(x, axis=np.int64(1)),
    "sum along an axis that is not there": lambda x: np.sum(x, axis=2),
    "sum along an axis twice": lambda x: np.sum(x, axis=(0, 0)),
    "prod along an axis twice": lambda x: np.prod(x, axis=(0, 0)),
    "prod along no axis": lambda x: np.prod(x, axis=()),
    "std along a positive and a negative axis": lambda x: np.std(x, axis=(0, -1)),
    "var along an axis that is not there": lambda x: np.var(x, axis=3),
    "cumsum along an axis that is not there": lambda x: np.cumsum(x, axis=5),
    "average with too few weights": lambda x: np.average(x, weights=[1.0, 2.0]),
    "average with weights along an axis": lambda x: np.average(x, axis=0, weights=[1.0, 2.0]),
    "average with weights along the wrong axis": lambda x: np.average(x, 1, [1.0, 2.0]),
    "clip by nothing": lambda x: np.clip(x, None, None),
    "clip by min": lambda x: np.clip(x, min=0.5),
    "clip by max": lambda x: np.clip(x, max=0.5),
    "where with two arguments": lambda x: np.where(X > 1, x),
    "norm of a cube": lambda x: np.linalg.norm(x.reshape(1, 2, 3)),
    "norm of a cube, of order 2": lambda x: np.linalg.norm(x.reshape(1, 2, 3), 2),
    "norm of an order that is not there": lambda x: np.linalg.norm(x, "large"),
    "norm of a row, Frobenius's": lambda x: np.linalg.norm(x[0], "fro"),
    "norm of a negative order": lambda x: np.linalg.norm(x[0], -1),
    "norm of a broken order": lambda x: np.linalg.norm(x[0], 0.5),
    "norm of an axis with itself": lambda x: np.linalg.norm(x, 1, axis=(0, 0)),
    "power of a negative base": lambda x: np.power(x, 2),
    "a negative power": lambda x: x**-1,
}


@pytest.mark.parametrize("f", REDUCTIONS.values(), ids=REDUCTIONS)
def test_reductions_and_choices(f):
    agrees(f, X)


PRODUCTS = {
    "einsum with too few arrays": lambda x: np.einsum("ij,jk", x),
    "einsum with too many arrays": lambda x: np.einsum("ij", x, x),
    "einsum of unequal lengths": lambda x: np.einsum("ij,ij", x, x[:, :2]),
    "einsum with a letter twice in the result": lambda x: np.einsum("ij->ii", x),
    "einsum with a new letter in the result": lambda x: np.einsum("ij->k", x),
    "einsum with too many letters": lambda x: np.einsum("ijk->k", x),
    "einsum with too few letters": lambda x: np.einsum("i->i", x),
    "einsum with half an arrow": lambda x: np.einsum("ij-ij", x),
    "einsum of dots alone": lambda x: np.einsum("...", x),
    "einsum of dots to dots": lambda x: np.einsum("...->...", x),
    "einsum of dots to nowhere": lambda x: np.einsum("...i->i", x),
    "einsum of unequal dots": lambda x: np.einsum("...i,...j->...ij", x, x[0]),
    "einsum with spaces": lambda x: np.einsum(" i j , k j -> i k", x, x),
    "einsum with a plan": lambda x: np.einsum("ij,kj,lj->ikl", x, x, x, optimize="greedy"),
    "einsum in capitals, which come first": lambda x: np.einsum("aB", x),
    "einsum by numbers, which sort": lambda x: np.einsum(x, [30, 2]),
    "einsum by the last number": lambda x: np.einsum(x, [51, 0], [0, 51]),
    "einsum by numbers and dots": lambda x: np.einsum(x, [..., 0], [0, ...]),
    "einsum of a diagonal that is none": lambda x: np.einsum("ii->i", x),
    "einsum of a single place": lambda x: np.einsum("ii->i", x[:1, :1]),
    "tensordot along single axes": lambda x: np.tensordot(x, x, axes=(1, 1)),
    "tensordot along unequally many axes": lambda x: np.tensordot(x, x, axes=([0, 1], [0])),
    "tensordot along an axis that is not there": lambda x: np.tensordot(x, x, axes=([5], [0])),
    "tensordot along an axis twice": lambda x: np.tensordot(x, x, axes=([0, 0], [0, 0])),
    "outer of matrices": lambda x: np.outer(x, x),
    "vdot of unequal sizes": lambda x: np.vdot(x, x[0]),
    "inv of what is not square": np.linalg.inv,
    "inv of what has no inverse": lambda x: np.linalg.inv(0.0 * x[:, :2]),
    "solve with a row": lambda x: np.linalg.solve(x[:, :2], x[:, 2]),
    "det of nothing": lambda x: np.linalg.det(x[:0, :0]),
    "cholesky of what is not positive": lambda x: np.linalg.cholesky(x[:, :2] - 9.0),
}


@pytest.mark.parametrize("f", PRODUCTS.values(), ids=PRODUCTS)
def test_products_and_matrices(f):
    agrees(f, X)
