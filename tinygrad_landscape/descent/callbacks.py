"""Callbacks: functions that look at every step of a walk and may end it.

`descend` calls each with a `StepRecord` before every step and once at the end; one that returns
True ends the walk. The two classes here collect something on the way; they start afresh whenever a
walk does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class StepRecord:
    """What is known when step number `step` is about to be taken.

    `theta` `(..., P)` are the points, read-only. `batch_loss` `(...)` and `gradient` `(..., P)` are
    those of the coming step, on its minibatch. `loss` and `gradient_norm` `(...)` are those of the
    full landscape, None at steps that are not recorded. `lr` is the learning rate of the coming
    step, `alive` `(...)` is False for walkers that diverged. `optimizer` is the one that walks.
    """

    step: int
    theta: Array
    batch_loss: Array
    gradient: Array
    loss: Array | None
    gradient_norm: Array | None
    lr: Any
    alive: Array
    landscape: Any
    optimizer: Any = None


class EarlyStopping:
    """End the walk when a loss has not fallen for `patience` looks in a row.

    The loss is that of `landscape`, usually the validation one, looked at every `every` steps;
    without it, the loss of the step itself. It has to fall by more than `min_delta` to count. With
    many walkers the walk goes on until none improves. Afterwards `point` `(..., P)`, `loss` and
    `step` `(...)` are the best seen, walker by walker.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: (p * p).sum(-1))
    >>> stop = tl.callbacks.EarlyStopping(patience=3, min_delta=1e-3)
    >>> walk = tl.descend(bowl, [1.0, 1.0], tl.optim.SGD(lr=0.25), steps=100, callbacks=[stop])
    >>> int(walk.steps[-1]), int(stop.step)
    (9, 6)
    """

    def __init__(
        self, landscape: Any = None, *, patience: int = 10, min_delta: float = 0.0, every: int = 1
    ) -> None:
        if patience < 1 or every < 1 or not min_delta >= 0.0:
            raise ParameterError(
                f"got patience={patience}, min_delta={min_delta}, every={every}; expected patience "
                f">= 1, min_delta >= 0 and every >= 1"
            )
        self.landscape, self.patience = landscape, patience
        self.min_delta, self.every = min_delta, every

    def __call__(self, record: StepRecord) -> bool:
        if record.step % self.every:
            return False
        loss = record.batch_loss if self.landscape is None else self.landscape(record.theta)
        if record.step == 0:
            self.point, self.loss = record.theta.copy(), loss
            self.step = self._waited = np.zeros(np.shape(loss), int)
            return False
        better = loss < self.loss - self.min_delta
        self.point = np.where(better[..., None], record.theta, self.point)
        self.loss = np.where(better, loss, self.loss)
        self.step = np.where(better, record.step, self.step)
        self._waited = np.where(better, 0, self._waited + 1)
        return bool(np.all((self._waited >= self.patience) | ~record.alive))


class Average:
    """Average the points of a walk: equally (stochastic weight averaging), or the recent ones more.

    Takes every `every`-th step from step `start` on. With `decay`, the average a moves as
    a ← decay·a + (1 − decay)·θ instead. Afterwards `point` `(..., P)` averages `count` points.
    Source: Izmailov et al. 2018, algorithm 1; Polyak and Juditsky 1992.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: (p * p).sum(-1))
    >>> mean = tl.callbacks.Average(start=1)
    >>> walk = tl.descend(bowl, [4.0, 8.0], tl.optim.SGD(lr=0.25), steps=2, callbacks=[mean])
    >>> mean.point, mean.count
    (array([1.5, 3. ]), 2)
    """

    def __init__(self, start: int = 0, every: int = 1, decay: float | None = None) -> None:
        if start < 0 or every < 1 or not (decay is None or 0.0 <= decay < 1.0):
            raise ParameterError(
                f"got start={start}, every={every}, decay={decay}; expected start >= 0, every >= 1 "
                f"and 0 <= decay < 1 (or None)"
            )
        self.start, self.every, self.decay = start, every, decay

    def __call__(self, record: StepRecord) -> bool:
        if record.step == 0:
            self.point, self.count = record.theta.copy(), 0
        if record.step >= self.start and (record.step - self.start) % self.every == 0:
            self.count += 1
            if self.count == 1:
                weight = 1.0
            else:
                weight = 1.0 / self.count if self.decay is None else 1.0 - self.decay
            self.point = self.point + weight * (record.theta - self.point)
        return False
