"""A walk as a moving picture: the map and the loss curve, with one cursor for both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.picture import caption_below
from tinygrad_landscape.draw.scene import Scene
from tinygrad_landscape.draw.style import MARKERS, PALETTE, Style, current
from tinygrad_landscape.draw.surfaces import CASING, contour, height_bar, honesty, walk_on
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tinygrad_landscape.descent import Trajectory
    from tinygrad_landscape.surveying import Surface

SIZE = (10.0, 5.0)  # inches at 100 dots
DECADES = 8  # how far down a curve of losses is followed
CROWD = 24  # more walkers than this leave no paths, which would hide the map


def animate(
    surface: Surface,
    walk: Trajectory,
    path: str | os.PathLike[str] = "walk.gif",
    *,
    height: str = "auto",
    clip: float | None = None,
    fps: float = 20.0,
    progress: bool = False,
) -> Path:
    """Write a film of a walk over a surface, one frame for every recorded point.

    Args:
        surface, height, clip: as for `contour`.
        walk: a Trajectory of one walker or many (more than 24 leave no paths behind them);
            `walk[::10]` makes a long film short.
        path: .gif plays everywhere; .mp4 needs ffmpeg; .html is one page without network that can
            be stepped, scrubbed and driven by keys.
        fps: frames a second.
        progress: show a bar.

    Returns:
        The path written. The look follows matplotlib's rcParams, or `with tl.draw.style("dark"):`.

    Raises:
        ParameterError: for another ending, or .mp4 where ffmpeg is missing.

    >>> import tempfile, tinygrad_landscape as tl
    >>> L = tl.formulas.himmelblau
    >>> surface = tl.survey(L, None, extent=5.0, resolution=21)
    >>> walk = tl.descend(L, [0.0, 0.0], tl.optim.SGD(lr=0.01), steps=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tl.draw.animate(surface, walk, folder + "/walk.gif").stat().st_size > 1000
    True
    """
    scene = walk_scene(surface, walk, height=height, clip=clip)
    scene.save(path, fps=fps, progress=progress)
    return Path(path)


def walk_scene(
    surface: Surface, walk: Trajectory, *, height: str = "auto", clip: float | None = None
) -> Scene:
    """The scene of a walk: layers "walk" and "ball" on the axes "map", "curve" and "cursor" on the
    axes "curve", and a "readout" above the map. Colours and sizes follow rcParams.

    >>> import tinygrad_landscape as tl
    >>> L = tl.formulas.himmelblau
    >>> surface = tl.survey(L, None, extent=5.0, resolution=21)
    >>> walk = tl.descend(L, [0.0, 0.0], tl.optim.SGD(lr=0.01), steps=5)
    >>> walk_scene(surface, walk).frames
    6
    """
    from matplotlib.figure import Figure

    if not hasattr(walk, "losses"):
        raise ParameterError(f"got {type(walk).__name__}; expected a Trajectory from tl.descend")
    paper, places = current(), walk_on(surface.plane, walk)
    scale = Heights.of(surface.loss[surface.done], height, clip)
    figure = Figure(figsize=(SIZE[0], SIZE[1] * paper.scale**0.4), layout="constrained")
    over, beside = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    map_ = contour(surface, ax=over, height=scale.scale, clip=clip, caption=False)
    height_bar(over, map_["map"], scale)
    over.set_title(" ", pad=9.0 * paper.scale)  # the readout stands here
    losses = np.asarray(walk.losses, float).reshape(len(walk), -1)
    _curve_axes(beside, losses, int(walk.steps[-1]))
    caption_below(over, honesty(surface, walk, scale), own=True)
    scene = Scene(figure, {"map": over, "curve": beside}, paper)
    _add_layers(scene, places.shape[1], paper)
    curve = np.stack([np.broadcast_to(walk.steps[:, None], losses.shape), losses], axis=-1)
    paths = places if places.shape[1] <= CROWD else np.empty((0, 1, 2))
    for name, data in (("walk", paths), ("ball", places), ("curve", curve), ("cursor", curve)):
        scene.set(name, data)
    scene.set("readout", np.column_stack([walk.steps, losses[:, 0]]))
    return scene


def _add_layers(scene: Scene, walkers: int, paper: Style) -> None:
    size, one = paper.scale, walkers == 1
    colors, shapes = list(PALETTE), list(MARKERS)
    path = ["#ffffff"] if one else colors
    line = [paper.accents[1]] if one else colors
    few = walkers <= len(PALETTE)
    scene.add("walk", "polyline", "map", follow=True, colors=path, casing=CASING if few else None,
              width=(1.8 if few else 0.9) * size, dots=2.0 if one else 0.0)  # fmt: skip
    scene.add("ball", "ball", "map", follow=True, colors=colors, shapes=shapes,
              size=(13.0 if few else 8.0) * size)  # fmt: skip
    scene.add("curve", "polyline", "curve", follow=True, colors=line, ghost=0.3,
              width=(2.0 if few else 0.8) * size)  # fmt: skip
    scene.add("cursor", "ball", "curve", follow=True, colors=colors, shapes=shapes,
              size=(11.0 if few else 7.0) * size)  # fmt: skip
    scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=paper.ink,
              size=14.0 * size, template="step {0}   loss {1}" if one else "step {0}")  # fmt: skip


def _curve_axes(ax: Axes, losses: Any, steps: int) -> None:
    """Frozen axes for the losses: log where they are positive, down to the eighth decade."""
    known = losses[np.isfinite(losses)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if low >= 0.0 and high > 0.0:
        ax.set(yscale="log", ylim=(max(0.5 * low, high / 10**DECADES), 2.0 * high))
    else:
        room = 0.05 * (high - low) or 1.0
        ax.set(ylim=(low - room, high + room))
    ax.set(xlim=(0, max(1, steps)), xlabel="step", ylabel=f"loss ({ax.get_yscale()})")
