"""The house style: three papers (light, dark, projector), one palette, one map of heights.

Every series is told apart twice, by colour and by line style or marker, so that a picture survives
grey printing and colour-blind eyes. The palette is Okabe and Ito's; heights use a map whose
lightness rises steadily, so that equal steps of height look equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tinygrad_landscape.engine.errors import ParameterError

# Okabe & Ito, "Color Universal Design" (2008), without black and yellow, which vanish on paper.
PALETTE = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2), (2, 2), (7, 2, 2, 2), (1, 2), (9, 3))
MARKERS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True)
class Style:
    """Colours and sizes of one paper. `scale` multiplies letters and lines (1 on a screen)."""

    name: str
    paper: str
    ink: str
    muted: str
    heights: str
    scale: float = 1.0

    @property
    def accents(self) -> tuple[str, str]:
        """An orange and a blue that both read well as letters on this paper."""
        from matplotlib.colors import to_rgb

        light = sum(to_rgb(self.paper)) > 1.5
        return ("#B54A00", "#0072B2") if light else ("#E69F00", "#56B4E9")

    def rc(self) -> dict[str, Any]:
        """The style as matplotlib rcParams."""
        from cycler import cycler

        s = self.scale
        paper = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
        ink = ("text.color", "axes.labelcolor", "axes.titlecolor")
        muted = ("axes.edgecolor", "xtick.color", "ytick.color")
        return {
            **dict.fromkeys(paper, self.paper),
            **dict.fromkeys(ink, self.ink),
            **dict.fromkeys(muted, self.muted),
            "xtick.labelcolor": self.ink,
            "ytick.labelcolor": self.ink,
            "image.cmap": self.heights,
            "axes.prop_cycle": cycler(color=PALETTE)
            + cycler(dashes=[list(d) for d in DASHES])
            + cycler(marker=MARKERS),
            "font.size": 10 * s,
            "axes.titlesize": 10.5 * s,
            "axes.labelsize": 10 * s,
            "xtick.labelsize": 9 * s,
            "ytick.labelsize": 9 * s,
            "legend.fontsize": 9 * s,
            "legend.frameon": False,
            "lines.linewidth": 1.6 * s,
            "lines.markersize": 4.0 * s,
            "lines.scale_dashes": True,
            "axes.linewidth": 0.8 * s,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "svg.fonttype": "none",
        }


STYLES = {
    "light": Style("light", "#ffffff", "#1c2430", "#5c6773", "viridis"),
    "dark": Style("dark", "#15191f", "#e7eaee", "#98a3af", "viridis"),
    "projector": Style("projector", "#ffffff", "#000000", "#333333", "viridis", scale=1.4),
}


def current() -> Style:
    """The paper in use: what matplotlib's rcParams say now, inside `with style(...)` or not.

    >>> with style("dark"):
    ...     current().paper
    '#15191f'
    """
    import matplotlib
    from matplotlib.colors import to_hex

    rc = matplotlib.rcParams
    paper, ink = to_hex(rc["figure.facecolor"]), to_hex(rc["text.color"])
    muted, heights = to_hex(rc["xtick.color"]), rc["image.cmap"]
    return Style("rcParams", paper, ink, muted, heights, scale=rc["font.size"] / 10)


def named(name: str) -> Style:
    """The style called `name`: "light", "dark" or "projector"; ParameterError otherwise.

    >>> named("dark").paper
    '#15191f'
    """
    if name not in STYLES:
        raise ParameterError(f"got style {name!r}; expected one of {', '.join(STYLES)}")
    return STYLES[name]


@contextmanager
def style(name: str = "light") -> Iterator[Style]:
    """Draw in the house style inside a `with` block; matplotlib's own settings come back after it.

    >>> from matplotlib.figure import Figure
    >>> with style("dark"):
    ...     ax = Figure().add_subplot()
    >>> ax.get_facecolor()[:3] == Figure().add_subplot().get_facecolor()[:3]
    False
    """
    import matplotlib

    chosen = named(name)
    settings: Any = chosen.rc()
    with matplotlib.rc_context(settings):
        yield chosen
