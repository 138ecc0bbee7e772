"""The lowest place of a map, found by looking closer and closer.

No slope is asked for, so a loss with kinks (the absolute error, the hinge) is no harder than a
smooth one; many maps are searched at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

SIDE = 7  # grid points per side of one look


def lowest(
    height: Callable[[Array], Array], low: ArrayLike, high: ArrayLike, closer: int = 26
) -> Array:
    """The places `(..., 2)` where `height` is lowest between the corners `low`, `high` `(..., 2)`.

    `height` gets places `(K, ..., 2)`, K grid points for each of the leading maps, and answers
    their heights `(K, ...)`. Each look halves the window round the best point of the one before
    (the window may leave the corners), so 26 looks find it to about 1e-8 of the first one. For maps
    with one valley; of several it finds one of the lower ones.

    >>> lowest(lambda p: abs(p[..., 0] - 0.3) + (p[..., 1] + 2.0) ** 2, [-4, -4], [4, 4]).round(6)
    array([ 0.3, -2. ])
    """
    low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
    middle, half = (low + high) / 2, (high - low) / 2
    side = np.linspace(-1.0, 1.0, SIDE)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    grid = grid.reshape((-1, *(1,) * (middle.ndim - 1), 2))
    for _ in range(closer):
        places = middle + grid * half
        heights = height(places)
        best = np.where(np.isnan(heights), np.inf, heights).argmin(axis=0)
        middle = np.take_along_axis(places, best[None, ..., None], axis=0)[0]
        half = half / 2
    return middle
