"""What ails a run, and what helps: vital signs read in a fixed order, the gravest first.

Every rule asks for two signs that do not come together in a healthy run. Sharpness near 2/lr is no
sign of anything: descent on full batches goes there by itself and stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError
from .pulse import LOOKS, ROOM, STILL, Vitals, fall, window
from .results import Result

STATES = (
    "healthy", "converged", "plateau", "near a saddle", "bouncing", "diverging", "overfitting",
    "dead units",
)  # fmt: skip
FINE = STATES[:2]  # these are no alarm

RISEN = 2.0  # times its first value: a loss this high and still rising diverges
OPPOSED = -0.5  # a mean cosine below this: the steps go to and fro
SPOILED = 1.25  # times its lowest value: a validation loss this high, while training still falls
LEARNED = 0.9  # times its value back then: a training loss this low has fallen since
SILENT = 2 / 3  # a share of dead units in one layer that explains a loss that stands still
CUT = 0.95  # a share through which hardly a gradient comes, whatever the loss does
NEAR = 2.0  # a lower place within so many windows' way is within reach of the noise
SHORT = 40.0  # so many windows like the last one do not lead to the lower place ahead
CALM = 0.03  # of its largest: a gradient this small is that of a critical point nearby
BENT = 0.6  # so much of the way down beside has to be the curvature's doing
LOWER = 0.1  # a loss this much lower half-way between two points lies across a valley
AHEAD = 0.2  # a loss this much lower straight ahead is worth the way
PATIENCE = 5  # looks in a row at which the loss has to stand still
SYMMETRY = "Equal or zero weights at the start never leave by themselves: break the symmetry."
DONE = 1e-3  # of its first value: a loss this low has nothing left to fall to


@dataclass(frozen=True, eq=False)
class Diagnosis(Result):
    """The state of a run at `step`, the numbers that say so, and what would help.

    `state` is "healthy", "converged", or an `alarm`: "plateau", "near a saddle", "bouncing",
    "diverging", "overfitting" or "dead units". `evidence` has the numbers by name, `finding` and
    `remedy` are sentences.
    """

    state: str
    step: int
    evidence: dict[str, float]
    finding: str
    remedy: str

    @property
    def alarm(self) -> bool:
        """Whether something should be changed."""
        return self.state not in FINE

    def describe(self) -> str:
        """Say what it is, how one sees it, and what helps."""
        return f"Step {self.step}, {self.state}: {self.finding} {self.remedy}".rstrip()

    def __repr__(self) -> str:
        return f"Diagnosis({self.state!r} at step {self.step})"


def diagnose(vitals: Vitals, at: int = -1) -> Diagnosis:
    """Say how a walk fares at look number `at` (the last one), by what was seen up to then.

    In this order: diverging, dead units, bouncing, overfitting, near a saddle, plateau, converged;
    else healthy. Raises `ParameterError` for a look that was not taken.

    >>> import tinygrad_landscape as tl
    >>> walk = tl.descend(tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(2.7), steps=200)
    >>> print(tl.diagnose(tl.vitals(tl.formulas.one_neuron, walk)).state)
    bouncing
    """
    if not -len(vitals) <= at < len(vitals):
        raise ParameterError(f"got look {at}; this walk has {len(vitals)}, counted from 0")
    now = _Now(vitals, at % len(vitals))
    for rule in (_diverging, _dead, _bouncing, _overfitting, _saddle, _plateau, _converged):
        found = rule(now)
        if found is not None:
            return found
    return _healthy(now)


class _Now:
    """The vital signs up to one look, and what the rules ask of them."""

    def __init__(self, vitals: Vitals, at: int) -> None:
        self.vitals, self.at, self.seen = vitals, at, slice(at + 1)
        self.step = int(vitals.steps[at])
        self.loss, self.first = float(vitals.losses[at]), float(vitals.losses[0])
        self.fell = vitals.fell >= 0 and at == len(vitals) - 1
        self.fall = fall(vitals.losses[self.seen])
        self.known = min(window(at + 1), at + 1)
        self.sharpness, self.lowest = self.latest("sharpness"), self.latest("lowest")
        self.threshold = float(vitals.thresholds[at])
        self.lr_known = math.isfinite(self.threshold)

    def recent(self, name: str) -> NDArray[Any]:
        """A sign over the window."""
        return np.asarray(getattr(self.vitals, name))[self.at + 1 - self.known : self.at + 1]

    def latest(self, name: str) -> float:
        """The newest measurement of a sign within the window, NaN if there is none."""
        values = self.recent(name)
        values = values[np.isfinite(values)]
        return float(values[-1]) if values.size else math.nan

    @cached_property
    def still(self) -> bool:
        """Whether the loss stood still for a while, and not because nothing is left of it."""
        losses = self.vitals.losses[self.seen]
        ends = range(len(losses), max(len(losses) - PATIENCE, 0), -1)
        return not self.done and all(fall(losses[:end]) < STILL for end in ends)

    @property
    def done(self) -> bool:
        """Whether hardly anything is left of the first loss."""
        return 0.0 <= self.loss <= DONE * self.first and self.first > 0.0

    @property
    def went(self) -> float:
        """The length of the way over the window."""
        travelled = self.recent("travelled")
        return float(travelled[-1] - travelled[0])

    @property
    def length(self) -> float:
        """The length of the weights, at least 1: the scale of distances."""
        return max(1.0, float(self.vitals.lengths[self.at]))

    @property
    def flat(self) -> bool:
        """Whether curvature does hardly anything to the loss, however far one goes."""
        return 0.5 * self.sharpness * self.length**2 < ROOM * abs(self.loss)

    @property
    def stretch(self) -> str:
        """The window in words."""
        steps = self.recent("steps")
        return f"over the last {int(steps[-1] - steps[0])} steps"

    def says(self, state: str, finding: str, remedy: str, **evidence: float) -> Diagnosis:
        known = {
            "loss": self.loss,
            "fall over the window": self.fall,
            "gradient norm": float(self.vitals.gradient_norms[self.at]),
            "sharpness": self.sharpness,
            "threshold": self.threshold,
            **evidence,
        }
        known = {name.replace("_", " "): x for name, x in known.items() if math.isfinite(x)}
        return Diagnosis(state, self.step, known, finding, remedy)

    @property
    def bend(self) -> str:
        """Sharpness, against the threshold where there is one."""
        if not math.isfinite(self.sharpness):
            return ""
        if not self.lr_known:
            return f" Sharpness {self.sharpness:.3g}."
        return f" Sharpness {self.sharpness:.3g}, the steps' own threshold {self.threshold:.3g}."


# The rules, the gravest first ---------------------------------------------------------------------


def _diverging(now: _Now) -> Diagnosis | None:
    losses = now.vitals.losses[now.seen]
    rising = len(losses) > 4 and bool((np.diff(losses[-4:]) > 0.0).all())
    high = now.loss > RISEN * max(abs(now.first), 1e-12) and now.loss > now.first
    if not (now.fell or (rising and high)):
        return None
    if now.fell:
        how = f"at step {now.vitals.fell} loss or gradient left all bounds (the last was"
        how += f" {now.loss:.3g}, the first {now.first:.3g})."
    else:
        how = f"the loss rises look after look, to {now.loss:.3g} from {now.first:.3g} at first."
    sharp = now.sharpness if math.isfinite(now.sharpness) else _ever(now, "sharpness")
    remedy = "Take a smaller learning rate: a third of this one"
    if now.lr_known and sharp > now.threshold:
        how += f" The sharpness, {sharp:.3g}, is above what these steps bear, {now.threshold:.3g}."
        remedy = f"Take a smaller learning rate: at most {now.threshold / sharp:.2g} of this one"
    return now.says("diverging", how, remedy + ", or a warm-up, or clip the gradient.")


def _dead(now: _Now) -> Diagnosis | None:
    dead = float(now.vitals.dead[now.at])
    if not (dead >= CUT or (dead >= SILENT and now.still)):
        return None
    finding = (
        f"{dead:.0%} of the units in one layer have slope zero for every sample: no gradient comes "
        f"through them (gradient norm {now.vitals.gradient_norms[now.at]:.3g})."
    )
    remedy = (
        "They do not come back by themselves. Start anew with a smaller learning rate or another "
        "initialization, or with leaky units, or standardize the inputs."
    )
    return now.says("dead units", finding, remedy, dead=dead)


def _bouncing(now: _Now) -> Diagnosis | None:
    turns, between = now.recent("turns"), now.latest("between")
    turn = float(np.mean(turns[np.isfinite(turns)])) if np.isfinite(turns).any() else math.nan
    lower = now.loss - between > LOWER * abs(now.loss)
    if not (now.still and turn < OPPOSED and lower):
        return None
    finding = (
        f"the loss has not fallen {now.stretch} and successive steps oppose each other (mean "
        f"cosine {turn:.2f}); half-way between the last two points it is {between:.3g}, lower than "
        f"{now.loss:.3g} here.{now.bend}"
    )
    remedy = "Take a smaller learning rate, or let it decay"
    if now.lr_known and now.sharpness > now.threshold:
        remedy += f"; here below {now.threshold / now.sharpness:.2g} of this one"
    return now.says("bouncing", finding, remedy + ".", turn=turn, between=between)


def _overfitting(now: _Now) -> Diagnosis | None:
    held = now.vitals.validation_losses[now.seen]
    if not np.isfinite(held).any() or len(held) <= LOOKS:
        return None
    best = int(np.nanargmin(held))
    lately = held[-LOOKS // 2 :]
    noise = 0.02 * abs(float(held[0]))
    risen = bool((lately > SPOILED * held[best] + noise).all())
    train = now.vitals.losses
    if not (risen and now.loss < LEARNED * train[best]):
        return None
    finding = (
        f"since step {int(now.vitals.steps[best])} the validation loss has risen from "
        f"{held[best]:.3g} to {held[-1]:.3g} while the training loss fell from {train[best]:.3g} "
        f"to {now.loss:.3g}."
    )
    right = now.vitals.validation_accuracies[now.seen]
    if np.isfinite(right).all():
        then, here = float(right[best]), float(right[-1])
        verb = "still grows" if here > then else "stays" if here == then else "falls"
        finding += f" The share of validation samples it gets right {verb} ({then:.1%} then, "
        finding += f"{here:.1%} now)"
        finding += (
            ", so it is surer of its mistakes, not wrong more often." if here >= then else "."
        )
    remedy = "Stop early (keep the weights of that step), or add l2, dropout or data."
    return now.says(
        "overfitting", finding, remedy, validation=float(held[-1]), lowest_validation=held[best]
    )


def _saddle(now: _Now) -> Diagnosis | None:
    norms = now.vitals.gradient_norms[now.seen]
    calm = now.recent("gradient_norms").min() <= CALM * norms.max()
    calm = calm or now.first - now.loss < STILL * abs(now.first)
    bent = now.latest("swell") > BENT and now.lowest < -0.05 * now.sharpness
    around = now.latest("around")
    if not (now.still and calm and (bent or (around > ROOM and not now.flat))):
        return None
    if not bent:
        finding = (
            f"the loss stands still {now.stretch} and the gradient is only {norms[-1]:.3g}, but in "
            f"a random direction the loss falls by {around:.0%}: a critical point that is no "
            "minimum, though its curvature does not tell."
        )
        return now.says("near a saddle", finding, SYMMETRY, around=around)
    aside = now.latest("aside")
    finding = (
        f"the loss stands still {now.stretch} and the gradient is only {norms[-1]:.3g}, but "
        f"sideways the ground bends down: the lowest eigenvalue of the Hessian is "
        f"{now.lowest:.3g} (the highest {now.sharpness:.3g}), and along it, at a distance of "
        f"{aside:.3g}, the loss is 5 % lower."
    )
    remedy = (
        "Wait: it leaves by itself, the slower the nearer it is; noise (small batches), momentum "
        f"or another start shorten that. {SYMMETRY}"
    )
    return now.says("near a saddle", finding, remedy, lowest_eigenvalue=now.lowest, aside=aside)


def _plateau(now: _Now) -> Diagnosis | None:
    ahead, far, went = now.latest("ahead"), now.latest("ahead_at"), now.went
    if not now.still or not (now.flat or (ahead > AHEAD and far > SHORT * went)):
        return None
    finding = (
        f"the loss fell by only {max(now.fall, 0.0):.2%} {now.stretch}, on a way of {went:.2g}; "
    )
    if now.flat:
        finding += (
            f"the ground is flat: over a distance of {now.length:.2g} even its largest curvature, "
            f"{now.sharpness:.2g}, changes the loss by less than 5 %."
        )
        remedy = (
            "Start elsewhere: units may be saturated by large weights, or all weights too near to "
            "zero; a loss that takes logits does not saturate."
        )
        return now.says("plateau", finding, remedy, went=went)
    finding += (
        f"straight ahead, at a distance of {far:.2g}, it would be {ahead:.0%} lower.{now.bend}"
    )
    remedy = "The steps are too short for this ground: "
    if now.lr_known and now.sharpness > 0.0 and now.threshold > 10.0 * now.sharpness:
        times = now.threshold / now.sharpness / 2.0
        often = f"{times:.2g}" if times < 100.0 else "hundreds of"
        remedy += f"the curvature here bears a learning rate {often} times as large"
    else:
        remedy += "take a larger learning rate, or momentum, or Adam"
    return now.says("plateau", finding, remedy + ", or start elsewhere.", ahead=ahead, went=went)


def _converged(now: _Now) -> Diagnosis | None:
    ahead, far = now.latest("ahead"), now.latest("ahead_at")
    if not (now.done or now.still) or (ahead > ROOM and far > NEAR * now.went and now.still):
        return None
    bend = f"{now.sharpness:.3g}" if math.isfinite(now.sharpness) else "unknown"
    finding = f"converged; sharpness {bend}, by itself neither good nor bad. The loss is "
    finding += f"{now.loss:.3g}"
    if now.still and ahead > ROOM:
        finding += (
            f", and {ahead:.0%} less a short way down the full gradient: the noise of the steps "
            "keeps it from settling."
        )
        return now.says("converged", finding, "A smaller learning rate would settle deeper.")
    finding += f", {now.loss / now.first:.2%} of the first." if now.done else (
        f", and neither straight ahead nor sideways is it 5 % lower ({now.stretch} it fell by "
        f"{max(now.fall, 0.0):.2%})."
    )  # fmt: skip
    remedy = (
        "" if now.done else "If that is too high: momentum or Adam, another start, a wider network."
    )
    return now.says("converged", finding, remedy)


def _healthy(now: _Now) -> Diagnosis:
    if not math.isfinite(now.fall):
        finding = f"{now.at + 1} looks so far, too few to judge; the loss is {now.loss:.3g}."
        return now.says("healthy", finding, "")
    losses = now.recent("losses")
    verb = "fell" if now.fall >= 0.0 else "rose"
    finding = f"the loss {verb} by {abs(now.fall):.1%} {now.stretch}, to {losses[-1]:.3g}."
    finding += now.bend
    dead = float(now.vitals.dead[now.at])
    if dead >= 0.25:
        finding += f" In one layer {dead:.0%} of the units are dead."
    if now.lr_known and now.sharpness > 0.8 * now.threshold:
        finding += " Near the threshold is where descent on full batches usually goes."
    held = now.vitals.validation_losses[now.seen]
    if np.isfinite(held).all():
        finding += f" Validation loss {held[-1]:.3g}, at its lowest {held.min():.3g}"
        right = float(now.vitals.validation_accuracies[now.at])
        finding += f", {right:.1%} of its samples right." if math.isfinite(right) else "."
    return now.says("healthy", finding, "Go on.")


def _ever(now: _Now, name: str) -> float:
    """The newest measurement of a sign at all."""
    values = np.asarray(getattr(now.vitals, name))[now.seen]
    values = values[np.isfinite(values)]
    return float(values[-1]) if values.size else math.nan
