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
from tinygrad_landscape.descent.walk import FALL

BUDGET = 0.040  # seconds a walk may take while a control moves
PIECE = 0.090  # seconds of one piece when it is finished afterwards
REST = 0.120  # seconds without news after which a hand counts as resting


class Run:
    """A `descend` that can stop on time and go on later, with the same result as in one go."""

    def __init__(self, landscape: Any, theta: ArrayLike, optimizer: Any, steps: int) -> None:
        self.landscape, self.theta, self.optimizer, self.steps = landscape, theta, optimizer, steps
        self._kept = _Kept(optimizer)
        self.walk: Trajectory = descend(landscape, theta, self._kept, steps=0)

    @property
    def finished(self) -> bool:
        """Whether every step was taken (a walk that diverged rests at its last point)."""
        return len(self.walk) > self.steps

    def go(self, seconds: float = np.inf) -> bool:
        """Walk on for at most `seconds`, at least one step; say whether the walk is finished."""
        late = time.perf_counter() + seconds

        def too_long(record: Any) -> bool:
            return record.step > 0 and time.perf_counter() > late

        if not self.finished:
            stop = () if seconds == np.inf else (too_long,)
            left = self.steps + 1 - len(self.walk)
            more = descend(self.landscape, self.walk.end, self._kept, left, callbacks=stop)
            limit = FALL * (1.0 + abs(float(self.walk.losses[0])))
            if more.diverged or (more.losses > limit).any():
                # A fall is judged by the first height of the whole walk, so it is walked as one;
                # that costs no more than the way down to here, for a fallen walk ends there.
                self.walk = descend(self.landscape, self.theta, self.optimizer, self.steps)
            else:
                self.walk = _joined(self.walk, more)
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


def _joined(first: Trajectory, more: Trajectory) -> Trajectory:
    """Two pieces as one walk; the point they share is kept once."""
    names = ("points", "losses", "gradient_norms")
    both = {n: np.concatenate([getattr(first, n), getattr(more, n)[1:]]) for n in names}
    batch = np.concatenate([first.batch_losses, more.batch_losses])
    return replace(more, **both, batch_losses=batch, steps=np.arange(len(both["losses"])))


class Later:
    """One pending call on the running event loop; asking again replaces it.

    Without a running loop (a script, a test) there is no "later", and the call is made at once.
    """

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def __call__(self, seconds: float, action: Callable[[], Any]) -> None:
        self.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            action()
            return
        self._handle = loop.call_later(seconds, action)

    def cancel(self) -> None:
        """Forget the pending call, if there is one."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
