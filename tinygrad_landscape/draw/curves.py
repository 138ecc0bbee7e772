"""Curves: the loss along a walk, and heights along a line through weight space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.draw.picture import Picture, axes, caption_below
from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.descent import Trajectory
    from tinygrad_landscape.surveying import Profile

LANES = 6  # more runs than this cannot be told apart and share one thin line style


def losses(
    walk: Trajectory | Sequence[Trajectory] | Mapping[str, Trajectory],
    ax: Axes | None = None,
    *,
    height: str = "auto",
) -> Picture:
    """Draw loss against step, for one walk, a list of walks, or a mapping of names to walks.

    Args:
        walk: Trajectories; one with several walkers gives one curve each.
        ax: matplotlib axes to draw on; a free figure is made without them.
        height: "linear", "log", or "auto": log when every loss is positive and they span more
            than a factor of ten.

    Returns:
        A `Picture` with one artist per curve; a cross marks where a walk diverged.

    Raises:
        ParameterError: if there is no walk, or the height is not one of the three.

    >>> import tinygrad_landscape as tl
    >>> walk = tl.descend(tl.formulas.quadratic(10), [1.0, 1.0], tl.optim.SGD(lr=0.1), steps=20)
    >>> tl.draw.losses({"plain": walk})
    Picture(plain)
    """
    if height not in ("auto", "linear", "log"):
        raise ParameterError(f"got height={height!r}; expected auto, linear or log")
    named = _named(walk)
    curves = [(name, run, k) for name, run in named.items() for k in range(_walkers(run))]
    if not curves:
        raise ParameterError("got no walk; expected one or more Trajectories")
    ax, own = axes(ax, (6.4, 4.0))
    artists: dict[str, Any] = {}
    for lane, (name, run, k) in enumerate(curves):
        label = name if _walkers(run) == 1 else f"{name} {k + 1}".strip()
        artists[label or "loss"] = _curve(ax, run, k, lane, label, len(curves))
    every = np.concatenate([np.asarray(run.losses, float).ravel() for run in named.values()])
    every = every[np.isfinite(every)]
    wide = every.size > 0 and every.min() > 0 and every.max() > 10 * every.min()
    if height == "log" or (height == "auto" and wide):
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel=f"loss ({ax.get_yscale()})")
    if 1 < len(curves) <= LANES:
        ax.legend()
    return Picture(ax, artists, f"Loss of the whole landscape at every recorded step, "
                   f"{ax.get_yscale()} height.", own)  # fmt: skip


def profile(profile: Profile, ax: Axes | None = None, *, caption: bool = True) -> Picture:
    """Draw the heights along a line through weight space.

    Gaps are cells that are not finite or not surveyed yet.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> line = tl.Line.between(np.array([3.0, 2.0]), np.array([-2.805, 3.131]))
    >>> tl.draw.profile(tl.profile(tl.formulas.himmelblau, line, resolution=51))
    Picture(profile, caption)
    """
    ax, own = axes(ax, (6.4, 4.0))
    heights = np.where(profile.done & np.isfinite(profile.loss), profile.loss, np.nan)
    (line,) = ax.plot(profile.t, heights, color=PALETTE[1], marker="", linestyle="-")
    ax.set(xlabel=profile.line.label, ylabel="loss (linear)")
    artists: dict[str, Any] = {"profile": line}
    text = profile.line.describe()
    if caption:
        artists["caption"] = caption_below(ax, text, own)
    return Picture(ax, artists, text, own)


def _named(walk: Any) -> dict[str, Any]:
    if isinstance(walk, Mapping):
        return dict(walk)
    if hasattr(walk, "losses"):
        return {"": walk}
    return {f"run {k + 1}": run for k, run in enumerate(walk)}


def _walkers(run: Any) -> int:
    return int(np.prod(np.shape(run.losses)[1:]))


def _curve(ax: Axes, run: Any, k: int, lane: int, label: str, count: int) -> Any:
    height = np.asarray(run.losses, float).reshape(len(run.steps), -1)[:, k]
    few = count <= LANES
    (line,) = ax.plot(
        run.steps,
        height,
        label=label,
        color=PALETTE[lane % 6],
        dashes=(DASHES[lane % 6] or (None, None)) if few else (None, None),
        linewidth=None if few else 0.7,
        marker=MARKERS[lane % 6] if few and count > 1 else "",
        markevery=max(1, len(run.steps) // 8),
    )
    last = np.flatnonzero(np.isfinite(height))
    if np.ravel(run.diverged)[k] and last.size:
        ax.plot(run.steps[last[-1]], height[last[-1]], marker="X", markersize=9,
                color=PALETTE[lane % 6], linestyle="")  # fmt: skip
    return line
