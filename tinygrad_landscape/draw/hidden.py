"""Which parts of a line a hill hides, found when it is drawn, for the side it is seen from.

matplotlib paints one artist over another and knows no depth. Here every point of a line looks along
its own ray towards the eye, and is hidden if the ground stands above that ray somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FINE = 0.01  # the longest piece of a line that is seen or hidden as one, as a share of the ground
LOOKS = 150  # places along a ray


@dataclass(frozen=True, eq=False)
class Ground:
    """Heights `(A, B)` over grid lines `a (A,)` and `b (B,)`; NaN hides nothing. The ground may
    stand `near` above a ray without hiding anything."""

    a: Array
    b: Array
    heights: Array
    near: float

    def hides(self, points: Array, projection: Array) -> Array:
        """Whether each of `points (N, 3)` is hidden under the 4 x 4 matrix of an axes, `(N,)`."""
        toward = _toward_eye(points, projection)
        corners = np.array([[self.a[0], self.b[0]], [self.a[-1], self.b[-1]]])
        with np.errstate(divide="ignore", invalid="ignore"):
            walls = (corners[:, None] - points[:, :2]) / toward[:, :2]
            leaves = np.nanmin(walls.max(axis=0), axis=1)  # where the ray is above no ground
        along = np.linspace(0.0, 1.0, LOOKS)[1:, None, None]
        ray = points + along * np.clip(leaves, 0.0, None)[:, None] * toward
        above = self._at(ray[..., 0], ray[..., 1]) > ray[..., 2] + self.near
        return np.asarray(above.any(axis=0))

    def _at(self, x: Array, y: Array) -> Array:
        """The ground at places inside the frame, straight between grid lines; NaN outside."""
        places, parts = [], []
        for side, value in ((self.a, x), (self.b, y)):
            cell = np.clip(np.searchsorted(side, value, side="right") - 1, 0, len(side) - 2)
            part = (value - side[cell]) / (side[cell + 1] - side[cell])
            places.append(cell)
            parts.append(np.where((part >= -1e-9) & (part <= 1.0 + 1e-9), part, np.nan))
        (i, j), (f, g), h = places, parts, self.heights
        low = h[i, j] * (1.0 - f) + h[i + 1, j] * f
        return np.asarray(low * (1.0 - g) + (h[i, j + 1] * (1.0 - f) + h[i + 1, j + 1] * f) * g)


def part_of(ax: Any, way: Array, ground: Ground, seen: bool, **look: Any) -> Any:
    """Add the line through `way (R, 3)` to 3-D axes, of which only the part that is `seen` (or only
    the hidden one) is painted."""
    from mpl_toolkits.mplot3d.art3d import Line3D  # type: ignore[import-untyped]

    class Part(Line3D):
        """A line that looks which of its points are hidden before it is drawn."""

        def draw(self, renderer: Any) -> None:
            hidden = ground.hides(fine, ax.get_proj())
            x, y, z = fine.T
            self.set_data_3d(x, y, np.where(hidden == seen, np.nan, z))
            super().draw(renderer)

    fine = way if look.get("linestyle", "-") in ("", "None") else _finer(way, ground)
    return ax.add_line(Part(*fine.T, **look))


def _finer(way: Array, ground: Ground) -> Array:
    """The same line with more points, so that it can vanish between two of its own."""
    sides = np.array([np.ptp(ground.a), np.ptp(ground.b)])
    pieces = [way[:1]]
    for start, end in pairwise(way):
        length = np.linalg.norm((end - start)[:2] / sides)
        count = int(np.clip(np.ceil(np.nan_to_num(length) / FINE), 1, 100))
        pieces.append(start + np.arange(1, count + 1)[:, None] / count * (end - start))
    return np.concatenate(pieces)


def _toward_eye(points: Array, projection: Array) -> Array:
    """Vectors `(N, 3)` from points to the eye, or towards one that is infinitely far away."""
    x, y, w = projection[[0, 1, 3]]
    flat = np.array([x[:3], y[:3], w[:3]])
    if np.abs(w[:3]).max() > 1e-12 * np.abs(flat).max():
        eye = np.linalg.solve(flat, -np.array([x[3], y[3], w[3]]))
        return np.asarray(eye - points)
    across = np.cross(x[:3], y[:3])
    depth = projection[2, :3] @ across
    return np.broadcast_to(-across * np.sign(depth), points.shape)
