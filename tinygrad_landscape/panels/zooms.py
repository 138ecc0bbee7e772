"""Maps of which pairs of settings train, at one zoom after another, made in pieces.

Every level looks four times as closely as the one before, and the chosen pair keeps its place in
all of them. A map is coarse first; then its columns come, a few at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import descend
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, Tanh, data, losses
from tinygrad_landscape.surveying import TrainabilityMap, trainability
from tinygrad_landscape.surveying.trainability import LAST, by_layer

CLOSER = 4.0  # how many times as closely the next level looks
COARSE = 8  # the coarse map has every eighth pair along a side
SHORT = 0.015  # seconds that one piece should take
BOXES = (1, 2, 4, 8)  # sides of boxes, in cells, whose count gives the dimension
FEW = 8  # with fewer of the largest boxes on the border there is no dimension to speak of
AXES = {"0": (10.0**-0.5, 10.0**2.5), "2": (10.0**-1.3, 10.0**1.7)}
PAIR = (15.7873914, 0.73871605)  # on the border of the default map, and of all closer ones


@dataclass(frozen=True)
class Window:
    """A square of pairs: `centre (2,)` and half a side, both in decades (log10)."""

    centre: tuple[float, float]
    half: tuple[float, float]

    def pairs(self, places: NDArray) -> NDArray:
        """The settings `(..., 2)` at places from -1 to 1 across and up."""
        return np.asarray(10.0 ** (np.array(self.centre) + np.array(self.half) * places))

    def places(self, pairs: NDArray) -> NDArray:
        """Where settings `(..., 2)` lie, -1 to 1 across and up."""
        return np.asarray((np.log10(pairs) - np.array(self.centre)) / np.array(self.half))


def windows(axes: Mapping[str, tuple[float, float]], pair: NDArray, levels: int) -> list[Window]:
    """The whole map and `levels` closer looks, in all of which `pair` has the same place."""
    low, high = np.log10(np.array(list(axes.values()), float)).T
    centre, half = (low + high) / 2.0, (high - low) / 2.0
    at = (np.log10(pair) - centre) / half
    found = []
    for k in range(levels + 1):
        side = half / CLOSER**k
        middle = np.log10(pair) - at * side if k else centre
        found.append(Window(tuple(middle.tolist()), tuple(side.tolist())))
    return found


class Zooms:
    """The maps of all levels.

    Attributes:
        few: pairs along each side of a coarse map.
        coarse, fine: which levels are known at all, and which completely.
    """

    def __init__(
        self,
        landscape: Landscape,
        theta: NDArray,
        names: tuple[str, str],
        optimizer: Callable[[Any, Any], Any] | None,
        side: int,
        steps: int,
    ) -> None:
        self.landscape, self.theta, self.names = landscape, theta, names
        self.make = optimizer or by_layer(landscape, *names)
        self.side, self.steps = side, steps
        self.few = len(range(0, side, COARSE))
        self.places = np.linspace(-1.0, 1.0, side)
        self.coarse = self.fine = np.zeros(0, bool)
        self._windows: list[Window] = []
        self._values = np.empty((2, 0, side, side))  # ratios and speeds of every level
        self._first = 0
        self._each = SHORT  # seconds that one column took last

    def want(self, wanted: list[Window], first: int) -> None:
        """Begin on these windows, level `first` before the others; known ones are kept."""
        if wanted == self._windows and first == self._first:
            return
        same = [k < len(self._windows) and self._windows[k] == w for k, w in enumerate(wanted)]
        fresh = np.full((2, len(wanted), self.side, self.side), np.nan)
        if self._windows:
            fresh[:, same] = self._values[:, same]
            self.coarse, self.fine = self.coarse & same, self.fine & same
        else:
            self.coarse, self.fine = np.zeros((2, len(wanted)), bool)
        self._values, self._windows, self._first = fresh, wanted, first
        self._jobs = self._do()

    def go(self, seconds: float = np.inf, answer: bool = False) -> bool:
        """Work for about `seconds`, or until the first map has its `answer`; say whether every map
        is complete."""
        late = time.perf_counter() + seconds
        while not (answer and self.fine[self._first]):
            if next(self._jobs, None) is None or time.perf_counter() + SHORT > late:
                break
        return bool(self.fine.all())

    def _do(self) -> Iterator[bool]:
        """Everything there is to do, what is looked at first; a yield is a place to stop."""
        order = [self._first, *(k for k in range(len(self._windows)) if k != self._first)]
        grid = np.arange(self.side)
        near = (grid + COARSE // 2) // COARSE * COARSE
        near = np.minimum(near, grid[::COARSE][-1])
        for k in order:
            if not self.coarse[k]:
                few = grid[::COARSE]
                columns = np.empty((2, len(few), len(few)))
                for i, found in self._columns(k, few, few):
                    columns[:, i] = found
                    yield True
                place = near // COARSE
                self._values[:, k] = columns[:, place][:, :, place]
                self.coarse[k] = True
        for k in order:
            if not self.fine[k]:
                for i, found in self._columns(k, grid, grid):
                    self._values[:, k, i] = found
                    yield True
                self.fine[k] = True

    def _columns(self, k: int, across: NDArray, up: NDArray) -> Iterator[tuple[slice, NDArray]]:
        """Columns of map k, as many at a time as are done in a short while: where they belong, and
        their ratios and speeds `(2, columns, len(up))`."""
        done = 0
        while done < len(across):
            begin, left = time.perf_counter(), len(across) - done
            count = min(left, max(2, int(SHORT / self._each * self.side / len(up))))
            count += left - count == 1  # one column alone would have no range
            yield slice(done, done + count), self._tried(k, across[done : done + count], up)
            done += count
            self._each = (time.perf_counter() - begin) / count * self.side / len(up)

    def _tried(self, k: int, across: NDArray, up: NDArray) -> NDArray:
        corners = np.stack([self.places[across[[0, -1]]], self.places[up[[0, -1]]]], axis=-1)
        low, high = self._windows[k].pairs(corners).tolist()
        axes = dict(zip(self.names, zip(low, high, strict=True), strict=True))
        found = trainability(
            self.landscape, self.theta, axes, (len(across), len(up)), self.steps, self.make
        )
        return np.stack([found.ratio, found.speed])

    # What is known ------------------------------------------------------------------------------

    def map(self, k: int) -> TrainabilityMap:
        """The map of level k, as far as it is known."""
        low, high = self._windows[k].pairs(np.array([[-1.0, -1.0], [1.0, 1.0]]))
        a, b = (np.geomspace(low[i], high[i], self.side) for i in (0, 1))
        ratio, speed = self._values[:, k]
        return TrainabilityMap(a, b, ratio, speed, self.names)

    def walks(self, pairs: NDArray) -> tuple[NDArray, NDArray]:
        """Loss over first loss along the walks of `pairs (M, 2)`, `(steps + 1, M)`, and which of
        them train `(M,)`."""
        walk = descend(self.landscape, self.theta, self.make(*pairs.T), self.steps)
        losses = walk.losses / abs(float(self.landscape(self.theta)))
        ends = np.where(np.isnan(losses), np.inf, losses)[-LAST:].mean(axis=0)
        return losses, ends < 1.0


def parting(trains: NDArray) -> float:
    """How many of all pairs of neighbours in a map `(A, B)` have different fates."""
    return float(np.mean([(np.diff(trains, axis=axis) != 0).mean() for axis in (0, 1)]))


def dimension(trains: NDArray) -> float:
    """The box-counting dimension of the border in a map `(A, B)`: 1 for a line, 2 where it is
    everywhere, NaN where there is too little of it.

    Boxes of 1 to 8 cells are counted that hold both fates, and a line is laid through the logs of
    their numbers; a finite map knows no more.

    >>> x = np.linspace(-1.0, 1.0, 129)
    >>> round(dimension(x[:, None] ** 2 + x**2 < 0.5), 1)
    1.0
    """
    counts = []
    for box in BOXES:
        n = [(size - 1) // box for size in trains.shape]
        corners = [np.arange(box + 1) + box * np.arange(each)[:, None] for each in n]
        boxes = trains[corners[0][:, None, :, None], corners[1][None, :, None, :]]
        inside = boxes.mean(axis=(2, 3))
        counts.append(int(((inside > 0.0) & (inside < 1.0)).sum()))
    if counts[-1] < FEW:
        return float("nan")
    return float(-np.polyfit(np.log(BOXES), np.log(counts), 1)[0])


def other_fate(trains: NDArray, at: NDArray, fate: bool) -> tuple[int, int] | None:
    """The cell of a map `(n, n)` over -1 to 1 that is nearest to place `at` among those whose fate
    is not `fate`, or None."""
    x = np.linspace(-1.0, 1.0, len(trains))
    away = np.hypot(x[:, None] - at[0], x - at[1])
    away = np.where(trains != fate, away, np.inf)
    i, j = np.unravel_index(int(away.argmin()), away.shape)
    return (int(i), int(j)) if np.isfinite(away[i, j]) else None


def small() -> tuple[Landscape, NDArray]:
    """A small network with a learning rate for each of two layers, and its first weights."""
    net = Network(Linear(2, 4), Tanh(), Linear(4, 1))
    x, y = data.moons(8, noise=0.15, seed=0)
    seen = Data(x, 2.0 * np.reshape(y, (-1, 1)) - 1.0)
    return Landscape(net, losses.half_squared_error, seen), net.init(seed=1)
