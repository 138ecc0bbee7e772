"""Rules of products of matrices, of Einstein sums, and of ``np.linalg``."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from .calls import ALIASES, composite, rule
from .tensor import primitive

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
def _(x1, x2):
    return np.sum(x1 * x2, axis=-1)


@composite(np.tensordot)
def _(a, b, axes=2):
    letters = iter(string.ascii_letters)
    left = [next(letters) for _ in range(np.ndim(a))]
    right = [next(letters) for _ in range(np.ndim(b))]
    if isinstance(axes, int):
        axes = (range(np.ndim(a) - axes, np.ndim(a)), range(axes))
    first, second = (list(np.atleast_1d(np.asarray(side, dtype=int))) for side in axes)
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in first}
    kept = [letter for letter in left + right if letter not in summed]
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
    unused = iter(sorted(set(string.ascii_letters) - set("".join(terms))))
    dots = [
        next(unused) for _ in range(max(_dots(t, x) for t, x in zip(terms, tensors, strict=True)))
    ]
    spelled = [
        term.replace("...", "".join(dots[len(dots) - _dots(term, x) :]))
        for term, x in zip(terms, tensors, strict=True)
    ]
    if output is None:
        joined = "".join(terms).replace(".", "")
        output = "..." + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    output = output.replace("...", "".join(dots))
    for i, term in enumerate(spelled[: len(terms)]):  # 'ii' is 'ij' with an identity matrix 'ij'
        for place, letter in enumerate(term):
            if letter in term[:place]:
                new = next(unused)
                term = term[:place] + new + term[place + 1 :]
                spelled.append(letter + new)
                tensors.append(np.eye(np.shape(tensors[i])[place], dtype=tensors[i].dtype))
        spelled[i] = term
    return contract(*tensors, subscripts=",".join(spelled) + "->" + output)


def _parsed(operands: tuple[Any, ...]) -> tuple[list[str], str | None, list[Any]]:
    """Both ways of calling einsum, ``("ij,jk", a, b)`` and ``(a, [0, 1], b, [1, 2])``, as terms."""
    if isinstance(operands[0], str):
        inputs, arrow, output = operands[0].replace(" ", "").partition("->")
        tensors = [x if hasattr(x, "ndim") else np.asarray(x) for x in operands[1:]]
        return inputs.split(","), output if arrow else None, tensors
    pairs = len(operands) // 2
    terms = [
        "".join("..." if c is ... else string.ascii_letters[c] for c in t) for t in operands[1::2]
    ]
    last = operands[-1] if len(operands) % 2 else None
    output = None if last is None else "".join(string.ascii_letters[c] for c in last)
    return terms[:pairs], output, list(operands[: 2 * pairs : 2])


def _dots(term: str, x: Any) -> int:
    """How many axes the dots of a term stand for."""
    return np.ndim(x) - len(term.replace("...", "")) if "..." in term else 0


# ---- np.linalg ----


@rule(np.linalg.inv)
def _(g, out, a):
    return (-(out.mT @ g @ out.mT),)


@rule(np.linalg.solve)
def _(g, out, a, b):
    back = np.linalg.solve(a.mT, g)
    if b.ndim == 1:
        return lambda: -np.expand_dims(back, -1) * np.expand_dims(out, -2), lambda: back
    return lambda: -(back @ out.mT), lambda: back


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


@composite(np.linalg.norm)
def _(x, ord=None, axis=None, keepdims=False):
    axes = tuple(range(x.ndim)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    if ord in (None, "fro") or (ord == 2 and len(axes) == 1):
        return np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))
    size = np.abs(x)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):  # the largest sum of a column, of a row
        axes = tuple(a % x.ndim for a in axes)
        along, over = axes if abs(ord) == 1 else axes[::-1]
        size, axes, ord = np.sum(size, axis=along, keepdims=True), (over,), np.inf * ord
        norm = (np.max if ord > 0 else np.min)(size, axis=over, keepdims=True)
        return norm if keepdims else np.squeeze(norm, (along, over))
    if len(axes) != 1:
        from .calls import NotDifferentiableError

        raise NotDifferentiableError(
            f"np.linalg.norm(ord={ord!r}) of a matrix has no rule; use 'fro'"
        )
    if abs(ord) == np.inf:
        return (np.max if ord > 0 else np.min)(size, axis=axes, keepdims=keepdims)
    return np.sum(size**ord, axis=axes, keepdims=keepdims) ** (1.0 / ord)


@composite(np.linalg.vector_norm)
def _(x, *, axis=None, keepdims=False, ord=2):
    if axis is None or isinstance(axis, tuple):
        raise_axes = tuple(range(x.ndim)) if axis is None else axis
        size = np.abs(x)
        if ord == 2:
            return np.sqrt(np.sum(np.square(x), axis=raise_axes, keepdims=keepdims))
        if abs(ord) == np.inf:
            return (np.max if ord > 0 else np.min)(size, axis=raise_axes, keepdims=keepdims)
        return np.sum(size**ord, axis=raise_axes, keepdims=keepdims) ** (1.0 / ord)
    return np.linalg.norm(x, ord, axis, keepdims)


@composite(np.linalg.matrix_norm)
def _(x, *, keepdims=False, ord="fro"):
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


ALIASES[np.linalg.matmul] = np.matmul
ALIASES[np.linalg.vecdot] = np.vecdot
ALIASES[np.linalg.outer] = np.outer
ALIASES[np.linalg.tensordot] = np.tensordot
