"""Lesson 4: the solutions of its exercises, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson03, lesson04
from tinygrad_landscape.panels.regimes import judged

SOLUTIONS = {
    "def critical_lr(": "critical_lr = lesson04.critical_lr",
    "lr = ...": lesson04.cliff.answer,
}


def measured() -> dict[str, float]:
    L = tl.formulas.one_neuron
    creeps, converges, bounces, diverges = borders()
    start, later = curvatures_on_the_way(0, 5)
    axis = np.linspace(-3, 3, lesson04.SIDE)
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    sharpest = np.linalg.eigvalsh(L.hessian(places))[..., -1]
    x, y = places[np.unravel_index(sharpest.argmax(), sharpest.shape)]
    bottom = L.minima[0]
    network, trained = lesson03.trained_network()
    return {
        "limit of lesson 3": lesson04.limit(L, bottom),
        "end of creeping": creeps,
        "end of converging": converges,
        "end of bouncing": bounces,
        "start of diverging": diverges,
        "curvature at the start": start,
        "curvature later": later,
        "curvature of the bottom": np.linalg.eigvalsh(L.hessian(bottom))[-1],
        "two": 2,
        "lost": 100 * lesson04.crowd(lesson04.RATE).diverged.mean(),
        "sharper ground": 100 * (sharpest > 2 / lesson04.RATE).mean(),
        "sharpest, x": x,
        "sharpest, y": y,
        "sharpest curvature": sharpest.max(),
        "cliff by trying": lesson04.measured_cliff(L, bottom),
        "three": 3,
        "weights of lesson 3": network.size,
        "curvature of lesson 3": 2 / lesson04.limit(network, trained),
        "cliff of lesson 3": lesson04.limit(network, trained),
        "minutes": round(sum(header("04_learning_rate")["minutes"].values()) / 5) * 5,
    }


def borders() -> tuple[float, float, float, float]:
    """The largest learning rate that creeps, and that converges, before the cliff; the one at which
    the panel's walk no longer bounces without exception; the one from which on all diverge."""
    rates = np.concatenate([np.geomspace(0.01, 0.1, 100), np.linspace(2.5, 3.0, 101)])
    start = np.broadcast_to([0.3, 0.2], (len(rates), 2))
    codes = judged(
        tl.descend(tl.formulas.one_neuron, start, tl.optim.SGD(lr=rates), steps=lesson04.STEPS)
    )
    creeps, converges, bounces, diverges = (codes == k for k in range(4))
    low, cliff = int(np.argmax(~creeps)) - 1, int(np.flatnonzero(converges)[-1])
    uneasy = int(np.flatnonzero(~bounces[cliff + 1 :])[0]) + cliff + 1
    calm = int(np.flatnonzero(~diverges)[-1]) + 1
    return tuple(float(rates[k]) for k in (low, cliff, uneasy, calm))


def curvatures_on_the_way(*steps: int) -> list[float]:
    """The curvature along the gradient after some steps of the panel's first walk."""
    L = tl.formulas.one_neuron
    walk = tl.descend(L, np.array([0.3, 0.2]), tl.optim.SGD(lr=0.5), steps=max(steps))
    found = []
    for step in steps:
        place = walk.points[step]
        g = L.gradient(place)
        found.append(float(g @ L.hessian(place) @ g / (g @ g)))
    return found
