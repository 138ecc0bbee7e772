"""The ground that several panels walk on: a landscape, the plane that is drawn of it, its survey.

Places are given in the numbers on the axes; `inside` is the landscape on that plane, whose
coordinates are those numbers less `origin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import contour
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.surfaces import height_bar
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.surveying import Plane, Surface, survey


@dataclass(frozen=True, eq=False)
class Ground:
    """A surveyed landscape. `low` and `high` `(2,)` are the corners of its frame."""

    landscape: Landscape
    surface: Surface
    heights: Heights
    inside: Landscape
    origin: NDArray
    low: NDArray
    high: NDArray

    @classmethod
    def of(
        cls,
        landscape: Landscape,
        plane: Plane | None = None,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
    ) -> Ground:
        """Survey `landscape`; without an `extent` in its own frame, 3 around single weights, or 1
        along other directions.

        Raises:
            ParameterError: if a landscape of more than two weights comes without a plane.
        """
        if plane is None and landscape.size != 2:
            raise ParameterError(
                f"a landscape of {landscape.size} weights needs a plane to be drawn on, for "
                "example tl.Plane.two_weights(theta, 0, 1)"
            )
        if extent is None and plane is None:
            extent = getattr(landscape, "extent", None) or 3.0
        elif extent is None:
            assert plane is not None
            single = np.count_nonzero(plane.u) == 1 == np.count_nonzero(plane.v)
            extent = 3.0 if single else 1.0
        surface = survey(
            landscape, plane, extent, resolution or (101 if landscape.network is None else 51)
        )
        inside = landscape if plane is None else landscape.restrict(plane)
        origin = np.array(surface.plane.absolute)
        low, high = (np.array([surface.a[k], surface.b[k]]) + origin for k in (0, -1))
        return cls(landscape, surface, Heights.of(surface.loss, height), inside, origin, low, high)

    @property
    def plane(self) -> Plane:
        """The plane that is drawn."""
        return self.surface.plane

    def start(self, given: Sequence[float] | None, otherwise: ArrayLike) -> NDArray:
        """A start `(2,)` that lies inside the frame: the one given, or the other.

        Raises:
            ParameterError: if the one given lies outside.
        """
        if given is None:
            return np.clip(np.asarray(otherwise, float), self.low, self.high)
        start = np.asarray(given, float)
        if start.shape != (2,) or not ((self.low <= start) & (start <= self.high)).all():
            raise ParameterError(
                f"got start={given!r}; expected two numbers inside the frame, "
                f"{self.low.tolist()} to {self.high.tolist()}"
            )
        return start

    def grid(self, count: int) -> NDArray:
        """`count` by `count` places `(count, count, 2)` from corner to corner of the frame."""
        axes = np.linspace(self.low, self.high, count).T
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    def place(self, at: ArrayLike) -> str:
        """A place in words: "w1 = 0.3, w2 = 0.2"."""
        (first, second), (x, y) = self.plane.labels, np.asarray(at, float)
        return f"{first} = {said(float(x))}, {second} = {said(float(y))}"

    def share(self, at: ArrayLike) -> list[float]:
        """Where a place lies, from 0 to 1 across and up the frame."""
        return list(((np.asarray(at, float) - self.low) / (self.high - self.low)).tolist())

    def draw(self, ax: Any) -> None:
        """Draw the map with its colour bar, and room above for a readout."""
        drawn = contour(self.surface, ax=ax, height=self.heights.scale, caption=False)
        height_bar(ax, drawn["map"], self.heights)
        ax.set_title(" ")

    def draw_losses(self, ax: Any, steps: int, floor: float = 1e-4) -> None:
        """Make `ax` ready for curves of loss against step; on a log axis only the heights above
        `floor` times the highest of the map are seen."""
        finite = self.surface.loss[np.isfinite(self.surface.loss)]
        low, high = float(finite.min()), float(finite.max())
        if low >= 0.0:
            ax.set(yscale="log", ylim=(max(0.5 * low, floor * high), 2.0 * high))
        else:
            room = 0.05 * (high - low)
            ax.set(ylim=(low - room, high + room))
        ax.set(xlim=walked(steps), xlabel="step", ylabel=f"loss ({ax.get_yscale()})")

    def configuration(self) -> list[Any]:
        """What tells this ground from others, for replay codes."""
        plane = self.plane
        return [
            self.landscape.size,
            list(self.landscape.names),
            list(plane.labels),
            [round(float(x), 3) for x in (*plane.origin, *plane.u, *plane.v)],
            [round(float(x), 6) for x in (*self.low, *self.high)],
        ]


def walked(steps: int) -> tuple[float, float]:
    """The ends of an axis of steps, with room for a ball that stands at the last one."""
    return 0.0, 1.02 * steps
