"""Where to stand so that no hill hides what matters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SLANT = 32.0  # the camera's height in degrees
SIDES = (-60, -30, 30, 60, 120, 150, 210, 240)  # the bearings tried, matplotlib's own first
NEAR = 0.02  # how far a ray may dip into the ground, as a share of the hills' height
CROWD = 300  # spots looked at in each crowd


def best_side(relief: NDArray, crowds: list[NDArray], tall: float) -> float:
    """The bearing in degrees (0 along +x, 90 along +y) that sees most of every crowd of spots.

    Args:
        relief: heights (A, B) as shares 0..1; unknown ground is NaN and hides nothing.
        crowds: spots (S, 2) as shares 0..1 of the two sides.
        tall: how high the hills are drawn, beside a side of the ground.

    >>> wall = np.zeros((9, 9))
    >>> wall[4] = 1.0
    >>> best_side(wall, [np.array([[0.6, 0.5]])], tall=0.5) in (-60, -30, 30, 60)
    True
    """
    relief = np.nan_to_num(np.asarray(relief, float))
    thinned = [crowd[:: len(crowd) // CROWD + 1] for crowd in crowds]
    seen = [sum(visible(relief, crowd, side, tall) for crowd in thinned) for side in SIDES]
    return SIDES[int(np.argmax(np.round(seen, 2)))]


def visible(relief: NDArray, spots: NDArray, side: float, tall: float) -> float:
    """The share of spots whose ray towards the camera no hill stops.

    Rays as steep as the camera and half as steep count alike, so that a view over a low front wins
    over one that just clears a crest.
    """
    size = np.array(relief.shape) - 1
    spots = np.clip(spots[np.isfinite(spots).all(axis=1)], 0.0, 1.0)
    if not len(spots):
        return 1.0
    along, bearing = np.linspace(0.02, 1.0, 60)[:, None], math.radians(side)
    places = spots + along[:, :, None] * np.array([math.cos(bearing), math.sin(bearing)])
    inside = ((places >= 0.0) & (places <= 1.0)).all(axis=2)
    above = _heights(relief, places, size) - _heights(relief, spots, size)
    steep = math.tan(math.radians(SLANT)) / tall
    hidden = [(inside & (above > rise * along + NEAR)).any(axis=0) for rise in (steep, steep / 2)]
    return 1.0 - float(np.mean(hidden))


def _heights(relief: NDArray, places: NDArray, size: NDArray) -> NDArray:
    cells = np.rint(np.clip(places, 0.0, 1.0) * size).astype(int)
    return np.asarray(relief[cells[..., 0], cells[..., 1]])
