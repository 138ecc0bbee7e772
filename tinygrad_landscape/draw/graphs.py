"""A computation drawn left to right, and backpropagation through it, one step at a time.

Every box is a number the computation passed through, every arrow one use of it. Going back, a
gradient is multiplied by the local factor of each arrow; where several arrows leave one box, what
comes back along them is added.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.graph_layout import Layout, laid_out
from tinygrad_landscape.draw.graph_steps import Moment, factor, short, unnamed
from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import Style, current
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.engine.graph import Edge, Graph, Node

BOX = np.array([1.4, 0.74])  # a node's width and height in inches, at letters of 8 points
STEP = np.array([2.24, 1.12])  # from one column, and one row, to the next
MARGIN = np.array([0.1, 0.12])
LARGEST = 80  # more boxes than this cannot be read in one picture
GHOST = 0.22  # how much is seen of what has not happened yet
DASHED = {"constant": (0, (3, 2)), "back": (0, (5, 2))}


def graph(
    graph: Graph, ax: Axes | None = None, *, step: int | None = None, caption: bool = True
) -> Picture:
    """Draw a backpropagation graph with values, gradients and local factors, or one step of it.

    Args:
        graph: what `y.graph()` returns, of at most 80 nodes.
        ax: matplotlib axes to draw on; without them a free figure of a fitting size is made.
        step: None for everything; k for the first k nodes forward and, beyond the last node, the
            first `k - len(graph.nodes)` edges backward (those of constants carry nothing and do
            not count). What has not happened yet is faint and without numbers.
        caption: write under it how to read it, or what this step did.

    Returns:
        A `Picture` with the artists "node 0", "node 1", ..., "edge 0", "edge 1", ..., numbered as
        in the graph, and "caption".

    Raises:
        ParameterError: if the graph is too large to be read, or the step is negative.

    >>> import tinygrad_landscape as tl
    >>> a = tl.Tensor(3.0)
    >>> computation = (a * a).graph(names={"a": a})
    >>> tl.draw.graph(computation, step=3).describe()
    'Step 3: the gradient 1 of multiply goes back to a, times 3, as 3.'
    """
    if len(graph.nodes) > LARGEST:
        raise ParameterError(
            f"got {len(graph.nodes)} nodes; expected at most {LARGEST} for one picture. Draw the "
            "loss of one sample, or give graph.dot() to Graphviz"
        )
    moment = Moment.of(graph, step)
    layout = laid_out(len(graph.nodes), [(edge.source, edge.target) for edge in graph.edges])
    size = np.array([layout.columns, layout.rows]) * STEP
    paper = current()
    ax, own = axes(ax, tuple((size + (0.0, 0.5)) * paper.scale))
    (left, low), (right, high) = -MARGIN, size - STEP + BOX + MARGIN
    ax.set(xlim=(left, right), ylim=(low, high))
    ax.set_aspect("equal")
    ax.set_axis_off()
    pen = _Pen(ax, paper, layout, moment, paper.scale if own else _zoom(ax))
    artists: dict[str, Any] = {}
    artists |= {f"edge {k}": pen.edge(k, edge) for k, edge in enumerate(graph.edges)}
    artists |= {f"node {k}": pen.node(k, node) for k, node in enumerate(graph.nodes)}
    text = moment.describe()
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def _zoom(ax: Axes) -> float:
    """How much smaller than planned letters must be on the reader's axes."""
    box, figure = ax.get_position(), ax.get_figure()
    room = figure.get_size_inches() * (box.width, box.height)  # type: ignore[union-attr]
    return float(min(room / (np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim()))))


class _Pen:
    """Draws the boxes and arrows of one moment, in inches of the layout."""

    def __init__(self, ax: Axes, paper: Style, layout: Layout, moment: Moment, zoom: float) -> None:
        self.ax, self.paper, self.layout, self.moment, self.zoom = ax, paper, layout, moment, zoom
        self.orange, self.blue = paper.accents
        self.ends = [(edge.source, edge.target) for edge in moment.graph.edges]

    def write(self, x: float, y: float, text: str, size: float, **look: Any) -> None:
        usual: dict[str, Any] = {"ha": "center", "va": "center", "color": self.paper.ink}
        size = max(3.0, size * self.zoom)
        self.ax.text(x, y, text, fontsize=size, **(usual | {"zorder": 4} | look))

    def node(self, number: int, node: Node) -> Any:
        """A box with a name, once it is computed with a value, once it arrived with a gradient."""
        from matplotlib.patches import FancyBboxPatch

        x, y = self._corner(number)
        width, height = BOX
        seen = number < self.moment.nodes
        constant = node.gradient is None and node.value is not None and not node.operation
        given = not node.operation and not constant
        thick = 2.6 if number == self.moment.newest_node else 1.6 if given else 1.0
        ink = self.blue if given else self.paper.ink
        box = FancyBboxPatch(
            (x + 0.06, y + 0.06), width - 0.12, height - 0.12, zorder=3,
            boxstyle="round,pad=0.06,rounding_size=0.1", facecolor=self.paper.paper,
            edgecolor=ink if seen else self.paper.muted, alpha=1.0 if seen else GHOST,
            linestyle=DASHED["constant"] if constant else "-", linewidth=thick * self.zoom,
        )  # fmt: skip
        self.ax.add_patch(box)
        gradient = self.moment.arrived.get(number)
        lines = [(_title(node, constant), 8.0, {"weight": "bold"})]
        lines.append((self._value(number, node) if seen else "", 8.5, {}))
        if gradient is not None:
            lines.append((f"gradient {short(gradient)}", 7.8, {"color": self.orange}))
        edge = 0.3 if len(lines) == 2 else 0.21
        for (text, size, look), level in zip(
            lines, np.linspace(1.0 - edge, edge, len(lines)), strict=True
        ):
            self.write(x + width / 2, y + height * level, text, size,
                       alpha=1.0 if seen else 0.45, **look)  # fmt: skip
        return box

    def edge(self, number: int, edge: Edge) -> Any:
        """An arrow forward or, once a gradient has gone back, a dashed one with its numbers."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        seen = max(edge.source, edge.target) < self.moment.nodes
        back = number in self.moment.travelled
        color = self.orange if back else self.paper.muted
        thick = 2.4 if number == self.moment.newest_edge else 1.4 if back else 1.0
        points = self._way(number, edge)
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
        arrow = FancyArrowPatch(
            path=Path(points[::-1] if back else points, codes), zorder=2, shrinkA=0, shrinkB=0,
            arrowstyle="-|>,head_width=0.22,head_length=0.45", mutation_scale=9 * self.zoom,
            color=color, alpha=1.0 if seen else GHOST, capstyle="butt",
            linewidth=thick * self.zoom, linestyle=DASHED["back"] if back else "-",
        )  # fmt: skip
        self.ax.add_patch(arrow)
        if back:
            x, y = _along(points[-4:], self._place_of_words(number))
            paper = {"boxstyle": "round,pad=0.12", "fc": self.paper.paper, "ec": "none"}
            words = f"× {factor(edge)}\n= {short(edge.contribution)}"
            self.write(x, y, words, 7.0, color=self.orange, bbox=paper, zorder=2.5,
                       linespacing=1.05)  # fmt: skip
        return arrow

    def _corner(self, number: int) -> NDArray[np.float64]:
        """The lower left corner of a node's box."""
        column, row = self.layout.places[number]
        return np.array([column, self.layout.rows - 1 - row]) * STEP

    def _value(self, number: int, node: Node) -> str:
        if node.value is None:
            return f"{sum(source == number for source, _ in self.ends)} results"
        return short(node.value)

    def _place_of_words(self, number: int) -> float:
        """Where on its last bend an arrow's numbers stand; of several arrows between the same two
        boxes each has its own place."""
        twins = [k for k, ends in enumerate(self.ends) if ends == self.ends[number]]
        if len(twins) == 1:
            return 0.45
        return 0.35 + 0.3 * twins.index(number) / (len(twins) - 1)

    def _way(self, number: int, edge: Edge) -> list[tuple[float, float]]:
        """Control points from the right of one box, past the others, to the left of the next."""
        start, end = self._corner(edge.source), self._corner(edge.target)
        leaves, enters = (BOX[1] * (0.5 - 0.62 * port) for port in self.layout.ports[number])
        stops = [(start[0] + BOX[0], start[1] + leaves)]
        for column, row in self.layout.stops[number]:
            x, y = column * STEP[0], (self.layout.rows - 1 - row) * STEP[1] + BOX[1] / 2
            stops += [(x, y), (x + BOX[0], y)]
        stops.append((end[0], end[1] + enters))
        points = stops[:1]
        for (left, low), (right, high) in pairwise(stops):
            bend = (right - left) * 0.45
            points += [(left + bend, low), (right - bend, high), (right, high)]
        return points


def _title(node: Node, constant: bool) -> str:
    if constant:
        return "constant"
    named = node.operation and not unnamed(node)
    words = f"{node.label} = {node.operation}" if named else node.operation or node.label
    return words if len(words) <= 18 else words[:17] + "…"


def _along(points: list[tuple[float, float]], t: float) -> NDArray[np.float64]:
    """The point at `t` of a cubic Bezier curve."""
    s = 1.0 - t
    return np.array([s**3, 3 * s * s * t, 3 * s * t * t, t**3]) @ np.array(points)
