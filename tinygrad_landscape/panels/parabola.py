"""The parabola at the ball: what the gradient and the curvature there promise of the next step.

Straight downhill from the ball the loss is a curve over one number, the learning rate that a step
would take. Measured in squared steepness every such curve leaves the ball with the same slope, so
that what is left to be seen is how it bends: how far the fitted parabola's bottom is, 1/curvature,
and where it is as high again as at the ball, 2/curvature.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.style import Style
from tinygrad_landscape.landscape import Landscape

CORNERS = 41  # of the curve
FEW = 5  # rows looked at in one go
BACK, AHEAD = 0.3, 1.7  # how far the picture reaches behind and before the ball, in its reach
EXACT = 1e-11  # a loss known no better than to this share of itself leaves no curve to be drawn
ORANGE, CASING = "#D55E00", "#10151c"


@dataclass(frozen=True)
class Parabola:
    """The parabola fitted to the loss straight downhill from a place, over the learning rate s:
    loss - steepness² s + ½ curvature steepness² s².

    Attributes:
        loss: at the place.
        steepness: the length of the gradient.
        curvature: along the gradient; negative where the loss bends down.
    """

    loss: float
    steepness: float
    curvature: float

    @property
    def bottom(self) -> float:
        """The learning rate whose step ends at the parabola's bottom; NaN if it has none."""
        return 1.0 / self.curvature if self.curvature > 0.0 else math.nan

    @property
    def level(self) -> float:
        """The learning rate whose step ends as high as it began; NaN if there is none."""
        return 2.0 * self.bottom


class Downhill:
    """The losses straight downhill from every point of a walk, with their parabolas.

    Args:
        landscape: of `points`.
        points: of one walker, `(R, P)`.
        lr: the learning rate of the next step, or NaN if a step does not go straight downhill.
        reach: the unit of the axis, about the learning rate that matters.
        first: the row to begin with, its neighbours next.
    """

    def __init__(
        self, landscape: Landscape, points: NDArray, lr: float, reach: float, first: int = 0
    ) -> None:
        self._landscape, self._points, self._lr, self._reach = landscape, points, lr, reach
        self.loss, self._gradient = landscape.value_and_gradient(points)
        self.steepness = np.linalg.norm(self._gradient, axis=-1)
        bent = landscape.hessian_vector(points, self._gradient)
        squared = self.steepness**2
        with np.errstate(divide="ignore", invalid="ignore"):
            self.curvature = (bent * self._gradient).sum(-1) / squared
        self._known = squared * reach > EXACT * np.abs(self.loss)
        self._rates = reach * np.linspace(-BACK, AHEAD, CORNERS)
        self._curve = np.full((len(points), CORNERS), np.nan)
        self._landing = np.full(len(points), np.nan)
        self._left = list(np.argsort(-np.abs(np.arange(len(points)) - first), kind="stable"))

    def go(self, seconds: float = np.inf) -> bool:
        """Look along the lines for about `seconds`; say whether all are seen."""
        late = time.perf_counter() + seconds
        rates = np.append(self._rates, self._lr if math.isfinite(self._lr) else 0.0)
        while self._left:
            here, self._left = self._left[-FEW:], self._left[:-FEW]
            line = self._points[here, None] - rates[:, None] * self._gradient[here, None]
            with np.errstate(all="ignore"):
                drop = self._landscape(line) - self.loss[here, None]
                drop = drop / self.steepness[here, None] ** 2 / self._reach
            drop[~self._known[here]] = np.nan
            self._curve[here], self._landing[here] = drop[:, :-1], drop[:, -1]
            if time.perf_counter() > late:
                break
        return not self._left

    def at(self, row: int) -> Parabola:
        """The parabola at one point of the walk."""
        return Parabola(*(float(all_[row]) for all_ in (self.loss, self.steepness, self.curvature)))

    def show(self, scene: Scene) -> None:
        """Put curves, parabolas, bottoms and landings on the axes called "bend"."""
        rows, bend = len(self._points), self.curvature[:, None]
        rates = np.broadcast_to(self._rates, (rows, CORNERS))
        fitted = (-rates + 0.5 * bend * rates**2) / self._reach
        scene.set("downhill", np.stack([rates, self._curve], axis=-1))
        scene.set("fitted", np.stack([rates, np.where(self._known[:, None], fitted, np.nan)], -1))
        with np.errstate(divide="ignore"):
            bottom = np.where((self.curvature > 0.0) & self._known, 1.0 / self.curvature, np.nan)
        scene.set("bottom", np.column_stack([bottom, -0.5 * bottom / self._reach]))
        landing = np.where(self._known, self._lr, np.nan)
        scene.set("landing", np.column_stack([landing, self._landing]))
        scene.set("here", np.where(self._known[:, None], np.zeros((rows, 2)), np.nan))
        scene.set("bend words", np.column_stack([self.loss, self.steepness, self.curvature]))


LAYERS = ("downhill", "fitted", "bottom", "landing", "here", "bend words")


def dress(ax: Any, reach: float) -> None:
    """Make an axes the one where parabolas are drawn, about as wide as `reach` asks for."""
    from matplotlib.lines import Line2D

    ax.set(xlim=(-BACK * reach, AHEAD * reach), ylim=(-0.8, 0.85), yticks=[])
    ax.set_xlabel("learning rate of the step (linear)")
    ax.set_ylabel("loss change / steepness²")
    ax.axhline(0.0, color=ax.xaxis.label.get_color(), linewidth=0.7, alpha=0.5)
    keys = [
        Line2D([], [], color="#009E73", linewidth=2.4, marker=""),
        Line2D([], [], color="#CC79A7", linestyle=(0, (4, 2)), marker=""),
        *(Line2D([], [], linestyle="", marker=mark, color=color, markeredgecolor=CASING)
          for mark, color in (("D", "#CC79A7"), ("s", "#E69F00"))),
    ]  # fmt: skip
    ax.legend(keys, ["the loss", "fitted parabola", "its bottom", "next step"], loc="lower center",
              ncols=2, borderaxespad=0.2, columnspacing=1.0, fontsize="small")  # fmt: skip


def add(scene: Scene, paper: Style) -> None:
    """Add the parabola's layers, empty."""
    size = paper.scale
    line: dict[str, Any] = {"follow": True, "width": 2.6 * size}
    scene.add("downhill", "curve", "bend", colors=["#009E73"], **line)
    scene.add("fitted", "curve", "bend", colors=["#CC79A7"], dash=[6.0, 3.0], **line)
    for name, shape, color in (("bottom", "D", "#CC79A7"), ("landing", "s", "#E69F00"),
                               ("here", "o", ORANGE)):  # fmt: skip
        scene.add(name, "ball", "bend", follow=True, shapes=[shape], colors=[color], edge=CASING,
                  size=11.0 * size)  # fmt: skip
    scene.add("bend words", "text", "bend", follow=True, at=[0.0, 1.02], color=paper.ink,
              size=13.0 * size, template="steepness {1}   curvature {2}")  # fmt: skip
