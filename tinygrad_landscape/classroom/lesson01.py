"""Lesson 1, "Error has a height": its question, its two exercises, its quiz, its measurements.

The data stand still; everything here asks what a pair of weights scores on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..descent import descend, optim
from ..landscape import Landscape, formulas
from ..network import Linear, Network, data, losses
from ..panels.sights import two_classes
from ..surveying import Plane, survey
from .exercises import Exercise, Finding
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

LINE = data.line(20, noise=0.25, seed=0)
FRAME = (-1.0, 3.0, -1.5, 2.5)  # of the line's map, w and b
ENOUGH = 0.1  # the loss that a line found by hand is to stay below
CLASSES_FRAME = (-2.0, 6.0, -4.0, 4.0)
PLACES, NUDGE = 10_000, 0.001
CHOICES = ("nearly everywhere", "at about half of them", "at about one in ten", "nearly nowhere")


def points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 20 points of the lesson: inputs x `(20,)` and targets y `(20,)`."""
    return LINE.x[:, 0].copy(), LINE.y[:, 0].copy()


# The guess ----------------------------------------------------------------------------------------


def question() -> Prediction:
    """Ask whether the share of right answers notices a very small change of the weights."""
    return Prediction(
        "A small model sorts points into two classes. Its accuracy is the share of points that it "
        f"sorts rightly. Set its two weights at random, then nudge them a little, by {NUDGE:g}. "
        "Try this from ten thousand places. At how many of them does the nudge change the "
        "accuracy?",
        CHOICES,
        measure_nudge,
        name="01 nudge",
    )


def measure_nudge() -> Measured:
    """Nudge the weights at ten thousand places, and count where each score notices."""
    accuracy, loss = noticed(NUDGE)
    limits = (0.75, 0.3, 0.03)
    choice = CHOICES[sum(accuracy < limit for limit in limits)]
    return Measured(
        choice,
        f"Of {PLACES} places, the accuracy changed at {round(PLACES * accuracy)} and the loss at "
        f"{round(PLACES * loss)}.",
    )


def noticed(size: float) -> tuple[float, float]:
    """Return the shares of places where a nudge of length `size` changes accuracy, and loss."""
    rng = np.random.default_rng(0)
    places = rng.uniform(CLASSES_FRAME[::2], CLASSES_FRAME[1::2], (PLACES, 2))
    turn = rng.uniform(0.0, 2.0 * np.pi, PLACES)
    nudged = places + size * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    model = Landscape(Network(Linear(1, 1)), losses.binary_cross_entropy, two_classes())
    scores = (model.accuracy, model)
    accuracy, loss = (float(np.mean(score(places) != score(nudged))) for score in scores)
    return accuracy, loss


def nudges() -> Text:
    """Tabulate where a nudge is noticed: the smaller it is, the fewer places in the accuracy."""
    lines = ["nudge     accuracy changes at     loss changes at"]
    for size in (0.1, 0.01, 0.001, 0.0001):
        accuracy, loss = noticed(size)
        lines.append(f"{size:<9g} {accuracy:>7.2%} of places       {loss:>7.2%} of places")
    return Text("\n".join(lines))


# The exercises ------------------------------------------------------------------------------------


def mse(w: float, b: float, x: Any, y: Any) -> float:
    """The mean squared error of the line w * x + b at the points x, y."""
    return np.mean((w * x + b - y) ** 2)


def _variant(score: Callable[[Any, Any, Any, Any, Any], Any]) -> Callable[..., Any]:
    """Somebody's mistake, given the misses as well."""
    return lambda w, b, x, y: score(w * x + b - y, w, b, x, y)


MISTAKES: dict[str, Callable[..., Any]] = {
    "the misses are not squared, so one above the line and one below it cancel out.": _variant(
        lambda miss, w, b, x, y: np.mean(miss)
    ),
    "the squares are added up, but not divided by their number: with twice as many points the "
    "same line must not score twice as much.": _variant(lambda miss, w, b, x, y: np.sum(miss**2)),
    "these are the sizes of the misses, abs(...); square the misses instead.": _variant(
        lambda miss, w, b, x, y: np.mean(np.abs(miss))
    ),
    "the average is taken before squaring; square each miss first, then average.": _variant(
        lambda miss, w, b, x, y: np.mean(miss) ** 2
    ),
    "there is a square root too many at the end.": _variant(
        lambda miss, w, b, x, y: np.sqrt(np.mean(miss**2))
    ),
    "there is a factor 1/2 too many.": _variant(lambda miss, w, b, x, y: np.mean(miss**2) / 2),
    "the median is taken; the mean is wanted.": _variant(
        lambda miss, w, b, x, y: np.median(miss**2)
    ),
    "b is forgotten: the line answers w * x + b.": _variant(
        lambda miss, w, b, x, y: np.mean((w * x - y) ** 2)
    ),
    "w and b are swapped: the line answers w * x + b.": _variant(
        lambda miss, w, b, x, y: np.mean((b * x + w - y) ** 2)
    ),
    "x and y are swapped: compare w * x + b with y.": _variant(
        lambda miss, w, b, x, y: np.mean((w * y + b - x) ** 2)
    ),
    "the targets are not used: a miss is the line's answer minus y.": _variant(
        lambda miss, w, b, x, y: np.mean((w * x + b) ** 2)
    ),
    "y is added; a miss is the difference w * x + b - y.": _variant(
        lambda miss, w, b, x, y: np.mean((w * x + b + y) ** 2)
    ),
    "only the first point counts: is the `return` inside the loop?": _variant(
        lambda miss, w, b, x, y: miss[0] ** 2 / len(miss)
    ),
    "you return one squared miss per point; take their mean.": _variant(
        lambda miss, w, b, x, y: miss**2
    ),
}


def _instances() -> Sequence[tuple[Any, ...]]:
    """Three lines, each with points of its own."""
    rng = np.random.default_rng(1)
    cases = ((0.7, -0.4, 6), (-1.3, 2.0, 11), (2.5, 0.3, 4))
    return [(w, b, rng.normal(size=n), rng.normal(1.0, 2.0, n)) for w, b, n in cases]


exercise = Exercise(
    mse,
    ("the loss",),
    _instances,
    MISTAKES,
    hints=(
        "w * x + b is what the line answers, for all points at once, because x is an array.",
        "subtract y to get the misses, and square them: (...) ** 2.",
        "np.mean(...) is the average of an array; return it.",
    ),
    name="01 mse",
)


def judge(w: float, b: float) -> str:
    """Say what is still wrong with a line found by hand; nothing if its loss is low enough."""
    w, b = float(w), float(b)
    x, y = points()
    if mse(w, b, x, y) < ENOUGH:
        return ""
    if mse(b, w, x, y) < ENOUGH:
        return "the other way round it would be right: w is the slope, b the height at x = 0."
    best_w, _ = closed_form(x, y)
    best_b = y.mean() - w * x.mean()
    if mse(w, best_b, x, y) >= ENOUGH:
        more = "too flat: make w larger" if w < best_w else "too steep: make w smaller"
        return f"the line is {more}."
    more = "too low: make b larger" if b < best_b else "too high: make b smaller"
    return f"the slope is good, but the line lies {more}."


find = Finding(
    judge,
    {
        "the line is too flat: make w larger.": (0.0, 0.5),
        "the line is too steep: make w smaller.": (2.0, 0.5),
        "the slope is good, but the line lies too low: make b larger.": (1.0, 0.0),
        "the slope is good, but the line lies too high: make b smaller.": (1.0, 1.0),
        "the other way round it would be right: w is the slope, b the height at x = 0.": (0.5, 1.0),
    },
    hints=(
        "first tilt the line with w until it runs alongside the points, then lift it with b.",
        "the dashed misses should be short, and as many above the line as below.",
    ),
    answer="w, b = 1.0, 0.5",
    name="01 find",
)


# The lowest place ---------------------------------------------------------------------------------


def closed_form(x: NDArray[Any], y: NDArray[Any]) -> tuple[float, float]:
    """Return slope and intercept of the line of least squares, by the formula of the lesson."""
    w = (np.mean(x * y) - x.mean() * y.mean()) / (np.mean(x * x) - x.mean() ** 2)
    return float(w), float(y.mean() - w * x.mean())


def lowest(score: Callable[..., Any] = mse, side: int = 101) -> Text:
    """Try `side` by `side` places of the map one by one, and compare the best with the formula.

    `score` may be the reader's own `mse`; while it is not right yet, ours is used and it is said.
    """
    note = ""
    if exercise.check(score).state != "passed":
        score, note = mse, "(with our mse, until yours passes its check)\n"
    x, y = points()
    slopes, heights = np.linspace(*FRAME[:2], side), np.linspace(*FRAME[2:], side)
    found = np.array([[score(w, b, x, y) for b in heights] for w in slopes])
    i, j = np.unravel_index(found.argmin(), found.shape)
    w, b = closed_form(x, y)
    return Text(
        f"{note}best of {found.size} places:  w {slopes[i]:.3f}  b {heights[j]:.3f}  "
        f"loss {found[i, j]:.5f}\n"
        f"by the formula:        w {w:.3f}  b {b:.3f}  loss {score(w, b, x, y):.5f}"
    )


# The end ------------------------------------------------------------------------------------------


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="01")


def worksheet() -> Worksheet:
    """Return the sheet to print: read a map of lines, then walk on a map of networks."""
    line = Landscape(Network(Linear(1, 1)), losses.mean_squared_error, LINE)
    surface = survey(line, Plane.whole(("w", "b")), FRAME, 101)
    walk = descend(line, np.zeros(2), optim.SGD(lr=0.3), steps=25)
    x, y = points()
    steep, high = mse(2.0, 0.0, x, y), mse(0.0, 1.0, x, y)
    hilly = formulas.three_valleys
    return Worksheet(
        "1 · Error has a height",
        [
            Map(surface, FRAME, "Each place is one line, w * x + b. The cross is the line that "
                "answers 0 everywhere. Mark P, the line 2 * x, and Q, the line that answers 1 "
                "everywhere. Then walk downhill from the cross.", (0.0, 0.0), walk),
            Map(hilly, hilly.extent, "The map of a network with two weights. Mark its two large "
                "valleys, A the lower one and B, and the hilltop between them. Shade the places "
                "lower than 0.3."),
        ],
        [
            ("Read the losses of P and Q off the first map. Which line fits better?",
             f"P (w = 2, b = 0) scores {steep:.2f}, Q (w = 0, b = 1) scores {high:.2f}: the lower "
             "one fits better."),
            ("About where on the second map are A, B and the hilltop? Lesson 0 had a third valley, "
             "C. Why is it not to be seen?",
             "A near (1.7, 2.3), B near (-1.2, -2.7), the hilltop near (-0.1, 0.1). C, near (0.5, "
             "-2.2), is so shallow that it fits between two lines."),
            ("A line misses three points by 1, -2 and 3. What is its mean squared error? And its "
             "mean absolute error?",
             "(1 + 4 + 9) / 3 = 4.67, and (1 + 2 + 3) / 3 = 2."),
            ("Why is a network not trained on its accuracy?",
             "Almost everywhere a small change of the weights does not change the accuracy at all, "
             "so it shows no way down. The loss changes with every nudge."),
        ],
    )  # fmt: skip


QUESTIONS = (
    Question(
        "You move the dot to another place on the loss map. What has changed?",
        {
            "The data": "The points stand still. Only the line or curve through them moves.",
            "The weights, and with them the model's answers": "A place on the map is a pair of "
            "weights, and its height is what they score on the same data.",
            "The way of scoring": "That would be another map. A move is made on one map.",
        },
        "The weights, and with them the model's answers",
    ),
    Question(
        "Two settings of the weights each sort 20 of 24 points rightly. Can their losses differ?",
        {
            "No, they are equally good": "They are equally accurate. The loss also counts how sure "
            "each answer is, and how far off the wrong ones are.",
            "Yes": "Accuracy counts right answers; the loss also counts how sure they are.",
            "Only if the data differ": "With the same data, many places of one accuracy step have "
            "different losses.",
        },
        "Yes",
    ),
    Question(
        "On the same points, squared and absolute error have their lowest places apart. Which one "
        "is right?",
        {
            "The squared error": "It is the usual choice, not the true one: a few large misses "
            "pull it towards themselves.",
            "The one whose lowest place is deeper": "Heights of two different losses cannot be "
            "compared; they are in different units.",
            "Neither: they mind different mistakes": "Squared error minds large misses most, "
            "absolute error minds each by its size. Choosing a loss is saying which matter.",
        },
        "Neither: they mind different mistakes",
    ),
)
