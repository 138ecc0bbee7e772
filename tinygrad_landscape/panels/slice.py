"""The `Slice` panel: any plane through a real network's weights, and how little of it is seen.

The picture's middle is the trained network itself; all planes share it. What differs is which two
of the many directions are drawn, and so how much of the walk that led there lies in the picture.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.descent import Trajectory, descend, optim
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Linear, Network, Tanh, data, losses
from tinygrad_landscape.panels import controls, relief
from tinygrad_landscape.panels.hills_view import HillsView
from tinygrad_landscape.panels.panel import Panel, shown
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.surveying import Plane, Surface, survey

VEIL = "The loss curve of the training walk\nappears here with your first Play or Step."
ORANGE, BLUE, CASING = "#D55E00", "#0072B2", "#10151c"
KINDS = ("two weights", "random", "walk")
COARSE = 13  # grid points a side while a hand moves
REROLLS = 4  # random planes that a page has
STEPS = 200  # of the walk that a panel without one makes itself


class Slice(Panel):
    """A plane through a network's weights: two of them by name, two random directions, or the
    plane that holds most of the training walk.

    Args:
        landscape: any Landscape of two weights or more; by default a 2-16-16-1 tanh network and
            100 points in two moons.
        walk: the training walk as a Trajectory of one walker, or only the weights `(P,)` at the
            middle; without it 200 steps of Adam(0.01) are taken from `network.init(seed=0)`.
        plane: "two weights", "random" (filter-normalised) or "walk" (its principal components).
        weights: names or indices of the two weights; by default those that moved furthest.
        seed: of the random directions; Re-roll counts it up.
        zoom: the frame is this many times smaller than the plane's own: 3 around single weights,
            1 along random directions, the whole walk along principal ones.
        resolution: grid points per side, an odd number, so that the middle is one of them.
        height: the map's scale: "linear", "sqrt", "log" or "auto".
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for an unknown plane or weight, an even resolution, or a landscape without
            a network that comes without a walk.
        ShapeError: for a walk of several walkers or of another size.

    >>> Slice().describe().split(";")[0]
    'In the middle is the trained network, loss 0.0539'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        walk: Trajectory | ArrayLike | None = None,
        *,
        plane: str = "two weights",
        weights: tuple[int | str, int | str] | None = None,
        seed: int = 0,
        zoom: float = 1.0,
        resolution: int = 41,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        self.landscape = _default() if landscape is None else landscape
        self._points, self._losses = _walk(self.landscape, walk)
        if resolution < 3 or resolution % 2 == 0:
            raise ParameterError(
                f"got resolution={resolution}; expected an odd number from 3 on, so that the "
                "middle of the plane is on the grid"
            )
        kinds = KINDS if len(self._points) > 2 else KINDS[:2]
        if plane not in kinds:
            raise ParameterError(f"got plane={plane!r}; expected one of {', '.join(kinds)}")
        self._resolution, self._height = resolution, height
        self._end = self._points[-1]
        self.loss = float(self.landscape(self._end))
        if weights is None:
            moved = np.abs(self._end - self._points[0])
            first, second = np.argsort(-moved, kind="stable")[:2].tolist()
            weights = (first, second)
        two = Plane.two_weights(self._end, *weights, network=self.landscape)
        names = list(map(str, self.landscape.names))
        self._view = HillsView()
        box, slider = controls.rate("zoom", zoom, 0.1, 100.0)
        self.controls = {
            "zoom": box,
            "plane": controls.choice("plane", kinds, plane),
            "first": controls.choice("weight across", names, two.labels[0]),
            "second": controls.choice("weight up", names, two.labels[1]),
            "seed": controls.count("seed", seed, 0, 99999),
            "hills": self._view.toggle,
        }
        self._reroll = ipywidgets.Button(
            description="Re-roll",
            tooltip="Two other random directions",
            layout={"width": "max-content"},
        )
        self._reroll.on_click(lambda _: self.reroll())
        controls.hide(hide, self.controls, {"zoom": slider})
        self._surface: Surface | None = None
        self.plane = self._chosen(plane)[0]
        self.player = on_stage(
            self._draw(style), seek="curve", speed=20.0, label="A slice of the loss"
        )
        fold = [*list(self.controls.values())[1:-1], self._reroll]
        stage = self._view.open(self.player, "map", "curve")
        row = [box, slider, self._view.toggle]
        self._open(row, [controls.fold(*fold)], stage)

    # What is seen -------------------------------------------------------------------------------

    @property
    def surface(self) -> Surface:
        """The surface shown, in full (finished first, if a hand was moving)."""
        self.settle()
        assert self._surface is not None
        return self._surface

    @property
    def residual(self) -> float:
        """The share, 0..1, of the walk's squared distance from the middle that is hidden."""
        away = ((self._points - self._end) ** 2).sum(-1)
        if not away.any():
            return 0.0
        off = self.plane.residual(self._points) ** 2 * away
        return float(off.sum() / away.sum())

    def reroll(self) -> None:
        """Draw two other random directions."""
        self._put(plane="random", seed=(self.controls["seed"].value + 1) % 100000)

    def describe(self) -> str:
        """What is in the middle, the lowest ground of this slice, and what the slice hides."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        assert self._surface is not None
        surface, size = self._surface, self.plane.size
        made = "trained network" if self.landscape.network is not None else "end of the walk"
        text = f"In the middle is the {made}, loss {said(self.loss)}; "
        lowest = float(np.nanmin(surface.loss))
        if np.isfinite(lowest) and lowest < self.loss - 1e-3 * abs(self.loss):
            i, j = np.unravel_index(np.nanargmin(surface.loss), surface.loss.shape)
            x, y = np.array([surface.a[i], surface.b[j]]) + self.plane.absolute
            text += f"this slice goes down to {said(lowest)}, at ({said(x)}, {said(y)})"
        else:
            text += "nothing in this frame is clearly lower"
        if size > 2:
            text += f". The picture shows 2 of {size} directions"
        if len(self._points) > 1:
            text += (
                f", and {self.residual:.0%} of the training walk (its squared distance from the "
                "middle) is out of the picture"
            )
        return text + "."

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        kind = self.controls["plane"].value
        for name, kinds in (("first", 0), ("second", 0), ("seed", 1)):
            shown(self.controls[name], kind == KINDS[kinds])
        self.plane, reach = self._chosen(kind)
        self._reach = reach / self.controls["zoom"].value
        if not self._seen():
            self._fine = np.full((self._resolution,) * 2, np.nan)
            self._rows, self._surface = 0, None
        ax = self.player.scene.axes["map"]
        if (ax.get_xlabel(), ax.get_ylabel()) != self.plane.labels:
            self._label(ax)
            self._stale = True

    def _seen(self) -> bool:
        """Whether the surface there is already the one asked for, as after a seed that is not in
        use."""
        seen, plane = self._surface, self.plane
        return seen is not None and seen.a[-1] == self._reach and all(
            np.array_equal(old, new)
            for old, new in ((seen.plane.u, plane.u), (seen.plane.v, plane.v))
        )  # fmt: skip

    def _chosen(self, kind: str) -> tuple[Plane, float]:
        """The plane of a kind, and the half-width of its own frame."""
        if kind == "random":
            seed = self.controls["seed"].value
            return Plane.random(self._end, seed, network=self.landscape.network), 1.0
        if kind == "walk":
            plane = Plane.principal(self._points)
            return plane, 1.15 * float(np.abs(plane.coordinates(self._points)).max())
        names = self.controls["first"].value, self.controls["second"].value
        return Plane.two_weights(self._end, *names, network=self.landscape), 3.0

    def _work(self, seconds: float) -> bool:
        """A coarse surface at once; then the rows of the full one, until time is out."""
        late = time.perf_counter() + seconds
        if self._surface is None:
            coarse = min(COARSE, self._resolution)
            self._surface = survey(self.landscape, self.plane, self._reach, coarse)
            if seconds < np.inf:
                return False
        half = self._resolution // 2
        offsets = self._reach * np.arange(-half, half + 1) / half
        while self._rows < self._resolution:
            a = offsets[self._rows]
            self._fine[self._rows] = self.landscape(self.plane.point(a, offsets))
            self._rows += 1
            if time.perf_counter() > late:
                break
        if self._rows == self._resolution:
            done = np.ones(self._fine.shape, bool)
            self._surface = Surface(offsets, offsets, {"loss": self._fine}, self.plane, done)
        return self._rows == self._resolution

    def _show(self) -> None:
        assert self._surface is not None
        scene, scale = self.player.scene, Heights.of(self._surface.loss, self._height)
        steps = np.column_stack([np.arange(len(self._losses)), self._losses])
        scene.set("relief", relief.shares(self._surface, scale))
        scene.set("middle", [0.0, 0.0])
        inside = self.plane.coordinates(self._points)
        self._view.show(self._surface, inside, self._losses, scale)
        path = inside / self._reach
        for name in ("walk", "ball"):
            scene.set(name, path)
        for name in ("curve", "cursor", "readout"):
            scene.set(name, steps)
        for end, sign in (("low", -1.0), ("high", 1.0)):
            for axis, middle in zip("xy", self.plane.absolute, strict=True):
                scene.set(f"{end} {axis}", [middle + sign * self._reach])
        words = f"{honesty(self._surface, None, scale)} {relief.words(scale)}"
        if len(self._points) > 1 and self.residual > 1e-3:
            words += (
                " The white path is the walk's shadow on this plane; its own loss is in the "
                "curve, not in the colour under it."
            )
        self.player.update(sentence=self._sentence(), honesty=words)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        last = max(1, len(self._losses) - 1)
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
            over.set(title=" ", xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[])
            over.set_box_aspect(1.0)
            self._label(over)
            if (self._losses > 0.0).all():
                beside.set_yscale("log")
            room = 2.0 if beside.get_yscale() == "log" else 1.0
            low, high = float(self._losses.min()), float(self._losses.max())
            pad = 0.0 if room == 2.0 else 0.05 * (high - low) or 1.0
            beside.set(xlim=(0, last), ylim=(low / room - pad, high * room + pad),
                       xlabel="recorded step of training",
                       ylabel=f"loss ({beside.get_yscale()})")  # fmt: skip
        scene, size = Scene(figure, {"map": over, "curve": beside}, paper), chosen.scale
        relief.add(scene, "map")
        scene.add("middle", "marker", "map", shapes=["D"], colors=["#ffffff"], size=11.0 * size,
                  edge=CASING)  # fmt: skip
        scene.add("walk", "polyline", "map", follow=True, ghost=0.5, width=1.6 * size,
                  colors=["#ffffff"], casing=CASING)  # fmt: skip
        scene.add("ball", "ball", "map", follow=True, colors=[ORANGE], size=13.0 * size)
        line = "#56B4E9" if paper == "dark" else BLUE
        scene.add("curve", "polyline", "curve", follow=True, colors=[line], ghost=0.4,
                  width=2.0 * size)  # fmt: skip
        scene.add("cursor", "ball", "curve", follow=True, colors=[ORANGE], size=11.0 * size)
        ends: dict[str, Any] = {"template": "{0}", "color": chosen.ink, "size": 12.0 * size}
        for name, at in (("low x", [0.0, -0.015]), ("high x", [1.0, -0.015]),
                         ("low y", [-0.015, 0.05]), ("high y", [-0.015, 0.99])):  # fmt: skip
            side = "left" if name == "low x" else "right"
            scene.add(name, "text", "map", at=at, align=side, **ends)
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size, template="step {0}   loss {1}")  # fmt: skip
        if len(self._losses) > 1:
            scene.veil("curve", VEIL)
        return scene

    def _label(self, ax: Any) -> None:
        """Name the axes; their numbers are on the stage, for they change with every zoom."""
        ax.set_xlabel(self.plane.labels[0], labelpad=20.0)
        ax.set_ylabel(self.plane.labels[1], labelpad=36.0)

    def _baked(self) -> dict[str, list[Any]]:
        kinds = list(self.controls["plane"].options)
        seeds = [self.controls["seed"].value + k for k in range(REROLLS)]
        return {"zoom": controls.notches(self.controls["zoom"], 10), "plane": kinds, "seed": seeds}

    def _configuration(self) -> Any:
        return [
            type(self).__name__,
            repr(self.landscape),
            [round(float(x), 3) for x in self._end[:50]],
            self._resolution,
        ]


def _default() -> Landscape:
    """A 2-16-16-1 tanh network on two moons."""
    net = Network(Linear(2, 16), Tanh(), Linear(16, 16), Tanh(), Linear(16, 1))
    return Landscape(net, losses.binary_cross_entropy, data.moons(100, noise=0.15, seed=0))


def _walk(landscape: Landscape, walk: Any) -> tuple[NDArray, NDArray]:
    """Points `(R, P)` and losses `(R,)` of a walk; one is made if none is given."""
    if walk is None:
        if landscape.network is None:
            raise ParameterError(
                f"{landscape!r} has no network that could be started; pass a walk, or the weights "
                "in the middle"
            )
        start = landscape.network.init(seed=0)
        walk = descend(landscape, start, optim.Adam(0.01), STEPS)
    if isinstance(walk, Trajectory):
        points, heights = np.asarray(walk.points), np.asarray(walk.losses)
        kept = np.isfinite(heights) if heights.ndim == 1 else slice(None)
        points, heights = points[kept], heights[kept]
    else:
        points = np.asarray(walk, float)[None]
        heights = np.asarray(landscape(points)) if points.shape[-1] == landscape.size else points
    if points.ndim != 2 or points.shape[1] != landscape.size or not len(points):
        raise ShapeError(
            f"got a walk with points {points.shape}; expected one walker through "
            f"{landscape.size} weights"
        )
    return points, heights
