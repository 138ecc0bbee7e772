"""A map on the stage that may change while a hand moves, unlike one drawn in the background.

It is a layer of heights: the browser colours it, so a new surface costs its numbers only. It has no
colour bar, because its lowest and highest ground change; `words` say what the colours mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.surveying import Surface

BANDS = 32  # as many as `draw.contour` has


def add(scene: Scene, axes: str, name: str = "relief", **look: Any) -> None:
    """Add an empty map below what is added later; it fills its axes."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    ramp = colormaps[scene.style.heights](np.linspace(0.0, 1.0, BANDS))
    scene.add(name, "heights", axes, colors=[to_hex(color) for color in ramp], **look)


def shares(surface: Surface, scale: Heights) -> np.ndarray:
    """How far up the colours every cell is, 0..1, shape (A, B)."""
    low, high = scale.forward(np.array([scale.low, scale.high]))
    return (scale.forward(surface.loss) - low) / (high - low)


def words(scale: Heights) -> str:
    """What the darkest and the brightest colour stand for."""
    return f"Darkest is loss {said(scale.low)}, brightest {said(scale.high)}."
