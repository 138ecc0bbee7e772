"""A backpropagation graph on the stage: boxes stand still, numbers appear as they become known.

The boxes are drawn once where `draw.graph` would put them; every value, gradient and local factor
is a text layer that stays blank until its moment, so that Play needs no kernel.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.graph_layout import laid_out
from tinygrad_landscape.draw.graph_steps import Moment, factor, short, unnamed
from tinygrad_landscape.draw.style import Style
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.engine.graph import Graph

Array = NDArray[Any]

WIDE, HIGH = 0.56, 0.66  # a box, as a share of the way to the next column and row
CORNERS = 24  # of an arrow's bend
LARGEST = 24  # nodes; more cannot be read beside each other


class GraphStage:
    """One graph's places, its drawing, and its layers."""

    def __init__(self, graph: Graph) -> None:
        if len(graph.nodes) > LARGEST:
            raise ParameterError(
                f"got a computation of {len(graph.nodes)} nodes; expected at most {LARGEST} to be "
                "read step by step: take fewer samples, or tl.draw.graph"
            )
        self.form = _form(graph)
        ends = [(edge.source, edge.target) for edge in graph.edges]
        layout = laid_out(len(graph.nodes), ends)
        self.columns, self.rows = layout.columns, layout.rows
        self.boxes = [np.array([column, layout.rows - 1 - row]) for column, row in layout.places]
        self.ways = [
            self._way(*ends[k], layout.ports[k], layout.stops[k]) for k in range(len(ends))
        ]

    def fits(self, graph: Graph) -> bool:
        """Whether another graph has the same form, so that only numbers change."""
        return _form(graph) == self.form

    def draw(self, ax: Any, graph: Graph, paper: Style) -> None:
        """Draw every box with its name, and every arrow, as nothing has happened yet."""
        from matplotlib.patches import FancyBboxPatch

        ax.set(
            xlim=(-0.08, self.columns - 1 + WIDE + 0.08), ylim=(-0.12, self.rows - 1 + HIGH + 0.12)
        )
        ax.set_axis_off()
        for number, node in enumerate(graph.nodes):
            given = not node.operation and node.gradient is not None
            constant = not node.operation and node.gradient is None
            x, y = self.boxes[number]
            ax.add_patch(FancyBboxPatch(
                (x, y), WIDE, HIGH, boxstyle="round,pad=0,rounding_size=0.06", zorder=3,
                facecolor=paper.paper, edgecolor=paper.accents[1] if given else paper.muted,
                linewidth=(1.8 if given else 1.0) * paper.scale,
                linestyle=(0, (3, 2)) if constant else "-",
            ))  # fmt: skip
            title = "constant" if constant else node.operation if unnamed(node) else node.label
            ax.text(x + WIDE / 2, y + HIGH * 0.82, title, ha="center", va="center", weight="bold",
                    zorder=4, fontsize=0.72 * self._letters(paper), color=paper.ink)  # fmt: skip
        for way in self.ways:
            ax.plot(*way.T, color=paper.muted, linewidth=0.9 * paper.scale, marker="", zorder=2,
                    dashes=(None, None))  # fmt: skip

    def add_layers(self, scene: Scene, axes: str, graph: Graph) -> None:
        """Add the layers that `show` fills."""
        paper, orange = scene.style, scene.style.accents[0]
        size = self._letters(paper)
        for k in range(len(self.ways)):
            scene.add(f"back {k}", "curve", axes, follow=True, colors=[orange], dash=[6, 3],
                      width=1.8 * paper.scale)  # fmt: skip
        scene.add("now", "curve", axes, follow=True, colors=[orange], width=3.0 * paper.scale)
        text: dict[str, Any] = {"follow": True, "align": "center"}
        for k, node in enumerate(graph.nodes):
            one = node.value is not None and node.value.size == 1
            x, y = self.boxes[k] + (WIDE / 2, 0.0)
            scene.add(f"value {k}", "text", axes, color=paper.ink, size=size * 1.1,
                      at=self._at(x, y + HIGH * 0.66),
                      template="{0}" if one else short(node.value), **text)  # fmt: skip
            scene.add(f"gradient {k}", "text", axes, color=orange, size=size,
                      at=self._at(x, y + HIGH * 0.33),
                      template="grad {0}" if one else "gradient", **text)  # fmt: skip
        for k, edge in enumerate(graph.edges):
            one = edge.factor is not None and edge.factor.size == 1
            words = "× {0}" if one else f"× {factor(edge)}"
            flow = "= {0}" if edge.contribution is not None and edge.contribution.size == 1 else ""
            numbers = zip(("factor", "flow"), (words, flow), self._beside(graph, k), strict=True)
            for name, template, place in numbers:
                look: dict[str, Any] = {"color": orange, "size": 0.95 * size, "halo": paper.paper}
                scene.add(f"{name} {k}", "text", axes, template=template,
                          at=self._at(*place), **look, **text)  # fmt: skip

    def show(self, scene: Scene, graph: Graph) -> list[Moment]:
        """Fill the layers: what is known at every step, from nothing to everything."""
        backward = sum(edge.contribution is not None for edge in graph.edges)
        moments = [Moment.of(graph, step) for step in range(len(graph.nodes) + backward + 1)]
        for k, node in enumerate(graph.nodes):
            known = [k < moment.nodes for moment in moments]
            scene.set(f"value {k}", _when(known, _number(node.value)))
            arrived = [_number(m.arrived.get(k)) for m in moments]
            scene.set(f"gradient {k}", np.array(arrived)[:, None])
        for k, edge in enumerate(graph.edges):
            gone = [k in moment.travelled for moment in moments]
            scene.set(f"back {k}", _when(gone, self.ways[k][::-1]))
            scene.set(f"factor {k}", _when(gone, _number(edge.factor)))
            scene.set(f"flow {k}", _when(gone, _number(edge.contribution)))
        scene.set("now", np.stack([self._outline(moment) for moment in moments]))
        return moments

    # Places -------------------------------------------------------------------------------------

    def _beside(self, graph: Graph, number: int) -> Array:
        """Where an arrow's two numbers stand, one on either side of the middle of its last bend;
        of two arrows between the same boxes both above the one, and both below the other."""
        x, y = self.ways[number][-CORNERS // 2]
        ends = [(edge.source, edge.target) for edge in graph.edges]
        twins = [k for k, end in enumerate(ends) if end == ends[number]]
        if len(twins) > 1:
            top = 0.37 if number == twins[0] else -0.03
            return np.array([(x, y + top), (x, y + top - 0.16)])
        rise = self.ways[number][-1][1] - self.ways[number][-CORNERS][1]
        aside = -0.04 * np.clip(4.0 * rise, -1.0, 1.0)
        return np.array([(x + aside, y + 0.24), (x - aside, y - 0.05)])

    def _letters(self, paper: Style) -> float:
        """The size of letters in pixels: the paper's, as far as the columns leave room."""
        return min(11.5 * paper.scale, 85.0 / self.columns)

    def _at(self, x: float, y: float) -> list[float]:
        """A place as a share of the axes, as text layers want it."""
        return [
            (x + 0.08) / (self.columns - 1 + WIDE + 0.16),
            min(0.999, (y + 0.12) / (self.rows - 1 + HIGH + 0.24)),
        ]

    def _way(self, source: int, target: int, ports: Any, stops: Any) -> Array:
        """An arrow's bends, from the right of one box, past others, to the left of the next."""
        leaves, enters = (HIGH * (0.5 - 0.62 * port) for port in ports)
        places = [self.boxes[source] + (WIDE, leaves)]
        for column, row in stops:
            y = self.rows - 1 - row + HIGH / 2
            places += [np.array([column, y]), np.array([column + WIDE, y])]
        places.append(self.boxes[target] + (0.0, enters))
        t = np.linspace(0.0, 1.0, CORNERS)[:, None]
        ease = t * t * (3.0 - 2.0 * t)
        parts = [
            np.concatenate([a[0] + t * (b[0] - a[0]), a[1] + ease * (b[1] - a[1])], axis=1)
            for a, b in pairwise(places)
        ]
        return np.concatenate(parts)

    def _outline(self, moment: Moment) -> Array:
        """What happens at this moment, drawn thick: a box, or an arrow."""
        most = max([5, *(len(way) for way in self.ways)])
        line = np.full((most, 2), np.nan)
        if moment.newest_node is not None:
            x, y = self.boxes[moment.newest_node]
            line[:5] = [(x, y), (x + WIDE, y), (x + WIDE, y + HIGH), (x, y + HIGH), (x, y)]
        elif moment.newest_edge is not None and moment.step != moment.ways + len(
            moment.graph.nodes
        ):
            way = self.ways[moment.newest_edge]
            line[: len(way)] = way
        return line


def _form(graph: Graph) -> Any:
    """What of a graph is drawn once: everything but its numbers."""
    nodes = [
        (node.gradient is not None and node.label, node.operation, node.value is None
         or node.value.shape) for node in graph.nodes
    ]  # fmt: skip
    return nodes, [(e.source, e.target, e.contribution is None) for e in graph.edges]


def _number(value: Any) -> float:
    """The number a text shows; for an array its sum, which its text does not mention, so that the
    text is shown at all."""
    return float("nan") if value is None else float(np.sum(value))


def _when(known: list[bool], value: Any) -> Array:
    """`value` at the moments when it is known, NaN before: (moments, ...)."""
    value = np.atleast_1d(np.asarray(value, float))
    shown = np.array(known).reshape(-1, *(1,) * value.ndim)
    return np.where(shown, value, np.nan)
