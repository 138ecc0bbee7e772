"""A slider that is moved for an hour leaves nothing behind (measured: benchmarks/memory.py)."""

import gc
import weakref

import pytest

from tinygrad_landscape.panels import Descent, use


@pytest.mark.parametrize("player", ["canvas", "image"])
def test_moving_a_slider_leaves_nothing_behind(player):
    use(player)
    try:
        panel = Descent(resolution=11, steps=5)
    finally:
        use("auto")
    walks, counts = [], []
    for move in range(30):
        panel.controls["lr"].value = 0.1 + 0.01 * (move % 3)
        panel.seek(move % 4)
        walks.append(weakref.ref(panel.walk))
        if move in (9, 29):
            gc.collect()
            counts.append(len(gc.get_objects()))
    assert [walk() for walk in walks[:-1]] == [None] * 29
    assert counts[1] - counts[0] < 20 + 10  # for each move between no more than its weakref above
