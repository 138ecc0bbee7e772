"""The `Losses` panel: what one odd point does to the valleys of three losses.

A straight line w·x + b is scored by three losses at once. One point is moved away, and each loss's
lowest place follows it as far as that loss lets it: the squared error without end, the absolute
error hardly, Huber's up to a limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.network import Data, data, losses
from tinygrad_landscape.panels import controls, relief
from tinygrad_landscape.panels.lowest import lowest
from tinygrad_landscape.panels.odd_point import Odd
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import BUDGET
from tinygrad_landscape.panels.sights import two_classes
from tinygrad_landscape.surveying import Plane, Surface

Array = NDArray[Any]
Loss = Callable[..., Any]

SWEEP = 20  # frames from where the point belongs to where it was moved
CELLS = 31  # grid points per side of the map
AT_ONCE = 200  # points of data, times positions of the odd one, in one search for lowest places
CASING = "#10151c"
REGRESSION: dict[str, Loss] = {
    "squared": losses.mean_squared_error,
    "absolute": losses.mean_absolute_error,
    "Huber": losses.huber,
}
CLASSES: dict[str, Loss] = {
    "cross-entropy": losses.binary_cross_entropy,
    "hinge": losses.hinge,
    "squared hinge": losses.squared_hinge,
}


class Losses(Panel):
    """Three losses, one odd point: drag it, and see whose lowest place goes with it.

    Preset "outlier" (P6) moves one of 20 targets up or down; "mistake" moves one point of class 0
    deep into class 1, a confident mistake. Play moves the point from where it belongs to where you
    put it, and records how far each lowest place has moved.

    Args:
        data: your own Data with one input; float targets for an outlier, two classes for a mistake.
        preset: "outlier" or "mistake", the data and losses without your own.
        losses: up to six losses by name; by default three that suit the data.
        point: the index of the point that is moved; by default the last one, or the last of class
            0.
        at: where it is moved first: how far up from its target, or to which input.
        extent: the map's frame (w0, w1, b0, b1).
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for data of more than one input or class boundary, an unknown preset, or a
            point that does not exist.

    >>> panel = Losses()
    >>> panel.controls["odd"].value = 0.0
    >>> panel.describe().split(":")[0]
    'The point is where it belongs'
    """

    def __init__(
        self,
        data: Data | None = None,
        *,
        preset: str = "outlier",
        losses: Mapping[str, Loss] | None = None,
        point: int | None = None,
        at: float = 6.0,
        extent: Sequence[float] | None = None,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if preset not in ("outlier", "mistake"):
            raise ParameterError(f"got preset={preset!r}; expected 'outlier' or 'mistake'")
        self._odd = Odd.of(_preset(preset) if data is None else data, point)
        given = (CLASSES if self._odd.classes else REGRESSION) if losses is None else losses
        if not 1 <= len(given) <= len(PALETTE):
            raise ParameterError(f"got {len(given)} losses; expected 1 to {len(PALETTE)}")
        self._losses = dict(given)
        low, high = self._odd.range(at)
        self._clean = {name: self._lowest(name, [self._odd.home])[0] for name in self._losses}
        ends = {name: self._lowest(name, [low, high]) for name in self._losses}
        moved = [np.linalg.norm(ends[name] - self._clean[name], axis=-1) for name in self._losses]
        self._furthest = float(np.max(moved)) or 1.0
        self._frame = self._framed(extent, np.concatenate(list(ends.values())))
        label = "mistake at x" if self._odd.classes else "outlier"
        box, slider = controls.knob(label, float(at), low, high)
        self.controls = {
            "map": ipywidgets.ToggleButtons(
                options=list(self._losses), description="map of",
                tooltip="whose loss the map shows",
                style={"button_width": "auto", **controls.LABEL}, layout={"width": "max-content"},
            ),
            "odd": box,
        }  # fmt: skip
        controls.hide(hide, self.controls, {"odd": slider})
        place = self._odd.place(float(at)).tolist()
        self.player = on_stage(self._draw(style, low, high), drag="odd", start=place)
        self.player.label = "Data with one line per loss, a loss map, and how far minima moved"
        self._open([box, slider], [self.controls["map"]])

    # What is seen -------------------------------------------------------------------------------

    @property
    def shifts(self) -> dict[str, float]:
        """How far each loss's lowest place has moved, in the units of the map, by name."""
        self.settle()
        return {
            name: float(np.linalg.norm(places[-1] - self._clean[name]))
            for name, places in self._places.items()
        }

    def describe(self) -> str:
        """How far each loss's lowest place has moved, and where it is."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        parts = []
        for name, places in self._places.items():
            w, b = places[-1].round(6).tolist()
            far = float(np.linalg.norm(places[-1] - self._clean[name]))
            verb = "to" if far > 5e-4 else "it stays at"
            parts.append(f"{name} {said(round(far, 6))} ({verb} w = {said(w)}, b = {said(b)})")
        what = self._odd.told(self._where)
        if self._where == self._odd.home:
            named = (part.replace(" 0 (it stays", "").replace(")", "") for part in parts)
            return f"{what}: the lowest places are those of {'; '.join(named)}."
        return f"{what}, which moves the lowest place of each loss by: {'; '.join(parts)}."

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._where, self._shown = self.controls["odd"].value, self.controls["map"].value
        self._found: dict[str, Array] = {}
        self._maps: list[Array] = []

    def _work(self, seconds: float) -> bool:
        """Under a moving hand the ends of the sweep will do; the rest follows when it rests."""
        if seconds <= BUDGET:
            ends = self._ends()
            places = {name: self._lowest(name, ends) for name in self._losses}
            return self._film(ends, places, self._map(ends))
        late, sweep = time.perf_counter() + seconds, self._ends(SWEEP + 1)
        few = max(1, AT_ONCE // len(self._odd.y))  # positions of the odd point in one go
        for name in self._losses:
            found = self._found.setdefault(name, np.empty((0, 2)))
            while len(found) < len(sweep):
                more = self._lowest(name, sweep[len(found) : len(found) + few])
                found = self._found[name] = np.concatenate([found, more])
                if time.perf_counter() > late:
                    return False
        while len(self._maps) < len(sweep):
            self._maps.append(self._map(sweep[len(self._maps), None]))
            if time.perf_counter() > late and len(self._maps) < len(sweep):
                return False
        return self._film(sweep, self._found, np.concatenate(self._maps, axis=-1))

    def _ends(self, frames: int = 2) -> Array:
        return np.linspace(self._odd.home, self._where, frames)

    def _map(self, sweep: Array) -> Array:
        """The shown loss over the map for each position of the odd point, (CELLS, CELLS, F)."""
        cells = np.stack(np.meshgrid(*self._sides(), indexing="ij"), axis=-1)
        return self._height(self._shown, sweep, cells[:, :, None])

    def _film(self, sweep: Array, places: dict[str, Array], maps: Array) -> bool:
        """Show these moments; say whether they are all."""
        self._sweep, self._places, self._heights = sweep, places, maps
        return len(sweep) > 2

    def _height(self, name: str, sweep: Any, places: Array) -> Array:
        """The loss at lines `places (..., F, 2)` with the odd point at each of `sweep (F,)`."""
        x, lift = self._odd.moved(np.asarray(sweep))
        scores = places[..., :1] * x + places[..., 1:] - lift
        return np.asarray(self._losses[name](scores[..., None], self._odd.y))

    def _lowest(self, name: str, sweep: Any) -> Array:
        """The lowest place for each position of the odd point, (F, 2).

        It is searched in the height of the line at the inputs' middle instead of b, so that the
        valley does not lie aslant when the inputs are far from 0.
        """
        middle, spread = self._odd.middle, self._odd.spread
        height = lambda p: self._height(name, sweep, _line(p, middle))  # noqa: E731
        half = np.broadcast_to([4.0 / spread, 4.0], (len(sweep), 2)) * self._odd.reach
        return _line(lowest(height, -half, half, closer=28), middle)

    def _sides(self) -> list[Array]:
        w0, w1, b0, b1 = self._frame
        return [np.linspace(w0, w1, CELLS), np.linspace(b0, b1, CELLS)]

    def _show(self) -> None:
        scene, odd, sweep = self.player.scene, self._odd, self._sweep
        w, b = self._sides()
        plane = Plane.whole(("w", "b"))
        film = [Surface(w, b, {"loss": each}, plane) for each in np.moveaxis(self._heights, -1, 0)]
        scales = [Heights.of(each.loss, "sqrt") for each in film]
        scene.set(
            "relief", np.stack([relief.shares(*each) for each in zip(film, scales, strict=True)])
        )
        scene.set("point", odd.place(sweep))
        scene.set("odd", odd.place(self._where))
        x = np.array(odd.across)
        for name, places in self._places.items():
            far = np.linalg.norm(places - self._clean[name], axis=-1)
            line = np.stack(np.broadcast_arrays(x, places[:, :1] * x + places[:, 1:]), axis=-1)
            curve = np.stack([sweep, far], axis=-1)
            for layer, array in (("line", line), ("low", places), ("far", curve), ("at", curve)):
                scene.set(f"{layer} {name}", array)
        scene.set("home", self._clean[self._shown])
        scene.set("readout", sweep[:, None])
        words = (
            f"The map is that of the {self._shown} loss, {CELLS} x {CELLS} lines. Square-root "
            f"height, from the lowest to the highest of each moment. {relief.words(scales[-1])} "
            "The white diamond is its lowest place while every point is where it belongs. "
            "Distances between lines are taken in the (w, b) plane; lowest places are searched on "
            "finer and finer grids, to 1e-7 of the map."
        )
        place = odd.place(self._where).tolist()
        self.player.update(sentence=self._sentence(), honesty=words, start=place)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str, low: float, high: float) -> Scene:
        from matplotlib.figure import Figure

        w0, w1, b0, b1 = self._frame
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 3.9), layout="constrained")
            points, over, beside = figure.subplots(1, 3, width_ratios=(1.1, 1.0, 0.95))
            self._odd.draw(points, chosen)
            over.set(
                xlim=(w0, w1), ylim=(b0, b1), title=" ", xlabel="slope w", ylabel="intercept b"
            )
            over.locator_params(nbins=5)
            beside.set(xlim=(low, high), ylim=(0.0, 1.05 * self._furthest), xlabel=self._odd.axis,
                       ylabel="lowest place moved by")  # fmt: skip
            for k, name in enumerate(self._losses):
                color, dash, marker = _lane(k)
                points.plot([], [], color=color, linestyle=(0, dash or (1, 0)), marker=marker,
                            label=name)  # fmt: skip
            figure.legend(loc="outside upper left", ncols=3)  # clear of the lines
        scene = Scene(figure, {"data": points, "map": over, "moved": beside}, paper)
        size = chosen.scale
        relief.add(scene, "map", follow=True)
        scene.add("home", "marker", "map", shapes=["D"], size=10.0 * size, edge=CASING)
        for k, name in enumerate(self._losses):
            color, dash, marker = _lane(k)
            line: dict[str, Any] = {"colors": [color], "dash": list(dash), "follow": True}
            ball: dict[str, Any] = {"colors": [color], "shapes": [marker], "follow": True}
            scene.add(f"line {name}", "curve", "data", width=2.4 * size, **line)
            scene.add(f"low {name}", "ball", "map", size=11.0 * size, **ball)
            scene.add(f"far {name}", "polyline", "moved", width=2.0 * size, ghost=0.4, **line)
            scene.add(f"at {name}", "ball", "moved", size=10.0 * size, **ball)
        scene.add("odd", "marker", "data", shapes=["o"], colors=[chosen.paper], size=13.0 * size,
                  edge=chosen.ink)  # fmt: skip
        scene.add("point", "ball", "data", follow=True, colors=[chosen.ink], size=12.0 * size,
                  edge=chosen.paper)  # fmt: skip
        scene.add("readout", "text", "map", follow=True, template=self._odd.readout,
                  color=chosen.ink, size=13.0 * size, at=[0.0, 1.02])  # fmt: skip
        scene.veil("moved", "How far they move\nappears here\nwith your first\nPlay or Step.")
        return scene

    # Ground -------------------------------------------------------------------------------------

    def _framed(self, extent: Sequence[float] | None, ends: Array) -> tuple[float, ...]:
        """The map's frame: the reader's, or one that shows every lowest place with room around."""
        if extent is not None:
            frame = tuple(map(float, extent))
            if len(frame) != 4 or not (frame[0] < frame[1] and frame[2] < frame[3]):
                raise ParameterError(f"got extent={extent!r}; expected (w0, w1, b0, b1)")
            return frame
        every = np.concatenate([ends, *(place[None] for place in self._clean.values())])
        low, high = every.min(axis=0), every.max(axis=0)
        room = 0.3 * np.maximum(high - low, 0.5)
        return low[0] - room[0], high[0] + room[0], low[1] - room[1], high[1] + room[1]

    def _moved(self, change: Any) -> None:
        odd = self.controls["odd"]
        where = min(max(odd.min, float(self._odd.where(change["new"]))), odd.max)
        if where != odd.value:
            self._wanted = None  # the hand wants to see its own point, not an earlier moment
            odd.value = where
        else:  # the hand left the track on which the point can move
            self.player.start = self._odd.place(where).tolist()

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        box = self.controls["odd"]
        few = (box.min, (box.min + self._odd.home) / 2, (box.max + self._odd.home) / 2, box.max)
        return {"odd": np.round(few, 2).tolist(), "map": list(self._losses)}

    def _configuration(self) -> Any:
        x, y = self._odd.x, self._odd.y
        return [type(self).__name__, [*self._losses], self._odd.index, *map(float, (
            x.sum(), y.sum(), *self._frame))]  # fmt: skip


def _preset(name: str) -> Data:
    return data.line(20, noise=0.25, seed=0) if name == "outlier" else two_classes()


def _lane(k: int) -> tuple[str, tuple[float, ...], str]:
    return PALETTE[k], DASHES[k], MARKERS[k]


def _line(place: Array, middle: float) -> Array:
    """(slope, height at `middle`) as (slope, intercept)."""
    return np.stack([place[..., 0], place[..., 1] - place[..., 0] * middle], axis=-1)
