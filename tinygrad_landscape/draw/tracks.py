"""A scene's layers in pixels, as a page needs them that draws without any mathematics.

Every number is a place on the page, every text is written out, every row is a moment: the page in
`static/film.html` only shows what it is told. A kind of layer that it cannot draw itself travels as
small pictures.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.layers import Layer, said
from tinygrad_landscape.draw.png import encode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.draw.scene import Scene


def tracks(scene: Scene) -> list[dict[str, Any]]:
    """Every layer as plain JSON: kind, look, the box it is clipped to, and its rows in pixels."""
    scene.spec()  # settles the layout, so that data have their final places
    axes, height = list(scene.axes.values()), scene.size[1]
    found = []
    for layer in scene.layers.values():
        if not len(layer.data):
            continue
        ax = axes[layer.axes]
        box = ax.get_window_extent()
        common = {
            "follow": layer.follow,
            "look": layer.look,
            "clip": [*_round([box.x0, height - box.y1]), *_round([box.width, box.height])],
        }
        if layer.look.get("trail"):
            colors = [f"{color}99" for color in layer.look["colors"]]
            look = {"colors": colors, "width": layer.look["trail"], "dash": []}
            rows = _lines(layer, ax, height)
            found.append(common | {"kind": "polyline", "look": look, "rows": rows})
        make = _TRACKS.get(layer.kind)
        rows = make(layer, ax, height) if make else _pictures(layer, ax)
        found.append(common | {"kind": layer.kind if make else "picture", "rows": rows})
    return found


def _moments(layer: Layer) -> NDArray[np.float64]:
    """The rows that are ever seen one at a time."""
    return layer.data if layer.follow else layer.data[:1]


def _places(data: NDArray, ax: Axes, height: int) -> NDArray[np.float64]:
    """Data coordinates (..., 2) as pixels from the page's upper left corner."""
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = np.asarray(ax.transData.transform(data.reshape(-1, 2))).reshape(data.shape)
    pixels[..., 1] = height - pixels[..., 1]
    return pixels


def _round(values: Any) -> list[float | None]:
    """Tenths of a pixel; what is not finite is None."""
    return [round(float(v), 1) if math.isfinite(v) else None for v in values]


def _lines(layer: Layer, ax: Axes, height: int) -> list[Any]:
    data = layer.data if layer.kind != "curve" else _moments(layer)
    places = np.clip(_places(data, ax, height), -1e5, 1e5)
    return [[_round(point) for point in row] for row in places]


def _points(layer: Layer, ax: Axes, height: int) -> list[Any]:
    """Points as [x, y]; what left the frame waits on the rim as [x, y, turn] towards it."""
    (x0, x1), (y0, y1) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    data = _moments(layer)
    held = np.clip(data, [x0, y0], [x1, y1])
    here, there = _places(held, ax, height), _places(data, ax, height)
    gone = (held != data).any(axis=-1) & np.isfinite(data).all(axis=-1)
    way = np.where(np.isfinite(there), there, np.where(data > held, 1e6, -1e6)) - here
    turn = np.degrees(np.arctan2(way[..., 1], way[..., 0]))
    return [
        [_round(p) + (_round([t]) if g else []) for p, t, g in zip(*row, strict=True)]
        for row in zip(here, turn, gone, strict=True)
    ]


def _arrows(layer: Layer, ax: Axes, height: int) -> list[Any]:
    data = _moments(layer)
    start = _places(data[..., :2], ax, height)
    end = _places(data[..., :2] + data[..., 2:], ax, height)
    return [[_round(arrow) for arrow in row] for row in np.concatenate([start, end], axis=-1)]


def _words(layer: Layer, ax: Axes, height: int) -> list[str]:
    template = layer.look["template"]
    return [
        "" if np.isnan(row[0]).all() else template.format(*(said(float(v)) for v in row[0]))
        for row in _moments(layer)
    ]


def _pictures(layer: Layer, ax: Axes) -> list[str]:
    """Every moment painted by matplotlib on glass, as the address of a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure: Any = ax.get_figure()
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for frame in range(len(_moments(layer))):
        renderer.clear()
        for artist in layer.artists(ax, frame):
            if artist.axes is None:
                ax.add_artist(artist)
            artist.draw(renderer)
            artist.remove()
        pixels = np.asarray(renderer.buffer_rgba())
        found.append("data:image/png;base64," + base64.b64encode(encode(pixels)).decode())
    return found


_TRACKS = {
    "polyline": _lines,
    "curve": _lines,
    "ball": _points,
    "marker": _points,
    "arrow": _arrows,
    "text": _words,
}
