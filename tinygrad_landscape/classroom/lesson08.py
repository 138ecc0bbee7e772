"""Lesson 8, "Different losses, different valleys": what one odd point may do to a line.

A loss says how much a wrong answer hurts, and so it says who is heard when points disagree. Here
lines are fitted by whatever loss, two of which the learner writes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..descent import descend, optim
from ..landscape import Landscape
from ..panels.losses import REGRESSION, Losses
from .exercises import Exercise
from .odd_points import Loss, home, lever, mistake, points, probabilities, pulls, shift, shifts
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .worksheet import Map, Worksheet

__all__ = [
    "cross_entropy", "exercise_entropy", "exercise_huber", "huber", "lever", "mistake", "panel",
    "probabilities", "pulls", "question", "quiz", "shifts", "worksheet",
]  # fmt: skip

Array = np.ndarray[Any, Any]

OUTLIER = 6.0  # how far the last point is moved up
CHOICES = {
    0.75: "about as far",
    0.3: "about half as far",
    0.03: "about a tenth as far",
    0.0: "not at all",
}


# ---- the question ----


def question() -> Prediction:
    """Ask how far the absolute error's lowest place goes, compared with the squared error's."""
    return Prediction(
        f"A line is fitted to 20 points. Then a slip of the pen lifts the last one by {OUTLIER:g}. "
        "The squared error's best line follows it a good way. How far does the best line of the "
        "absolute error go?",
        list(CHOICES.values()),
        measure_shift,
        name="08 outlier",
    )


def measure_shift() -> Measured:
    """Fit both losses with and without the outlier, and compare how far the lowest place moved."""
    squared, absolute = (shift(REGRESSION[name], OUTLIER) for name in ("squared", "absolute"))
    choice = next(words for least, words in CHOICES.items() if absolute / squared >= least)
    return Measured(
        choice,
        f"In the plane of slope and intercept the lowest place of the squared error moved by "
        f"{squared:.3f}, that of the absolute error by {absolute:.3f}.",
    )


# ---- first exercise: Huber ----


def huber(r: Any, delta: float) -> tuple[Any, Any]:
    """Return Huber's height and its pull (the slope of the height) for residuals r."""
    small = np.abs(r) <= delta
    height = np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta))
    pull = np.where(small, r, delta * np.sign(r))
    return height, pull


def _huber(
    small: Callable[[Array, float], Array] = lambda r, d: np.abs(r) <= d,
    near: Callable[[Array], tuple[Array, Array]] = lambda r: (0.5 * r**2, r),
    far: Callable[[Array, float], Array] = lambda r, d: d * (np.abs(r) - 0.5 * d),
    tail: Callable[[Array, float], Array] = lambda r, d: d * np.sign(r),
) -> Callable[..., Any]:
    """A Huber loss one part of which is somebody's mistake."""

    def wrong(r: Array, delta: float) -> tuple[Array, Array]:
        inside, (height, pull) = small(r, delta), near(r)
        return np.where(inside, height, far(r, delta)), np.where(inside, pull, tail(r, delta))

    return wrong


HUBER_MISTAKES: dict[str, Callable[..., Any]] = {
    "the two pieces do not meet: at |r| = delta the first is 0.5 * delta**2, so from delta * |r| "
    "that much must be taken away.": _huber(far=lambda r, d: d * np.abs(r)),
    "delta is missing in the straight piece: delta * (|r| - 0.5 * delta).": _huber(
        far=lambda r, d: np.abs(r) - 0.5 * d
    ),
    "in the straight piece 0.5 stands where 0.5 * delta should: delta * (|r| - 0.5 * "
    "delta).": _huber(far=lambda r, d: d * (np.abs(r) - 0.5)),
    "the half is missing: near 0 the height is 0.5 * r**2, and the pull is r.": _huber(
        near=lambda r: (r**2, 2.0 * r)
    ),
    "the half is missing in the pull's height only: near 0 the height is 0.5 * r**2.": _huber(
        near=lambda r: (r**2, r)
    ),
    "a large negative residual is taken for a small one: compare np.abs(r) with delta, not "
    "r.": _huber(small=lambda r, d: r <= d),
    "the pull has lost its sign: a point below pulls down, delta * np.sign(r).": _huber(
        tail=lambda r, d: d * np.ones_like(r)
    ),
    "beyond delta the pull is delta (with its sign), not 1.": _huber(tail=lambda r, d: np.sign(r)),
    "the pull goes on growing: beyond delta it stays at delta, and that is the point of "
    "it.": _huber(tail=lambda r, d: r),
    "delta is not used: you wrote the Huber loss of delta = 1.": lambda r, delta: huber(r, 1.0),
    "one number is returned; return a height and a pull for each residual.": lambda r, delta: (
        huber(r, delta)[0].mean(),
        huber(r, delta)[1].mean(),
    ),
    "the two results are swapped: return height, pull, in this order.": lambda r, delta: huber(
        r, delta
    )[::-1],
}


exercise_huber = Exercise(
    huber,
    ("height", "pull"),
    lambda: [
        (np.array([-3.0, -0.5, -0.2, 0.0, 0.4, 0.5, 7.0]), 0.5),
        (np.array([-1000.0, -2.5, -1.0, 1.9, 2.0, 1000.0]), 2.0),
    ],
    HUBER_MISTAKES,
    hints=(
        "np.where(small, this, that) chooses for each residual; small is np.abs(r) <= delta.",
        "near 0: height 0.5 * r**2, pull r. Beyond: a straight line of slope delta, so the pull is "
        "delta * np.sign(r).",
        "the straight line must meet the parabola at |r| = delta: height delta * (np.abs(r) - 0.5 "
        "* delta).",
    ),
    name="08 huber",
)


def panel(yours: Callable[..., Any] = huber, delta: float = 0.3, **options: Any) -> Losses:
    """Open the panel with the reader's own Huber loss as the third one.

    While it is not right yet, ours is used and the loss's name says so.
    """
    right = exercise_huber.check(yours).state == "passed"
    mine, name = (yours, "yours") if right else (huber, "ours")
    given: dict[str, Loss] = {**REGRESSION, f"{name} (δ {delta:g})": partial(_mean, mine, delta)}
    del given["absolute"]
    return Losses(losses=given, **options)


def _mean(height: Callable[..., Any], delta: float, prediction: Array, target: Array) -> Array:
    heights: Array = height(prediction - target, delta)[0]
    return heights.mean(axis=(-2, -1))


# ---- second exercise: cross-entropy ----


def cross_entropy(z: Any, y: Any) -> Any:
    """Return what each score z costs when its label is y (0 or 1), also at ±1000."""
    m = np.where(y == 1, z, -z)  # how far the score is on the right side
    return np.maximum(-m, 0.0) + np.log1p(np.exp(-np.abs(m)))


def _naive(z: Array, y: Array) -> Array:
    p = 1.0 / (1.0 + np.exp(-z))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def _clipped(z: Array, y: Array) -> Array:
    p = np.clip(1.0 / (1.0 + np.exp(-z)), 1e-12, 1.0 - 1e-12)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


ENTROPY_MISTAKES: dict[str, Callable[..., Any]] = {
    "right for small scores, but at ±1000 it is 0 times infinity, nan: p has become exactly 0 or "
    "1. Never form p; work with the score.": _naive,
    "right for small scores, but at a score of 1000 on the wrong side the cost comes out infinite "
    "(exp overflows, or p is rounded to 0); it should be 1000.": lambda z, y: np.log(
        1.0 + np.exp(np.where(y == 1, -z, z))
    ),
    "clipping p hides the mistake instead of pricing it: at 1000 on the wrong side the cost "
    "should be 1000, and beyond the clip nothing pulls any more.": _clipped,
    "the labels are swapped: with y = 1 a large positive score is right, and cheap.": lambda z, y: (
        cross_entropy(z, 1 - y)
    ),
    "the label is not used: with y = 0 it is a large positive score that is wrong.": lambda z, y: (
        cross_entropy(z, np.ones_like(y))
    ),
    "the sign is flipped: a cost is minus the logarithm of a probability, so it is never "
    "negative.": lambda z, y: -cross_entropy(z, y),
    "one number is returned; return the cost of each score.": lambda z, y: cross_entropy(
        z, y
    ).mean(),
    "that is the hinge, max(0, 1 - m); cross-entropy is log(1 + exp(-m)).": lambda z, y: np.maximum(
        0.0, 1.0 - np.where(y == 1, z, -z)
    ),
    "the small part is left out: max(-m, 0) is only right far from 0; add log(1 + "
    "exp(-|m|)).": lambda z, y: np.maximum(np.where(y == 1, -z, z), 0.0),
}


exercise_entropy = Exercise(
    cross_entropy,
    ("costs",),
    lambda: [
        (np.array([0.0, 2.0, -1.5, 0.3]), np.array([1, 0, 1, 0])),
        (np.array([1000.0, -1000.0, 1000.0, -1000.0, 40.0]), np.array([1, 1, 0, 0, 1])),
    ],
    ENTROPY_MISTAKES,
    hints=(
        "let m be the score counted towards the right side: z if y is 1, and -z if y is 0. Then "
        "the cost is log(1 + exp(-m)).",
        "exp(-m) overflows when m is -1000. Take the large part out first: log(1 + exp(-m)) = "
        "-m + log(1 + exp(m)), and use whichever has no large exponent.",
        "both in one line: np.maximum(-m, 0) + np.log1p(np.exp(-np.abs(m))).",
    ),
    name="08 cross entropy",
)


# ---- the end ----


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="08")


QUESTIONS = (
    Question(
        "Five measurements of one length: 0, 1, 5, 6 and 500. Which single number has the smallest "
        "mean absolute error?",
        {
            "102.4": "That is the mean, the lowest place of the squared error: it listens to the "
            "500.",
            "5": "The median: two points pull up, two pull down, each with the same force, however "
            "far away it is.",
            "250": "That is halfway between the ends, and only the ends have been asked.",
        },
        "5",
    ),
    Question(
        "A classifier gives a point of class 0 the score +1000: quite wrong, and quite certain. "
        "What does the point cost under cross-entropy?",
        {
            "infinitely much": "The naive formula says so, because exp(1000) does not fit into a "
            "number. The cost itself does.",
            "at most 1": "That would be a count of mistakes, which has no slope. A cost that stops "
            "growing cannot pull the score back.",
            "1000": "log(1 + exp(1000)) is 1000: far on the wrong side the cost is the score "
            "itself, and the pull is 1.",
        },
        "1000",
    ),
    Question(
        "Which of these losses is not minus the logarithm of a probability?",
        {
            "squared error": "It is one: of errors that follow a bell curve.",
            "hinge": "It says how large a margin we prefer. Its two labels' exp(-loss) do not add "
            "up to the same number at every score.",
            "cross-entropy": "It is one, of the label itself: its two probabilities add up to 1 at "
            "every score.",
        },
        "hinge",
    ),
)


def hillside(name: str, outlier: float = 0.0) -> Landscape:
    """The height of every line w·x + b under one of the three losses."""
    loss, (x, y) = REGRESSION[name], points(outlier)
    return Landscape.from_function(
        lambda p: loss((p[..., :1] * x[:, 0] + p[..., 1:])[..., None], y),
        names=("slope w", "intercept b"),
    )


def worksheet() -> Worksheet:
    """Two valleys to draw in: where does the lowest place go when one point is lifted?"""
    squared, absolute = home(REGRESSION["squared"]), home(REGRESSION["absolute"])
    arrow = descend(hillside("squared", OUTLIER), squared, optim.Newton(), steps=1)
    frame = (-0.5, 2.5, -0.5, 1.5)
    told = f"moves up by {OUTLIER:g}. Draw an arrow to where you think the lowest place goes."
    return Worksheet(
        "8 · Different losses, different valleys",
        [
            Map(hillside("squared"), frame, "Squared error of all lines w·x + b through 20 points, "
                f"with its lowest place. The last point (x = 1) {told}", tuple(squared), arrow),
            Map(hillside("absolute"), frame, "Absolute error of the same lines, with its lowest "
                f"place. The same point {told}", tuple(absolute), None),
        ],
        [
            ("How far did each lowest place go, and why?",
             f"Squared: {shift(REGRESSION['squared'], OUTLIER):.2f}, because the pull of a point "
             "grows with its distance. Absolute: it stays where it is, because each point pulls "
             "with the same force, and the last one was above the line already."),
            ("Find the number with the smallest sum of squared, and of absolute, differences to 0, "
                "2, 3, 7, 88.",
                "Squared: the mean, 20. Absolute: the median, 3."),
            ("Write the height and the pull of the Huber loss with delta = 2 at r = 1, 2, -3.",
             "Heights 0.5, 2, 4; pulls 1, 2, -2."),
            ("A score is m on the right side. Sketch max(0, 1 - m) and log(1 + exp(-m)) from -3 to "
             "3. Where does each stop pulling?",
             "The hinge at m = 1; cross-entropy never, it only pulls less and less."),
        ],
    )  # fmt: skip
