"""The `Backprop` panel: a small loss forward and backward, link by link, and what that is worth.

Forward, every box is computed once from the boxes left of it. Backward, a gradient is multiplied by
the local factor of each arrow it travels, and what comes back into one box along several arrows is
added. That is all; and it gives every weight's gradient in one pass.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.graph_steps import Moment
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine import Tensor
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Linear, Network, Tanh, data, losses
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.graph_stage import GraphStage
from tinygrad_landscape.panels.panel import Panel, guarded
from tinygrad_landscape.panels.player import on_stage

STEP = 1e-6  # of a forward difference; its error is about this times half the curvature
WIDTHS = (1, 32)


def residual_neuron(w: Any, b: Any) -> Any:
    """The squared error of s + tanh(s), s = w·x + b, on one sample: s is used twice."""
    s = w * 1.5 + b
    return np.square(s + np.tanh(s) - 1.0)


class Backprop(Panel):
    """A loss computed and differentiated one link at a time, and the price of a gradient.

    Below the graph the same gradient is found for all weights of a 2-n-n-1 network in two ways,
    counted while it happens: by finite differences, and by one backward pass.

    Args:
        f: any function of named numbers, written in NumPy, that gives one number; at most 24 links.
        inputs: its arguments by name, numbers or small arrays; the numbers get controls.
        width: n of the counted network; 16 makes 337 weights.
        style: "light", "dark" or "projector".
        hide: names of controls to leave out.

    Raises:
        ParameterError: if `f` cannot be called with the inputs, does not give one number that
            depends on them, or is too long to be read.

    >>> panel = Backprop(lambda a: a + a, {"a": 3.0}, width=2)
    >>> panel.seek(3)
    >>> panel.describe()
    'Step 3: the gradient 1 of add goes back to a, times 1, as 1.'
    """

    def __init__(
        self,
        f: Callable[..., Any] = residual_neuron,
        inputs: Mapping[str, Any] | None = None,
        *,
        width: int = 16,
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        inputs = {"w": 0.8, "b": -0.4} if inputs is None else inputs
        self.f, self._inputs = f, {name: np.array(value, float) for name, value in inputs.items()}
        numbers = [name for name, value in self._inputs.items() if value.ndim == 0]
        self.graph = self._computed()
        self._stage, self._count = GraphStage(self.graph), _Counting(width)
        pairs = {}
        for name in numbers:
            value = float(self._inputs[name])
            reach = max(2.0, 2.0 * abs(value))
            pairs[name] = controls.knob(name, value, -reach, reach)
        self.controls = {name: pair[0] for name, pair in pairs.items()}
        self.controls["width"] = controls.count("width of the counted network", width, *WIDTHS)
        self.controls["width"].layout.max_width = "300px"
        controls.hide(hide, self.controls, {name: pair[1] for name, pair in pairs.items()})
        self.player = on_stage(self._draw(style), speed=2.0)
        self.player.label = "A computation, forward and backward"
        rows = [ipywidgets.HBox(pair) for pair in list(pairs.values())[1:]]
        self._open(next(iter(pairs.values()), []), [*rows, self.controls["width"]])

    # What is seen -------------------------------------------------------------------------------

    @property
    def gradients(self) -> dict[str, NDArray]:
        """The derivative of the result by each input, by name."""
        self.settle()
        return self._slopes()

    def _slopes(self) -> dict[str, NDArray]:
        return {
            node.label: node.gradient
            for node in self.graph.nodes
            if node.label in self._inputs and node.gradient is not None
        }

    @property
    def count(self) -> Count:
        """What the two ways to the gradient of the counted network took."""
        self.settle()
        return self._count.result

    def describe(self) -> str:
        """What this step does; at the end, what the way back has given and what it costs."""
        self.settle()
        return self._sentence()

    def _sentence(self) -> str:
        if self.player.frame < len(self._moments) - 1:
            return self._moments[self.player.frame].describe()
        slopes = ", ".join(
            f"{name} {said(float(value))}" if value.ndim == 0 else f"{name} {value.shape}"
            for name, value in self._slopes().items()
        )
        many = sum(edge.contribution is not None for edge in self.graph.edges)
        return (
            f"The result is {said(float(self.graph.nodes[-1].value))}; {many} links back give the "
            f"gradients {slopes}. {self._count.result.describe()}"
        )

    # Computing ----------------------------------------------------------------------------------

    def _computed(self) -> Any:
        leaves = {name: Tensor(value) for name, value in self._inputs.items()}
        try:
            inspect.signature(self.f).bind(**leaves)
        except TypeError as error:
            raise ParameterError(
                f"the function cannot be called with {', '.join(leaves)}: {error}"
            ) from None
        result = self.f(**leaves)
        if not isinstance(result, Tensor) or result.size != 1:
            raise ParameterError(
                f"the function gave {result!r}; expected one number that depends on its inputs"
            )
        return result.graph(names=leaves)

    def _begin(self) -> None:
        for name in self._inputs:
            if name in self.controls:
                self._inputs[name] = np.array(self.controls[name].value)
        self.graph = self._computed()
        if not self._stage.fits(self.graph):
            raise ParameterError(
                "with these numbers the computation takes another form (an `if` in the function?); "
                "it is drawn once, so open a panel for each form"
            )
        width = self.controls["width"].value
        if self._count.width != width:
            self._count = _Counting(width)

    def _work(self, seconds: float) -> bool:
        return self._count.go(seconds)

    def _show(self) -> None:
        scene = self.player.scene
        self._moments: list[Moment] = self._stage.show(scene, self.graph)
        result, most = self._count.result, 1.04 * (self._count.size + 1)
        taken = result.evaluations / most
        scene.set("differences", [[0.0, 1.0], [taken, 1.0]])
        scene.set("backward", [[0.0, 0.0], [min(1.0, result.ratio / most), 0.0]])
        scene.set("told differences", [result.evaluations, result.weights])
        scene.set("told backward", [result.ratio])
        words = (
            "Solid boxes are inputs and results, dashed ones constants. Bars: the time of one "
            f"backward pass in evaluations of the loss, measured here ({said(result.seconds[1])} s "
            f"against {said(result.seconds[0])} s, the shortest times of each, which other work "
            "disturbed least); the count does not depend on the machine."
        )
        self.player.update(honesty=words)

    def _present(self) -> None:
        super()._present()
        self.player.sentence = self._sentence()  # it depends on the frame, which is chosen last

    @guarded
    def _turned(self, change: Any) -> None:
        super()._turned(change)
        if not self._deaf:
            self.player.sentence = self._sentence()

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        stage = self._stage
        high = 0.25 + 1.02 * stage.rows
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, high + 1.1 * chosen.scale))
            share = high / (high + 1.1 * chosen.scale)
            over = figure.add_axes((0.0, 1.0 - share, 1.0, share))
            below = figure.add_axes((0.02, 0.02, 0.96, 0.96 - share))
            stage.draw(over, self.graph, chosen)
            below.set(xlim=(0.0, 1.0), ylim=(-0.8, 2.0))
            below.set_axis_off()
        scene, size = Scene(figure, {"graph": over, "price": below}, paper), chosen.scale
        stage.add_layers(scene, "graph", self.graph)
        orange, blue = chosen.accents
        text: dict[str, Any] = {"color": chosen.ink, "size": 12.0 * size}
        for k, (name, color, words) in enumerate((
            ("backward", orange, "one backward pass takes as long as {0} evaluations"),
            ("differences", blue, "finite differences: {0} evaluations for {1} weights"),
        )):  # fmt: skip
            scene.add(name, "polyline", "price", colors=[color], width=9.0 * size)
            scene.add(f"told {name}", "text", "price", at=[0.0, (k + 1.55) / 2.8], template=words,
                      **text)  # fmt: skip
        return scene

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        first = next(iter(self.controls.values()))
        if not isinstance(first, ipywidgets.BoundedFloatText):
            return {}
        return {next(iter(self.controls)): np.linspace(first.min, first.max, 41).round(3).tolist()}

    def _configuration(self) -> Any:
        return [type(self).__name__, repr(self._stage.form), sorted(self._inputs)]


@dataclass(frozen=True, eq=False)
class Count:
    """What two ways to one gradient took: `evaluations` of the loss by finite differences of
    `weights` weights, and one backward pass; their largest `difference`, and the `seconds` of one
    evaluation and of the pass, the shortest of several."""

    weights: int
    evaluations: int
    difference: float
    seconds: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The time of one backward pass (and the forward pass it needs) in evaluations."""
        return self.seconds[1] / max(self.seconds[0], 1e-12)

    def describe(self) -> str:
        """The price of a gradient, in a sentence."""
        return (
            f"For a network of {self.weights} weights finite differences took {self.evaluations} "
            f"evaluations of the loss, backpropagation one pass; they agree to "
            f"{self.difference:.0e}."
        )


class _Counting:
    """Finite differences of a 2-n-n-1 network, one weight at a time, in pieces; every evaluation
    of the loss is counted where it is made."""

    def __init__(self, width: int) -> None:
        net = Network(Linear(2, width), Tanh(), Linear(width, width), Tanh(), Linear(width, 1))
        self.width, self.size = width, net.size
        self.landscape = Landscape(net, losses.binary_cross_entropy, data.moons(60, seed=0))
        self.theta = net.init(seed=0)
        tries = []
        for _ in range(9):  # the first one pays for more than itself
            begun = time.perf_counter()
            self.exact = self.landscape.value_and_gradient(self.theta)[1]
            tries.append(time.perf_counter() - begun)
        self._backward = min(tries)
        self._calls, self._shortest, self._gradient = 0, np.inf, np.zeros(net.size)
        self._here = self._evaluated(self.theta)

    def _evaluated(self, theta: NDArray) -> float:
        begun = time.perf_counter()
        value = float(self.landscape(theta))
        self._shortest = min(self._shortest, time.perf_counter() - begun)
        self._calls += 1
        return value

    def go(self, seconds: float) -> bool:
        late = time.perf_counter() + seconds
        while self._calls <= self.size and time.perf_counter() < late:
            k = self._calls - 1
            moved = self.theta.copy()
            moved[k] += STEP
            self._gradient[k] = (self._evaluated(moved) - self._here) / STEP
        return self._calls > self.size

    @property
    def result(self) -> Count:
        done = self._calls - 1
        error = np.abs(self._gradient[:done] - self.exact[:done]).max(initial=0.0)
        return Count(self.size, self._calls, float(error), (self._shortest, self._backward))
