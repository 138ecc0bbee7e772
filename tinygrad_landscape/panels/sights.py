"""How a model is seen beside its data: as a curve over one input, or as a border over two.

A sight draws the data once, and for many weights at once says where the model's line runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.style import DASHES, Style
from tinygrad_landscape.engine import sigmoid
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data

Array = NDArray[Any]

POINTS = 61  # corners of a model's curve
CELLS = 31  # grid points per side on which a border is found
MARKERS = ("o", "s")  # of class 0 and class 1


def sight_of(landscape: Landscape) -> Curve | Border:
    """The way to see this landscape's network beside its data.

    Raises:
        ParameterError: if there is no network, or its data have neither one input nor two inputs
            with two classes.
    """
    if landscape.network is None or landscape.data is None:
        raise ParameterError(
            f"got {landscape!r}; expected a network's landscape, tl.Landscape(net, loss, data), "
            "whose data can be drawn beside the map"
        )
    x, y = landscape.data
    outputs = landscape.network(np.zeros(landscape.size), x[:1]).shape[-1]
    two = y.ndim == 1 and int(y.max()) == 1 and outputs == 1
    if x.ndim == 2 and x.shape[1] == 1 and outputs == 1 and (two or y.ndim == 2):
        return Curve(landscape)
    if x.ndim == 2 and x.shape[1] == 2 and two:
        return Border(landscape)
    raise ParameterError(
        f"got data of x {x.shape}, y {y.shape} and {outputs} outputs; drawn can be one input with "
        "one output, or two inputs with two classes (labels 0 and 1, one logit)"
    )


class Curve:
    """A model of one input: its output over that input, or the chance of class 1."""

    def __init__(self, landscape: Landscape) -> None:
        assert landscape.network is not None and landscape.data is not None
        self.network, (x, y) = landscape.network, landscape.data
        self.x, self.chance = x, y.ndim == 1
        self.y = y.reshape(-1).astype(float)
        room = 0.08 * float(np.ptp(x)) or 1.0
        self.grid = np.linspace(float(x.min()) - room, float(x.max()) + room, POINTS)
        self.words = "Beside the map: the data, and the model's output over its input."
        if self.chance:
            self.words = (
                "Beside the map: the two classes at 0 and 1, and the chance of class 1 that the "
                "model gives; above one half it says class 1."
            )

    def outputs(self, theta: Array, x: Array) -> Array:
        """What the curve shows at `x (N, 1)`, for weights `(F, P)`: `(F, N)`."""
        out = self.network(theta, x)[..., 0]
        return np.asarray(sigmoid(out) if self.chance else out)

    def lines(self, theta: Array) -> Array:
        """The curve for weights `(F, P)`, corners `(F, POINTS, 2)`."""
        out = self.outputs(theta, self.grid[:, None])
        return np.stack([np.broadcast_to(self.grid, out.shape), out], axis=-1)

    def misses(self, theta: Array) -> Array:
        """From every target up or down to the curve: `(F, 3 N, 2)` with gaps between."""
        out = self.outputs(theta, self.x)
        x, y = (np.broadcast_to(side, out.shape) for side in (self.x[:, 0], self.y))
        ends = np.stack([x, y, x, out, np.full(out.shape, np.nan), np.full(out.shape, np.nan)], -1)
        return ends.reshape(len(theta), -1, 2)

    def draw(self, ax: Any, paper: Style) -> None:
        """Draw the data, and frame them with room for the curve."""
        low, high = float(self.y.min()), float(self.y.max())
        room = 0.15 if self.chance else 0.3
        ax.set(xlim=(self.grid[0], self.grid[-1]), xlabel="input x",
               ylim=(low - room * (high - low or 1.0), high + room * (high - low or 1.0)),
               ylabel="chance of class 1" if self.chance else "target y")  # fmt: skip
        if not self.chance:
            ax.scatter(self.x[:, 0], self.y, color=paper.accents[1], s=25)
            return
        ax.axhline(0.5, color=paper.ink, linewidth=0.8, linestyle=(0, DASHES[2]))
        _scatter(ax, self.x[:, 0], self.y, self.y, paper)


class Border:
    """A model of two inputs and two classes: the line on which it is undecided."""

    misses = None

    def __init__(self, landscape: Landscape) -> None:
        assert landscape.network is not None and landscape.data is not None
        self.network, (self.x, self.y), self.names = (
            landscape.network, landscape.data, landscape.data.names,
        )  # fmt: skip
        room = 0.1 * np.ptp(self.x, axis=0)
        low, high = self.x.min(axis=0) - room, self.x.max(axis=0) + room
        self.sides = [np.linspace(a, b, CELLS) for a, b in zip(low, high, strict=True)]
        across, up = np.meshgrid(*self.sides)
        self.cells = np.stack([across.ravel(), up.ravel()], axis=-1)
        self.words = (
            "Beside the map: the data, and the line on which the model is undecided between its "
            "two classes."
        )

    def lines(self, theta: Array) -> Array:
        """The border for weights `(F, P)`, corners `(F, M, 2)`; NaN lifts the pen."""
        from contourpy import contour_generator

        logits = self.network(theta, self.cells)[..., 0].reshape(-1, CELLS, CELLS)
        gap = np.full((1, 2), np.nan)
        found = []
        for heights in logits:
            parts = contour_generator(x=self.sides[0], y=self.sides[1], z=heights).lines(0.0)
            found.append(np.concatenate([part for each in parts for part in (each, gap)] or [gap]))
        most = max(map(len, found))
        return np.stack([np.pad(line, ((0, most - len(line)), (0, 0)), constant_values=np.nan)
                         for line in found])  # fmt: skip

    def draw(self, ax: Any, paper: Style) -> None:
        """Draw the data."""
        ax.set(xlim=self.sides[0][[0, -1]], ylim=self.sides[1][[0, -1]],
               xlabel=self.names[0], ylabel=self.names[1])  # fmt: skip
        _scatter(ax, self.x[:, 0], self.x[:, 1], self.y, paper)


def _scatter(ax: Any, x: Array, y: Array, labels: Array, paper: Style) -> None:
    for label, color in enumerate((paper.accents[1], "#E69F00")):
        mine = labels == label
        look = {"color": color, "marker": MARKERS[label], "s": 25}
        ax.scatter(x[mine], y[mine], label=f"class {label}", **look)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, handletextpad=0.1)


def two_classes() -> Data:
    """24 points of two classes over one input that overlap, so that no score tells them apart."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-0.8, 1.0, 12), rng.normal(0.8, 1.0, 12)])
    return Data(x[:, None], np.repeat([0, 1], 12))
