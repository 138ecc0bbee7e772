"""What every player of a scene shares, and the choice between them.

A player shows a `draw.Scene` and lets hands, keys and the clock move its frame. `Stage` paints on a
canvas in the browser; `ImageStage` blits whole pictures in Python, for places where third-party
widget code cannot load. Everything that changes is a trait: the newest value wins, nothing queues.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import traitlets as t

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.engine.errors import ParameterError

PLAYERS = ("auto", "canvas", "image")

_chosen = "auto"


def use(player: str) -> None:
    """Choose how panels made from now on are shown.

    Args:
        player: "canvas" (an anywidget; its start can be dragged), "image" (ipywidgets alone, where
            third-party widgets cannot load), or "auto": canvas where anywidget is installed.

    Raises:
        ParameterError: for another word, or for "canvas" without anywidget.

    >>> use("image"), use("auto")
    (None, None)
    """
    global _chosen
    if player not in PLAYERS:
        raise ParameterError(f"got player {player!r}; expected one of {', '.join(PLAYERS)}")
    if player == "canvas" and not _has_anywidget():
        raise ParameterError("the canvas player needs anywidget; `pip install anywidget`")
    _chosen = player


def on_stage(scene: Scene, **settings: Any) -> Player:
    """A player for `scene`: the player chosen by `use`, or the best one that is installed.

    Args:
        scene: what to show.
        settings: `drag=`, the layer whose point a hand may move; `seek=`, the layer whose curve a
            hand may run along; `lasso=`, the layer that a hand may draw anew as a closed loop;
            `bands=`, the layer of bands along which a hand (or a key, 1 to 4) sets a value; and any
            trait of `Player`.
    """
    if _chosen == "image" or (_chosen == "auto" and not _has_anywidget()):
        from tinygrad_landscape.panels.image import ImageStage

        return ImageStage(scene, **settings)
    from tinygrad_landscape.panels.stage import Stage

    return Stage(scene, **settings)


class Player(t.HasTraits):
    """What both players have.

    Front ends write `frame`, `playing`, `speed`, `start`, `loop`, `dial`, `dragging`, `revealed`,
    `resting` and `resets`; the kernel writes the rest, and shows changed data by `update()`.
    """

    frame = t.Int(0, help="the moment shown, 0 .. frames - 1")
    frames = t.Int(1, help="how many moments there are")
    playing = t.Bool(False, help="whether the frame advances by itself")
    speed = t.Float(10.0, help="frames a second")
    start = t.List(t.Float(), [0.0, 0.0], help="where the draggable point is, in data coordinates")
    loop = t.List(t.List(t.Float()), help="the closed loop a hand drew last, in data coordinates")
    dial = t.Float(0.0, help="the value that is marked along the layer of bands")
    dragging = t.Bool(False, help="whether a hand holds something just now")
    revealed = t.Bool(False, help="whether the veils are lifted")
    resting = t.Bool(True, help="whether the end is shown because nobody chose a frame")
    resets = t.Int(0, help="goes up by one whenever Reset is pressed")
    sentence = t.Unicode("", help="the answer in words, under the picture")
    honesty = t.Unicode("", help="what the picture shows and leaves out")
    label = t.Unicode("Picture", help="the picture's name for screen readers")

    scene: Scene
    _roles: dict[str, str | None]

    def update(self, **words: Any) -> None:
        """Show the scene's layers as they are now, together with any traits in one message."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Show the scene's background as it is now (after what stands still was drawn anew)."""
        raise NotImplementedError

    def png(self) -> bytes:
        """What is to be seen now, as a PNG file."""
        self.scene.frame = self.frame
        self.scene.veiled = not self.revealed
        return self.scene.png()


def _has_anywidget() -> bool:
    return importlib.util.find_spec("anywidget") is not None
