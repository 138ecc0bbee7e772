"""What a network makes of its inputs: where it draws the line, and what its layers put out.

A network and a point theta are a plain function of inputs. Nothing here knows a loss: a picture
samples that function and shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE, current
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.network import Network

CLASSES = (PALETTE[1], PALETTE[0], *PALETTE[2:])  # blue against orange first
SHARES = ((5, 95, 1.2), (25, 75, 5.0))  # percentiles and line widths of an activation's strip


def decision_boundary(
    network: Callable[..., Any],
    theta: ArrayLike,
    data: Iterable[Any],
    ax: Axes | None = None,
    *,
    resolution: int = 160,
    caption: bool = True,
) -> Picture:
    """Draw which class a network gives to every point of the plane of two inputs, and the data.

    Args:
        network: a Network, or anything called as `network(theta, x)`, x `(N, 2)`, that answers
            logits `(N, 1)` for two classes or `(N, K)` for K.
        theta: its weights `(P,)`.
        data: a Data with two features and integer classes, or a pair x `(N, 2)`, y `(N,)`.
        ax: matplotlib axes to draw on; a free figure is made without them.
        resolution: points along each side at which the network is asked.
        caption: write under it what the colours are, and the share it gets right.

    Returns:
        A `Picture` with the artists "map", "boundary", "samples" (one per class) and "caption".

    Raises:
        ShapeError: if the data do not have two features, or the network not one point of weights.
        ParameterError: if the targets are not classes.

    >>> import tinygrad_landscape as tl
    >>> net, data = tl.Network(tl.Linear(2, 8), tl.Tanh(), tl.Linear(8, 1)), tl.data.moons(60)
    >>> tl.draw.decision_boundary(net, net.init(seed=0), data, resolution=20)
    Picture(map, boundary, samples, caption)
    """
    x, y = (np.asarray(part) for part in data)
    theta = _one_point(theta)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ShapeError(
            f"got inputs of shape {x.shape}; expected (N, 2), for the picture has two axes"
        )
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ParameterError(
            f"got targets of shape {y.shape} and type {y.dtype}; expected integer classes (N,)"
        )
    middle, reach = (x.max(axis=0) + x.min(axis=0)) / 2, np.maximum(np.ptp(x, axis=0), 1e-9) * 0.56
    shape = float(np.clip(reach[1] / reach[0], 0.5, 1.4))
    ax, own = axes(ax, (6.0, 4.7 * shape + 0.9))
    paper = current()
    sides = [np.linspace(m - r, m + r, resolution) for m, r in zip(middle, reach, strict=True)]
    grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    chances = _chances(network(theta, grid.reshape(-1, 2)))
    chances = chances.reshape(resolution, resolution, -1)
    count = chances.shape[2]
    artists: dict[str, Any] = {
        "map": ax.imshow(
            _class_colors(chances, paper.paper).transpose(1, 0, 2), origin="lower", aspect="auto",
            extent=(*sides[0][[0, -1]], *sides[1][[0, -1]]), interpolation="bilinear",
        ),
        "boundary": _boundaries(ax, sides, chances, paper.ink, paper.scale),
        "samples": [_samples(ax, x[y == k], k, paper.scale) for k in range(int(y.max()) + 1)],
    }  # fmt: skip
    names = getattr(data, "names", ("x0", "x1"))
    ax.set(xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]], xlabel=names[0], ylabel=names[1])
    if 1 / 3 < reach[0] / reach[1] < 3:
        ax.set_aspect("equal")
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if own else {"frameon": True}
    ax.legend(title="class", alignment="left", **beside)
    right = float((_chances(network(theta, x)).argmax(axis=1) == y).mean())
    text = (
        f"Colour: the class the network gives to a point, the stronger the surer it is "
        f"({'sigmoid' if count == 2 else 'softmax'} of its output). Line: where it changes its "
        f"mind. Right on {right:.1%} of these {len(x)} samples."
    )
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def activations(
    network: Network, theta: ArrayLike, x: ArrayLike, ax: Axes | None = None, *,
    caption: bool = True,
) -> Picture:  # fmt: skip
    """Draw how the outputs of every layer are spread, the first layer on top.

    Args:
        network: a Network; its `activations(theta, x)` are drawn.
        theta: its weights `(P,)`.
        x: inputs `(N, ...)`.
        ax: matplotlib axes to draw on; a free figure is made without them.
        caption: write under it what the strips are.

    Returns:
        A `Picture` with the artists "strips" (one list of lines per layer), "notes" (the standard
        deviation, and the share of units that are the same for every input) and "caption".

    Raises:
        ShapeError: if theta is not one point.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1))
    >>> tl.draw.activations(net, net.init(seed=0), np.ones((5, 2)))
    Picture(strips, notes, caption)
    """
    outputs = [np.asarray(each) for each in network.activations(_one_point(theta), np.asarray(x))]
    names = [f"{k}  {type(layer).__name__}" for k, layer in enumerate(network.layers)]
    paper = current()
    ax, own = axes(ax, (6.6, (1.2 + 0.34 * len(outputs)) * paper.scale**0.5))
    strips, notes = [], []
    for row, output in enumerate(outputs):
        color = paper.accents[1] if np.size(output) > 1 else paper.ink
        strips.append(_strip(ax, row, output, color, paper.scale))
        words = f"std {said(float(output.std()))}"
        stuck = _stuck(output)
        words += f", {stuck:.0%} stuck" if stuck else ""
        notes.append(ax.text(1.02, row, words, transform=ax.get_yaxis_transform(), va="center"))
    ax.axvline(0.0, color=paper.muted, linewidth=0.8 * paper.scale, linestyle=":", zorder=0)
    ax.set_yticks(range(len(outputs)), names)
    ax.set(ylim=(len(outputs) - 0.4, -0.6), xlabel="output of the layer's units, over all inputs")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    text = (
        "Dot: the median; thick: the middle half; thin: from the 5th to the 95th percentile. "
        "Stuck: units whose output is the same for every input."
    )
    artists: dict[str, Any] = {"strips": strips, "notes": notes}
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


# A classifier's map -------------------------------------------------------------------------------


def _one_point(theta: ArrayLike) -> NDArray:
    theta = np.asarray(theta)
    if theta.ndim != 1:
        raise ShapeError(
            f"got theta of shape {theta.shape}; expected one point (P,): choose one, theta[k]"
        )
    return theta


def _chances(logits: Any) -> NDArray[np.float64]:
    """Logits (N, 1) or (N, K) as probabilities of every class, (N, 2) or (N, K)."""
    logits = np.asarray(logits, float)
    if logits.ndim != 2:
        raise ShapeError(f"got outputs of shape {logits.shape}; expected logits (N, 1) or (N, K)")
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _class_colors(chances: NDArray, paper: str) -> NDArray:
    """The winner's colour, mixed with paper the less sure it is; (A, B, 3)."""
    from matplotlib.colors import to_rgb

    count = chances.shape[2]
    hues = np.array([to_rgb(CLASSES[k % 6]) for k in range(count)])
    best = chances.max(axis=2)
    sure = (best - 1.0 / count) / (1.0 - 1.0 / count)
    part = (0.1 + 0.45 * sure)[..., None]
    return np.asarray(part * hues[chances.argmax(axis=2)] + (1.0 - part) * np.array(to_rgb(paper)))


def _boundaries(ax: Axes, sides: list[NDArray], chances: NDArray, ink: str, size: float) -> list:
    """A line around every class's territory (one line where there are two classes)."""
    count, found = chances.shape[2], []
    for k in range(1 if count == 2 else 0, count):
        others = np.delete(chances, k, axis=2).max(axis=2)
        lead = (chances[:, :, k] - others).T
        if lead.min() < 0.0 < lead.max():
            found.append(ax.contour(*sides, lead, levels=[0.0], colors=ink, linewidths=1.6 * size))
    return found


def _samples(ax: Axes, x: NDArray, k: int, size: float) -> Any:
    (line,) = ax.plot(
        *x.T, linewidth=0, marker=MARKERS[k % 6], color=CLASSES[k % 6], markeredgecolor="#ffffff",
        markeredgewidth=0.7 * size, markersize=5.5 * size, label=str(k), zorder=3,
    )  # fmt: skip
    return line


# A layer's strip ----------------------------------------------------------------------------------


def _strip(ax: Axes, row: int, output: NDArray, color: str, size: float) -> list[Any]:
    values = output[np.isfinite(output)]
    found: list[Any] = []
    for low, high, width in SHARES:
        ends = np.percentile(values, [low, high]) if values.size else np.zeros(2)
        found += ax.plot(
            ends, [row, row], color=color, linewidth=width * size, dashes=DASHES[0] or (None, None),
            marker="", solid_capstyle="butt",
        )  # fmt: skip
    middle = float(np.median(values)) if values.size else 0.0
    found += ax.plot(
        middle, row, marker="o", markersize=6.5 * size, color=current().paper, linewidth=0,
        markeredgecolor=color, markeredgewidth=1.6 * size,
    )  # fmt: skip
    return found


def _stuck(output: NDArray) -> float:
    """The share of units whose output does not depend on the input."""
    return float((np.ptp(output, axis=0) == 0.0).mean()) if len(output) > 1 else 0.0
