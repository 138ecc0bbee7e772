"""The image player: whole pictures, blitted in Python, in plain ipywidgets.

It is for places where third-party widget code cannot load. The start cannot be dragged here (an
image hears no pointer); it is typed into its number boxes instead.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.panels.player import Player


class ImageStage(ipywidgets.VBox, Player):
    """Blitted pictures in an `ipywidgets.Image`, with ipywidgets' own Play for a clock."""

    def __init__(
        self,
        scene: Scene,
        drag: str | None = None,
        seek: str | None = None,
        lasso: str | None = None,
        bands: str | None = None,
        **traits: Any,
    ) -> None:
        self.scene, self._roles = scene, {"drag": drag, "seek": seek, "bands": bands}
        width, _ = scene.size
        self._image = ipywidgets.Image(
            format="png", layout={"width": f"{width}px", "max_width": "100%"}
        )
        self._clock = ipywidgets.Play(description="Play", show_repeat=False)
        self._scrub = ipywidgets.IntSlider(description="Step", layout={"flex": "1 1 auto"})
        back = ipywidgets.Button(icon="step-backward", tooltip="One step back")
        forward = ipywidgets.Button(icon="step-forward", tooltip="One step forward")
        reset = ipywidgets.Button(icon="refresh", tooltip="Reset")
        for each in (back, forward, reset):
            each.layout.width = "40px"
        self._words = ipywidgets.HTML()
        row = ipywidgets.HBox([self._clock, back, forward, self._scrub, reset])
        super().__init__([self._image, row, self._words], layout={"max_width": "100%"})
        self.add_class("tgl-stage")
        self.set_trait("speed", traits.pop("speed", self.speed))
        ipywidgets.jslink((self._clock, "value"), (self._scrub, "value"))
        self._scrub.observe(self._scrubbed, "value")
        self._clock.observe(self._ticked, "playing")
        back.on_click(lambda _: self._step(-1))
        forward.on_click(lambda _: self._step(1))
        reset.on_click(lambda _: self.set_trait("resets", self.resets + 1))
        self.observe(self._show, ["frame", "frames", "start", "revealed"])
        self.observe(self._say, "sentence")
        self.observe(self._show_clock, ["playing", "speed"])
        self.update(**traits)

    def update(self, **words: Any) -> None:
        with self.hold_trait_notifications():
            self.frames = self.scene.frames
            for name, value in words.items():
                self.set_trait(name, value)
            self.frame = min(self.frame, self.frames - 1)
        self._show()

    def redraw(self) -> None:
        self.scene.redraw()
        self._show()

    def _show(self, _: Any = None) -> None:
        self._clock.max = self._scrub.max = self.frames - 1
        self._clock.value = self._scrub.value = min(self.frame, self.frames - 1)
        self._image.value = self.png()
        self._say()

    def _say(self, _: Any = None) -> None:
        self._image.alt = f"{self.label}. {self.sentence}"
        self._words.value = _paragraphs(self.sentence, self.honesty)

    def _show_clock(self, _: Any = None) -> None:
        self._clock.interval = round(1000 / self.speed)
        self._clock.playing = self.playing
        if self.playing:
            self.revealed, self.resting = True, False
            if self.frame >= self.frames - 1:
                self.frame = 0

    def _scrubbed(self, change: Any) -> None:
        if change["new"] != self.frame:
            self.frame, self.revealed, self.resting = change["new"], True, False
        if self.playing and self.frame >= self.frames - 1:
            self.playing = False

    def _ticked(self, change: Any) -> None:
        self.playing = change["new"]

    def _step(self, by: int) -> None:
        self.playing = False
        here = 0 if by > 0 and self.resting else self.frame
        self.frame, self.revealed = min(max(0, here + by), self.frames - 1), True
        self.resting = False


def _paragraphs(sentence: str, honesty: str) -> str:
    text = f'<p class="tgl-sentence" role="status">{escape(sentence)}</p>'
    if honesty:
        text += (
            '<details class="tgl-honesty"><summary>What this picture shows, and what not'
            f"</summary><p>{escape(honesty)}</p></details>"
        )
    return text
