"""Maps of a survey: height lines from above, and the walk that crosses them.

Every map carries its honesty line: which plane this is, what one unit means, how much of the walk
lies in it, and how heights became colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import Layer, said
from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE
from tinygrad_landscape.engine.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.descent import Trajectory
    from tinygrad_landscape.surveying import Plane, Surface

# A walk is white on a dark casing, so that it shows on every height.
CASING = "#10151c"
WALK: dict[str, Any] = {"casing": CASING, "width": 1.8, "dots": 2.0}


def contour(
    surface: Surface,
    walk: Trajectory | None = None,
    ax: Axes | None = None,
    *,
    height: str = "auto",
    clip: float | None = None,
    caption: bool = True,
) -> Picture:
    """Draw a surface from above as filled height lines, with a walk on it.

    Args:
        surface: what `tl.survey` brought home.
        walk: a Trajectory, of one walker or many, in weights `(R, ..., P)` or, when it was made
            on `L.restrict(plane)`, in the plane's own coordinates `(R, ..., 2)`.
        ax: matplotlib axes to draw on; a free figure is made without them.
        height: "linear", "sqrt", "log", or "auto", which chooses by how steep the walls are.
        clip: heights above this are drawn alike.
        caption: write the honesty line under the map.

    Returns:
        A `Picture` with the artists "map", "lines", "bar" (with its own figure) and "walk".

    >>> import tinygrad_landscape as tl
    >>> surface = tl.survey(tl.formulas.himmelblau, extent=5.0, resolution=21)
    >>> tl.draw.contour(surface)
    Picture(map, lines, bar, caption)
    """
    ax, own = axes(ax, (6.4, 5.4))
    scale = Heights.of(surface.loss[surface.done], height, clip)
    a, b, shown = grid_shown(surface)
    heights = np.ma.masked_invalid(np.where(surface.done, surface.loss, np.nan)).T
    artists = height_map(ax, a, b, heights, scale)
    _hatch_unfinite(ax, a, b, surface)
    ax.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]), xlabel=shown[0], ylabel=shown[1])
    if surface.plane.units[0] == surface.plane.units[1] and 1 / 3 < np.ptp(a) / np.ptp(b) < 3:
        ax.set_aspect("equal")
    if own:
        artists["bar"] = height_bar(ax, artists["map"], scale)
    if walk is not None:
        artists["walk"] = _path(ax, walk_on(surface.plane, walk))
    text = honesty(surface, walk, scale)
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def honesty(surface: Surface, walk: Trajectory | None = None, scale: Heights | None = None) -> str:
    """The words every map owes its reader: plane, unit, share of the walk in it, height, grid."""
    plane = surface.plane
    scale = scale or Heights.of(surface.loss[surface.done])
    parts = [plane.describe().rstrip(".")]
    if walk is not None:
        parts.append(_share_in_plane(plane, walk))
    parts.append(f"{scale.describe().capitalize()}, {len(surface.a)} x {len(surface.b)} grid")
    odd = int((surface.done & ~np.isfinite(surface.loss)).sum())
    if odd:
        parts.append(f"{odd} hatched cells are not finite")
    if not surface.done.all():
        parts.append(f"{int((~surface.done).sum())} blank cells are not surveyed yet")
    return ". ".join(parts) + "."


def walk_on(plane: Plane, walk: Trajectory) -> NDArray:
    """A walk in the numbers the axes show, shape (R, walkers, 2)."""
    points = np.asarray(walk.points)
    if points.shape[-1] not in (plane.size, 2):
        raise ShapeError(
            f"got a walk through {points.shape[-1]} weights and a plane in {plane.size}; "
            "survey the landscape the walk was made on"
        )
    inside = points if points.shape[-1] != plane.size else plane.coordinates(points)
    return (inside + np.asarray(plane.absolute)).reshape(len(points), -1, 2)


def height_map(ax: Axes, a: NDArray, b: NDArray, heights: Any, scale: Heights) -> dict[str, Any]:
    """Fill and line the heights `(B, A)` over the axes' numbers `a (A,)` and `b (B,)`."""
    from matplotlib.colors import FuncNorm

    levels = scale.levels(33)
    norm = FuncNorm((scale.forward, scale.inverse), vmin=scale.low, vmax=scale.high)
    extend = "max" if scale.clipped else "neither"
    filled = ax.contourf(
        a, b, heights, levels=levels, norm=norm, cmap=_heights_map(), extend=extend
    )
    lines = ax.contour(a, b, heights, levels=levels[2:-1:2], colors="#ffffff", linewidths=0.6,
                       alpha=0.35)  # fmt: skip
    return {"map": filled, "lines": lines}


def height_bar(ax: Axes, filled: Any, scale: Heights) -> Any:
    """A colour bar beside `ax` that reads in losses, whatever the scale."""
    bar = ax.figure.colorbar(filled, ax=ax, ticks=scale.ticks(), pad=0.02, fraction=0.05)
    bar.ax.set_yticklabels([said(tick) for tick in scale.ticks()])
    bar.set_label(f"loss ({scale.describe()})")
    bar.outline.set_visible(False)
    return bar


def grid_shown(surface: Surface) -> tuple[NDArray, NDArray, tuple[str, str]]:
    """Grid lines in the numbers shown: a weight's own value where an axis is a weight."""
    plane = surface.plane
    return surface.a + plane.absolute[0], surface.b + plane.absolute[1], plane.labels


def _heights_map() -> str:
    import matplotlib

    return matplotlib.rcParams["image.cmap"]


def _hatch_unfinite(ax: Axes, a: NDArray, b: NDArray, surface: Surface) -> None:
    odd = (surface.done & ~np.isfinite(surface.loss)).T
    if odd.any():
        ax.contourf(a, b, odd.astype(float), levels=[0.5, 1.5], colors="none", hatches=["////"])


def _path(ax: Axes, path: NDArray) -> list[Any]:
    """Draw (R, walkers, 2): one walker in white with a dark casing, several each in its own."""
    walkers = path.shape[1]
    found: list[Any] = []
    for k in range(walkers):
        look = WALK | {"dash": list(DASHES[k % 6])}
        look["colors"] = ["#ffffff"] if walkers == 1 else [PALETTE[k % 6]]
        line = Layer("walk", "polyline", 0, False, look)
        line.set(path[:, k])
        ends = Layer(
            "end", "ball", 0, False, {"colors": [PALETTE[k % 6]], "shapes": [MARKERS[k % 6]]}
        )
        ends.set(path[-1:, k])
        found += line.artists(ax, 0) + ends.artists(ax, 0)
    for artist in found:
        ax.add_artist(artist)
    return found


def _share_in_plane(plane: Plane, walk: Trajectory) -> str:
    """How much of the walk's distance from the plane's origin the picture shows."""
    points = np.asarray(walk.points)
    if points.shape[-1] != plane.size or plane.size == 2:
        return "The walk moves in this plane only"
    away = np.linalg.norm(points - plane.origin, axis=-1)
    off = plane.residual(points) * away
    total = float((away**2).sum())
    share = 1.0 - float((off**2).sum()) / total if total else 1.0
    return f"{share:.0%} of the walk's squared distance from the centre lies in this plane"
