"""A survey seen from the side: hills, the walk over them, and both again as a shadow on the floor.

The hills show how steep it is at a glance; the shadow shows where. What a hill hides of a walk is
dotted and thin, from whatever side the axes are seen when they are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.hidden import Ground, part_of
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.sight import SLANT, best_side
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE, Style, current
from tinygrad_landscape.draw.surfaces import CASING, grid_shown, honesty, walk_on
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from tinygrad_landscape.descent import Trajectory
    from tinygrad_landscape.surveying import Surface

TALL = 0.72  # the box's height beside its sides
CELLAR = 0.35  # how far below the hills the floor lies, as a share of their height
ABOVE = 0.01  # how far above the ground a walk is drawn, so that it does not sink into it
NEAR = 0.008  # how far the ground may stand above a line of sight without hiding it
FEW = 60  # a walk of more recorded points has no dots


def surface3d(
    surface: Surface,
    walk: Trajectory | None = None,
    ax: Any = None,
    *,
    height: str = "auto",
    clip: float | None = None,
    caption: bool = True,
) -> Picture:
    """Draw a surface as hills seen from the side, with its height lines on the floor.

    Args:
        surface, walk, height, clip, caption: as for `contour`. A walk is drawn at its own losses,
            which lie above or below the hills where it left the plane.
        ax: a 3-D axes, `figure.add_subplot(projection="3d")`; a free figure is made without it.

    Returns:
        A `Picture` with the artists "hills", "shadow", "walk" and "caption".

    Raises:
        ParameterError: if `ax` is not a 3-D axes.

    >>> import tinygrad_landscape as tl
    >>> surface = tl.survey(tl.formulas.himmelblau, None, extent=5.0, resolution=21)
    >>> tl.draw.surface3d(surface)
    Picture(hills, shadow, caption)
    """
    if ax is not None and getattr(ax, "name", "") != "3d":
        raise ParameterError(
            'got flat axes; expected 3-D ones, as figure.add_subplot(projection="3d") makes'
        )
    ax, own = axes(ax, (6.8, 5.8), projection="3d")
    paper = current()
    scale = Heights.of(surface.loss[surface.done], height, clip)
    a, b, labels = grid_shown(surface)
    known = surface.done & np.isfinite(surface.loss)
    low, high = scale.forward(np.array([scale.low, scale.high])).tolist()
    lifted = scale.forward(np.clip(np.where(known, surface.loss, np.nan), None, scale.high)).T
    floor = low - CELLAR * (high - low)
    ground = np.meshgrid(a, b)
    look = {"cmap": paper.heights, "vmin": low, "vmax": high}
    levels = scale.forward(scale.levels(17))
    artists: dict[str, Any] = {
        "hills": ax.plot_surface(*ground, lifted, rcount=101, ccount=101, linewidth=0,
                                 antialiased=False, zorder=2, **look),
        "shadow": ax.contourf(*ground, np.ma.masked_invalid(lifted), levels=levels, offset=floor,
                              alpha=0.55, zorder=0, **look),
    }  # fmt: skip
    if walk is not None:
        path = walk_on(surface.plane, walk)
        heights = np.clip(np.asarray(walk.losses, float), scale.low, scale.high)
        climbed = scale.forward(heights).reshape(len(path), -1) + ABOVE * (high - low)
        hills = Ground(a, b, lifted.T, NEAR * (high - low))
        artists["walk"] = _paths(ax, path, climbed, floor, paper.scale, hills)
    ax.computed_zorder = False  # the floor lies under the hills, also where it is nearer
    _dress(ax, paper)
    ticks = scale.ticks()
    ax.set_zticks(scale.forward(ticks), [said(tick) for tick in ticks])
    ax.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]), zlim=(floor, high))
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.set_zlabel(f"loss ({scale.describe()})")
    spots = np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1)[known]
    crowds = [spots] if walk is None else [spots, path.reshape(-1, 2)]
    corner, sides = np.array([a[0], b[0]]), np.array([np.ptp(a), np.ptp(b)])
    side = best_side(
        (lifted.T - low) / (high - low),
        [(crowd - corner) / sides for crowd in crowds],
        tall=TALL / (1.0 + CELLAR),
    )
    ax.view_init(elev=SLANT, azim=side)
    ax.set_box_aspect((1, 1, TALL), zoom=paper.scale**-0.3)
    text = honesty(surface, walk, scale)
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def _paths(
    ax: Any, path: NDArray, climbed: NDArray, floor: float, size: float, ground: Ground
) -> list[Any]:
    """Draw every walker (R, walkers, 2) at its height, its end as a mark, its shadow below."""
    walkers, found = path.shape[1], []
    for k in range(walkers):
        color = PALETTE[k % 6]
        line = "#ffffff" if walkers == 1 else color
        dashes = (0, DASHES[k % 6] or (1, 0)) if walkers > 1 else "-"
        way = np.column_stack([path[:, k], climbed[:, k]])
        last = way[np.isfinite(way[:, 2])][-1:]
        low = np.where(np.isfinite(climbed[:, k]), floor, np.nan)
        shadow = {"color": CASING, "linewidth": 1.2 * size, "linestyle": dashes, "marker": ""}
        found += ax.plot(*path[:, k].T, low, zorder=1, **shadow)
        plain: dict[str, Any] = {"marker": "", "color": line}
        found += [
            part_of(ax, way, ground, seen=False, linewidth=1.1 * size, linestyle=":", zorder=9,
                    **plain),
            part_of(ax, way, ground, seen=True, linewidth=3.6 * size, zorder=10,
                    **plain | {"color": CASING}),
            part_of(ax, way, ground, seen=True, linewidth=2.0 * size, linestyle=dashes, zorder=11,
                    **plain),
        ]  # fmt: skip
        dot: dict[str, Any] = {"linestyle": "", "color": line}
        if len(path) <= FEW:
            found.append(part_of(ax, way, ground, seen=True, marker=".", markersize=4 * size,
                                 zorder=11, **dot))  # fmt: skip
        end: dict[str, Any] = {"marker": MARKERS[k % 6], "markersize": 8 * size, "zorder": 12}
        found += [
            part_of(ax, last, ground, seen=True, markeredgecolor="#ffffff",
                    **dot | {"color": color}, **end),
            part_of(ax, last, ground, seen=False, markerfacecolor="none", markeredgecolor=color,
                    **dot, **end),
        ]  # fmt: skip
    return found


def _dress(ax: Any, paper: Style) -> None:
    """Walls in the colour of the paper with thin lines, and room for letters of its size."""
    from matplotlib.ticker import MaxNLocator

    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color(paper.paper)
        axis.pane.set_edgecolor(paper.muted)
        axis.pane.set_alpha(1.0)
        axis._axinfo["grid"].update(color=paper.muted, linewidth=0.3)
        axis.labelpad = 9 * paper.scale**2 - 5
        axis.set_tick_params(pad=4 * paper.scale**2 - 3)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(
            MaxNLocator(round(7 / paper.scale), steps=[1, 2, 5, 10], prune="both")
        )
