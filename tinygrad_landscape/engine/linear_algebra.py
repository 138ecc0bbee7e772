"""Rules of products of matrices, of Einstein sums, and of ``np.linalg``."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from .calls import ALIASES, composite, rule
from .errors import NotDifferentiableError, ShapeError
from .tensor import Tensor, primitive

LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in the order in which they sort

# ---- products ----


@rule(np.matmul)
def _(g, out, x1, x2):
    row, column = x1.ndim == 1, x2.ndim == 1
    left = x1[None, :] if row else x1
    right = x2[:, None] if column else x2
    g = np.expand_dims(g, -1) if column else g
    g = np.expand_dims(g, -2) if row else g

    def first():
        product = g @ right.mT
        return product[..., 0, :] if row else product

    def second():
        product = left.mT @ g
        return product[..., 0] if column else product

    return first, second


@composite(np.dot)
def _(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) == 1 or (np.ndim(a) <= 2 and np.ndim(b) <= 2):
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=(-1, -2))


@composite(np.inner)
def _(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=(-1, -1))


@composite(np.vdot)
def _(a, b):
    return np.matmul(np.reshape(a, -1), np.reshape(b, -1))


@composite(np.outer)
def _(a, b):
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@composite(np.vecdot)
def _(x1, x2, *, axis=-1):
    row = np.expand_dims(np.moveaxis(x1, axis, -1), -2)
    column = np.expand_dims(np.moveaxis(x2, axis, -1), -1)
    return np.matmul(row, column)[..., 0, 0]


@composite(np.tensordot)
def _(a, b, axes=2):
    left = list(LETTERS[: np.ndim(a)])
    right = list(LETTERS[np.ndim(a) : np.ndim(a) + np.ndim(b)])
    if np.ndim(axes) == 0:
        axes = (range(-axes, 0), range(axes))
    for i, j in zip(*(np.atleast_1d(side).tolist() for side in axes), strict=True):
        repeated = left[i] in right or right[j] in left
        if repeated or np.shape(a)[i] != np.shape(b)[j]:
            raise ShapeError(f"tensordot got {np.shape(a)} and {np.shape(b)} along {axes}")
        right[j] = left[i]
    kept = [letter for letter in left + right if (left + right).count(letter) == 1]
    return np.einsum("".join(left) + "," + "".join(right) + "->" + "".join(kept), a, b)


# ---- Einstein sums ----


@primitive
def contract(*operands: Any, subscripts: str) -> Any:
    """`np.einsum` in its plainest form: no dots, an explicit result, no letter twice in a term."""
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


@rule(contract)
def _(g, out, *operands, subscripts):
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")

    def pull(i):
        others = [k for k in range(len(terms)) if k != i]
        names = [output, *(terms[k] for k in others)]
        found = [letter for letter in terms[i] if letter in "".join(names)]
        sources = [g, *(operands[k] for k in others)]
        part = contract(*sources, subscripts=",".join(names) + "->" + "".join(found))
        lone = tuple(j for j, letter in enumerate(terms[i]) if letter not in found)
        return np.expand_dims(part, lone)  # a letter summed away alone: the same for all its values

    return tuple(lambda i=i: pull(i) for i in range(len(terms)))


@composite(np.einsum)
def _(*operands, optimize=False):
    terms, output, tensors = _parsed(operands)
    tensors = [x if type(x) is Tensor else np.asarray(x) for x in tensors]
    spare = iter(sorted(set(LETTERS) - set("".join(terms))))
    dots = [
        np.ndim(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, tensors)
    ]
    names = "".join(next(spare) for _ in range(max(dots)))
    if output is None:
        letters = "".join(terms).replace(".", "")
        output = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    elif names and "..." not in output:
        raise ShapeError(f"einsum: the result {output!r} needs dots, as the terms {terms} have")
    terms = [t.replace("...", names[len(names) - n :]) for t, n in zip(terms, dots)]
    for i, x in enumerate(tensors[:]):  # 'ii' is 'ij' together with an identity matrix 'ij'
        for place, letter in enumerate(terms[i]):
            if letter in terms[i][:place]:
                new = next(spare)
                terms[i] = terms[i][:place] + new + terms[i][place + 1 :]
                terms.append(letter + new)
                tensors.append(np.eye(np.shape(x)[place], dtype=x.dtype))
    return contract(*tensors, subscripts=",".join(terms) + "->" + output.replace("...", names))


def _parsed(operands):
    """Both ways of calling einsum, ``("ij,jk", a, b)`` and ``(a, [0, 1], b, [1, 2])``, as terms."""
    if isinstance(operands[0], str):
        inputs, arrow, output = operands[0].replace(" ", "").partition("->")
        return inputs.split(","), output if arrow else None, operands[1:]
    n = len(operands) // 2
    terms = [
        "".join("..." if c is ... else LETTERS[c] for c in axes)
        for axes in (*operands[1 : 2 * n : 2], *operands[2 * n :])
    ]
    return terms[:n], terms[n] if len(terms) > n else None, operands[: 2 * n : 2]


# ---- np.linalg ----


@rule(np.linalg.inv)
def _(g, out, a):
    return (-(out.mT @ g @ out.mT),)


@rule(np.linalg.solve)
def _(g, out, a, b):
    vector = b.ndim == 1
    if vector:
        g, out = g[..., None], out[..., None]
    back = np.linalg.solve(a.mT, g)
    return lambda: -(back @ out.mT), lambda: back[..., 0] if vector else back


@rule(np.linalg.det)
def _(g, out, a):
    g = np.reshape(g, (*g.shape, 1, 1))
    if np.all(out != 0):
        return (g * np.reshape(out, (*out.shape, 1, 1)) * np.linalg.inv(a).mT,)
    n = a.shape[-1]  # a singular matrix has no inverse, but its determinant still has a gradient
    others = np.array([[i for i in range(n) if i != j] for j in range(n)], dtype=int)
    minors = a[..., others[:, None, :, None], others[None, :, None, :]]
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n)).astype(a.dtype)
    return (g * np.linalg.det(minors) * signs,)


@rule(np.linalg.slogdet)
def _(g, out, a):
    return (np.reshape(g[1], (*g[1].shape, 1, 1)) * np.linalg.inv(a).mT,)


@rule(np.linalg.cholesky)
def _(g, out, a, *, upper=False):
    low, g = (out.mT, g.mT) if upper else (out, g)
    half = np.tril(low.mT @ g)
    half = half - 0.5 * np.diagonal(half, 0, -2, -1)[..., None] * np.eye(a.shape[-1], dtype=a.dtype)
    back = np.linalg.inv(low)
    full = back.mT @ half @ back
    return (0.5 * (full + full.mT),)


@composite(np.linalg.vector_norm)
def _(x, *, axis=None, keepdims=False, ord=2):
    if ord == 2:
        return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        raise NotDifferentiableError("the 'norm' of order 0 counts entries: it has no gradient")
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


@composite(np.linalg.norm)
def _(x, ord=None, axis=None, keepdims=False):
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    flat = ord is None or (ord == "fro" and len(axes) == 2)
    if flat or len(axes) == 1:
        return np.linalg.vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if flat else ord)
    if len(axes) != 2 or ord not in (1, -1, np.inf, -np.inf):
        raise NotDifferentiableError(f"np.linalg.norm(ord={ord!r}) of a matrix: only 'fro', 1, inf")
    along, over = axes if abs(ord) == 1 else axes[::-1]  # the largest sum of a column, of a row
    sums = np.sum(np.abs(x), axis=along, keepdims=True)
    norm = (np.max if ord > 0 else np.min)(sums, axis=over, keepdims=True)
    return norm if keepdims else np.squeeze(norm, axes)


@composite(np.linalg.matrix_norm)
def _(x, *, keepdims=False, ord="fro"):
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


ALIASES[np.linalg.matmul] = np.matmul
ALIASES[np.linalg.vecdot] = np.vecdot
ALIASES[np.linalg.outer] = np.outer
ALIASES[np.linalg.tensordot] = np.tensordot
