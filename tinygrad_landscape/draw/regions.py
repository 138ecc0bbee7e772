"""Maps of what becomes of every start, or of every pair of settings.

`BasinMap`: which minimum a start reaches, and how long the way is. `TrainabilityMap`: which pairs
of learning rates train, and how well. Every colour is doubled: basins by the number on their
minimum and a hatching of their own, training by being lighter than what does not train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import PALETTE, current
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.surveying import BasinMap, TrainabilityMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = ("", "//", "..", "\\\\", "xx", "--", "||", "oo", "++", "/", "\\", "OO")
NAMED = len(HATCHES)  # more minima than this share the last, grey place
PALEST = 0.62  # how far towards white the fastest starts of a basin go
OTHER = "#7d8791"
LOST = {-1: ("#f2f2f2", "not settled"), -2: ("#14181d", "diverged")}
BLUES, REDS = ("#f4f9fd", "#2f86c8"), ("#8f3d06", "#2a1002")


def basins(
    basins: BasinMap | TrainabilityMap, ax: Axes | None = None, *, caption: bool = True
) -> Picture:
    """Draw where every start ends, or which settings train.

    Args:
        basins: what `tl.basins` found. On a grid it is a map: a colour for each minimum, paler
            where the way there was short; starts that are no grid become bars. Or what
            `tl.trainability` found: light blue where it trains, dark red where it does not.
        ax: matplotlib axes to draw on; a free figure is made without them.
        caption: write under it what is drawn.

    Returns:
        A `Picture` with the artists "map", "minima" and "legend" (on a grid), "bars" (else), or
        "map" and "bar" (trainability), and "caption".

    Raises:
        ParameterError: if it is neither a BasinMap nor a TrainabilityMap.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.formulas.double_well
    >>> tl.draw.basins(tl.basins(bowl, None, tl.optim.SGD(lr=0.3), 200, resolution=10))
    Picture(map, minima, legend, caption)
    """
    if isinstance(basins, TrainabilityMap):
        return _trainability(basins, ax, caption)
    if not isinstance(basins, BasinMap):
        raise ParameterError(
            f"got {type(basins).__name__}; expected what tl.basins or tl.trainability returns"
        )
    return (_bars if basins.plane is None else _map)(basins, ax, caption)


# Basins -------------------------------------------------------------------------------------------


def _map(basins: BasinMap, ax: Axes | None, caption: bool) -> Picture:
    assert basins.plane is not None and basins.a is not None and basins.b is not None
    ax, own = axes(ax, (7.4, 5.2))
    plane, size = basins.plane, current().scale
    a, b = basins.a + plane.absolute[0], basins.b + plane.absolute[1]
    pixels = basin_colors(basins.labels, basins.arrival)
    artists: dict[str, Any] = {
        "map": ax.imshow(pixels.transpose(1, 0, 2), origin="lower", extent=_edges(a, b),
                         interpolation="nearest", aspect="auto"),
    }  # fmt: skip
    _hatch(ax, a, b, basins.labels)
    artists["minima"] = _minima(ax, basins, size)
    limits = _edges(a, b)
    ax.set(xlim=limits[:2], ylim=limits[2:], xlabel=plane.labels[0], ylabel=plane.labels[1])
    if plane.units[0] == plane.units[1] and 1 / 3 < np.ptp(a) / np.ptp(b) < 3:
        ax.set_aspect("equal")
    artists["legend"] = _legend(ax, basins, own)
    slow = int(basins.arrival.max(initial=0))
    words = f"{plane.describe()} Paler: a shorter way; the longest is {slow} steps."
    if plane.size > 2 and len(basins.minima):
        off = plane.residual(basins.minima)
        words += f" The minima lie off this plane (residual {off.min():.2g} to {off.max():.2g})."
    if caption:
        artists["caption"] = caption_below(ax, words, own)
    text = f"{basins.describe()} {words}"
    return Picture(ax, artists, text, own)


def basin_colors(labels: NDArray, arrival: NDArray) -> NDArray[np.float64]:
    """The colour of every start, RGB (..., 3): a hue per minimum, paler where the way was short."""
    from matplotlib.colors import to_rgb

    hues = np.array([_color(k) for k in range(NAMED + 1)])
    longest = max(1.0, float(arrival.max(initial=0)))
    slow = np.log1p(np.maximum(arrival, 0)) / np.log1p(longest)
    pale = (PALEST * (1.0 - slow))[..., None]
    colors = hues[np.clip(labels, 0, NAMED)] * (1.0 - pale) + pale
    for label, (color, _) in LOST.items():
        colors[labels == label] = to_rgb(color)
    return np.asarray(colors)


def _color(label: int) -> Any:
    """Six hues, the same six darker, grey."""
    from matplotlib.colors import to_rgb

    if label >= NAMED:
        return to_rgb(OTHER)
    return tuple(part * (1.0 if label < 6 else 0.62) for part in to_rgb(PALETTE[label % 6]))


def _height(loss: float) -> str:
    return f"loss {said(loss)}" if abs(loss) > 1e-12 else "loss 0"


def _hatch(ax: Axes, a: NDArray, b: NDArray, labels: NDArray) -> None:
    """A sparse pattern over every basin but the first."""
    import matplotlib

    with matplotlib.rc_context({"hatch.linewidth": 0.5}):
        for k in range(1, min(NAMED, int(labels.max(initial=0)) + 1)):
            mine = (labels == k).T.astype(float)
            if mine.any() and min(mine.shape) > 1:
                filled = ax.contourf(
                    a, b, mine, levels=[0.5, 1.5], colors="none", hatches=[HATCHES[k]]
                )
                filled.set_edgecolor((0.0, 0.0, 0.0, 0.35))
                filled.set_linewidth(0.0)


def _minima(ax: Axes, basins: BasinMap, size: float) -> list[Any]:
    """A numbered mark where each minimum lies, if that is in the picture."""
    found: list[Any] = []
    plane: Any = basins.plane
    minima = basins.minima[:NAMED]
    places = plane.coordinates(minima) + np.asarray(plane.absolute) if len(minima) else []
    for k, (x, y) in enumerate(places):
        found += ax.plot(
            x, y, marker="o", markersize=11 * size, markerfacecolor=_color(k),
            markeredgecolor="#ffffff", markeredgewidth=1.4 * size, zorder=5, clip_on=True,
        )  # fmt: skip
        found.append(
            ax.text(x, y, str(k + 1), ha="center", va="center_baseline", color="#ffffff",
                    fontsize=7.5 * size, weight="bold", zorder=6, clip_on=True)
        )  # fmt: skip
    return found


def _legend(ax: Axes, basins: BasinMap, own: bool) -> Any:
    from matplotlib.patches import Patch

    entries = []
    for k, (share, loss) in enumerate(zip(basins.shares[:NAMED], basins.losses, strict=False)):
        words = f"{k + 1}: {share:.1%}, {_height(float(loss))}"
        entries.append((_color(k), HATCHES[k], words))
    if len(basins.shares) > NAMED:
        rest = float(basins.shares[NAMED:].sum())
        entries.append((OTHER, "", f"{len(basins.shares) - NAMED} others: {rest:.1%}"))
    for label, (color, words) in LOST.items():
        share = float((basins.labels == label).mean())
        if share:
            entries.append((color, "", f"{words}: {share:.1%}"))
    patches = [
        Patch(facecolor=color, edgecolor="#00000066", hatch=hatch * 2, linewidth=0.5, label=words)
        for color, hatch, words in entries
    ]
    place: dict[str, Any] = {"loc": "upper left", "borderaxespad": 0.0}
    if own:
        return ax.legend(handles=patches, title="starts that end in", bbox_to_anchor=(1.03, 1.0),
                         alignment="left", **place)  # fmt: skip
    return ax.legend(handles=patches, frameon=True, framealpha=0.85, loc="best")


def _bars(basins: BasinMap, ax: Axes | None, caption: bool) -> Picture:
    """Starts that are no grid have no map: how many reach which minimum."""
    rows = min(13, len(basins.shares)) + 2
    ax, own = axes(ax, (6.4, 1.2 + 0.26 * rows * current().scale))
    shares, names, colors, hatches = [], [], [], []
    for k, (share, loss) in enumerate(zip(basins.shares[:12], basins.losses, strict=False)):
        shares.append(float(share))
        names.append(f"{k + 1}: {_height(float(loss))}")
        colors.append(_color(k))
        hatches.append(HATCHES[k] if k < NAMED else "")
    if len(basins.shares) > 12:
        shares.append(float(basins.shares[12:].sum()))
        names.append(f"{len(basins.shares) - 12} others")
        colors.append(OTHER)
        hatches.append("")
    for label, (color, words) in LOST.items():
        share = float((basins.labels == label).mean())
        if share:
            shares, names = [*shares, share], [*names, words]
            colors, hatches = [*colors, color], [*hatches, ""]
    bars = ax.barh(
        names, np.array(shares) * 100.0, color=colors, hatch=hatches, edgecolor=current().muted,
        linewidth=0.6,
    )  # fmt: skip
    ax.bar_label(bars, fmt="%.1f %%", padding=4)
    ax.invert_yaxis()
    ax.margins(x=0.14)
    ax.set(xlabel="share of all starts (%)", ylabel="minimum, lowest first")
    ax.tick_params(axis="y", length=0)
    words = f"{basins.labels.size} starts, by the minimum they reach."
    artists: dict[str, Any] = {"bars": bars}
    if caption:
        artists["caption"] = caption_below(ax, words, own)
    return Picture(ax, artists, basins.describe(), own)


# Trainability -------------------------------------------------------------------------------------


def _trainability(found: TrainabilityMap, ax: Axes | None, caption: bool) -> Picture:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap

    ax, own = axes(ax, (6.6, 5.4))
    blue = LinearSegmentedColormap.from_list("trains", BLUES)
    red = LinearSegmentedColormap.from_list("fails", REDS)
    shade = trainability_shades(found)
    colors = np.where(found.trains[..., None], blue(shade)[..., :3], red(shade)[..., :3])
    colors[np.isnan(found.ratio)] = 1.0  # never tried: neither trains nor fails
    artists: dict[str, Any] = {
        "map": ax.pcolormesh(
            _log_edges(found.a), _log_edges(found.b), colors.transpose(1, 0, 2), rasterized=True
        )
    }
    ax.set(xscale="log", yscale="log", xlabel=_axis(found.names[0]), ylabel=_axis(found.names[1]))
    if own:
        falling = np.linspace(1, 0, 128)
        both = ListedColormap(np.vstack([red(falling), blue(falling)]))
        bar = ax.figure.colorbar(ScalarMappable(cmap=both), ax=ax, pad=0.02, fraction=0.05)
        bar.set_ticks(
            [0.0, 0.25, 0.5, 0.75, 1.0], labels=["worst", "fails", "border", "trains", "best"]
        )
        bar.ax.tick_params(length=0)
        bar.outline.set_visible(False)
        artists["bar"] = bar
    text = (
        f"{found.describe()} Colours go by rank, not by height: light blue trains fastest, dark "
        "red fails fastest. Both axes are log."
    )
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def trainability_shades(found: TrainabilityMap) -> NDArray[np.float64]:
    """How far every pair is from the best of its kind, by rank: 0 the best that trains (or the
    mildest that fails), 1 the slowest that trains (or the worst that fails); shape (A, B)."""
    shade = np.zeros(found.ratio.shape)
    for kind in (found.trains, found.ratio >= 1.0):
        speed = found.speed[kind]  # high: trains slowly, or fails fast
        _, rank, counts = np.unique(speed, return_inverse=True, return_counts=True)
        if len(counts) > 1:
            below = np.cumsum(counts) - counts
            shade[kind] = (below / below[-1])[rank]
    return shade


def _axis(name: str) -> str:
    return f"learning rate of layer {name}" if name.isdigit() else name


# Edges of cells -----------------------------------------------------------------------------------


def _edges(a: NDArray, b: NDArray) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a picture whose cells have their centres at a and b."""
    da, db = ((axis[-1] - axis[0]) / max(1, len(axis) - 1) / 2 for axis in (a, b))
    return float(a[0] - da), float(a[-1] + da), float(b[0] - db), float(b[-1] + db)


def _log_edges(axis: NDArray) -> NDArray:
    step = (axis[-1] / axis[0]) ** (0.5 / max(1, len(axis) - 1))
    return np.append(axis / step, axis[-1] * step)
