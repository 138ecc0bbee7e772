"""The `Monitor` panel: how a run fares, while it runs or afterwards, and what would help.

It is a callback of `tl.descend` that draws what it sees, or it reads a finished walk. Its strips
show the vital signs over time, one more the loss across the place where the weights are now; the
sentence says the diagnosis of the moment shown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, descend, optim
from tinygrad_landscape.descent.callbacks import StepRecord
from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, Tanh, data, losses
from tinygrad_landscape.panels import timelines
from tinygrad_landscape.panels.chart import Chart, Charted, add_losses
from tinygrad_landscape.panels.panel import guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import looping
from tinygrad_landscape.panels.timelines import Span
from tinygrad_landscape.surveying.diagnosis import Diagnosis
from tinygrad_landscape.surveying.watch import Watch, stride

ACROSS = np.linspace(-1.0, 1.0, 31)  # places of the slice, in halves of its width
WIDE = 0.25  # half the width of the slice, as a share of the weights' length
PAUSE = 0.4  # seconds at least between two pictures of a run that goes on
REST = 20.0  # a picture is followed by so many times its own cost without one
LIVE = {"every": 10, "curved": 20}  # steps between looks, looks between curvatures
WAITING = (
    "Nothing to watch yet: pass this monitor to a walk, "
    "tl.descend(L, theta, optimizer, callbacks=[monitor])."
)


class Monitor(Charted):
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
    _next: float  # when the next picture of a running walk is due

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
            opens_on = Watch(landscape, held, optimizer, stride(len(walk)), later=True)
        else:
            assert landscape is not None
            often = stride(len(walk)) if walk is not None else LIVE["every"]
            opens_on = Watch(landscape, validation, optimizer, every or often, later=True)
            if every is not None and every < 1:
                raise ParameterError(f"got every={every}; expected a whole number >= 1")
        if walk is not None and walk.points.ndim != 2:
            raise ShapeError(
                f"got a walk with points {walk.points.shape}; a monitor watches one walker, "
                "say walk[:, 0]"
            )
        self.walk = walk
        self._start(opens_on)
        self.controls: dict[str, Any] = {}
        self.player = on_stage(
            self._draw(style), seek="loss", speed=20.0, revealed=True,
            label="Loss, gradient, sharpness and turns of a run over its steps, and its diagnosis",
        )  # fmt: skip
        self._open([ipywidgets.Box(layout={"flex": "1"})], [])

    # What is seen -------------------------------------------------------------------------------

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis at the moment shown.

        Raises:
            ParameterError: before anything was watched.
        """
        if not len(self._chart):
            raise ParameterError(WAITING)
        return super().diagnosis

    def describe(self) -> str:
        """The diagnosis at the moment shown, its evidence, and what would help."""
        return super().describe() if len(self._chart) else WAITING

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
            every, curved = self._every or LIVE["every"], LIVE["curved"]
            watch = Watch(record.landscape, self._validation, record.optimizer, every, curved)
            self._start(watch)
        watch = self._chart.watch
        if not record.alive:
            watch.fell = record.step if watch.fell < 0 else watch.fell
            return False
        loss = None if record.loss is None else float(record.loss)
        looked = watch.see(record.step, record.theta, loss, record.gradient_norm, record.lr)
        self._done = False
        if looked and time.perf_counter() > self._next:
            self._draw_now()
        return False

    def _draw_now(self) -> None:
        """Draw what was seen so far; the next picture comes when this one has paid off."""
        began, self._wanted = time.perf_counter(), None
        self._chart.judge()
        self._slice(only_last=True)
        self._present()
        now = time.perf_counter()
        self._next = now + max(PAUSE, REST * (now - began))
        if looping():
            self._soon()

    def _start(self, watch: Watch) -> None:
        self._chart, self._next = Chart(watch), 0.0
        self._slices: dict[float, NDArray[Any]] = {}

    def _begin(self) -> None:
        pass

    def _work(self, seconds: float) -> bool:
        """See the rest of a finished walk, then cut the slices that are missing."""
        late = time.perf_counter() + seconds

        def out_of_time() -> bool:
            return time.perf_counter() > late

        watch = self._chart.watch
        if self.walk is not None and not watch.follow(self.walk, out_of_time):
            return False
        watch.close()
        if not watch.bend(out_of_time):
            return False
        self._chart.judge()
        return self._slice(out_of_time)

    def _slice(self, out_of_time: Any = None, *, only_last: bool = False) -> bool:
        """The loss along the gradient and the sharpest direction `(2, S)`, at looks without it."""
        watch, steps = self._chart.watch, self._chart.steps
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
        scene, chart = self.player.scene, self._chart
        if not len(chart):
            self.player.update(sentence=WAITING, honesty="")
            return
        height = chart.put_losses(scene)
        end, norms, turns = chart.steps[-1], chart.column("gradient_norms"), chart.column("turns")
        sharp, cliff = _held(chart.column("sharpness")), chart.column("thresholds")
        sharp = np.where(sharp > 0.0, sharp, np.nan)
        for name, span, series in (
            ("gradient", Span.of(norms), [norms]),
            ("sharpness", Span.of(sharp, cliff), [sharp, cliff]),
            ("turns", Span(-1.0, 1.0, False), [turns]),
        ):
            timelines.put_series(scene, name, span, chart.when, end, *series)
        self._put_slices(height)
        self.player.update(sentence=self._coming(), honesty=self._honesty(height))

    def _put_slices(self, height: Span) -> None:
        scene, watch = self.player.scene, self._chart.watch
        blank = np.full((2, len(ACROSS)), np.nan)
        every = np.stack([self._slices.get(step, blank) for step in self._chart.steps])
        x = np.broadcast_to((ACROSS + 1.0) / 2.0, (len(every), len(ACROSS)))
        for k, name in enumerate(("slice", "slice 1")):
            within = np.where(every[:, k] <= height.high, every[:, k], np.nan)
            scene.set(name, np.stack([x, height.share(within)], axis=-1))
        reach = np.array([[self._reach(point)] for point in watch.points])
        scene.set("slice left", -reach)
        scene.set("slice right", reach)
        here = height.share(self._chart.column("losses"))
        scene.set("slice ball", np.stack([np.full(len(here), 0.5), here], axis=-1))

    def _honesty(self, height: Span) -> str:
        scale, watch = "log" if height.log else "linear", self._chart.watch
        return (
            f"Heights of loss and slice are {scale}, on one scale; numbers beside a strip are the "
            f"ends of its range, lines in it are decades. A look every {watch.every} points; "
            f"sharpness is measured at one look in {watch.curved} (above 64 weights by Lanczos, "
            "good to about 1 %), and drawn level in between. The slice shows 2 of "
            f"{watch.landscape.size} directions, {WIDE:.0%} of the weights' length to either side; "
            "all others are hidden. "
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
                timelines.frame(axes[name], title)
            axes["turns"].axhline(0.5, color=chosen.muted, linewidth=0.8, linestyle=":", marker="")
            timelines.legend(axes["loss"], ("training", "validation"), "lower left",
                          bbox_to_anchor=(0.0, 0.04))  # fmt: skip
            timelines.legend(axes["slice"], ("up gradient", "sharpest"), "lower center",
                          bbox_to_anchor=(0.5, 0.98), ncols=2)  # fmt: skip
            timelines.legend(axes["sharpness"], (None, "threshold"), "lower right")
        scene, size = Scene(figure, axes, paper), chosen.scale
        add_losses(scene)
        for name, count in (("gradient", 1), ("sharpness", 2), ("turns", 1)):
            timelines.add_series(scene, name, count)
        orange, blue = chosen.accents
        for name, color, dash in (("slice 1", orange, [7, 4]), ("slice", blue, [])):
            scene.add(name, "curve", "slice", follow=True, colors=[color], dash=dash,
                      width=2.0 * size)  # fmt: skip
        scene.add("slice ball", "ball", "slice", follow=True, size=11.0 * size)
        words: dict[str, Any] = {"follow": True, "template": "{0}", "color": chosen.ink,
                                 "size": 11.0 * size}  # fmt: skip
        scene.add("slice left", "text", "slice", at=[0.0, -0.03], **words)
        scene.add("slice right", "text", "slice", at=[1.0, -0.03], align="right", **words)
        return scene

    # Pages and codes ----------------------------------------------------------------------------

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {}

    def _configuration(self) -> Any:
        chart = self._chart
        return ["Monitor", repr(chart.watch.landscape), chart.steps[-1:], len(chart)]


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
