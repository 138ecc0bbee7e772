"""Timelines: small plots over time whose range grows while a run goes on.

A scene's axes are frozen, for drawing them anew takes a tenth of a second. A strip therefore draws
into a unit square and writes the ends of its range beside it; a moving range is numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw import Scene

DEEPEST = 8  # decades below the highest value that a log strip shows
MARGIN = 0.04


@dataclass(frozen=True)
class Span:
    """A range that became the height of a strip, in whole decades if it is `log`."""

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, *values: ArrayLike) -> Span:
        """A range for all finite values: log if all are above 0, else linear.

        >>> Span.of([0.02, 3.0])
        Span(low=0.01, high=10.0, log=True)
        >>> Span.of([0.0, 3.0]).log
        False
        """
        every = np.concatenate([np.ravel(np.asarray(value, float)) for value in values])
        every = every[np.isfinite(every)]
        if not every.size:
            return cls(0.1, 10.0, True)
        low, high = float(every.min()), float(every.max())
        if low > 0.0:
            top = math.ceil(math.log10(high) - 1e-9)
            floor = max(math.floor(math.log10(low) + 1e-9), top - DEEPEST)
            return cls(10.0 ** min(floor, top - 1), 10.0**top, True)
        pad = 0.05 * (high - low) or 1.0
        return cls(low - pad, high + pad, False)

    def share(self, values: ArrayLike) -> NDArray[np.float64]:
        """How high values are in the strip, 0 to 1; beyond its ends they stay there."""
        values = np.asarray(values, float)
        low, high = self.low, self.high
        if self.log:
            lifted = np.where(values > low, values, np.where(np.isnan(values), np.nan, low))
            values, low, high = np.log10(lifted), math.log10(low), math.log10(high)
        return np.clip((values - low) / (high - low), 0.0, 1.0)

    def rungs(self) -> NDArray[np.float64]:
        """The heights of the decades between the ends, as a polyline with gaps."""
        if not self.log:
            return np.full((1, 2), np.nan)
        count = round(math.log10(self.high / self.low))
        rows = [(x, k / count) for k in range(1, count) for x in (0.0, 1.0, np.nan)]
        return np.array(rows or [(np.nan, np.nan)])


def frame(ax: Any, title: str, more: str = "") -> None:
    """Draw what stands still of a strip: its sides and its name."""
    ax.set(xlim=(0.0, 1.0), ylim=(-MARGIN, 1.0 + MARGIN), xticks=[], yticks=[], ylabel=more)
    ax.set_title(title, loc="left")


def add(scene: Scene, axes: str, *, time: bool = True) -> None:
    """Add the layers that say a strip's range: decades, both ends, and the last step."""
    chosen = scene.style
    words: dict[str, Any] = {"color": chosen.ink, "size": 11.0 * chosen.scale}
    scene.add(f"{axes} rungs", "polyline", axes, colors=[f"{chosen.muted}55"], width=0.8)
    scene.add(f"{axes} low", "text", axes, at=[-0.02, 0.1], align="right", template="{0}", **words)
    scene.add(f"{axes} high", "text", axes, at=[-0.02, 0.98], align="right", template="{0}",
              **words)  # fmt: skip
    if time:
        scene.add(f"{axes} end", "text", axes, at=[1.0, -0.03], align="right", template="step {0}",
                  **words)  # fmt: skip


def put(scene: Scene, axes: str, span: Span, end: float | None = None) -> None:
    """Write a strip's range."""
    scene.set(f"{axes} rungs", span.rungs())
    scene.set(f"{axes} low", [span.low])
    scene.set(f"{axes} high", [span.high])
    if end is not None:
        scene.set(f"{axes} end", [end])


def put_series(
    scene: Scene, axes: str, span: Span, when: NDArray, end: float, *series: NDArray
) -> None:
    """Draw series over time `when` (0 to 1) into the layers `axes`, `axes 1`, ...; a ball runs
    along the first."""
    put(scene, axes, span, end)
    for k, values in enumerate(series):
        curve = np.stack([when, span.share(values)], axis=-1)
        scene.set(f"{axes} {k}" if k else axes, curve)
        if k == 0:
            scene.set(f"{axes} ball", curve)


def add_series(scene: Scene, axes: str, count: int = 1) -> None:
    """Add the layers that `put_series` fills: blue and solid, orange and dashed."""
    size, (orange, blue) = scene.style.scale, scene.style.accents
    line: dict[str, Any] = {"follow": True, "ghost": 0.35, "width": 2.0 * size}
    add(scene, axes)
    if count == 2:
        scene.add(f"{axes} 1", "polyline", axes, colors=[orange], dash=[7, 4], **line)
    scene.add(axes, "polyline", axes, colors=[blue], **line)
    scene.add(f"{axes} ball", "ball", axes, follow=True, size=10.0 * size)


def legend(ax: Any, labels: Sequence[str | None], place: str, **options: Any) -> None:
    """Say what the solid blue line is and what the dashed orange one."""
    from matplotlib.lines import Line2D

    from tinygrad_landscape.draw.style import current

    chosen = current()
    orange, blue = chosen.accents
    looks: tuple[Any, ...] = ({"color": blue}, {"color": orange, "linestyle": (0, (4, 2))})
    handles = [Line2D([], [], marker="", label=label, **look)
               for label, look in zip(labels, looks, strict=True) if label]  # fmt: skip
    ax.legend(
        handles=handles, loc=place, fontsize=8.5 * chosen.scale**0.7, handlelength=1.7,
        columnspacing=1.0, borderpad=0.2, labelspacing=0.2, handletextpad=0.5, **options,
    )  # fmt: skip
