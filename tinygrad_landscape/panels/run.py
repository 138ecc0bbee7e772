"""A walk made in pieces, so that no slider waits for it.

While a hand moves a control the walk stops at a time budget; when the hand rests it is finished,
piece by piece, on the kernel's event loop. A newer value replaces an older one; nothing queues.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinygrad_landscape.descent import Trajectory, descend
from tinygrad_landscape.descent.ground import Ground
from tinygrad_landscape.descent.walk import FALL

BUDGET = 0.040  # seconds a walk may take while a control moves
PIECE = 0.070  # seconds of one piece when it is finished afterwards
MEMORY = 512e6  # bytes, as `descend` has it
REST = 0.120  # seconds without news after which a hand counts as resting


class Run:
    """A `descend` of one walker or many that can stop on time and go on later, with the same result
    as in one go."""

    def __init__(
        self,
        landscape: Any,
        theta: ArrayLike,
        optimizer: Any,
        steps: int,
        schedule: Callable[[int], float] | None = None,
        batch_size: int | None = None,
        seed: int = 0,
    ) -> None:
        self.landscape, self.theta, self.optimizer = landscape, theta, optimizer
        self.steps, self.schedule = steps, schedule
        self._batch_size, self._seed = batch_size, seed
        self._optimizer = self._fresh()
        self.walk: Trajectory = descend(landscape, theta, self._optimizer, steps=0)

    @property
    def finished(self) -> bool:
        """Whether every step was taken (walkers that diverged rest at their last points)."""
        return len(self.walk) > self.steps

    def _fresh(self) -> _Kept:
        if self._batch_size is None and not self.landscape.stochastic:
            return _Kept(self.optimizer)
        return _Drawing(self.optimizer, self.landscape, self.theta, self._batch_size, self._seed)

    def go(self, seconds: float = np.inf) -> bool:
        """Walk on for at most `seconds`, at least one step; say whether the walk is finished."""
        late = time.perf_counter() + seconds

        def too_long(record: Any) -> bool:
            return record.step > 0 and time.perf_counter() > late

        if not self.finished:
            taken = len(self.walk) - 1
            piece = descend(
                self.landscape, self.walk.end, self._optimizer, self.steps - taken,
                schedule=_shifted(self.schedule, taken),
                callbacks=() if seconds == np.inf else (too_long,),
            )  # fmt: skip
            lower = np.abs(piece.losses[0]) < np.abs(self.walk.losses[0])
            if (piece.diverged & lower).any():
                # A piece judges falls by its own first height; from lower ground that is stricter
                # than the whole walk is, so this walk is made again in one go.
                self.walk = descend(
                    self.landscape, self.theta, self._fresh(), self.steps, schedule=self.schedule
                )
            else:
                self.walk = _joined(self.walk, piece, self.steps)
        return self.finished


class Crowd:
    """Walkers of whom only the ends matter: thousands at once, in pieces, with the same result.

    Attributes:
        points: where they are, `(..., P)`.
        fallen: who has diverged, `(...)`; their points mean nothing any more.
        taken: how many of the `steps` are done.
    """

    def __init__(self, landscape: Any, theta: ArrayLike, optimizer: Any, steps: int) -> None:
        self.landscape, self.steps, self.taken = landscape, steps, 0
        self._optimizer = _Kept(optimizer)
        self.points = landscape.as_points(theta)
        self.fallen = np.zeros(self.points.shape[:-1], bool)
        self._limit: Any = None

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self.taken >= self.steps

    def go(self, seconds: float = np.inf) -> bool:
        """Walk on for at most `seconds`, at least one step; say whether the walk is finished."""
        late = time.perf_counter() + seconds

        def watch(record: Any) -> bool:  # who falls is judged by the first height of the whole walk
            if self._limit is None:
                self._limit = FALL * (1.0 + np.abs(record.batch_loss))
            self.fallen = self.fallen | ~(record.batch_loss <= self._limit)
            return record.step > 0 and time.perf_counter() > late

        if not self.finished:
            left = self.steps - self.taken
            walk = descend(
                self.landscape, self.points, self._optimizer, left,
                record_every=left, callbacks=(watch,),
            )  # fmt: skip
            self.points, self.taken = walk.end, self.taken + int(walk.steps[-1])
            if self.fallen.all():
                self.taken = self.steps
        return self.finished


class _Kept:
    """An optimizer that remembers its state, so that a piece goes on where the last one ended."""

    def __init__(self, base: Any) -> None:
        self.base, self.lr, self._state = base, base.lr, None
        self.uses_curvature = getattr(base, "uses_curvature", False)

    def init(self, theta: Any) -> Any:
        return self.base.init(theta) if self._state is None else self._state

    def step(self, theta: Any, gradient: Any, state: Any, lr: Any, here: Any) -> Any:
        theta, self._state = self.base.step(theta, gradient, state, lr, here)
        return theta, self._state

    def __repr__(self) -> str:
        return repr(self.base)


class _Drawing(_Kept):
    """Takes every step on samples and masks drawn as `descend(batch_size=..., seed=...)` does.

    The walk itself sees the full landscape, whose loss it records at every step anyway; so pieces
    need not know where in an epoch they begin.
    """

    def __init__(
        self, base: Any, landscape: Any, theta: Any, batch_size: int | None, seed: int
    ) -> None:
        super().__init__(base)
        theta = landscape.as_points(theta)
        seeds = np.broadcast_to(seed, theta.shape[:-1])
        curved = self.uses_curvature
        self._ground = Ground(landscape, theta.dtype, batch_size, seeds, MEMORY, curved)
        self._taken = 0

    def step(self, theta: Any, gradient: Any, state: Any, lr: Any, here: Any) -> Any:
        drawn = self._ground.step(self._taken)
        self._taken += 1
        return super().step(theta, drawn.gradient(theta), state, lr, drawn)


def _shifted(schedule: Callable[[int], float] | None, by: int) -> Callable[[int], float] | None:
    return None if schedule is None else lambda step: schedule(step + by)


def _joined(first: Trajectory, more: Trajectory, steps: int) -> Trajectory:
    """Two pieces as one walk; a fall is judged by the first heights of the whole walk."""
    taken = len(first) - 1
    points = np.concatenate([first.points, more.points[1:]])
    losses = np.concatenate([first.losses, more.losses[1:]])
    norms = np.concatenate([first.gradient_norms, more.gradient_norms[1:]])
    batch = np.concatenate([first.batch_losses, more.batch_losses])
    later = np.where(more.diverged, more.diverged_at + taken, -1)
    fell = np.where(first.diverged, first.diverged_at, later)
    high = losses > FALL * (1.0 + np.abs(losses[0]))
    above = np.where(high.any(axis=0), high.argmax(axis=0), -1)
    fell = np.where((above >= 0) & ((fell < 0) | (above < fell)), above, fell)
    if (fell >= 0).all():  # nobody moves any more
        points, losses, norms = (_extended(a, steps + 1) for a in (points, losses, norms))
        batch = _extended(batch, steps)
    if (fell >= 0).any():
        rows = np.arange(len(points)).reshape(-1, *(1,) * fell.ndim)
        gone = (fell >= 0) & (rows >= fell)
        last = np.take_along_axis(points, np.maximum(fell - 1, 0)[None, ..., None], axis=0)
        points = np.where(gone[..., None], last, points)
        losses, norms = np.where(gone, np.nan, losses), np.where(gone, np.nan, norms)
        batch = np.where(gone[: len(batch)], np.nan, batch)
    return replace(
        more, points=points, losses=losses, gradient_norms=norms, batch_losses=batch,
        steps=np.arange(len(points)), diverged_at=fell,
        ended="finished" if len(points) > steps else "not finished yet",
    )  # fmt: skip


def _extended(rows: Any, count: int) -> Any:
    """`rows` repeated at its end until there are `count`."""
    return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])


def looping() -> bool:
    """Whether an event loop runs, as in a notebook's kernel."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Later:
    """One pending call on the running event loop; asking again replaces it.

    Without a running loop (a script, a test) there is no "later", and the call is made at once.
    """

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def __call__(self, seconds: float, action: Callable[[], Any]) -> None:
        self.cancel()
        if looping():
            self._handle = asyncio.get_running_loop().call_later(seconds, action)
        else:
            action()

    def cancel(self) -> None:
        """Forget the pending call, if there is one."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
