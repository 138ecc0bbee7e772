"""Lesson 0, "Drop a hundred balls": its question, its panel, the hunt for the bottom, its quiz.

There is no code to read in this lesson, so every cell is one call, and what it shows is made once.
"""

from __future__ import annotations

from functools import cache

import ipywidgets as widgets
import numpy as np

from ..descent import Trajectory, descend, optim
from ..landscape import formulas
from ..panels.basins import HundredBalls
from ..surveying import basins
from .exercises import Finding, Verdict
from .prediction import Measured, Prediction, Span
from .quizzes import Question, Quiz
from .worksheet import Map, Worksheet

GROUND = formulas.three_valleys
START, RATE, STEPS, GRID = (-1.0, 1.0), 0.8, 150, 51
NEIGHBOURS = (1.0, -1.0), (1.0, -1.2)


@cache
def question() -> Prediction:
    """Ask how many of a hundred balls reach the deepest of three valleys."""
    return Prediction(
        "The ground below has three valleys, one deeper than the others. A hundred balls are "
        "dropped all over it. How many of them will come to rest in the deepest valley?",
        Span(0, 100, "balls"),
        measure_shares,
        name="00 hundred balls",
    )


def measure_shares() -> Measured:
    """Walk down from every place of a grid, and count who ends where."""
    found = basins(GROUND, None, optim.SGD(lr=RATE), STEPS, GROUND.extent, GRID)
    *most, last = (
        f"{share:.1%} at height {loss:.3g}"
        for share, loss in zip(found.shares, np.round(found.losses, 6), strict=True)
    )
    return Measured(
        float(round(100 * found.shares[0])),
        f"So it is for a grid of {found.labels.size} starts: {', '.join(most)} and {last} come to "
        "rest.",
        within=0.2,
    )


@cache
def panel() -> HundredBalls:
    """Drop the balls; one of them, the white one, is the reader's."""
    return HundredBalls(lr=RATE, start=START, steps=STEPS)


def reveal() -> widgets.HTML:
    """Put the guess beside the measurement."""
    return question().reveal()


def check() -> Verdict:
    """Say where the reader's ball came to rest, and whether that is the bottom."""
    ball = panel()
    if (ball.state["start_x"], ball.state["start_y"]) == START:
        words = "drag the white ball to another start, then run this cell again."
        return Verdict("not attempted", words)
    return hunt.check(*ball.walk.end)


def valley(x: float, y: float) -> int:
    """Return the number of the valley whose bottom is at (x, y), lowest first; -1 for none."""
    away = np.linalg.norm(GROUND.minima - (x, y), axis=-1)
    near = away <= 0.05 * (1.0 + np.linalg.norm(GROUND.minima, axis=-1))
    return int(away.argmin()) if near.any() else -1


SECOND = (
    "your ball rests in valley B. It is nearly as deep as A, but not the bottom: start on the "
    "other side of the ridge."
)
THIRD = "your ball rests in valley C, the highest of the three: start a little further up the map."
NOWHERE = (
    "your ball does not rest in any valley: press Reset in the panel, then drag the white ball "
    "once more."
)

hunt = Finding(
    lambda x, y: ("", SECOND, THIRD, NOWHERE)[valley(x, y)],
    {SECOND: (-1.22, -2.69), THIRD: (0.5, -2.22), NOWHERE: (0.0, 0.0)},
    hints=(
        "look where the round balls in the panel started: they all end in valley A.",
        "nearly every start in the upper right half of the map will do.",
    ),
    answer="x, y = 1.7, 2.3",
    name="00 hunt",
)


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="00")


def worksheet() -> Worksheet:
    """Return the sheet to print: two starts that are neighbours, and do not end as neighbours."""
    task = (
        "Walk downhill from the cross with a pencil, always at right angles to the lines, until "
        "the ground is level. The numbers on the lines are heights."
    )
    return Worksheet(
        "0 · Drop a hundred balls",
        [Map(GROUND, GROUND.extent, task, start, walk(start)) for start in NEIGHBOURS],
        [
            ("The two crosses are neighbours. Do the two walks end as neighbours? What runs "
             "between the crosses?",
             "No: one ends in valley A, height 0, the other in C at (0.5, -2.2), height 0.52, a "
             "hollow so shallow that no line shows it. Between the crosses runs the border of two "
             "basins."),
            ("What does one place on the map stand for, and what does its height tell?",
             "One setting of the network's two weights. The height is the loss: how far off the "
             "network's answers are with that setting."),
            ("Mark a place on the first map from which a walk ends in valley B. How did you choose "
             "it?",
             "Any start on the left, below the ridge, for example (-3, -3): from there the ground "
             "falls towards B."),
        ],
    )  # fmt: skip


def walk(start: tuple[float, float]) -> Trajectory:
    """Walk down from `start` as the balls of the panel do."""
    return descend(GROUND, np.array(start), optim.SGD(lr=RATE), STEPS)


QUESTIONS = (
    Question(
        "What does one place on the map stand for?",
        {
            "One setting of the network's weights": "Move to another place, and the same network "
            "gives other answers.",
            "One example of the data": "The data are the same all over the map; what changes from "
            "place to place are the weights.",
            "One neuron": "However many neurons a network has, with all its weights it is one "
            "place.",
        },
        "One setting of the network's weights",
    ),
    Question(
        "Two balls start side by side, and end in different valleys. Why?",
        {
            "They step at random": "There is no chance in their steps: the same start gives the "
            "same walk, every time.",
            "The border of two basins runs between them": "On one side the ground leads down into "
            "one valley, on the other side into another.",
            "One of them rolls faster": "A ball has no speed here. It steps, feels the ground, and "
            "steps again.",
        },
        "The border of two basins runs between them",
    ),
    Question(
        "A ball has come to rest in valley B. What do you know?",
        {
            "No better setting exists": "Valley A is deeper, but the ball cannot see so far.",
            "It broke the rule on the way": "It followed the very same rule as all the others.",
            "No small step from there leads down": "That is what a minimum is. There may be a "
            "deeper one elsewhere.",
        },
        "No small step from there leads down",
    ),
)
