"""The `Saddle` panel: where the gradient is zero, training is not always done.

A ball comes down the ridge, lingers where the ground is level, and leaves. How long it stays grows
with the logarithm of how close to the ridge it came: each step multiplies its distance by
1 + lr * |negative curvature|.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.ground import Ground, walked
from tinygrad_landscape.panels.hills_view import HillsView
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import Run
from tinygrad_landscape.panels.valleys import height_said
from tinygrad_landscape.surveying import Plane, critical_points
from tinygrad_landscape.surveying.critical import classify

CASING = "#10151c"
NEAREST = 1e-8  # how close to the ridge the slider goes
SEARCH = 7  # starts along each side of the grid from which saddles are looked for
BESIDE = 1e-4  # where the way back up the ridge begins; its bend is not felt there
UNDONE = 120  # steps back up the ridge, at most
ROUNDING = 1e-12  # a loss or a curvature below it is told as 0
AWAY = 0.01  # a walk that ends nearer than this, as a share of the frame, has not left
ROWS = 25  # Hessians taken at once, so that the hand is never held up
REACH = 0.11  # length of the curvature cross, as a share of the frame
STARTS = ("start_x", "start_y")
KINDS = {
    "saddle": "bends both ways, as at a saddle",
    "minimum": "bends up all round, as in a valley",
    "maximum": "bends down all round, as on a hilltop",
    "degenerate": "is straight in one direction",
}


class Saddle(Panel):
    """A walk past a saddle, the curvatures under the ball, and how long it takes to escape.

    Args:
        landscape: any Landscape; by default 1/2 (w1 w2 - 1)^2, a linear network of two weights.
        plane: what is drawn of a landscape with more than two weights, and where the walk stays.
        saddle: a place near the saddle that is meant, in the numbers on the axes; by default the
            lowest one in the frame.
        distance: how far beside the ridge the ball begins.
        approach: how far up the ridge it begins, as the crow flies. The ridge is traced exactly for
            plain gradient descent, one inverse step after the other.
        lr: the learning rate; by default each step takes the ball a tenth further from the ridge,
            or less where the ground bends up more than it bends down.
        steps: how many steps a walk takes; by default enough for the smallest distance.
        optimizer: a function from the learning rate to an optimizer; the law that is told holds
            for plain gradient descent.
        extent, resolution, height, style, hide: as for `Descent`.

    Raises:
        ParameterError: if there is no saddle in the frame, or near the place given.

    Source of the default: Kawaguchi 2016 (no bad minima, only saddles).

    >>> panel = Saddle(resolution=21, approach=0.0, lr=0.01, steps=1000)
    >>> panel.escape, panel.kind
    (694, 'saddle')
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        saddle: Sequence[float] | None = None,
        distance: float = 1e-3,
        approach: float | None = None,
        lr: float | None = None,
        steps: int | None = None,
        optimizer: Callable[[float], Any] = optim.SGD,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        landscape = formulas.chain(2) if landscape is None else landscape
        self.optimizer = optimizer
        self.ground = Ground.of(landscape, plane, extent, resolution, height)
        self.saddle = self._found(saddle)
        inside = self.ground.inside
        at = self.saddle - self.ground.origin
        self.eigenvalues, axes = np.linalg.eigh(inside.hessian(at))
        self.kind, _ = classify(self.eigenvalues)
        self.height = float(inside(at))
        axes = axes / np.abs(axes).max(axis=0)  # one unit moves one weight by 1, none by more
        self._down, self._up = axes.T * np.where(axes.T[:, :1] < 0.0, -1.0, 1.0)
        widest = float((self.ground.high - self.ground.low).min()) / 2.0
        reach = 10.0 ** math.floor(math.log10(widest))
        probe = 0.2 * widest * self._down
        self._side = 1.0 if inside(at + probe) <= inside(at - probe) + 1e-12 else -1.0
        bend = float(np.abs(self.eigenvalues).max()) or 1.0
        if lr is None:
            lr = float(f"{min(0.1 / abs(self.eigenvalues[0] or bend), 0.3 / bend):.2g}")
        if steps is None:
            growth = math.log1p(abs(lr * float(self.eigenvalues[0]))) or 1.0
            steps = min(1000, 50 * math.ceil((1.3 * math.log(1.0 / NEAREST) / growth + 30) / 50))
        if not NEAREST <= distance <= reach:
            raise ParameterError(f"got distance={distance}; expected {NEAREST} to {reach:g}")
        box, slider = controls.rate("distance from the ridge", distance, NEAREST, reach)
        box.layout.width, box.layout.flex = "initial", "0 0 auto"
        uphill = 0.4 * widest if approach is None else approach
        places = controls.places(
            self.ground.plane.labels, self.saddle, self.ground.low, self.ground.high
        )
        self._view = HillsView()
        self.controls = {
            "distance": box,
            "other_side": ipywidgets.Checkbox(
                value=False, description="on the other side", indent=False,
                layout={"width": "initial"},
            ),
            "approach": controls.number("up the ridge", uphill, -2.0 * widest, 2.0 * widest),
            "lr": controls.rate("learning rate", lr, 1e-4 * lr, 100.0 * lr)[0],
            "steps": controls.count("steps", steps, 10, 10_000),
            "free": ipywidgets.Checkbox(
                value=False, description="start anywhere:", indent=False,
                layout={"width": "initial"},
            ),
            "start_x": places[0],
            "start_y": places[1],
            "hills": self._view.toggle,
        }  # fmt: skip
        controls.hide(hide, self.controls, {"distance": slider})
        self._many = reach * 10.0 ** np.arange(0.0, math.log10(NEAREST / reach) - 0.25, -0.5)
        self.player = on_stage(
            self._draw(style, steps), drag="start", seek="curve", speed=20.0,
            start=(self.saddle).tolist(),
            label="Map of a saddle with a walk past it, its loss, and the law of escape",
        )  # fmt: skip
        for names, free in ((("distance", "approach", "other_side"), False), (STARTS, True)):
            for name in names:
                self.controls[name].observe(functools.partial(self._let, free), "value")
        self._ridges: dict[Any, NDArray] = {}
        folded = ("other_side", "approach", "lr", "steps", "free", *STARTS)
        more = controls.fold(*(self.controls[name] for name in folded))
        stage = self._view.open(self.player, "map", "curve")
        self._open([box, slider, self._view.toggle], [more], stage)

    # What is seen -------------------------------------------------------------------------------

    @property
    def walk(self) -> Trajectory:
        """The walk shown (finished first, if a hand was moving)."""
        self.settle()
        return self._run.walk[:, 0]

    @property
    def escape(self) -> int | None:
        """The step at which three quarters of the way from the saddle down are done, or None."""
        self.settle()
        return self._own()

    @property
    def law(self) -> float | None:
        """ln(1/distance) / ln(1 + lr |negative curvature|), the steps that escape takes, about."""
        if self.kind != "saddle":
            return None
        return -math.log(self._distance) / math.log1p(-self._lr * float(self.eigenvalues[0]))

    def describe(self) -> str:
        """Which point this is, how long the ball stayed, and what the law says."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        low, high = map(float, self.eigenvalues)
        text = f"{self.kind.capitalize()} point" if self.kind == "degenerate" else "Saddle"
        text += f" at {self.ground.place(np.round(self.saddle, 9))}, loss {said(self.height)}: "
        text += f"the gradient is 0, the curvatures are {said(low)} and {said(high)}. "
        free = self.controls["free"].value
        near = f"{said(self._distance)} beside the ridge"
        text += f"From {self.ground.place(self._start) if free else near} "
        left, walk = self._own(), self._run.walk[:, 0]
        if bool(walk.diverged):
            return text + f"the ball leaves the ground at step {int(walk.diverged_at)}."
        if left is None:
            text += f"the ball has not left it after {len(walk) - 1} steps"
        else:
            text += f"the ball has left it after {left} step{'s' * (left != 1)}"
        if self.law is None:
            text += "; where the ground has no curvature, no law tells how many"
        elif not free:
            text += f"; ln(1/{said(self._distance)}) / ln(1 + {said(self._lr)} x {said(-low)}) is "
            text += said(self.law)
        dearer = self._dearer()
        if self.law is not None and dearer is not None:
            text += f". Ten times closer costs {said(dearer)} steps more"
        end = self.ground.place(np.round(walk.end + self.ground.origin, 9))
        return f"{text}. In the end it is at {end}, loss {height_said(walk.losses[-1])}."

    def _own(self) -> int | None:
        left = float(self._escapes()[0])
        return int(left) if math.isfinite(left) else None

    def _escapes(self) -> NDArray[np.float64]:
        """The step at which each walker has left, `(1 + many,)`; NaN if it has not yet."""
        losses = self._run.walk.losses
        drop = self.height - losses[-1]
        recent = np.abs(losses[-1 - len(losses) // 10] - losses[-1])
        away = np.linalg.norm(self._run.walk.end + self.ground.origin - self.saddle, axis=-1)
        far = away > AWAY * np.linalg.norm(self.ground.high - self.ground.low)
        settled = far & (drop > 0.0) & (recent <= 0.05 * drop)
        below = losses <= self.height - 0.75 * drop
        return np.where(settled, below.argmax(axis=0).astype(float), np.nan)

    def _dearer(self) -> float | None:
        """The measured price of coming ten times closer, over the small distances that left."""
        steps = self._escapes()[1:]
        small = np.isfinite(steps) & (self._many <= 1e-2)
        if small.sum() < 3:
            return None
        slope = np.polyfit(np.log10(self._many[small]), steps[small], 1)[0]
        return round(-float(slope), 1)

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._distance, self._lr = value["distance"], value["lr"]
        side = -self._side if value["other_side"] else self._side
        every = np.concatenate([[self._distance], self._many])
        starts = self._ridge(value["approach"]) + side * every[:, None] * self._down
        if value["free"]:
            starts[0] = value["start_x"], value["start_y"]
        starts = np.clip(starts, self.ground.low, self.ground.high)
        self._start = starts[0]
        steps = value["steps"]
        self._run = Run(
            self.ground.inside, starts - self.ground.origin, self.optimizer(self._lr), steps
        )
        self._bends: list[NDArray] = []
        if self.player.scene.axes["curve"].get_xlim() != walked(steps):
            self.player.scene.axes["curve"].set_xlim(walked(steps))
            self._stale = True

    def _work(self, seconds: float) -> bool:
        late = time.perf_counter() + seconds
        if not self._run.go(seconds):
            return False
        points = self._run.walk.points[:, 0]
        while len(self._bends) * ROWS < len(points):
            first = len(self._bends) * ROWS
            self._bends.append(self.ground.inside.hessian(points[first : first + ROWS]))
            if time.perf_counter() > late:
                break
        return len(self._bends) * ROWS >= len(points)

    def _show(self) -> None:
        scene, walk = self.player.scene, self._run.walk[:, 0]
        path = walk.points + self.ground.origin
        self._view.show(self.ground.surface, walk.points, walk.losses, self.ground.heights)
        scene.set("start", self._start)
        for name in ("walk", "ball"):
            scene.set(name, path)
        for name in ("curve", "cursor"):
            scene.set(name, np.column_stack([walk.steps, walk.losses]))
        self._show_bends(scene, path, walk)
        steps = self._escapes()
        scene.set("measured", np.column_stack([self._many, steps[1:]]))
        free = self.controls["free"].value
        scene.set("own", [[np.nan if free else self._distance, steps[0]]])
        law = np.full((2, 2), np.nan)
        if self.law is not None:
            ends = self._many[[0, -1]]
            growth = math.log1p(-self._lr * float(self.eigenvalues[0]))
            law = np.column_stack([ends, -np.log(ends) / growth])
        scene.set("law", law)
        words = honesty(self.ground.surface, None, self.ground.heights)
        words += (
            " The walk stays in this plane: only the two drawn weights move. The cross on the ball "
            "shows the directions of the two curvatures: a full line bends up, a dashed one down. "
            "The ball has left when three quarters of the way down from the saddle are done."
        )
        if self.ground.plane.size > 2:
            words += " In other directions the ground may bend otherwise."
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _show_bends(self, scene: Scene, path: NDArray, walk: Trajectory) -> None:
        """The cross on the ball and the words over the map, as far as Hessians are known."""
        bends = np.concatenate(self._bends) if self._bends else np.empty((0, 2, 2))
        count, known = len(path), len(bends)
        values, axes = np.linalg.eigh(np.where(np.isfinite(bends), bends, 0.0))
        scale = float(np.abs(self.eigenvalues).max()) or 1.0
        length = np.minimum(np.sqrt(np.abs(values) / scale), 1.2)
        arms = (
            axes.mT
            * (length * REACH * float((self.ground.high - self.ground.low).min()))[..., None]
        )
        for name, mine in (("bends up", values > 0.0), ("bends down", values < 0.0)):
            cross = np.full((count, 5, 2), np.nan)
            for k, corner in ((0, 0), (1, 3)):
                arm = np.where(mine[:, k, None], arms[:, k], np.nan)
                cross[:known, corner] = path[:known] - arm
                cross[:known, corner + 1] = path[:known] + arm
            scene.set(name, cross)
        kinds = np.array([classify(each)[0] for each in values] + [""] * (count - known))
        told = np.full((count, 4), np.nan)
        told[:, 0], told[:, 1] = walk.steps, walk.losses
        told[:known, 2:] = values
        told[np.abs(told) < ROUNDING] = 0.0
        for kind in KINDS:
            scene.set(f"told {kind}", np.where((kinds == kind)[:, None], told, np.nan))

    def _ridge(self, approach: float) -> NDArray:
        """The place on the ridge from which gradient descent steps exactly to the saddle.

        Ascent would do for tiny steps; for these, every step x - lr * gradient(x) = y is undone by
        Newton's method, beginning just beside the saddle.
        """
        key = (approach, self._lr)
        if key not in self._ridges:
            origin = self.ground.origin
            saddle, far = self.saddle - origin, abs(approach)
            x = saddle + math.copysign(min(BESIDE, far), approach) * self._up
            for _ in range(UNDONE):
                step = x - saddle
                if np.linalg.norm(step) >= far:
                    break
                before = self._undone(x, x + step * self._lr * max(0.0, float(self.eigenvalues[1])))
                if before is None:
                    break
                framed = (self.ground.low <= before + origin) & (
                    before + origin <= self.ground.high
                )
                if not framed.all() or np.linalg.norm(before - saddle) <= np.linalg.norm(step):
                    break
                x = before
            self._ridges = {key: x + origin}
        return self._ridges[key]

    def _undone(self, y: NDArray, guess: NDArray) -> NDArray | None:
        """The point that one step of gradient descent takes to y, if Newton's method finds it."""
        inside = self.ground.inside
        for _ in range(8):
            miss = guess - self._lr * inside.gradient(guess) - y
            if np.abs(miss).max() <= 1e-14 * (1.0 + np.abs(guess).max()):
                return guess
            slope = np.eye(2) - self._lr * inside.hessian(guess)
            guess = guess - np.linalg.lstsq(slope, miss)[0]
        return None

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str, steps: int) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            grid = figure.add_gridspec(2, 2, width_ratios=(1.2, 1.0))
            over = figure.add_subplot(grid[:, 0])
            curve, law = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
            self.ground.draw(over)
            self.ground.draw_losses(curve, steps)
            law.set(xscale="log", xlim=(2.0 * self._many[0], 0.5 * self._many[-1]),
                    ylim=(0, self._longest()), xlabel="distance from the ridge (log)",
                    ylabel="steps to escape")  # fmt: skip
        scene = Scene(figure, {"map": over, "curve": curve, "law": law}, paper)
        size, dark = chosen.scale, paper == "dark"
        for kind, words in KINDS.items():
            template = f"step {{0}}, loss {{1}}: {words} ({{2}} and {{3}})"
            scene.add(f"told {kind}", "text", "map", follow=True, at=[0.0, 1.02],
                      color=chosen.ink, size=13.0 * size, template=template)  # fmt: skip
        white = {"colors": ["#ffffff"], "casing": CASING}
        scene.add("walk", "polyline", "map", follow=True, dots=1.7, ghost=0.5, width=1.4 * size,
                  **white)  # fmt: skip
        scene.add("saddle", "marker", "map", shapes=["x"], size=9.0 * size)
        scene.set("saddle", self.saddle)
        scene.add("bends up", "curve", "map", follow=True, colors=[PALETTE[5]], casing=CASING,
                  width=2.6 * size)  # fmt: skip
        scene.add("bends down", "curve", "map", follow=True, colors=[PALETTE[4]], casing=CASING,
                  width=2.6 * size, dash=[6, 4])  # fmt: skip
        scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
        scene.add("ball", "ball", "map", follow=True, size=13.0 * size)
        line = PALETTE[5 if dark else 1]
        scene.add("curve", "polyline", "curve", follow=True, colors=[line], ghost=0.4,
                  width=2.0 * size)  # fmt: skip
        scene.add("cursor", "ball", "curve", follow=True, size=11.0 * size)
        scene.add("law", "polyline", "law", colors=[line], dash=[6, 3], width=1.6 * size)
        scene.add("measured", "marker", "law", colors=[chosen.muted], shapes=["s"],
                  size=7.0 * size, edge=chosen.paper)  # fmt: skip
        scene.add("own", "marker", "law", colors=[PALETTE[0]], shapes=["o"], size=11.0 * size,
                  edge="#ffffff")  # fmt: skip
        scene.veil("curve", "The loss curve appears here\nwith your first Play or Step.")
        return scene

    def _longest(self) -> float:
        """The top of the law's axis: what the law says for the smallest distance, and a little."""
        lr = self.controls["lr"].value
        if self.kind != "saddle":
            return float(self.controls["steps"].value)
        return -1.1 * math.log(NEAREST) / math.log1p(-lr * float(self.eigenvalues[0]))

    # Ground -------------------------------------------------------------------------------------

    def _found(self, near: ArrayLike | None) -> NDArray:
        """The saddle meant, in the numbers on the axes."""
        ground = self.ground
        points = getattr(ground.inside, "saddles", None)
        if points is None:
            starts = ground.grid(SEARCH).reshape(-1, 2) - ground.origin
            found = critical_points(ground.inside, starts, steps=50)
            points = [each.point for each in found if each.kind == "saddle"]
        places = np.asarray(points, float).reshape(-1, 2) + ground.origin
        places = places[((ground.low <= places) & (places <= ground.high)).all(axis=-1)]
        if not len(places):
            raise ParameterError(
                "no saddle was found in the frame; choose another plane, or another extent="
            )
        if near is None:
            return np.asarray(places[0])
        away = np.linalg.norm(places - np.asarray(near, float), axis=-1)
        if not away.min() <= 0.1 * np.linalg.norm(ground.high - ground.low):
            raise ParameterError(
                f"got saddle={near!r}, but the saddles in the frame are at "
                f"{np.round(places, 3).tolist()}"
            )
        return np.asarray(places[away.argmin()])

    def _moved(self, change: Any) -> None:
        x, y = change["new"]
        if [x, y] != self._start.tolist():
            self._put(free=True, start_x=x, start_y=y)

    def _let(self, free: bool, _: Any) -> None:
        """A number of the start was typed, or one of the ridge: that one counts from now on."""
        if not self._deaf:
            self._deaf = True
            self.controls["free"].value = free
            self._deaf = False

    def _baked(self) -> dict[str, list[Any]]:
        return {"distance": controls.notches(self.controls["distance"], 25),
                "other_side": [False, True]}  # fmt: skip

    def _configuration(self) -> Any:
        place = [round(float(x), 6) for x in self.saddle]
        return ["Saddle", *self.ground.configuration(), place, repr(self.optimizer(1.0))]
