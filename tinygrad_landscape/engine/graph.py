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
from .differentiate import add, ancestors, checked_seed, fitted, pull
from .tensor import Array, Tensor

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
            text = f"{node.label}\\n{_short(node.value)}\\n{self._told(node)}"
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


def _frozen(value: Any) -> Array:
    array = np.array(value)
    array.flags.writeable = False
    return array


def build_graph(y: Tensor, names: dict[str, Any] | None = None) -> Graph:
    """The graph of a single number; it has its own sweep, and neither stores nor releases anything.

    Raises:
        ShapeError: `y` has several elements.
        GraphReleasedError: it was used up by ``backward``.
    """
    seed = checked_seed(y)
    order = ancestors(y)
    called = {id(value): name for name, value in (names or {}).items() if type(value) is Tensor}
    places: dict[int, int] = {}
    drawn: list[tuple[str, str, Any, int | None]] = []
    uses: list[tuple[Tensor, int, int]] = []  # (node, position of the argument, its place)
    for node in reversed(order):
        for position, argument in enumerate(node.arguments):
            if type(argument) is Tensor:
                uses.append((node, position, places[id(argument)]))
            elif argument is not None:
                uses.append((node, position, len(drawn)))
                drawn.append((_short(np.asarray(argument)), "", argument, None))
        operation = spelled(node.function).rpartition(".")[2] if node.function else ""
        places[id(node)] = len(drawn)
        label = called.get(id(node), f"{operation or 'leaf'} {len(drawn)}")
        drawn.append((label, operation, node.data, id(node)))

    gradients: dict[int, Any] = {id(y): seed}
    carried: dict[tuple[int, int], tuple[Array | None, Array]] = {}
    with np.errstate(all="ignore"):
        for node in order:
            g = gradients[id(node)]
            for position, part in enumerate(pull(node, g, False) if node.arguments else ()):
                argument = node.arguments[position]
                part = part() if callable(part) else part
                if type(argument) is not Tensor or part is None:
                    continue
                add(gradients, argument, part)
                if type(part) is tuple:  # one of several results: handed on as it is
                    carried[id(node), position] = (np.ones_like(part[1]), part[1])
                else:
                    flow = fitted(part, argument)
                    carried[id(node), position] = (_factor(node, position), flow)

    nodes = tuple(
        Node(
            label,
            operation,
            None if type(value) is tuple else _frozen(value),
            None if key is None or type(value) is tuple else _frozen(gradients[key]),
        )
        for label, operation, value, key in drawn
    )
    edges = []
    for node, position, place in sorted(uses, key=lambda use: -use[0].order):
        factor, flow = carried.get((id(node), position), (None, None))
        edges.append(
            Edge(
                place,
                places[id(node)],
                None if factor is None else _frozen(factor),
                None if flow is None else _frozen(flow),
            )
        )
    return Graph(nodes, tuple(edges))


def _factor(node: Tensor, position: int) -> Array | None:
    """The derivative of one node by one of its arguments."""

    def pulled(g: Any) -> Any:
        part = pull(node, g, False)[position]
        return part() if callable(part) else part

    shape = node.arguments[position].shape
    if isinstance(node.data, tuple):
        return None
    gufunc = getattr(node.function, "signature", None)
    if (isinstance(node.function, np.ufunc) and gufunc is None) or node.function in ELEMENTWISE:
        return np.broadcast_to(pulled(np.ones_like(node.data)), node.shape)
    if node.size * int(np.prod(shape)) > LARGEST_FACTOR:
        return None
    seeds = np.eye(node.size, dtype=node.dtype).reshape((node.size, *node.shape))
    rows = [fitted(pulled(seed), node.arguments[position]) for seed in seeds]
    return np.reshape(rows, node.shape + shape)
