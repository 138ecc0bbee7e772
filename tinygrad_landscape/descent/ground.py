"""The ground under the walkers: loss and gradient where they stand, on the samples of this step.

Many walkers are evaluated in pieces that stay within memory and the processor's cache. Minibatches
and dropout masks come from the seed alone, so a step can look twice (as SAM does) and see the same.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError
from ..landscape import Landscape

Array = NDArray[Any]


class Draw(NamedTuple):
    """What chance chose for some of the walkers: `which` of them, their samples, their mask."""

    which: Array | None = None
    batch: Array | None = None
    mask: np.random.SeedSequence | None = None


class Here:
    """The landscape as one step sees it; the `here` an optimizer's `step` is given."""

    def __init__(
        self, landscape: Landscape, draws: list[Draw], at_once: int, memory: float
    ) -> None:
        self.landscape, self.draws = landscape, draws
        self.at_once, self.memory = at_once, memory

    def __call__(self, theta: Array) -> Array:
        """Heights `(...)` at theta `(..., P)`."""
        return self._spread(lambda *at: (self.landscape(*at),), theta)[0]

    def gradient(self, theta: Array) -> Array:
        """Gradients `(..., P)` at theta `(..., P)`."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Array) -> Any:
        """Heights `(...)` and gradients `(..., P)` at theta `(..., P)`."""
        return self._spread(self.landscape.value_and_gradient, theta)

    def hessian(self, theta: Array) -> Array:
        """Hessians `(..., P, P)` at theta `(..., P)`."""

        def evaluate(theta: Array, batch: Any, rng: Any) -> tuple[Array]:
            return (self.landscape.hessian(theta, batch, rng, self.memory),)

        return self._spread(evaluate, theta)[0]

    def _spread(self, evaluate: Callable[..., tuple[Any, ...]], theta: Array) -> tuple[Any, ...]:
        """Evaluate all walkers, each with its own draw, a piece at a time; put the answers
        together."""
        one = self.draws[0]
        if one.which is None and theta.size <= self.at_once * theta.shape[-1]:
            return evaluate(theta, one.batch, _generator(one.mask))
        flat = theta.reshape(-1, theta.shape[-1])
        pieces = []
        for which, batch, mask in self.draws:
            rows = flat if which is None else flat[which]
            for i in range(0, len(rows), self.at_once):
                pieces.append(evaluate(rows[i : i + self.at_once], batch, _generator(mask)))
        answers = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
        if one.which is not None:
            back = np.argsort(np.concatenate([draw.which for draw in self.draws]))
            answers = [a[back] for a in answers]
        return tuple(a.reshape(theta.shape[:-1] + a.shape[1:]) for a in answers)


class Ground:
    """Where `Here` comes from: the full landscape, or each step's own draw of samples and mask."""

    def __init__(
        self,
        landscape: Landscape,
        dtype: Any,
        batch_size: int | None,
        seeds: Array,
        memory: float,
        curved: bool,
    ) -> None:
        self.landscape, self.memory = landscape, memory
        passes = 6 if curved else 3
        at_once = landscape.points_at_once(dtype, memory, passes)
        self.full = Here(landscape, [Draw()], at_once, memory)
        self.at_once = landscape.points_at_once(dtype, memory, passes, batch_size)
        self.exact = batch_size is None and not landscape.stochastic
        if self.exact:
            return
        distinct, owner = np.unique(seeds, return_inverse=True)
        single = len(distinct) == 1
        roles = [np.random.SeedSequence(int(s)).spawn(2) for s in distinct]
        self._which = [None if single else np.flatnonzero(owner == k) for k in range(len(roles))]
        self._masks = [mask for _, mask in roles]
        self._batches = [_batches(landscape, batch_size, order) for order, _ in roles]

    def step(self, t: int) -> Here:
        """The landscape of step t; ask for the steps in order."""
        if self.exact:
            return self.full
        masks = self._masks if self.landscape.stochastic else [None] * len(self._masks)
        draws = [
            Draw(which, next(batches), mask and _child(mask, t))
            for which, batches, mask in zip(self._which, self._batches, masks, strict=True)
        ]
        return Here(self.landscape, draws, self.at_once, self.memory)


def _batches(
    landscape: Landscape, batch_size: int | None, order: np.random.SeedSequence
) -> Iterator[Array | None]:
    """Sample indices, step after step: every epoch is shuffled and cut, the last cut may be
    short."""
    if batch_size is None:
        while True:
            yield None
    assert landscape.data is not None
    count, rng = len(landscape.data.x), np.random.default_rng(order)
    while True:
        shuffled = rng.permutation(count)
        for start in range(0, count, batch_size):
            yield shuffled[start : start + batch_size]


def check_batch_size(landscape: Landscape, batch_size: int | None) -> None:
    """Refuse a minibatch that cannot be drawn."""
    if batch_size is None:
        return
    if landscape.data is None:
        raise ParameterError(f"{landscape!r} has no samples; leave out batch_size")
    count = len(landscape.data.x)
    if not isinstance(batch_size, int | np.integer) or not 1 <= batch_size <= count:
        raise ParameterError(
            f"got batch_size={batch_size!r}; expected a whole number from 1 to {count}, the number "
            f"of samples (None takes all, without shuffling)"
        )


def _child(seed: np.random.SeedSequence, t: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, t))


def _generator(mask: np.random.SeedSequence | None) -> np.random.Generator | None:
    return None if mask is None else np.random.default_rng(mask)
