"""How the ground bends in every direction at once: the eigenvalues of a Hessian, and their density.

A few directions bend strongly, most hardly at all, and some bend down. The scale is linear near
zero and logarithmic beyond, so that all three can be seen in one picture, and says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import current
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.surveying.curvature import Density, Spectrum

LEVEL = 1e-3  # below this share of the strongest a direction counts as level, as in `describe`


def spectrum(
    spectrum: Spectrum | Density, ax: Axes | None = None, *, caption: bool = True
) -> Picture:
    """Draw the eigenvalues of a Hessian, strongest first, or the density of very many.

    Args:
        spectrum: what `tl.curvature.spectrum` or `tl.curvature.density` found.
        ax: matplotlib axes to draw on; a free figure is made without them.
        caption: write under it what is drawn and how it was scaled.

    Returns:
        A `Picture` with the artists "up", "down" and "level" (those there are), each with its own
        colour and marker; for a density "density" and "probes".

    Raises:
        ParameterError: if it is neither a Spectrum nor a Density.

    >>> import tinygrad_landscape as tl
    >>> bends = tl.curvature.spectrum(tl.formulas.himmelblau, [0.0, 0.0])
    >>> tl.draw.spectrum(bends)
    Picture(down, caption)
    """
    kinds = {"eigenvalues": _eigenvalues, "density": _density}
    drawn: Any = [draw for name, draw in kinds.items() if hasattr(spectrum, name)]
    if not drawn:
        raise ParameterError(
            f"got {type(spectrum).__name__}; expected what tl.curvature.spectrum or "
            "tl.curvature.density returns"
        )
    ax, own = axes(ax, (6.4, 4.2))
    artists, scale = drawn[0](spectrum, ax)
    text = f"{spectrum.describe()} {scale}"
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def _eigenvalues(spectrum: Spectrum, ax: Axes) -> tuple[dict[str, Any], str]:
    from matplotlib.ticker import MaxNLocator

    values = np.sort(np.asarray(spectrum.eigenvalues, float))[::-1]
    strongest = float(np.abs(values).max()) or 1.0
    bound = LEVEL * strongest
    rank, size = np.arange(1, values.size + 1), current().scale
    orange, blue = current().accents
    groups = {
        "up": (values > bound, blue, "^", "bends up"),
        "level": (np.abs(values) <= bound, current().muted, "o", "level"),
        "down": (values < -bound, orange, "v", "bends down"),
    }
    artists: dict[str, Any] = {}
    small = 5.0 if values.size <= 100 else 3.0
    for name, (mine, color, marker, words) in groups.items():
        if mine.any():
            label = f"{words} ({int(mine.sum())})"
            (artists[name],) = ax.plot(
                rank[mine], values[mine], linewidth=0, marker=marker, color=color, label=label,
                markersize=small * size, markeredgewidth=0, zorder=3,
            )  # fmt: skip
    if values.size <= 100:
        ax.vlines(rank, 0.0, values, color=current().muted, linewidth=0.6 * size, zorder=1)
    ax.axhline(0.0, color=current().muted, linewidth=0.8 * size, zorder=0)
    ax.set_yscale("symlog", linthresh=bound, linscale=0.4)
    _frame(ax, values, strongest, bound)
    ax.set(xlim=(0, values.size + 1), xlabel="direction, most curved upwards first")
    ax.set_ylabel("curvature (eigenvalue)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="best")
    return artists, f"Linear height between -{bound:.2g} and {bound:.2g}, log beyond."


def _density(density: Density, ax: Axes) -> tuple[dict[str, Any], str]:
    size, (_, blue) = current().scale, current().accents
    floor = 0.1 / density.size / (density.width * (2.0 * np.pi) ** 0.5)
    (line,) = ax.plot(
        density.grid, density.density, color=blue, linestyle="-", marker="", linewidth=1.6 * size
    )
    seen = density.weights > 0.1 / density.size
    (rug,) = ax.plot(
        density.nodes[seen], np.full(int(seen.sum()), 0.02), linewidth=0, marker="|",
        color=current().ink, alpha=0.5, markersize=7 * size, transform=ax.get_xaxis_transform(),
    )  # fmt: skip
    ax.axvline(0.0, color=current().muted, linewidth=0.8 * size, linestyle=":", zorder=0)
    ax.set_yscale("log")
    ax.set(ylim=(floor, 3.0 * float(density.density.max())), xlim=density.grid[[0, -1]])
    ax.set(xlabel="curvature (eigenvalue)", ylabel="density of eigenvalues (log)")
    return {"density": line, "probes": rug}, (
        "Log height, cut where there is less than a tenth of one eigenvalue; ticks below: where "
        "the probes saw one."
    )


def _frame(ax: Axes, values: Any, strongest: float, bound: float) -> None:
    """Room above and below the markers, and ticks at zero and at the decades beyond `bound`."""
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array([min(values[-1], -bound), max(values[0], bound)]))
    room = 0.06 * (high - low)
    ax.set_ylim(*scale.inverted().transform(np.array([low - room, high + room])))
    powers = 10.0 ** np.arange(math.ceil(math.log10(bound)), math.floor(math.log10(strongest)) + 1)
    ticks = np.concatenate([-powers[::-1], [0.0], powers])
    below, above = ax.get_ylim()
    ax.set_yticks(ticks[(ticks >= below) & (ticks <= above)])
    ax.set_yticks([], minor=True)
