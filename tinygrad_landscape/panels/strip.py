"""The regime strip: how a walk from this start goes, for every learning rate of the slider.

Colour, word and hatch say the same thing three times; a number leads to a telling rate, by its key
or by a button. The triangles mark the rate that is walked, the dashed line the measured cliff.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.style import Style
from tinygrad_landscape.panels.regimes import WORDS

COLORS = ["#56B4E9", "#009E73", "#E69F00", "#D55E00", "#BBBBBB"]
LETTERS = ["1 creeps", "2 converges", "3 bounces", "4 diverges", "level ground: no step moves"]
HATCHES = [-1, 0, 2, 1, 0]
TITLE = "how the walk from this start goes, at every learning rate"
CASING = "#10151c"


def dress(ax: Any, low: float, high: float) -> None:
    """Make an axes the strip's: one log axis of learning rates."""
    from matplotlib.ticker import FuncFormatter

    ax.set(xscale="log", xlim=(low, high), ylim=(0.0, 1.0), yticks=[])
    ax.set_xlabel("learning rate (log)", labelpad=1.0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_title(TITLE, loc="left", fontsize="medium", pad=6.0)
    ax.spines["left"].set_visible(False)


def add(scene: Scene, paper: Style) -> None:
    """Add the strip's layers to the axes called "strip"."""
    size = paper.scale
    scene.add("bands", "bands", "strip", colors=COLORS, words=LETTERS, hatches=HATCHES,
              size=13.0 * size, ink=CASING)  # fmt: skip
    scene.add("cliff", "polyline", "strip", colors=[CASING], dash=[4.0, 2.0],
              width=1.8 * size)  # fmt: skip
    scene.add("rate", "marker", "strip", shapes=["v", "^"], colors=["#ffffff"], edge=CASING,
              size=11.0 * size)  # fmt: skip
    scene.add("cliff words", "text", "strip", at=[1.0, 1.2], align="right", color=paper.ink,
              size=13.0 * size, template="dashed: the cliff of this minimum, {0}")  # fmt: skip


def show(scene: Scene, bands: NDArray[np.float64], lr: float, cliff: float) -> None:
    """Put bands, the rate that is walked and the cliff (NaN for none) on the strip."""
    scene.set("bands", bands)
    scene.set("rate", [[lr, 1.0], [lr, 0.0]])
    scene.set("cliff", [[cliff, 0.0], [cliff, 1.0]])
    scene.set("cliff words", [cliff])


class Snaps:
    """Four buttons, one for each regime; each leads to the telling rate of its band.

    Attributes:
        rates: the telling learning rate of each regime that is there, by its word.
        row: the buttons side by side.
    """

    def __init__(self, choose: Callable[[float], Any]) -> None:
        self.rates: dict[str, float] = {}
        self._buttons = [
            ipywidgets.Button(description=word, layout={"width": "auto"}) for word in LETTERS[:4]
        ]
        for word, button in zip(WORDS, self._buttons, strict=False):
            button.on_click(lambda _, word=word: choose(self.rates[word]))
        self.row = ipywidgets.HBox(self._buttons, layout={"flex_flow": "row wrap"})

    def take(self, bands: NDArray[np.float64]) -> None:
        """Learn the telling rates from the bands."""
        marked = bands[np.isfinite(bands[:, 3])]
        self.rates = {WORDS[int(kind)]: float(rate) for kind, rate in marked[:, 2:]}
        for word, button in zip(WORDS, self._buttons, strict=False):
            rate = self.rates.get(word)
            button.disabled = rate is None
            button.tooltip = "nowhere here" if rate is None else f"learning rate {rate:g}"
