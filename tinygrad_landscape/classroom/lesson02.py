"""Lesson 2, "Which way is down": its question, its exercise, its quiz, its measurements.

The gradient is the steepness here, and nothing more. How far it points past the lowest place is an
angle, so every claim of the lesson is measured in degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..descent import descend, optim
from ..landscape import Landscape, formulas
from ..network import Data, Linear, Network, losses
from .exercises import Exercise
from .lesson01 import FRAME, LINE, closed_form, mse, points
from .prediction import Measured, Prediction, Span
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

CONDITION, CONDITIONS = 100.0, (1.0, 10.0, 100.0, 1000.0)
TURN = np.linspace(0.0, 2.0 * np.pi, 36_001)  # directions round a lowest place
SIDE = 201  # places along each side of a map
STEPS = (1.0, 1e-1, 1e-2, 1e-4, 1e-8, 1e-12, 1e-15)


# The guess ----------------------------------------------------------------------------------------


def question() -> Prediction:
    """Ask how far from the lowest place the steepest way down points, in a narrow valley."""
    return Prediction(
        f"A straight valley has sides {CONDITION:g} times as steep as its floor. A ball may lie "
        "anywhere in it. Two arrows start at the ball: one points straight downhill, the other "
        "straight at the lowest place. How large can the angle between them become?",
        Span(0, 90, "degrees"),
        measure_worst,
        name="02 angle",
    )


def measure_worst() -> Measured:
    """Go round the lowest place of the valley and measure the angle everywhere."""
    median, worst = spread(CONDITION)
    return Measured(
        round(worst, 1),
        f"All round the lowest place the median is {median:.1f}° and the worst {worst:.1f}°.",
    )


def spread(condition: float) -> tuple[float, float]:
    """Return the median and the worst angle, in degrees, all round a valley's lowest place."""
    ring = np.stack([np.cos(TURN), np.sin(TURN)], axis=-1)
    found = angles(formulas.quadratic(condition), ring, np.zeros(2))
    return float(np.median(found)), float(found.max())


def angles(landscape: Landscape, places: ArrayLike, goal: ArrayLike) -> NDArray[np.float64]:
    """Return the angles in degrees between straight downhill and the way to `goal`, `(...)`.

    Right at the goal, and where the ground is level, there is no angle: NaN.
    """
    places = np.asarray(places, float)
    down, way = -landscape.gradient(places), np.asarray(goal, float) - places
    lengths = np.linalg.norm(down, axis=-1) * np.linalg.norm(way, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (down * way).sum(axis=-1) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


# The exercise -------------------------------------------------------------------------------------


def gradient(w: float, b: float, x: Any, y: Any) -> tuple[float, float]:
    """The steepness of the mean squared error along w, and along b."""
    miss = w * x + b - y
    return np.mean(2 * miss * x), np.mean(2 * miss)


def _variant(slopes: Callable[[Any, Any], tuple[Any, Any]]) -> Callable[..., Any]:
    """Somebody's mistake, given the misses and the inputs."""
    return lambda w, b, x, y: slopes(w * x + b - y, x)


MISTAKES: dict[str, Callable[..., Any]] = {
    "the sign is flipped: a miss is w * x + b - y, the line's answer minus y.": _variant(
        lambda miss, x: (np.mean(-2 * miss * x), np.mean(-2 * miss))
    ),
    "the factor 2 is missing: a nudge changes miss ** 2 by 2 * miss times what it changes the "
    "miss.": _variant(lambda miss, x: (np.mean(miss * x), np.mean(miss))),
    "x is missing along w: a nudge of w moves the answer at x by x times as much.": _variant(
        lambda miss, x: (np.mean(2 * miss), np.mean(2 * miss))
    ),
    "there is an x too many along b: a nudge of b moves every answer by just as much.": _variant(
        lambda miss, x: (np.mean(2 * miss * x), np.mean(2 * miss * x))
    ),
    "the two results are swapped: return the steepness along w first, then along b.": _variant(
        lambda miss, x: (np.mean(2 * miss), np.mean(2 * miss * x))
    ),
    "the parts are added up, but not divided by their number: take the mean, as the loss does.": (
        _variant(lambda miss, x: (np.sum(2 * miss * x), np.sum(2 * miss)))
    ),
    "two averages are multiplied; multiply each miss by its own x, then average.": _variant(
        lambda miss, x: (2 * np.mean(miss) * np.mean(x), 2 * np.mean(miss))
    ),
    "the misses are still squared: the square of a miss changes by 2 * miss, not by its "
    "square.": _variant(lambda miss, x: (np.mean(2 * miss**2 * x), np.mean(2 * miss**2))),
    "this is the gradient of the absolute error: it knows the signs of the misses, not their "
    "sizes.": _variant(lambda miss, x: (np.mean(np.sign(miss) * x), np.mean(np.sign(miss)))),
    "you return one number per point; take their means.": _variant(
        lambda miss, x: (2 * miss * x, 2 * miss)
    ),
    "b is forgotten: a miss is w * x + b - y.": lambda w, b, x, y: gradient(w, 0.0, x, y),
    "w stands where x should: a nudge of w moves the answer at x by x times as much.": (
        lambda w, b, x, y: (np.mean(2 * (w * x + b - y) * w), np.mean(2 * (w * x + b - y)))
    ),
}


def _instances() -> Sequence[tuple[Any, ...]]:
    """Three lines, each with points of its own."""
    rng = np.random.default_rng(2)
    cases = ((0.6, -0.9, 5), (-1.7, 0.4, 12), (2.2, 1.3, 8))
    return [(w, b, rng.normal(0.5, 1.0, n), rng.normal(1.0, 2.0, n)) for w, b, n in cases]


exercise = Exercise(
    gradient,
    ("dw", "db"),
    _instances,
    MISTAKES,
    hints=(
        "begin with miss = w * x + b - y, one number for each point.",
        "along b: every miss changes as b does, so its square changes by 2 * miss.",
        "along w: the miss at x changes x times as much as w does, so there is one more factor x.",
        "end with return np.mean(...), np.mean(...): first along w, then along b.",
    ),
    name="02 gradient",
)


def compare(slopes: Callable[..., Any] = gradient, w: float = 0.0, b: float = 0.0) -> Text:
    """Measure the steepness along w by steps that become shorter, beside the one by hand.

    `slopes` may be the reader's own `gradient`; while it is not right yet, ours is used and it is
    said.
    """
    note = ""
    if exercise.check(slopes).state != "passed":
        slopes, note = gradient, "(with our gradient, until yours passes its check)\n"
    x, y = points()
    exact = float(slopes(w, b, x, y)[0])
    lines = [f"{note}by hand, along w: {exact:.6f}", "step h    (rise over h) / h    off by"]
    for h in STEPS:
        measured = (mse(w + h, b, x, y) - mse(w, b, x, y)) / h
        lines.append(f"{h:<9.0e} {measured:>14.6f} {abs(measured - exact):>13.1e}")
    return Text("\n".join(lines))


# Angles -------------------------------------------------------------------------------------------


def worst(condition: float) -> float:
    """The worst angle in degrees by the formula of the lesson."""
    return math.degrees(math.acos(2.0 * math.sqrt(condition) / (1.0 + condition)))


def table() -> Text:
    """Tabulate the angles for valleys that become narrower."""
    lines = ["condition number   median    worst    by the formula"]
    for condition in CONDITIONS:
        median, most = spread(condition)
        lines.append(f"{condition:>16g} {median:>7.1f}° {most:>7.1f}° {worst(condition):>12.1f}°")
    return Text("\n".join(lines))


def line_angles() -> NDArray[np.float64]:
    """Return the angles all over the map of lesson 1, `(SIDE, SIDE)`."""
    loss = Landscape(Network(Linear(1, 1)), losses.mean_squared_error, LINE)
    return angles(loss, _grid(FRAME), closed_form(*points()))


def network_angles() -> NDArray[np.float64]:
    """Return the angles to the deepest valley all over the map of lesson 0, `(SIDE, SIDE)`."""
    hilly = formulas.three_valleys
    return angles(hilly, _grid(hilly.extent), hilly.minima[0])


def _grid(frame: Sequence[float] | None) -> NDArray[np.float64]:
    assert frame is not None
    axes = (np.linspace(low, high, SIDE) for low, high in (frame[:2], frame[2:]))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def maps() -> Text:
    """Say how far downhill points past the lowest place on the maps of the first two lessons."""
    lines = ["                          median    worst    more than 90°"]
    rows = {"the line of lesson 1": line_angles(), "the network of lesson 0": network_angles()}
    for name, found in rows.items():
        away = np.mean(found > 90.0)
        lines.append(
            f"{name:<24} {np.nanmedian(found):>7.1f}° {np.nanmax(found):>7.1f}° {away:>11.1%}"
        )
    return Text("\n".join(lines))


def thermometers() -> dict[str, float]:
    """Return the condition number of one line's loss, its inputs in different units."""
    x, y = points()
    celsius = 20.0 + 5.0 * x
    inputs = {
        "degrees Celsius": celsius,
        "degrees Fahrenheit": 1.8 * celsius + 32.0,
        "standardised": (celsius - celsius.mean()) / celsius.std(),
    }
    found = {}
    for unit, values in inputs.items():
        seen = Data(values[:, None], y[:, None])
        loss = Landscape(Network(Linear(1, 1)), losses.mean_squared_error, seen)
        steep = np.linalg.eigvalsh(loss.hessian(np.zeros(2)))
        found[unit] = float(steep[-1] / steep[0])
    return found


def units() -> Text:
    """Say how narrow the valley of one line is, its inputs in different units."""
    lines = ["x in                 condition number   worst angle"]
    for unit, condition in thermometers().items():
        lines.append(f"{unit:<20} {condition:>16,.0f} {worst(condition):>12.1f}°")
    return Text("\n".join(lines))


# The end ------------------------------------------------------------------------------------------


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="02")


def worksheet() -> Worksheet:
    """Return the sheet to print: two arrows at one place, and a protractor."""
    task = (
        "Draw two arrows at the cross: one straight downhill, at right angles to the lines, and "
        "one straight at the lowest place. Measure the angle between them. Then draw the whole way "
        "down, a new downhill arrow every centimetre."
    )
    again = "The same on the map of a network. Its lowest place is at (1.7, 2.3)."
    narrow, hilly = formulas.quadratic(10.0), formulas.three_valleys
    start, far = (0.8, 0.3), (-2.0, -0.5)
    found = [float(angles(narrow, start, (0.0, 0.0))), float(angles(hilly, far, hilly.minima[0]))]
    return Worksheet(
        "2 · Which way is down",
        [
            Map(narrow, 1.0, task, start,
                descend(narrow, np.array(start), optim.SGD(lr=0.02), steps=200, record_every=4)),
            Map(hilly, hilly.extent, again, far,
                descend(hilly, np.array(far), optim.SGD(lr=0.2), steps=600, record_every=10)),
        ],
        [
            ("Which angles did you measure?",
             f"About {found[0]:.0f} degrees on the first map, {found[1]:.0f} on the second: there "
             "the first step leads away from the lowest place."),
            ("From which places of the first map does straight downhill point exactly at the "
             "lowest place?",
             "From those on its two axes, due north, south, east and west of it."),
            ("The loss at w = 1 is 0.500, and at w = 1.01 it is 0.496. How steep is it along w, "
             "about, and which way is down?",
             "(0.496 - 0.500) / 0.01 = -0.4: the loss falls as w grows, so go to larger w."),
        ],
    )  # fmt: skip


QUESTIONS = (
    Question(
        "The steepness along w is -3 and along b it is 0. Which way is straight downhill?",
        {
            "Towards larger w": "The loss falls by about 3 per unit of w, and a small change of b "
            "does nothing.",
            "Towards smaller w": "There the loss rises: a negative steepness means that it falls "
            "as w grows.",
            "Straight to the lowest place": "Two numbers from one place do not know where that is.",
        },
        "Towards larger w",
    ),
    Question(
        "What does the gradient at a place tell you?",
        {
            "Where the lowest place is": "In a narrow valley it can be more than 78 degrees off.",
            "How far it is to the lowest place": "Ground can be steep near the lowest place, and "
            "nearly level far away from it.",
            "How steep the ground is just there, along every weight": "It is local, and that is "
            "all that training has to go by.",
        },
        "How steep the ground is just there, along every weight",
    ),
    Question(
        "To check a gradient with small steps, which step h serves best?",
        {
            "As small as the computer allows": "Then the two heights agree in nearly all their "
            "digits, and their difference is mostly rounding.",
            "Small, but not too small": "A long step sees the ground bend, a tiny one drowns in "
            "rounding. Between the two lies the best.",
            "About 1, to be safe": "Over so long a step the ground bends, and the steepness at its "
            "end is another one.",
        },
        "Small, but not too small",
    ),
)
