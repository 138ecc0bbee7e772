"""Lanes of a race: optimizers that walk from the same start, and the sweep that finds each its best
learning rate.

Fair means: everybody gets the same number of gradient evaluations, and its own best learning rate,
looked for on the same grid with the same seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, descend, optim

Array = NDArray[Any]
Maker = Callable[[Any], Any]

RATES = np.array([float(f"{rate:.3g}") for rate in 10.0 ** np.linspace(-4.0, 1.0, 41)])
SEEDS = 5
PIECE = 60 * len(RATES)  # learning rates times steps that are walked in one piece


def plain(lr: Any) -> optim.SGD:
    return optim.SGD(lr)


def momentum(lr: Any) -> optim.SGD:
    return optim.SGD(lr, momentum=0.9)


LANES: dict[str, Maker] = {
    "plain": plain,
    "momentum .9": momentum,
    "RMSProp": optim.RMSProp,
    "Adam": optim.Adam,
}


@dataclass(frozen=True)
class Track:
    """Where a race is run: `starts` (S, 2), one for each of `seeds`, on a landscape of two weights;
    and how: gradient evaluations, and samples in each (None for all)."""

    landscape: Any
    starts: tuple[tuple[float, float], ...]
    budget: int
    batch_size: int | None
    seeds: tuple[int, ...]

    def first(self) -> Track:
        """The same for one seed only."""
        return replace(self, starts=self.starts[:1], seeds=self.seeds[:1])

    def walk(self, optimizer: Any, theta: Any, seeds: Any, every: int = 1) -> Trajectory:
        """Spend the budget of gradient evaluations from theta `(..., 2)`."""
        steps = max(1, self.budget // cost(optimizer, self.landscape.size))
        return descend(
            self.landscape, theta, optimizer, steps, self.batch_size, seeds,
            record_every=min(every, steps),
        )  # fmt: skip


class Lane:
    """One runner. An optimizer of ours walks with many learning rates and seeds at once; a reader's
    function does so only if it is seen to keep its walkers apart, else it walks one at a time."""

    def __init__(self, name: str, make: Maker, track: Track) -> None:
        self.name, self.make = name, make
        self.together = self._keeps_apart(track)

    def run(self, track: Track, rate: float) -> Trajectory:
        """All seeds with one learning rate, points (R, SEEDS, 2)."""
        if self.together:
            return track.walk(self.make(rate), np.array(track.starts), np.array(track.seeds))
        return _stacked([
            track.walk(self.make(rate), np.array(start), seed)
            for start, seed in zip(track.starts, track.seeds, strict=True)
        ])  # fmt: skip

    def sweep(self, track: Track) -> Iterator[float | None]:
        """Look for the learning rate with the lowest median loss at the finish; yield None between
        pieces of the work, and the rate at the end."""
        rates, rows = RATES if self.together else RATES[::2], []  # a walk each: every second one
        many = max(1, PIECE // track.budget) if self.together else 1
        for first in range(0, len(rates), many):
            some = rates[first : first + many]
            rows.append(self._finishes(track, some) if self.together else
                        _finish(self.run(track, float(some[0])))[None])  # fmt: skip
            yield None
        finish = np.concatenate(rows)
        yield float(rates[np.median(finish, axis=1).argmin()])

    def _finishes(self, track: Track, rates: Array) -> Array:
        """The losses at the finish with each of `rates` and each seed, walked together."""
        walk = track.walk(self.make(rates[:, None]), np.array(track.starts),
                          np.array(track.seeds), every=track.budget)  # fmt: skip
        return _finish(walk)

    def _keeps_apart(self, track: Track) -> bool:
        """Whether walkers that walk together go where each would go alone."""
        rates, starts = np.array([[1e-3], [1e-2]]), np.array(track.starts[:2])
        seeds = np.array(track.seeds[:2])
        few = replace(track, budget=5)
        alone = few.walk(self.make(1e-2), starts[1], seeds[1]).points
        try:
            with np.errstate(all="ignore"):
                both = few.walk(self.make(rates), starts, seeds).points[:, 1, 1]
        except Exception:
            return False  # it was written for one walker, which is no fault
        return bool(np.allclose(alone, both, rtol=1e-9, atol=1e-12))


def cost(optimizer: Any, size: int) -> int:
    """Gradient evaluations a step takes: SAM two, Newton one and a Hessian column per weight."""
    if isinstance(optimizer, optim.SAM):
        return 1 + cost(optimizer.base, size)
    return 1 + size if getattr(optimizer, "uses_curvature", False) else 1


def _finish(walk: Trajectory) -> Array:
    """The loss at the finish; who fell is last."""
    return np.where(np.isfinite(walk.losses[-1]) & ~walk.diverged, walk.losses[-1], np.inf)


def _stacked(walks: list[Trajectory]) -> Trajectory:
    """Several walks as one of several walkers."""
    parts: dict[str, Any] = {
        name: np.stack([getattr(walk, name) for walk in walks], axis=1)
        for name in ("points", "losses", "gradient_norms", "batch_losses")
    }
    fell = np.array([int(walk.diverged_at) for walk in walks])
    return Trajectory(**parts, steps=walks[0].steps, diverged_at=fell, optimizer=walks[0].optimizer)
