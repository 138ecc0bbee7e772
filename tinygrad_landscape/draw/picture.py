"""What a drawing function hands back: the artists by name, and the figure if it had to make one.

No function here touches pyplot. With `ax=` they draw on the reader's axes; without it they make a
free `Figure`, which a notebook shows because `Picture` knows how to become a PNG.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """The artists of one drawing: `picture["walk"]` is one of them, iterating gives them all.

    `ax` is where they were drawn, `caption` the words that say how the picture was made.
    """

    ax: Axes
    artists: dict[str, Any] = field(default_factory=dict)
    caption: str = ""
    own: bool = False

    @property
    def figure(self) -> Figure:
        """The figure the artists belong to."""
        return self.ax.get_figure()  # type: ignore[return-value]

    def __getitem__(self, name: str) -> Any:
        return self.artists[name]

    def __iter__(self) -> Iterator[Artist]:
        return iter(self.artists.values())

    def __len__(self) -> int:
        return len(self.artists)

    def save(self, path: str | os.PathLike[str], dpi: float = 150) -> None:
        """Write the whole figure to `path`; its ending (.png, .svg, .pdf) chooses the format."""
        self.figure.savefig(path, dpi=dpi)

    def describe(self) -> str:
        """The caption: which plane, which scale, what is left out."""
        return self.caption

    def __repr__(self) -> str:
        return f"Picture({', '.join(self.artists)})"

    def _repr_png_(self) -> bytes | None:
        if not self.own:
            return None  # the reader's figure is shown by whoever made it
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def axes(ax: Axes | None, size: tuple[float, float], **options: Any) -> tuple[Axes, bool]:
    """The axes to draw on, and whether they were made here (in a free figure of `size` inches)."""
    if ax is not None:
        return ax, False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    flat = options.get("projection") != "3d"  # hills fill their figure as they are
    figure = Figure(figsize=size, layout="constrained" if flat else None)
    FigureCanvasAgg(figure)
    return figure.add_subplot(**options), True


def caption_below(ax: Axes, text: str, own: bool) -> Any:
    """Write `text` in small letters under the axes, in lines that fit their width.

    In a figure of our own the caption gets a strip at the bottom; on the reader's axes it hangs
    under the x label.
    """
    import textwrap

    figure: Any = ax.get_figure()
    look: dict[str, Any] = {"va": "bottom" if own else "top", "fontsize": "x-small", "alpha": 0.85}
    width = (figure if own else ax).get_window_extent().width / figure.dpi * 72
    ink = ax.xaxis.label.get_color()
    artist: Any
    if own:
        artist = figure.text(0.015, 0.01, "", color=ink, **look)
    else:
        artist = ax.annotate(
            "",
            xy=(0, 0),
            xycoords=("axes fraction", "axes fraction" if ax.name == "3d" else ax.xaxis.label),
            xytext=(0, -16 if ax.name == "3d" else -4),
            textcoords="offset points",
            color=ink,
            **look,
        )
    letters = max(24, int(width / (0.6 * artist.get_fontsize())))
    artist.set_text(textwrap.fill(text, letters))
    if own:
        lines = artist.get_text().count("\n") + 1
        strip = (lines * 1.35 + 0.8) * artist.get_fontsize() / 72 / figure.get_figheight()
        engine = figure.get_layout_engine()
        room = (0, strip, 1, 1 - strip)
        engine.set(rect=room) if engine else ax.set_position(room)
    return artist
