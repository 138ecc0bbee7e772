"""The `Descent` panel: gradient descent on a map, under the hand that moves the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw import honesty
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls, pages, regimes, strip
from tinygrad_landscape.panels.descent_scene import descent_scene, turn
from tinygrad_landscape.panels.ground import walked
from tinygrad_landscape.panels.hills_view import HillsView
from tinygrad_landscape.panels.panel import Panel, shown
from tinygrad_landscape.panels.parabola import Downhill, Parabola
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.regimes import Sweep, cliff_factor, regime, sharpest, story
from tinygrad_landscape.panels.run import BUDGET, Run
from tinygrad_landscape.panels.strip import Snaps
from tinygrad_landscape.surveying import Plane, survey


class Descent(Panel):
    """Gradient descent on a landscape: drag the learning rate or the start, and the walk follows.

    Args:
        landscape: any Landscape; by default the network y = w2 tanh(w1 x) with its two weights.
        plane: what is drawn of a landscape with more than two weights, and where the walk stays
            unless "all weights move" is switched on.
        lr: the learning rate it opens with; `lr_range` the ends of its slider.
        start: where the walk begins, in the numbers on the axes; by default the plane's origin, or
            a place on the slope if the ground there is level or already low.
        steps: how many steps a walk takes.
        extent: the frame, as in `survey`; by default the landscape's own, 3 around single weights
            and 1 along other directions.
        resolution: grid points per side of the map.
        optimizer: a function from the learning rate, or an array of them, to an optimizer.
        height: the map's scale: "linear", "sqrt", "log" or "auto".
        style: "light", "dark" or "projector".
        strip: whether a strip shows how the walk goes at every learning rate of the slider.
        hide: names of controls to leave out.

    The strip's bands are numbered: keys 1 to 4, or the buttons under "More", go to a telling
    learning rate of each regime (`rates`), and a hand may run along the strip. It walks all rates
    again when the start moves, a few first; `cliff` is measured at the minimum the walk reaches.
    `controls["parabola"]` puts the loss straight downhill from the ball, with the parabola fitted
    there (`parabola`), in the curve's place; `controls["hills"]` turns the map into hills.

    Raises:
        ParameterError: if a landscape of more than two weights comes without a plane, or a number
            is out of its range.

    >>> panel = Descent(resolution=21)
    >>> panel.controls["lr"].value = 3.0
    >>> panel.describe().split(":")[0]
    'Learning rate 3 diverges'
    """

    _patience = 0.3

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        lr: float = 0.5,
        lr_range: tuple[float, float] = (1e-3, 10.0),
        start: Sequence[float] | None = None,
        steps: int = 200,
        extent: Any = None,
        resolution: int | None = None,
        optimizer: Callable[[float], Any] = optim.SGD,
        height: str = "auto",
        style: str = "light",
        strip: bool = True,
        hide: Sequence[str] = (),
    ) -> None:
        if landscape is None:
            landscape, start = formulas.one_neuron, (0.3, 0.2) if start is None else start
        if plane is None and landscape.size != 2:
            raise ParameterError(
                f"a landscape of {landscape.size} weights needs a plane to be drawn on, for "
                "example tl.Plane.two_weights(theta, 0, 1)"
            )
        if not 0.0 < lr_range[0] <= lr <= lr_range[1]:
            raise ParameterError(f"got lr={lr}; expected it inside lr_range={tuple(lr_range)}")
        self.landscape, self.optimizer = landscape, optimizer
        self.surface = survey(
            landscape,
            plane,
            extent=_extent(landscape, plane) if extent is None else extent,
            resolution=resolution or (101 if landscape.network is None else 51),
        )
        self.plane = self.surface.plane
        self._origin = np.array(self.plane.absolute)
        self._inside = landscape.restrict(self.plane)
        low, high = self._frame()
        first = self._slope() if start is None else np.asarray(start, float)
        if first.shape != (2,) or not ((low <= first) & (first <= high)).all():
            raise ParameterError(
                f"got start={tuple(first.tolist())}; expected two numbers inside the frame, "
                f"{low.tolist()} to {high.tolist()}"
            )
        self._height = Heights.of(self.surface.loss, height)
        self._make_controls(lr, lr_range, first, steps, low, high)
        unknown = set(hide) - set(self.controls)
        if unknown:
            raise ParameterError(f"got hide={hide}; the controls are {', '.join(self.controls)}")
        if strip:
            regimes.check_takes_many(optimizer, lr_range)
        self._lr_range, self._strip, self._cliff = lr_range, strip, math.nan
        self._swept: Any = None  # what the sweep was made for
        self._bends: dict[Any, float] = {}
        self._snaps = Snaps(lambda rate: self._put(lr=rate))
        bend = sharpest(self._inside, self._lowest())
        self._reach = 2.0 / bend if bend > 0.0 else 2.0 * lr
        scene = descent_scene(
            self.surface, self._height, style, steps, self._reach, lr_range if strip else None
        )
        self.player = on_stage(
            scene, drag="start", seek="curve", bands="bands" if strip else None,
            start=first.tolist(), label="Gradient descent on a map",
        )  # fmt: skip
        row, more = self._rows(hide)
        self._open(row, more, self._view.open(self.player, "map", "curve"))
        self.player.observe(lambda change: self._put(lr=change["new"]), "dial")

    # What is seen -------------------------------------------------------------------------------

    @property
    def walk(self) -> Trajectory:
        """The walk shown, as a Trajectory (finished first, if a hand was moving)."""
        self.settle()
        return self._run.walk

    @property
    def regime(self) -> str:
        """How the walk goes: "converges", "creeps", "bounces", "diverges" or "rests"."""
        return regime(self.walk)

    def describe(self) -> str:
        """Where the walk ends, at which loss, and how it went."""
        self.settle()
        return self._sentence()

    @property
    def cliff(self) -> float:
        """The largest learning rate that does not bounce out of the minimum the walk reaches, as
        far as curvature decides it: 2 / λmax, with heavy-ball momentum β (2 + 2β) / λmax.

        NaN for other optimizers, without the strip, and where no learning rate of the slider's
        range reaches a minimum from here. If the walk shown does not converge, the minimum is that
        of the walk with the nearest learning rate that does.
        """
        self.settle()
        return self._cliff

    @property
    def rates(self) -> dict[str, float]:
        """A telling learning rate of each regime that there is from this start, by its word."""
        self.settle()
        return dict(self._snaps.rates)

    @property
    def parabola(self) -> Parabola:
        """The parabola fitted to the loss straight downhill from the ball at the frame shown."""
        self.settle()
        return self._lines().at(min(self.player.frame, len(self._run.walk) - 1))

    def _sentence(self) -> str:
        walk, last = self._run.walk, len(self._run.walk) - 1
        x, y = self._path()[-1]
        place = f"{self.plane.labels[0]} = {said(x)}, {self.plane.labels[1]} = {said(y)}"
        text = story(walk, self._lr, place)
        if math.isfinite(self._cliff):
            factor = cliff_factor(self.optimizer(1.0))
            bend = said(factor / self._cliff)
            text += (
                f" Curvature {bend} at its minimum puts the cliff at {said(factor)}/{bend} = "
                f"{said(self._cliff)}."
            )
        if last < self.controls["steps"].value:
            text += f" (Still walking: {last} of {self.controls['steps'].value} steps.)"
        if self.controls["all_weights"].value:
            off = float(self.plane.residual(walk.end))
            text += (
                f" All {self.plane.size} weights moved: the path is only a shadow, and "
                f"{off:.0%} of its way from the map's centre points out of the picture."
            )
        return text

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        steps = self.controls["steps"].value
        curve = self.player.scene.axes["curve"]
        if curve.get_xlim() != walked(steps):
            curve.set_xlim(walked(steps))
            self._stale = True
        self._lr = self.controls["lr"].value
        self._start = np.array([self.controls[name].value for name in ("start_x", "start_y")])
        inside = self._start - self._origin
        free = self.controls["all_weights"].value
        self._ground = self.landscape if free else self._inside
        theta = self.plane.point(*inside) if free else inside
        self._run = Run(self._ground, theta, self.optimizer(self._lr), steps)
        asked = (theta.tolist(), steps)
        if self._strip and self._swept != asked:
            self._swept, closer = asked, self.landscape.network is None
            self._sweep = Sweep(self._ground, theta, self.optimizer, *self._lr_range, steps, closer)

        bent = self.controls["parabola"].value
        self._downhill: Downhill | None = None
        if bent != self.player.scene.axes["bend"].get_visible():
            turn(self.player.scene, bent)
            self.player.redraw()

    def _work(self, seconds: float) -> bool:
        done = self._run.go(seconds)
        if done and self.controls["parabola"].value:
            self._downhill = self._downhill or self._lines()
            done = self._downhill.go(seconds)
        if done and self._strip:
            done = self._sweep.go(seconds)
        self._cliff, known = math.nan, True
        if done and self._strip:  # a moving hand does not wait for a curvature
            self._cliff, known = self._measured(seconds > BUDGET)
        return done and known

    def _lines(self) -> Downhill:
        straight = cliff_factor(self.optimizer(self._lr)) == 2.0
        walk, lr = self._run.walk, self._lr if straight else math.nan
        wanted = len(walk) - 1 if self._wanted is None else self._wanted
        return Downhill(self._ground, walk.points, lr, self._reach, wanted)

    def _measured(self, now: bool) -> tuple[float, bool]:
        """The cliff of the minimum that this walk reaches, or else the nearest one that does; and
        whether it is known, which it is at once if that minimum was the last one asked for."""
        factor, walk = cliff_factor(self.optimizer(self._lr)), self._run.walk
        end = walk.end if regime(walk) == "converges" else self._sweep.minimum(self._lr)
        if math.isnan(factor) or end is None:
            return math.nan, True
        place = (self._ground.size, np.round(end, 3).tobytes())
        if place not in self._bends and not now:
            return math.nan, False
        if place not in self._bends:  # learning rates that lead to one minimum ask for it once
            self._bends = {place: sharpest(self._ground, end)}
        bend = self._bends[place]
        return (factor / bend if bend > 0.0 else math.nan), True

    def _path(self) -> NDArray:
        """The walk in the numbers on the axes, (R, 2)."""
        points = self._run.walk.points
        free = self.controls["all_weights"].value
        return (self.plane.coordinates(points) if free else points) + self._origin

    def _show(self) -> None:
        walk, path, scene = self._run.walk, self._path(), self.player.scene
        curve = np.column_stack([walk.steps, walk.losses])
        arrows = np.full((len(path), 4), np.nan)
        arrows[:-1] = np.column_stack([path[:-1], np.diff(path, axis=0)])
        scene.set("start", self._start)
        for name in ("walk", "ball"):
            scene.set(name, path)
        scene.set("arrow", arrows)
        bent = self.controls["parabola"].value
        for name in ("readout",) if bent else ("curve", "cursor", "readout"):
            scene.set(name, curve)
        if self._downhill is not None:
            self._downhill.show(scene)
        if self._strip:
            bands = self._sweep.bands()
            self._snaps.take(bands)
            strip.show(scene, bands, self._lr, self._cliff)
        free = self.controls["all_weights"].value
        self._view.show(self.surface, path - self._origin, walk.losses, self._height)
        words = honesty(self.surface, walk if free else None, self._height)
        if not free:
            words += " The walk stays in this plane: only the two drawn weights move."
        self.player.update(
            sentence=self._sentence(), honesty=words, start=self._start.tolist(), dial=self._lr
        )

    # Controls -----------------------------------------------------------------------------------

    def _make_controls(
        self, lr: float, lr_range: tuple[float, float], start: NDArray, steps: int,
        low: NDArray, high: NDArray,
    ) -> None:  # fmt: skip
        self._view = HillsView()
        box, self._slider = controls.rate("learning rate", lr, *lr_range)
        boxes = [
            controls.number(f"start, {label}", float(value), a, b)
            for label, value, a, b in zip(
                self.plane.labels, start, low.tolist(), high.tolist(), strict=True
            )
        ]
        self.controls = {
            "lr": box,
            "start_x": boxes[0],
            "start_y": boxes[1],
            "steps": ipywidgets.BoundedIntText(
                value=steps, min=1, max=10_000, description="steps", style=controls.LABEL,
                tooltip="1 to 10000", layout={"width": "140px"},
            ),
            "all_weights": ipywidgets.Checkbox(
                value=False, description=f"all {self.landscape.size} weights move", indent=False,
                layout={"width": "initial"},
            ),
            "parabola": ipywidgets.Checkbox(
                value=False, description="parabola at the ball", indent=False,
                layout={"width": "initial"},
            ),
            "hills": self._view.toggle,
        }  # fmt: skip

    def _rows(self, hide: Sequence[str]) -> tuple[list[Any], list[Any]]:
        row = [self.controls["lr"], self._slider, self._view.toggle]
        names = ["start_x", "start_y", "steps", "all_weights", "parabola"]
        more = controls.fold(*(self.controls[name] for name in names))
        if self.plane.size == 2:
            shown(self.controls["all_weights"], False)
        shown(self._snaps.row, self._strip)
        for name in hide:
            shown(self.controls[name], False)
        if "lr" in hide:
            shown(self._slider, False)
        return row, [self._snaps.row, more]

    def _baked(self) -> dict[str, list[float]]:
        every = max(2, self.controls["steps"].value // 100)
        rates = controls.notches(self.controls["lr"], every)
        return {"lr": sorted({*rates, *self.rates.values()})}

    def _live(self) -> dict[str, Any] | None:
        if repr(self.optimizer(1.0)) != repr(optim.SGD(1.0)):
            return None
        steps = self.controls["steps"].value
        return pages.live("descent", self.landscape, self.plane, steps, whole=False)

    def _moved(self, change: Any) -> None:
        x, y = change["new"]
        if [x, y] != [self.controls["start_x"].value, self.controls["start_y"].value]:
            self._deaf = True
            self.controls["start_x"].value, self.controls["start_y"].value = x, y
            self._deaf = False
            self._react()

    # Ground -------------------------------------------------------------------------------------

    def _frame(self) -> tuple[NDArray, NDArray]:
        a, b = self.surface.a + self._origin[0], self.surface.b + self._origin[1]
        return np.array([a[0], b[0]]), np.array([a[-1], b[-1]])

    def _lowest(self) -> NDArray:
        """The lowest point of the grid, in the plane's own coordinates."""
        known = np.where(np.isfinite(self.surface.loss), self.surface.loss, np.inf)
        i, j = np.unravel_index(np.argmin(known), known.shape)
        return np.array([self.surface.a[i], self.surface.b[j]])

    def _slope(self) -> NDArray:
        """Where to start if nobody says: the origin, or a fifth in from a corner of the frame."""
        height, uphill = self._inside.value_and_gradient(np.zeros(2))
        low = np.nanquantile(
            np.where(np.isfinite(self.surface.loss), self.surface.loss, np.nan), 0.1
        )
        near, far = self._frame()
        at_centre = ((near < self._origin) & (self._origin < far)).all()
        if at_centre and height > low and np.linalg.norm(uphill) > 1e-3 * abs(float(height)):
            return self._origin
        return np.round(near + np.array([0.2, 0.8]) * (far - near), 2)

    def _configuration(self) -> Any:
        return [
            type(self).__name__,
            self.landscape.size,
            list(self.landscape.names),
            list(self.plane.labels),
            [round(float(x), 3) for x in (*self.plane.origin, *self.plane.u, *self.plane.v)],
            [round(float(x), 6) for x in np.concatenate(self._frame())],
            repr(self.optimizer(1.0)),
        ]


def _extent(landscape: Landscape, plane: Plane | None) -> Any:
    """A frame where nobody gives one: a formula's own, 3 around single weights, 1 elsewhere."""
    if plane is None:
        return getattr(landscape, "extent", None) or 3.0
    single = np.count_nonzero(plane.u) == 1 == np.count_nonzero(plane.v)
    return 3.0 if single else 1.0
