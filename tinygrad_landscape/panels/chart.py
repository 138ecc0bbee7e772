"""A chart at the bedside: what was seen of a run, judged at every look, and drawn as a strip.

A `Chart` holds a `Watch` and a `Diagnosis` for every look, and draws the losses with the state
above them. `Charted` is what the panels that keep one have in common: a sentence for each moment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.panels import timelines
from tinygrad_landscape.panels.panel import Panel
from tinygrad_landscape.panels.timelines import Span
from tinygrad_landscape.surveying.diagnosis import FINE, STATES, Diagnosis, diagnose
from tinygrad_landscape.surveying.pulse import Vitals
from tinygrad_landscape.surveying.watch import Watch


class Chart:
    """A watch, and what its looks mean."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._found: dict[float, Diagnosis] = {}

    def __len__(self) -> int:
        return len(self.watch)

    @property
    def steps(self) -> list[float]:
        """The steps of all looks."""
        return self.watch.rows["steps"]

    def judge(self) -> None:
        """Find a diagnosis for every look that has none yet."""
        seen, steps = self.watch.vitals, self.steps
        for k, step in enumerate(steps):
            if step not in self._found or (k == len(steps) - 1 and seen.fell >= 0):
                self._found[step] = diagnose(seen, k)

    def _step(self, frame: int) -> float:
        return self.steps[min(frame, len(self) - 1)]

    def at(self, frame: int) -> Diagnosis:
        """The diagnosis of a look; beyond the last, of that."""
        return self._found[self._step(frame)]

    def sentence(self, frame: int) -> str:
        """The same in words; what is known before it was judged."""
        step = self._step(frame)
        if step in self._found:
            return self._found[step].describe()
        loss = self.watch.rows["losses"][min(frame, len(self) - 1)]
        return f"Step {int(step)}, loss {said(loss)}; the curvature is still being measured."

    def column(self, name: str) -> NDArray[Any]:
        """One of the vital signs, `(R,)`."""
        return np.array(self.watch.rows[name])

    @property
    def when(self) -> NDArray[Any]:
        """The looks as shares of the time so far."""
        return self.column("steps") / max(self.steps[-1], 1.0)

    def put_losses(self, scene: Scene) -> Span:
        """Show the losses and the state of every moment; give the range of heights."""
        losses, held = self.column("losses"), self.column("validation_losses")
        span = Span.of(losses, held)
        timelines.put_series(scene, "loss", span, self.when, self.steps[-1], losses, held)
        states = [self._found[step].state if step in self._found else "" for step in self.steps]
        for k, words in enumerate(STATES):
            scene.set(f"state {k}", [[0.0 if one == words else np.nan] for one in states])
        alarm = np.array([0.0 if one in STATES[len(FINE) :] else np.nan for one in states])
        scene.set("alarm", np.stack([self.when, alarm], axis=-1))
        scene.set("readout", np.stack([self.column("steps"), losses], axis=-1))
        return span


class Charted(Panel):
    """A panel whose frames are the looks at a run."""

    _chart: Chart

    @property
    def vitals(self) -> Vitals:
        """The vital signs of all looks so far."""
        self.settle()
        return self._chart.watch.vitals

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis at the moment shown."""
        self.settle()
        return self._chart.at(self.player.frame)

    def describe(self) -> str:
        """The diagnosis at the moment shown, its evidence, and what would help."""
        self.settle()
        return self._chart.sentence(self.player.frame)

    def reset(self) -> None:
        """Go back to the opening state; the same run is seen again."""
        super().reset()
        self.player.revealed = True

    def _coming(self) -> str:
        """The sentence of the moment that `_present` is about to show."""
        follows = self._wanted is None and not self.player.playing
        wanted = self.player.frame if self._wanted is None else self._wanted
        return self._chart.sentence(len(self._chart) - 1 if follows else wanted)

    def _turned(self, change: Any) -> None:
        super()._turned(change)
        if not self._deaf:
            self.player.sentence = self._chart.sentence(self.player.frame)


def add_losses(scene: Scene, over: str = "loss") -> None:
    """Add the layers that `Chart.put_losses` fills, to the axes called "loss"; step and loss are
    written above the axes `over`."""
    chosen, size = scene.style, scene.style.scale
    timelines.add_series(scene, "loss", 2)
    scene.add("alarm", "polyline", "loss", colors=[chosen.accents[0]], follow=True, ghost=0.35,
              width=5.0 * size)  # fmt: skip
    scene.add("readout", "text", over, follow=True, at=[0.0, 1.04], color=chosen.ink,
              size=14.0 * size, template="step {0}   loss {1}")  # fmt: skip
    for k, state in enumerate(STATES):
        color = chosen.ink if state in FINE else chosen.accents[0]
        scene.add(f"state {k}", "text", "loss", follow=True, at=[1.0, 1.04], align="right",
                  color=color, size=15.0 * size, template=state)  # fmt: skip
