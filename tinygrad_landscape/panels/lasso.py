"""`Basins(preset="lasso")`: count valleys, saddles and hilltops without looking for them.

Draw a loop and walk round it once. How often the gradient turns on the way is the number of minima
less saddles plus maxima inside; what Newton's method finds there is the check.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls, pages
from tinygrad_landscape.panels.basins import CASING, Basins
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.panel import guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.valleys import listed
from tinygrad_landscape.surveying import Plane, critical_points, winding_number

WAY = 240  # moments of one walk round the loop
FINE = 4096  # places along it where the gradient is looked at
SEARCH = 21  # starts of Newton's method along each side of the frame
CORNERS = 24  # a drawn loop keeps no more
KINDS = {  # index of each kind (what it adds to the turns), colour and shape
    "minimum": (1, PALETTE[2], "o"),
    "saddle": (-1, PALETTE[4], "x"),
    "maximum": (1, PALETTE[0], "^"),
}


class Lasso(Basins):
    """Draw a loop on the map; the turning of the gradient tells what lies inside.

    Args:
        landscape: any Landscape; by default one neuron sin(w x + b), with 9 minima, 15 saddles and
            10 maxima.
        plane: what is drawn of a landscape with more than two weights.
        loop: corners of the loop it opens with, in the numbers on the axes; by default the frame.
        extent, resolution, height, style, hide: as for `Descent`.
    """

    _patience = float("inf")

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "lasso",
        loop: Sequence[Sequence[float]] | None = None,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        landscape = formulas.sine_neuron if landscape is None else landscape
        self.ground = Ground.of(landscape, plane, extent, resolution, height)
        self.points = self._found()
        side = float((self.ground.high - self.ground.low).min())
        self._reach, self._unit = 0.11 * side, side / 400.0  # of an arrow; of a drawn loop
        (x0, y0), (x1, y1) = self.ground.low.tolist(), self.ground.high.tolist()
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)] if loop is None else loop
        self.controls = {
            "corners": ipywidgets.Text(
                value=written(np.asarray(corners, float)), continuous_update=False,
                description="corners of the loop", style=controls.LABEL,
                tooltip="x and y of each corner, with commas between corners",
                layout={"flex": "1 1 300px", "width": "initial"},
            )
        }  # fmt: skip
        controls.hide(hide, self.controls)
        self.player = on_stage(
            self._draw(style), lasso="loop", seek="turned", speed=20.0,
            label="Map of the loss with a loop, and how far the gradient has turned along it",
        )  # fmt: skip
        words = ipywidgets.HTML("Draw a loop on the map.", layout={"flex": "1 1 auto"})
        self._open([words], [controls.fold(self.controls["corners"])])
        self.player.observe(self._thrown, "loop")

    # What is seen -------------------------------------------------------------------------------

    @property
    def turns(self) -> int:
        """How often the gradient turns along the loop."""
        self.settle()
        return self._turns

    @property
    def inside(self) -> dict[str, int]:
        """How many critical points of each kind lie in the loop, counted once each time round."""
        self.settle()
        return dict(self._inside)

    def _sentence(self) -> str:
        times = "once" if self._turns == 1 else f"{self._turns} times"
        text = f"Along the loop the gradient turns {times}. "
        counts = [self._inside[kind] for kind in KINDS]
        named = [
            f"{count} {kind[:-2] + ('um' if count == 1 else 'a') if kind[-2:] == 'um' else kind}"
            + ("s" if kind == "saddle" and count != 1 else "")
            for kind, count in zip(KINDS, counts, strict=True)
        ]
        minima, saddles, maxima = counts
        total = minima - saddles + maxima
        text += f"Inside are {listed(named)}: {minima} - {saddles} + {maxima} = {total}."
        if total != self._turns:
            missing = self._turns - total
            text += (
                f" That is not {self._turns}: points that count {missing} together are degenerate, "
                "or Newton's method missed them."
            )
        return text

    # Computing ----------------------------------------------------------------------------------

    def _found(self) -> dict[str, NDArray]:
        """The critical points in the frame by kind, `(K, 2)` in the numbers on the axes."""
        ground = self.ground
        known = [getattr(ground.inside, name, None) for name in ("minima", "saddles", "maxima")]
        if any(points is None for points in known):
            starts = ground.grid(SEARCH).reshape(-1, 2) - ground.origin
            found = critical_points(ground.inside, starts, steps=60)
            known = [np.array([p.point for p in found if p.kind == kind]) for kind in KINDS]
        points = {}
        for kind, group in zip(KINDS, known, strict=True):
            places = np.asarray(group, float).reshape(-1, 2) + ground.origin
            seen = ((ground.low <= places) & (places <= ground.high)).all(axis=-1)
            points[kind] = places[seen]
        return points

    def _begin(self) -> None:
        corners = read(self.controls["corners"].value)
        inside, origin = self.ground.inside, self.ground.origin
        self._turns = winding_number(inside, corners - origin)
        way = along(corners, FINE)
        slope = inside.gradient(way - origin)
        angle = np.unwrap(np.arctan2(slope[:, 1], slope[:, 0])) / (2.0 * np.pi)
        turned = (angle - angle[0]) * np.sign(area(corners))
        picked = np.rint(np.linspace(0, FINE, WAY + 1)).astype(int)
        self._corners, self._way, self._swing = corners, way[picked], turned[picked]
        lengths = np.linalg.norm(slope[picked], axis=-1, keepdims=True)
        self._arrows = slope[picked] / np.where(lengths > 0.0, lengths, 1.0)
        self._round = {kind: rounds(corners, points) for kind, points in self.points.items()}
        self._inside = {kind: int(times.sum()) for kind, times in self._round.items()}
        low, high = float(turned.min()), float(turned.max())
        axes = self.player.scene.axes["turns"]
        bottom, top = axes.get_ylim()
        if not (bottom <= low and high <= top):
            axes.set_ylim(min(bottom, low - 0.5), max(top, high + 0.5))
            self.player.redraw()

    def _work(self, seconds: float) -> bool:
        return True

    def _show(self) -> None:
        scene = self.player.scene
        scene.set("loop", np.concatenate([self._corners, self._corners[:1]]))
        scene.set("ball", self._way)
        scene.set("arrow", np.column_stack([self._way, self._reach * self._arrows]))
        share = np.linspace(0.0, 1.0, len(self._way))
        for name in ("turned", "cursor", "readout"):
            scene.set(name, np.column_stack([100.0 * share, self._swing]))
        scene.set("goal", [[0.0, self._turns], [100.0, self._turns]])
        for kind, points in self.points.items():
            caught = self._round[kind] != 0
            scene.set(f"in {kind}", points[caught])
            scene.set(f"out {kind}", points[~caught])
        words = honesty(self.ground.surface, None, self.ground.heights)
        words += (
            " Circles are minima, crosses saddles, triangles maxima; those outside the loop are "
            "grey. The arrow is the direction of the gradient, uphill, whatever its length. The "
            "count holds for points that are not degenerate."
        )
        self.player.update(sentence=self._sentence(), honesty=words)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.2, 1.0))
            self.ground.draw(over)
            down = len(self.points["saddle"]) // 4  # few loops turn further than these
            up = sum(len(self.points[kind]) for kind in ("minimum", "maximum")) // 4
            beside.set(xlim=(0, 100), ylim=(-0.5 - max(1, down), 0.5 + max(2, up)),
                       xlabel="way round the loop (%)",
                       ylabel="turns of the gradient")  # fmt: skip
            beside.grid(axis="y", linewidth=0.4)
        scene = Scene(figure, {"map": over, "turns": beside}, paper)
        size, line = chosen.scale, PALETTE[5 if paper == "dark" else 1]
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size, template="{0} % of the way, turned {1} times")  # fmt: skip
        scene.add("loop", "polyline", "map", colors=["#ffffff"], casing=CASING, width=2.4 * size)
        for kind, (_, color, shape) in KINDS.items():
            scene.add(f"out {kind}", "marker", "map", colors=["#aab2bb"], shapes=[shape],
                      size=6.0 * size)  # fmt: skip
            scene.add(f"in {kind}", "marker", "map", colors=[color], shapes=[shape],
                      size=11.0 * size)  # fmt: skip
        scene.add("arrow", "arrow", "map", follow=True, colors=["#ffffff"], casing=CASING,
                  width=3.0 * size)  # fmt: skip
        scene.add("ball", "ball", "map", follow=True, size=13.0 * size, colors=["#ffffff"],
                  edge=CASING)  # fmt: skip
        scene.add("goal", "polyline", "turns", colors=[chosen.muted], dash=[6, 3])
        scene.add("turned", "polyline", "turns", follow=True, colors=[line], ghost=0.4,
                  width=2.2 * size)  # fmt: skip
        scene.add("cursor", "ball", "turns", follow=True, size=12.0 * size, colors=["#ffffff"],
                  edge=CASING)  # fmt: skip
        return scene

    # Hands --------------------------------------------------------------------------------------

    @guarded
    def _thrown(self, change: Any) -> None:
        """A hand drew a loop."""
        loop = np.asarray(change["new"], float)
        if len(loop) > 2:
            self._wanted = None
            self._put(corners=written(simplified(loop, self._unit)))

    # Without a kernel ---------------------------------------------------------------------------

    def _baked(self) -> dict[str, list[Any]]:
        return {}

    def _live(self) -> dict[str, Any] | None:
        ground, points = self.ground, {kind: at.tolist() for kind, at in self.points.items()}
        return pages.live(
            "lasso", ground.landscape, ground.plane, hands=("loop",), points=points,
            loop=self._corners.tolist(), fine=FINE, way=WAY, reach=self._reach, unit=self._unit,
            corners=CORNERS,
        )  # fmt: skip

    def _configuration(self) -> Any:
        return ["Basins", "lasso", *self.ground.configuration()]


# Loops --------------------------------------------------------------------------------------------


def written(corners: NDArray) -> str:
    """Corners `(M, 2)` as text that `read` understands."""
    return ", ".join(f"{said(float(x))} {said(float(y))}" for x, y in corners)


def read(text: str) -> NDArray[np.float64]:
    """The corners `(M, 2)` in a text such as "0 0, 1 0, 1 1".

    Raises:
        ParameterError: if they are not pairs of numbers, or fewer than three.

    >>> read("0 0, 1 0, 1 1").shape
    (3, 2)
    """
    try:
        corners = [[float(number) for number in pair.split()] for pair in text.split(",")]
    except ValueError:
        corners = []
    if len(corners) < 3 or any(len(pair) != 2 for pair in corners):
        raise ParameterError(
            f"got {text!r}; expected x and y of at least three corners, as in 0 0, 1 0, 1 1"
        )
    return np.array(corners)


def along(corners: NDArray, count: int) -> NDArray[np.float64]:
    """`count + 1` places `(count + 1, 2)` at even distances along the closed loop, the first one
    twice."""
    closed = np.concatenate([corners, corners[:1]])
    walked = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=-1)))
    at = np.linspace(0.0, walked[-1], count + 1)
    return np.column_stack([np.interp(at, walked, closed[:, k]) for k in (0, 1)])


def area(corners: NDArray) -> float:
    """The area inside, negative if the loop runs clockwise."""
    follower = np.roll(corners, -1, axis=0)
    return float(0.5 * (corners[:, 0] * follower[:, 1] - corners[:, 1] * follower[:, 0]).sum())


def rounds(corners: NDArray, points: NDArray) -> NDArray[np.int64]:
    """How often the loop goes round each of `points` `(K, 2)`: 0 outside, 1 inside, shape `(K,)`.

    >>> rounds(read("0 0, 1 0, 1 1, 0 1"), np.array([[0.5, 0.5], [2.0, 0.5]]))
    array([1, 0])
    """
    arms = corners - points[:, None]
    angles = np.arctan2(arms[..., 1], arms[..., 0])
    turns = (np.roll(angles, -1, axis=1) - angles + np.pi) % (2.0 * np.pi) - np.pi
    return np.rint(turns.sum(axis=1) / (2.0 * np.pi) * np.sign(area(corners))).astype(np.int64)


def simplified(loop: NDArray, unit: float) -> NDArray[np.float64]:
    """A drawn loop with few corners: those that lie further than `unit` off the others' sides (and
    further still if that leaves too many). Source: Douglas and Peucker 1973."""
    while True:
        half = len(loop) // 2
        kept = np.concatenate([_kept(loop[: half + 1], unit), _kept(loop[half:], unit)[1:]])
        if len(kept) <= CORNERS:
            return np.asarray(kept)
        unit *= 1.5


def _kept(path: NDArray, unit: float) -> NDArray:
    """The ends of a path, and the corners between that matter."""
    (x, y), (u, v) = path[0], path[-1] - path[0]
    off = np.abs((path[:, 0] - x) * v - (path[:, 1] - y) * u) / (np.hypot(u, v) or 1.0)
    far = int(off.argmax())
    if len(path) < 3 or off[far] <= unit:
        return path[[0, -1]]
    return np.concatenate([_kept(path[: far + 1], unit), _kept(path[far:], unit)[1:]])
