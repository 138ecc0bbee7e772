"""The slope of a surveyed plane as a field of arrows, every one of which points downhill.

The slopes are differences between neighbouring cells of the survey, so the field shows exactly what
the map shows, and nothing that the grid is too coarse for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.picture import Picture, caption_below
from tinygrad_landscape.draw.style import current
from tinygrad_landscape.draw.surfaces import CASING, contour, grid_shown
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.descent import Trajectory
    from tinygrad_landscape.surveying import Surface

WORDS = (
    "Arrows point where a small step of gradient descent would go; their length grows with the "
    "square root of the steepness."
)


def gradient_field(
    surface: Surface,
    walk: Trajectory | None = None,
    ax: Axes | None = None,
    *,
    arrows: int = 16,
    height: str = "auto",
    clip: float | None = None,
    caption: bool = True,
) -> Picture:
    """Draw a surface from above with arrows that point downhill.

    Args:
        surface, walk, ax, height, clip, caption: as for `contour`.
        arrows: how many along each side.

    Returns:
        The `Picture` of `contour` with one artist more, "arrows".

    Raises:
        ShapeError: if the surface has fewer than three cells a side, from which no slope follows.
        ParameterError: if `arrows` is not at least 2.

    >>> import tinygrad_landscape as tl
    >>> surface = tl.survey(tl.formulas.himmelblau, None, extent=5.0, resolution=21)
    >>> tl.draw.gradient_field(surface)
    Picture(map, lines, bar, arrows, caption)
    """
    if arrows < 2:
        raise ParameterError(f"got arrows={arrows}; expected at least 2 along each side")
    down = downhill(surface)
    picture = contour(surface, walk, ax, height=height, clip=clip, caption=False)
    ax, size = picture.ax, current().scale
    a, b, _ = grid_shown(surface)
    picked = [np.rint((np.arange(arrows) + 0.5) * len(axis) / arrows - 0.5).astype(int)
              for axis in (a, b)]  # fmt: skip
    rows, columns = (np.unique(np.clip(pick, 0, len(axis) - 1))
                     for pick, axis in zip(picked, (a, b), strict=True))  # fmt: skip
    chosen = np.ix_(rows, columns)
    sides = np.array([np.ptp(a), np.ptp(b)])
    way = down[chosen]
    steepness = np.linalg.norm(way, axis=-1)
    seen = np.linalg.norm(way / sides, axis=-1)  # as long as it looks, in shares of the frame
    most = float(np.nanmax(steepness, initial=0.0))
    length = np.sqrt(steepness / most) if most > 0.0 else np.zeros_like(steepness)
    with np.errstate(invalid="ignore", divide="ignore"):
        shaft = way * (0.95 / arrows * length / seen)[..., None]
    shaft[seen == 0.0] = 0.0
    x, y = np.meshgrid(a[rows], b[columns], indexing="ij")
    picture.artists["arrows"] = ax.quiver(
        x, y, shaft[..., 0], shaft[..., 1], angles="xy", scale_units="xy", scale=1.0, pivot="mid",
        color="#ffffff", edgecolor=CASING, linewidth=0.5 * size, width=0.0045 * size,
        headwidth=4.2, headlength=4.5, headaxislength=4.0, minlength=0.0, zorder=3,
    )  # fmt: skip
    text = f"{picture.caption} {WORDS}"
    if caption:
        picture.artists["caption"] = caption_below(ax, text, picture.own)
    return Picture(ax, picture.artists, text, picture.own)


def downhill(surface: Surface) -> NDArray[np.float64]:
    """The shadow on the plane of a unit of steepest descent, in the plane's coordinates (A, B, 2).

    NaN where a neighbouring cell is not finite or not surveyed. On axes that are not perpendicular,
    or of unequal length, this is not minus the plain derivatives but what a step in weight space
    shows of itself here.
    """
    if min(len(surface.a), len(surface.b)) < 3:
        raise ShapeError(
            f"got a surface of {len(surface.a)} x {len(surface.b)} cells; a slope needs 3 a side: "
            "survey it with a higher resolution="
        )
    heights = np.where(surface.done & np.isfinite(surface.loss), surface.loss, np.nan)
    slopes = np.gradient(heights, surface.a, surface.b, edge_order=2)
    ways = np.stack([surface.plane.u, surface.plane.v]).astype(float)
    return np.asarray(-np.stack(list(slopes), axis=-1) @ np.linalg.inv(ways @ ways.T))
