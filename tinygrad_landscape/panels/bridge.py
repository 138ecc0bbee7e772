"""The `Bridge` panel: is there really a mountain between two minima?

Straight from one trained network to another the loss rises. Put the other's hidden neurons in the
first one's order, and most of the mountain is gone; bend the way, and it can be walked round. The
bend is a handle: pull it, and see what your own way costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data
from tinygrad_landscape.panels import bridges, controls, relief
from tinygrad_landscape.panels.bridges import Ends, barrier
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.valleys import listed
from tinygrad_landscape.surveying import Plane, Surface, connect, survey

CASING = "#10151c"
T = np.linspace(0.0, 1.0, 61)
FRAME = (-0.3, 1.3, -0.5, 1.1)  # of the map, in distances from A to B
MARKS = {"straight": "s", "aligned": "D", "curved": "o"}


class Bridge(Panel):
    """Three ways between two minima: straight, straight to the aligned twin, and bent.

    Choice "two seeds": a 2-16-1 tanh network on 100 points in two moons, trained from two first
    weights. Choice "permuted copy": the first of them and the same function with its neurons in
    another order. Play walks all ways at once, from A (t = 0) to B (t = 1).

    Over six seeds the barrier on the straight way between two runs is 0.14 to 0.66, after alignment
    0.002 to 0.006. Networks of 8 neurons keep higher ones, and deeper networks are not tried here.

    Args:
        landscape: your own Landscape, with the two ends `p` and `q`.
        p, q: weights `(P,)` of A and B, usually minima.
        validation: data or another Landscape of the same weights, for the dashed lines.
        ends: "two seeds" or "permuted copy", without a landscape of your own.
        seed: of the first weights; the runs take seeds 2 seed and 2 seed + 1.
        steps: of Adam, that `tl.connect.bezier` bends the way with.
        resolution: grid points per side of the map.
        height: the map's scale: "linear", "sqrt", "log" or "auto".
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for unknown ends, a landscape without p and q, or two ends at one place.
        ShapeError: for ends that are no weights of the landscape.

    >>> Bridge(resolution=9).describe().split(". ")[1]
    'Straight, the train loss rises to 0.39, a barrier of 0.343'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        p: ArrayLike | None = None,
        q: ArrayLike | None = None,
        *,
        validation: Data | Landscape | None = None,
        ends: str = "two seeds",
        seed: int = 0,
        steps: int = 300,
        resolution: int = 41,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        self._validation: Landscape | None
        if landscape is None:
            if any(given is not None for given in (p, q, validation)):
                raise ParameterError("got ends without a landscape; pass Bridge(landscape, p, q)")
            self.landscape, self._validation, self._pairs = bridges.two_moons(seed)
        else:
            self.landscape, ends = landscape, "yours"
            self._validation = (
                landscape.on(validation) if isinstance(validation, Data) else validation
            )
            self._pairs = {ends: _own(landscape, p, q)}
        if ends not in self._pairs:
            raise ParameterError(f"got ends={ends!r}; expected one of {', '.join(self._pairs)}")
        self._seed, self._steps, self._resolution = seed, steps, resolution
        self._height = height
        self._built: dict[str, tuple[Plane, NDArray, Surface]] = {}
        plane, middle, surface = self._build(ends)
        (x0, x1), (y0, y1) = ((axis[0], axis[-1]) for axis in (surface.a, surface.b))
        x, y = controls.places(plane.labels, middle, (x0, y0), (x1, y1))
        x.description, y.description = "middle of the bend, along", "aside"
        self.controls = {"ends": controls.choice("A and B", [*self._pairs], ends),
                         "bend_x": x, "bend_y": y}  # fmt: skip
        if landscape is not None:
            hide = [*hide, "ends"]
        controls.hide(hide, self.controls)
        self._for: str | None = None
        self.player = on_stage(
            self._draw(style), drag="bend", seek="at straight", start=middle.tolist(), speed=20.0,
            label="Map of the loss with three ways from A to B, and the loss along them",
        )  # fmt: skip
        self._open([self.controls["ends"]], [controls.fold(x, y)])

    # What is seen -------------------------------------------------------------------------------

    @property
    def barriers(self) -> dict[str, float]:
        """How far the train loss on each way rises above the line between its ends' losses."""
        self.settle()
        return {way: barrier(heights, T)[0] for way, (heights, _) in self._heights.items()}

    def point(self, t: ArrayLike) -> NDArray:
        """The weights `(..., P)` on the bent way at t, 0 to 1."""
        self.settle()
        places = _bent(self._middle, np.asarray(t, float))
        return np.asarray(self._plane.point(places[..., 0], places[..., 1]))

    def describe(self) -> str:
        """Both ends, and how high each way between them is."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        ends, straight = self._ends, self._heights["straight"]
        text = f"A and B are {ends.reached}: train loss {said(float(straight[0][0]))} and "
        text += f"{said(float(straight[0][-1]))}. Straight, the train loss "
        text += self._risen("straight")
        if ends.twin is not None:
            before, after = (float(np.linalg.norm(x - ends.a)) for x in (ends.b, ends.twin))
            text += (
                " With B's neurons in the order nearest to A's, the same function and "
                f"{said(after)} instead of {said(before)} away, it " + self._risen("aligned")
            )
        text += f" On {'the' if self._found() else 'your'} bent way it " + self._risen("curved")
        if self._validation is not None:
            tops = [f"{said(float(heights[1].max()))} {way}"
                    for way, heights in self._heights.items()]  # fmt: skip
            text += f" The highest validation loss is {listed(tops)}."
        return text

    def _risen(self, way: str) -> str:
        heights = self._heights[way][0]
        rise, _ = barrier(heights, T)
        if rise < 0.01 * max(abs(heights[0]), abs(heights[-1])):
            return f"has no barrier (highest {said(float(heights.max()))})."
        return f"rises to {said(float(heights.max()))}, a barrier of {said(rise)}."

    def _found(self) -> bool:
        """Whether the bend is the one that was found, not one that a hand pulled."""
        return bool(np.allclose(self._middle, self._build(self._chosen)[1], atol=1e-9))

    # Computing ----------------------------------------------------------------------------------

    def _build(self, name: str) -> tuple[Plane, NDArray, Surface]:
        """Plane, middle of the bend that was found, and map of a pair of ends; made once."""
        if name not in self._built:
            ends = self._pairs[name]
            curve = connect.bezier(self.landscape, ends.a, ends.b, self._steps)
            plane = bridges.plane_of(ends.a, ends.b, curve.control)
            middle = plane.coordinates(curve.point(0.5)).round(6)
            x0, x1, y0, y1 = FRAME
            reach = max(y1, 1.3 * float(middle[1]))  # a wide bend of your own ends
            surface = survey(self.landscape, plane, (x0, x1, y0, reach), self._resolution)
            self._built[name] = plane, middle, surface
        return self._built[name]

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._chosen, self._ends = value["ends"], self._pairs[value["ends"]]
        self._plane, found, self._surface = self._build(self._chosen)
        self._middle = np.array([value["bend_x"], value["bend_y"]])
        if self._chosen != self._for:
            if self._for is not None and np.allclose(self._middle, self._build(self._for)[1]):
                self._middle = found  # other ends have another bend; one of your own is kept
                self._quietly(bend_x=float(found[0]), bend_y=float(found[1]))
            self._for, a = self._chosen, self._ends.a
            goals = {"straight": self._ends.b, "aligned": self._ends.twin}
            self._heights = {way: self._losses(a + T[:, None] * (goal - a))
                             for way, goal in goals.items() if goal is not None}  # fmt: skip

    def _quietly(self, **values: float) -> None:
        deaf, self._deaf = self._deaf, True
        for name, value in values.items():
            self.controls[name].value = value
        self._deaf = deaf

    def _work(self, seconds: float) -> bool:
        bent = _bent(self._middle, T)
        points = np.asarray(self._plane.point(bent[:, 0], bent[:, 1]))
        self._heights["curved"] = self._losses(points)
        return True

    def _losses(self, points: NDArray) -> tuple[NDArray, NDArray]:
        """Train and validation loss of weights `(T, P)`; the latter NaN where there is none."""
        train = np.asarray(self.landscape(points))
        other = self._validation
        return train, np.full(train.shape, np.nan) if other is None else np.asarray(other(points))

    def _show(self) -> None:
        scene, scale = self.player.scene, Heights.of(self._surface.loss, self._height)
        scene.set("relief", relief.shares(self._surface, scale))
        straight, curved = np.column_stack([T, 0.0 * T]), _bent(self._middle, T)
        for way, places in (("straight", straight), ("curved", curved)):
            scene.set(f"way {way}", places)
            scene.set(f"ball {way}", places)
        scene.set("bend", self._middle)
        scene.set("readout", np.column_stack([T, *(h for h, _ in self._heights.values())]))
        for way, (train, validation) in self._heights.items():
            scene.set(f"train {way}", np.column_stack([T, train]))
            scene.set(f"validation {way}", np.column_stack([T, validation]))
            scene.set(f"at {way}", np.column_stack([T, train]))
        words = f"{honesty(self._surface, None, scale)} {relief.words(scale)}"
        if self._ends.twin is not None:
            words += (
                " B's twin does not lie in this plane, so the way to it is not on the map, only "
                "beside it."
            )
        words += (
            f" Between {len(T)} places nothing is looked at. A barrier is the height above the "
            "straight line between the losses of both ends. The bend was found on the training "
            "data; pull its handle for one of your own."
        )
        self.player.update(sentence=self._sentence(), honesty=words, start=self._middle.tolist())

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

        surface = self._built[next(iter(self._built))][2]
        ways = [way for way in MARKS if way != "aligned" or self._pairs_have_twins()]
        with style(paper) as chosen:
            colors = dict(zip(MARKS, (chosen.accents[0], PALETTE[2], chosen.accents[1]),
                              strict=True))  # fmt: skip
            figure = Figure(figsize=(10.0, 4.8), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
            over.set(xlim=surface.a[[0, -1]], ylim=surface.b[[0, -1]], title=" ",
                     xlabel=surface.plane.labels[0], ylabel=surface.plane.labels[1])  # fmt: skip
            over.set_box_aspect(1.0)
            self._loss_axes(beside)
            lines = [
                Line2D([], [], color=colors[way], marker=MARKS[way], markersize=7 * chosen.scale,
                       markeredgecolor="#ffffff", label=way)
                for way in ways
            ]  # fmt: skip
            if self._validation is not None:
                both: Any = (("-", "train"), ("--", "validation"))
                lines += [Line2D([], [], color=chosen.ink, linestyle=dash, label=name)
                          for dash, name in both]  # fmt: skip
            figure.legend(handles=lines, loc="outside upper center",
                          ncols=5 if chosen.scale == 1.0 else 3)  # fmt: skip
        scene = Scene(figure, {"map": over, "losses": beside}, paper)
        size = chosen.scale
        relief.add(scene, "map")
        template = "t = {0}   " + "   ".join(f"{way} {{{k + 1}}}" for k, way in enumerate(ways))
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=13.0 * size, template=template)  # fmt: skip
        look: dict[str, Any] = {"casing": CASING, "width": 2.4 * size}
        scene.add("way straight", "polyline", "map", colors=["#ffffff"], dash=[7, 5], **look)
        scene.add("way curved", "polyline", "map", colors=["#ffffff"], **look)
        scene.add("ends", "marker", "map", shapes=["D"], colors=["#ffffff"], size=10.0 * size,
                  edge=CASING)  # fmt: skip
        scene.set("ends", [[0.0, 0.0], [1.0, 0.0]])
        corner, span = surface.b[0], surface.b[-1] - surface.b[0]
        for letter, along in (("A", 0.0), ("B", 1.0)):
            at = [(along - FRAME[0]) / (FRAME[1] - FRAME[0]) - 0.015, -float(corner / span) - 0.03]
            scene.add(letter, "text", "map", at=at, template=letter, color="#ffffff", halo=CASING,
                      size=16.0 * size)  # fmt: skip
            scene.set(letter, [0.0])
        scene.add("bend", "marker", "map", shapes=["s"], colors=["#ffffff"], size=11.0 * size,
                  edge=CASING)  # fmt: skip
        for way in ("straight", "curved"):
            scene.add(f"ball {way}", "ball", "map", follow=True, colors=[colors[way]],
                      shapes=[MARKS[way]], size=13.0 * size)  # fmt: skip
        for way in ways:
            scene.add(f"validation {way}", "polyline", "losses", colors=[colors[way]],
                      width=1.4 * size, dash=[6, 4])  # fmt: skip
            scene.add(f"train {way}", "polyline", "losses", colors=[colors[way]],
                      width=2.4 * size)  # fmt: skip
        for way in ways:
            scene.add(f"at {way}", "ball", "losses", follow=True, colors=[colors[way]],
                      shapes=[MARKS[way]], size=12.0 * size)  # fmt: skip
        return scene

    def _pairs_have_twins(self) -> bool:
        return all(pair.twin is not None for pair in self._pairs.values())

    def _loss_axes(self, ax: Any) -> None:
        """Axes as high as the highest straight way, twice that on a log scale."""
        heights = np.concatenate([
            each for pair in self._pairs.values()
            for each in self._losses(pair.a + T[:, None] * (pair.b - pair.a))
        ])  # fmt: skip
        heights = heights[np.isfinite(heights)]
        low, high = float(heights.min()), float(heights.max())
        if low > 0.0:
            ax.set(yscale="log", ylim=(max(0.4 * low, 1e-6 * high), 2.0 * high))
        else:
            room = 0.1 * (high - low)
            ax.set(ylim=(low - room, high + room))
        ax.set(xlim=(-0.03, 1.03), xticks=np.linspace(0.0, 1.0, 5), title=" ",
               xticklabels=["A", "0.25", "t = 0.5", "0.75", "B"],
               ylabel=f"loss ({ax.get_yscale()})")  # fmt: skip

    # Hearing ------------------------------------------------------------------------------------

    def _moved(self, change: Any) -> None:
        self._put(bend_x=change["new"][0], bend_y=change["new"][1])

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {"ends": [*self._pairs]}

    def _configuration(self) -> Any:
        first = next(iter(self._pairs.values()))
        return [type(self).__name__, self.landscape.size, [*self._pairs], self._seed, self._steps,
                [round(float(x), 3) for x in (*first.a[:50], *first.b[:50])]]  # fmt: skip


def _bent(middle: NDArray, t: NDArray) -> NDArray:
    """Places `(..., 2)` on the quadratic Bezier curve from (0, 0) to (1, 0) whose middle, at
    t = 1/2, is `middle`."""
    t = t[..., None]
    control, goal = 2.0 * middle - [0.5, 0.0], np.array([1.0, 0.0])
    return np.asarray(2.0 * t * (1.0 - t) * control + t**2 * goal)


def _own(landscape: Landscape, p: ArrayLike | None, q: ArrayLike | None) -> Ends:
    if p is None or q is None:
        raise ParameterError(
            "got a landscape without both ends; pass Bridge(landscape, p, q), two places in "
            "weights such as the ends of two walks"
        )
    first, second = (np.array(landscape.as_points(end), float) for end in (p, q))
    if np.allclose(first, second):
        raise ParameterError("A and B are the same place; pass two different ends")
    return Ends.of(landscape, first, second, "your two places")
