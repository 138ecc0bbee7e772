"""A walk in pieces is the walk in one go; a moving hand gets its answer within the budget."""

import asyncio
import time

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import run as run_module
from tinygrad_landscape.panels.run import Later, Run

START = [0.3, 0.2]
OPTIMIZERS = [
    tl.optim.SGD(0.5),
    tl.optim.SGD(0.3, momentum=0.9),
    tl.optim.SGD(0.3, momentum=0.9, nesterov=True),
    tl.optim.Adam(0.1),
    tl.optim.SGD(2.7),
    tl.optim.SGD(3.0),
    tl.optim.SGD(10.0),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("seconds", [0.0, 0.002])
def test_pieces_join_to_the_walk_in_one_go(optimizer, seconds):
    run = Run(tl.formulas.one_neuron, START, optimizer, 60)
    pieces = 0
    while not run.go(seconds):
        pieces += 1
    whole = tl.descend(tl.formulas.one_neuron, START, optimizer, steps=60)
    assert pieces > 0 or seconds > 0.0
    for name in ("points", "losses", "gradient_norms", "batch_losses", "steps"):
        one, other = getattr(run.walk, name), getattr(whole, name)
        assert np.array_equal(one, other, equal_nan=True), name
    assert run.walk.diverged_at == whole.diverged_at
    assert run.walk.ended == "finished" and run.walk.optimizer == whole.optimizer


class Clock:
    """A clock that lets a piece take so many steps and then jumps."""

    def __init__(self, steps):
        self.steps, self.asked = steps, -1

    def perf_counter(self):
        self.asked += 1
        late = self.asked > self.steps
        self.asked = self.asked if not late else -1
        return 10.0 * late


@pytest.mark.parametrize("steps", range(1, 22))
@pytest.mark.parametrize("start", [START, [START, [-1.0, 2.0], [0.01, 0.0]]], ids=["one", "three"])
def test_where_a_walk_is_cut_does_not_matter(monkeypatch, steps, start):
    optimizer = tl.optim.SGD(3.0)
    monkeypatch.setattr(run_module, "time", Clock(steps))
    run = Run(tl.formulas.one_neuron, start, optimizer, 40)
    while not run.go(1.0):
        pass
    whole = tl.descend(tl.formulas.one_neuron, start, optimizer, steps=40)
    assert whole.diverged.any()
    assert np.array_equal(run.walk.points, whole.points)
    assert np.array_equal(run.walk.losses, whole.losses, equal_nan=True)
    assert np.array_equal(run.walk.diverged_at, whole.diverged_at)


def test_a_run_stops_on_time_and_goes_on():
    def slow(theta):
        time.sleep(0.002)
        return float(theta @ theta)

    valley = tl.Landscape.from_callables(slow, lambda theta: 2.0 * theta, size=2)
    run = Run(valley, [1.0, 1.0], tl.optim.SGD(0.1), 200)
    assert not run.go(0.02)
    first = len(run.walk)
    assert 2 <= first < 30  # 2 ms a step: the budget holds about ten
    assert not run.go(0.02) and len(run.walk) > first
    assert run.go() and len(run.walk) == 201


def test_without_a_loop_later_is_now():
    said = []
    Later()(60.0, lambda: said.append("now"))
    assert said == ["now"]


def test_of_many_pending_calls_only_the_newest_is_made():
    said = []

    async def hand():
        later = Later()
        for k in range(50):
            later(0.01, lambda k=k: said.append(k))
            await asyncio.sleep(0.0)
        assert said == []
        await asyncio.sleep(0.05)
        later(0.0, lambda: said.append("cancelled"))
        later.cancel()
        await asyncio.sleep(0.01)

    asyncio.run(hand())
    assert said == [49]
