"""Where a survey measures: the range of each axis, and the points on it.

An odd number of points on a range centred on 0 contains 0 exactly, so the cell in the middle is the
origin itself.
"""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError

Range = tuple[float, float]


def ranges(extent: Any, plane: Any) -> tuple[Range, Range]:
    """Read `extent`: a half-width, a pair of them, two (low, high) ranges, flat (a0, a1, b0, b1),
    or a walk to fit."""
    if hasattr(extent, "points"):
        return fitted(plane.coordinates(extent.points))
    try:
        numbers = np.asarray(extent, dtype=np.float64)
    except (ValueError, TypeError):
        raise ParameterError(f"got extent={extent!r}; {EXPECTED}") from None
    if numbers.shape == ():
        numbers = np.array([[-numbers, numbers]] * 2)
    elif numbers.shape == (2,):
        numbers = np.stack([-numbers, numbers], axis=-1)
    elif numbers.shape == (4,):
        numbers = numbers.reshape(2, 2)
    if (
        numbers.shape != (2, 2)
        or not np.isfinite(numbers).all()
        or not (numbers[:, 0] < numbers[:, 1]).all()
    ):
        raise ParameterError(f"got extent={extent!r}; {EXPECTED}")
    (a0, a1), (b0, b1) = numbers.tolist()
    return (a0, a1), (b0, b1)


EXPECTED = (
    "expected a half-width > 0, a pair of them, two ranges ((a0, a1), (b0, b1)) with low < high, "
    "or a walk to fit"
)


def fitted(coordinates: NDArray[Any], margin: float = 0.15) -> tuple[Range, Range]:
    """Return ranges that show every finite point `(..., 2)` and the origin, with a margin."""
    points = np.concatenate([coordinates.reshape(-1, 2), np.zeros((1, 2))])
    points = points[np.isfinite(points).all(axis=-1)].astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    widest = float((high - low).max()) or 2.0
    half = np.maximum((high - low) / 2, widest / 10) * (1 + 2 * margin)
    middle = (low + high) / 2
    (a0, b0), (a1, b1) = (middle - half).tolist(), (middle + half).tolist()
    return (a0, a1), (b0, b1)


def counts(resolution: Any, axes: int) -> tuple[int, ...]:
    """Read `resolution`: the number of points per axis, one for all or one each."""
    try:
        each = tuple(
            operator.index(n) for n in (resolution if np.ndim(resolution) else (resolution,) * axes)
        )
    except TypeError:
        each = ()
    if len(each) != axes or min(each) < 2:
        many = "a whole number of at least 2" + (", or a pair of them" if axes == 2 else "")
        raise ParameterError(f"got resolution={resolution!r}; expected {many}")
    return each


def axis(low: float, high: float, n: int) -> NDArray[np.float64]:
    """Return n even steps from low to high, exact at both ends and in the middle.

    >>> axis(-0.3, 0.3, 3)
    array([-0.3,  0. ,  0.3])
    """
    steps = np.arange(1 - n, n, 2) / (n - 1)  # -1 ... 1, symmetric to the last bit
    values = (low + high) / 2 + (high - low) / 2 * steps
    values[0], values[-1] = low, high
    return np.asarray(values)
