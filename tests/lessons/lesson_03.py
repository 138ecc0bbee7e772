"""Lesson 3: the solution of its exercise, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson03

SOLUTIONS = {"def gd(": "gd = lesson03.gd"}


def measured() -> dict[str, float]:
    L, start = tl.formulas.one_neuron, np.array(lesson03.START)

    def heights(lr: float) -> np.ndarray:
        return tl.descend(L, start, tl.optim.SGD(lr=lr), steps=4).losses

    careful, bold = heights(lesson03.RATE), heights(lesson03.BOLD_RATE)
    curvature = np.linalg.eigvalsh(L.hessian(np.asarray(L.minima[0])))[-1]
    network, theta = lesson03.trained_network()
    saddle = np.asarray(L.saddles).ravel()
    assert np.allclose(L.gradient(saddle), 0.0) and not saddle.any()
    return {
        "start": careful[0],
        "after one careful step": careful[1],
        "after one bold step": bold[1],
        "after two bold steps": bold[2],
        "after three bold steps": bold[3],
        "after four bold steps": bold[4],
        "curvature of the valley": curvature,
        "two": 2,
        "limit in the valley": 2 / curvature,
        "saddle": float(saddle[0]),
        "weights of the trained network": network.size,
        "loss of the trained network": network(theta),
        "accuracy of the trained network": 100 * network.accuracy(theta),
        "weights held still": network.size - 2,
        "bold rate": lesson03.BOLD_RATE,
        "minutes": round(sum(header("03_one_step_then_many")["minutes"].values()), -1),
    }
