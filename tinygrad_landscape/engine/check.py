"""Check gradients, at every order, against differences of function values.

The derivative of a function at order 1 is compared with a difference quotient of the function
itself; at order 2 with a difference quotient of the derivative just checked, and so on upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .differentiate import gradients
from .errors import GradientError
from .tensor import Array, Tensor

STEP = 1e-3  # fourth-order quotients: truncation ~ STEP**4, rounding ~ 1e-16 / STEP


def check_gradients(
    f: Callable[..., Any], *xs: Any, order: int = 2, rtol: float = 1e-6, atol: float = 1e-7
) -> None:
    """Compare the derivatives of `f` with finite differences; say nothing if they agree.

    Args:
        f: a function of ``len(xs)`` Tensors that answers with a Tensor of any shape.
        xs: arrays; every entry of each is checked, in float64.
        order: up to which derivative.
        rtol, atol: how far apart two numbers may be, relative to themselves and to the largest.

    Raises:
        GradientError: names the order, the argument, the entry, the number got and the expected.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.check_gradients(lambda x: np.sin(x) * x, np.array([0.5, 2.0]), order=3)
    """
    for level, number, got, expected in derivatives(f, *xs, order=order):
        _compare(got, expected, level, number, rtol, atol)


def derivatives(
    f: Callable[..., Any], *xs: Any, order: int = 2
) -> Iterator[tuple[int, int, Array, Array]]:
    """Every derivative of `f` in both ways: (order, argument, ours, by finite differences).

    Above the first order, it is the derivative along a fixed direction that is differentiated.
    """
    points = [np.array(x, dtype=np.float64) for x in xs]
    function = _projected(f, points, np.random.default_rng(0))
    for level in range(1, order + 1):
        nodes = [Tensor(x) for x in points]
        y = function(*nodes)
        got = gradients(y, nodes) if type(y) is Tensor else [np.zeros_like(x) for x in points]
        for number, g in enumerate(got):
            yield level, number, g, _differences(function, points, number)
        function = _slope(function, points, np.random.default_rng(level))


def _projected(f: Callable[..., Any], points: list[Array], rng: Any) -> Callable[..., Any]:
    """`f` as a single number: its entries times fixed weights, so that none is overlooked."""
    value = f(*(Tensor(x) for x in points))
    weights = rng.uniform(0.5, 1.5, np.shape(value)) * rng.choice([-1.0, 1.0], np.shape(value))
    return lambda *xs: np.sum(weights * f(*xs))


def _slope(function: Callable[..., Any], points: list[Array], rng: Any) -> Callable[..., Any]:
    """The derivative of a function along a fixed random direction, as a function again."""
    directions = [rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape) for x in points]

    def slope(*xs: Tensor) -> Any:
        nodes = [+x for x in xs]
        y = function(*nodes)
        if type(y) is not Tensor:
            return 0.0
        parts = gradients(y, nodes, create_graph=True)
        return sum(np.sum(d * part) for d, part in zip(directions, parts, strict=True))

    return slope


def _differences(function: Callable[..., Any], points: list[Array], number: int) -> Array:
    """Central difference quotients of the fourth order, one entry of one argument at a time."""
    quotient = np.zeros_like(points[number])
    for entry in np.ndindex(quotient.shape):
        step = STEP * max(1.0, float(abs(points[number][entry])))

        def at(shift: float, entry: Any = entry) -> float:
            moved = [x.copy() for x in points]
            moved[number][entry] += shift
            y = function(*map(Tensor, moved))
            return y.item() if type(y) is Tensor else float(y)

        near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
        quotient[entry] = (8.0 * near - far) / (12.0 * step)
    return quotient


def _compare(
    got: Array, expected: Array, order: int, number: int, rtol: float, atol: float
) -> None:
    scale = max(1e-3, float(np.max(np.abs(expected), initial=0.0)))
    wrong = ~(np.abs(got - expected) <= atol * scale + rtol * np.abs(expected))
    if np.any(wrong):
        entry = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise GradientError(
            f"derivative of order {order} is wrong for argument {number}, entry {entry}: "
            f"got {got[entry]:.10g}, expected {expected[entry]:.10g} by finite differences "
            f"({int(wrong.sum())} of {wrong.size} entries differ)"
        )
