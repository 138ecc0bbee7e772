"""The `Sandbox` panel: everything can be changed, and the monitor says what came of it.

A run is made anew whenever a control moves, in pieces, with a look at its vital signs on the way.
When it is done, the plane that holds most of its walk is surveyed, and the run can be played.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.descent import Trajectory
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data
from tinygrad_landscape.panels import controls, decisions, playground, relief, timelines
from tinygrad_landscape.panels.chart import Chart, Charted, add_losses
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import Run
from tinygrad_landscape.surveying import Plane, Surface, survey
from tinygrad_landscape.surveying.watch import Watch, stride

ORANGE, CASING = "#D55E00", "#10151c"
COARSE, FINE = 13, 33  # grid points a side: while the run goes on, and when it is done


class Sandbox(Charted):
    """A playground: data, network, optimizer and all their numbers, watched by a monitor.

    Args:
        landscape: any Landscape of your own; the controls of data and network vanish then.
        theta: the first weights `(P,)` of your own landscape, needed if it has no network; without,
            they are drawn by the seed.
        validation: data that your own landscape does not train on, or their landscape.
        lr: the learning rate it opens with, 0.0001 to 10.
        optimizer: one of the names in its list.
        steps: how many steps a run takes, 10 to 5000.
        seed: of data, first weights and batches.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for a name or number that is not offered, or a landscape that cannot be
            started without theta.

    >>> Sandbox(steps=60).describe().split(":")[0]
    'Step 60, healthy'
    """

    _patience = 0.25

    def __init__(
        self,
        landscape: Landscape | None = None,
        theta: ArrayLike | None = None,
        *,
        validation: Data | Landscape | None = None,
        lr: float = 0.02,
        optimizer: str = "Adam",
        steps: int = 300,
        seed: int = 0,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if not 1e-4 <= lr <= 10.0:
            raise ParameterError(f"got lr={lr}; expected 0.0001 to 10")
        if optimizer not in playground.OPTIMIZERS:
            known = ", ".join(playground.OPTIMIZERS)
            raise ParameterError(f"got optimizer={optimizer!r}; expected one of {known}")
        if landscape is None and (theta is not None or validation is not None):
            raise ParameterError("theta= and validation= go with a landscape of your own")
        self._own, self._theta = landscape, None if theta is None else np.asarray(theta, float)
        self._held = validation
        if landscape is not None and isinstance(validation, Data):
            self._held = landscape.on(validation)
        box, slider = controls.rate("learning rate", lr, 1e-4, 10.0)
        names = tuple(playground.OPTIMIZERS)
        self.controls = {
            "lr": box,
            "optimizer": controls.choice("optimizer", names, optimizer),
            "batch": controls.choice("batch", playground.BATCHES, "all"),
            "steps": controls.count("steps", steps, 10, 5000),
            **playground.network_controls(seed),
        }
        if landscape is not None:
            kept = {"lr", "optimizer", "steps"}
            kept |= {"batch"} if landscape.data is not None else set()
            kept |= {"seed"} if theta is None or "batch" in kept else set()
            kept |= {"scheme"} if theta is None and landscape.network is not None else set()
            self.controls = {name: each for name, each in self.controls.items() if name in kept}
        controls.hide(hide, self.controls, {"lr": slider})
        self._built: tuple[Any, ...] = ()
        self._build()
        self._decides = decisions.drawable(self.landscape)
        self.player = on_stage(
            self._draw(style), seek="loss", speed=20.0, revealed=True,
            label="Map of the loss with the walk, what the network decides, and the losses",
        )  # fmt: skip
        more = controls.fold(*list(self.controls.values())[1:])
        self._open([box, slider], [more])

    # What is seen -------------------------------------------------------------------------------

    @property
    def walk(self) -> Trajectory:
        """The whole walk, every step of it."""
        self.settle()
        return self._run.walk

    # Computing ----------------------------------------------------------------------------------

    def _value(self, name: str, default: Any = None) -> Any:
        return self.controls[name].value if name in self.controls else default

    def _build(self) -> None:
        """Make landscape and first weights, if a control that they depend on has moved."""
        names = ("data", "samples", "noise", "depth", "width", "activation", "l2", "seed", "scheme")
        wanted = tuple(self._value(name) for name in names)
        if self._built == (wanted,):
            return
        self._built = (wanted,)
        if self._own is None:
            self.landscape, self._held = playground.built(dict(zip(names, wanted, strict=True)))
        else:
            self.landscape = self._own
        scheme, seed = self._value("scheme"), self._value("seed", 0)
        self._first = (
            playground.start(self.landscape, scheme, seed) if self._theta is None else self._theta
        )

    def _begin(self) -> None:
        self._build()
        steps, batch = self._value("steps"), self._value("batch", "all")
        size = None if batch == "all" else min(batch, len(self.landscape.data))  # type: ignore[arg-type]
        optimizer = playground.optimizer(self._value("optimizer"), self._value("lr"))
        seed = self._value("seed", 0)
        self._run = Run(self.landscape, self._first, optimizer, steps, None, size, seed)
        self._chart = Chart(Watch(self.landscape, self._held, optimizer, stride(steps), later=True))
        self._surface: Surface | None = None
        self._rows: list[NDArray[Any]] = []
        self._chances: list[NDArray[Any]] = []
        self._borders: list[NDArray[Any]] = []
        self._at_once = max(1, 2000 // self.landscape.size)  # maps of decisions in one piece
        if self._decides:
            self._inputs = decisions.Inputs(self.landscape, self._held)  # type: ignore[arg-type]

    def _work(self, seconds: float) -> bool:
        """Walk, look, survey: one after the other, until time is out."""
        late = time.perf_counter() + seconds

        def out_of_time() -> bool:
            return time.perf_counter() > late

        watch = self._chart.watch
        walked = self._run.go(0.6 * seconds)
        if not (watch.follow(self._run.walk, out_of_time) and walked):
            self._sketch()
            return False
        watch.close()
        if not (self._survey(out_of_time) and watch.bend(out_of_time)):
            return False
        self._chart.judge()
        return self._decide(out_of_time)

    def _sketch(self) -> None:
        """A coarse map of the plane that holds most of the walk so far, in a square frame."""
        points = np.array(self._chart.watch.points)
        self._plane = _plane(self.landscape, points, self._value("seed", 0))
        path = self._plane.coordinates(points)
        middle = (path.max(axis=0) + path.min(axis=0)) / 2.0
        reach = 0.65 * float(np.ptp(path, axis=0).max()) or 1.0
        (x0, y0), (x1, y1) = middle - reach, middle + reach
        self._frame = float(x0), float(x1), float(y0), float(y1)
        self._surface = survey(self.landscape, self._plane, self._frame, COARSE)

    def _survey(self, out_of_time: Any) -> bool:
        """The fine map of the whole walk, row by row."""
        if len(self._rows) == FINE:
            return True
        if not self._rows:
            if self._surface is not None and out_of_time():
                return False  # a sketch takes long enough for a piece of its own
            self._sketch()
        x0, x1, y0, y1 = self._frame
        a, b = np.linspace(x0, x1, FINE), np.linspace(y0, y1, FINE)
        while len(self._rows) < FINE:
            self._rows.append(self.landscape(self._plane.point(a[len(self._rows)], b)))
            if out_of_time():
                break
        if len(self._rows) < FINE:
            return False
        done = np.ones((FINE, FINE), bool)
        self._surface = Surface(a, b, {"loss": np.array(self._rows)}, self._plane, done)
        return True

    def _decide(self, out_of_time: Any) -> bool:
        """What the network decides at every look."""
        points = self._chart.watch.points
        while self._decides and len(self._chances) < len(points):
            k = len(self._chances)
            fresh = self._inputs.chances(np.array(points[k : k + self._at_once]))
            self._chances += list(fresh)
            self._borders += [decisions.border(one) for one in fresh]
            if out_of_time():
                break
        return not self._decides or len(self._chances) == len(points)

    # Showing ------------------------------------------------------------------------------------

    def _show(self) -> None:
        scene, surface = self.player.scene, self._surface
        assert surface is not None
        scale = Heights.of(surface.loss, "auto")
        scene.set("relief", relief.shares(surface, scale))
        points = np.array(self._chart.watch.points)
        low = np.array([surface.a[0], surface.b[0]])
        high = np.array([surface.a[-1], surface.b[-1]])
        path = (self._plane.coordinates(points) - low) / (high - low)
        for name in ("walk", "ball"):
            scene.set(name, path)
        for end, corner in (("low", low), ("high", high)):
            for axis, value in zip("xy", corner + self._plane.absolute, strict=True):
                scene.set(f"{end} {axis}", [value])
        self._chart.put_losses(scene)
        if self._decides:
            self._show_decisions(scene, points)
        self.player.update(sentence=self._coming(), honesty=self._words(surface, points, scale))

    def _show_decisions(self, scene: Scene, points: NDArray) -> None:
        self._inputs.put(scene)
        chances, borders = self._chances, self._borders
        if len(chances) < len(points):  # not yet: the newest weights' map at all moments
            chances = list(self._inputs.chances(points[-1:]))
            borders = [decisions.border(chances[0])]
        scene.set("chances", np.array(chances))
        scene.set("border", np.array(borders))
        shares = self.landscape.accuracy(points), self._chart.column("validation_accuracies")
        for name, share in zip(("right", "right held"), shares, strict=True):
            scene.set(name, np.round(100.0 * share[:, None], 1))

    def _words(self, surface: Surface, points: NDArray, scale: Heights) -> str:
        words = f"{honesty(surface, None, scale)} {relief.words(scale)}"
        if self.landscape.size > 2:
            away = ((points - self._plane.origin) ** 2).sum(-1)
            off = float((self._plane.residual(points) ** 2 * away).sum())
            share = off / float(away.sum()) if away.any() else 0.0
            words += (
                f" The white path is the walk's shadow on this plane: {share:.0%} of its squared "
                f"distance from its end, and {self.landscape.size - 2} of {self.landscape.size} "
                "directions, are out of the picture. The plane belongs to this run; another run "
                "has another one."
            )
        if self._decides:
            words += (
                " Large marks are training samples, small ones validation samples (at most "
                f"{decisions.SHOWN} of each); the map of inputs is asked at {decisions.GRID} x "
                f"{decisions.GRID} places."
            )
        if self._held is None:
            words += " There are no validation data, so overfitting cannot be seen."
        return words

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.0 if self._decides else 4.6))
            widths = (1.0, 1.0, 0.85) if self._decides else (1.0, 1.0)
            across = figure.subplots(1, len(widths), width_ratios=widths)
            figure.subplots_adjust(left=0.07, right=0.985, top=0.88, bottom=0.12, wspace=0.22)
            names = ("map", "inputs", "loss") if self._decides else ("map", "loss")
            axes = dict(zip(names, across, strict=True))
            for name, ax in axes.items():
                if name == "loss":
                    timelines.frame(ax, " ")
                    labels = ("training", "validation")
                    timelines.legend(ax, labels, "lower left", bbox_to_anchor=(0.0, 0.04))
                else:
                    ax.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), xticks=[], yticks=[])
                    ax.set_box_aspect(1.0)
            first, second = self._labels()
            axes["map"].set_xlabel(first, labelpad=16.0 * chosen.scale)
            axes["map"].set_ylabel(second, labelpad=4.0)
        scene, size = Scene(figure, axes, paper), chosen.scale
        relief.add(scene, "map")
        scene.add("walk", "polyline", "map", follow=True, ghost=0.5, width=1.8 * size,
                  colors=["#ffffff"], casing=CASING)  # fmt: skip
        scene.add("ball", "ball", "map", follow=True, colors=[ORANGE], size=13.0 * size)
        ends: dict[str, Any] = {"template": "{0}", "color": chosen.ink, "size": 11.0 * size}
        for name, at, side in (("low x", [0.0, -0.015], "left"), ("high x", [1.0, -0.015], "right"),
                               ("low y", [-0.015, 0.05], "right"),
                               ("high y", [-0.015, 0.99], "right")):  # fmt: skip
            scene.add(name, "text", "map", at=at, align=side, **ends)
        if self._decides:
            decisions.add(scene, "inputs")
        add_losses(scene, over="map")
        return scene

    def _labels(self) -> tuple[str, str]:
        if self.landscape.size == 2:
            return str(self.landscape.names[0]), str(self.landscape.names[1])
        return "1st principal direction", "2nd principal direction"

    def _configuration(self) -> Any:
        own = [] if self._own is None else [repr(self._own), self._first[:50].round(3).tolist()]
        return ["Sandbox", *own]


def _plane(landscape: Landscape, points: NDArray, seed: int) -> Plane:
    """The plane of the first two principal components; for two weights they themselves, and for a
    walk that is no more than a line two random directions of length 1."""
    if landscape.size == 2:
        return Plane.two_weights(points[-1], 0, 1, network=landscape)
    try:
        return Plane.principal(points)
    except ValueError:
        noise = np.random.default_rng(seed).standard_normal((landscape.size, 2))
        u, v = np.linalg.qr(noise)[0].T
        return Plane(points[-1], u, v, ("random direction 1", "random direction 2"))
