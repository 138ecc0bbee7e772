"""A computation as data that can be read, printed, drawn, and stepped through.

Every edge carries its *local factor*, how much a node changes with one of its arguments, and its
*contribution*, the gradient that flows back along it. Backpropagation in two sentences: along a
path the local factors multiply; where paths meet the contributions add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import functions
from .calls import spelled
from .differentiate import add, ancestors, checked_seed, constant, fitted, pull
from .tensor import Array, Tensor, result

LARGEST_FACTOR = 10_000  # entries of a local Jacobian that are still worked out
ELEMENTWISE = {functions.relu, functions.leaky_relu, functions.elu, functions.sigmoid,
               functions.softplus, functions.erfc}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a computation.

    ``operation`` is "" for a leaf and for a constant; a constant has the gradient None.
    ``value`` is None where one call gave several results: those are nodes of their own.
    """

    label: str
    operation: str
    value: Array | None
    gradient: Array | None


@dataclass(frozen=True, eq=False)
class Edge:
    """An argument's use: ``nodes[target]`` was computed from ``nodes[source]``.

    ``factor`` is the derivative of target by source: of the target's shape where the operation acts
    element by element, else a Jacobian of shape ``target.shape + source.shape`` (None if that has
    over 10,000 entries, and for constants). ``contribution`` is the gradient that flows back.
    """

    source: int
    target: int
    factor: Array | None
    contribution: Array | None


@dataclass(frozen=True, eq=False)
class Graph:
    """The computation behind one number.

    Attributes:
        nodes: in the order in which they were computed; the last one is the result.
        edges: in the order in which gradients flow back along them.

    >>> import tinygrad_landscape as tl
    >>> a = tl.Tensor(3.0)
    >>> graph = (a + a).graph(names={"a": a})
    >>> print(graph)
    a = 3                    gradient 2
    add(a, a) = 6            gradient 1
      back to a: 1 x 1 = 1
      back to a: 1 x 1 = 1
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Every node with its value and gradient, and how the gradient goes on to its arguments."""
        lines = []
        for number, node in enumerate(self.nodes):
            if node.value is not None and node.gradient is None:
                continue  # a constant: its value stands in the calls that use it
            inputs = [self.nodes[e.source].label for e in self.edges if e.target == number]
            name = f"{node.operation}({', '.join(inputs)})" if node.operation else node.label
            value = f"{name} = {_short(node.value)}"
            lines.append(f"{value:<24} {self._told(node)}".rstrip())
            for edge in self.edges:
                if edge.target == number and edge.contribution is not None:
                    times = f"{_short(node.gradient)} x {_short(edge.factor)} = "
                    back = f"  back to {self.nodes[edge.source].label}: "
                    lines.append(back + times + _short(edge.contribution))
        return "\n".join(lines)

    def dot(self) -> str:
        """The graph in Graphviz's DOT language, left to right."""
        lines = ["digraph backprop {", "  rankdir=LR;", "  node [shape=box, fontname=Helvetica];"]
        for number, node in enumerate(self.nodes):
            label = node.label.replace("\\", "\\\\").replace('"', '\\"')
            text = f"{label}\\n{_short(node.value)}\\n{self._told(node)}"
            style = "" if node.gradient is not None else ", style=dashed"
            lines.append(f'  n{number} [label="{text}"{style}];')
        for edge in self.edges:
            label = "" if edge.contribution is None else f"x {_short(edge.factor)}"
            lines.append(f'  n{edge.source} -> n{edge.target} [label="{label}"];')
        return "\n".join([*lines, "}"])

    @staticmethod
    def _told(node: Node) -> str:
        return "" if node.gradient is None else f"gradient {_short(node.gradient)}"


def _short(value: Array | None) -> str:
    if value is None:
        return "..."
    if value.size == 1:
        return f"{value.item():.4g}"
    if value.size <= 4:
        return np.array2string(value, precision=3, separator=", ").replace("\n", "")
    return f"array{value.shape}"


def _frozen(value: Any) -> Any:
    if value is None:
        return None
    array = np.array(value)
    array.flags.writeable = False
    return array


def build_graph(y: Tensor, names: dict[str, Any] | None = None) -> Graph:
    """The graph of a single number; it has its own sweep, and neither stores nor releases anything.

    Raises:
        ShapeError: `y` has several elements.
        GraphReleasedError: it was used up by ``backward``.
    """
    order = ancestors(y)
    gradients, flows = _flows(order, checked_seed(y))
    called = {id(value): name for name, value in (names or {}).items()}
    nodes: list[Node] = []
    places: dict[int, int] = {}
    edges: list[list[Edge]] = []
    for node in reversed(order):
        sources = []
        for argument in node.arguments:
            if type(argument) is not Tensor and argument is not None:
                nodes.append(Node(_short(np.asarray(argument)), "", _frozen(argument), None))
            sources.append(places.get(id(argument), len(nodes) - 1))
        place = places[id(node)] = len(nodes)
        function = None if node.function is constant else node.function
        operation = spelled(function).rpartition(".")[2] if function else ""
        label = called.get(id(node), f"{operation or 'leaf'} {place}")
        if isinstance(node.data, tuple):
            nodes.append(Node(label, operation, None, None))
        else:
            gradient = gradients.get(id(node), np.zeros_like(node.data))
            nodes.append(Node(label, operation, _frozen(node.data), _frozen(gradient)))
        edges.append([])
        for position, source in enumerate(sources):
            if node.arguments[position] is not None:
                flow = flows.get((id(node), position))
                factor = None if flow is None else _factor(node, position)
                edges[-1].append(Edge(source, place, _frozen(factor), _frozen(flow)))
    return Graph(tuple(nodes), tuple(edge for group in reversed(edges) for edge in group))


def _flows(order: list[Tensor], seed: Any) -> tuple[dict[int, Any], dict[tuple[int, int], Array]]:
    """A sweep that keeps all: the gradient of each node, and what each use of it adds."""
    gradients: dict[int, Any] = {id(order[0]): seed}
    flows = {}
    with np.errstate(all="ignore"):
        for node in order:
            if not node.arguments or id(node) not in gradients:
                continue
            parts = pull(node, gradients[id(node)], create_graph=False)
            for position, (argument, part) in enumerate(zip(node.arguments, parts)):
                part = part() if callable(part) else part
                if type(argument) is Tensor and part is not None:
                    add(gradients, argument, part)
                    several = type(part) is tuple  # the gradient of one of several results
                    flow = part[1] if several else fitted(part, argument)
                    flows[id(node), position] = flow
    return gradients, flows


def _factor(node: Tensor, position: int) -> Array | None:
    """The derivative of one node by one of its arguments."""

    def pulled(g: Any) -> Any:
        part = pull(node, g, create_graph=False)[position]
        return part() if callable(part) else part

    argument = node.arguments[position]
    if node.function is result:
        return np.ones_like(node.data)
    if isinstance(node.data, tuple):
        return None
    gufunc = getattr(node.function, "signature", None)
    if (isinstance(node.function, np.ufunc) and gufunc is None) or node.function in ELEMENTWISE:
        return np.broadcast_to(pulled(np.ones_like(node.data)), node.shape)
    if node.size * argument.size > LARGEST_FACTOR:
        return None
    seeds = np.eye(node.size, dtype=node.dtype).reshape((node.size, *node.shape))
    rows = [fitted(pulled(seed), argument) for seed in seeds]
    return np.reshape(rows, node.shape + argument.shape)
