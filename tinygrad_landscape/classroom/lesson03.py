"""Lesson 3, "One step, then many": its question, its exercise, its quiz, and its networks.

The notebook holds the story; what it asks and what it measures lives here, so that its cells stay
one line long and a test can ask the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..descent import descend, optim
from ..landscape import Landscape, formulas
from ..network import Linear, Network, Tanh, data, losses
from ..surveying import Plane
from .exercises import Exercise
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

START, RATE, BOLD_RATE, STEPS = (0.3, 0.2), 0.5, 3.0, 200
CHOICES = (
    "lower after one step, and lower still after 200",
    "lower after one step, but higher after 200",
    "higher after one step, but lower after 200",
    "higher after one step, and higher still after 200",
)


def question() -> Prediction:
    """Ask what six times the usual learning rate does to the two-weight network."""
    return Prediction(
        f"The network of the panel below starts at {START} and learns well with learning rate "
        f"{RATE}. Take {BOLD_RATE:g} instead, six times as much. Compared with the start, the "
        "loss will be ...",
        CHOICES,
        measure_bold_walk,
        name="03 bold step",
    )


def measure_bold_walk() -> Measured:
    """Walk with the bold learning rate and compare the loss after one step and at the end."""
    walk = descend(formulas.one_neuron, np.array(START), optim.SGD(lr=BOLD_RATE), steps=STEPS)
    first, second = float(walk.losses[0]), float(walk.losses[1])
    fled = bool(walk.diverged)
    last = np.inf if fled else float(walk.losses[-1])
    choice = CHOICES[2 * (second > first) + ((last > first) != (second > first))]
    end = (
        f"was cut off as diverged at step {int(walk.diverged_at)}"
        if fled
        else f"ends at {last:.3g}"
    )
    return Measured(
        choice,
        f"The loss starts at {first:.3f}, is {second:.3f} after one step, and the walk {end}.",
    )


def gd(
    f: Callable[[Any], float], g: Callable[[Any], Any], x0: Any, lr: float, n: int
) -> tuple[list[Any], list[float]]:
    """Walk n steps from x0; return the n + 1 points and the n + 1 heights."""
    x = x0
    points, heights = [x], [f(x)]
    for _ in range(n):
        x = x - lr * g(x)
        points.append(x)
        heights.append(f(x))
    return points, heights


def _variant(
    step: Callable[..., Any], steps: Callable[[int], int] = lambda n: n
) -> Callable[..., Any]:
    """A walk like `gd` whose step or number of steps is somebody's mistake."""

    def walk(f: Any, g: Any, x0: Any, lr: float, n: int) -> tuple[list[Any], list[float]]:
        x = x0
        points, heights = [x], [f(x)]
        for _ in range(steps(n)):
            x = step(f, g, x0, lr, x)
            points.append(x)
            heights.append(f(x))
        return points, heights

    return walk


def _start_is_missing(f: Any, g: Any, x0: Any, lr: float, n: int) -> tuple[Any, Any]:
    points, heights = gd(f, g, x0, lr, n)
    return points[1:], heights[1:]


def _end_only(f: Any, g: Any, x0: Any, lr: float, n: int) -> tuple[Any, Any]:
    points, heights = gd(f, g, x0, lr, n)
    return points[-1], heights[-1]


def _heights_lag(f: Any, g: Any, x0: Any, lr: float, n: int) -> tuple[Any, Any]:
    points, heights = gd(f, g, x0, lr, n)
    return points, heights[:1] + heights[:-1]


def _one_array(f: Any, g: Any, x0: Any, lr: float, n: int) -> tuple[Any, Any]:
    points, heights = gd(f, g, x0, lr, n)
    return points[-1:] * len(points), heights


MISTAKES: dict[str, Callable[..., Any]] = {
    "the sign is flipped: the gradient points uphill, so a step downhill subtracts it.": _variant(
        lambda f, g, x0, lr, x: x + lr * g(x)
    ),
    "the learning rate is not used: the step is lr * g(x), not g(x) alone.": _variant(
        lambda f, g, x0, lr, x: x - g(x)
    ),
    "the learning rate is used twice: once, lr * g(x), is enough.": _variant(
        lambda f, g, x0, lr, x: x - lr * lr * g(x)
    ),
    "the steepness is always taken at x0: ask g(x) again wherever you stand.": _variant(
        lambda f, g, x0, lr, x: x - lr * g(x0)
    ),
    "every step starts at x0 again: go on from where the last step ended.": _variant(
        lambda f, g, x0, lr, x: x0 - lr * g(x)
    ),
    "the step uses the height f(x); it should use the steepness g(x).": _variant(
        lambda f, g, x0, lr, x: x - lr * f(x)
    ),
    "only the direction of the gradient is used; its length matters too.": _variant(
        lambda f, g, x0, lr, x: x - lr * np.sign(g(x))
    ),
    "one step is missing: n steps make n + 1 points.": _variant(
        lambda f, g, x0, lr, x: x - lr * g(x), lambda n: n - 1
    ),
    "one step too many: n steps make n + 1 points, and x0 is the first of them.": _variant(
        lambda f, g, x0, lr, x: x - lr * g(x), lambda n: n + 1
    ),
    "the start is missing: x0 is the first point, and f(x0) the first height.": _start_is_missing,
    "only the end is returned; return the list of all points, and of all heights.": _end_only,
    "each height belongs to the point before it: take f(x) after the step.": _heights_lag,
    "all your points are one and the same array, changed in place: write x = x - ..., which makes "
    "a new one, not x -= ...": _one_array,
    "the two results are swapped: return points, heights, in this order.": lambda *a: gd(*a)[::-1],
}


def _instances() -> Sequence[tuple[Any, ...]]:
    """A parabola, a cosh valley, and a tilted bowl of two weights: each with its own numbers."""
    tilt = np.array([[2.0, 0.6], [0.6, 1.0]])
    return [
        (lambda x: 1.5 * (x - 1.0) ** 2, lambda x: 3.0 * (x - 1.0), 2.5, 0.2, 6),
        (np.cosh, np.sinh, -1.3, 0.35, 4),
        (lambda x: 0.5 * x @ tilt @ x, lambda x: tilt @ x, np.array([1.0, -2.0]), 0.15, 7),
    ]


exercise = Exercise(
    gd,
    ("points", "heights"),
    _instances,
    MISTAKES,
    hints=(
        "start with x = x0 and two lists that already hold x and f(x).",
        "the loop runs n times; each turn makes one new point: x = x - lr * g(x).",
        "after the step, append x to the one list and f(x) to the other.",
    ),
    name="03 gd",
)


def parabola(walker: Callable[..., Any] = gd, curvature: float = 4.0) -> Text:
    """Walk down a parabola with learning rates around 2 / curvature; say which fall every step.

    At half of 2 / curvature one step lands on the bottom, height 0, and stays there.

    `walker` may be the reader's own `gd`; while it is not right yet, ours is used and it is said.
    """
    note = ""
    if exercise.check(walker).state != "passed":
        walker, note = gd, "(with our gd, until yours passes its check)\n"
    limit = 2.0 / curvature
    lines = [f"{note}parabola of curvature {curvature:g}: 2 / curvature = {limit:g}"]
    for share in (0.1, 0.5, 0.9, 0.99, 1.01, 1.1):
        lr = share * limit
        _, heights = walker(lambda x: 0.5 * curvature * x * x, lambda x: curvature * x, 1.0, lr, 20)
        falls = all(b < a or a == 0.0 for a, b in pairwise(heights))
        word = "lower at every step" if falls else "NOT lower at every step"
        lines.append(f"lr {lr:<6.4g} height {heights[0]:g} -> {heights[-1]:<9.3g} {word}")
    return Text("\n".join(lines))


@cache
def trained_network() -> tuple[Landscape, np.ndarray]:
    """Return the loss of a 2-16-16-1 network on two moons, and its weights after training."""
    net = Network(Linear(2, 16), Tanh(), Linear(16, 16), Tanh(), Linear(16, 1))
    landscape = Landscape(net, losses.binary_cross_entropy, data.moons(200, noise=0.2, seed=0))
    return landscape, descend(landscape, net.init(seed=0), optim.Adam(lr=0.02), steps=300).end


def two_weights(first: str = "0.weight[1,10]", second: str = "0.weight[1,5]") -> Plane:
    """Return the plane of two weights of the trained network, by their names."""
    landscape, theta = trained_network()
    return Plane.two_weights(theta, first, second, network=landscape.network)


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="03")


def worksheet() -> Worksheet:
    """Return the sheet to print: walk with a pencil before the ball does."""
    L = formulas.one_neuron
    short = descend(L, np.array(START), optim.SGD(lr=RATE), steps=6)
    bold = descend(L, np.array(START), optim.SGD(lr=BOLD_RATE), steps=6)
    there = "You start at the cross. The gradient there is"
    slopes = ", ".join(f"{slope:.2f}" for slope in L.gradient(np.array(START)))
    return Worksheet(
        "3 · One step, then many",
        [
            Map(L, 3.0, f"{there} ({slopes}). Draw one step with learning rate {RATE:g} as an "
                "arrow, to scale. Then guess the next five.", START, short),
            Map(L, 3.0, f"Now with learning rate {BOLD_RATE:g}: draw the first step to scale, then "
                "guess the next five. Does the ball stay in the valley?", START, bold),
        ],
        [
            ("Why does a step on level ground go nowhere, whatever the learning rate?",
             "The step is lr times the gradient, and on level ground the gradient is 0."),
            ("A parabola has curvature 8. Which learning rates make the height fall at every step?",
             "Those below 2 / curvature = 2 / 8 = 0.25."),
            ("The arrows of a walk with one learning rate become shorter. What does that tell?",
             "The ground becomes less steep: the length of a step is lr times the steepness."),
        ],
    )  # fmt: skip


QUESTIONS = (
    Question(
        "The ground is level under the ball: the steepness is 0. What does one step do?",
        {
            "It moves a little, by lr": "The step is lr times the steepness, and that is 0.",
            "Nothing": "0 times any learning rate is 0. It need not be the bottom, though: the "
            "top of a hill is level too.",
            "It jumps to the bottom": "A step knows only the ground under it, never the bottom.",
        },
        "Nothing",
    ),
    Question(
        "A parabola has curvature 10. Which learning rate makes the height fall at every step?",
        {
            "0.15": "2 / 10 = 0.2, and 0.15 lies below it.",
            "0.25": "2 / 10 = 0.2: with 0.25 each step lands higher on the other side.",
            "any, if small steps follow": "On a parabola each step multiplies the distance by the "
            "same number, so what goes wrong once goes wrong for ever.",
        },
        "0.15",
    ),
    Question(
        "The ball stands on a steep slope and takes a long step. It stops there. Why does it not "
        "roll on?",
        {
            "It has lost its speed": "It never had one: the rule holds a place, not a speed.",
            "The rule has no speed: each step starts from rest": "Only the steepness here and "
            "now counts. Momentum, some lessons on, adds a memory.",
            "It found a minimum": "On a steep slope there is none.",
        },
        "The rule has no speed: each step starts from rest",
    ),
)
