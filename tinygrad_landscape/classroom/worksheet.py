"""Worksheets to print: blank contour maps to walk on with a pencil, and a few questions.

A path that was drawn by hand first is seen differently afterwards. The same sheet with `key=True`
has the true walks and the answers in the places that were empty.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..descent import Trajectory
from ..draw.heights import Heights
from ..engine.errors import ParameterError
from ..surveying import Surface, survey

PAPER = (8.27, 11.69)  # A4, inches
INK, FAINT, KEY = "#000000", "#8c8c8c", "#D55E00"
LINES, EMPTY = 12, 3  # contours of a map, ruled lines for an answer
WIDE = 88  # letters in a line
ENDINGS = (".pdf",)


@dataclass(frozen=True, eq=False)
class Map:
    """A contour map to draw on: a landscape of two weights over `extent`, or a Surface.

    `task` says what to draw, `start` is marked with a cross, `walk` is what the key shows.
    """

    landscape: Any
    extent: Any
    task: str
    start: Sequence[float] | None = None
    walk: Trajectory | None = None


@dataclass(frozen=True, eq=False)
class Worksheet:
    """A title, maps, and questions with their answers."""

    title: str
    maps: Sequence[Map]
    questions: Sequence[tuple[str, str]] = ()

    def save(self, path: str | os.PathLike[str], key: bool = False) -> None:
        """Write the sheet as a PDF of A4 pages, in black and grey; with `key`, the answers too.

        Raises:
            ParameterError: for a name that does not end in .pdf, or a folder that is not there.
        """
        from matplotlib.backends.backend_pdf import PdfPages

        path = Path(path)
        if path.suffix.lower() not in ENDINGS or not path.absolute().parent.is_dir():
            raise ParameterError(
                f"got {path}; expected a name ending in .pdf in an existing folder"
            )
        with PdfPages(path) as pages:
            for figure in self.pages(key):
                pages.savefig(figure)

    def pages(self, key: bool = False) -> list[Any]:
        """The pages as matplotlib figures: two maps on each, then the questions."""
        title = f"{self.title}{'  (answer key)' if key else ''}"
        sheets = [self._map_page(title, first, key) for first in range(0, len(self.maps), 2)]
        return [*sheets, *self._question_pages(title, key)]

    def _map_page(self, title: str, first: int, key: bool) -> Any:
        figure = _page(title, key)
        for k, each in enumerate(self.maps[first : first + 2]):
            top = 0.925 - 0.445 * k
            words = f"{first + k + 1}. {each.task}"
            figure.text(0.09, top, textwrap.fill(words, WIDE), va="top", size=10, linespacing=1.4)
            _draw(figure.add_axes((0.16, top - 0.395, 0.7, 0.34)), each, key)
        return figure

    def _question_pages(self, title: str, key: bool) -> list[Any]:
        pages, y = list[Any](), 0.0
        for k, (question, answer) in enumerate(self.questions, start=1 + len(self.maps)):
            asked = textwrap.wrap(f"{k}. {question}", WIDE)
            told = textwrap.wrap(answer, WIDE - 4)
            need = 0.021 * len(asked) + 0.03 * max(EMPTY, len(told)) + 0.03
            if not pages or y - need < 0.05:
                pages.append(_page(title, key))
                y = 0.925
            page = pages[-1]
            page.text(0.09, y, "\n".join(asked), va="top", size=10, linespacing=1.4)
            y -= 0.021 * len(asked)
            for row in range(max(EMPTY, len(told))):
                y -= 0.03
                page.add_artist(_rule(0.11, 0.91, y))
                if key and row < len(told):
                    page.text(0.115, y + 0.005, told[row], size=10, color=KEY)
            y -= 0.03
        return pages


def worksheet_of(lesson: int) -> Worksheet:
    """The worksheet of a lesson by its number.

    Raises:
        ParameterError: for a lesson that is not there.
    """
    name = f"{__package__}.lesson{lesson:02d}"
    if find_spec(name) is None:
        raise ParameterError(f"got lesson {lesson}, which has no worksheet")
    made: Worksheet = import_module(name).worksheet()
    return made


def _page(title: str, key: bool) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=PAPER)
    figure.text(0.09, 0.957, title, size=13, weight="bold")
    if not key:
        figure.text(0.91, 0.957, "Name  ______________________", size=10, ha="right")
    figure.add_artist(_rule(0.09, 0.91, 0.945, INK))
    figure.text(0.09, 0.025, "tinygrad_landscape, CC BY 4.0", size=7, color=FAINT)
    return figure


def _rule(x0: float, x1: float, y: float, color: str = FAINT) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([x0, x1], [y, y], color=color, linewidth=0.7)


def _draw(ax: Any, each: Map, key: bool) -> None:
    surface = each.landscape
    if not isinstance(surface, Surface):
        surface = survey(surface, None, extent=each.extent, resolution=101)
    a, b = (
        np.add(surface.a, surface.plane.absolute[0]),
        np.add(surface.b, surface.plane.absolute[1]),
    )
    heights = Heights.of(surface.loss, "sqrt")  # more lines in the valleys, where the walks go
    levels = heights.levels(LINES)
    lines = ax.contour(a, b, surface.loss.T, levels=levels, colors=FAINT, linewidths=0.8)
    ax.clabel(lines, fontsize=6, fmt="%.3g", inline=True)
    ax.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]))
    ax.set_xlabel(surface.plane.labels[0], size=9)
    ax.set_ylabel(surface.plane.labels[1], size=9)
    ax.set_aspect("equal", adjustable="box")
    ax.grid(True, color="#e4e4e4", linewidth=0.4)
    ax.tick_params(labelsize=7)
    if each.start is not None:
        ax.plot(*each.start, "x", color=INK, markersize=9, markeredgewidth=2)
    if key and each.walk is not None:
        ax.plot(*each.walk.points.T, "o-", color=KEY, markersize=3.5, linewidth=1.2, clip_on=True)
