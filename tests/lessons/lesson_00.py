"""Lesson 0: what a learner who found the bottom has done, and the numbers in its prose."""

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson00

SOLUTIONS = {"lesson00.panel()": "lesson00.panel().controls['start_x'].value = 2.0"}


def measured() -> dict[str, float]:
    L = lesson00.GROUND
    found = tl.basins(L, None, tl.optim.SGD(lr=lesson00.RATE), 150, L.extent, lesson00.GRID)
    first, second, third = 100 * found.shares
    panel = lesson00.panel()
    network = tl.Network(tl.Linear(1, 2), tl.Tanh(), tl.Linear(2, 1))
    assert (network.size, network.size - L.size) == (7, 5)  # in words: seven weights, five held
    up, down = lesson00.NEIGHBOURS
    assert [lesson00.valley(*lesson00.walk(start).end) for start in (up, down)] == [0, 2]
    assert lesson00.valley(*lesson00.walk(lesson00.START).end) == 1
    return {
        "share of A": first,
        "share of B": second,
        "share of C": third,
        "height of A": L(L.minima[0]),
        "height of B": L(L.minima[1]),
        "height of C": L(L.minima[2]),
        "balls of the panel in A": sum(panel.valleys.reached(panel.balls.end) == 0),
        "starts of the grid": found.labels.size,
        "start, w1": lesson00.START[0],
        "start, w2": lesson00.START[1],
        "lower neighbour, w1": down[0],
        "lower neighbour, w2": down[1],
        "upper neighbour, w1": up[0],
        "upper neighbour, w2": up[1],
    }
