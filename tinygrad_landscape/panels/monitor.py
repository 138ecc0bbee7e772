"""The `Monitor` panel: how a run fares, while it runs or afterwards, and what would help.

It is a callback of `tl.descend` that draws what it sees, or it reads a finished walk. Its strips
show the vital signs over time, one more the loss across the place where the weights are now; the
sentence says the diagnosis of the moment shown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, descend, optim
from tinygrad_landscape.descent.callbacks import StepRecord
from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, Tanh, data, losses
from tinygrad_landscape.panels import strips
from tinygrad_landscape.panels.panel import Panel, guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import looping
from tinygrad_landscape.panels.strips import Span
from tinygrad_landscape.surveying.diagnosis import FINE, STATES, Diagnosis, diagnose
from tinygrad_landscape.surveying.vitals import Vitals, Watch, stride

ORANGE, CASING = "#D55E00", "#10151c"
ACROSS = np.linspace(-1.0, 1.0, 31)  # places of the slice, in halves of its width
WIDE = 0.25  # half the width of the slice, as a share of the weights' length
PAUSE = 0.3  # seconds at least between two pictures of a run that goes on
REST = 8.0  # a picture is followed by so many times its own cost without one
LIVE = {"every": 10, "curved": 10}  # steps between looks, looks between curvatures
WAITING = (
    "Nothing to watch yet: pass this monitor to a walk, "
    "tl.descend(L, theta, optimizer, callbacks=[monitor])."
)


class Monitor(Panel):
    """How a run of one walker fares: its vital signs, a diagnosis in words, and a remedy.

    Three ways: `Monitor()` shows a run of its own; `Monitor(L, walk)` a finished walk, moment by
    moment; and any monitor is a callback, `tl.descend(..., callbacks=[monitor])`, which draws the
    run beside the notebook while it goes on. Then it begins anew with every run.

    Args:
        landscape: the Landscape of the walk.
        walk: a finished Trajectory of one walker, best with `record_every=1`.
        validation: data that the run does not train on, or their Landscape.
        optimizer: the optimizer of a finished walk, for the threshold of sharpness; a running one
            says it by itself.
        every: steps between two looks; by default 10 while a run goes on, and about a hundred
            looks at a finished walk.
        style: "light", "dark" or "projector".

    Raises:
        ParameterError: for an `every` below 1, or a run of several walkers.
        ShapeError: for a walk of several walkers, or of another landscape.

    >>> import tinygrad_landscape as tl
    >>> monitor = Monitor(tl.formulas.one_neuron)
    >>> walk = tl.descend(
    ...     tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(2.7), steps=200, callbacks=[monitor]
    ... )
    >>> monitor.diagnosis.state
    'bouncing'
    """

    _patience = 0.25

    def __init__(
        self,
        landscape: Landscape | None = None,
        walk: Trajectory | None = None,
        *,
        validation: Data | Landscape | None = None,
        optimizer: Any = None,
        every: int | None = None,
        style: str = "light",
    ) -> None:
        if landscape is None and walk is not None:
            raise ParameterError("got a walk without its landscape; say Monitor(L, walk)")
        self._validation, self._every = validation, every
        if landscape is None and walk is None:
            landscape, walk, held, optimizer = _default()
            self._opens_on: Any = Watch(landscape, held, optimizer, stride(len(walk)))
        else:
            assert landscape is not None
            often = stride(len(walk)) if walk is not None else LIVE["every"]
            self._opens_on = Watch(landscape, validation, optimizer, every or often)
            if every is not None and every < 1:
                raise ParameterError(f"got every={every}; expected a whole number >= 1")
        if walk is not None and walk.points.ndim != 2:
            raise ShapeError(
                f"got a walk with points {walk.points.shape}; a monitor watches one walker, "
                "say walk[:, 0]"
            )
        self.walk = walk
        self._start(self._opens_on)
        self.controls: dict[str, Any] = {}
        self.player = on_stage(
            self._draw(style), seek="loss", speed=15.0, revealed=True,
            label="Loss, gradient, sharpness and turns of a run over its steps, and its diagnosis",
        )  # fmt: skip
        self._open([], [])

    # What is seen -------------------------------------------------------------------------------

    @property
    def vitals(self) -> Vitals:
        """The vital signs of all looks so far."""
        self.settle()
        return self._watch.vitals

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis at the moment shown.

        Raises:
            ParameterError: before anything was watched.
        """
        self.settle()
        if not len(self._watch):
            raise ParameterError(WAITING)
        return self._found[self._step_of(self.player.frame)]

    def describe(self) -> str:
        """The diagnosis at the moment shown, its evidence, and what would help."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        if not len(self._watch):
            return WAITING
        return self._found[self._step_of(self.player.frame)].describe()

    def _step_of(self, frame: int) -> float:
        steps = self._watch.rows["steps"]
        return steps[min(frame, len(steps) - 1)]

    # Watching -----------------------------------------------------------------------------------

    @guarded
    def __call__(self, record: StepRecord) -> bool:
        """See one step of a running `tl.descend`, and draw it if there was time enough since the
        last picture. Never ends the walk."""
        if record.theta.ndim != 1:
            raise ParameterError(
                f"a monitor watches one walker; this walk has theta of shape {record.theta.shape}"
            )
        if record.step == 0:
            self.walk = None
            often = {**LIVE, "every": self._every or LIVE["every"]}
            self._start(Watch(record.landscape, self._validation, record.optimizer, **often))
        elif not record.alive:
            self._watch.fell = record.step if self._watch.fell < 0 else self._watch.fell
            return False
        loss = None if record.loss is None else float(record.loss)
        looked = self._watch.see(record.step, record.theta, loss, record.gradient_norm, record.lr)
        self._done = False
        now = time.perf_counter()
        if looked and now > self._next:
            self._wanted = None
            self._judge()
            self._slice(only_last=True)
            self._present()
            self.player.resting = True
            spent = time.perf_counter() - now
            self._next = time.perf_counter() + max(PAUSE, REST * spent)
            if looping():
                self._soon()
        return False

    def _start(self, watch: Watch) -> None:
        self._watch, self._next = watch, 0.0
        self._found: dict[float, Diagnosis] = {}
        self._slices: dict[float, NDArray[Any]] = {}

    def _begin(self) -> None:
        pass

    def _work(self, seconds: float) -> bool:
        """See the rest of a finished walk, then cut the slices that are missing."""
        late = time.perf_counter() + seconds

        def out_of_time() -> bool:
            return time.perf_counter() > late

        if self.walk is not None and not self._watch.follow(self.walk, out_of_time):
            self._judge()
            return False
        self._watch.close()
        self._judge()
        return self._slice(out_of_time)

    def _judge(self) -> None:
        """A diagnosis for every look that has none yet."""
        seen, steps = self._watch.vitals, self._watch.rows["steps"]
        for k, step in enumerate(steps):
            if step not in self._found or (k == len(steps) - 1 and seen.fell >= 0):
                self._found[step] = diagnose(seen, k)

    def _slice(self, out_of_time: Any = None, *, only_last: bool = False) -> bool:
        """The loss along the gradient and the sharpest direction `(2, S)`, at looks without it."""
        watch = self._watch
        steps = watch.rows["steps"]
        for k in [len(steps) - 1] if only_last else range(len(steps)):
            if steps[k] in self._slices:
                continue
            point, land = watch.points[k], watch.landscape
            slope = np.asarray(land.gradient(point), float)
            ways = np.stack([slope / (np.linalg.norm(slope) or 1.0), watch.sharpest(k)])
            far = self._reach(point) * ACROSS[:, None]
            self._slices[steps[k]] = np.asarray(land(point + far * ways[:, None]), float)
            if out_of_time is not None and out_of_time():
                return False
        return True

    @staticmethod
    def _reach(point: NDArray) -> float:
        return WIDE * float(np.linalg.norm(point)) or 1.0

    # Showing ------------------------------------------------------------------------------------

    def _show(self) -> None:
        scene, watch = self.player.scene, self._watch
        if not len(watch):
            for name in scene.layers:
                scene.set(name, [])
            self.player.update(sentence=self._sentence(), honesty="")
            return
        rows = {name: np.array(values) for name, values in watch.rows.items()}
        steps = rows["steps"]
        when, end = steps / max(float(steps[-1]), 1.0), float(steps[-1])
        height = Span.of(rows["losses"], rows["validation_losses"])
        self._put_strip("loss", height, when, end, rows["losses"], rows["validation_losses"])
        self._put_strip("gradient", Span.of(rows["gradient_norms"]), when, end,
                        rows["gradient_norms"])  # fmt: skip
        sharp, threshold = _held(rows["sharpness"]), rows["thresholds"]
        bend = np.where(sharp > 0.0, sharp, np.nan)
        self._put_strip("sharpness", Span.of(bend, threshold), when, end, bend, threshold)
        turns = Span(-1.0, 1.0, False)
        self._put_strip("turns", turns, when, end, rows["turns"])
        states = [self._found[step].state for step in steps]
        strips.put_words(scene, "state", STATES, states)
        alarm = np.array([0.0 if state not in FINE else np.nan for state in states])
        scene.set("alarm", np.stack([when, alarm], axis=-1))
        scene.set("readout", np.stack([steps, rows["losses"]], axis=-1))
        self._put_slices(steps, height)
        self.player.update(sentence=self._sentence(), honesty=self._honesty(height))

    def _put_strip(
        self, name: str, span: Span, when: NDArray, end: float, *series: NDArray
    ) -> None:
        scene = self.player.scene
        strips.put(scene, name, span, end)
        for k, values in enumerate(series):
            curve = np.stack([when, span.share(values)], axis=-1)
            scene.set(name if k == 0 else f"{name} {k}", curve)
            if k == 0:
                scene.set(f"{name} ball", curve)

    def _put_slices(self, steps: NDArray, height: Span) -> None:
        scene = self.player.scene
        known = [step for step in steps if step in self._slices]
        if not known:
            return
        blank = np.full((2, len(ACROSS)), np.nan)
        every = np.stack([self._slices.get(step, blank) for step in steps])
        x = np.broadcast_to((ACROSS + 1.0) / 2.0, every.shape[::2])
        for k, name in enumerate(("slice", "slice 1")):
            within = np.where(every[:, k] <= height.high, every[:, k], np.nan)
            scene.set(name, np.stack([x, height.share(within)], axis=-1))
        reach = np.array([[self._reach(point)] for point in self._watch.points])
        scene.set("slice left", -reach)
        scene.set("slice right", reach)
        here = height.share(np.array(self._watch.rows["losses"]))
        scene.set("slice ball", np.stack([np.full(len(here), 0.5), here], axis=-1))

    def _honesty(self, height: Span) -> str:
        scale = "log" if height.log else "linear"
        share = f"{WIDE:.0%}"
        return (
            f"Heights of loss and slice are {scale}, on one scale; numbers beside a strip are the "
            f"ends of its range, lines in it are decades. A look every {self._watch.every} points; "
            f"sharpness is measured at every {self._watch.curved}th of them, by Lanczos (above 64 "
            f"weights, good to about 1 %). The slice shows 2 of {self._watch.landscape.size} "
            f"directions, {share} of the weights' length to either side; all others are hidden. "
            "A dashed threshold is drawn for descent with or without momentum only; for adaptive "
            "optimizers no single number of this kind exists. Sharpness near it is normal."
        )

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 5.2))
            grid = figure.add_gridspec(
                2, 6, height_ratios=(1.25, 1.0), left=0.075, right=0.985, top=0.9, bottom=0.075,
                wspace=1.6, hspace=0.42,
            )  # fmt: skip
            places = {
                "loss": (grid[0, :4], " "),
                "slice": (grid[0, 4:], " "),
                "gradient": (grid[1, :2], "gradient norm (log)"),
                "sharpness": (grid[1, 2:4], "sharpness (log)"),
                "turns": (grid[1, 4:], "turn between steps"),
            }
            axes = {name: figure.add_subplot(place) for name, (place, _) in places.items()}
            for name, (_, title) in places.items():
                strips.frame(axes[name], title)
            axes["turns"].axhline(0.5, color=chosen.muted, linewidth=0.8, linestyle=":", marker="")
            self._legends(axes, chosen)
        scene, size = Scene(figure, axes, paper), chosen.scale
        self._layers(scene, size, chosen)
        return scene

    def _legends(self, axes: Mapping[str, Any], chosen: Any) -> None:
        from matplotlib.lines import Line2D

        looks = (
            {"color": chosen.accents[1]},
            {"color": chosen.accents[0], "linestyle": (0, (4, 2))},
        )
        named = {
            "loss": (("training", "validation"), "lower left", (0.0, 0.04)),
            "slice": (("up gradient", "sharpest"), "lower center", (0.5, 0.98)),
            "sharpness": ((None, "threshold"), "lower right", (1.0, 0.0)),
        }
        for name, (labels, place, at) in named.items():
            handles = [Line2D([], [], marker="", label=label, **look)
                       for label, look in zip(labels, looks, strict=True) if label]  # fmt: skip
            axes[name].legend(
                handles=handles, loc=place, bbox_to_anchor=at, fontsize=8.5 * chosen.scale**0.7,
                ncols=2 if name == "slice" else 1, handlelength=1.7, columnspacing=1.0,
                borderpad=0.2, labelspacing=0.2, handletextpad=0.5,
            )  # fmt: skip

    def _layers(self, scene: Scene, size: float, chosen: Any) -> None:
        blue, orange = chosen.accents[1], chosen.accents[0]
        line: dict[str, Any] = {"follow": True, "ghost": 0.35, "width": 2.0 * size}
        for name in ("loss", "gradient", "sharpness", "turns"):
            strips.add(scene, name)
        scene.add("slice rungs", "polyline", "slice", colors=[f"{chosen.muted}55"], width=0.8)
        for name in ("loss", "sharpness"):
            scene.add(f"{name} 1", "polyline", name, colors=[orange], dash=[7, 4], **line)
        for name in ("loss", "gradient", "sharpness", "turns"):
            scene.add(name, "polyline", name, colors=[blue], **line)
            scene.add(f"{name} ball", "ball", name, follow=True, colors=[ORANGE], size=10.0 * size)
        scene.add("alarm", "polyline", "loss", colors=[orange], follow=True, ghost=0.35,
                  width=5.0 * size)  # fmt: skip
        for name, color, dash in (("slice 1", orange, [7, 4]), ("slice", blue, [])):
            scene.add(name, "curve", "slice", follow=True, colors=[color], dash=dash,
                      width=2.0 * size)  # fmt: skip
        scene.add("slice ball", "ball", "slice", follow=True, colors=[ORANGE], size=11.0 * size)
        words: dict[str, Any] = {"follow": True, "template": "{0}", "color": chosen.ink,
                                 "size": 11.0 * size}  # fmt: skip
        scene.add("slice left", "text", "slice", at=[0.0, -0.03], **words)
        scene.add("slice right", "text", "slice", at=[1.0, -0.03], align="right", **words)
        scene.add("readout", "text", "loss", follow=True, at=[0.0, 1.04], color=chosen.ink,
                  size=14.0 * size, template="step {0}   loss {1}")  # fmt: skip
        for k, state in enumerate(STATES):
            scene.add(f"state {k}", "text", "loss", follow=True, at=[1.0, 1.04], align="right",
                      color=chosen.ink if state in FINE else orange, size=15.0 * size,
                      template=state)  # fmt: skip

    # Hearing ------------------------------------------------------------------------------------

    def _turned(self, change: Any) -> None:
        super()._turned(change)
        if not self._deaf:
            self.player.sentence = self._sentence()

    def reset(self) -> None:
        """Go back to the end of what was watched."""
        super().reset()
        self.player.revealed = True

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {}

    def _configuration(self) -> Any:
        steps = self._watch.rows["steps"]
        return ["Monitor", repr(self._watch.landscape), steps[-1:], len(steps)]


def _held(values: NDArray) -> NDArray:
    """Every gap filled with the last measurement before it."""
    last = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
    return np.asarray(values[last])


def _default() -> tuple[Landscape, Trajectory, Data, Any]:
    """A run that falls well and then learns its 60 samples by heart."""
    net = Network(Linear(2, 16), Tanh(), Linear(16, 16), Tanh(), Linear(16, 1))
    train, held = (data.moons(n, noise=0.3, seed=seed) for n, seed in ((60, 0), (200, 1)))
    land, optimizer = Landscape(net, losses.binary_cross_entropy, train), optim.SGD(0.2, 0.9)
    return land, descend(land, net.init(seed=0), optimizer, 400), held, optimizer
