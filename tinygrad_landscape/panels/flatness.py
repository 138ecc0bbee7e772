"""The `Flatness` panel: five measures of how sharp a minimum is, and why they disagree.

Preset "rescale" changes a ReLU network's weights and not its function; preset "width" trains wider
and wider networks to one train loss. Either way a picture of the valley stands beside the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES, PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.panels import controls, minima
from tinygrad_landscape.panels.minima import MEASURES, Minimum
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage

VEIL = "The measures appear here\nwith your first Play or Step."
ORANGE = "#D55E00"
PRESETS = ("rescale", "width", "capacity")


class Flatness(Panel):
    """How flat a minimum is, measured five ways, while something else is changed.

    Preset "rescale": the first layer of a ReLU network times alpha, the next divided by it; the
    answers stay, every measure that is not adaptive changes. Preset "width": tanh networks of 4 to
    256 hidden units, three seeds each, trained until the train loss is 0.05. Preset "capacity", in
    a file of its own: train and test error of fits with 1 to 400 weights, with and without a ridge.

    Args:
        landscape: for "rescale", your own Landscape of a ReLU network; by default 2-12-1 on two
            moons.
        theta: the weights `(P,)` at its minimum.
        preset: "rescale", "width" or "capacity".
        alpha: the factor that "rescale" opens with, 0.1 to 10.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for an unknown preset, an alpha out of range, a landscape without weights or
            whose network answers otherwise after rescaling.

    >>> Flatness().describe().split(": ")[1].split(",")[0]
    'its largest curvature goes from 2.82 to 13.6 (4.81 times)'
    """

    def __new__(cls, *_: Any, preset: str = "rescale", **__: Any) -> Flatness:
        """The panel of the preset."""
        from tinygrad_landscape.panels.capacity import Capacity

        if preset not in PRESETS:
            raise ParameterError(f"got preset={preset!r}; expected one of {', '.join(PRESETS)}")
        return super().__new__(Capacity if preset == "capacity" and cls is Flatness else cls)

    def __init__(
        self,
        landscape: Landscape | None = None,
        theta: ArrayLike | None = None,
        *,
        preset: str = "rescale",
        alpha: float = 3.0,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if not 0.1 <= alpha <= 10.0:
            raise ParameterError(f"got alpha={alpha}; expected 0.1 to 10")
        if (landscape is None) != (theta is None) or (preset == "width" and landscape is not None):
            raise ParameterError(
                "a landscape of your own needs theta=, the weights at its minimum, and "
                "preset='rescale'"
            )
        self.preset, row = preset, []
        if preset == "rescale":
            self.landscape, self.theta = minima.relu(landscape, theta)
            box, slider = controls.rate("alpha", alpha, 0.1, 10.0)
            self.controls, row = {"alpha": box}, [box, slider]
            self._original = minima.twin(self.landscape, self.theta, 1.0)
            self._sweep = [minima.twin(self.landscape, self.theta, a) for a in minima.ALPHAS]
        else:
            self._seeds = minima.widths()
            self._sweep = [group[0] for group in self._seeds]
            self._original = self._sweep[0]
            self.controls = {"width": controls.choice("width", minima.WIDTHS, minima.WIDTHS[-1])}
            row = [self.controls["width"]]
            slider = None
        controls.hide(hide, self.controls, {} if slider is None else {"alpha": slider})
        self.player = on_stage(self._draw(style), speed=10.0 if preset == "rescale" else 2.0)
        self.player.label = "The loss across a valley, and measures of its sharpness"
        self._open(row, [])

    # What is seen -------------------------------------------------------------------------------

    @property
    def minimum(self) -> Any:
        """The minimum that the control chooses: a `Minimum` with its measures, or of "capacity" its
        weights."""
        return self._chosen

    def describe(self) -> str:
        """What changes with alpha, width or capacity, and what does not."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        return self._rescaled() if self.preset == "rescale" else self._widened()

    def _rescaled(self) -> str:
        one, two, size = self._original, self._chosen, len(self.theta)
        text = (
            f"With the first layer times {said(two.at)} and the next divided by it the network "
            f"gives the same answers (the largest difference is {two.differs:.0e}) at the same "
            f"loss {said(two.loss)}, and yet: its largest curvature goes {_change(one, two, 0)}, "
            f"the trace {_change(one, two, 1)}, which is {said(one.measures[1] / size)} and "
            f"{said(two.measures[1] / size)} per parameter, "
        )
        parts = [f"{MEASURES[k]} {said(two.measures[k] / one.measures[k])}" for k in (2, 3)]
        kept = two.measures[4] / one.measures[4]
        last = "stays as it was" if abs(kept - 1.0) < 1e-6 else f"{said(kept)} times"
        return text + f"{' and '.join(parts)} times; adaptive SAM {last}."

    def _widened(self) -> str:
        here, mean = self._chosen, self._means()
        k = minima.WIDTHS.index(int(here.at))
        words = []
        for name, column in (("largest curvature", 0), ("trace per parameter", 1),
                             ("validation loss", 2)):  # fmt: skip
            first, last = mean[0, column], mean[-1, column]
            verb = "rises" if last > 1.1 * first else "falls" if last < first / 1.1 else "stays"
            words.append(f"{name} {verb} from {said(float(first))} to {said(float(last))}")
        spread = [group.measures[0] for group in self._seeds[k]]
        return (
            f"From width {minima.WIDTHS[0]} to {minima.WIDTHS[-1]}, at a train loss of "
            f"{said(minima.ENOUGH)} and on average over {minima.SEEDS} seeds, the "
            f"{', the '.join(words)}. At width {int(here.at)} the largest curvature lies between "
            f"{said(min(spread))} and {said(max(spread))}: wider is not simply flatter."
        )

    def _means(self) -> NDArray:
        return self._dots().mean(axis=1)

    def _dots(self) -> NDArray:
        """Largest curvature, trace per parameter, validation loss `(widths, seeds, 3)`."""
        return np.array([
            [(m.measures[0], m.measures[1] / m.size, m.validation) for m in group]
            for group in self._seeds
        ])  # fmt: skip

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self.preset == "rescale":
            self._chosen = minima.twin(self.landscape, self.theta, self.controls["alpha"].value)
        else:
            self._chosen = self._sweep[minima.WIDTHS.index(self.controls["width"].value)]

    def _work(self, seconds: float) -> bool:
        return True

    def _show(self) -> None:
        scene, frames = self.player.scene, [*self._sweep, self._chosen]
        scene.set("valley", np.stack([one.valley for one in frames]))
        scene.set("original", self._original.valley)
        at = np.array([one.at for one in frames])
        scene.set("readout", np.stack([at, [one.measures[0] for one in frames]], axis=-1))
        lines = self._lines()
        heights = np.stack([self._line_of(one) for one in frames])
        for k, line in enumerate(lines.T):
            scene.set(f"line{k}", np.stack([at[:-1], line], axis=-1))
        grid = np.broadcast_to(at[:, None], heights.shape)
        scene.set("cursor", np.stack([grid, heights], axis=-1))
        if self.preset == "width":
            dots = self._dots().transpose(2, 0, 1).reshape(3, -1)
            for k, dot in enumerate(dots):
                scene.set(f"dots{k}", np.stack([np.repeat(at[:-1], minima.SEEDS), dot], axis=-1))
        words = (
            "The valley is the loss along one direction only, the one that bends most at this "
            "minimum, over the distance in weight space; all other directions are hidden. "
        )
        words += (
            "The dashed curve is the network at alpha = 1; Play goes through alpha from 0.1 to 10."
            if self.preset == "rescale"
            else "It is that of the first seed; the dashed curve is the narrowest network. Dots "
            "are single seeds, lines go through their means."
        )
        self.player.update(sentence=self._sentence(), honesty=words)

    def _lines(self) -> NDArray:
        """The measures drawn `(K, M)`, for every alpha or width."""
        if self.preset == "width":
            return self._means()
        return np.stack([self._line_of(one) for one in self._sweep])

    def _line_of(self, one: Minimum) -> NDArray:
        if self.preset == "width":
            return self._means()[minima.WIDTHS.index(int(one.at))]
        return np.array(one.measures) / np.array(self._original.measures)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D

        rescale = self.preset == "rescale"
        names = MEASURES if rescale else ("largest curvature", "trace per parameter",
                                          "validation loss")  # fmt: skip
        lines = self._lines()
        at = [one.at for one in self._sweep]
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            across, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
            reach = minima.REACH
            floor = self._original.loss
            across.set(xlim=(-reach, reach), ylim=(floor - 0.15, floor + 1.0), title=" ",
                       xlabel="distance along the sharpest direction",
                       ylabel="loss (linear)")  # fmt: skip
            beside.set(xscale="log", yscale="log", xlim=(0.9 * min(at), 1.1 * max(at)), title=" ",
                       ylim=(0.5 * lines.min(), 8.0 * lines.max()),
                       xlabel="alpha (log)" if rescale else "hidden units (log)",
                       ylabel="times its value at alpha = 1 (log)" if rescale
                       else "measure (log)")  # fmt: skip
            if not rescale:
                dots = self._dots()
                beside.set(xticks=at, ylim=(0.4 * dots.min(), 12.0 * dots.max()))
                beside.set_xticklabels([str(int(width)) for width in at])
                beside.minorticks_off()
            colors = [chosen.accents[1], PALETTE[4], PALETTE[2], PALETTE[3], chosen.muted]
            beside.legend(handles=[
                Line2D([], [], color=colors[k], linestyle=(0, DASHES[k]) if DASHES[k] else "-",
                       label=name)
                for k, name in enumerate(names)
            ], loc="upper center", ncols=2)  # fmt: skip
        scene = Scene(figure, {"valley": across, "measures": beside}, paper)
        size = chosen.scale
        scene.add("original", "polyline", "valley", colors=[chosen.muted], dash=[5, 4],
                  width=1.6 * size)  # fmt: skip
        scene.add("valley", "curve", "valley", follow=True, colors=[ORANGE], width=2.6 * size)
        template = "alpha {0}   curvature {1}" if rescale else "width {0}   curvature {1}"
        scene.add("readout", "text", "valley", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=14.0 * size, template=template)  # fmt: skip
        for k, _ in enumerate(names):
            scene.add(f"line{k}", "polyline", "measures", colors=[colors[k]], width=2.0 * size,
                      dash=list(DASHES[k]))  # fmt: skip
            if not rescale:
                scene.add(f"dots{k}", "ball", "measures", colors=[colors[k]], size=5.0 * size,
                          edge=colors[k])  # fmt: skip
        scene.add("cursor", "ball", "measures", follow=True, colors=[ORANGE], size=10.0 * size)
        scene.veil("measures", VEIL)
        return scene

    def _baked(self) -> dict[str, list[Any]]:
        name, values = (
            ("alpha", minima.ALPHAS) if self.preset == "rescale" else ("width", minima.WIDTHS)
        )
        return {name: list(values)}

    def _configuration(self) -> Any:
        name = [type(self).__name__, self.preset]
        if self.preset == "width":
            return name
        return [*name, repr(self.landscape), [round(float(x), 3) for x in self.theta[:50]]]


def _change(one: Minimum, two: Minimum, k: int) -> str:
    before, after = one.measures[k], two.measures[k]
    return f"from {said(before)} to {said(after)} ({said(after / before)} times)"
