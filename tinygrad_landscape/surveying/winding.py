"""Counting valleys without looking for them: how often the gradient turns along a closed loop.

Walk once around a region and watch the arrow of the gradient. Its full turns equal minima - saddles
+ maxima inside (degenerate points count with their own index; a monkey saddle is -2). No law fixes
that number: it depends on the loop.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from ..landscape import Landscape

SHARPEST = np.pi / 4  # a larger turn between neighbours might hide a full one: look closer
POINTS, HALVINGS = 1024, 40


def winding_number(landscape: "Landscape", loop: ArrayLike) -> int:
    """Return the turns of the gradient along the closed polygon `loop` `(M, 2)`: minima - saddles +
    maxima inside.

    Both directions of travel give the same number. Sides are sampled and halved until the gradient
    turns by less than 45 degrees per piece. Raises `ParameterError` when the loop runs through a
    critical point.

    >>> from tinygrad_landscape.landscape import formulas
    >>> frame = [(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)]
    >>> winding_number(formulas.three_valleys, frame), winding_number(formulas.sine_neuron, frame)
    (1, 4)
    """
    corners = _corners(landscape, loop)
    pieces = -(-POINTS // len(corners))
    t = np.arange(pieces)[:, None] / pieces
    follower = np.roll(corners, -1, axis=0)
    points = (corners[:, None] * (1.0 - t) + follower[:, None] * t).reshape(-1, 2)
    angles = _angles(landscape, points)
    for _ in range(HALVINGS):
        turns = _turns(angles)
        sharp = np.flatnonzero(np.abs(turns) > SHARPEST)
        if not len(sharp):
            area = _cross(corners, follower).sum()
            return round(float(turns.sum() / (2.0 * np.pi) * np.sign(area)))
        middles = 0.5 * (points[sharp] + np.roll(points, -1, axis=0)[sharp])
        points = np.insert(points, sharp + 1, middles, axis=0)
        angles = np.insert(angles, sharp + 1, _angles(landscape, middles))
    where = points[sharp[0]]
    raise ParameterError(
        f"the gradient jumps at {where.tolist()}: the loop runs through a critical point; move it "
        f"a little"
    )


def _corners(landscape: "Landscape", loop: ArrayLike) -> NDArray[Any]:
    corners = np.asarray(loop, dtype=np.float64)
    if landscape.size != 2:
        raise ParameterError(
            f"the gradient of {landscape.size} weights does not turn in a plane; use "
            f"landscape.restrict(plane)"
        )
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise ShapeError(
            f"got a loop of shape {corners.shape}; expected (M, 2), at least 3 corners"
        )
    if np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    if not np.isfinite(corners).all() or _cross(corners, np.roll(corners, -1, axis=0)).sum() == 0.0:
        raise ParameterError("the loop must be finite and enclose an area")
    return corners


def _angles(landscape: "Landscape", points: NDArray[Any]) -> NDArray[Any]:
    gradient = landscape.gradient(points)
    still = ~(np.abs(gradient).max(axis=-1) > 0.0) | ~np.isfinite(gradient).all(axis=-1)
    if still.any():
        where = points[np.argmax(still)].tolist()
        raise ParameterError(
            f"the gradient is zero or not finite at {where}, on the loop; move the loop a little"
        )
    return np.asarray(np.arctan2(gradient[:, 1], gradient[:, 0]))


def _turns(angles: NDArray[Any]) -> NDArray[Any]:
    """The turn from each point to the next, in -pi..pi."""
    return np.asarray((np.roll(angles, -1) - angles + np.pi) % (2.0 * np.pi) - np.pi)


def _cross(p: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])
