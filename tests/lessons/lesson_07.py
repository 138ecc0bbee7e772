"""Lesson 7: the solution of its exercise, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson03, lesson07

SOLUTIONS = {"def momentum(": "momentum = lesson07.momentum"}


def measured() -> dict[str, float]:
    lr = lesson07.fastest(1.0, 100.0)[1]
    plain = [lesson07.steps_plain(condition) for condition in lesson07.CONDITIONS]
    heavy = [lesson07.steps_heavy(condition) for condition in lesson07.CONDITIONS]
    valley = tl.formulas.quadratic(100.0)
    without = tl.descend(valley, np.array([1.0, 1.0]), tl.optim.SGD(lr=lr), steps=50)
    swinging = tl.descend(
        valley, np.array([1.0, 1.0]), tl.optim.SGD(lr=lr, momentum=0.9), steps=300
    )
    return {
        "narrow": lesson07.CONDITIONS[0],
        "narrowest": lesson07.CONDITIONS[-1],
        "plain at 10": plain[0],
        "plain at 100": plain[2],
        "plain at 1000": plain[-1],
        "heavy at 10": heavy[0],
        "heavy at 100": heavy[2],
        "heavy at 1000": heavy[-1],
        "lr of the heavy ball": lr,
        "step of divergence": int(without.diverged_at),
        "steps at 0.9": lesson07.arrival(swinging.points),
        "slope of plain descent": lesson07.slope(plain),
        "slope of the heavy ball": lesson07.slope(heavy),
        "weights": lesson03.trained_network()[0].size,
        "minutes": round(sum(header("07_ravines_and_momentum")["minutes"].values()), -1),
    }
