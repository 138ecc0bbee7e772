"""The odd point of the `Losses` panel: data of one input, and the one point that a hand moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import Style
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.network import Data

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Odd:
    """Data of one input, and the point that is moved: along its target, or, with classes, along
    its input, for a label cannot be moved."""

    x: Array
    y: Array
    index: int
    classes: bool

    @classmethod
    def of(cls, given: Data, point: int | None) -> Odd:
        x, y = given
        classes = y.ndim == 1
        if x.shape[1:] != (1,) or (classes and given.classes != 2) or y.shape[1:] not in ((), (1,)):
            raise ParameterError(
                f"got data of x {x.shape} and y {y.shape}; expected one input (N, 1), and targets "
                "(N, 1) or labels 0 and 1 (N,)"
            )
        if point is None:
            point = int(np.flatnonzero(y == 0)[-1]) if classes else len(x) - 1
        if not -len(x) <= point < len(x):
            raise ParameterError(f"got point={point}; the data have points 0 to {len(x) - 1}")
        return cls(x[:, 0], y, point % len(x), classes)

    @property
    def home(self) -> float:
        """Where the point belongs."""
        return float(self.x[self.index]) if self.classes else 0.0

    @property
    def middle(self) -> float:
        return float(self.x.mean())

    @property
    def spread(self) -> float:
        return float(self.x.std()) or 1.0

    @property
    def reach(self) -> float:
        """How large scores can become, roughly: a window that holds every lowest place."""
        return 4.0 if self.classes else float(np.abs(self.y).max()) + 1.0

    @property
    def across(self) -> tuple[float, float]:
        """The inputs the picture shows."""
        low, high = float(self.x.min()), float(self.x.max())
        if self.classes:
            return self.range(6.0)
        return low - 0.1 * (high - low), high + 0.1 * (high - low)

    @property
    def axis(self) -> str:
        return "mistake at x" if self.classes else "outlier"

    @property
    def readout(self) -> str:
        return "mistake at x = {0}" if self.classes else "outlier lifted by {0}"

    def range(self, at: float) -> tuple[float, float]:
        """How far the point can be moved, for a panel that opens with it at `at`."""
        if self.classes:
            low, high = float(self.x.min()), float(self.x.max())
            return min(low, at) - 0.5, max(high, at) + 0.5
        far = 1.25 * max(abs(at), float(np.ptp(self.y)))
        return -far, far

    def moved(self, sweep: Array) -> tuple[Array, Array]:
        """Inputs, and what is added to targets, for each position of the point: (F, N) each."""
        x, lift = np.tile(self.x, (len(sweep), 1)), np.zeros((len(sweep), len(self.x)))
        (x if self.classes else lift)[:, self.index] = sweep
        return x, lift

    def place(self, where: Any) -> Array:
        """Where the point is drawn, (..., 2)."""
        where = np.asarray(where, float)
        if self.classes:
            return np.stack([where, np.full_like(where, self._drawn()[self.index])], axis=-1)
        home = self.x[self.index], self.y[self.index, 0]
        return np.stack([np.full_like(where, home[0]), home[1] + where], axis=-1)

    def where(self, place: Sequence[float]) -> float:
        """The position that a hand at `place` means."""
        return place[0] if self.classes else round(place[1] - float(self.y[self.index, 0]), 2)

    def told(self, where: float) -> str:
        if where == self.home:
            return "The point is where it belongs"
        if self.classes:
            return f"The point of class {self.y[self.index]} lies at x = {said(where)}"
        return f"The outlier is {said(abs(where))} {'above' if where > 0 else 'below'} its place"

    def draw(self, ax: Any, paper: Style) -> None:
        """Draw the points that stay, and frame all."""
        rest = np.arange(len(self.x)) != self.index
        low, high = self.range(6.0)
        drawn = self._drawn()
        ax.set(xlim=self.across, xlabel="input x", ylim=(-4.0, 4.0) if self.classes else
               (float(self.y[self.index, 0]) + low, float(self.y[self.index, 0]) + high),
               ylabel="score w·x + b" if self.classes else "target y")  # fmt: skip
        ax.axhline(0.0, color=paper.muted, linewidth=0.6)
        for label, marker in enumerate("os" if self.classes else "o"):
            mine = rest & (self.y == label if self.classes else True)
            filled = {"facecolor": paper.muted if label == 0 else paper.paper}
            ax.scatter(
                self.x[mine], drawn[mine], s=24, marker=marker, edgecolor=paper.muted, **filled
            )

    def _drawn(self) -> Array:
        """Heights of the points: targets, or +1 and -1 for the two classes."""
        return 2.0 * self.y - 1.0 if self.classes else self.y[:, 0]
