"""Lesson 4, "Learning rate: four regimes": its question, its exercises, its measurements, its quiz.

The one idea is that a parabola fitted at the ball knows how long a step may be, 2 / curvature; at
the bottom of a valley this is the cliff, beyond which no walk comes to rest there. It is a law of
the bottom only: far up the slopes a smaller learning rate may already be too bold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..descent import Trajectory, descend, optim
from ..landscape import Landscape, formulas
from ..landscape.formulas import Formula
from .exercises import Exercise, Finding
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

RATE, STEPS, SIDE = 2.4, 200, 51

# A guess ------------------------------------------------------------------------------------------

CHOICES = (
    "none of them: it is below the limit",
    "a few, fewer than one in ten",
    "about half of them",
    "nearly all of them",
)


def question() -> Prediction:
    """Ask how many starts are lost at a learning rate below the limit of the valley."""
    return Prediction(
        "In the valley of lesson 3 the height falls at every step as long as the learning rate is "
        f"below 2 / curvature, 2.6 at the bottom. Take {RATE:g}, which is safely below, and let "
        f"{SIDE * SIDE} balls start all over the map. How many of them never come to rest, but are "
        "thrown higher and higher?",
        CHOICES,
        measure_lost,
        name="04 below the cliff",
    )


def measure_lost() -> Measured:
    """Walk from every start of the grid and count those that diverge."""
    walk = crowd(RATE)
    share, others = float(walk.diverged.mean()), ~walk.diverged
    k = int(np.searchsorted([1e-9, 0.1, 0.4, 0.6, 0.9], share))
    choices = (CHOICES[0], CHOICES[1], "more than a few", CHOICES[2], "most of them", CHOICES[3])
    rest = int((walk.losses[-1][others] < 1e-3).sum())
    return Measured(
        choices[k],
        f"{share:.1%} of the {others.size} walks diverge; of the other {others.sum()}, {rest} come "
        "to rest at the bottom of a valley.",
    )


@cache
def crowd(lr: float) -> Trajectory:
    """Walk from every place of a grid over the map, and keep where the walks end."""
    axis = np.linspace(-3.0, 3.0, SIDE)
    starts = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    return descend(formulas.one_neuron, starts, optim.SGD(lr=lr), steps=STEPS, record_every=STEPS)


def thrown_out() -> Text:
    """Show how many starts are lost, for learning rates up to the limit at the bottom."""
    lines = [f"learning rate    lost, of {SIDE * SIDE} starts"]
    lines += [f"{lr:<17g}{crowd(lr).diverged.mean():.1%}" for lr in (2.0, 2.2, RATE, 2.5, 2.59)]
    return Text("\n".join(lines))


# Build it: one weight -----------------------------------------------------------------------------


def critical_lr(g: Callable[[Any], Any], x: float) -> float:
    """Return the largest learning rate that still comes to rest at the bottom x, 2 / curvature."""
    h = 1e-4
    curvature = (g(x + h) - g(x - h)) / (2 * h)
    return float(2 / curvature)


def _mistaken(wrong: Callable[[float, Callable[[Any], Any], float], float]) -> Callable[..., float]:
    """A `critical_lr` that makes something else, `wrong(right, g, x)`, of the right answer."""
    return lambda g, x: wrong(critical_lr(g, x), g, x)


MISTAKES: dict[str, Callable[..., Any]] = {
    "this is half of it: the limit is 2 / curvature, not 1 / curvature (and from x - h to x + h "
    "the distance is 2 * h).": _mistaken(lambda right, g, x: right / 2),
    "this is twice too much: over a distance of h, divide by h, not by 2 * h.": _mistaken(
        lambda right, g, x: right * 2
    ),
    "this is the curvature itself; the limit is 2 / curvature.": _mistaken(
        lambda right, g, x: 2 / right
    ),
    "2 is multiplied by the curvature; it is divided by it.": _mistaken(
        lambda right, g, x: 4 / right
    ),
    "the sign is flipped: take the later steepness minus the earlier one.": _mistaken(
        lambda right, g, x: -right
    ),
    "the curvature is taken at 0; the bottom is at x.": lambda g, x: critical_lr(g, 0.0),
    "this is 2 / steepness, and at the bottom the steepness is 0; curvature is how fast the "
    "steepness changes.": lambda g, x: 2 / g(x),
}


def _valleys() -> Sequence[tuple[Any, ...]]:
    """A parabola, a cosh valley, a hollow of a sine, and one that is steeper to one side."""
    return [
        (lambda x: 4.0 * np.subtract(x, 1.0), 1.0),
        (lambda x: 3.0 * np.sinh(x + 0.5), -0.5),
        (lambda x: 0.6 * np.cos(x), -math.pi / 2),
        (lambda x: np.exp(x) - math.e, 1.0),
    ]


exercise = Exercise(
    critical_lr,
    ("lr",),
    _valleys,
    MISTAKES,
    hints=(
        "curvature is how much the steepness changes per unit of movement: ask g a little to the "
        "right of x and a little to the left.",
        "with h = 1e-4: curvature = (g(x + h) - g(x - h)) / (2 * h).",
        "then return 2 / curvature.",
    ),
    name="04 critical lr",
    tolerance=0.01,
)


def _checked(critical: Callable[..., Any]) -> tuple[Callable[..., Any], str]:
    """The reader's `critical_lr` if it is right, else ours and a word about it."""
    if exercise.check(critical).state == "passed":
        return critical, ""
    return critical_lr, "(with our critical_lr, until yours passes its check)\n"


# A bowl of two weights ----------------------------------------------------------------------------

TILT = np.array([[2.0, 1.2], [1.2, 1.0]])


def _tilted(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return 0.5 * (TILT[0, 0] * x * x + 2.0 * TILT[0, 1] * x * y + TILT[1, 1] * y * y)


bowl = Formula(_tilted, (-2.0, 2.0, -2.0, 2.0), minima=(0.0, 0.0), names=("w1", "w2"))


def along(landscape: Landscape, place: Any, direction: Any) -> Callable[[float], float]:
    """The steepness along one direction through a place, as a function of how far one went."""
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    return lambda s: float(landscape.gradient(np.asarray(place) + s * unit) @ unit)


def around(critical: Callable[..., Any] = critical_lr) -> Text:
    """Ask `critical` for the limit along twelve directions through the bottom of the bowl."""
    critical, note = _checked(critical)
    lines = [f"{note}direction     2 / curvature"]
    for degrees in range(0, 180, 15):
        turned = math.radians(degrees)
        g = along(bowl, np.zeros(2), (math.cos(turned), math.sin(turned)))
        lines.append(f"{degrees:6d}°{critical(g, 0.0):17.3f}")
    return Text("\n".join(lines))


def limit(landscape: Landscape, place: Any) -> float:
    """2 over the largest curvature at a place."""
    return float(2.0 / np.linalg.eigvalsh(landscape.hessian(np.asarray(place)))[-1])


GENTLE = (
    "this is the limit along the gentlest direction; along the sharpest one the ball is thrown out "
    "long before."
)
AXES = (
    "this is the limit along one of the axes, but the bowl is tilted: between the axes it bends "
    "more sharply."
)
HALF = "this is 1 / (largest curvature): the ball lands on the bottom. The limit is twice as far."
BOLD = "too large: along the sharpest direction every step ends higher than it began."
TIMID = "this comes to rest, but so does a larger one."


def judge_rate(lr: float) -> str:
    """Compare a learning rate with the bowl's limit; say what goes wrong with it, or ""."""
    curvatures = np.linalg.eigvalsh(TILT)
    right = 2.0 / curvatures[-1]
    usual = [(2.0 / curvatures[0], GENTLE), (2.0 / TILT[0, 0], AXES), (2.0 / TILT[1, 1], AXES),
             (right / 2.0, HALF)]  # fmt: skip
    if abs(lr - right) <= 0.01 * right:
        return ""
    for wrong, sentence in usual:
        if abs(lr - wrong) <= 0.02 * wrong:
            return sentence
    return BOLD if lr > right else TIMID


cliff = Finding(
    judge_rate,
    {GENTLE: (10.0,), AXES: (1.0,), HALF: (0.357,), BOLD: (0.75,), TIMID: (0.6,)},
    hints=(
        "a ball in the bowl moves in all directions at once. Which of them gives up first?",
        "the direction with the largest curvature has the smallest limit.",
        "read the smallest number of the table.",
    ),
    answer="lr = 0.714",
    name="04 cliff of a bowl",
)

# The network's cliff ------------------------------------------------------------------------------


def measured_cliff(landscape: Landscape, bottom: Any, steps: int = 400) -> float:
    """Return the largest learning rate at which a ball that starts just beside the bottom comes
    back to it, found by halving an interval that holds it."""
    theta = np.asarray(bottom, float)
    beside = theta + 1e-4 * np.linalg.eigh(landscape.hessian(theta))[1][:, -1]
    low, high = 0.0, 4.0 * limit(landscape, theta)
    while high - low > 1e-4 * high:
        middle = 0.5 * (low + high)
        end = descend(landscape, beside, optim.SGD(lr=middle), steps, record_every=steps).end
        back = np.linalg.norm(end - theta) < np.linalg.norm(beside - theta)
        low, high = (middle, high) if back else (low, middle)
    return 0.5 * (low + high)


def at_the_bottom(critical: Callable[..., Any] = critical_lr) -> Text:
    """Put the limit that `critical` computes at the network's minimum beside the measured one."""
    critical, note = _checked(critical)
    landscape, bottom = formulas.one_neuron, np.asarray(formulas.one_neuron.minima[-1])
    sharpest = np.linalg.eigh(landscape.hessian(bottom))[1][:, -1]
    computed = critical(along(landscape, bottom, sharpest), 0.0)
    return Text(
        f"{note}2 / (largest curvature) at the minimum   {computed:.3f}\n"
        f"cliff, found by trying               {measured_cliff(landscape, bottom):9.3f}"
    )


# Paper --------------------------------------------------------------------------------------------


def worksheet() -> Worksheet:
    """One bowl, walked with a learning rate below and one above its cliff."""
    start = (1.5, 0.5)
    below, above = (descend(bowl, np.array(start), optim.SGD(lr=lr), steps=6) for lr in (0.6, 0.75))
    slopes = ", ".join(f"{slope:.1f}" for slope in bowl.gradient(np.array(start)))
    return Worksheet(
        "4 · Learning rate: four regimes",
        [
            Map(bowl, 2.5, f"The gradient at the cross is ({slopes}). Draw the first step with "
                "learning rate 0.6, to scale, and guess the next five.", start, below),
            Map(bowl, 2.5, "The same with learning rate 0.75. Does this ball come to rest?",
                start, above),
        ],
        [
            ("At a minimum the curvature is 5 along one direction and 0.1 along another. Where is "
             "the cliff?", "At 2 / 5 = 0.4: the largest curvature decides."),
            ("With learning rate 0.1 a walk creeps; with 0.2 it creeps, too. What may you try, and "
             "what tells you that you went too far?",
             "Larger ones, for example twice as large each time. Too far is where the loss no "
             "longer falls and the steps point to and fro."),
            ("Below the cliff of its valley a walk diverges nevertheless. How can that be?",
             "The cliff is a law of the bottom. Elsewhere the ground may bend more sharply, and "
             "the walk may never come near the bottom."),
        ],
    )  # fmt: skip


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="04")


QUESTIONS = (
    Question(
        "Training is slow but the loss falls steadily. You double the learning rate. What happens?",
        {
            "It will be twice as fast": "It may, while it creeps. Near the cliff the next doubling "
            "ends everything.",
            "It depends on how far the cliff is": "While it creeps, a double step is twice as "
            "good; beyond the cliff the walk bounces or diverges.",
            "It diverges": "Only beyond the cliff. A walk that creeps is usually far below it.",
        },
        "It depends on how far the cliff is",
    ),
    Question(
        "At a minimum the largest curvature is 8 and the smallest is 0.5. Where is the cliff?",
        {
            "at 4": "That is 2 / 0.5. Along the sharp direction the ball is thrown out long "
            "before.",
            "at 0.25": "2 / 8: the direction that bends most gives up first.",
            "at 0.125": "That is 1 / 8, with which the ball lands on the bottom in one step, along "
            "the sharp direction.",
        },
        "at 0.25",
    ),
    Question(
        "The learning rate lies below 2 / (largest curvature) of the minimum. What is certain?",
        {
            "Every start ends in that minimum": "At 2.4 about half of the starts were lost, and "
            "there may be other valleys.",
            "The loss falls at every step": "On a parabola it does. Elsewhere the ground may bend "
            "more sharply.",
            "A ball that is already near the bottom comes to rest there": "That is what the cliff "
            "says, and all it says.",
        },
        "A ball that is already near the bottom comes to rest there",
    ),
)
