"""Lesson 7, "Ravines and momentum": its question, its exercise, its measurements, its quiz.

The one idea is that the condition number, the largest curvature of a valley over its smallest,
decides how many steps a walk needs: about as many as the number itself for plain descent, about as
many as its square root for a step with a memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..descent import descend, optim
from ..landscape import formulas
from ..panels.momentum import fastest
from . import lesson03
from .exercises import Exercise
from .prediction import Measured, Prediction, Span
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

START, NEAR = (1.0, 1.0), 0.01
NARROW, NARROWER = 10.0, 100.0
CONDITIONS = (10.0, 30.0, 100.0, 300.0, 1000.0)

Walker = Callable[..., Any]

# A guess ------------------------------------------------------------------------------------------


def question() -> Prediction:
    """Ask how many steps plain descent needs in a valley that is ten times as narrow."""
    before = steps_plain(NARROW)
    return Prediction(
        f"Along a valley the curvature is 1, across it {NARROW:g}. At its best learning rate plain "
        f"gradient descent needs {before} steps until 1 % of the distance to the minimum is left. "
        f"Another valley has curvature 1 along and {NARROWER:g} across. How many steps does it "
        "need there, again at its best learning rate?",
        Span(1, 100_000, "steps"),
        measure_narrow_valley,
        name="07 narrow valley",
    )


def measure_narrow_valley() -> Measured:
    """Walk down both valleys, each at the best learning rate, and count the steps."""
    before, after = steps_plain(NARROW), steps_plain(NARROWER)
    rates = fastest(1.0, NARROW)[0], fastest(1.0, NARROWER)[0]
    return Measured(
        after,
        f"In the first valley it took {before} steps with learning rate {rates[0]:g}, in the "
        f"narrower one {after} with {rates[1]:g}: {after / before:.2g} times as many.",
        within=0.2,
    )


def steps_plain(condition: float) -> int:
    """Count plain descent's steps, at its best learning rate, to 1 % of the distance."""
    lr, steps = fastest(1.0, condition)[0], int(3 * condition)
    points, _ = lesson03.gd(lambda x: 0.0, _slope(condition), np.array(START), lr, steps)
    return arrival(points)


def steps_heavy(condition: float, walker: Walker | None = None) -> int:
    """Count the steps with momentum, at its best settings; `walker` is somebody's `momentum`."""
    _, lr, beta = fastest(1.0, condition)
    walk = walker or momentum
    points = walk(_slope(condition), np.array(START), lr, beta, int(12 * condition**0.5))
    return arrival(points)


def _slope(condition: float) -> Callable[[Any], Any]:
    """The gradient of the valley 1/2 (x^2 + condition y^2)."""
    curvatures = np.array([1.0, condition])
    return lambda x: curvatures * x


def arrival(points: Sequence[Any]) -> int:
    """The first step from which on a walk to (0, 0) stays within 1 % of its first distance."""
    away = np.linalg.norm(np.asarray(points), axis=-1)
    return int(np.flatnonzero(away > NEAR * away[0])[-1]) + 1


# Build it -----------------------------------------------------------------------------------------


def momentum(g: Callable[[Any], Any], x0: Any, lr: float, beta: float, n: int) -> list[Any]:
    """Walk n steps from x0, each along the memory m; return the n + 1 points."""
    x, m = x0, 0 * x0
    points = [x]
    for _ in range(n):
        m = beta * m + g(x)
        x = x - lr * m
        points.append(x)
    return points


Turn = Callable[[Any, Any, Any, float, float, Any], tuple[Any, Any]]


def _variant(turn: Turn, steps: Callable[[int], int] = lambda n: n) -> Walker:
    """A `momentum` whose turn `(x, m) -> (x, m)` or number of turns is somebody's mistake."""

    def walk(g: Any, x0: Any, lr: float, beta: float, n: int) -> list[Any]:
        x, m = x0, 0 * x0
        points = [x]
        for _ in range(steps(n)):
            x, m = turn(x, m, g, lr, beta, x0)
            points.append(x)
        return points

    return walk


def _along(m: Callable[..., Any], take: Callable[..., Any] = lambda m, g, beta: m) -> Turn:
    """A turn with another memory `m(m, g, beta)`, or another thing than it that is taken."""

    def turn(x: Any, old: Any, g: Any, lr: float, beta: float, x0: Any) -> tuple[Any, Any]:
        new = m(old, g(x), beta)
        return x - lr * take(new, g(x), beta), new

    return turn


def _right(m: Any, g: Any, beta: float) -> Any:
    return beta * m + g


MISTAKES: dict[str, Walker] = {
    "this is plain descent: the memory is not used, or it is set to 0 in every turn.": _variant(
        _along(lambda m, g, beta: g)
    ),
    "beta stands at the wrong place: it makes the old memory fade, beta * m + g(x).": _variant(
        _along(lambda m, g, beta: m + beta * g)
    ),
    "nothing fades: without beta the memory adds up all gradients for ever.": _variant(
        _along(lambda m, g, beta: m + g)
    ),
    "this memory is an average, beta * m + (1 - beta) * g(x), as some books write it; here the "
    "whole gradient is added.": _variant(_along(lambda m, g, beta: beta * m + (1 - beta) * g)),
    "the step takes the old memory: first make the new m, then step along it.": _variant(
        lambda x, m, g, lr, beta, x0: (x - lr * m, beta * m + g(x))
    ),
    "the gradient counts twice: it is in the memory already, the step is lr * m alone.": _variant(
        _along(_right, lambda m, g, beta: m + g)
    ),
    "the sign is flipped: the memory points uphill, so a step downhill subtracts it.": _variant(
        lambda x, m, g, lr, beta, x0: (x + lr * _right(m, g(x), beta), _right(m, g(x), beta))
    ),
    "the learning rate is used twice, in the memory and in the step; once is enough.": _variant(
        lambda x, m, g, lr, beta, x0: (
            x - lr * (beta * m + lr * g(x)),
            beta * m + lr * g(x),
        )
    ),
    "the learning rate is not used: the step is lr * m.": _variant(
        lambda x, m, g, lr, beta, x0: (x - _right(m, g(x), beta), _right(m, g(x), beta))
    ),
    "the gradient is always taken at x0: ask g(x) again wherever you stand.": _variant(
        lambda x, m, g, lr, beta, x0: (x - lr * _right(m, g(x0), beta), _right(m, g(x0), beta))
    ),
    "one step is missing: n steps make n + 1 points.": _variant(_along(_right), lambda n: n - 1),
    "one step too many: n steps make n + 1 points, and x0 is the first of them.": _variant(
        _along(_right), lambda n: n + 1
    ),
    "the start is missing: x0 is the first point.": lambda *a: momentum(*a)[1:],
    "only the end is returned; return the list of all points.": lambda *a: momentum(*a)[-1],
    "all your points are one and the same array, changed in place: write x = x - ..., which makes "
    "a new one, not x -= ...": lambda g, x0, *a: [momentum(g, x0, *a)[-1]] * (a[-1] + 1),
}


def _instances() -> list[tuple[Any, ...]]:
    """A parabola, a tilted bowl of two weights, and a walk without memory."""
    tilt = np.array([[2.0, 0.6], [0.6, 1.0]])
    return [
        (lambda x: 3.0 * (x - 1.0), 2.5, 0.2, 0.5, 6),
        (lambda x: tilt @ x, np.array([1.0, -2.0]), 0.15, 0.9, 8),
        (np.sinh, -1.3, 0.35, 0.0, 4),
    ]


exercise = Exercise(
    momentum,
    ("points",),
    _instances,
    MISTAKES,
    hints=(
        "start with x = x0, a memory m of the same shape, m = 0 * x0, and a list that holds x.",
        "each turn of the loop has two lines: the new memory, then the step along it.",
        "m = beta * m + g(x), then x = x - lr * m, then append x.",
    ),
    name="07 momentum",
)


def _checked(walker: Walker) -> tuple[Walker, str]:
    """The reader's `momentum` if it is right, else ours and a word about it."""
    if exercise.check(walker).state == "passed":
        return walker, ""
    return momentum, "(with our momentum, until yours passes its check)\n"


def without_memory(walker: Walker = momentum) -> Text:
    """Walk with beta = 0 and with `gd` of lesson 3; tell how far apart the two walks come."""
    walker, note = _checked(walker)
    g, x0, lr, n = _slope(NARROW), np.array(START), 0.15, 30
    plain, _ = lesson03.gd(lambda x: 0.0, g, x0, lr, n)
    lines = [f"{note}largest distance between momentum and gd over {n} steps"]
    for beta in (0.0, 0.1, 0.5):
        apart = np.abs(np.array(walker(g, x0, lr, beta, n)) - np.array(plain)).max()
        lines.append(f"beta {beta:g}:  {apart:.3g}")
    return Text("\n".join(lines))


# Measured -----------------------------------------------------------------------------------------


def steps_against_condition(walker: Walker = momentum) -> Text:
    """Count steps in ever narrower valleys, both walks at their best settings, and the slopes of
    the two lines that they make on log-log paper."""
    walker, note = _checked(walker)
    plain = [steps_plain(condition) for condition in CONDITIONS]
    heavy = [steps_heavy(condition, walker) for condition in CONDITIONS]
    lines = [f"{note}condition number     steps, plain     steps, momentum"]
    for row in zip(CONDITIONS, plain, heavy, strict=True):
        lines.append(f"{row[0]:16g}{row[1]:17d}{row[2]:20d}")
    lines.append(f"slope{slope(plain):28.2f}{slope(heavy):20.2f}")
    return Text("\n".join(lines))


def slope(steps: Sequence[int]) -> float:
    """The slope of log steps against log condition number: 1 if the steps are proportional to it,
    1/2 if they are proportional to its square root."""
    return float(np.polyfit(np.log(CONDITIONS), np.log(steps), 1)[0])


RATES, MEMORY, GOAL = np.geomspace(0.03, 3.0, 7), 0.9, 0.1


@cache
def to_the_goal(beta: float, seeds: tuple[int, ...] = (0, 1, 2)) -> tuple[list[int], list[float]]:
    """Train the network of lesson 3 from each seed at seven learning rates; return the fewest
    steps to loss 0.1 and the learning rate that took them."""
    landscape, _ = lesson03.trained_network()
    assert landscape.network is not None
    starts = np.stack([landscape.network.init(seed=seed) for seed in seeds])
    many = np.repeat(starts[:, None], len(RATES), axis=1)
    walk = descend(landscape, many, optim.SGD(lr=RATES, momentum=beta), steps=300)
    low = walk.losses < GOAL
    first = np.where(low.any(axis=0), low.argmax(axis=0), len(low))
    best = first.argmin(axis=1)
    return first[np.arange(len(seeds)), best].tolist(), RATES[best].tolist()


def on_a_network() -> Text:
    """Show how soon a network of 337 weights reaches loss 0.1 with and without a memory."""
    lines = [
        f"steps to loss {GOAL:g}, three starts, each at the best of {len(RATES)} learning rates"
    ]
    for name, beta in (("plain", 0.0), (f"momentum {MEMORY:g}", MEMORY)):
        steps, rates = to_the_goal(beta)
        each = "   ".join(f"{s:4d} (lr {lr:.2g})" for s, lr in zip(steps, rates, strict=True))
        lines.append(f"{name:14s}{each}")
    return Text("\n".join(lines))


# Paper --------------------------------------------------------------------------------------------


def worksheet() -> Worksheet:
    """Two copies of one narrow valley: first plain descent, then with a memory."""
    valley, start, steps = formulas.quadratic(NARROW), np.array(START), 8
    _, lr, beta = fastest(1.0, NARROW)
    plain = descend(valley, start, optim.SGD(lr=0.18), steps=steps)
    heavy = descend(valley, start, optim.SGD(lr=lr, momentum=beta), steps=steps)
    return Worksheet(
        "7 · Ravines and momentum",
        [
            Map(valley, 1.4, "Along x the curvature is 1, along y it is 10: the gradient is "
                "(x, 10 y). Draw four steps of plain descent with learning rate 0.18.",
                START, plain),
            Map(valley, 1.4, f"The same valley, momentum {beta:.2f} and learning rate {lr:.2f}: "
                "draw two steps by the rule, then guess how it goes on.", START, heavy),
        ],
        [
            ("A valley has curvatures 0.5 and 200. What is its condition number?",
             "200 / 0.5 = 400."),
            ("Plain descent needs 1000 steps there. About how many with momentum, at its best?",
             "Steps grow with the number for plain descent and with its root for momentum: of the "
             "order of 1000 / √400 = 50, in practice somewhat more."),
            ("Why does momentum not zigzag more, although it takes longer steps?",
             "Across the valley the gradients change their sign and cancel in the memory."),
        ],
    )  # fmt: skip


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="07")


QUESTIONS = (
    Question(
        "A valley becomes a hundred times as narrow. How many more steps does momentum need, "
        "roughly, at its best settings?",
        {
            "as many as before": "Momentum helps, but a narrow valley stays harder than a wide "
            "one.",
            "ten times as many": "The square root of 100. Plain descent would need a hundred times "
            "as many.",
            "a hundred times as many": "That is plain descent. With a memory it is the square "
            "root.",
        },
        "ten times as many",
    ),
    Question(
        "What does momentum do with the zigzag across a narrow valley?",
        {
            "It makes it stronger, since the ball has more speed": "It would, if the pushes had "
            "one direction. Across the valley they alternate.",
            "Opposite gradients cancel in the memory": "And along the valley, where they agree, "
            "they add up.",
            "It turns the ball towards the minimum": "The memory knows past gradients only; where "
            "the minimum is, it does not know.",
        },
        "Opposite gradients cancel in the memory",
    ),
    Question(
        "A ball with momentum has come to the bottom of a valley that is not the lowest. What "
        "happens next?",
        {
            "It always has enough speed to leave": "With friction, beta below 1, speed fades; a "
            "ball may run over a low ridge, or may not.",
            "It swings, and comes to rest there": "In a bowl it swings to and fro, less each time. "
            "Over a low ridge nearby it may run, but nothing makes it look for a lower valley.",
            "It stops at once, as the gradient is 0": "That is plain descent. The memory still "
            "holds the last gradients, and the ball goes on for a while.",
        },
        "It swings, and comes to rest there",
    ),
)
