"""Minibatches for many walkers at once, each with its own seed: the fog that a gradient is seen in.

`descend(batch_size=, seed=)` looks at every walker's own samples one walker after the other. Here
all walkers share one pass over all samples, and only the weight of each sample differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent.ground import _batches
from tinygrad_landscape.engine import Tensor, gradients
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.surveying import Plane


def orders(landscape: Landscape, seeds: Sequence[int], epochs: int) -> NDArray[np.uint8]:
    """The shuffled samples of every seed's first epochs `(seeds, epochs, N)`, N below 256: cut into
    pieces of any size they are the minibatches of `descend`."""
    assert landscape.data is not None
    roles = [np.random.SeedSequence(int(seed)).spawn(2)[0] for seed in seeds]
    draws = [_batches(landscape, len(landscape.data.x), role) for role in roles]
    return np.array([[next(draw) for _ in range(epochs)] for draw in draws], np.uint8)


class Fog:
    """An optimizer that turns the full gradient into a minibatch's, and hands it on to `base`.

    The walks are those of `descend(..., batch_size=batch_size, seed=seeds)`, up to rounding, for
    losses that are a mean over samples which do not see each other (no BatchNorm).
    """

    uses_curvature = False

    def __init__(
        self, base: Any, landscape: Landscape, plane: Plane, batch_size: int, seeds: Sequence[int]
    ) -> None:
        self.base, self.lr = base, base.lr
        self.landscape, self.plane = landscape, plane
        self.batch_size, self.seeds = batch_size, seeds

    def init(self, theta: NDArray) -> Any:
        roles = [np.random.SeedSequence(int(seed)).spawn(2)[0] for seed in self.seeds]
        draws = [_batches(self.landscape, self.batch_size, role) for role in roles]
        return self.base.init(theta), draws

    def step(self, theta: NDArray, gradient: NDArray, state: Any, lr: Any, here: Any) -> Any:
        inner, draws = state
        theta, inner = self.base.step(theta, gradient + self._error(theta, draws), inner, lr, here)
        return theta, (inner, draws)

    def _error(self, theta: NDArray, draws: list[Any]) -> NDArray:
        """What each walker's minibatch gets wrong: its gradient less the full one, as theta."""
        landscape, walkers = self.landscape, theta.reshape(-1, theta.shape[-1])
        network, loss, data = landscape.network, landscape.loss, landscape.data
        assert network is not None and loss is not None and data is not None
        x, y = data
        weight = np.zeros((len(walkers), len(x)))
        for row, draw in zip(weight, draws, strict=True):
            chosen = next(draw)
            row[chosen] = len(x) / len(chosen)
        at = Tensor(self.plane.point(walkers[:, 0], walkers[:, 1]))
        seen = network(at, x)
        outputs = Tensor(seen.data)
        (slope,) = gradients(loss(outputs, y).sum(), [outputs])
        excess = (weight - 1.0).reshape(*weight.shape, *(1,) * (slope.ndim - 2))
        (error,) = gradients(seen, [at], seed=excess * slope)
        return (error @ np.stack([self.plane.u, self.plane.v], axis=-1)).reshape(theta.shape)

    def __repr__(self) -> str:
        return f"{self.base!r}, batches of {self.batch_size}"
