"""What has happened at one step of a computation and its way back, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from tinygrad_landscape.engine.graph import Graph

HOW_TO_READ = (
    "Left to right: values. Right to left: along an arrow the gradient is multiplied by the local "
    "factor (×); what comes back into one box is added."
)


@dataclass(frozen=True, eq=False)
class Moment:
    """A graph after `step` steps: `nodes` of them are computed, the edges `travelled` have carried
    their gradient back, and `arrived[node]` is the gradient that has reached a node so far.

    `step` None is the end, of which no step is the latest.
    """

    graph: Graph
    step: int | None
    nodes: int
    travelled: tuple[int, ...]
    arrived: dict[int, Any]
    ways: int

    @classmethod
    def of(cls, graph: Graph, step: int | None) -> Moment:
        """The moment after k nodes forward, then one edge backward at a time."""
        if step is not None and step < 0:
            raise ParameterError(f"got step={step}; expected 0 or more")
        back = tuple(k for k, edge in enumerate(graph.edges) if edge.contribution is not None)
        count = len(graph.nodes)
        nodes = count if step is None else min(step, count)
        travelled = back if step is None else back[: max(0, step - count)]
        arrived: dict[int, Any] = {}
        if step is None or step > count:
            arrived[count - 1] = graph.nodes[-1].gradient
        for k in travelled:
            edge = graph.edges[k]
            if graph.nodes[edge.source].value is not None:  # a tuple of results has none itself
                arrived[edge.source] = arrived.get(edge.source, 0.0) + edge.contribution
        return cls(graph, step, nodes, travelled, arrived, len(back))

    @property
    def newest_edge(self) -> int | None:
        """The edge travelled last, if this is a step back."""
        return self.travelled[-1] if self.travelled and self.step is not None else None

    @property
    def newest_node(self) -> int | None:
        """The node computed last, if this is a step forward."""
        forward = self.step is not None and not self.travelled and self.nodes > 0
        return self.nodes - 1 if forward else None

    def describe(self) -> str:
        """What this step did, in a sentence."""
        if self.step is None:
            return HOW_TO_READ
        if self.newest_edge is not None:
            return f"Step {self.step}: {self._went_back(self.newest_edge)}"
        if self.newest_node is None:
            count = len(self.graph.nodes)
            return f"Step 0: nothing is computed yet; {count} values and {self.ways} ways back."
        node = self.graph.nodes[self.newest_node]
        if not node.operation and node.gradient is None:
            return f"Step {self.step}: the constant {short(node.value)} is given."
        if not node.operation:
            return f"Step {self.step}: {node.label} is given, {short(node.value)}."
        uses = [edge.source for edge in self.graph.edges if edge.target == self.newest_node]
        inputs = ", ".join(self._name(source) for source in uses)
        return f"Step {self.step}: {node.operation} of {inputs} is {short(node.value)}."

    def _went_back(self, number: int) -> str:
        edge = self.graph.edges[number]
        gradient = short(self.graph.nodes[edge.target].gradient)
        text = (
            f"the gradient {gradient} of {self._name(edge.target)} goes back to "
            f"{self._name(edge.source)}, times {factor(edge)}, as {short(edge.contribution)}"
        )
        earlier = [k for k in self.travelled if self.graph.edges[k].source == edge.source]
        if len(earlier) > 1 and edge.source in self.arrived:
            text += f"; added to what came before: {short(self.arrived[edge.source])}"
        return text + (". The way back is complete." if len(self.travelled) == self.ways else ".")

    def _name(self, number: int) -> str:
        node = self.graph.nodes[number]
        return node.operation if unnamed(node) else node.label


def unnamed(node: Any) -> bool:
    """Whether a node's label is only its operation and a number."""
    return bool(node.operation) and node.label.startswith(f"{node.operation} ")


def short(value: Any) -> str:
    """A number, up to three numbers, or a shape."""
    if value is None:
        return "..."
    value = np.asarray(value)
    if value.size == 1:
        return said(float(value.reshape(())))
    if value.size <= 3 and value.ndim == 1:
        return "(" + ", ".join(said(float(each)) for each in value) + ")"
    return " x ".join(map(str, value.shape)) + (" numbers" if value.ndim == 1 else "")


def factor(edge: Any) -> str:
    """A local factor, or what kind of factors they are where there are many."""
    factors = edge.factor
    if factors is None or (factors.size > 1 and factors.shape != np.shape(edge.contribution)):
        return "Jacobian"
    if factors.size > 1 and np.ptp(factors) == 0.0:
        return said(float(factors.flat[0]))
    return short(factors) if factors.size <= 3 else "each its own"
