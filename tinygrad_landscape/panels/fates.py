"""What becomes of a grid of starts, for a whole row of learning rates: maps made in pieces.

A coarse grid comes first and is a part of the fine one. Who hardly moves any more in a valley has
arrived and is not walked on; that, and not recording the way, makes a row of maps affordable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import optim
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.valleys import ELSEWHERE, WALKING, Valleys

LEG = 9  # steps after which those who have arrived are counted; odd, for who bounces to and fro
STILL = 1e-7  # who moves less in a leg, inside a valley, has arrived
FAR = 1e3  # this many frames away nobody is followed any further
COARSE = 5  # every fifth start along a side of the fine grid is one of the coarse grid


class Tide:
    """Plain descents `(M,)` of which only the ends matter, made in pieces.

    starts `(M, 2)` in the numbers on the axes; lr a number or `(M,)`.
    """

    def __init__(
        self, ground: Ground, starts: NDArray, lr: Any, momentum: float, steps: int
    ) -> None:
        self.ground, self.steps, self.taken = ground, steps, 0
        self.ends = starts - ground.origin
        self._starts = self.ends.copy()
        self._lr = np.broadcast_to(np.asarray(lr, float), self.ends.shape[:1])
        self._momentum, self._state = momentum, None
        self._alive = np.arange(len(self.ends))
        self._before = self.ends.copy()

    @property
    def finished(self) -> bool:
        """Whether every step was taken, or nobody moves any more."""
        return self.taken >= self.steps or not len(self._alive)

    def go(self, valleys: Valleys, seconds: float = np.inf) -> bool:
        """Walk on for at most `seconds`, at least one step; say whether the walk is finished."""
        late = time.perf_counter() + seconds
        inside = self.ground.inside
        with np.errstate(all="ignore"):
            while not self.finished:
                here, lr = self.ends[self._alive], self._lr[self._alive]
                optimizer = optim.SGD(lr, self._momentum)
                there, self._state = optimizer.step(
                    here, inside.gradient(here), self._state, lr[:, None], inside
                )
                self.ends[self._alive] = there
                self.taken += 1
                if self.taken % LEG == 0:
                    self._leave(valleys)
                if time.perf_counter() > late:
                    break
        return self.finished

    def _leave(self, valleys: Valleys) -> None:
        """Take out who has arrived, and who is lost."""
        here = self.ends[self._alive]
        moved = np.linalg.norm(here - self._before[self._alive], axis=-1)
        arrived = (moved < STILL) & (valleys.reached(here + self.ground.origin) != ELSEWHERE)
        size = np.linalg.norm(self.ground.high - self.ground.low)
        kept = ~arrived & (np.linalg.norm(here, axis=-1) < FAR * size)
        self._before[self._alive] = here
        self._alive = self._alive[kept]
        if self._state is not None:
            self._state = self._state[kept]

    def fates(self, valleys: Valleys) -> NDArray[np.int64]:
        """Where each ended `(M,)`, as `Valleys.fate` says; outside the frame is off the ground."""
        ground, places = self.ground, self.ends + self.ground.origin
        with np.errstate(all="ignore"):
            both = np.stack([self._starts, self.ends])
            norms = np.linalg.norm(ground.inside.gradient(both), axis=-1)
            gone = ~((ground.low <= places) & (places <= ground.high)).all(axis=-1)
            return valleys.fate(places, norms, gone)


class Fates:
    """The maps of a row of learning rates and, last, of one more, the chosen one.

    Attributes:
        labels: `(R + 1, side, side)`: the number of the valley that each start ends in, or another
            of `Valleys.fates`; of a map that is still coarse, every fifth start's.
        few: starts along each side of a coarse map.
        coarse, fine: which maps are at least coarse, and which complete, `(R + 1,)`.
    """

    def __init__(self, ground: Ground, valleys: Valleys, rates: Sequence[float], side: int) -> None:
        self.ground, self.valleys, self.rates, self.side = ground, valleys, list(rates), side
        cells = (np.arange(side) + 0.5) / side
        across, up = (ground.low[k] + cells * (ground.high - ground.low)[k] for k in (0, 1))
        self.starts = np.stack(np.meshgrid(across, up, indexing="ij"), axis=-1)
        self._middle = slice(COARSE // 2, None, COARSE)
        self.few = len(self.starts[self._middle])
        self.labels = np.full((len(self.rates) + 1, side, side), WALKING)
        self.coarse, self.fine = np.zeros((2, len(self.rates) + 1), bool)
        self._row: tuple[float, int] | None = None
        self._lr = np.nan
        self._known: dict[tuple[float, int], NDArray] = {}  # complete rows, for coming back

    def want(self, lr: float, momentum: float, steps: int) -> None:
        """Begin on what these settings ask for; a row that is right already is kept."""
        last, settings = len(self.rates), (momentum, steps)
        if settings == self._row and lr == self._lr:
            return
        if settings != self._row:
            known = self._known.get(settings)
            self._row, self.fine[:], self.coarse[:] = settings, known is not None, known is not None
            self.labels[:last] = WALKING if known is None else known
        self._lr, self.coarse[last], self.fine[last] = lr, False, False
        if lr in self.rates and self.fine[self.rates.index(lr)]:
            self.labels[last] = self.labels[self.rates.index(lr)]
            self.coarse[last] = self.fine[last] = True
        self._jobs = self._do()

    @property
    def answered(self) -> bool:
        """Whether the chosen map is complete and every map of the row at least coarse."""
        return bool(self.coarse.all() and self.fine[-1])

    def go(self, seconds: float = np.inf, answer: bool = False) -> bool:
        """Work for about `seconds` (or until `answered`); say whether every map is complete."""
        self._late = time.perf_counter() + seconds
        while time.perf_counter() < self._late and not (answer and self.answered):
            if next(self._jobs, None) is None:
                break
        return bool(self.fine.all())

    def _do(self) -> Iterator[bool]:
        """Everything there is to do, what is looked at first; a yield is a place to stop."""
        last = len(self.rates)
        coarse = self.starts[self._middle, self._middle]
        for maps in ([last], [*range(last)]):
            if not self.coarse[maps].all():
                yield from self._walked(coarse, maps)
                self.coarse[maps] = True
        for k in (last, *range(last)):
            if not self.fine[k]:
                yield from self._walked(self.starts, [k])
                self.fine[k] = True
        assert self._row is not None
        self._known[self._row] = self.labels[:last].copy()

    def _walked(self, starts: NDArray, maps: list[int]) -> Iterator[bool]:
        """Walk from `starts (n, n, 2)` at the rates of `maps`, and fill these in."""
        assert self._row is not None
        n = starts.shape[0]
        lr = np.repeat([[*self.rates, self._lr][k] for k in maps], n * n)
        every = np.tile(starts.reshape(-1, 2), (len(maps), 1))
        tide = Tide(self.ground, every, lr, *self._row)
        while not tide.go(self.valleys, self._late - time.perf_counter()):
            yield True
        found = tide.fates(self.valleys).reshape(len(maps), n, n)
        if n < self.side:
            found = found.repeat(COARSE, axis=1).repeat(COARSE, axis=2)
            short = self.side - found.shape[1]
            if short > 0:
                found = np.pad(found, ((0, 0), (0, short), (0, short)), mode="edge")
        self.labels[maps] = found[:, : self.side, : self.side]
        yield True

    def shares(self) -> NDArray[np.float64]:
        """The share of the starts that has each of `Valleys.fates`, `(R + 1, F)`."""
        flat = self.labels.reshape(len(self.labels), -1)
        return np.stack([(flat == k).mean(axis=1) for k in self.valleys.fates], axis=-1)

    def parting(self) -> NDArray[np.float64]:
        """How many of all pairs of neighbouring starts have different fates, `(R + 1,)`."""
        across = (np.diff(self.labels, axis=1) != 0).mean(axis=(1, 2))
        up = (np.diff(self.labels, axis=2) != 0).mean(axis=(1, 2))
        return np.asarray((across + up) / 2.0)
