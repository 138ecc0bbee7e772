"""A scene: what stands still is drawn once, what moves is data.

A matplotlib figure takes a tenth of a second and more to draw, so no slider may redraw one. A scene
keeps the drawn background as pixels and lays a few moving layers over it: in Python by blitting
onto the cached buffer, in a browser by `panels.Stage`. It is plain data and knows no widget.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw.film import WRITERS, save_film
from tinygrad_landscape.draw.layers import Layer
from tinygrad_landscape.draw.png import encode
from tinygrad_landscape.draw.style import Style, named
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100  # one scene pixel is one CSS pixel


class Scene:
    """A background drawn once and layers that move over it, sharing one frame number.

    Args:
        figure: a matplotlib Figure with everything that stands still; its size in inches times
            100 is the scene's size in pixels.
        axes: names for the figure's axes; "0", "1", ... without.
        style: "light", "dark", "projector" or a Style: the paper a browser continues around it.

    Axis limits are frozen: moving them would mean drawing the background again.

    >>> from matplotlib.figure import Figure
    >>> figure = Figure(figsize=(4, 3))
    >>> scene = Scene(figure, {"map": figure.add_subplot(xlim=(0, 1), ylim=(0, 1))})
    >>> scene.add("walk", "polyline", "map", follow=True)
    >>> scene.set("walk", [[0.1, 0.2], [0.4, 0.5], [0.9, 0.6]])
    >>> scene.frames, scene.png()[1:4]
    (3, b'PNG')
    """

    def __init__(
        self, figure: Figure, axes: Mapping[str, Axes] | None = None, style: str | Style = "light"
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.figure = figure
        self.style = named(style) if isinstance(style, str) else style
        self.axes = dict(axes) if axes else {str(k): ax for k, ax in enumerate(figure.axes)}
        self.layers: dict[str, Layer] = {}
        self.frame, self.redrawn = 0, 0
        self.veils: dict[str, str] = {}
        self.veiled = True
        figure.set_dpi(DPI)
        self._canvas = FigureCanvasAgg(figure)
        self._still: Any = None
        self._frames: dict[str, Any] = {}
        for ax in self.axes.values():
            if ax.get_xscale() not in ("linear", "log") or ax.get_yscale() not in ("linear", "log"):
                raise ParameterError(
                    f"got axes scaled {ax.get_xscale()} by {ax.get_yscale()}; a scene knows "
                    "linear and log"
                )
            ax.set_autoscale_on(False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._canvas.get_width_height()

    @property
    def frames(self) -> int:
        """How many moments the layers that follow hold, at least 1."""
        return max([len(layer.data) for layer in self.layers.values() if layer.follow] + [1])

    def add(self, name: str, kind: str, axes: str, *, follow: bool = False, **look: Any) -> None:
        """Add an empty layer above the others.

        Args:
            name: how `set` calls it.
            kind: "polyline", "curve", "ball", "marker", "arrow" (x, y, dx, dy), "bands" (from, to,
                kind, mark), "heights" or "text" (numbers that fill `template`).
            axes: the name of the axes it lives in.
            follow: rows are moments, and the layer shows them up to the scene's frame.
            look: what `layers.LOOK` lists for the kind; sizes in pixels.
        """
        if name in self.layers:
            raise ParameterError(f"the scene already has a layer called {name!r}")
        index = list(self.axes).index(self._known(axes, self.axes))
        self.layers[name] = Layer(name, kind, index, follow, look)

    def set(self, name: str, array: ArrayLike) -> None:
        """Give a layer its data, (rows, columns) or (rows, items, columns); NaN lifts the pen."""
        self.layers[self._known(name, self.layers)].set(array)

    def veil(self, axes: str, words: str | None) -> None:
        """Hide one of the axes behind paper with a few words on it while `scene.veiled` is True;
        `None` takes the veil away."""
        self._known(axes, self.axes)
        self.veils.pop(axes, None)
        if words is not None:
            self.veils[axes] = words

    # Pictures ---------------------------------------------------------------------------------

    def pixels(self) -> NDArray[np.uint8]:
        """The scene at its frame, uint8 of shape (height, width, 3), by blitting."""
        if self._still is None:
            self._settle()
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        self._canvas.restore_region(self._still)
        renderer = self._canvas.get_renderer()
        for artist in self._place():
            artist.draw(renderer)
            artist.remove()
        return np.asarray(self._canvas.buffer_rgba())[:, :, :3]

    def png(self) -> bytes:
        """The scene at its frame as a PNG file."""
        return encode(self.pixels())

    def background(self, zoom: float = 2.0) -> bytes:
        """What stands still as a PNG file, `zoom` times as sharp (2 for high-density screens)."""
        self._settle()
        self._still = None
        self.figure.set_dpi(DPI * zoom)
        self._canvas.draw()
        pixels = np.array(self._canvas.buffer_rgba())[:, :, :3]
        self.figure.set_dpi(DPI)
        return encode(pixels)

    def save(
        self,
        path: str | os.PathLike[str],
        dpi: float = 2 * DPI,
        fps: float = 20.0,
        progress: bool = False,
    ) -> None:
        """Write the scene to `path`: its frame as .png, .svg or .pdf, all frames as .gif, .mp4 or
        .html.

        Args:
            path: the ending chooses the format; .mp4 needs ffmpeg.
            dpi: how sharp a .png is; 100 is one dot per scene pixel. Films have 100.
            fps: frames a second of a film.
            progress: show a bar while a film is written.

        Raises:
            ParameterError: for another ending, or for .mp4 where ffmpeg is missing.
        """
        ending = Path(path).suffix.lower()
        if ending in WRITERS:
            return save_film(self, path, fps, progress)
        if ending not in (".png", ".svg", ".pdf"):
            known = ", ".join((".png", ".svg", ".pdf", *WRITERS))
            raise ParameterError(f"got the ending {ending!r}; expected one of {known}")
        self._settle()
        artists = self._place()
        try:
            self.figure.savefig(path, dpi=dpi)
        finally:
            for artist in artists:
                artist.remove()

    def redraw(self) -> None:
        """Forget the drawn background, after something that stands still was changed."""
        self._still, self._frames, self.redrawn = None, {}, self.redrawn + 1

    def _settle(self) -> None:
        """Let the layout find its places, once; the axes stay there from then on."""
        if not self._frames:
            self.figure.draw_without_rendering()
            self.figure.set_layout_engine("none")
            renderer = self._canvas.get_renderer()
            self._frames = {
                name: (cast(Any, ax.get_tightbbox(renderer)) or ax.bbox).padded(4)
                for name, ax in self.axes.items()
            }

    # Data for a player -------------------------------------------------------------------------

    def spec(self) -> dict[str, Any]:
        """All that stays, as plain JSON: size, paper, axes (box in pixels, limits), layers."""
        self._settle()
        width, height = self.size
        return {
            "width": width,
            "height": height,
            "paper": self.style.paper,
            "ink": self.style.ink,
            "muted": self.style.muted,
            "scale": self.style.scale,
            "axes": [self._spec_of(name, ax) for name, ax in self.axes.items()],
            "layers": [
                {"name": x.name, "kind": x.kind, "axes": x.axes, "follow": x.follow, **x.look}
                for x in self.layers.values()
            ],
        }

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """All that moves: every layer's data, (rows, items, columns)."""
        return {name: layer.data for name, layer in self.layers.items()}

    def _spec_of(self, name: str, ax: Axes) -> dict[str, Any]:
        height = self.size[1]
        box, veil = ax.get_window_extent(), self._frames[name]
        return {
            "name": name,
            "box": [box.x0, height - box.y1, box.x1, height - box.y0],
            "x": [*map(float, ax.get_xlim()), ax.get_xscale()],
            "y": [*map(float, ax.get_ylim()), ax.get_yscale()],
            "veil": self.veils.get(name),
            "veil_box": [veil.x0, height - veil.y1, veil.x1, height - veil.y0],
        }

    def _place(self) -> list[Artist]:
        """Add this frame's artists to the figure, lowest first."""
        every = list(self.axes.values())
        placed: list[Artist] = []
        for layer in self.layers.values():
            ax = every[layer.axes]
            for artist in layer.artists(ax, self.frame):
                if artist.axes is None:
                    ax.add_artist(artist)
                artist.set_zorder(100 + len(placed))
                placed.append(artist)
        for name, words in self.veils.items() if self.veiled else ():
            placed += self._veil(name, words)
        return placed

    def _veil(self, name: str, words: str) -> list[Artist]:
        from matplotlib.patches import Rectangle

        box = self._frames[name].transformed(self.figure.transFigure.inverted())
        sheet = Rectangle(
            box.p0, box.width, box.height, transform=self.figure.transFigure,
            facecolor=self.style.paper, edgecolor="none", zorder=1000,
        )  # fmt: skip
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        text = self.figure.text(
            *middle, words, color=self.style.muted, ha="center", va="center", zorder=1001
        )
        return [self.figure.add_artist(sheet), text]

    @staticmethod
    def _known(name: str, among: Mapping[str, Any]) -> str:
        if name not in among:
            raise ParameterError(f"got {name!r}; the scene has {', '.join(among) or 'none yet'}")
        return name
