"""The `Race` panel: optimizers from one start on one map, each at its own best learning rate.

A race in which everybody gets the same learning rate only shows whom that rate suits. Here each
lane first looks for its own best one; then all spend the same number of gradient evaluations, five
times with other seeds, and the finish table says who won and whether that was luck.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw import Scene, contour, honesty, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, losses
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.lanes import LANES, RATES, SEEDS, Lane, Maker, Track
from tinygrad_landscape.panels.panel import Panel, shown
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import BUDGET
from tinygrad_landscape.surveying import Plane, survey

Array = NDArray[Any]

CASING = "#10151c"
SHAKE = 0.02  # how far seeds move the start where nothing else is random, as a share of the frame


class Race(Panel):
    """Optimizers race down one map, each at its own best learning rate.

    Moving the slider gives all the same learning rate instead, which is not fair. Behind each lane
    stand 5 seeds: of the minibatches, or, where all samples are used, of small shifts of the start.

    Args:
        landscape: any Landscape; by default a linear model whose two inputs have sizes 1 and 10.
        plane: what is drawn of a landscape of more than two weights, and where all walks stay.
        own: your own optimizer, a function (theta, gradient, state, lr) that gives the next
            (theta, state); it gets the lane "yours".
        lanes: functions from the learning rate to an optimizer, by name; at most six with yours.
        budget: gradient evaluations each lane may spend.
        batch_size: samples per step; None for all.
        start: where all start, in the numbers on the axes.
        extent, resolution: frame and grid of the map, as in `survey`.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for more than six lanes, or a number out of its range; and whatever your own
            function raises.

    >>> Race().describe().partition(";")[0]
    'RMSProp wins with 60 gradient evaluations each'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        own: Callable[..., Any] | None = None,
        *,
        lanes: Mapping[str, Maker] | None = None,
        budget: int = 60,
        batch_size: int | None = None,
        start: Sequence[float] | None = None,
        extent: Any = None,
        resolution: int | None = None,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        whole = plane is None  # all of a landscape of two weights
        if landscape is None:
            landscape, batch_size = _two_sizes(), batch_size or 8
            plane = Plane.whole(("w1", "w2"))
            extent = (-2.0, 3.0, -1.8, 2.2) if extent is None else extent
            start = (-1.5, 1.5) if start is None else start
        makers = dict(LANES if lanes is None else lanes)
        if own is not None:
            makers["yours"] = partial(optim.Custom, own)
        if not 1 <= len(makers) <= len(PALETTE):
            raise ParameterError(f"got {len(makers)} lanes; expected 1 to {len(PALETTE)}")
        if extent is None:
            extent = getattr(landscape, "extent", None) if whole else None
        self.surface = survey(landscape, plane, extent or 1.0, resolution or (
            101 if landscape.network is None else 51))  # fmt: skip
        self.landscape, self.plane, self._batch = landscape, self.surface.plane, batch_size
        self._inside = landscape if whole else landscape.restrict(self.plane)
        self._origin = np.array(self.plane.absolute)
        low, high = self._frame()
        dot = low + 0.2 * (high - low) if start is None else np.asarray(start, float)
        if dot.shape != (2,) or not ((low <= dot) & (dot <= high)).all():
            raise ParameterError(
                f"got start={dot.tolist()}; expected two numbers inside the frame, {low.tolist()} "
                f"to {high.tolist()}"
            )
        self._scale = Heights.of(self.surface.loss)
        slider = self._make_controls(dot, budget, low, high)
        controls.hide(hide, self.controls, {"lr": slider})
        track = self._track()
        self._lanes = [Lane(name, make, track) for name, make in makers.items()]
        self._known: dict[Track, dict[str, float]] = {}  # every sweep made so far
        self._rates = {lane.name: 0.01 for lane in self._lanes}
        self._pace = 3e-4  # seconds a lane needs for a step; measured as soon as a hand moves
        self._table = ipywidgets.HTML()
        self.player = on_stage(self._draw(style), drag="start", seek="curve 0", start=dot.tolist())
        self.player.label = "Map with one walk per optimizer, and their losses"
        names = ("start_x", "start_y", "budget", "seed")
        fold = controls.fold(*(self.controls[name] for name in names))
        self._open([self.controls["fair"], self.controls["lr"], slider], [fold])
        first, stage, *rest = self.widget.children
        self.widget.children = (first, stage, self._table, *rest)
        self.player.observe(lambda _: shown(self._table, self.player.revealed), "revealed")
        shown(self._table, self.player.revealed)

    def _make_controls(self, dot: Array, budget: int, low: Array, high: Array) -> Any:
        box, slider = controls.rate("or one for all", 0.01, 1e-4, 10.0)
        box.layout.width = "initial"
        places = controls.places(self.plane.labels, dot, low, high)
        self.controls = {
            "fair": ipywidgets.Checkbox(
                value=True,
                description="each at its own best learning rate",
                indent=False,
                layout={"width": "initial", "margin": "2px 14px 2px 2px"},
            ),
            "lr": box,
            "start_x": places[0],
            "start_y": places[1],
            "budget": controls.count("evaluations", budget, 1, 2000),
            "seed": controls.count("seed", 0, 0, 10**6),
        }
        box.observe(self._by_hand, "value")
        return slider

    def _by_hand(self, _: Any) -> None:
        if not self._deaf:
            self._deaf = True
            self.controls["fair"].value = False
            self._deaf = False

    # What is seen -------------------------------------------------------------------------------

    @property
    def finish(self) -> list[dict[str, Any]]:
        """The finish table, first to last: lane, lr, steps, and the loss at the finish of the
        median, best and worst seed (infinite for a walk that diverged)."""
        self.settle()
        return self._finish()

    def _finish(self) -> list[dict[str, Any]]:
        rows = []
        for lane, run in self._runs.items():
            ends = np.sort(_ends(run))
            rows.append({
                "lane": lane, "lr": self._raced[lane], "steps": int(run.steps[-1]),
                "median": float(np.median(ends)), "best": float(ends[0]), "worst": float(ends[-1]),
            })  # fmt: skip
        return sorted(rows, key=lambda row: row["median"])

    def describe(self) -> str:
        """Who wins, by how much, and whether another seed might turn it round."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        if self._preview:
            return "A short race of one seed, while the hand moves; the whole race follows."
        rows = self._finish()
        first, *others = rows
        if not np.isfinite(first["median"]):
            return "Nobody arrives: every lane diverges with this learning rate."
        told = ", then ".join(
            f"{row['lane']} at {said(row['median'])}" if np.isfinite(row["median"]) else
            f"{row['lane']} diverged" for row in rows
        )  # fmt: skip
        text = (
            f"{first['lane']} wins with {self._course.budget} gradient evaluations each; "
            f"median loss of {SEEDS} seeds at the finish: {told}."
        )
        if others and others[0]["best"] <= first["worst"]:
            text += (
                f" The seeds of {first['lane']} and {others[0]['lane']} overlap, so their order may"
                " be luck."
            )
        if not self._fair:
            text += " This is no fair race: one learning rate does not suit all."
        return text

    # Computing ----------------------------------------------------------------------------------

    def _track(self) -> Track:
        """The race as the controls describe it."""
        value = {name: control.value for name, control in self.controls.items()}
        start = np.array([value["start_x"], value["start_y"]]) - self._origin
        starts = np.broadcast_to(start, (SEEDS, 2))
        if self._batch is None:
            low, high = self._frame()
            shifts = np.random.default_rng(value["seed"]).standard_normal((SEEDS, 2))
            starts = start + SHAKE * (high - low) * shifts
        seeds = tuple(range(SEEDS * value["seed"], SEEDS * (value["seed"] + 1)))
        places = tuple((float(x), float(y)) for x, y in starts)
        return Track(self._inside, places, value["budget"], self._batch, seeds)

    def _begin(self) -> None:
        self._course, self._fair = self._track(), self.controls["fair"].value
        self._start = np.array([self.controls[name].value for name in ("start_x", "start_y")])
        self._plan = self._planned(self._course)

    def _planned(self, course: Track) -> Iterator[None]:
        """Find every lane's best learning rate, then run the race, a piece at a time."""
        if self._fair and course not in self._known:
            found = {}
            for lane in self._lanes:
                for rate in lane.sweep(course):
                    if rate is not None:
                        found[lane.name] = rate
                    yield None
            self._known[course] = found
        self._rates = self._known.get(course, self._rates)
        runs, rates = {}, self._chosen()
        for lane in self._lanes:
            runs[lane.name] = lane.run(course, rates[lane.name])
            yield None
        self._runs, self._raced, self._preview = runs, rates, False

    def _chosen(self) -> dict[str, float]:
        """The learning rate of every lane."""
        same = self.controls["lr"].value
        return self._rates if self._fair else dict.fromkeys(self._rates, same)

    def _work(self, seconds: float) -> bool:
        """Under a moving hand one seed, the rates of the last sweep, and as many steps as there is
        time for must do."""
        if seconds <= BUDGET:
            begun, share = time.perf_counter(), seconds / len(self._lanes)
            course = replace(
                self._course.first(),
                budget=int(np.clip(share / self._pace, 2, self._course.budget)),
            )
            self._raced = self._chosen()
            self._runs = {lane.name: lane.run(course, self._raced[lane.name])
                          for lane in self._lanes}  # fmt: skip
            self._preview = True
            self._pace = (time.perf_counter() - begun) / course.budget / len(self._lanes)
            return False
        late = time.perf_counter() + seconds
        return all(time.perf_counter() < late for _ in self._plan)

    def _show(self) -> None:
        scene = self.player.scene
        scene.set("start", self._start)
        rows = max(len(run) for run in self._runs.values())
        for k, run in enumerate(self._runs.values()):
            order = np.argsort(_ends(run), kind="stable")
            middle = order[len(order) // 2]
            path = run.points[:, middle] + self._origin
            heights = run.losses
            spread = np.stack([np.nanmin(_kept(heights), 1), np.nanmax(_kept(heights), 1)], axis=1)
            line = np.stack([run.steps, heights[:, middle]], axis=-1)
            both = np.stack([np.broadcast_to(run.steps[:, None], spread.shape), spread], axis=-1)
            for layer, array in (("walk", path), ("ball", path), ("curve", line), ("at", line),
                                 ("spread", both)):  # fmt: skip
                scene.set(f"{layer} {k}", array)
        scene.set("readout", np.arange(rows)[:, None])
        random = "order of the minibatches" if self._batch else "start, shifted a little"
        words = (
            f"{honesty(self.surface, None, self._scale)} Of {SEEDS} seeds ({random}) each lane "
            "shows its middle one; thin lines are the best and the worst. Best learning rates come "
            "from 41 tried between .0001 and 10 on the very same seeds, which flatters all alike."
        )
        if not self._preview:
            self._table.value = self._html()
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _html(self) -> str:
        heads = ("place", "lane", "learning rate", "steps", "median loss", "best", "worst")
        head = "".join(f'<th scope="col">{each}</th>' for each in heads)
        body = ""
        for place, row in enumerate(self._finish(), 1):
            cells = (
                place, escape(row["lane"]), said(row["lr"]), row["steps"],
                *(_loss(row[name]) for name in ("median", "best", "worst")),
            )  # fmt: skip
            body += "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        return (
            f'<table class="tgl-table"><caption>Finish, {SEEDS} seeds each</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        finite = self.surface.loss[np.isfinite(self.surface.loss)]
        low, high = float(finite.min()), float(finite.max())
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
            contour(self.surface, ax=over, height=self._scale.scale, caption=False)
            over.set_title(" ")  # the readout stands here
            beside.set(xlim=(0, self.controls["budget"].value), title=" ", xlabel="step")
            if low >= 0.0:
                beside.set(yscale="log", ylim=(max(0.3 * low, 1e-7 * high), 2.0 * high))
            else:
                beside.set(ylim=(low - 0.05 * (high - low), high))
            beside.set_ylabel(f"loss ({beside.get_yscale()})")
            for k, lane in enumerate(self._lanes):
                beside.plot([], [], color=PALETTE[k], marker=MARKERS[k], label=lane.name,
                            dashes=DASHES[k] or (None, None))  # fmt: skip
            figure.legend(loc="outside upper right", ncols=len(self._lanes))  # clear of the curves
        scene, size = Scene(figure, {"map": over, "curve": beside}, paper), chosen.scale
        for k in range(len(self._lanes)):
            line: dict[str, Any] = {"colors": [PALETTE[k]], "follow": True, "dash": list(DASHES[k])}
            ball: dict[str, Any] = {"colors": [PALETTE[k]], "follow": True, "shapes": [MARKERS[k]]}
            scene.add(f"walk {k}", "polyline", "map", width=1.6 * size, casing="#ffffff", **line)
            scene.add(f"spread {k}", "polyline", "curve", width=0.8 * size, **line)
            scene.add(f"curve {k}", "polyline", "curve", width=2.2 * size, **line)
            scene.add(f"ball {k}", "ball", "map", size=12.0 * size, **ball)
            scene.add(f"at {k}", "ball", "curve", size=10.0 * size, **ball)
        scene.add("start", "marker", "map", shapes=["o"], size=10.0 * size, edge=CASING)
        scene.add("readout", "text", "map", follow=True, template="step {0}", color=chosen.ink,
                  size=14.0 * size, at=[0.0, 1.02])  # fmt: skip
        scene.veil(
            "curve", "The losses and the finish table\nappear here with your\nfirst Play or Step."
        )
        return scene

    # Ground -------------------------------------------------------------------------------------

    def _frame(self) -> tuple[Array, Array]:
        a, b = self.surface.a + self._origin[0], self.surface.b + self._origin[1]
        return np.array([a[0], b[0]]), np.array([a[-1], b[-1]])

    def _moved(self, change: Any) -> None:
        x, y = change["new"]
        if [x, y] != [self.controls["start_x"].value, self.controls["start_y"].value]:
            self._deaf = True
            self.controls["start_x"].value, self.controls["start_y"].value = x, y
            self._deaf = False
            self._react()

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {"fair": [True, False], "lr": RATES[::4].tolist()}

    def _configuration(self) -> Any:
        return [
            type(self).__name__,
            repr(self.landscape),
            [lane.name for lane in self._lanes],
            [round(float(x), 3) for x in (*self.plane.origin, *self.plane.u, *self.plane.v)],
            [each.round(6).tolist() for each in self._frame()],
            self._batch,
        ]


def _two_sizes() -> Landscape:
    """A linear model of two inputs, one ten times as large as the other: a valley along an axis."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 2)) * (1.0, 10.0)
    y = x @ np.array([[1.0], [0.2]]) + 0.3 * rng.standard_normal((64, 1))
    net = Network(Linear(2, 1, bias=False))
    return Landscape(net, losses.half_squared_error, Data(x, y))


def _ends(run: Trajectory) -> Array:
    """The loss of every seed at the finish; a walk that diverged is infinitely high."""
    return np.where(run.diverged | ~np.isfinite(run.losses[-1]), np.inf, run.losses[-1])


def _kept(heights: Array) -> Array:
    """Losses with nothing infinite, and at least one number a row, for the spread."""
    finite = np.where(np.isfinite(heights), heights, np.nan)
    lost = np.isnan(finite).all(axis=1, keepdims=True)
    return np.where(lost, 0.0, finite)


def _loss(value: float) -> str:
    return said(value) if np.isfinite(value) else "diverged"
