"""The moving layers of a scene: plain data in data coordinates, and how matplotlib paints them.

The browser paints the same eight kinds in `paint.js`. Of a layer that follows, a polyline shows its
first rows up to the scene's frame and the others the row of that frame; a layer that does not
follow shows everything it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.engine.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLUMNS = {
    "polyline": 2, "curve": 2, "ball": 2, "marker": 2, "arrow": 4, "text": None, "heights": None,
    "bands": 4,
    "cells": None,
}  # fmt: skip
LOOK: dict[str, dict[str, Any]] = {
    "polyline": {
        "colors": ["#ffffff"], "dash": [], "width": 1.8, "casing": None, "dots": 0.0, "ghost": 0.0,
    },
    "curve": {"colors": ["#D55E00"], "dash": [], "width": 1.8, "casing": None},
    "ball": {
        "colors": ["#D55E00"], "shapes": ["o"], "size": 12.0, "edge": "#ffffff", "trail": 0.0,
    },
    "marker": {"colors": ["#ffffff"], "shapes": ["+"], "size": 9.0, "edge": "#10151c"},
    "arrow": {"colors": ["#1c2430"], "width": 1.8, "casing": None},
    "text": {
        "color": "#1c2430", "at": [0.02, 0.98], "size": 12.0, "template": "{0}", "align": "left",
        "halo": None,
    },
    "heights": {"colors": ["#440154", "#fde725"], "lines": True},
    "bands": {"colors": ["#E69F00"], "words": [""], "hatches": [0], "size": 12.0, "ink": "#10151c"},
    "cells": {"colors": ["#D55E00", "#0072B2"], "hatches": [""]},
}  # fmt: skip


@dataclass(eq=False)
class Layer:
    """One layer: `data` has shape (rows, items, columns); a row is a moment, an item a walker.

    A curve's items are its corners, one whole curve a moment. A text is filled with the numbers of
    its only item, and blank where all are NaN. Bands are stretches of x, (from, to, kind, mark): a
    kind has a colour, a word and a hatch (0 none, 1 rising lines, -1 falling ones, 2 both); the
    word stands at the mark, or in the middle; only its first letter where it has no room. Heights
    are a grid over the whole axes, items along x and columns along y, as shares 0..1 of the way
    through their colours. Cells are such a grid of the numbers of their colours, each a rectangle
    with its colour's hatching; 255 is left open.

    `look` holds what stays: colours (and dash or marker, one per item in turn), width, size.
    """

    name: str
    kind: str
    axes: int
    follow: bool
    look: dict[str, Any]
    data: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 1, 2)))

    def __post_init__(self) -> None:
        if self.kind not in COLUMNS:
            raise ParameterError(f"got kind {self.kind!r}; expected one of {', '.join(COLUMNS)}")
        unknown = set(self.look) - set(LOOK[self.kind])
        if unknown:
            raise ParameterError(
                f"a {self.kind} has no {', '.join(sorted(unknown))}; it has "
                f"{', '.join(LOOK[self.kind])}"
            )
        self.look = LOOK[self.kind] | self.look

    def set(self, array: ArrayLike) -> None:
        """Replace the data; `(rows, columns)` is taken as one item that moves, or, for points that
        stand still, as one row of items."""
        data = np.array(array, dtype=np.float64)
        if data.ndim == 1 and data.size:
            data = data[None, :]
        if data.ndim == 2:
            still = self.kind in ("heights", "cells") or (
                not self.follow and self.kind in ("curve", "ball", "marker", "arrow", "bands")
            )
            data = data[None, :, :] if still else data[:, None, :]
        columns = COLUMNS[self.kind]
        if data.size == 0:
            data = np.empty((0, 1, columns or 1))
        elif data.ndim != 3 or (columns is not None and data.shape[2] != columns):
            raise ShapeError(
                f"got data of shape {np.shape(array)} for the {self.kind} {self.name!r}; expected "
                f"(rows, {columns or 'values'}) or (rows, items, {columns or 'values'})"
            )
        self.data = data

    def row(self, frame: int) -> NDArray[np.float64]:
        """What a point-like layer shows at `frame`: (items, columns)."""
        if not len(self.data):
            return self.data.reshape(0, self.data.shape[2])
        return self.data[min(frame, len(self.data) - 1) if self.follow else 0]

    def artists(self, ax: Axes, frame: int) -> list[Artist]:
        """Matplotlib artists, in pixels of a 100 dpi figure, ready to be added to `ax`."""
        return _PAINTERS[self.kind](self, ax, frame) if len(self.data) else []


def said(value: float) -> str:
    """A number as labels write it: three figures, the same in Python and in the browser.

    >>> said(12.0), said(0.123456), said(1.5e-9), said(float("nan"))
    ('12', '0.123', '1.5e-9', 'not finite')
    """
    if not math.isfinite(value):
        return "not finite"
    if value == 0.0 or 1e-4 <= abs(value) < 1e6:
        whole = value == int(value)
        return str(int(value)) if whole else f"{float(f'{value:.2e}'):.10g}"
    digits, exponent = f"{value:.2e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"


def _points(pixels: float) -> float:
    return pixels * 0.72  # a scene is laid out at 100 dots per inch, matplotlib measures in 1/72


def _groups(layer: Layer, items: int) -> list[tuple[str, NDArray[np.intp]]]:
    """The items that share one colour, for every colour in use."""
    colors = layer.look["colors"]
    every = np.arange(items)
    return [(color, every[every % len(colors) == k]) for k, color in enumerate(colors[:items])]


def _polyline(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    from matplotlib.lines import Line2D

    look, rows = layer.look, layer.data
    found: list[Artist] = []
    seen = rows[: frame + 1] if layer.follow else rows
    for color, items in _groups(layer, rows.shape[1]):
        passes: list[tuple[NDArray[Any], dict[str, Any]]] = []
        if layer.follow and look["ghost"] and len(seen) < len(rows):
            passes.append((rows, {"linewidth": look["width"], "alpha": look["ghost"]}))
        if look["casing"]:
            cased = {"color": look["casing"], "linewidth": look["width"] + 2.4}
            passes.append((seen, cased | {"markersize": 2 * look["dots"] + 1.6}))
        passes.append((seen, {"linewidth": look["width"], "markersize": 2 * look["dots"]}))
        for part, extra in passes:
            given: dict[str, Any] = {"color": color, "markersize": 0.0} | extra
            given["linewidth"] = _points(given["linewidth"])
            given["markersize"] = _points(given["markersize"])
            line = Line2D(
                *_joined(part[:, items]).T,
                marker="o" if given["markersize"] else "",
                markeredgewidth=0,
                solid_joinstyle="round",
                **given,
            )
            if look["dash"] and given["color"] != look["casing"]:
                line.set_linestyle((0, [d / look["width"] for d in look["dash"]]))
            found.append(line)
    return found


def _curve(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    whole = Layer(layer.name, "polyline", layer.axes, False, layer.look)
    whole.data = layer.row(frame)[:, None]
    return _polyline(whole, ax, 0)


def _joined(rows: NDArray) -> NDArray:
    """Several polylines as one, with NaN between them."""
    gap = np.full((1, rows.shape[1], 2), np.nan)
    return np.concatenate([rows, gap]).transpose(1, 0, 2).reshape(-1, 2)


def _ball(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    """Points; one that left the frame becomes a triangle on the rim that points to it. With a
    `trail` (its width), the way that each has come, half transparent."""
    from matplotlib.lines import Line2D

    look, row = layer.look, layer.row(frame)
    (x0, x1), (y0, y1) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    low, high = np.array([x0, y0]), np.array([x1, y1])
    inside = np.clip(row, low, high)
    gone = np.any(inside != row, axis=1) & np.isfinite(row).all(axis=1)
    found: list[Artist] = []
    if look.get("trail"):
        faint = {"colors": [f"{color}99" for color in look["colors"]], "width": look["trail"]}
        way = Layer(layer.name, "polyline", layer.axes, layer.follow, faint)
        way.data = layer.data
        found += _polyline(way, ax, frame)
    style: dict[str, Any] = {"linestyle": "", "clip_on": False, "markeredgecolor": look["edge"]}
    style |= {"markeredgewidth": _points(1.6), "markersize": _points(look["size"])}
    for k, color in enumerate(look["colors"][: len(row)]):
        mine = np.arange(len(row)) % len(look["colors"]) == k
        shape = look["shapes"][k % len(look["shapes"])]
        here = row[mine & ~gone]
        found.append(Line2D(*here.T, marker=shape, color=color, **style))
        for place, target in zip(inside[mine & gone], row[mine & gone], strict=True):
            way = ax.transData.transform(target) - ax.transData.transform(place)
            turned: Any = (3, 0, math.degrees(math.atan2(way[1], way[0])) - 90.0)
            found.append(Line2D(*place[:, None], marker=turned, color=color, **style))
    return found


def _marker(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    return _ball(layer, ax, frame)


def _arrow(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    from matplotlib import patheffects
    from matplotlib.patches import FancyArrowPatch

    look = layer.look
    found: list[Artist] = []
    for k, (x, y, dx, dy) in enumerate(layer.row(frame)):
        if not np.isfinite([x, y, dx, dy]).all() or (dx == 0 and dy == 0):
            continue
        arrow = FancyArrowPatch(
            (x, y),
            (x + dx, y + dy),
            arrowstyle="-|>,head_width=0.3,head_length=0.6",
            mutation_scale=_points(14),
            shrinkA=0,
            shrinkB=0,
            color=look["colors"][k % len(look["colors"])],
            linewidth=_points(look["width"]),
        )
        if look["casing"]:
            edge = patheffects.withStroke(
                linewidth=_points(look["width"] + 2.4), foreground=look["casing"]
            )
            arrow.set_path_effects([edge])
        found.append(arrow)
    return found


def _text(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    look = layer.look
    values = layer.row(frame)[0]
    if np.isnan(values).all():
        return []
    words = look["template"].format(*(said(float(value)) for value in values))
    x, y = look["at"]
    vertical = "bottom" if y >= 1 else "top"
    text = ax.text(x, y, words, transform=ax.transAxes, va=vertical, ha=look["align"],
                   color=look["color"], fontsize=_points(look["size"]), clip_on=False)  # fmt: skip
    if look["halo"]:
        from matplotlib import patheffects

        text.set_path_effects(
            [patheffects.withStroke(linewidth=_points(4), foreground=look["halo"])]
        )
    return [text]


def _heights(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    shares = np.ma.masked_invalid(layer.row(frame).T)
    grid = [np.linspace(*limits, n) for limits, n in
            zip((ax.get_xlim(), ax.get_ylim()), shares.shape[::-1], strict=True)]  # fmt: skip
    colors = layer.look["colors"]
    levels = np.linspace(0.0, 1.0, len(colors) + 1)
    filled = ax.contourf(*grid, np.clip(shares, 0.0, 1.0), levels=levels, colors=colors)
    if not layer.look["lines"]:
        return [filled]
    lines = ax.contour(
        *grid, shares, levels=levels[2:-1:2], colors="#ffffff", linewidths=0.6, alpha=0.35
    )
    return [filled, lines]


def _bands(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    from matplotlib import patheffects
    from matplotlib.patches import Rectangle

    look, across = layer.look, ax.get_xaxis_transform()
    found: list[Artist] = []
    for low, high, kind, mark in layer.row(frame):
        color, word, hatch = (look[name][int(kind)] for name in ("colors", "words", "hatches"))
        marks = {0: "", 1: "//", -1: "\\\\", 2: "xx"}[hatch]
        faint = f"{look['ink']}59"
        found.append(Rectangle((low, 0.0), high - low, 1.0, transform=across, linewidth=0.0,
                               facecolor=color, edgecolor=faint, hatch=marks))  # fmt: skip
        left, right = (ax.transData.transform((x, 0.0))[0] for x in (low, high))
        if (len(word) + 1) * 0.6 * look["size"] > right - left:
            word = word[:1] if np.isfinite(mark) else ""
        elif not np.isfinite(mark):
            mark = ax.transData.inverted().transform(((left + right) / 2, 0.0))[0]
        if word:
            halo = patheffects.withStroke(linewidth=_points(4), foreground=color)
            found.append(ax.text(mark, 0.5, word, transform=across, ha="center", clip_on=False,
                                 va="center_baseline", color=look["ink"], path_effects=[halo],
                                 fontsize=_points(look["size"])))  # fmt: skip
    return found


def _cells(layer: Layer, ax: Axes, frame: int) -> list[Artist]:
    from matplotlib.image import BboxImage

    box = ax.get_window_extent()
    wide, high = (round(side * 100.0 / ax.figure.dpi) for side in (box.width, box.height))
    picture = BboxImage(ax.bbox, interpolation="nearest", origin="upper", zorder=1)
    picture.set_data(tiled(layer.row(frame), layer.look, wide, high))
    return [picture]


def tiled(numbers: NDArray, look: dict[str, Any], wide: int, high: int) -> NDArray[np.uint8]:
    """A grid of colour numbers (items, columns) as a picture RGBA (high, wide, 4)."""
    from matplotlib.colors import to_rgba_array

    x, y = np.arange(wide), np.arange(high)[:, None]
    i = x * numbers.shape[0] // wide
    j = (high - 1 - y) * numbers.shape[1] // high
    number = numbers[i, j].astype(int)
    colors = 255.0 * to_rgba_array([*look["colors"], "#00000000"])
    number = np.where(number < len(look["colors"]), number, len(look["colors"]))
    picture = colors[number]
    for k, mark in enumerate(look["hatches"]):
        inked = HATCHES[mark](x, y) & (number % len(look["hatches"]) == k)
        picture[inked, :3] *= INK
    return picture.astype(np.uint8)


INK = 0.62  # how much of its light a hatched pixel keeps
HATCHES: dict[str, Callable[[NDArray, NDArray], NDArray]] = {  # as in paint.js
    "": lambda x, y: np.zeros(np.broadcast_shapes(x.shape, y.shape), bool),
    "/": lambda x, y: (x + y) % 9 == 0,
    "\\": lambda x, y: (x - y) % 9 == 0,
    ".": lambda x, y: (x % 6 < 2) & (y % 6 < 2),
    "x": lambda x, y: ((x + y) % 11 == 0) | ((x - y) % 11 == 0),
    "-": lambda x, y: (y % 7 == 0) & (x >= 0),
    "|": lambda x, y: (x % 7 == 0) & (y >= 0),
    "+": lambda x, y: (x % 9 == 0) | (y % 9 == 0),
    "o": lambda x, y: (abs(x % 10 - 5) + abs(y % 10 - 5)) == 3,
}


_PAINTERS = {
    "polyline": _polyline,
    "curve": _curve,
    "ball": _ball,
    "marker": _marker,
    "arrow": _arrow,
    "text": _text,
    "heights": _heights,
    "bands": _bands,
    "cells": _cells,
}
assert set(_PAINTERS) == set(COLUMNS) == set(LOOK)
