"""Every function that the engine can differentiate, called at points where it is smooth.

One table serves all general tests: rules against differences, against another autograd, in
float32, with planted faults. `test_tables.py` demands that no function is missing here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_landscape.engine import (
    Tensor,
    check_gradients,
    elu,
    gelu,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from tinygrad_landscape.engine.calls import spelled
from tinygrad_landscape.engine.elementwise import clamp, select
from tinygrad_landscape.engine.functions import erfc
from tinygrad_landscape.engine.linear_algebra import contract
from tinygrad_landscape.engine.reductions import product
from tinygrad_landscape.engine.tensor import cast, getitem, scatter

# ---- points: no two numbers are close, none is close to a corner of a function used here ----

STEPS = 400
_units = np.tile(np.random.default_rng(0).permutation(STEPS), 100)
_used = 0


def rewind() -> None:
    """From here on the same numbers again: for examples that hypothesis repeats."""
    global _used
    _used = 0


def within(low: float, high: float) -> Callable[..., np.ndarray]:
    """A maker of arrays in an interval; numbers made in a row lie apart."""

    def make(*shape: int) -> np.ndarray:
        global _used
        size = int(np.prod(shape))
        assert size < STEPS
        units = _units[_used % (99 * STEPS) :][:size]
        _used += size
        return np.array(low + (high - low) * (units.reshape(shape) + 0.5) / STEPS)

    return make


real, positive, unit = within(-2.0, 2.0), within(0.3, 2.3), within(-0.9, 0.9)


def matrix(*shape: int) -> np.ndarray:
    """Square matrices that can be inverted."""
    return unit(*shape) + 3.0 * np.eye(shape[-1])


def agrees(f: Callable[..., Any], *arrays: np.ndarray, order: int = 2) -> None:
    """A function of Tensors gives NumPy's numbers and right slopes, or refuses as NumPy does."""
    expected, got = _outcome(f, arrays), _outcome(f, [Tensor(x) for x in arrays])
    if isinstance(expected, Exception):
        assert isinstance(got, Exception), f"NumPy refuses ({expected}); this answers {got!r}"
        return
    if isinstance(got, Exception):
        raise got
    assert type(got) is Tensor and got.shape == np.shape(expected)
    np.testing.assert_allclose(got.data, expected, rtol=1e-12, atol=1e-13)
    check_gradients(f, *arrays, order=order)


def _outcome(f: Callable[..., Any], arrays: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return f(*arrays)
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
        return error


# ---- the table ----


@dataclass(frozen=True, eq=False)
class Case:
    """A call. Its float arrays are what is differentiated; all else in it is constant."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    before: Callable[..., Any] | None = None  # makes a fit argument of any array: (np, x) -> x

    @property
    def arrays(self) -> list[np.ndarray]:
        return [*_floats(self.args), *_floats(tuple(self.options.values()))]

    def bind(self, *arrays: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the call with other things in the place of its arrays."""
        fresh = iter(arrays)
        args = _filled(self.args, fresh)
        return args, dict(zip(self.options, _filled(tuple(self.options.values()), fresh)))

    def __call__(self, *arrays: Any, function: Any = None, namespace: Any = np) -> Any:
        if self.before is not None:
            arrays = tuple(self.before(namespace, x) for x in arrays)
        args, options = self.bind(*arrays)
        return (function or self.function)(*args, **options)

    def flat(self, *arrays: Any, function: Any = None, namespace: Any = np) -> Any:
        """The call as one vector: all results, in fixed and unequal weights."""
        out = self(*arrays, function=function, namespace=namespace)
        parts = out if isinstance(out, list | tuple) else [out]
        total = 0.0
        for number, part in enumerate(parts):
            size = int(np.prod(np.shape(part)))
            weights = np.cos(1.0 + number + np.arange(size)).reshape(np.shape(part))
            total = total + namespace.sum(weights * part)
        return total

    def __str__(self) -> str:
        shapes = [str(x.shape).replace(" ", "") for x in self.arrays]
        constants = [f"{k}={v}" for k, v in self.options.items() if not isinstance(v, np.ndarray)]
        return "-".join([spelled(self.function), *shapes, *constants])


def _floats(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _floats(item)


def _filled(value: Any, fresh: Iterator[Any]) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return next(fresh)
    return type(value)(_filled(v, fresh) for v in value) if type(value) in (list, tuple) else value


def case(function: Callable[..., Any], *args: Any, before: Any = None, **options: Any) -> Case:
    return Case(function, args, options, before)


UNARY = {
    np.negative: real, np.positive: real, np.absolute: real, np.fabs: real, np.square: real,
    np.reciprocal: positive, np.sqrt: positive, np.cbrt: positive, np.exp: real, np.exp2: real,
    np.expm1: real, np.log: positive, np.log2: positive, np.log10: positive, np.log1p: positive,
    np.sin: real, np.cos: real, np.tan: unit, np.arcsin: unit, np.arccos: unit, np.arctan: real,
    np.sinh: real, np.cosh: real, np.tanh: real, np.arcsinh: real, np.arccosh: within(1.2, 3.0),
    np.arctanh: unit, np.deg2rad: real, np.radians: real, np.rad2deg: real, np.degrees: real,
    np.nan_to_num: real, np.copy: real, np.ravel: real, np.atleast_1d: real, np.atleast_2d: real,
    relu: real, leaky_relu: real, elu: real, sigmoid: real, softplus: real, erfc: real,
    gelu: real, silu: real, log_sigmoid: real,
}  # fmt: skip

BINARY = {
    np.add: (real, real), np.subtract: (real, real), np.multiply: (real, real),
    np.divide: (real, positive), np.power: (positive, real), np.float_power: (positive, real),
    np.remainder: (within(2.2, 2.8), within(0.96, 1.04)), np.hypot: (real, positive),
    np.fmod: (within(2.2, 2.8), within(0.96, 1.04)), np.logaddexp: (real, real),
    np.logaddexp2: (real, real), np.arctan2: (real, positive), np.maximum: (real, real),
    np.fmax: (real, real), np.minimum: (real, real), np.fmin: (real, real),
}  # fmt: skip

REDUCTIONS = [np.sum, np.mean, np.max, np.amax, np.min, np.amin, np.prod, np.var, np.std, np.ptp]

CALLS = [
    *(case(f, make(2, 3)) for f, make in UNARY.items()),
    *(case(f, make()) for f, make in UNARY.items()),
    *(case(f, a(2, 3), b(3)) for f, (a, b) in BINARY.items()),
    *(case(f, a(), b(2, 1)) for f, (a, b) in BINARY.items()),
    case(np.power, real(5), 3),
    case(np.power, 3.0, real(5)),
    # reductions
    *(case(f, real(2, 3)) for f in REDUCTIONS),
    *(case(f, real(2, 3, 2), axis=(-1, 0)) for f in REDUCTIONS),
    *(case(f, real(2, 3), axis=1, keepdims=True) for f in REDUCTIONS),
    *(case(f, real(2, 4), axis=-1, ddof=1) for f in (np.var, np.std)),
    case(product, real(2, 3)),
    case(np.cumsum, real(2, 3)),
    case(np.cumsum, real(2, 3), axis=1),
    case(np.average, real(2, 3), weights=positive(2, 3)),
    case(np.average, real(2, 3), axis=-1, weights=positive(3)),
    case(np.average, real(2, 3), axis=0),
    case(np.diff, real(2, 4), n=2),
    case(np.diff, real(2, 4), axis=0, prepend=real(2, 4), append=real()),
    case(logsumexp, real(2, 3)),
    case(logsumexp, real(2, 3), axis=None),
    case(logsumexp, real(2, 3, 2), axis=(0, 2), keepdims=True),
    case(softmax, real(2, 3)),
    case(softmax, real(2, 3), axis=0),
    case(log_softmax, real(2, 3)),
    case(log_softmax, real(2, 3), axis=0),
    # choosing
    case(np.clip, real(7), -0.5, 0.5),
    case(np.clip, real(2, 3), a_min=within(-1.0, -0.5)(3), a_max=within(0.5, 1.0)()),
    case(clamp, real(7), -0.5, 0.5),
    case(np.where, np.array([[True, False, True]]), real(2, 3), real(3)),
    case(select, np.array([[True, False, True]]), real(2, 3), real(3)),
    case(np.full_like, real(2, 3), real()),
    # moving numbers about
    case(np.reshape, real(2, 3), (3, -1)),
    case(np.transpose, real(2, 3, 2)),
    case(np.transpose, real(2, 3, 2), axes=(1, -1, 0)),
    case(np.matrix_transpose, real(2, 3)),
    case(np.linalg.matrix_transpose, real(2, 2, 3)),
    case(np.swapaxes, real(2, 3, 2), 0, -1),
    case(np.moveaxis, real(2, 3, 2), (0, 1), (-1, 0)),
    case(np.squeeze, real(1, 3, 1)),
    case(np.squeeze, real(1, 3, 1), axis=-1),
    case(np.expand_dims, real(2, 3), axis=(0, -1)),
    case(np.broadcast_to, real(3, 1), (2, 3, 2)),
    case(np.broadcast_arrays, real(3, 1), real(2)),
    case(np.atleast_1d, real(), real(2)),
    case(np.atleast_2d, real(), real(2)),
    case(np.concatenate, [real(2, 3), real(1, 3)]),
    case(np.concatenate, [real(2, 3), real(2, 1)], axis=-1),
    case(np.concatenate, [real(2, 3), real(2)], axis=None),
    case(np.stack, [real(2, 3), real(2, 3)], axis=-1),
    case(np.hstack, [real(2), real(3)]),
    case(np.hstack, [real(2, 1), real(2, 3)]),
    case(np.vstack, [real(3), real(2, 3)]),
    case(np.column_stack, [real(3), real(3, 2)]),
    case(np.split, real(6), 3),
    case(np.split, real(2, 5), [1, 3], axis=-1),
    case(np.split, real(5), [3, 1]),
    case(np.array_split, real(7), 3),
    case(np.hsplit, real(4), 2),
    case(np.hsplit, real(2, 4), [1]),
    case(np.vsplit, real(4, 2), 2),
    case(np.flip, real(2, 3)),
    case(np.flip, real(2, 3), axis=-1),
    case(np.fliplr, real(2, 3)),
    case(np.flipud, real(2, 3)),
    case(np.rot90, real(2, 3)),
    case(np.roll, real(2, 3), 4),
    case(np.roll, real(2, 3), (1, -1), axis=(0, 1)),
    case(np.repeat, real(2, 3), 2),
    case(np.repeat, real(2, 3), np.array([0, 2, 1]), axis=1),
    case(np.tile, real(2, 3), (2, 1, 2)),
    case(np.tile, real(2, 3), 2),
    case(np.take, real(2, 3), np.array([[0, 5], [5, -1]])),
    case(np.take, real(2, 3), [2, 2, 0], axis=-1),
    case(np.take, real(2, 3), 4),
    case(np.take_along_axis, real(2, 3), np.array([[2, 0], [1, 1]]), axis=1),
    case(np.take_along_axis, real(2, 3), np.array([5, 0, 5]), axis=None),
    case(np.sort, real(2, 3)),
    case(np.sort, real(3, 2), axis=0),
    case(np.sort, real(2, 3), axis=None),
    case(np.pad, real(2, 3), 1),
    case(np.pad, real(2, 3), ((1, 0), (0, 2)), constant_values=3.0),
    *(case(np.pad, real(2, 3), 1, mode=m) for m in ("edge", "reflect", "symmetric", "wrap")),
    case(getitem, real(4, 3), index=np.array([0, 2, 2])),
    case(getitem, real(4, 3), index=(slice(None, None, -2), None, ..., 1)),
    case(scatter, real(3), index=np.array([0, 2, 2]), shape=(4,)),
    case(cast, real(3), dtype=np.dtype(float)),
    # diagonals and triangles
    case(np.diagonal, real(3, 4), offset=1),
    case(np.diagonal, real(3, 2, 4), -1, 0, 2),
    case(np.linalg.diagonal, real(2, 3, 4), offset=-1),
    case(np.trace, real(3, 4), 1),
    case(np.linalg.trace, real(2, 3, 3), offset=-1),
    case(np.diag, real(3, 4), 1),
    case(np.diag, real(3), -1),
    case(np.tril, real(2, 3, 4), k=1),
    case(np.triu, real(3, 4), k=-1),
    # products
    case(np.matmul, real(2, 3), real(3, 2)),
    case(np.matmul, real(3), real(3)),
    case(np.matmul, real(3), real(2, 3, 2)),
    case(np.matmul, real(2, 2, 3), real(3)),
    case(np.matmul, real(2, 1, 2, 3), real(3, 3, 1)),
    case(np.dot, real(2, 3), real(3)),
    case(np.dot, real(2, 3), real(2, 3, 2)),
    case(np.dot, real(), real(2, 3)),
    case(np.inner, real(2, 3), real(4, 3)),
    case(np.inner, real(3), real()),
    case(np.vdot, real(2, 3), real(3, 2)),
    case(np.vecdot, real(2, 3), real(3)),
    case(np.outer, real(2), real(3)),
    case(np.tensordot, real(2, 3), real(2, 3)),
    case(np.tensordot, real(2), real(3), axes=0),
    case(np.tensordot, real(2, 3, 4), real(4, 2), axes=([0, -1], [1, 0])),
    case(np.einsum, "ij,jk", real(2, 3), real(3, 2)),
    case(np.einsum, "...ij,j->...i", real(2, 2, 3), real(3)),
    case(np.einsum, "iij->j", real(3, 3, 2)),
    case(np.einsum, "ii", real(3, 3)),
    case(np.einsum, "i,i,j->j", real(3), real(3), real(2)),
    case(np.einsum, "ij->", real(2, 3)),
    case(np.einsum, "ij,jk->ik", real(2, 1), real(3, 2)),
    case(contract, real(2, 3), real(3), subscripts="ij,j->i"),
    case(linear, real(4, 3), real(3, 2), real(2)),
    case(linear, real(4, 3), real(5, 3, 2), real(5, 2)),
    case(linear, real(5, 4, 3), real(3, 2)),
    # np.linalg
    case(np.linalg.inv, matrix(3, 3)),
    case(np.linalg.inv, matrix(2, 2, 2)),
    case(np.linalg.solve, matrix(3, 3), real(3, 2)),
    case(np.linalg.solve, matrix(3, 3), real(3)),
    case(np.linalg.solve, matrix(2, 2, 2), real(2)),
    case(np.linalg.det, real(3, 3)),
    case(np.linalg.det, real(2, 2, 2)),
    case(np.linalg.slogdet, matrix(2, 2, 2)),
    case(np.linalg.cholesky, matrix(3, 3), before=lambda np, x: np.matmul(x, x.T)),
    case(np.linalg.cholesky, matrix(3, 3), before=lambda np, x: np.matmul(x, x.T), upper=True),
    case(np.linalg.norm, real(2, 3)),
    case(np.linalg.norm, real(2, 3), axis=-1, keepdims=True),
    case(np.linalg.norm, real(4), ord=3),
    case(np.linalg.norm, real(4), ord=1),
    case(np.linalg.norm, real(2, 4), ord=-np.inf, axis=0),
    *(case(np.linalg.norm, real(2, 3), ord=o) for o in ("fro", 1, -1, np.inf, -np.inf)),
    case(np.linalg.norm, real(2, 3, 2), ord=1, axis=(2, 0), keepdims=True),
    case(np.linalg.vector_norm, real(2, 3)),
    case(np.linalg.vector_norm, real(2, 3, 2), axis=(0, -1), ord=3, keepdims=True),
    case(np.linalg.vector_norm, real(2, 3), axis=0, ord=np.inf),
    case(np.linalg.matrix_norm, real(2, 2, 3)),
    case(np.linalg.matrix_norm, real(2, 2, 3), ord=np.inf),
]
