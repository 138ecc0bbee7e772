"""Landscapes that no network stands behind: a formula, anybody's model, a plane's two coordinates.

Each answers the one question `Landscape` asks, the height at theta, in its own way; gradients and
curvature follow.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import Tensor, primitive, rule
from ..engine.errors import NotDifferentiableError, ParameterError, ShapeError
from .landscape import Batch, Generator, Landscape, _spelled

Array = NDArray[Any]


class _Bare(Landscape):
    """A landscape without network, loss and data."""

    def __init__(self, size: int, names: Sequence[str] | None) -> None:
        if not isinstance(size, int | np.integer) or size < 1:
            raise ParameterError(f"got size={size!r}; expected the number of weights, at least 1")
        if names is None:
            names = ("x", "y", "z")[:size] if size <= 3 else [f"theta[{i}]" for i in range(size)]
        if len(names) != size:
            raise ParameterError(f"got {len(names)} names for {size} weights")
        self.network = self.loss = self.data = None
        self.size, self.l1, self.l2 = int(size), 0.0, 0.0
        self._names, self._sizes = tuple(names), {}

    @property
    def names(self) -> Sequence[str]:
        return self._names

    @property
    def stochastic(self) -> bool:
        return False


class FunctionLandscape(_Bare):
    """See `Landscape.from_function`."""

    def __init__(self, f: Callable[[Any], Any], size: int = 2, names: Sequence[str] | None = None):
        super().__init__(size, names)
        self.function = f
        self._probe()

    def _objective(self, theta: Any, batch: Batch, rng: Generator) -> Any:
        _no_batch(self, batch)
        value = self.function(theta)
        if isinstance(theta, Tensor) and not isinstance(value, Tensor):
            value = value + 0.0 * theta.sum(-1)  # a constant height: its slope is zero, no error
        if not isinstance(value, Tensor):
            return np.array(value, theta.dtype)  # a copy: `lambda p: p[..., 0]` gives a view
        return value if value.dtype == theta.dtype else value.astype(theta.dtype)

    def _probe(self) -> None:
        """Try the function on one point and on many; the many must not be mixed up."""
        points = np.random.default_rng(0).uniform(-1.0, 1.0, (2, 3, self.size))
        with np.errstate(all="ignore"):
            many, one = (
                self._objective(points, None, None),
                self._objective(points[1, 2], None, None),
            )
            recorded = self._objective(Tensor(points), None, None)
        for got, wanted in ((one, ()), (many, (2, 3)), (recorded, (2, 3))):
            if np.shape(got) != wanted:
                raise ShapeError(
                    f"the function {_spelled(self.function)} gave shape {np.shape(got)} for theta "
                    f"of shape {(*wanted, self.size)}; expected {wanted}: index weights as "
                    f"theta[..., 0] and reduce over the last axis only, as theta.sum(-1)"
                )
        if not np.allclose(many[1, 2], one, rtol=1e-6, equal_nan=True):
            raise ShapeError(
                f"the function {_spelled(self.function)} gives one point another height when other "
                f"points are evaluated with it; index weights as theta[..., 0]"
            )

    def describe(self) -> str:
        return f"Height of {self.size} weights: the function {_spelled(self.function)}."


class CallablesLandscape(_Bare):
    """See `Landscape.from_callables`."""

    def __init__(
        self,
        value: Callable[[Array], Any],
        gradient: Callable[[Array], Any] | None = None,
        hessian_vector: Callable[[Array, Array], Any] | None = None,
        *,
        size: int,
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(size, names)
        self._value, self._gradient, self._product = value, gradient, hessian_vector
        self.exact_curvature = hessian_vector is not None

    def _objective(self, theta: Any, batch: Batch, rng: Generator) -> Any:
        _no_batch(self, batch)
        return height(theta, landscape=self)

    def value_and_gradient(
        self, theta: Any, batch: Batch = None, rng: Generator = None
    ) -> tuple[Any, Any]:
        if isinstance(theta, Tensor):
            return super().value_and_gradient(theta, batch, rng)
        theta = self.as_points(theta)
        return self(theta, batch), slope(theta, landscape=self)

    def linearize(
        self, theta: Any, batch: Batch = None, rng: Generator = None
    ) -> Callable[[Any], Array]:
        theta = self.as_points(theta)
        _no_batch(self, batch)

        def product(v: Any) -> Array:
            return bend(
                theta, np.broadcast_to(np.asarray(v, theta.dtype), theta.shape), landscape=self
            )

        return product

    def describe(self) -> str:
        made = "gradient and curvature" if self._gradient is None else "curvature"
        rest = "" if self.exact_curvature else f" ({made} by central differences)"
        return f"Height of {self.size} weights: the function {_spelled(self._value)}{rest}."

    # One point at a time: nothing is known about the model behind the callables.

    def _each(
        self, what: str, call: Callable[..., Any], shape: tuple[int, ...], *points: Array
    ) -> Array:
        flat = [p.reshape(-1, self.size) for p in points]
        out = np.empty((len(flat[0]), *shape), points[0].dtype)
        for i, row in enumerate(zip(*flat, strict=True)):
            got = np.asarray(call(*(np.array(r) for r in row)))  # copies: the model may keep them
            if got.shape != shape:
                raise ShapeError(f"{what} gave shape {got.shape} for one point; expected {shape}")
            out[i] = got
        return out.reshape(points[0].shape[:-1] + shape)

    def _slope_at(self, theta: Array) -> Array:
        if self._gradient is not None:
            return self._each("gradient", self._gradient, (self.size,), theta)
        # a central difference errs least at a step of the cube root of the rounding error
        h = float(np.cbrt(np.finfo(theta.dtype).eps))
        out = np.empty(theta.shape, theta.dtype)
        for k in range(self.size):
            step = np.zeros(theta.shape, theta.dtype)
            step[..., k] = h * np.maximum(1.0, np.abs(theta[..., k]))
            up, down = theta + step, theta - step
            rise = self._each("value", self._value, (), up) - self._each(
                "value", self._value, (), down
            )
            out[..., k] = rise / (up - down)[..., k]
        return out

    def _product_at(self, theta: Array, v: Array) -> Array:
        if self._product is not None:
            return self._each("hessian_vector", self._product, (self.size,), theta, v)
        eps = float(np.finfo(theta.dtype).eps)
        h = eps ** (1 / 3) if self._gradient is not None else eps ** (1 / 5)
        length = np.linalg.norm(v, axis=-1, keepdims=True)
        scale = h * np.maximum(1.0, np.linalg.norm(theta, axis=-1, keepdims=True))
        step = scale * v / np.where(length > 0.0, length, 1.0)
        return (self._slope_at(theta + step) - self._slope_at(theta - step)) * (
            length / (2.0 * scale)
        )


@primitive
def height(theta: Any, *, landscape: Any) -> Any:
    return landscape._each("value", landscape._value, (), theta)


@primitive
def slope(theta: Any, *, landscape: Any) -> Any:
    return landscape._slope_at(theta)


@primitive
def bend(theta: Any, v: Any, *, landscape: Any) -> Any:
    return landscape._product_at(theta, v)


@rule(height)
def _(g: Any, out: Any, theta: Any, *, landscape: Any) -> Any:
    return (g[..., None] * slope(theta, landscape=landscape),)


@rule(slope)
def _(g: Any, out: Any, theta: Any, *, landscape: Any) -> Any:
    return (bend(theta, g, landscape=landscape),)


@rule(bend)
def _(g: Any, out: Any, theta: Any, v: Any, *, landscape: Any) -> Any:
    def third() -> Any:
        raise NotDifferentiableError("a landscape from callables has no third derivatives")

    return third, lambda: bend(theta, g, landscape=landscape)


class RestrictedLandscape(_Bare):
    """See `Landscape.restrict`: height over the coordinates of a plane (or a line)."""

    def __init__(self, landscape: Landscape, plane: Any) -> None:
        axes = (plane.u, plane.v) if hasattr(plane, "u") else (plane.direction,)
        labels = plane.labels if hasattr(plane, "labels") else (plane.label,)
        super().__init__(len(axes), labels)
        if axes[0].shape != (landscape.size,):
            raise ShapeError(
                f"got a plane through {axes[0].size} weights; this landscape has {landscape.size}"
            )
        self.landscape, self.plane, self._axes = landscape, plane, np.stack(axes, axis=-1)
        self.loss, self.data = landscape.loss, landscape.data
        self.exact_curvature = landscape.exact_curvature

    @property
    def stochastic(self) -> bool:
        return self.landscape.stochastic

    def _lifted(self, c: Any) -> Any:
        """The full weights `(..., P)` at coordinates `(..., 2)`."""
        return self.plane.point(*(c[..., i] for i in range(self.size)))

    def _objective(self, theta: Any, batch: Batch, rng: Generator) -> Any:
        return self.landscape._objective(self._lifted(theta), batch, rng)

    def value_and_gradient(
        self, theta: Any, batch: Batch = None, rng: Generator = None
    ) -> tuple[Any, Any]:
        if isinstance(theta, Tensor):
            return super().value_and_gradient(theta, batch, rng)
        theta = self.as_points(theta)
        value, gradient = self.landscape.value_and_gradient(self._lifted(theta), batch, rng)
        return value, (gradient @ self._axes).astype(theta.dtype, copy=False)

    def on(self, data: Any) -> "Landscape":
        return RestrictedLandscape(self.landscape.on(data), self.plane)

    def accuracy(self, theta: Any, batch: Batch = None) -> Any:
        return self.landscape.accuracy(self._lifted(self.as_points(theta)), batch)

    def describe(self) -> str:
        return f"{self.landscape.describe()[:-1]}, on a plane: {self.plane.chosen}."


def _no_batch(landscape: Landscape, batch: Batch) -> None:
    if batch is not None:
        raise ParameterError(f"{landscape!r} has no samples to choose a batch from")
