"""Lesson 2: the solution of its exercise, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson02

SOLUTIONS = {"def gradient(": "gradient = lesson02.gradient"}


def measured() -> dict[str, float]:
    x, y = lesson02.points()
    here, there = lesson02.mse(0.0, 0.0, x, y), lesson02.mse(0.1, 0.0, x, y)
    median, worst = lesson02.spread(lesson02.CONDITION)
    hilly, start = tl.formulas.three_valleys, np.array([-1.0, 0.0])
    end = tl.descend(hilly, start, tl.optim.SGD(lr=0.1), steps=500).end
    assert np.allclose(end, hilly.minima[1], atol=0.05)  # on its way to valley B
    celsius, fahrenheit, standardised = lesson02.thermometers().values()
    assert np.isclose(standardised, 1.0, atol=1e-9)  # exactly round
    return {
        "height of the level line": here,
        "height a step to the right": there,
        "fall": here - there,
        "fall per unit": (here - there) / 0.1,
        "condition number": lesson02.CONDITION,
        "median angle": median,
        "worst angle": worst,
        "angle on the network's map": float(lesson02.angles(hilly, start, hilly.minima[0])),
        "places that lead away, in percent": 100 * np.mean(lesson02.network_angles() > 90.0),
        "worst angle on the line's map": np.nanmax(lesson02.line_angles()),
        "coldest": 20.0 + 5.0 * x.min(),
        "warmest": 20.0 + 5.0 * x.max(),
        "thousands in Celsius": celsius / 1000,
        "thousands in Fahrenheit": fahrenheit / 1000,
        "mean of the network's input": abs(hilly.x.mean()),
        "its spread": hilly.x.std(),
        "minutes": sum(header("02_which_way_is_down")["minutes"].values()),
    }
