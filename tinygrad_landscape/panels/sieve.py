"""The `Sieve` panel: a learning rate is a sieve, and so is a minibatch.

A valley whose curvature exceeds 2 / learning rate cannot hold a ball. A schedule that rises above
that cliff, or noise enough, throws the ball out of the sharp valley; what is flat enough keeps it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim, schedules
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.network import Data, Linear, Network, Tanh, losses
from tinygrad_landscape.panels import controls, pages
from tinygrad_landscape.panels.fog import Fog, orders
from tinygrad_landscape.panels.ground import Ground, walked
from tinygrad_landscape.panels.hills_view import HillsView
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import Crowd, Run
from tinygrad_landscape.panels.valleys import FALLEN, Valleys, height_said, listed
from tinygrad_landscape.surveying import Plane

VEIL = "The loss curve appears here\nwith your first Play or Step."
CASING = "#10151c"
CLOUD = 24  # minibatches whose steps are drawn at every moment
SPREAD = 0.01  # how far round the start the others begin, as a share of the frame
HOME = 1000  # small steps after which a ball lies in the valley it belongs to
PRESETS = ("schedule", "batch size")
SHAPES: dict[str, Callable[[int], schedules.Schedule]] = {
    "constant": lambda steps: schedules.constant(),
    "cosine to 0": lambda steps: schedules.cosine(steps),
    "restarts": lambda steps: schedules.cosine_restarts(max(1, steps // 4)),
    "warm-up, cosine": lambda steps: schedules.warmup(
        max(1, steps // 10), schedules.cosine(max(1, steps - steps // 10))
    ),
}


class Sieve(Panel):
    """Which valley can hold the ball: schedules, minibatches and noise between a flat valley and a
    sharp one.

    Args:
        landscape: any Landscape; by default a network with a flat valley and a sharp ravine (P3).
            Minibatches need one with data.
        plane: what is drawn of a landscape with more than two weights, and where the walks stay.
        preset: "schedule" (the slider is the highest learning rate) or "batch size".
        peak: the learning rate where the schedule is highest; `lr_range` the ends of its slider.
        schedule: "constant", "cosine to 0", "restarts" (four) or "warm-up, cosine".
        batch_size: samples per step; None takes all.
        start: where the walk begins, in the numbers on the axes; by default near the sharpest
            valley.
        others: how many further balls start close by, each with minibatches of its own.
        steps: how many steps a walk takes.
        optimizer: a function from the learning rate to an optimizer.
        extent, resolution, height, style, hide: as for `Descent`.

    Raises:
        ParameterError: for an unknown preset or schedule, a batch size without data to draw from,
            or a landscape of more than two weights without a plane.

    >>> panel = Sieve(resolution=21, others=5)
    >>> panel.controls["peak"].value = 1.0
    >>> panel.describe().split(";")[0]
    'Learning rate up to 1 (restarts): the ball leaves valley B and ends in A, loss 0'
    """

    _patience = 0.25

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "schedule",
        peak: float = 0.3,
        lr_range: tuple[float, float] = (0.05, 2.0),
        schedule: str | None = None,
        batch_size: int | None = None,
        start: Sequence[float] | None = None,
        others: int = 100,
        steps: int = 400,
        seed: int = 0,
        optimizer: Callable[[float], Any] = optim.SGD,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if preset not in PRESETS:
            raise ParameterError(f"got preset={preset!r}; expected one of {', '.join(PRESETS)}")
        if schedule is None:
            schedule = "restarts" if preset == "schedule" else "constant"
        if schedule not in SHAPES:
            raise ParameterError(f"got schedule={schedule!r}; expected one of {', '.join(SHAPES)}")
        if not 0.0 < lr_range[0] <= peak <= lr_range[1]:
            raise ParameterError(f"got peak={peak}; expected it inside lr_range={tuple(lr_range)}")
        self._built, self._first = landscape is None, preset
        if landscape is None:
            landscape, plane = two_valleys()
            start = (0.25, 2.82) if start is None else start
            extent = formulas.sieve.extent if extent is None else extent
            height = "sqrt" if height == "auto" else height
        self.optimizer, self._lr_range = optimizer, lr_range
        self.ground = Ground.of(landscape, plane, extent, resolution, height)
        self.valleys = Valleys.of(self.ground)
        self.curvatures = self._curvatures()
        sharpest = self.valleys.points[int(self.curvatures.argmax())] if len(self.valleys) else None
        low, high = self.ground.low, self.ground.high
        middle = 0.5 * (low + high) if sharpest is None else sharpest + SPREAD * (high - low)
        first = self.ground.start(start, middle)
        sizes = _batch_sizes(landscape)
        if batch_size is None:
            batch_size = sizes[3 if preset == "batch size" and len(sizes) > 3 else 0]
        if batch_size not in sizes:
            raise ParameterError(f"got batch_size={batch_size}; expected one of {sizes}")
        box, slider = controls.rate("highest learning rate", peak, *lr_range)
        box.layout.width, box.layout.flex = "initial", "0 0 auto"
        places = controls.places(self.ground.plane.labels, first, low, high)
        names = {size: f"{size} of {sizes[0]}" if size < sizes[0] else "all" for size in sizes}
        self._view = HillsView()
        self.controls = {
            "peak": box,
            "schedule": controls.choice("schedule", list(SHAPES), schedule),
            "batch": controls.choice("batch size", [(n, s) for s, n in names.items()], batch_size),
            "start_x": places[0],
            "start_y": places[1],
            "steps": controls.count("steps", steps, 10, 5000),
            "others": controls.count("others", others, 0, 400),
            "seed": controls.count("noise number", seed, 0, 999),
            "hills": self._view.toggle,
        }
        controls.hide(hide, self.controls, {"peak": slider})
        self.player = on_stage(
            self._draw(style, steps), drag="start", seek="curve", start=first.tolist(), speed=20.0,
            label="Map of the loss, with the learning rate and the loss of a walk beside it",
        )  # fmt: skip
        batches = [self.controls["batch"]] if len(sizes) > 1 else []
        rows = [[box, slider], batches][:: 1 if preset == "schedule" or not batches else -1]
        kept = ("schedule", "start_x", "start_y", "steps", "others", "seed")
        more = controls.fold(*rows[1], *(self.controls[name] for name in kept))
        stage = self._view.open(self.player, "map", "curve")
        self._open([*rows[0], self._view.toggle], [more], stage)

    # What is seen -------------------------------------------------------------------------------

    @property
    def walk(self) -> Trajectory:
        """The walk shown (finished first, if a hand was moving)."""
        self.settle()
        return self._mine

    @property
    def _mine(self) -> Trajectory:
        return self._run.walk[:, 0]

    @property
    def left(self) -> float:
        """The share of the others that left the valley they began in."""
        self.settle()
        return float(np.mean(self._fates != self._homes[0])) if self._fates.size else 0.0

    def describe(self) -> str:
        """Whether the ball stays in its valley, how many others do, and the cliff that decides."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        most = "" if self._shape == "constant" else "up to "
        text = f"Learning rate {most}{said(self._peak)} ({self._shape})"
        text += f", batches of {self._batch}" if self._batch < self._samples else ""
        text += f": {self._verdict()}. "
        return text + self._cliffs()

    def _verdict(self) -> str:
        walk = self._mine
        if self._homes is None:
            return f"after {len(walk) - 1} steps the loss is {height_said(walk.losses[-1])}"
        begun, ended = self._homes
        if ended == FALLEN:
            return f"the ball leaves the ground at step {int(walk.diverged_at)}"
        if begun < 0 or ended < 0:
            return f"the ball ends at {self.ground.place(walk.end + self.ground.origin)}" + (
                f", loss {height_said(walk.losses[-1])}"
            )
        last, first = self.valleys.letter(ended), self.valleys.letter(begun)
        loss = self.valleys.height(ended)
        stays = begun == ended
        text = f"the ball {'stays in' if stays else f'leaves valley {first} and ends in'} "
        text += f"{'valley ' if stays else ''}{last}, loss {loss}"
        if self._fates.size:
            left = int((self._fates != begun).sum())
            text += f"; of {self._fates.size} others {left} leave{'s' if left == 1 else ''}"
        above = float(np.mean(walk.losses[-max(1, len(walk) // 5) :]) - self.valleys.losses[ended])
        if above > 1e-4:
            text += f"; in the last fifth it rides {said(above)} above the floor"
        return text

    def _cliffs(self) -> str:
        if not len(self.valleys):
            return ""
        cliffs = listed([self._cliff(k) for k in self._sharpest_first()])
        built = " (The flat valley is the lower one too: it was built so.)" if self._built else ""
        return f"{cliffs[0].upper()}{cliffs[1:]}.{built}"

    def _cliff(self, k: int) -> str:
        bend = float(self.curvatures[k])
        return (
            f"curvature {said(bend)} puts the cliff of {self.valleys.letter(k)} at 2/{said(bend)} "
            f"= {said(2.0 / bend)}"
        )

    def _sharpest_first(self) -> list[int]:
        return [int(k) for k in np.argsort(-self.curvatures)[:2]]

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._peak, self._shape, self._batch = value["peak"], value["schedule"], value["batch"]
        steps, origin = value["steps"], self.ground.origin
        self._start = np.array([value["start_x"], value["start_y"]])
        schedule = SHAPES[self._shape](steps)
        rng, seeds = np.random.default_rng(value["seed"]), 1000 * value["seed"]
        chance = rng.normal(0.0, SPREAD, (value["others"], 2))
        self._near = chance * (self.ground.high - self.ground.low)
        near = self._start + self._near
        everyone = np.arange(seeds + 1, seeds + 1 + len(near))
        inside = self.ground.inside
        self._run = Run(inside, self._start[None] - origin, self._seen([seeds]), steps, schedule)
        self._others = Run(inside, near - origin, self._seen(everyone), steps, schedule)
        self._rates = self._peak * np.asarray(schedule(np.arange(steps + 1)))
        self._homing: Crowd | None = None
        self._homes: Any = None
        self._fates = np.zeros(0, int)
        self._told = False
        axes = self.player.scene.axes
        if axes["curve"].get_xlim() != walked(steps):
            axes["curve"].set_xlim(walked(steps))
            axes["rate"].set_xlim(walked(steps))
            self._stale = True
        self._clouds = rng.permuted(np.tile(np.arange(self._samples), (CLOUD, 1)), axis=1)

    def _seen(self, seeds: Any) -> Any:
        """The optimizer, in the fog of minibatches if they are smaller than the data."""
        base = self.optimizer(self._peak)
        if self._batch == self._samples:
            return base
        return Fog(base, self.ground.landscape, self.ground.plane, self._batch, seeds)

    def _work(self, seconds: float) -> bool:
        """The ball; where it belongs; the others; where they belong."""
        late = time.perf_counter() + seconds
        if not self._run.go(seconds):
            return False
        if self._homes is None:
            both = np.stack([self._start - self.ground.origin, self._mine.end])
            fates = self._at_home(both, np.array([False, self._mine.diverged]), late)
            if fates is None:
                return False
            self._homes = fates
        if not self._told and self.controls["others"].value:
            if not self._others.go(late - time.perf_counter()):
                return False
            fates = self._at_home(self._others.walk.end, self._others.walk.diverged, late)
            if fates is None:
                return False
            self._fates = fates
        self._told = True
        return True

    def _at_home(self, ends: NDArray, fallen: NDArray, late: float) -> NDArray | None:
        """The valley each of `ends` rolls down to in small steps; None if time runs out first."""
        if self._homing is None:
            bend = float(self.curvatures.max()) if len(self.valleys) else 1.0 / self._peak
            gently = optim.SGD(lr=0.5 / bend)
            self._homing = Crowd(self.ground.inside, ends, gently, HOME)
        if not self._homing.go(late - time.perf_counter()):
            return None
        places, self._homing = self._homing.points + self.ground.origin, None
        return np.where(fallen, FALLEN, self.valleys.reached(places))

    def _show(self) -> None:
        scene, walk = self.player.scene, self._mine
        path = walk.points + self.ground.origin
        self._view.show(self.ground.surface, walk.points, walk.losses, self.ground.heights)
        rates = self._rates[: len(path)]
        scene.set("start", self._start)
        for name in ("walk", "ball"):
            scene.set(name, path)
        heights = walk.losses
        for name in ("curve", "cursor"):
            scene.set(name, np.column_stack([walk.steps, heights]))
        for name in ("rate", "rate cursor"):
            scene.set(name, np.column_stack([walk.steps, rates]))
        scene.set("readout", np.column_stack([walk.steps, rates, heights]))
        scene.set("cloud", self._cloud(walk.points, rates))
        points = self._others.walk.points + self.ground.origin
        for k in self.valleys.fates:
            mine = points[:, self._fates == k] if self._told else points[:0]
            scene.set(f"others {k}", mine)
        words = self._honesty(self._batch < self._samples)
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _honesty(self, foggy: bool) -> str:
        words = honesty(self.ground.surface, None, self.ground.heights)
        words += " All balls stay in this plane: only the two drawn weights move."
        if foggy:
            words += f" Short arrows: the steps that {CLOUD} other minibatches would have taken."
        return words

    def _cloud(self, points: NDArray, rates: NDArray) -> NDArray:
        """The steps that other minibatches would take from each point, (R, CLOUD, 4)."""
        if self._batch == self._samples:
            return np.empty((0, 1, 4))
        inside = self.ground.inside
        slopes = [
            inside.gradient(points, batch=chosen) for chosen in self._clouds[:, : self._batch]
        ]
        steps = -rates[:, None, None] * np.stack(slopes, axis=1)
        places = np.broadcast_to((points + self.ground.origin)[:, None], steps.shape)
        return np.concatenate([places, steps], axis=-1)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str, steps: int) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            grid = figure.add_gridspec(2, 2, width_ratios=(1.0, 1.1), height_ratios=(0.8, 1.0))
            over = figure.add_subplot(grid[:, 0])
            rate, curve = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
            self.ground.draw(over)
            self.ground.draw_losses(curve, steps)
            top = 1.1 * self._lr_range[1]
            rate.set(xlim=walked(steps), ylim=(0.0, top), ylabel="learning rate")
            rate.tick_params(labelbottom=False)
            for k in self._sharpest_first():
                cliff = 2.0 / float(self.curvatures[k])
                if cliff < top:
                    rate.axhline(cliff, color=chosen.ink, linestyle=(0, (4, 2)), linewidth=1.0)
                    rate.annotate(
                        f"cliff of {self.valleys.letter(k)}, {said(cliff)}", (1.0, cliff),
                        xycoords=("axes fraction", "data"), xytext=(0, 2),
                        textcoords="offset points", ha="right", fontsize="small",
                    )  # fmt: skip
        scene = Scene(figure, {"map": over, "rate": rate, "curve": curve}, paper)
        size = chosen.scale
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size, template="step {0}   learning rate {1}   loss {2}")  # fmt: skip
        white = {"colors": ["#ffffff"], "casing": CASING}
        scene.add("walk", "polyline", "map", follow=True, dots=1.6, ghost=0.2, width=1.2 * size,
                  **white)  # fmt: skip
        for k in self.valleys.fates:
            scene.add(f"others {k}", "ball", "map", follow=True, size=6.0 * size,
                      **self.valleys.look(k))  # fmt: skip
        scene.add("cloud", "arrow", "map", follow=True, colors=[PALETTE[5]], casing=CASING,
                  width=1.2 * size)  # fmt: skip
        for k, at in enumerate(self.valleys.points):
            x, y = self.ground.share(at)
            scene.add(f"bend {k}", "text", "map", color=CASING, halo="#ffffff", align="center",
                      at=[min(max(x, 0.36), 0.64), y + 0.07], size=13.0 * size,
                      template=f"{self.valleys.letter(k)}: curvature {{0}}")  # fmt: skip
            scene.set(f"bend {k}", [[self.curvatures[k]]])
        scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
        scene.add("ball", "ball", "map", follow=True, size=14.0 * size, edge=CASING,
                  colors=["#ffffff"])  # fmt: skip
        for name, color in (("rate", PALETTE[4]), ("curve", PALETTE[5 if paper == "dark" else 1])):
            cursor = "cursor" if name == "curve" else "rate cursor"
            scene.add(name, "polyline", name, follow=True, colors=[color], ghost=0.4,
                      width=2.0 * size)  # fmt: skip
            scene.add(cursor, "ball", name, follow=True, size=11.0 * size)
        scene.veil("curve", VEIL)
        return scene

    # Ground -------------------------------------------------------------------------------------

    def _curvatures(self) -> NDArray[np.float64]:
        """The largest eigenvalue of the Hessian in every valley, `(K,)`."""
        if not len(self.valleys):
            return np.zeros(0)
        hessians = self.ground.inside.hessian(self.valleys.points - self.ground.origin)
        return np.asarray(np.linalg.eigvalsh(hessians)[:, -1])

    @property
    def _samples(self) -> int:
        return max(size for _, size in self.controls["batch"].options)

    # Without a kernel ---------------------------------------------------------------------------

    def _baked(self) -> dict[str, list[Any]]:
        alone = self._live() is None  # then every walk is baked, and there are few
        peaks = controls.notches(self.controls["peak"], 40 if alone else 2)
        batches = [size for _, size in self.controls["batch"].options]
        chosen: dict[str, list[Any]] = {"peak": peaks, "schedule": list(SHAPES), "batch": batches}
        if alone or len(batches) == 1:
            del chosen["batch"]
        first = "batch" if self._first == "batch size" and "batch" in chosen else "peak"
        return {first: chosen.pop(first), **chosen}

    def _live(self) -> dict[str, Any] | None:
        landscape, plane = self.ground.landscape, self.ground.plane
        if repr(self.optimizer(1.0)) != repr(optim.SGD(1.0)) or not len(self.valleys):
            return None
        if self._built:  # the same ground as the formula's, with data to draw minibatches from
            landscape, plane = formulas.sieve, Plane.whole(plane.labels)
        steps, sizes = self.controls["steps"].value, [s for _, s in self.controls["batch"].options]
        found: dict[str, Any] = {
            "near": self._near.tolist(), "valleys": self.valleys.packed(),
            "floors": self.valleys.losses.tolist(), "cliffs": self._cliffs(),
            "clear": self._honesty(False), "foggy": self._honesty(True),
            "home": HOME, "gently": 0.5 / float(self.curvatures.max()),
            "factors": {name: shape(steps)(np.arange(steps + 1)).tolist()
                        for name, shape in SHAPES.items()},
        }  # fmt: skip
        if len(sizes) > 1:
            seeds = 1000 * self.controls["seed"].value + np.arange(len(self._near) + 1)
            found["epochs"] = -(-steps // -(-sizes[0] // sizes[1]))
            found["clouds"] = {size: self._clouds[:, :size].tolist() for size in sizes[1:]}
            found["packed"] = {"orders": orders(self.ground.landscape, seeds, found["epochs"])}
        return pages.live("sieve", landscape, plane, steps, **found)

    def _moved(self, change: Any) -> None:
        self._put(start_x=change["new"][0], start_y=change["new"][1])

    def _configuration(self) -> Any:
        return ["Sieve", *self.ground.configuration(), repr(self.optimizer(1.0))]


def two_valleys() -> tuple[Landscape, Plane]:
    """P3 as a network: a 1-2-1 tanh network with its two input weights free.

    >>> import tinygrad_landscape as tl
    >>> landscape, plane = two_valleys()
    >>> bool(np.isclose(landscape(plane.point(0.5, 1.0)), tl.formulas.sieve([0.5, 1.0])))
    True
    """
    net = Network(Linear(1, 2), Tanh(), Linear(2, 1))
    parts = {"0.bias": [-0.4, -1.5], "2.weight": [[2.0], [1.5]], "2.bias": [0.0]}
    x = np.linspace(-2.0, 2.0, 24)[:, None]
    truth = net.pack({"0.weight": [[1.8, 0.2]], **parts})
    plane = Plane.two_weights(net.pack({"0.weight": [[0.0, 0.0]], **parts}), 0, 1)
    landscape = Landscape(net, losses.half_squared_error, Data(x, net(truth, x)))
    return landscape, replace(plane, labels=("w1", "w2"))


def _batch_sizes(landscape: Landscape) -> list[int]:
    """All samples, a half, a quarter, an eighth, and one; only "all" without a network and data."""
    if landscape.network is None or landscape.data is None:
        return [1]
    count = len(landscape.data.x)
    return sorted({count, -(-count // 2), -(-count // 4), -(-count // 8), 1}, reverse=True)
