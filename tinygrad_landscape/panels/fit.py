"""The `Fit` panel: data on one side, the loss map on the other. A loss scores weights, not data.

The data stand still. Every place of the map is another pair of weights, so another curve through
the data, and its height is how badly that curve fits: dragging the dot bends the curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, contour, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.surfaces import height_bar
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, Tanh, data, losses
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.lowest import lowest
from tinygrad_landscape.panels.panel import Panel, guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.sights import sight_of, two_classes
from tinygrad_landscape.panels.valleys import height_said
from tinygrad_landscape.surveying import Plane, Surface, critical_points, survey

WAY = 20  # frames from the dot to the lowest place, and as many back
ORANGE, BLUE, CASING = "#D55E00", "#0072B2", "#10151c"
PRESETS = ("line", "network", "classes")


class Fit(Panel):
    """A loss scores weights: drag the dot on the loss map, and the curve through the data moves.

    Play carries the dot straight to the lowest place of the map, and back.

    Args:
        landscape: a network's Landscape whose data have one input, or two inputs and two classes.
            By default the preset's.
        plane: the two weights (or directions) of the map, for a landscape of more than two.
        preset: "line" (slope and intercept, 20 points), "network" (two input weights of a 1-2-1
            tanh network, P1) or "classes" (two classes over one input; accuracy beside the loss).
        second: a second map beside the first: "accuracy", or another of `tl.losses` over the same
            data; None for none.
        start: where the dot lies first, in the numbers on the axes.
        extent: the map's frame, as in `survey`.
        resolution: grid points per side of the loss maps.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for a landscape without a network or whose data cannot be drawn, an unknown
            preset or second map, or a start outside the map.

    >>> panel = Fit(resolution=21)
    >>> panel.controls["dot_x"].value, panel.controls["dot_y"].value = 1.0, 0.5
    >>> panel.describe().split(";")[0]
    'w = 1, b = 0.5 scores a mean squared error of 0.0791'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "line",
        second: str | Callable[..., Any] | None = None,
        start: Sequence[float] | None = None,
        extent: Any = None,
        resolution: int = 51,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if preset not in PRESETS:
            raise ParameterError(f"got preset={preset!r}; expected one of {', '.join(PRESETS)}")
        if landscape is None:
            landscape, plane, frame, first = _preset(preset)
            extent = frame if extent is None else extent
            start = first if start is None else start
            second = "accuracy" if preset == "classes" and second is None else second
        self.landscape, self._sight = landscape, sight_of(landscape)
        self.surface = survey(landscape, plane, 3.0 if extent is None else extent, resolution)
        self.plane = self.surface.plane
        self._inside, self._origin = landscape.restrict(self.plane), np.array(self.plane.absolute)
        self._maps = [_Map.of(self.surface, self._inside, _named(landscape.loss))]
        if second is not None:
            self._maps.append(self._second(second))
        a, b = (side + at for side, at in zip((self.surface.a, self.surface.b), self._origin))
        low, high = np.array([a[0], b[0]]), np.array([a[-1], b[-1]])
        dot = self._origin if start is None else np.asarray(start, float)
        if dot.shape != (2,) or not ((low <= dot) & (dot <= high)).all():
            raise ParameterError(
                f"got start={dot.tolist()}; expected two numbers inside the map, {low.tolist()} to "
                f"{high.tolist()}"
            )
        pairs = [
            controls.knob(label, *map(float, at))
            for label, *at in zip(self.plane.labels, dot, low, high)
        ]
        self.controls = {"dot_x": pairs[0][0], "dot_y": pairs[1][0]}
        controls.hide(hide, self.controls, {"dot_x": pairs[0][1], "dot_y": pairs[1][1]})
        self.player = on_stage(self._draw(style), drag="dot", start=dot.tolist())
        self.player.label = "Data with the model's curve, and the loss map"
        self._open(pairs[0], [ipywidgets.HBox(pairs[1])])
        self.player.observe(self._told, "revealed")

    # What is seen -------------------------------------------------------------------------------

    def describe(self) -> str:
        """The loss of the weights under the dot, and the lowest place of every map."""
        self.settle()
        return self._sentence()

    def _sentence(self, told: bool = True) -> str:
        """What is seen; where the lowest places lie only if that is to be `told`."""
        scores = [float(one.at(self._dot - self._origin)) for one in self._maps]
        first, *others = self._maps
        text = f"{self._place(self._dot)} scores a {first.name} of {said(scores[0])}"
        if told:
            best = f"{height_said(first.best)}, at {self._place(self._lowest(first))}"
            text += f"; the lowest place of the map scores {best}"
        for score, one in zip(scores[1:], others):
            if one.name == "accuracy":
                levels = len(np.unique(one.surface.values["loss"]))
                text += (
                    f". The accuracy is {said(score)}; its map is a staircase with {levels} "
                    "levels, so its slope is 0 almost everywhere and shows no way up"
                )
            else:
                text += f". By its {one.name} the dot scores {said(score)}"
                if told:
                    best = f"{self._place(self._lowest(one))} ({height_said(one.best)})"
                    text += f", and the lowest place is {best}"
        return text + "."

    @guarded
    def _told(self, _: Any) -> None:
        """From the first Play on the sentence tells the goal; until then the hunt is the
        learner's."""
        self._show()

    def _place(self, at: NDArray) -> str:
        names, numbers = self.plane.labels, at.tolist()
        return f"{names[0]} = {said(numbers[0])}, {names[1]} = {said(numbers[1])}"

    def _lowest(self, one: _Map) -> NDArray:
        return np.round(one.lowest + self._origin, 6)

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._dot = np.array([self.controls[name].value for name in ("dot_x", "dot_y")])

    def _work(self, seconds: float) -> bool:
        there = np.linspace(0.0, 1.0, WAY + 1)[:, None]
        share = np.concatenate([there, there[-2::-1]])
        inside = self._dot - self._origin
        self._way = inside + share * (self._maps[0].lowest - inside)
        theta = self.plane.point(self._way[:, 0], self._way[:, 1])
        self._curves = self._sight.lines(theta)
        self._misses = self._sight.misses(theta) if self._sight.misses else None
        self._scores = [one.at(self._way) for one in self._maps]
        return True

    def _show(self) -> None:
        scene, way = self.player.scene, self._way + self._origin
        scene.set("curve", self._curves)
        if self._misses is not None:
            scene.set("misses", self._misses)
        scene.set("dot", self._dot)
        going = way.copy()
        going[[0, -1]] = np.nan  # the goal shows itself on the way only: the hunt is the learner's
        scene.set("lowest", np.where(np.isnan(going), np.nan, self._lowest(self._maps[0])))
        for k, scores in enumerate(self._scores):
            scene.set(f"ball{k}", way)
            scene.set(f"score{k}", scores[:, None])
        words = honesty(self.surface, None, self._maps[0].heights)
        words += f" {self._sight.words} Play carries the dot straight to the lowest place and back."
        sentence = self._sentence(told=self.player.revealed)
        self.player.update(sentence=sentence, honesty=words, start=self._dot.tolist())

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        count = len(self._maps)
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.5 if count == 1 else 3.9), layout="constrained")
            axes = figure.subplots(1, 1 + count, width_ratios=(0.95, *(1.1,) * count))
            self._sight.draw(axes[0], chosen)
            axes[0].set_box_aspect(1.0)
            for ax, one in zip(axes[1:], self._maps, strict=True):
                ax.set_title(" ")  # the readout stands here
                if one.name == "accuracy":
                    _staircase(ax, one.surface, axes[1].get_aspect())
                    continue
                drawn = contour(one.surface, ax=ax, height=one.heights.scale, caption=False)
                if count == 1:  # two maps have no room for it; their readouts say the height
                    height_bar(ax, drawn["map"], one.heights).set_label(one.heights.describe())
        scene = Scene(figure, dict(zip(("data", "map0", "map1"), axes)), paper)
        size = chosen.scale
        if self._sight.misses:
            scene.add("misses", "curve", "data", follow=True, colors=[chosen.muted], dash=[3, 2],
                      width=1.4 * size)  # fmt: skip
        scene.add("curve", "curve", "data", follow=True, colors=[ORANGE], width=2.6 * size)
        scene.add("lowest", "marker", "map0", follow=True, shapes=["D"], size=9.0 * size,
                  edge=CASING)  # fmt: skip
        scene.add("dot", "marker", "map0", shapes=["o"], size=11.0 * size, edge=CASING)
        for k, one in enumerate(self._maps):
            scene.add(f"ball{k}", "ball", f"map{k}", follow=True, colors=[ORANGE], size=13.0 * size)
            scene.add(f"score{k}", "text", f"map{k}", follow=True, at=[0.0, 1.02], color=chosen.ink,
                      size=14.0 * size, template=one.name + " {0}")  # fmt: skip
        return scene

    # Ground -------------------------------------------------------------------------------------

    def _second(self, second: str | Callable[..., Any]) -> _Map:
        if second == "accuracy":
            fine = survey(self.landscape, self.plane, self._corners(), 101, ("accuracy",))
            stairs = replace(fine, values={"loss": fine.values["accuracy"]})
            return _Map.of(stairs, self._inside.accuracy, "accuracy")
        if not callable(second):
            raise ParameterError(
                f"got second={second!r}; expected 'accuracy' or a loss such as tl.losses.huber"
            )
        assert self.landscape.network is not None and self.landscape.data is not None
        other = Landscape(self.landscape.network, second, self.landscape.data)
        surface = survey(other, self.plane, self._corners(), len(self.surface.a))
        return _Map.of(surface, other.restrict(self.plane), _named(second))

    def _corners(self) -> tuple[float, ...]:
        a, b = self.surface.a, self.surface.b
        return tuple(map(float, (a[0], a[-1], b[0], b[-1])))

    def _moved(self, change: Any) -> None:
        x, y = change["new"]
        if [x, y] != [self.controls["dot_x"].value, self.controls["dot_y"].value]:
            self._deaf = True
            self.controls["dot_x"].value, self.controls["dot_y"].value = x, y
            self._deaf = False
            self._react()

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        box = self.controls["dot_x"]
        return {"dot_x": np.linspace(box.min, box.max, 25).round(3).tolist()}

    def _configuration(self) -> Any:
        return [
            type(self).__name__,
            repr(self.landscape),
            list(self.plane.labels),
            [one.name for one in self._maps],
            [round(float(x), 3) for x in (*self.plane.origin, *self.plane.u, *self.plane.v)],
            [round(x, 6) for x in self._corners()],
        ]


@dataclass(frozen=True, eq=False)
class _Map:
    """One map: its heights, how to ask for the height at coordinates `(..., 2)`, its best place."""

    name: str
    surface: Surface
    heights: Heights
    at: Callable[[NDArray], NDArray]
    lowest: NDArray
    best: float

    @classmethod
    def of(cls, surface: Surface, at: Any, name: str) -> _Map:
        heights = np.where(np.isfinite(surface.loss), surface.loss, np.inf)
        best = np.argmax(surface.loss) if name == "accuracy" else np.argmin(heights)
        i, j = np.unravel_index(best, heights.shape)
        place = np.array([surface.a[i], surface.b[j]])
        if isinstance(at, Landscape):  # look closer; where there is no kink, Newton is exact
            low, high = (np.array([surface.a[k], surface.b[k]]) for k in (0, -1))
            cell = (high - low) / (len(surface.a) - 1)
            place = np.clip(lowest(at, place - cell, place + cell), low, high)
            for point in critical_points(at, [place]):
                inside = ((low <= point.point) & (point.point <= high)).all()
                place = point.point if inside and point.loss <= at(place) else place
        return cls(name, surface, Heights.of(surface.loss), at, place, float(at(place)))


def _staircase(ax: Any, surface: Surface, aspect: Any) -> None:
    """Draw shares of right answers cell by cell: between two steps there is no slope to draw."""
    a, b = (side + at for side, at in zip(
        (surface.a, surface.b), surface.plane.absolute, strict=True))  # fmt: skip
    ax.pcolormesh(a, b, surface.loss.T, shading="nearest")
    first, second = surface.plane.labels
    ax.set(xlim=a[[0, -1]], ylim=b[[0, -1]], xlabel=first, ylabel=second, aspect=aspect)


def _preset(name: str) -> tuple[Landscape, Plane, tuple[float, ...], tuple[float, float]]:
    """Landscape, plane, frame and start of a preset."""
    if name == "network":
        net = Network(Linear(1, 2), Tanh(), Linear(2, 1))
        parts = {"0.bias": [1.5, -1.7], "2.weight": [[-1.5], [1.0]], "2.bias": [0.0]}
        truth = net.pack({"0.weight": [[1.7, 2.3]], **parts})
        x = np.linspace(-2.0, 2.0, 24)[:, None]
        plane = Plane.two_weights(net.pack({"0.weight": [[0.0, 0.0]], **parts}), 0, 1)
        seen = Data(x, net(truth, x))
        height = Landscape(net, losses.half_squared_error, seen)
        return height, replace(plane, labels=("w1", "w2")), (-4.0, 4.0, -4.0, 4.0), (-1.0, 1.0)
    net, plane = Network(Linear(1, 1)), Plane.whole(("w", "b"))
    if name == "line":
        seen = data.line(20, noise=0.25, seed=0)
        height = Landscape(net, losses.mean_squared_error, seen)
        return height, plane, (-1.0, 3.0, -1.5, 2.5), (0.0, 0.0)
    height = Landscape(net, losses.binary_cross_entropy, two_classes())
    return height, plane, (-2.0, 6.0, -4.0, 4.0), (-0.5, 1.0)


def _named(loss: Any) -> str:
    """A loss's name as prose: "mean squared error"."""
    return getattr(getattr(loss, "func", loss), "__name__", "loss").replace("_", " ")
