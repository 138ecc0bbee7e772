"""The vital signs of a run: what it shows of itself while it trains, look after look.

They are plain arrays that `watch` takes and `diagnosis` reads, and the one question that both ask:
does the loss still fall?
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .results import Result

Array = NDArray[Any]

LOOKS = 10  # the fewest looks that a window holds
SHARE = 0.3  # of all looks so far that a window holds, so that slow laws of decay count as falling
STILL = 0.01  # a loss that falls by less than this over a window stands still
ROOM = 0.05  # a loss that could fall by this much has room below


@dataclass(frozen=True, eq=False)
class Vitals(Result):
    """What was seen of one walk at R looks; every array is `(R,)`, NaN where nothing was measured.

    - `steps`, `losses`, `gradient_norms`: of the full landscape, as in a `Trajectory`.
    - `validation_losses`, `validation_accuracies`: on the validation data, if there are any (and
      labels).
    - `turns`: the mean cosine between successive steps since the last look, -1 to 1.
    - `travelled`: the length of the way so far; `lengths`: of the weights, as a vector.
    - `sharpness`, `lowest`: the ends of the Hessian's spectrum; `thresholds`: the sharpness at
      which the optimizer begins to swing, where one number says it.
    - `dead`: the share of units that pass no gradient on, in the layer that has most of them.
    - `between`: the loss half-way between the last two points.
    - `ahead`, `ahead_at`: how far the loss falls along the negative gradient (a share of it), and
      the distance of the lowest place.
    - `aside`: the distance along the direction of most negative curvature at which the loss has
      fallen by 5 %; `swell`: above 1 if curvature, and not the slope, is what leads down there.

    - `around`: where there is no slope, the largest fall found in 16 random directions, a share.

    `fell` is the step at which the walk diverged, or -1.
    """

    steps: Array
    losses: Array
    gradient_norms: Array
    validation_losses: Array
    validation_accuracies: Array
    turns: Array
    travelled: Array
    lengths: Array
    sharpness: Array
    lowest: Array
    thresholds: Array
    dead: Array
    between: Array
    ahead: Array
    ahead_at: Array
    aside: Array
    swell: Array
    around: Array
    fell: int = -1

    def __len__(self) -> int:
        return len(self.steps)

    def describe(self) -> str:
        """Say what was watched; what it means is `tl.diagnose`'s to say."""
        held = "with" if np.isfinite(self.validation_losses).any() else "without"
        text = f"{len(self)} looks at {int(self.steps[-1])} steps, {held} validation data"
        return text + f", loss {self.losses[0]:.4g} to {self.losses[-1]:.4g}."

    def __repr__(self) -> str:
        return f"Vitals({self.describe()[:-1]})"


COLUMNS = tuple(field.name for field in fields(Vitals) if field.name != "fell")


def window(looks: int) -> int:
    """How many of so many looks tell whether the loss still falls."""
    return max(LOOKS, math.ceil(SHARE * looks))


def fall(losses: Array) -> float:
    """The share by which the loss fell over the last window; infinite while that is too early to
    say. Thirds of the window are averaged, so that noise weighs little."""
    if len(losses) <= LOOKS:
        return math.inf
    recent = np.asarray(losses[-window(len(losses)) :], float)
    third = len(recent) // 3
    before, after = float(recent[:third].mean()), float(recent[-third:].mean())
    return (before - after) / abs(before) if before else 0.0
