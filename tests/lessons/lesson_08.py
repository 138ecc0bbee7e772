"""Lesson 8: the solutions of its exercises, and the numbers in its prose."""

import numpy as np

from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson08, odd_points
from tinygrad_landscape.classroom.odd_points import home, line, points, shift
from tinygrad_landscape.panels.losses import CLASSES, REGRESSION

SOLUTIONS = {
    "def huber(": "huber = lesson08.huber",
    "def cross_entropy(": "cross_entropy = lesson08.cross_entropy",
}


def measured() -> dict[str, float]:
    squared, absolute, huber = (REGRESSION[name] for name in ("squared", "absolute", "Huber"))
    at = lesson08.OUTLIER
    assert shift(absolute, at) < 1e-9 and home(absolute)[0] * points().x[-1] < points().y[-1]
    assert np.isclose(shift(absolute, -1.0), shift(absolute, -at))
    per_unit = shift(squared, 1.0)
    yours = {delta: lesson08.panel(delta=delta).shifts[f"yours (δ {delta:g})"]
             for delta in (0.3, 0.05, 3.0)}  # fmt: skip
    assert yours[0.05] == 0.0
    before, after = odd_points.two_classes(), odd_points.misplaced()
    entropy, hinge = ([line(CLASSES[name], data) for data in (before, after)]
                      for name in ("cross-entropy", "hinge"))  # fmt: skip
    borders = [-b / w for w, b in hinge]
    assert round(borders[0], 2) == round(borders[1], 2)
    for loss in CLASSES.values():
        (w0, b0), (w1, b1) = line(loss, before), line(loss, after)
        assert abs(b0 / w0 - b1 / w1) < 1 / 3
    numbers = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    force = np.array([odd_points.pull(CLASSES[name], -1000.0) for name in
                       ("cross-entropy", "hinge", "squared hinge")])  # fmt: skip
    assert force[0] == force[1]
    aside = {loss: line(loss, points(at=odd_points.FAR))[0] for loss in (squared, absolute)}
    assert 0.0 < aside[absolute] < aside[squared] < 0.2
    return {
        "mean": numbers.mean(),
        "median": float(np.median(numbers)),
        "per unit": per_unit,
        "outlier": at,
        "squared shift": shift(squared, at),
        "slope before": home(squared)[0],
        "slope after": line(squared, points(at))[0],
        "hop": shift(absolute, -at),
        "huber stops at": shift(huber, at) / per_unit,
        "huber shift": shift(huber, at),
        "yours .3": yours[0.3],
        "yours 3": yours[3.0],
        "points of two classes": len(before.y),
        "entropy before": entropy[0][0],
        "entropy after": entropy[1][0],
        "hinge before": hinge[0][0],
        "hinge after": hinge[1][0],
        "hinge border": borders[1],
        "force": force[0],
        "squared hinge's force": force[2],
        "aside": odd_points.FAR,
        "absolute slope": home(absolute)[0],
        "absolute slope aside": aside[absolute],
        "entropy together": odd_points.together(CLASSES["cross-entropy"], 3.0),
        "hinge together at 0": odd_points.together(CLASSES["hinge"], 0.0),
        "hinge together at 1": odd_points.together(CLASSES["hinge"], 1.0),
        "zero": 0,
        "one": 1,
        "three": 3,
        "minutes": sum(header("08_different_losses")["minutes"].values()),
    }
