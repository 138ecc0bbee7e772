"""The 3-D view: hills that a hand can turn, with a walk over them, in step with a player.

Grid and walk travel once; turning happens wholly in the browser (`static/hills.js` paints,
`static/surface3d.js` listens). Beside a `Stage` it takes the frame from the stage, in the browser.
"""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets as t
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory
from tinygrad_landscape.draw import honesty
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.motion import CROWD
from tinygrad_landscape.draw.sight import SLANT, best_side
from tinygrad_landscape.draw.style import MARKERS, PALETTE, named
from tinygrad_landscape.draw.surfaces import grid_shown, walk_on
from tinygrad_landscape.panels.player import Player
from tinygrad_landscape.panels.stage import STATIC, Stage, packed
from tinygrad_landscape.surveying import Surface

BANDS = 32  # as many as `draw.contour` has
FINEST = 161  # more grid lines than this a side are thinned: a hand turns what it can see
FEW = 60  # a walk of more recorded points has no dots
TALL = 0.56  # how high `hills.js` draws the hills, beside a side of the ground


class Surface3d(anywidget.AnyWidget):
    """A surface as hills to be turned, with a walk over it.

    Args:
        surface: what `tl.survey` brought home.
        walk: a Trajectory of one walker or many; `show` puts another one on.
        player: a player whose frame, clock and speed this view follows.
        height, clip: as for `tl.draw.contour`.
        style: "light", "dark" or "projector".

    The traits `frame`, `playing` and `speed` are the view's own while it follows no player. The
    trait `camera` is [turn, tilt, zoom] in degrees, `plain=True` does without WebGL.

    >>> import tinygrad_landscape as tl
    >>> surface = tl.survey(tl.formulas.himmelblau, None, extent=5.0, resolution=21)
    >>> view = Surface3d(surface)
    >>> view.grid["shape"], view.label
    ([21, 21], 'Loss as hills over x and y')
    """

    _esm = "\n".join((STATIC / f).read_text(encoding="utf-8") for f in ("hills.js", "surface3d.js"))
    _css = (STATIC / "surface3d.css").read_text(encoding="utf-8")

    look = t.Dict(help="colours, axes, ticks and letters").tag(sync=True)
    grid = t.Dict(help="shape and bytes: shares of height 0..1, NaN where unknown").tag(sync=True)
    path = t.Dict(help="shape (rows, walkers, 3) and bytes: x, y, height as shares").tag(sync=True)
    frame = t.Int(0, help="the moment shown").tag(sync=True)
    playing = t.Bool(False, help="whether the frame advances by itself").tag(sync=True)
    speed = t.Float(10.0, help="frames a second").tag(sync=True)
    camera = t.List(t.Float(), help="turn and tilt in degrees, zoom").tag(sync=True)
    home = t.List(t.Float(), help="where the camera returns to").tag(sync=True)
    label = t.Unicode("", help="the picture's name for screen readers").tag(sync=True)
    honesty = t.Unicode("", help="what it shows and leaves out; beside a stage nothing").tag(
        sync=True
    )
    player = t.Instance(ipywidgets.Widget, allow_none=True, help="the stage it follows").tag(
        sync=True, **ipywidgets.widget_serialization
    )
    plain = t.Bool(False, help="do without WebGL").tag(sync=True)
    aspect = t.Float(1.2, help="width beside height").tag(sync=True)

    def __init__(
        self,
        surface: Surface,
        walk: Trajectory | None = None,
        player: Player | None = None,
        *,
        height: str = "auto",
        clip: float | None = None,
        style: str = "light",
        **traits: Any,
    ) -> None:
        self.surface = surface
        self._height, self._clip, self._style = height, clip, style
        self._scale = Heights.of(surface.loss[surface.done], height, clip)
        places, way = self._way(walk)
        home = [self._bearing(places), SLANT, 1.0]
        super().__init__(
            look=self._look(style, walk),
            grid=packed(_thinned(self._shares()), fine=False),
            path=way,
            frame=0 if walk is None else len(walk) - 1,
            home=home,
            label=self._label(),
            honesty="" if player is not None else honesty(surface, walk, self._scale),
            **{"camera": home, **traits},
        )
        if player is not None:
            self.follow(player)

    def show(
        self, walk: Trajectory | None, surface: Surface | None = None, height: str | None = None
    ) -> None:
        """Put another walk on the same hills, or none; with `surface` (and `height`) on other ones.
        The frame stays, and so does the camera."""
        with self.hold_sync():
            if surface is not None and surface is not self.surface:
                self.surface, self._height = surface, height or self._height
                self._scale = Heights.of(surface.loss[surface.done], self._height, self._clip)
                self.grid = packed(_thinned(self._shares()), fine=False)
                self.look = self._look(self._style, walk)
                self.label = self._label()
            else:
                self.look = {**self.look, **self._walkers(walk)}
            self.path = self._way(walk)[1]

    def follow(self, player: Player) -> None:
        """Take frame, clock and speed from a player: in the browser if it is a `Stage`."""
        if isinstance(player, Stage):
            self.player = player
        else:
            for name in ("frame", "playing", "speed"):
                t.link((player, name), (self, name))

    # What travels -------------------------------------------------------------------------------

    def _label(self) -> str:
        return "Loss as hills over {} and {}".format(*self.surface.plane.labels)

    def _share(self, heights: Any) -> NDArray[np.float64]:
        """Heights as shares 0..1 of the scale; what is not finite becomes NaN."""
        low, high = self._scale.forward(np.array([self._scale.low, self._scale.high]))
        heights = np.where(np.isfinite(heights), heights, np.nan)
        shares = (self._scale.forward(heights) - low) / (high - low)
        return np.asarray(np.clip(shares, 0.0, 1.0))

    def _shares(self) -> NDArray[np.float64]:
        return self._share(np.where(self.surface.done, self.surface.loss, np.nan))

    def _way(self, walk: Trajectory | None) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """A walk in shares of the box: its places (R, walkers, 2), and packed with its heights."""
        if walk is None:
            return np.empty((0, 1, 2)), packed(np.empty((0, 1, 3)), fine=False)
        a, b, _ = grid_shown(self.surface)
        corner, sides = np.array([a[0], b[0]]), np.array([a[-1] - a[0], b[-1] - b[0]])
        places = (walk_on(self.surface.plane, walk) - corner) / sides
        heights = self._share(np.asarray(walk.losses, float)).reshape(len(places), -1, 1)
        return places, packed(np.concatenate([places, heights], axis=2), fine=False)

    def _bearing(self, places: NDArray[np.float64]) -> float:
        shares = self._shares()
        known = np.argwhere(np.isfinite(shares)) / (np.array(shares.shape) - 1)
        crowds = [known, places.reshape(-1, 2)] if places.size else [known]
        return float(best_side(shares, crowds, TALL) % 360)

    def _look(self, style: str, walk: Trajectory | None) -> dict[str, Any]:
        from matplotlib import colormaps
        from matplotlib.colors import to_hex

        paper, (a, b, labels) = named(style), grid_shown(self.surface)
        ramp = colormaps[paper.heights](np.linspace(0.0, 1.0, BANDS))
        heights = self._scale.ticks()
        ticks = [
            {"at": float(at), "text": said(float(height))}
            for at, height in zip(self._share(heights), heights, strict=True)
        ]
        return {
            "paper": paper.paper, "ink": paper.ink, "muted": paper.muted, "scale": paper.scale,
            "colors": [to_hex(color) for color in ramp], "crowd": CROWD,
            "x": {"label": labels[0], "ticks": _ticks(a[0], a[-1])},
            "y": {"label": labels[1], "ticks": _ticks(b[0], b[-1])},
            "z": {"label": f"loss ({self._scale.describe()})", "ticks": ticks},
            **self._walkers(walk),
        }  # fmt: skip

    @staticmethod
    def _walkers(walk: Trajectory | None) -> dict[str, Any]:
        """Colours and marks of the walkers: one alone has a white path."""
        count = 1 if walk is None else int(np.prod(walk.diverged_at.shape))
        return {
            "dots": walk is not None and len(walk) <= FEW,
            "walkers": [
                {"path": "#ffffff" if count == 1 else color, "ball": color, "shape": shape}
                for color, shape in zip(PALETTE, MARKERS, strict=True)
            ],
        }


def _thinned(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same ground on at most FINEST grid lines a side, between them by straight lines."""
    for axis, count in enumerate(shares.shape):
        if count > FINEST:
            at = np.linspace(0.0, count - 1.0, FINEST)
            low = np.minimum(at.astype(int), count - 2)
            part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
            near, far = (shares.take(low + k, axis) for k in (0, 1))
            shares = near * (1.0 - part) + far * part
    return shares


def _ticks(low: float, high: float) -> list[dict[str, Any]]:
    """About five round numbers between the ends of an axis, with their places as shares."""
    from matplotlib.ticker import MaxNLocator

    values = MaxNLocator(6, steps=[1, 2, 5, 10], prune="both").tick_values(low, high)
    inside = [float(v) for v in np.asarray(values) if low < v < high]
    return [{"at": (v - low) / (high - low), "text": said(v)} for v in inside]
