"""`Basins(preset="trainability")`: which pairs of learning rates train, and where that changes.

Give two layers a learning rate each. Between the pairs that train and those that do not runs a
border. In places it is a plain line; in others, look four times as closely, and again, and there is
still more of it. Source: Sohl-Dickstein 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.regions import BLUES, REDS, trainability_shades
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.basins import CASING, Film
from tinygrad_landscape.panels.panel import guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.zooms import (
    AXES,
    CLOSER,
    PAIR,
    Window,
    Zooms,
    dimension,
    other_fate,
    parting,
    small,
    windows,
)
from tinygrad_landscape.surveying.trainability import LAST

SHADES = 16  # of blue, and as many of red
OPEN = 255
ROUNDS, PARTS = 7, 33  # the way to the border is cut into so many parts, so many times
VIEW = 1e-2, 1e3  # losses that are seen, over the first one


class Trainability(Film):
    """Which pairs of two settings train, zoomed in to the border between yes and no.

    Play zooms in, four times as close at every moment, and ends on the zoom that the slider has.
    The dot is a pair of learning rates; drag it, or give it the focus and press arrows: every
    closer look is round it, and the button takes it to the nearest border. Beside the map are its
    losses, and those of the nearest pair that has the other fate.

    The opening pair was found by looking closer, again and again, where neighbours parted most: at
    zoom 4 it is 4 % of them, from zoom 256 on 29 to 36 %. Elsewhere, as at `pair=(1.533323484,
    1.757070175)`, the border is a plain line at every zoom, with 1 to 2 %.

    Args:
        landscape: your own Landscape; by default a 2-4-1 tanh network on 8 points of two moons,
            with a learning rate for each layer.
        theta: where every training begins, `(P,)`.
        axes: two names with a range each, as for `tl.trainability`; by default layers.
        optimizer: makes an optimizer from two settings, as for `tl.trainability`.
        pair: the two settings it opens with.
        zoom: the level it opens with; level k looks 4^k times as closely.
        levels: how many closer looks there are.
        side: pairs along each side of a map.
        steps: of every training.
        style, hide: as for `Descent`.
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        theta: ArrayLike | None = None,
        *,
        preset: str = "trainability",
        axes: Mapping[str, tuple[float, float]] | None = None,
        optimizer: Callable[[Any, Any], Any] | None = None,
        pair: Sequence[float] | None = None,
        zoom: int = 0,
        levels: int = 6,
        side: int = 49,
        steps: int = 60,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if landscape is None:
            landscape, theta = small() if theta is None else (small()[0], theta)
            pair = PAIR if pair is None and axes is None else pair
            axes = AXES if axes is None else axes
        if theta is None or axes is None or len(axes) != 2:
            raise ParameterError(
                "a landscape of your own needs theta=, where training begins, and axes=, two names "
                "with a range each, for example {'0': (0.1, 100.0), '2': (0.1, 100.0)}"
            )
        if side < 9 or steps < LAST:
            raise ParameterError(
                f"got side={side}, steps={steps}; expected at least 9 pairs along a side and "
                f"{LAST} steps"
            )
        self.axes, self._levels = {k: (float(a), float(b)) for k, (a, b) in axes.items()}, levels
        first, second = self.axes
        ranges = list(self.axes.values())
        middle = [float(np.sqrt(low * high)) for low, high in ranges]
        pair = middle if pair is None else [float(x) for x in pair]
        for name, value, (low, high) in zip(self.axes, pair, ranges, strict=True):
            if not 0.0 < low <= value <= high:
                raise ParameterError(f"got {value} for {name!r}; expected it in {low} to {high}")
        start = np.asarray(landscape.as_points(theta))
        self._zooms = Zooms(landscape, start, (first, second), optimizer, side, steps)
        self._labels = [
            f"learning rate of layer {name}" if optimizer is None else name for name in self.axes
        ]
        box, slider = controls.level("zoom", zoom, 0, levels)
        self.controls = {"zoom": box}
        for name, label, value, ends in zip("ab", self._labels, pair, ranges, strict=True):
            self.controls[name] = controls.number(label, value, *ends)
            self.controls[name].layout.min_width = "260px"
        controls.hide(hide, self.controls, {"zoom": slider})
        self._anchor = np.array(pair)
        self._twins: list[Any] = []
        self._seen: Any = None
        self._painted: dict[int, tuple[Window, NDArray]] = {}
        self._told = np.zeros(2)
        self.player = on_stage(
            self._draw(style), drag="pair", speed=2.0,
            label="Map of which pairs of learning rates train, and losses beside it",
        )  # fmt: skip
        border = ipywidgets.Button(
            description="To the border",
            tooltip="Move the pair towards the nearest one of the other fate, up to the border",
        )
        border.on_click(lambda _: self.to_border())
        self._open([box, slider, border], [controls.fold(self.controls["a"], self.controls["b"])])
        self.player.observe(self._dropped, "dragging")

    # What is seen -------------------------------------------------------------------------------

    @property
    def trains(self) -> NDArray[np.bool_]:
        """Which pairs train, at every level: `(levels + 1, side, side)`."""
        self._finish()
        return np.stack([self._zooms.map(k).trains for k in range(self._levels + 1)])

    @property
    def border(self) -> NDArray[np.float64]:
        """At every level, the share of neighbouring pairs with different fates, and the
        box-counting dimension of the border (NaN where there is none): `(levels + 1, 2)`."""
        return np.array([(parting(level), dimension(level)) for level in self.trains])

    def _sentence(self) -> str:
        a, b = (f"{value:.10g}" for value in self._pair)
        (losses, trains), k = self._walk, self._zoom
        first, second = self._labels
        verb = "trains" if trains[0] else "does not train"
        text = f"With {first} {a} and {second} {b} it {verb}: after {self._zooms.steps} steps "
        last = losses[-LAST:, 0]
        text += (
            f"the loss is {said(float(last.mean()))} times the first."
            if np.isfinite(last).all() else "the loss has run away."
        )  # fmt: skip
        if not self._zooms.coarse[k]:
            return text + " The map is being made."
        found = self._zooms.map(k)
        fine = bool(self._zooms.fine[k])
        count = found.ratio.size if fine else self._zooms.few**2
        text += f" Of {count} pairs at zoom {said(CLOSER**k)} {found.trains.mean():.1%} train"
        text += f"; {self._ragged(found.trains)}." if fine else "."
        twin = self._twins[k]
        if twin is not None:
            other = "does not" if trains[0] else "does"
            text += f" The nearest of them that {other} is {said(self._far(k))} decades away."
        if self._zooms.fine.all() and self._levels:
            deep = self._zooms.map(self._levels).trains
            text += f" {said(CLOSER**self._levels)} times as close, {self._ragged(deep)}."
        return text

    @staticmethod
    def _ragged(trains: NDArray) -> str:
        text, size = f"{parting(trains):.1%} of neighbours part ways", dimension(trains)
        if np.isfinite(size):
            text += f", box-counting dimension {size:.2f}"
        return text

    def _far(self, k: int) -> float:
        """How far the chosen pair and its twin of level k are apart, in decades."""
        return float(np.linalg.norm(np.log10(self._twins[k]) - np.log10(self._pair)))

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._pair, self._zoom = np.array([value["a"], value["b"]]), value["zoom"]
        held = hasattr(self, "player") and self.player.dragging and self._level() > 0
        if not held:  # a map must not move under the hand that points into it
            self._anchor = self._pair
        self._windows = windows(self.axes, self._anchor, self._levels)
        self._zooms.want(self._windows, self._zoom)

    def _answer(self) -> bool:
        return self._zooms.go(answer=True)

    def _work(self, seconds: float) -> bool:
        return self._zooms.go(seconds)

    def _level(self) -> int:
        """The level of the moment that is shown."""
        frame = self.player.frame
        return frame if frame <= self._levels else self._zoom

    def _find_twins(self) -> None:
        """The nearest pair of the other fate at every level, and the walks of all of them."""
        if self._seen != self._pair.tolist():
            self._seen, self._twins = self._pair.tolist(), []
            self._fate = bool(self._zooms.walks(self._pair[None])[1][0])
        twins: list[Any] = []
        for k, window in enumerate(self._windows):
            cell = None
            if self._zooms.coarse[k]:
                known = self._zooms.map(k)
                cell = other_fate(known.trains, window.places(self._pair), self._fate)
            twins.append(None if cell is None else (known.a[cell[0]], known.b[cell[1]]))
        if twins != self._twins:
            self._twins = twins
            every = [tuple(self._pair) if twin is None else twin for twin in twins]
            self._walk = self._zooms.walks(np.array([tuple(self._pair), *every]))

    def _show(self) -> None:
        scene, last = self.player.scene, self._levels + 1
        order = [*range(last), self._zoom]  # every level, and the chosen one again
        self._find_twins()
        scene.set("map", np.stack([self._numbers(k) for k in order]))
        places = np.stack([self._windows[k].places(self._pair) for k in order])
        scene.set("pair", places)
        aside = [np.full(2, np.nan) if self._twins[k] is None
                 else self._windows[k].places(self._twins[k]) for k in order]  # fmt: skip
        scene.set("twin", np.stack(aside))
        self._show_frames(scene, order)
        steps, (losses, _) = np.arange(self._zooms.steps + 1), self._walk
        seen = np.where(np.isnan(losses), np.inf, losses)
        seen = np.clip(seen, VIEW[0] / 10.0, VIEW[1] * 10.0)
        scene.set("loss", np.column_stack([steps, seen[:, 0]]))
        gone = [np.full_like(seen[:, 0], np.nan) if self._twins[k] is None else seen[:, k + 1]
                for k in order]  # fmt: skip
        scene.set("twin loss", np.stack([np.column_stack([steps, each]) for each in gone]))
        self._told = places[-1]
        self.player.update(
            sentence=self._sentence(), honesty=self._honesty(), start=places[-1].tolist()
        )

    def _show_frames(self, scene: Scene, order: list[int]) -> None:
        """The numbers round the map, and the square that the next moment looks at."""
        ends = np.stack([self._windows[k].pairs(np.array([[-1, -1], [1, 1]])) for k in order])
        for name, (i, j) in {
            "left": (0, 0),
            "right": (1, 0),
            "low": (0, 1),
            "high": (1, 1),
        }.items():
            scene.set(name, ends[:, i, j, None])
        sides = [2.0 * self._windows[k].half[0] for k in order]
        scene.set("readout", np.column_stack([CLOSER ** np.array(order), sides]))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float)
        squares = [
            self._windows[k].places(self._windows[k + 1].pairs(corners))
            if k < self._levels else np.full((5, 2), np.nan) for k in order
        ]  # fmt: skip
        scene.set("next", np.stack(squares))

    def _numbers(self, k: int) -> NDArray:
        """Map k as numbers of colours: blues for what trains, then reds."""
        window, painted = self._windows[k], self._painted.get(k)
        if painted is not None and painted[0] == window:
            return painted[1]
        if not self._zooms.coarse[k]:
            return np.full((self._zooms.side,) * 2, OPEN)
        found = self._zooms.map(k)
        shade = np.minimum((trainability_shades(found) * SHADES).astype(int), SHADES - 1)
        number = np.where(found.trains, shade, SHADES + shade)
        number = np.where(np.isnan(found.ratio), OPEN, number)
        if self._zooms.fine[k]:
            self._painted[k] = window, number
        return number

    def _honesty(self) -> str:
        side, steps = self._zooms.side, self._zooms.steps
        text = (
            f"Both axes are logarithmic; a map has {side} x {side} pairs and knows nothing between "
            f"them. A pair trains if the mean of the last {LAST} of {steps} losses is below the "
            "first; more steps would move the border. Colours go by rank within a map: light blue "
            "trains fastest, dark red fails fastest. The dimension is counted with boxes of 1 to 8 "
            "cells of this map: a line has 1, and no finite map can show a fractal, only that "
            "detail goes on."
        )
        if not self._zooms.fine.all():
            text += " Some maps are coarse and still being refined."
        return text

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.colors import LinearSegmentedColormap, to_hex
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        ramps = [LinearSegmentedColormap.from_list(f"{k}", ends)(np.linspace(0.0, 1.0, SHADES))
                 for k, ends in enumerate((BLUES, REDS))]  # fmt: skip
        colors = [to_hex(color) for ramp in ramps for color in ramp]
        with style(paper) as chosen:
            size = chosen.scale
            figure = Figure(figsize=(10.0, 4.8), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
            over.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], title=" ")
            over.set_xlabel(f"{self._labels[0]} (log)", labelpad=14.0 * size)
            over.set_ylabel(f"{self._labels[1]} (log)", labelpad=38.0 * size)
            over.set_box_aspect(1.0)
            over.spines[["top", "right"]].set_visible(True)
            beside.set(xlim=(0, self._zooms.steps), ylim=VIEW, yscale="log", xlabel="step",
                       ylabel="loss over first loss (log)", title=" ")  # fmt: skip
            beside.axhline(1.0, color=chosen.muted, linewidth=0.8)
            beside.axvspan(self._zooms.steps - LAST + 1, self._zooms.steps, color=chosen.muted,
                           alpha=0.15, linewidth=0)  # fmt: skip
            line, other = chosen.accents[1], chosen.accents[0]
            figure.legend(handles=[
                Patch(facecolor=colors[SHADES // 2], edgecolor=chosen.muted, label="trains"),
                Patch(facecolor=colors[SHADES + SHADES // 2], edgecolor=chosen.muted,
                      label="does not train"),
                Patch(facecolor=chosen.muted, alpha=0.2, label=f"the {LAST} steps that decide"),
                Line2D([], [], color=line, marker="o", label="chosen pair"),
                Line2D([], [], color=other, marker="s", linestyle=(0, (4, 2)),
                       label="nearest of the other fate"),
            ], loc="outside upper center", ncols=5 if size == 1.0 else 2)  # fmt: skip
        scene = Scene(figure, {"map": over, "losses": beside}, paper)
        scene.add("map", "cells", "map", follow=True, colors=colors)
        ink: dict[str, Any] = {"color": chosen.ink, "follow": True}
        scene.add("readout", "text", "map", at=[0.0, 1.02], size=14.0 * size,
                  template="zoom {0}, a side has {1} decades", **ink)  # fmt: skip
        small: dict[str, Any] = {"size": 12.0 * size, **ink}
        scene.add("left", "text", "map", at=[0.0, -0.02], **small)
        scene.add("right", "text", "map", at=[1.0, -0.02], align="right", **small)
        scene.add("low", "text", "map", at=[-0.02, 0.05], align="right", **small)
        scene.add("high", "text", "map", at=[-0.02, 0.995], align="right", **small)
        scene.add("next", "curve", "map", follow=True, colors=["#ffffff"], casing=CASING,
                  width=1.4 * size)  # fmt: skip
        scene.add("twin", "ball", "map", follow=True, shapes=["s"], colors=[other], edge=CASING,
                  size=11.0 * size)  # fmt: skip
        scene.add("pair", "ball", "map", follow=True, shapes=["o"], colors=[line],
                  edge="#ffffff", size=13.0 * size)  # fmt: skip
        scene.add("twin loss", "curve", "losses", follow=True, colors=[other],
                  width=1.8 * size, dash=[6, 3])  # fmt: skip
        scene.add("loss", "polyline", "losses", colors=[line], width=2.2 * size)
        return scene

    # Hands --------------------------------------------------------------------------------------

    def _moved(self, change: Any) -> None:
        place = np.array(change["new"])
        if not np.allclose(place, self._told, atol=1e-9):
            a, b = self._windows[self._level()].pairs(place).tolist()
            (low, high), (bottom, top) = self.axes.values()
            self._put(a=min(max(low, a), high), b=min(max(bottom, b), top))

    @guarded
    def to_border(self) -> None:
        """Move the pair towards the nearest one of the other fate, up to the border between them,
        where the closer looks have most to show."""
        self.settle()
        twin = self._twins[self._zoom]
        if twin is None:
            raise ParameterError("every pair of this map has the same fate; zoom out first")
        near, far = np.log10(self._pair), np.log10(twin)
        for _ in range(ROUNDS):
            between = near + np.linspace(0.0, 1.0, PARTS)[:, None] * (far - near)
            _, trains = self._zooms.walks(10.0**between)
            first = int(np.argmax(trains != trains[0])) or PARTS - 1
            near, far = between[first - 1], between[first]
        self._put(a=float(10.0 ** near[0]), b=float(10.0 ** near[1]))

    @guarded
    def _dropped(self, change: Any) -> None:
        if not change["new"]:
            self._react()

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {"zoom": sorted({0, self._levels // 2, self._levels})}

    def _configuration(self) -> Any:
        return [
            "Basins", "trainability", repr(self._zooms.landscape), self.axes, self._levels,
            self._zooms.side, self._zooms.steps,
            [round(float(x), 3) for x in self._zooms.theta[:50]],
        ]  # fmt: skip
