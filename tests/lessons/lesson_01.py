"""Lesson 1: the solutions of its exercises, and the numbers in its prose."""

from itertools import pairwise

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson01

SOLUTIONS = {"def mse(": "mse = lesson01.mse", "w, b = ...": lesson01.find.answer}


def measured() -> dict[str, float]:
    x, y = lesson01.points()
    w, b = lesson01.closed_form(x, y)
    absolute = tl.panels.Fit(second=tl.losses.mean_absolute_error)._maps[1].lowest
    valleys = tl.formulas.three_valleys
    (aw, ab), (bw, bb), (cw, cb) = valleys.minima
    sorted_rightly, losses = classes()
    best = losses[sorted_rightly == sorted_rightly.max()]
    network = tl.Network(tl.Linear(1, 2), tl.Tanh(), tl.Linear(2, 1))
    assert (network.size, network.size - valleys.size, len(x)) == (7, 5, 20)  # told in words
    shorter = [lesson01.noticed(size)[0] for size in (0.1, 0.01, 0.001, 0.0001)]
    assert all(5 < longer / next_one < 20 for longer, next_one in pairwise(shorter))
    return {
        "loss of the level line": lesson01.mse(0.0, 0.0, x, y),
        "w of the squared error": w,
        "b of the squared error": b,
        "lowest squared error": lesson01.mse(w, b, x, y),
        "step of the grid": (lesson01.FRAME[1] - lesson01.FRAME[0]) / 100,
        "digits of a grid of ten weights": len(str(101**10)),
        "w of the absolute error": absolute[0],
        "b of the absolute error": absolute[1],
        "A, w1": aw,
        "A, w2": ab,
        "B, w1": bw,
        "B, w2": bb,
        "C, w1": cw,
        "C, w2": cb,
        "height of A": valleys(valleys.minima[0]),
        "height of B": valleys(valleys.minima[1]),
        "height of C": valleys(valleys.minima[2]),
        "points of two classes": len(tl.panels.Fit(preset="classes").landscape.data.x),
        "levels of the staircase": len(np.unique(sorted_rightly)),
        "noticed by a tenth, in percent": 100 * shorter[0],
        "a tenth": 0.1,
        "most points sorted rightly": sorted_rightly.max(),
        "lowest loss there": best.min(),
        "highest loss there": best.max(),
        "enough": lesson01.ENOUGH,
        "minutes": sum(header("01_error_has_a_height")["minutes"].values()),
    }


def classes() -> tuple[np.ndarray, np.ndarray]:
    """How many points are sorted rightly, and the loss, all over the map of the two classes."""
    model = tl.panels.Fit(preset="classes").landscape
    a0, a1, b0, b1 = lesson01.CLASSES_FRAME
    sides = np.linspace(a0, a1, 401), np.linspace(b0, b1, 401)
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    return np.round(model.accuracy(places) * len(model.data.x)).astype(int), model(places)
