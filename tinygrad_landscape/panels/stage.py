"""The canvas player: an anywidget around `static/paint.js` and `static/stage.js`.

The background travels once; after that an update is one message with the layers' numbers, and Play
needs no message at all because the browser's own clock turns the frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets as t

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.panels.player import Player

STATIC = Path(__file__).parent / "static"
SHARED = tuple(name for name in Player.class_traits() if name in vars(Player))


class Stage(anywidget.AnyWidget, Player):
    """A scene in the browser; see the top of `static/stage.js` for what it puts on the page."""

    _esm = "\n".join((STATIC / f).read_text(encoding="utf-8") for f in ("paint.js", "stage.js"))
    _css = (STATIC / "stage.css").read_text(encoding="utf-8")

    spec = t.Dict().tag(sync=True)
    background = t.Bytes(b"").tag(sync=True)
    layers = t.Dict().tag(sync=True)
    turns = t.Int(0, help="how often a hand in the browser has chosen the frame").tag(sync=True)
    heard = t.Int(0, help="how many of these choices have arrived here").tag(sync=True)

    def __init__(
        self,
        scene: Scene,
        drag: str | None = None,
        seek: str | None = None,
        lasso: str | None = None,
        bands: str | None = None,
        **traits: Any,
    ) -> None:
        self.scene, self._roles = scene, {
            "drag": drag, "seek": seek, "lasso": lasso, "bands": bands,
        }  # fmt: skip
        limits = [limit for axes in scene.spec()["axes"] for limit in (axes["x"], axes["y"])]
        self._fine = any(abs(b - a) < 1e-3 * max(abs(a), abs(b)) for a, b, _ in limits)
        super().__init__(
            spec=scene.spec() | self._roles,
            background=scene.background(),
            layers=self._packed(),
            frames=scene.frames,
            **traits,
        )

    @t.observe("turns")
    def _hear(self, change: Any) -> None:
        self.heard = change["new"]

    @t.default("keys")
    def _default_keys(self) -> list[str]:
        return [*super()._default_keys(), *SHARED]

    def update(self, **words: Any) -> None:
        with self.hold_sync():
            self.layers = self._packed()
            self.frames = self.scene.frames
            for name, value in words.items():
                self.set_trait(name, value)

    def redraw(self) -> None:
        self.scene.redraw()
        with self.hold_sync():
            self.background = self.scene.background()
            self.spec = self.scene.spec() | self._roles

    def _packed(self) -> dict[str, dict[str, Any]]:
        return {
            layer.name: packed(layer.data, self._fine, layer.kind == "cells")
            for layer in self.scene.layers.values()
        }


def packed(array: np.ndarray, fine: bool, whole: bool = False) -> dict[str, Any]:
    """A layer's data as the canvas reads it: shape, type and bytes (float32, or 8 bytes a number if
    `fine`, or one if all are `whole` numbers 0 to 255)."""
    kind = np.dtype("u1" if whole else "<f8" if fine else "<f4")
    with np.errstate(over="ignore"):  # what fell off further than float32 reaches is infinitely far
        data = np.ascontiguousarray(array, dtype=kind).tobytes()
    return {"shape": list(array.shape), "type": kind.str[1:], "data": data}
