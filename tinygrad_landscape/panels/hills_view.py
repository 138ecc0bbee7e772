"""The map's other face: the same ground as hills that a hand can turn, in the map's own place.

It is made when it is first asked for, and follows the stage's frame in the browser, so that map,
curve, arrows and hills have one cursor. Where there is no canvas there is no toggle either.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.panels.image import ImageStage
from tinygrad_landscape.panels.panel import shown
from tinygrad_landscape.panels.player import Player

if TYPE_CHECKING:
    from tinygrad_landscape.panels.surface3d import Surface3d
    from tinygrad_landscape.surveying import Surface

HIGHER, FARTHER = 6.5, 3.0  # pixels: the map's topmost number, and the air around the curve


class HillsView:
    """A toggle, and a stage on which hills can cover the map.

    Attributes:
        toggle: a control, True while the hills are seen.
        stage: the player with the cover, to be laid out in the player's place.
        hills: the `Surface3d`, None until it is first asked for.
    """

    def __init__(self) -> None:
        self.hills: Surface3d | None = None
        self.toggle = ipywidgets.ToggleButton(
            value=False, description="3-D", tooltip="The map as hills to be turned",
            layout={"width": "64px"},
        )  # fmt: skip
        self._cover = ipywidgets.VBox(layout={"overflow": "visible"}).add_class("tgl-cover")

    def open(self, player: Player, over: str, beside: str | None) -> Any:
        """Lay the cover over the axes `over` of the player's scene, as far as the axes `beside`;
        give what is to be laid out instead of the player."""
        self._player, spec = player, player.scene.spec()
        if isinstance(player, ImageStage) or importlib.util.find_spec("anywidget") is None:
            shown(self.toggle, False)
            return player
        axes = {each["name"]: each for each in spec["axes"]}
        width, bottom = spec["width"], axes[over]["veil_box"][3]
        top = axes[over]["box"][1] - HIGHER * spec["scale"]
        right = axes[beside]["veil_box"][0] + FARTHER if beside else width
        self._aspect = right / (bottom - top)
        self._cover.layout.width = f"{100 * right / width:.2f}%"
        self._cover.layout.margin = f"{100 * top / width:.2f}% 0 0 0"
        shown(self._cover, False)
        stage = ipywidgets.VBox([player, self._cover], layout={"overflow": "visible"})
        return stage.add_class("tgl-pair")

    def show(self, surface: Surface, inside: NDArray, losses: NDArray, heights: Heights) -> None:
        """Show ground and walk as hills, if the toggle says so.

        Args:
            surface: the ground.
            inside: the walk in the coordinates of the surface's plane, `(R, 2)`.
            losses: its losses `(R,)`.
            heights: the scale of the map.
        """
        seen = self.toggle.value and not isinstance(self._player, ImageStage)
        shown(self._cover, seen)
        if not seen:
            return
        unknown = np.full(len(losses), np.nan)
        walk = Trajectory(
            surface.plane.point(*inside.T), losses, unknown, unknown[1:],
            np.arange(len(losses)), np.array(-1),
        )  # fmt: skip
        if self.hills is None:
            from tinygrad_landscape.panels.surface3d import Surface3d

            self.hills = Surface3d(
                surface, walk, self._player, height=heights.scale, aspect=self._aspect,
                style=self._player.scene.style.name,
            )  # fmt: skip
            self._cover.children = [self.hills]
        else:
            self.hills.show(walk, surface, heights.scale)
