"""The `Initialization` panel: how signals and gradients fare in a deep network at its start.

Before the first step is taken, the scale of the random weights has decided whether signals reach
the end of a deep network, and whether gradients come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import (
    AvgPool2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Network,
    Tanh,
    data,
    losses,
)
from tinygrad_landscape.panels import controls, relief
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.player import on_stage

Array = NDArray[Any]

SCHEMES: dict[str, tuple[Any, float]] = {
    "zero": ("zeros", 1.0),
    "σ .01": ("normal", 0.01),
    "Glorot": ("glorot_normal", 1.0),
    "σ 1": ("normal", 1.0),
}
BINS = 41  # of a strip
FINE = 8  # grid columns per layer, of which 5 are a strip
FLOOR = 1e-14  # the lower end of the size axes; what is 0 lies on the rim below it
DYING, GROWING, FLAT = 1e-2, 10.0, 0.3


class Initialization(Panel):
    """Activations and gradients of every layer of a deep network, before training.

    Left, a strip per layer: where its activations lie. Middle and right, their size and the size of
    each weight matrix's gradient. Play sends the signal forward layer by layer, and the gradient
    back.

    Args:
        landscape: any network's Landscape; by default 8 tanh layers of 32 units on moons (P8).
        schemes: starts by name, each `(scheme, gain)` as `Network.init` takes them; at most six.
        scheme: the start it opens with; by default "Glorot", or the first of your own.
        seed: of the random weights.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: for a landscape without a network or without hidden activations, or an
            unknown scheme.

    >>> panel = Initialization()
    >>> panel.controls["scheme"].value = "zero"
    >>> panel.describe().partition(";")[0]
    'zero: every gradient of a weight matrix is exactly 0, so no step ever moves one'
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        *,
        schemes: Mapping[str, tuple[Any, float]] | None = None,
        scheme: str | None = None,
        seed: int = 0,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        self.landscape = _p8() if landscape is None else landscape
        if self.landscape.network is None or self.landscape.data is None:
            raise ParameterError(f"got {landscape!r}; expected a network's landscape")
        self.network: Network = self.landscape.network
        idle = (Flatten, Dropout, MaxPool2d, AvgPool2d)
        self._hidden = [
            k
            for k, layer in enumerate(self.network.layers)
            if not layer.parameters() and not isinstance(layer, idle)
        ]
        if not self._hidden:
            raise ParameterError(f"{self.network!r} has no hidden activations to look at")
        self._weights = [slot for slot in self.network.layout if slot.filter_axes is not None]
        self.schemes = dict(SCHEMES if schemes is None else schemes)
        chosen = ("Glorot" if schemes is None else next(iter(self.schemes), "")) if (
            scheme is None) else scheme  # fmt: skip
        if chosen not in self.schemes or len(self.schemes) > len(PALETTE):
            raise ParameterError(
                f"got scheme={chosen!r}; expected one of at most {len(PALETTE)} schemes: "
                f"{', '.join(self.schemes)}"
            )
        self._seed: int | None = None
        box, slider = controls.rate("times", 1.0, 0.1, 10.0)
        self.controls = {
            "scheme": ipywidgets.ToggleButtons(
                options=list(self.schemes),
                value=chosen,
                description="start",
                tooltip="one of these starts",
                style={"button_width": "auto", **controls.LABEL},
                layout={"width": "max-content"},
            ),
            "scale": box,
            "seed": controls.count("seed", seed, 0, 10**6),
        }
        self._measure_all(seed)
        controls.hide(hide, self.controls, {"scale": slider})
        self.player = on_stage(self._draw(style), speed=5.0)
        self.player.label = "Activations and gradients of every layer"
        more = ipywidgets.HBox([box, slider, self.controls["seed"]])
        space = ipywidgets.Box(layout={"flex": "1 1 auto"})
        self._open([self.controls["scheme"], space], [more])

    # What is seen -------------------------------------------------------------------------------

    def describe(self) -> str:
        """What becomes of signals and gradients with the chosen start."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        start, (sizes, slopes, strips) = self.controls["scheme"].value, self._chosen
        scale = self.controls["scale"].value
        name = start if scale == 1.0 else f"{said(scale)} × {start}"
        if not slopes.any():
            return (
                f"{name}: every gradient of a weight matrix is exactly 0, so no step ever moves "
                f"one; the units of a layer are copies of one another."
            )
        growth = float(slopes[0] / slopes[-2 if len(slopes) > 2 else -1])  # the output is one unit
        flat = float((np.abs(strips[-1]) > 0.99).mean())
        text = (
            f"{name}: from the first to the last hidden layer activations go from size "
            f"{said(float(sizes[0]))} to {said(float(sizes[-1]))}, and on the way back gradients "
            f"from {said(float(slopes[-1]))} to {said(float(slopes[0]))}; "
        )
        if sizes[-1] < DYING * sizes[0]:
            return text + "the signal dies out, and the network cannot tell its inputs apart."
        if flat > FLAT and self._bounded:
            return text + (
                f"{flat:.0%} of the last layer's activations lie beyond .99, where the slope is "
                f"nearly 0, and gradients grow {said(growth)}-fold on their way back to the first."
            )
        if growth > GROWING or sizes[-1] > GROWING * sizes[0]:
            return text + "sizes grow from layer to layer."
        return text + "both keep their size, so every layer can learn."

    # Computing ----------------------------------------------------------------------------------

    def _measured(self, scheme: str, scale: float, seed: int) -> tuple[Array, Array, list[Array]]:
        """Root mean square of every layer's activations and every weight matrix's gradient, and
        the activations themselves."""
        how, gain = self.schemes[scheme]
        theta = self.network.init(seed, how, gain=gain * scale)
        assert self.landscape.data is not None
        outputs = self.network.activations(theta, self.landscape.data.x)
        strips = [outputs[k] for k in self._hidden]
        slope = self.landscape.gradient(theta)
        slopes = [_size(slope[slot.start : slot.stop]) for slot in self._weights]
        return np.array([_size(strip) for strip in strips]), np.array(slopes), strips

    def _measure_all(self, seed: int) -> None:
        """All starts at their own scale: the lines that stay while one is looked at."""
        if seed != self._seed:
            self._seed = seed
            self._every = {name: self._measured(name, 1.0, seed) for name in self.schemes}

    def _begin(self) -> None:
        self._measure_all(self.controls["seed"].value)

    def _work(self, seconds: float) -> bool:
        name, scale = self.controls["scheme"].value, self.controls["scale"].value
        self._chosen = (
            self._every[name] if scale == 1.0 else self._measured(name, scale, self._seed or 0)
        )
        return True

    @property
    def _bounded(self) -> bool:
        return all(float(np.abs(s).max()) <= 1.0 for _, _, strips in self._every.values()
                   for s in strips)  # fmt: skip

    def _show(self) -> None:
        scene, layers, matrices = self.player.scene, len(self._hidden), len(self._weights)
        moments = 1 + layers + matrices
        strips = self._strips(self._chosen[2])
        seen = np.full((layers + 1, *strips.shape), np.nan)
        for k in range(1, layers + 1):
            seen[k, : k * FINE] = strips[: k * FINE]
        scene.set("strips", seen)
        forward = np.arange(1, layers + 1)
        for name, (sizes, slopes, _) in {**self._every, "chosen": self._chosen}.items():
            known = np.full((moments, 2), np.nan)
            known[1 : layers + 1] = np.stack([forward, sizes], axis=-1)
            back = np.full((moments, 2), np.nan)
            back[layers + 1 :] = np.stack([np.arange(matrices, 0, -1), slopes[::-1]], axis=-1)
            for layer, rows in (("size", known), ("slope", back)):
                line = np.where(rows[:, 1:] > 0.0, rows, np.nan)  # 0 has no place on a log axis
                scene.set(f"{layer} {name}", line)
                if name != "chosen":
                    scene.set(f"{layer} at {name}", _kept(rows))
        words = (
            f"Root mean squares over {len(self.landscape.data.x)} samples and all units or "  # type: ignore[union-attr]
            "weights, log scale; a triangle on the lower rim is exactly 0 or below it. Strips: "
            "brightest where most activations lie, each strip by itself, square-root scale. "
            "The broad grey line is the chosen start."
        )
        self.player.update(sentence=self._sentence(), honesty=words)

    def _strips(self, strips: list[Array]) -> Array:
        """Histograms as a grid over the axes, (layers * FINE + 1, BINS), NaN between strips."""
        grid = np.full((len(strips) * FINE + 1, BINS), np.nan)
        edges = np.linspace(-self._reach, self._reach, BINS + 1)
        for k, strip in enumerate(strips):
            counts = np.histogram(np.clip(strip, edges[0], edges[-1]), edges)[0]
            grid[k * FINE + 2 : k * FINE + 7] = np.sqrt(counts / counts.max())
        return grid

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        layers, matrices = len(self._hidden), len(self._weights)
        largest = max(float(np.abs(s).max()) for _, _, strips in self._every.values()
                      for s in strips)  # fmt: skip
        self._reach = 1.0 if self._bounded else largest
        top = 10.0 * max(float(max(a.max(), b.max())) for a, b, _ in self._every.values())
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.0), layout="constrained")
            strips, sizes, slopes = figure.subplots(1, 3, width_ratios=(1.2, 1.0, 1.0))
            strips.set(xlim=(0.5, layers + 0.5), ylim=(-self._reach, self._reach),
                       xlabel="hidden layer", ylabel="activation")  # fmt: skip
            scale = {"yscale": "log", "ylim": (FLOOR, top)}
            sizes.set(xlim=(0.5, layers + 0.5), xlabel="hidden layer",
                      ylabel="size of activations (log)", **scale)  # fmt: skip
            slopes.set(xlim=(0.5, matrices + 0.5), xlabel="weight matrix",
                       ylabel="size of gradients (log)", **scale)  # fmt: skip
            for ax in (strips, sizes, slopes):
                ax.locator_params(axis="x", nbins=9, integer=True)
            for k, name in enumerate(self.schemes):
                sizes.plot([], [], color=PALETTE[k], marker=MARKERS[k], label=name,
                           dashes=DASHES[k] or (None, None))  # fmt: skip
            sizes.legend(loc="lower left", ncols=2, columnspacing=1.0)
        scene = Scene(figure, {"strips": strips, "sizes": sizes, "slopes": slopes}, paper)
        size = chosen.scale
        relief.add(scene, "strips", "strips", follow=True, lines=False)
        for layer, axes in (("size", "sizes"), ("slope", "slopes")):
            scene.add(f"{layer} chosen", "polyline", axes, follow=True, width=9.0 * size,
                      colors=[f"{chosen.muted}66"])  # fmt: skip
            for k, name in enumerate(self.schemes):
                line: dict[str, Any] = {"colors": [PALETTE[k]], "follow": True}
                scene.add(f"{layer} {name}", "polyline", axes, width=1.8 * size,
                          dash=list(DASHES[k]), **line)  # fmt: skip
                scene.add(f"{layer} at {name}", "ball", axes, size=9.0 * size, shapes=[MARKERS[k]],
                          **line)  # fmt: skip
        scene.veil("slopes", "The gradients appear\nhere with your first\nPlay or Step.")
        return scene

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {"scheme": list(self.schemes)}

    def _configuration(self) -> Any:
        return [type(self).__name__, repr(self.landscape), repr(self.network),
                [[name, repr(how)] for name, how in self.schemes.items()]]  # fmt: skip


def _p8() -> Landscape:
    """Depth 8, width 32, tanh, on two moons."""
    hidden = [layer for _ in range(7) for layer in (Linear(32, 32), Tanh())]
    net = Network(Linear(2, 32), Tanh(), *hidden, Linear(32, 1))
    return Landscape(net, losses.binary_cross_entropy, data.moons(200, noise=0.15, seed=0))


def _size(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _kept(rows: Array) -> Array:
    """Points that stay from their moment on: `rows` (M, 2) as (M, M, 2)."""
    moments = np.arange(len(rows))
    return np.where((moments[:, None] >= moments)[..., None], rows, np.nan)
