"""What a network decides at every moment of a run: its map of the inputs, as layers of a scene.

Drawn for two inputs and two classes. Blue and orange are the two answers, the fuller the surer; the
line is where the network changes its mind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.networks import CLASSES
from tinygrad_landscape.landscape import Landscape

GRID = 25  # inputs a side at which the network is asked
BANDS = 20  # shades
SHOWN = 150  # validation samples drawn
CORNERS = 160  # corners of the line at most


def drawable(landscape: Landscape) -> bool:
    """Whether a landscape decides between two classes by two inputs."""
    known = landscape.data
    return (
        landscape.network is not None
        and known is not None
        and known.x.ndim == 2
        and known.x.shape[1] == 2
        and known.y.ndim == 1
        and known.classes == 2
    )


def add(scene: Scene, axes: str) -> None:
    """Add the layers that `put` and `put_map` fill."""
    from matplotlib.colors import to_hex, to_rgb

    paper, size = np.array(to_rgb(scene.style.paper)), scene.style.scale
    sure = np.abs(np.linspace(-1.0, 1.0, BANDS))
    hues = np.where(np.arange(BANDS)[:, None] < BANDS / 2, to_rgb(CLASSES[0]), to_rgb(CLASSES[1]))
    part = (0.1 + 0.45 * sure)[:, None]
    ramp = [to_hex(color) for color in part * hues + (1.0 - part) * paper]
    scene.add("chances", "heights", axes, follow=True, colors=ramp, lines=False)
    scene.add("border", "curve", axes, follow=True, colors=[scene.style.ink], width=2.0 * size)
    for name, wide, rim in (("held", 5.0, "#ffffff00"), ("seen", 8.5, "#ffffff")):
        for label, shape in enumerate("os"):
            scene.add(f"{name} {label}", "marker", axes, shapes=[shape], size=wide * size,
                      colors=[CLASSES[label]], edge=rim)  # fmt: skip
    words: dict[str, Any] = {"color": scene.style.ink, "size": 12.0 * size, "follow": True}
    scene.add("right", "text", axes, at=[0.0, 1.04], template="right: {0} % of training", **words)
    scene.add("right held", "text", axes, at=[0.0, -0.03], template="{0} % of validation", **words)


class Inputs:
    """The frame of inputs around some samples, and places in it as shares 0..1."""

    def __init__(self, landscape: Landscape, held: Landscape | None) -> None:
        self.landscape, self.held = landscape, held
        known = [one.data for one in (landscape, held) if one is not None and one.data is not None]
        every = np.concatenate([one.x for one in known])
        middle = (every.max(axis=0) + every.min(axis=0)) / 2.0
        reach = 0.54 * float(np.ptp(every, axis=0).max()) or 1.0
        self.low, self.high = middle - reach, middle + reach
        sides = np.linspace(self.low, self.high, GRID)
        self.grid = np.stack(np.meshgrid(*sides.T, indexing="ij"), axis=-1).reshape(-1, 2)

    def put(self, scene: Scene) -> None:
        """Show the samples."""
        for name, one in (("seen", self.landscape), ("held", self.held)):
            for label in (0, 1):
                if one is None or one.data is None:
                    scene.set(f"{name} {label}", [])
                    continue
                x, y = one.data.x[:SHOWN], one.data.y[:SHOWN]
                scene.set(f"{name} {label}", (x[y == label] - self.low) / (self.high - self.low))

    def chances(self, points: NDArray) -> NDArray[Any]:
        """The chance of class 1 over the frame, `(R, GRID, GRID)`, for weights `(R, P)`."""
        assert self.landscape.network is not None
        logits = np.asarray(self.landscape.network(points, self.grid), float)
        margin = logits[..., 0] if logits.shape[-1] == 1 else logits[..., 1] - logits[..., 0]
        return (0.5 + 0.5 * np.tanh(0.5 * margin)).reshape(len(points), GRID, GRID)


def border(chances: NDArray) -> NDArray[Any]:
    """The line of even chances `(CORNERS, 2)` over the frame as shares, pieces parted by NaN."""
    from contourpy import contour_generator

    side = np.linspace(0.0, 1.0, GRID)
    rows: list[NDArray[Any]] = []
    for piece in contour_generator(side, side, chances.T).lines(0.5):
        rows += [np.asarray(piece), np.full((1, 2), np.nan)]
    line = np.concatenate([*rows, np.full((1, 2), np.nan)])[:CORNERS]
    return np.concatenate([line, np.full((CORNERS - len(line), 2), np.nan)])
