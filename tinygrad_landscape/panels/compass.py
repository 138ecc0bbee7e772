"""`Ravine(preset="compass")`: how far minus the gradient points past the minimum, all round it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.draw.style import DASHES
from tinygrad_landscape.panels import relief
from tinygrad_landscape.panels.ravine import CASING, ORANGE, Ravine

TURNS = 120  # frames once round the minimum
FINE = 36000  # directions of which the median and the worst are taken
DRAWN = 60  # every so many of them is a corner of the curve


class Compass(Ravine):
    """See `Ravine`, preset "compass"."""

    def _sentence(self) -> str:
        return (
            f"At condition number {said(self.condition)}, minus the gradient points "
            f"{_degrees(self._angles[0])} past the minimum here; over all directions round the "
            f"minimum the median is {_degrees(np.median(self._all))} and the worst "
            f"{_degrees(self._all.max())}."
        )

    # Computing ----------------------------------------------------------------------------------

    def _work(self, seconds: float) -> bool:
        away = self._start - self._lowest
        turn = np.arctan2(away[1], away[0]) + np.linspace(0.0, 2.0 * np.pi, TURNS + 1)
        self._ring, self._angles, self._down = self._measured(turn, float(np.linalg.norm(away)))
        self._turn = np.degrees(turn) % 360.0
        self._fine = np.linspace(0.0, 2.0 * np.pi, FINE + 1)
        self._all = self._measured(self._fine, float(np.linalg.norm(away)))[1]
        return True

    def _measured(self, turn: NDArray, far: float) -> tuple[NDArray, NDArray, NDArray]:
        """Places on a circle round the minimum, the angles in degrees, and minus the gradient."""
        out = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        places = self._lowest + far * out
        down = -self._inside.gradient(places - self._origin)
        down /= np.maximum(np.linalg.norm(down, axis=-1, keepdims=True), 1e-300)
        return places, np.degrees(np.arccos(np.clip(-(down * out).sum(-1), -1.0, 1.0))), down

    def _show(self) -> None:
        scene, ring = self.player.scene, self._ring
        words = self._set_map()
        size = 0.35 * float(np.min(self._frame[1] - self._frame[0])) / 2.0
        scene.set("ball", ring)
        scene.set("arrow", np.concatenate([ring, size * self._down], axis=-1))
        scene.set("way", np.stack([ring, np.broadcast_to(self._lowest, ring.shape)], axis=1))
        scene.set("arc", self._arcs(0.45 * size))
        scene.set("readout", self._angles[:, None])
        scene.set("angles", np.stack([np.degrees(self._fine), self._all], axis=-1)[::DRAWN])
        scene.set("cursor", np.stack([self._turn, self._angles], axis=-1))
        scene.set("summary", [np.median(self._all), self._all.max()])
        words += (
            " The arrow shows a direction only, not a length. Play goes once round the minimum."
        )
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _arcs(self, radius: float) -> NDArray:
        """The angle drawn at the ball, 16 corners, from minus the gradient to the way."""
        way = self._lowest - self._ring
        first, last = (np.arctan2(v[:, 1], v[:, 0]) for v in (self._down, way))
        by = (last - first + np.pi) % (2.0 * np.pi) - np.pi
        turn = first[:, None] + by[:, None] * np.linspace(0.0, 1.0, 16)
        return self._ring[:, None] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.6), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.2))
            self._map(over)
            beside.set(xlim=(0, 360), ylim=(0, 180 if self.landscape else 95), title=" ",
                       xticks=range(0, 361, 90), xlabel="the ball's direction from the minimum (°)",
                       ylabel="angle to the minimum (°)")  # fmt: skip
        scene, size = Scene(figure, {"map": over, "angle": beside}, paper), chosen.scale
        line: dict[str, Any] = {"dash": list(DASHES[1]), "width": 2.0 * size}
        relief.add(scene, "map")
        scene.add("way", "curve", "map", follow=True, colors=["#ffffff"], casing=CASING, **line)
        scene.add("arc", "curve", "map", follow=True, colors=["#ffffff"], width=1.4 * size)
        scene.add("lowest", "marker", "map", shapes=["D"], size=10.0 * size, edge=CASING)
        scene.add("arrow", "arrow", "map", follow=True, colors=["#ffffff"], casing=CASING,
                  width=2.4 * size)  # fmt: skip
        scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
        scene.add("ball", "ball", "map", follow=True, colors=[ORANGE], size=13.0 * size)
        text: dict[str, Any] = {"color": chosen.ink, "size": 14.0 * size, "at": [0.0, 1.02]}
        scene.add("readout", "text", "map", follow=True, template="{0}° off", **text)
        scene.add("angles", "polyline", "angle", colors=[chosen.accents[1]], width=2.0 * size)
        scene.add("cursor", "ball", "angle", follow=True, colors=[ORANGE], size=12.0 * size)
        scene.add("summary", "text", "angle", template="median {0}°, worst {1}°", **text)
        scene.veil(
            "angle", "The angle all round the minimum appears here\nwith your first Play or Step."
        )
        return scene


def _degrees(angle: float) -> str:
    return f"{angle:.1f}°"
