"""Where every start ends: the map of basins, and how long the way was.

Drop a ball on every point of a grid and let them all walk at once. Balls that come to rest at the
same place share a colour. Nothing is assumed about the landscape: the minima are whatever the walks
found.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..descent import Trajectory, descend
from ..engine.errors import ShapeError
from . import grid
from .plane import Plane
from .results import Result

if TYPE_CHECKING:
    from ..landscape import Landscape

Array = NDArray[Any]

UNSETTLED, DIVERGED = -1, -2
RECORDS = 64  # how finely the time to arrive is resolved


@dataclass(frozen=True, eq=False)
class BasinMap(Result):
    """Which minimum each start reaches.

    `labels` `(...)` number the `minima` `(K, P)`, lowest first; -1 is a walk that had not settled,
    -2 one that diverged. `losses` `(K,)` are the heights of the minima, `shares` `(K,)` the share
    of all starts that reach each. `arrival` `(...)` is the first recorded step from which on a walk
    was near its minimum (-1: never). `ends` `(..., P)`. On a grid `a` `(A,)`, `b` `(B,)` and
    `plane` say where the starts lie and `...` is (A, B); else they are None.
    """

    labels: NDArray[np.int64]
    arrival: NDArray[np.int64]
    minima: Array
    losses: Array
    shares: Array
    ends: Array
    a: Array | None = None
    b: Array | None = None
    plane: Plane | None = None

    def describe(self) -> str:
        """Say how many minima were reached and by how many starts each."""
        parts = [
            f"{s:.1%} reach height {h:.4g}"
            for s, h in zip(self.shares[:6], self.losses[:6], strict=True)
        ]
        parts += ["..."] * (len(self.minima) > 6)
        text = f"{self.labels.size} starts, {len(self.minima)} minima"
        text += f": {', '.join(parts)}" if parts else ""
        for label, what in ((UNSETTLED, "not settled"), (DIVERGED, "diverged")):
            share = float((self.labels == label).mean())
            text += f"; {share:.1%} {what}" if share else ""
        return text + "."

    def __repr__(self) -> str:
        return f"BasinMap({self.labels.shape}, {len(self.minima)} minima)"


def basins(
    landscape: "Landscape",
    starts: Plane | ArrayLike | None,
    optimizer: Any,
    steps: int = 500,
    extent: Any = 1.0,
    resolution: int | tuple[int, int] = 51,
    *,
    distance: float = 0.05,
    settled: float = 1e-3,
    seed: int = 0,
    batch_size: int | None = None,
    progress: bool = False,
    memory: float = 512e6,
) -> BasinMap:
    """Let every start walk and tell which minimum it reaches, and how fast.

    starts: a plane, on whose grid (`extent`, `resolution` as in `survey`) the walks begin, all
        weights moving; or points `(..., P)`; or None for the grid of a landscape of two weights. To
        stay in a plane pass `landscape.restrict(plane)` and None.
    distance: ends closer than this times (1 + |theta|) to a lower one are the same minimum.
    settled: a walk has come to rest when the gradient at its end is shorter than this.

    The other arguments are those of `descend`. After Ctrl-C, walks that had not settled by then
    count as such.

    >>> import tinygrad_landscape as tl
    >>> found = basins(tl.formulas.double_well, None, tl.optim.SGD(lr=0.3), 200, resolution=10)
    >>> found.minima.round(3), found.shares
    (array([[-1.,  0.],
            [ 1.,  0.]]), array([0.5, 0.5]))
    """
    a = b = plane = None
    if starts is None or isinstance(starts, Plane):
        plane = Plane.of(landscape, starts)
        (a0, a1), (b0, b1) = grid.ranges(extent, plane)
        na, nb = grid.counts(resolution, 2)
        a, b = grid.axis(a0, a1, na), grid.axis(b0, b1, nb)
        points = plane.point(a[:, None], b)
    else:
        points = landscape.as_points(starts)
    if not points.size:
        raise ShapeError(f"got starts of shape {points.shape}; expected at least one point")
    flat, lead = points.reshape(-1, landscape.size), points.shape[:-1]
    every = max(1, steps // RECORDS)
    ends, arrival = flat.copy(), np.full(len(flat), -1)
    losses, labels = np.full(len(flat), np.nan), np.full(len(flat), UNSETTLED)
    for piece in pieces(len(flat), flat[:1].nbytes * (steps // every + 2), memory):
        walk = descend(
            landscape, flat[piece], optimizer, steps, batch_size, seed,
            record_every=every, progress=progress, memory=memory,
        )  # fmt: skip
        ends[piece], losses[piece], arrival[piece] = (
            walk.end,
            walk.losses[-1],
            _arrival(walk, distance),
        )
        resting = walk.gradient_norms[-1] <= settled
        labels[piece] = np.where(walk.diverged, DIVERGED, np.where(resting, 0, UNSETTLED))
        if walk.ended == "interrupted":
            break  # Ctrl-C ends the map, not only the walks under way
    resting = np.flatnonzero(labels == 0)
    labels[resting], minima = grouped(ends[resting], losses[resting], distance)
    arrival[labels < 0] = -1
    shares = np.bincount(labels[resting], minlength=len(minima)) / labels.size
    return BasinMap(
        labels.reshape(lead), arrival.reshape(lead), minima, landscape(minima), shares,
        ends.reshape(points.shape), a, b, plane,
    )  # fmt: skip


def _arrival(walk: Trajectory, distance: float) -> NDArray[Any]:
    """Return the first recorded step from which on each walker was near its end."""
    away = np.linalg.norm(walk.points - walk.end, axis=-1)
    far = away > distance * (1.0 + np.linalg.norm(walk.end, axis=-1))
    last_far = len(far) - 1 - np.argmax(far[::-1], axis=0)
    first_near = np.where(far.any(axis=0), last_far + 1, 0)
    return np.asarray(walk.steps[np.minimum(first_near, len(far) - 1)])


def grouped(points: Array, heights: Array, distance: float) -> tuple[NDArray[np.int64], Array]:
    """Number points `(S, P)` by the lowest point near them; return the numbers `(S,)` and those
    lowest points `(K, P)`."""
    labels = np.full(len(points), -1)
    lowest: list[Array] = []
    order = np.argsort(heights, kind="stable")
    while len(order):
        centre = points[order[0]]
        reach = distance * (1.0 + np.linalg.norm(centre))
        near = np.linalg.norm(points[order] - centre, axis=-1) <= reach
        labels[order[near]] = len(lowest)
        lowest.append(centre)
        order = order[~near]
    return labels, np.array(lowest, points.dtype).reshape(-1, points.shape[-1])


def pieces(count: int, each: int, memory: float) -> list[slice]:
    """Cut `count` walks, whose records take `each` bytes, into groups that fit into `memory`."""
    size = int(max(1, min(memory / (4 * each), count)))
    return [slice(k, k + size) for k in range(0, count, size)]
