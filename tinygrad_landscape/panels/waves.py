"""Regression on random waves: a network whose hidden layer is drawn once and stays.

Only the last layer is fitted, so its best weights have a formula, the ridge included; of the many
perfect fits of a wide network the formula gives the one with the smallest weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

POINTS, NOISE, REACH = 20, 0.3, 2.0  # of the training data, and x from -REACH to REACH
FAST = 8.0  # standard deviation of the waves' frequencies
WIDEST = 400
SMALL = 1e-12  # singular values below this share of the largest one count as zero


def truth(x: ArrayLike) -> NDArray[np.float64]:
    """What the data are about."""
    return np.asarray(np.sin(2.0 * np.asarray(x)))


@dataclass(frozen=True, eq=False)
class Waves:
    """Training data x, y `(POINTS,)` of a seed, and the frequencies and phases `(WIDEST,)` of its
    hidden layer; a network of n waves has the first n."""

    x: NDArray
    y: NDArray
    frequencies: NDArray
    phases: NDArray

    @classmethod
    def of(cls, seed: int) -> Waves:
        """The data and the waves of a seed: one point in each of POINTS equal fields."""
        rng = np.random.default_rng(seed)
        x = REACH * (2.0 * (np.arange(POINTS) + rng.uniform(0.0, 1.0, POINTS)) / POINTS - 1.0)
        y = truth(x) + NOISE * rng.normal(size=POINTS)
        frequencies, phases = rng.normal(0.0, FAST, WIDEST), rng.uniform(0.0, 2 * np.pi, WIDEST)
        return cls(x, y, frequencies, phases)

    def features(self, x: ArrayLike, n: int) -> NDArray[np.float64]:
        """The first n waves at x `(N,)`, shape `(N, n)`, scaled so that a ridge means the same for
        every n."""
        angles = np.multiply.outer(np.asarray(x), self.frequencies[:n]) + self.phases[:n]
        return np.asarray(np.sqrt(2.0 / n) * np.sin(angles))

    def fit(self, n: int, ridge: ArrayLike = 0.0) -> NDArray[np.float64]:
        """The weights `(..., n)` that make mean((prediction - y)^2) + ridge * |weights|^2 least, of
        several such the shortest, for every `ridge` `(...)`.

        >>> waves = Waves.of(0)
        >>> bool(np.allclose(waves.features(waves.x, 50) @ waves.fit(50), waves.y))
        True
        """
        left, values, right = np.linalg.svd(self.features(self.x, n), full_matrices=False)
        kept = values > SMALL * values[0]
        safe = np.where(kept, values, 1.0)
        stiff = safe**2 + POINTS * np.asarray(ridge, float)[..., None]
        return np.asarray((left.T @ self.y * np.where(kept, safe / stiff, 0.0)) @ right)

    def errors(
        self, widths: Sequence[int], ridge: ArrayLike, places: ArrayLike
    ) -> NDArray[np.float64]:
        """The mean squared errors `(..., widths, 2)` of every `ridge` `(...)` on the training data,
        and on new data at `places` `(N,)`, whose noise is counted by its variance."""
        seen, new = (self.features(x, max(widths)) for x in (self.x, places))
        found = []
        for n in widths:
            weights = self.fit(n, ridge) * np.sqrt(max(widths) / n)
            pairs = (seen, self.y, 0.0), (new, truth(places), NOISE**2)
            found.append([
                ((weights @ waves[:, :n].T - goal) ** 2).mean(axis=-1) + floor
                for waves, goal, floor in pairs
            ])  # fmt: skip
        return np.moveaxis(np.array(found), (0, 1), (-2, -1))
