"""The `Basins` panel: where you start decides where you end.

A hundred balls are dropped on a map and roll at once; each takes the colour and the shape of the
valley that it ends in. The other presets, each in a file of its own, ask further: `film` moves the
learning rate, `trainability` two of them, and `lasso` counts what lies inside a loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls, pages
from tinygrad_landscape.panels.ground import Ground, walked
from tinygrad_landscape.panels.panel import Panel, guarded
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import Crowd, Run, looping
from tinygrad_landscape.panels.valleys import FALLEN, Valleys, height_said
from tinygrad_landscape.surveying import Plane

CASING = "#10151c"
PRESETS = {  # where each preset lives
    "hundred balls": ("basins", "HundredBalls"),
    "film": ("basin_film", "BasinFilm"),
    "lasso": ("lasso", "Lasso"),
    "trainability": ("frontier", "Trainability"),
}
GRID = 51  # starts along each side of the grid whose shares are told
MOMENTA, DROPS = [0.0, 0.3, 0.6, 0.9], 5  # what a page offers


class Basins(Panel):
    """Which start ends in which valley.

    Args:
        landscape: any Landscape; by default a network with three valleys, for the lasso one neuron
            with nine, and for trainability a network whose two layers have learning rates.
        plane: what is drawn of a landscape with more than two weights, and where the walks stay.
        preset: "hundred balls", "film", "lasso" or "trainability".
        options: those of the preset's own panel, below; all take `style=` and `hide=` as `Descent`
            does, and all but trainability `extent=`, `resolution=` and `height=`.

    Raises:
        ParameterError: for an unknown preset, or a landscape of more than two weights without a
            plane.

    >>> panel = Basins(balls=9, resolution=21)
    >>> panel.controls["lr"].value = 0.2
    >>> panel.describe().split(":")[0]
    '9 balls, learning rate 0.2'
    """

    _patience = 0.25

    def __new__(
        cls,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "hundred balls",
        **options: Any,
    ) -> Basins:
        """The panel of the preset."""
        if preset not in PRESETS:
            raise ParameterError(f"got preset={preset!r}; expected one of {', '.join(PRESETS)}")
        if cls is not Basins:
            return super().__new__(cls)
        module, name = PRESETS[preset]
        chosen = getattr(import_module(f"tinygrad_landscape.panels.{module}"), name)
        return super().__new__(chosen)

    def describe(self) -> str:
        """What is seen, in a sentence or two that contain the answer."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        raise NotImplementedError


class Film(Basins):
    """A preset whose moments are whole maps: what is asked for is made first, and the others while
    the hand rests, so that nobody waits for a film to see a picture."""

    def _answer(self) -> bool:
        """Compute all that the sentence says; say whether everything else is done, too."""
        raise NotImplementedError

    @guarded
    def settle(self) -> None:
        """Finish now what the sentence says; in a notebook the other maps go on by themselves."""
        if not looping():
            self._finish()
        elif not self._done:
            self._done = self._answer()
            self._present()
            if not self._done:
                self._soon()
        self._tell()

    def _finish(self) -> None:
        """Finish every map now."""
        super().settle()


class HundredBalls(Basins):
    """Drop a hundred balls, watch them roll, and drag a ball of your own.

    Args:
        landscape, plane, extent, resolution, height, style, hide: as for `Basins` and `Descent`.
        lr: the learning rate it opens with; `lr_range` the ends of its slider.
        start: where your own ball begins, in the numbers on the axes.
        balls: how many others are dropped, evenly over the map with a little chance; `seed` tells
            one such drop from another.
        steps: how many steps each takes.
    """

    _opens_playing = True

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "hundred balls",
        lr: float | None = None,
        lr_range: tuple[float, float] = (0.01, 10.0),
        start: Sequence[float] | None = None,
        balls: int = 100,
        steps: int = 150,
        seed: int = 0,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if landscape is None:
            landscape, start = formulas.three_valleys, (-1.0, 1.0) if start is None else start
        lr = 0.8 if lr is None else lr
        if not 0.0 < lr_range[0] <= lr <= lr_range[1]:
            raise ParameterError(f"got lr={lr}; expected it inside lr_range={tuple(lr_range)}")
        self.ground = Ground.of(landscape, plane, extent, resolution, height)
        self.valleys = Valleys.of(self.ground)
        low, high = self.ground.low, self.ground.high
        first = self.ground.start(start, low + np.array([0.4, 0.6]) * (high - low))
        box, slider = controls.rate("learning rate", lr, *lr_range)
        places = controls.places(self.ground.plane.labels, first, low, high)
        self.controls = {
            "lr": box,
            "start_x": places[0],
            "start_y": places[1],
            "balls": controls.count("balls", balls, 1, 400),
            "seed": controls.count("drop number", seed, 0, 999),
            "momentum": controls.number("momentum", 0.0, 0.0, 0.99),
            "steps": controls.count("steps", steps, 1, 2000),
        }
        controls.hide(hide, self.controls, {"lr": slider})
        self._thrown: Any = None
        self._told: NDArray[np.int64] | None = None  # the fates of the grid, once known
        self.player = on_stage(
            self._draw(style, steps), drag="start", seek="curve", start=first.tolist(), speed=20.0,
            label="Map of the loss with balls that roll downhill, and their losses beside it",
        )  # fmt: skip
        kept = ("balls", "seed", "momentum", "steps")
        more = controls.fold(*places, *(self.controls[name] for name in kept))
        self._open([box, slider], [more])
        self._drop()

    # What is seen -------------------------------------------------------------------------------

    @property
    def walk(self) -> Trajectory:
        """The walk of your own ball (finished first, if a hand was moving)."""
        self.settle()
        return self._mine.walk

    @property
    def balls(self) -> Trajectory:
        """The walks of all the others, R recorded points of every ball."""
        self.settle()
        return self._others.walk

    @property
    def shares(self) -> NDArray[np.float64]:
        """The share of a grid of starts that ends in each valley, `(K,)`."""
        self.settle()
        assert self._told is not None
        return np.array([np.mean(self._told == k) for k in range(len(self.valleys))])

    def _sentence(self) -> str:
        others, mine = self._fates(self._others.walk), self._fates(self._mine.walk)
        text = f"{others.size} ball{'s' * (others.size > 1)}, learning rate {said(self._lr)}"
        text += f", momentum {said(self._momentum)}" if self._momentum else ""
        text += f": {self.valleys.tally(others)}."
        if self._told is not None:
            shares = self.valleys.tally(self._told, share=True)
            text += f" Of a grid of {GRID} x {GRID} starts {shares}."
        text += f" The white ball, from {self.ground.place(self._start)}, "
        return text + end_said(self.ground, self.valleys, self._mine.walk, int(mine))

    def _fates(self, walk: Trajectory) -> NDArray[np.int64]:
        return self.valleys.fate(walk.end + self.ground.origin, walk.gradient_norms, walk.diverged)

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._lr, self._momentum, steps = value["lr"], value["momentum"], value["steps"]
        self._start = np.array([value["start_x"], value["start_y"]])
        inside, origin = self.ground.inside, self.ground.origin
        optimizer = optim.SGD(self._lr, self._momentum)
        self._mine = Run(inside, self._start - origin, optimizer, steps)
        thrown = value["balls"], value["seed"], optimizer, steps
        if thrown != self._thrown:  # dragging your own ball leaves the others where they are
            self._thrown, self._news, self._told = thrown, True, None
            dropped = self._dropped(value["balls"], value["seed"])
            self._others = Run(inside, dropped - origin, optimizer, steps)
            self._grid_starts = self.ground.grid(GRID) - origin
            self._grid = Crowd(inside, self._grid_starts, optimizer, steps)
        if self.player.scene.axes["curve"].get_xlim() != walked(steps):
            self.player.scene.axes["curve"].set_xlim(walked(steps))
            self._stale = True

    def _dropped(self, count: int, seed: int) -> NDArray:
        """Starts `(count, 2)`: spread evenly (each in a field of its own), with chance within."""
        rng = np.random.default_rng(seed)
        side = int(np.ceil(np.sqrt(count)))
        fields = rng.permutation(side * side)[:count] if count < side * side else np.arange(count)
        corner = np.stack([fields // side, fields % side], axis=-1)
        share = (corner + rng.uniform(0.1, 0.9, (count, 2))) / side
        return self.ground.low + share * (self.ground.high - self.ground.low)

    def _work(self, seconds: float) -> bool:
        late = time.perf_counter() + seconds
        self._mine.go(seconds if self._others.finished else 0.3 * seconds)
        if not self._others.finished:
            self._others.go(late - time.perf_counter())
            self._news = True
        rolled = self._mine.finished and self._others.finished
        if rolled and self._told is None and late > time.perf_counter():
            self._grid.go(late - time.perf_counter())
            self._told = self._grid_fates() if self._grid.finished else None
        return rolled and self._told is not None

    def _grid_fates(self) -> NDArray[np.int64]:
        ends = self._grid.points
        both = np.stack([self._grid_starts, ends])
        norms = np.linalg.norm(self.ground.inside.gradient(both), axis=-1)
        return self.valleys.fate(ends + self.ground.origin, norms, self._grid.fallen)

    def _show(self) -> None:
        scene, origin = self.player.scene, self.ground.origin
        walk = self._mine.walk
        path = walk.points + origin
        scene.set("start", self._start)
        for name in ("walk", "ball"):
            scene.set(name, path)
        curve = np.column_stack([walk.steps, walk.losses])
        for name in ("curve", "cursor", "readout"):
            scene.set(name, curve)
        if self._news:
            self._show_others(scene, self._others.walk)
            self._news = False
        words = honesty(self.ground.surface, None, self.ground.heights)
        words += " All balls stay in this plane: only the two drawn weights move."
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _show_others(self, scene: Scene, walk: Trajectory) -> None:
        points, fates = walk.points + self.ground.origin, self._fates(walk)
        steps = np.broadcast_to(walk.steps[:, None], walk.losses.shape)
        curves = np.stack([steps, walk.losses], axis=-1)
        for k in self.valleys.fates:
            scene.set(f"from {k}", points[0, fates == k])
            scene.set(f"balls {k}", points[:, fates == k])
            scene.set(f"losses {k}", curves[:, fates == k])
        for k in range(len(self.valleys)):
            there = (self.valleys.reached(points) == k) & (fates == k)
            arrived = np.logical_and.accumulate(there[::-1])[::-1].sum(axis=1)
            scene.set(f"count {k}", arrived[:, None])

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str, steps: int) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.2, 1.0))
            self.ground.draw(over)
            self.ground.draw_losses(beside, steps)
        scene = Scene(figure, {"map": over, "curve": beside}, paper)
        size, dark = chosen.scale, paper == "dark"
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size, template="step {0}")  # fmt: skip
        for k in self.valleys.fates:
            look = self.valleys.look(k)
            scene.add(f"losses {k}", "polyline", "curve", follow=True, colors=look["colors"],
                      width=0.9 * size)  # fmt: skip
            scene.add(f"from {k}", "marker", "map", size=5.0 * size, edge="#ffffff00", **look)
            scene.add(f"balls {k}", "ball", "map", follow=True, size=9.0 * size,
                      trail=1.0 * size, **look)  # fmt: skip
        for k, at in enumerate(self.valleys.points):
            x, y = self.ground.share(at)
            scene.add(f"count {k}", "text", "map", follow=True, at=[x + 0.025, y + 0.025],
                      color="#10151c", halo="#ffffff", size=13.0 * size,
                      template=f"{self.valleys.letter(k)}: {{0}}")  # fmt: skip
        white = {"colors": ["#ffffff"], "casing": CASING}
        scene.add("walk", "polyline", "map", follow=True, width=2.2 * size, ghost=0.5, **white)
        scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
        scene.add("ball", "ball", "map", follow=True, size=15.0 * size, edge=CASING,
                  colors=["#ffffff"])  # fmt: skip
        line = {"colors": ["#ffffff" if dark else CASING], "casing": CASING if dark else "#ffffff"}
        scene.add("curve", "polyline", "curve", follow=True, width=2.4 * size, **line)
        scene.add("cursor", "ball", "curve", follow=True, size=12.0 * size, edge=CASING,
                  colors=["#ffffff"])  # fmt: skip
        return scene

    # Without a kernel ---------------------------------------------------------------------------

    def _baked(self) -> dict[str, list[Any]]:
        box = self.controls["lr"]
        if self._live() is None:  # a hundred walks weigh much, so there are few of them
            return {"lr": np.geomspace(box.min, box.max, 6).round(3).tolist()}
        return {"lr": controls.notches(box), "momentum": MOMENTA, "seed": list(range(DROPS))}

    def _live(self) -> dict[str, Any] | None:
        ground, drops = self.ground, {*range(DROPS), self.controls["seed"].value}
        count = self.controls["balls"].value
        return pages.live(
            "basins", ground.landscape, ground.plane, self.controls["steps"].value,
            low=ground.low.tolist(), high=ground.high.tolist(), grid=GRID,
            valleys=self.valleys.packed(),
            dropped={seed: self._dropped(count, seed).tolist() for seed in sorted(drops)},
        )  # fmt: skip

    # Hands --------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Drop all balls again, as at the beginning."""
        super().reset()
        self._drop()

    def _drop(self) -> None:
        """Play from the first moment, with no wait for what is still being computed."""
        self.player.frame = 0
        self.player.revealed, self.player.resting, self.player.playing = True, False, True

    def _moved(self, change: Any) -> None:
        self._put(start_x=change["new"][0], start_y=change["new"][1])

    def _configuration(self) -> Any:
        return ["Basins", "hundred balls", *self.ground.configuration()]


def end_said(ground: Ground, valleys: Valleys, walk: Trajectory, fate: int) -> str:
    """What became of one ball, in words."""
    if fate == FALLEN:
        at = f" at step {int(walk.diverged_at)}" if walk.diverged else ""
        return f"leaves the ground{at}."
    if fate >= 0:
        return f"ends in valley {valleys.letter(fate)}, loss {valleys.height(fate)}."
    end = ground.place(walk.end + ground.origin)
    return f"is at {end} after {len(walk) - 1} steps, loss {height_said(walk.losses[-1])}."
