"""What the `Descent` panel paints on: a map, a loss curve, a regime strip, a parabola.

The parabola takes the curve's place when it is asked for; everything else stays where it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_landscape.draw import Scene, contour, style
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.surfaces import height_bar
from tinygrad_landscape.panels import parabola, strip
from tinygrad_landscape.panels.ground import walked
from tinygrad_landscape.surveying import Surface

VEIL = "The loss curve appears here\nwith your first Play or Step."
BLUE, CASING = "#0072B2", "#10151c"


def descent_scene(
    surface: Surface, height: Heights, paper: str, steps: int, reach: float,
    rates: tuple[float, float] | None,
) -> Scene:  # fmt: skip
    """The scene of a walk over `surface`; `rates` are the ends of its strip, None for no strip,
    and `reach` the unit of the parabola's axis."""
    from matplotlib.figure import Figure

    with style(paper) as chosen:
        high = 1.25 * chosen.scale if rates else 0.0
        figure = Figure(figsize=(10.0, 4.6 + high), layout="constrained")
        grid = figure.add_gridspec(2 if high else 1, 2, width_ratios=(1.2, 1.0),
                                   height_ratios=(0.3, 4.6) if high else None)  # fmt: skip
        over, curve, bend = (figure.add_subplot(grid[-1, k]) for k in (0, 1, 1))
        axes = {"map": over, "curve": curve, "bend": bend}
        if rates:
            axes["strip"] = figure.add_subplot(grid[0, :])
            strip.dress(axes["strip"], *rates)
        map_ = contour(surface, ax=over, height=height.scale, caption=False)
        height_bar(over, map_["map"], height)
        over.set_title(" ")  # the readout stands here
        _dress_curve(curve, surface, steps)
        parabola.dress(bend, reach)
    scene = Scene(figure, axes, paper)
    size = chosen.scale
    white: dict[str, Any] = {"follow": True, "colors": ["#ffffff"], "casing": CASING}
    scene.add("walk", "polyline", "map", dots=1.7, ghost=0.5, width=1.4 * size, **white)
    scene.add("arrow", "arrow", "map", width=2.4 * size, **white)
    scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
    scene.add("ball", "ball", "map", follow=True, size=13.0 * size)
    scene.add("curve", "polyline", "curve", follow=True, ghost=0.4, width=2.0 * size,
              colors=["#56B4E9" if paper == "dark" else BLUE])  # fmt: skip
    scene.add("cursor", "ball", "curve", follow=True, size=11.0 * size)
    scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
              size=14.0 * size, template="step {0}   loss {1}")  # fmt: skip
    if rates:
        strip.add(scene, chosen)
    parabola.add(scene, chosen)
    scene.spec()  # finds every axes its place while all are there
    turn(scene, bent=False)
    return scene


def turn(scene: Scene, bent: bool) -> None:
    """Show the parabola (`bent`) or the loss curve; the scene's background is to be drawn anew."""
    scene.axes["bend"].set_visible(bent)
    scene.axes["curve"].set_visible(not bent)
    scene.veil("curve", None if bent else VEIL)
    for name in ("curve", "cursor") if bent else parabola.LAYERS:
        scene.set(name, [])


def _dress_curve(ax: Any, surface: Surface, steps: int) -> None:
    finite = surface.loss[np.isfinite(surface.loss)]
    low, high = float(finite.min()), float(finite.max())
    if low >= 0.0:  # an exact zero on the map must not stretch the curve to nothing
        ax.set(yscale="log", ylim=(max(0.5 * low, 1e-6 * high), 2.0 * high))
    else:
        room = 0.05 * (high - low)
        ax.set(ylim=(low - room, high + room))
    ax.set(xlim=walked(steps), xlabel="step", ylabel=f"loss ({ax.get_yscale()})")
