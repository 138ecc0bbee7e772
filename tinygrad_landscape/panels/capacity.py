"""`Flatness(preset="capacity")`: test error against capacity, and what a ridge does to it.

The error on new data falls, rises to a spike where there are as many weights as points, and falls
again. The spike belongs to the unregularised fit near that threshold, not to capacity as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import controls, waves
from tinygrad_landscape.panels.flatness import ORANGE, Flatness
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.waves import NOISE, POINTS, REACH, WIDEST, Waves

WIDTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 17, 18, 19, 20, 21, 22, 24, 26, 30, 40, 60, 100,
          200, WIDEST)  # fmt: skip
RIDGES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
SEEDS = 21
PLACES = np.linspace(-REACH, REACH, 201)
FLOOR, EXACT = 1e-3, 1e-12  # errors below the first are drawn there, below the second are 0
VEIL = "The errors appear here\nwith your first Play or Step."
TELLING = 1e-2  # the ridge that the sentence sets against none


class Capacity(Flatness):
    """How the error on new data goes with the number of weights.

    Args:
        preset: "capacity".
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Attributes:
        errors: train and test error `(ridges, widths, seeds, 2)` of all RIDGES, WIDTHS and SEEDS.

    >>> panel = Capacity()
    >>> panel.controls["ridge"].value = 1e-2
    >>> bool(panel.spike < 2 * panel.errors[0, ..., 1].min())
    True
    """

    def __init__(
        self,
        *_: Any,
        preset: str = "capacity",
        style: str = "light",
        hide: Sequence[str] = (),
        **others: Any,
    ) -> None:
        if _ or others:
            raise ParameterError(
                "preset='capacity' has data of its own; it takes only style= and hide="
            )
        self.preset = preset
        self._waves = [Waves.of(seed) for seed in range(SEEDS)]
        self.errors = np.stack([each.errors(WIDTHS, RIDGES, PLACES) for each in self._waves], 2)
        box, slider = controls.steps("weights", POINTS, WIDTHS)
        self.controls = {
            "weights": box,
            "ridge": controls.choice("ridge", [_named(ridge) for ridge in RIDGES], RIDGES[0]),
            "seed": controls.count("data number", self._typical(), 0, SEEDS - 1),
        }
        controls.hide(hide, self.controls, {"weights": slider})
        self.player = on_stage(self._draw(style), speed=2.0)
        self.player.label = "A curve fitted to points, and its errors by its number of weights"
        self._open([box, slider, self.controls["ridge"]], [self.controls["seed"]])

    # What is seen -------------------------------------------------------------------------------

    @property
    def minimum(self) -> NDArray[np.float64]:
        """The weights `(n,)` that the controls choose."""
        return self._shown().fit(self._n, self._ridge)

    @property
    def spike(self) -> float:
        """The median test error with as many weights as points, at the ridge chosen."""
        return self._median(self._ridge, POINTS)

    def _typical(self) -> int:
        """The seed whose spike is the median one."""
        spikes = self.errors[0, WIDTHS.index(POINTS), :, 1]
        return int(np.abs(spikes - np.median(spikes)).argmin())

    def _median(self, ridge: float, n: int) -> float:
        return float(np.median(self.errors[RIDGES.index(ridge), WIDTHS.index(n), :, 1]))

    def _sentence(self) -> str:
        medians = np.median(self.errors[0, ..., 1], axis=-1)
        top = int(medians.argmax())
        before = int(medians[:top].argmin())
        place = "as many as there are points, " if WIDTHS[top] == POINTS else ""
        text = (
            f"Without a ridge the test error (median over {SEEDS} seeds) falls to "
            f"{said(medians[before])} at {WIDTHS[before]} weights, rises to {said(medians[top])} "
            f"at {WIDTHS[top]}, {place}and falls again to {said(medians[-1])} at {WIDTHS[-1]}: no "
            f"simple U-curve. With ridge {said(TELLING)} it is "
            f"{said(self._median(TELLING, WIDTHS[top]))} at {WIDTHS[top]}. "
        )
        train, test = map(float, self._shown().errors([self._n], self._ridge, PLACES)[0])
        ridge = f"ridge {said(self._ridge)}" if self._ridge else "no ridge"
        train = 0.0 if train < EXACT else train
        return text + (
            f"The curve drawn, {self._n} weight{'s' * (self._n != 1)} and {ridge}, has train error "
            f"{said(train)} and test error {said(test)}."
        )

    # Computing ----------------------------------------------------------------------------------

    def _shown(self) -> Waves:
        return self._waves[self.controls["seed"].value]

    def _begin(self) -> None:
        self._n, self._ridge = self.controls["weights"].value, self.controls["ridge"].value

    def _show(self) -> None:
        scene, one, frames = self.player.scene, self._shown(), [*WIDTHS, self._n]
        curves = [one.features(PLACES, n) @ one.fit(n, self._ridge) for n in frames]
        scene.set("fit", np.stack(np.broadcast_arrays(PLACES, np.array(curves)), axis=-1))
        scene.set("points", np.stack([one.x, one.y], axis=-1))
        own = one.errors(frames, self._ridge, PLACES)
        own = np.where(own < EXACT, 0.0, own)
        at = np.array(frames, float)
        scene.set(
            "cursor", np.stack([np.repeat(at[:, None], 2, axis=1), np.maximum(own, FLOOR)], axis=-1)
        )
        scene.set("readout", np.column_stack([at, own]))
        chosen = self.errors[RIDGES.index(self._ridge)]
        scene.set("train", self._line(np.median(chosen[..., 0], axis=-1)))
        scene.set("ridge", self._line(np.median(chosen[..., 1], axis=-1)) if self._ridge else [])
        quartiles = np.quantile(chosen[..., 1], [0.25, 0.75], axis=-1)
        for name, line in zip(("low", "high"), quartiles, strict=True):
            scene.set(name, self._line(line))
        words = (
            "Only the weights of the last layer are fitted, by a formula; the waves before it are "
            "random and stay, as a training by steps would not have it. Of several perfect fits "
            "the shortest weights are taken. Lines are medians over "
            f"{SEEDS} draws of points and waves, half of the test errors lie between the thin "
            "lines, and the two balls are those of the curve drawn. Test errors count the noise of "
            f"new points, so none is below {said(NOISE**2)}. Play goes from 1 weight to "
            f"{WIDEST}, and then to the number chosen."
        )
        self.player.update(sentence=self._sentence(), honesty=words)

    @staticmethod
    def _line(heights: NDArray) -> NDArray:
        return np.column_stack([WIDTHS, np.maximum(heights, FLOOR)])

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

        medians = np.median(self.errors[..., 1], axis=-1)
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2)
            over.set(xlim=(-REACH, REACH), ylim=(-2.5, 2.5), xlabel="x", ylabel="y", title=" ")
            over.plot(PLACES, waves.truth(PLACES), color=chosen.muted, dashes=(5, 3), label="truth",
                      marker="", linewidth=1.4)  # fmt: skip
            over.legend(loc="lower center")
            beside.set(xscale="log", yscale="log", xlim=(0.9, 1.1 * WIDEST), title=" ",
                       ylim=(0.7 * FLOOR, 1e3 * medians.max()), xlabel="weights (log)",
                       ylabel="mean squared error (log)")  # fmt: skip
            beside.axvline(POINTS, color=chosen.muted, linewidth=1.0, dashes=(2, 2))
            beside.annotate(f"{POINTS} points", (POINTS, 0.08), xytext=(4, 0), fontsize="small",
                            xycoords=("data", "axes fraction"),
                            textcoords="offset points")  # fmt: skip
            orange, blue = chosen.accents
            looks = {"plain": (orange, DASHES[0], "test error, no ridge"),
                     "ridge": (blue, DASHES[1], "test error, ridge chosen"),
                     "train": (chosen.muted, DASHES[2], "train error")}  # fmt: skip
            figure.legend(handles=[
                Line2D([], [], color=color, linestyle=(0, dash) if dash else "-", label=label)
                for color, dash, label in looks.values()
            ], loc="outside upper right", ncols=3)  # fmt: skip
        scene, size = Scene(figure, {"fit": over, "errors": beside}, paper), chosen.scale
        scene.add("fit", "curve", "fit", follow=True, colors=[ORANGE], width=2.4 * size)
        scene.add("points", "marker", "fit", shapes=["o"], colors=[chosen.ink], size=7.0 * size,
                  edge=chosen.paper)  # fmt: skip
        scene.add("readout", "text", "fit", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size,
                  template="{0} weights   train error {1}   test error {2}")  # fmt: skip
        for name in ("low", "high"):
            scene.add(name, "polyline", "errors", colors=[chosen.muted], width=0.8 * size)
        for name, (color, dash, _) in looks.items():
            scene.add(name, "polyline", "errors", colors=[color], dash=list(dash),
                      width=2.2 * size)  # fmt: skip
        scene.set("plain", self._line(medians[0]))
        scene.add("cursor", "ball", "errors", follow=True, colors=[chosen.muted, ORANGE],
                  size=10.0 * size)  # fmt: skip
        scene.veil("errors", VEIL)
        return scene

    # Without a kernel ---------------------------------------------------------------------------

    def _baked(self) -> dict[str, list[Any]]:
        return {"weights": list(WIDTHS), "ridge": list(RIDGES)}

    def _configuration(self) -> Any:
        return ["Flatness", self.preset]


def _named(ridge: float) -> tuple[str, float]:
    return (said(ridge) if ridge else "none", ridge)
