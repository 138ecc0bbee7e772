"""Learning-rate schedules: pure functions of the step, each a factor on the optimizer's `lr`.

A factor of 1 is the optimizer's own learning rate. Schedules are small frozen objects, so they
print, compare and pickle; they take one step or an array of steps, so
`plt.plot(schedule(np.arange(300)))` draws one; and they compose: `warmup(20, cosine(280))`,
`cosine(300) * step(100)`. Any function of the step is a schedule for `descend`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError

Array = NDArray[np.float64]


def _between(a: float, b: float, w: Array) -> Any:
    """From a at w = 0 to b at w = 1, exact at both."""
    return (1.0 - w) * a + w * b


def _eased(a: float, b: float, w: Array) -> Any:
    """As `_between`, flat at both ends."""
    return _between(a, b, 0.5 - 0.5 * np.cos(np.pi * w))


def _expect(fine: bool, got: Any, expected: str) -> None:
    if not fine:
        raise ParameterError(f"got {got!r}; expected {expected}")


class Schedule:
    """Base of the schedules: `schedule(step)` is a float for one step, an array for many."""

    def __call__(self, step: Any) -> Any:
        factor = self.factor(np.asarray(step, np.float64))
        return float(factor) if np.ndim(factor) == 0 else factor

    def factor(self, t: Array) -> Any:
        """The factor at steps `t`, a float64 array."""
        raise NotImplementedError

    def __mul__(self, other: "float | Callable[[Any], Any]") -> "Schedule":
        return product(self, other if callable(other) else constant(other))

    __rmul__ = __mul__


@dataclass(frozen=True)
class product(Schedule):
    """Two schedules multiplied; what `a * b` makes."""

    first: Callable[[Any], Any]
    second: Callable[[Any], Any]

    def factor(self, t: Array) -> Any:
        return self.first(t) * self.second(t)


@dataclass(frozen=True)
class constant(Schedule):
    """The same factor at every step."""

    value: float = 1.0

    def __post_init__(self) -> None:
        _expect(self.value >= 0.0, self, "value >= 0")

    def factor(self, t: Array) -> Any:
        return np.full(t.shape, float(self.value))


@dataclass(frozen=True)
class step(Schedule):
    """A staircase: times `rate` after every `every` steps. As torch's StepLR.

    >>> step(every=10, rate=0.5)([0, 9, 10, 20])
    array([1.  , 1.  , 0.5 , 0.25])
    """

    every: int
    rate: float = 0.1

    def __post_init__(self) -> None:
        _expect(self.every >= 1 and self.rate > 0.0, self, "every >= 1 and rate > 0")

    def factor(self, t: Array) -> Any:
        return self.rate ** np.floor(t / self.every)


@dataclass(frozen=True)
class exponential(Schedule):
    """Times `rate` after every step. As torch's ExponentialLR."""

    rate: float

    def __post_init__(self) -> None:
        _expect(self.rate > 0.0, self, "rate > 0")

    def factor(self, t: Array) -> Any:
        return self.rate**t


@dataclass(frozen=True)
class linear(Schedule):
    """A straight line from `start` at step 0 to `end` at step `steps`, and `end` from then on.

    >>> linear(4)([0, 1, 2, 3, 4, 5])
    array([1.  , 0.75, 0.5 , 0.25, 0.  , 0.  ])
    """

    steps: int
    end: float = 0.0
    start: float = 1.0

    def __post_init__(self) -> None:
        fine = self.steps >= 1 and self.end >= 0.0 and self.start >= 0.0
        _expect(fine, self, "steps >= 1, end >= 0 and start >= 0")

    def factor(self, t: Array) -> Any:
        return _between(self.start, self.end, np.minimum(t / self.steps, 1.0))


@dataclass(frozen=True)
class cosine(Schedule):
    """Half a cosine from 1 at step 0 down to `floor` at step `steps`, and `floor` from then on.

    Source: Loshchilov and Hutter 2017, equation 5; as torch's CosineAnnealingLR within `steps`.

    >>> cosine(100, floor=0.1)([0, 50, 100, 101])
    array([1.  , 0.55, 0.1 , 0.1 ])
    """

    steps: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        _expect(self.steps >= 1 and self.floor >= 0.0, self, "steps >= 1 and floor >= 0")

    def factor(self, t: Array) -> Any:
        return _eased(1.0, self.floor, np.minimum(t / self.steps, 1.0))


@dataclass(frozen=True)
class cosine_restarts(Schedule):
    """Cosines from 1 towards `floor`, one after the other; each `stretch` times as long as the
    last.

    The first takes `period` steps; at its end the factor jumps back to 1 (a warm restart).
    Source: Loshchilov and Hutter 2017, section 3; as torch's CosineAnnealingWarmRestarts.

    >>> cosine_restarts(period=2, stretch=2)([0, 1, 2, 4, 6])
    array([1. , 0.5, 1. , 0.5, 1. ])
    """

    period: int
    stretch: int = 1
    floor: float = 0.0

    def __post_init__(self) -> None:
        fine = self.period >= 1 and self.stretch >= 1 and self.floor >= 0.0
        _expect(fine, self, "period >= 1, stretch >= 1 and floor >= 0")

    def factor(self, t: Array) -> Any:
        if self.stretch == 1:
            return _eased(1.0, self.floor, (t % self.period) / self.period)
        k = np.floor(np.log1p(t / self.period * (self.stretch - 1.0)) / np.log(self.stretch))
        k = np.where(t >= self._start(k + 1.0), k + 1.0, k)  # rounding may leave it one short
        return _eased(1.0, self.floor, (t - self._start(k)) / (self.period * self.stretch**k))

    def _start(self, k: Any) -> Any:
        """The step at which cycle k begins."""
        return self.period * (self.stretch**k - 1.0) / (self.stretch - 1.0)


@dataclass(frozen=True)
class triangular(Schedule):
    """Up and down in straight lines between `low` and 1: `low` at step 0, 1 half a `period` later.

    Source: Smith 2017, section 3.

    >>> triangular(period=4, low=0.5)([0, 1, 2, 3, 4])
    array([0.5 , 0.75, 1.  , 0.75, 0.5 ])
    """

    period: int
    low: float = 0.1

    def __post_init__(self) -> None:
        _expect(self.period >= 2 and self.low >= 0.0, self, "period >= 2 and low >= 0")

    def factor(self, t: Array) -> Any:
        return _between(self.low, 1.0, 1.0 - np.abs(2.0 * (t % self.period) / self.period - 1.0))


@dataclass(frozen=True)
class one_cycle(Schedule):
    """One cosine up from `start` at step 0 to 1, one down to `end` at step `steps`.

    The top is at step `rise * steps`. Source: Smith and Topin 2019, with the cosines and defaults
    of torch's OneCycleLR.

    >>> one_cycle(100, rise=0.25, start=0.1, end=0.0)([0, 25, 100])
    array([0.1, 1. , 0. ])
    """

    steps: int
    rise: float = 0.3
    start: float = 1 / 25
    end: float = 1 / 25e4

    def __post_init__(self) -> None:
        fine = self.steps >= 2 and 0.0 < self.rise < 1.0 and self.start >= 0.0 and self.end >= 0.0
        _expect(fine, self, "steps >= 2, 0 < rise < 1, start >= 0 and end >= 0")

    def factor(self, t: Array) -> Any:
        top = self.rise * self.steps
        up = _eased(self.start, 1.0, np.minimum(t / top, 1.0))
        down = _eased(1.0, self.end, np.clip((t - top) / (self.steps - top), 0.0, 1.0))
        return np.where(t < top, up, down)


@dataclass(frozen=True)
class warmup(Schedule):
    """A straight line from `start` at step 0 to the schedule `then` at step `n`, which goes on from
    its own step 0.

    Source: Goyal et al. 2017, section 2.2.

    >>> warmup(4, cosine(100))([0, 1, 2, 4, 104])
    array([0.  , 0.25, 0.5 , 1.  , 0.  ])
    """

    n: int
    then: Callable[[Any], Any] = constant()
    start: float = 0.0

    def __post_init__(self) -> None:
        fine = self.n >= 1 and self.start >= 0.0 and callable(self.then)
        _expect(fine, self, "n >= 1, start >= 0 and a schedule to go on with")

    def factor(self, t: Array) -> Any:
        ramp = _between(self.start, self.then(0), np.minimum(t / self.n, 1.0))
        return np.where(t < self.n, ramp, self.then(np.maximum(t - self.n, 0.0)))
