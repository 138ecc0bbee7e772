"""`Ravine(preset="momentum")`: plain descent against the heavy ball, each at its own best."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import optim
from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES
from tinygrad_landscape.panels import controls, relief
from tinygrad_landscape.panels.ravine import CASING, ORANGE, Ravine
from tinygrad_landscape.panels.run import Run

NEAR = 0.01  # a walk has arrived when this share of its distance to the minimum is left
LANES = (("plain descent", "#56B4E9", (), "o"), ("heavy ball", ORANGE, DASHES[1], "s"))


class Momentum(Ravine):
    """See `Ravine`, preset "momentum"."""

    opening, beside = (1.0, 1.0), "the distance of two walks to its minimum"

    def _more(self, steps: int) -> dict[str, Any]:
        best = ipywidgets.Checkbox(
            value=True, description="each at its own best", indent=False,
            layout={"width": "initial"},
        )  # fmt: skip
        lr_plain, lr_heavy, momentum = self._best()
        boxes = {
            "lr_plain": controls.rate("learning rate, plain", lr_plain, 1e-6, 10.0)[0],
            "lr_heavy": controls.rate("learning rate, heavy ball", lr_heavy, 1e-6, 10.0)[0],
            "momentum": controls.number("momentum", momentum, 0.0, 0.9999),
        }
        for box in boxes.values():
            box.layout.width = "initial"
            box.observe(self._by_hand, "value")
        return {"best": best, **boxes, "steps": controls.count("steps", steps, 1, 10_000)}

    def _by_hand(self, _: Any) -> None:
        if not self._deaf:
            self._quietly(best=False)

    def _quietly(self, **values: Any) -> None:
        self._deaf, deaf = True, self._deaf
        for name, value in values.items():
            self.controls[name].value = value
        self._deaf = deaf

    def _sentence(self) -> str:
        rates = self._rates()
        names = (
            f"plain descent (learning rate {said(self.controls['lr_plain'].value)})",
            f"the heavy ball (learning rate {said(self.controls['lr_heavy'].value)}, momentum "
            f"{said(self.controls['momentum'].value)})",
        )
        parts = [
            f"{name} {self._arrival(run, rate)}"
            for name, run, rate in zip(names, self._runs, rates, strict=True)
        ]
        return f"At condition number {said(self.condition)}, {parts[0]}; {parts[1]}."

    def _arrival(self, run: Run, rate: float) -> str:
        if bool(run.walk.diverged):
            return f"diverges at step {int(run.walk.diverged_at)}"
        away, norms = self._distances(run), run.walk.gradient_norms
        left = np.flatnonzero(away > NEAR * away[0])
        text = f"multiplies the distance by {rate:.3f} a step in the long run"
        if not len(left) or left[-1] < len(away) - 1:
            arrived = int(left[-1]) + 1 if len(left) else 0
            return f"{text} and stays within {NEAR:.0%} of it from step {arrived} on"
        if norms[-1] < 1e-3 * norms[0]:
            return "leaves for another valley"
        return f"{text} and has not come within {NEAR:.0%} of it after {left[-1]} steps"

    # Computing ----------------------------------------------------------------------------------

    def _best(self) -> tuple[float, float, float]:
        return fastest(*self._curvatures[[0, -1]].tolist())

    def _rates(self) -> list[float]:
        """By what each walk multiplies the distance a step in the long run: the largest spectral
        radius of its step over the curvatures at the minimum."""
        plain, heavy, beta = (
            self.controls[name].value for name in ("lr_plain", "lr_heavy", "momentum")
        )
        steps = [[[1.0 + beta - heavy * c, -beta], [1.0, 0.0]] for c in self._curvatures]
        radius = np.abs(np.linalg.eigvals(np.array(steps))).max()
        return [float(np.abs(1.0 - plain * self._curvatures).max()), float(radius)]

    def _begin(self) -> None:
        super()._begin()
        if self.controls["best"].value:
            names = ("lr_plain", "lr_heavy", "momentum")
            self._quietly(**dict(zip(names, self._best(), strict=True)))
        values = {name: control.value for name, control in self.controls.items()}
        optimizers = (
            optim.SGD(lr=values["lr_plain"]),
            optim.SGD(lr=values["lr_heavy"], momentum=values["momentum"]),
        )
        self._runs = [
            Run(self._inside, self._start - self._origin, each, values["steps"])
            for each in optimizers
        ]

    def _work(self, seconds: float) -> bool:
        finished = [run.go(seconds / 2) for run in self._runs]
        return all(finished)

    def _distances(self, run: Run) -> NDArray:
        """Distance to the minimum at every step, NaN from where the walk diverged on."""
        away = np.linalg.norm(run.walk.points + self._origin - self._lowest, axis=-1)
        return np.where(np.isfinite(run.walk.losses), away, np.nan)

    def _show(self) -> None:
        scene, words = self.player.scene, self._set_map()
        for name, run in zip(("plain", "heavy"), self._runs, strict=True):
            path, away = run.walk.points + self._origin, self._distances(run)
            curve = np.stack([run.walk.steps, away], axis=-1)
            for layer, array in (("walk", path), ("ball", path), ("curve", curve), ("at", curve)):
                scene.set(f"{layer}_{name}", array)
        steps = max((run.walk.steps for run in self._runs), key=len)
        scene.set("readout", steps[:, None])
        words += " Solid line and disc: plain descent; dashed line and square: the heavy ball."
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        far = float(np.linalg.norm(self._frame[1] - self._frame[0]))
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.2))
            self._map(over)
            beside.set(yscale="log", xlim=(0, self.controls["steps"].value), title=" ",
                       ylim=(1e-6 * far, far), xlabel="step",
                       ylabel="distance to the minimum (log)")  # fmt: skip
            for name, color, dash, marker in LANES:
                beside.plot([], [], color=color, linestyle=(0, dash or (1, 0)), marker=marker,
                            label=name)  # fmt: skip
            beside.legend(loc="upper right")
        scene, size = Scene(figure, {"map": over, "curve": beside}, paper), chosen.scale
        relief.add(scene, "map")
        scene.add("lowest", "marker", "map", shapes=["D"], size=10.0 * size, edge=CASING)
        for (_, color, dash, marker), name in zip(LANES, ("plain", "heavy"), strict=True):
            line: dict[str, Any] = {"colors": [color], "dash": list(dash), "follow": True}
            ball: dict[str, Any] = {"colors": [color], "shapes": [marker], "follow": True}
            scene.add(f"walk_{name}", "polyline", "map", width=1.3 * size, dots=1.6, **line)
            scene.add(f"ball_{name}", "ball", "map", size=13.0 * size, **ball)
            scene.add(f"curve_{name}", "polyline", "curve", width=2.0 * size, ghost=0.4, **line)
            scene.add(f"at_{name}", "ball", "curve", size=11.0 * size, **ball)
        scene.add("start", "marker", "map", shapes=["o"], size=9.0 * size, edge=CASING)
        scene.add("readout", "text", "map", follow=True, template="step {0}", color=chosen.ink,
                  size=14.0 * size, at=[0.0, 1.02])  # fmt: skip
        scene.veil(
            "curve", "The distance to the minimum appears here\nwith your first Play or Step."
        )
        return scene


def fastest(smallest: float, largest: float) -> tuple[float, float, float]:
    """The learning rate of plain descent, and learning rate and momentum of the heavy ball, that
    are fastest in a valley of these curvatures (Polyak 1964), in four figures.

    The momentum is rounded up: with a little too much the ball swings on, with a little too little
    it creeps.
    """
    low, high = math.sqrt(smallest), math.sqrt(largest)
    plain = float(f"{2.0 / (smallest + largest):.4g}")
    heavy = float(f"{4.0 / (low + high) ** 2:.4g}")
    least = max((1.0 - math.sqrt(heavy) * root) ** 2 for root in (low, high))
    return plain, heavy, math.ceil(least * 1e4) / 1e4
