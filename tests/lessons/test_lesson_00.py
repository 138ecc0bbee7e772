"""Lesson 0: the hunt judges where the reader's ball comes to rest, and untouched is no attempt."""

import numpy as np
import pytest

from tinygrad_landscape.classroom import lesson00


@pytest.fixture
def panel():
    ball = lesson00.panel()
    yield ball
    ball.reset()


def put(ball, x, y):
    ball.controls["start_x"].value, ball.controls["start_y"].value = x, y


@pytest.mark.usefixtures("fresh_progress")
def test_the_cell_of_the_hunt_follows_the_white_ball(panel):
    assert lesson00.check().state == "not attempted"
    put(panel, -3.0, -3.0)
    assert lesson00.check().message == lesson00.SECOND
    put(panel, *lesson00.NEIGHBOURS[1])
    assert lesson00.check().message == lesson00.THIRD
    put(panel, *lesson00.NEIGHBOURS[0])
    assert lesson00.check().state == "passed"


def test_half_of_all_starts_reach_the_bottom_counted_another_way():
    """The panel's own grid, judged by where the known minima lie, agrees with `basins`."""
    found = lesson00.measure_shares()
    assert found.choice == 50.0
    assert np.allclose(lesson00.panel().shares, [0.503, 0.429, 0.068], atol=1e-3)
    assert all(share in found.sentence for share in ("50.3%", "42.9%", "6.8%"))


def test_every_hint_is_true():
    """The upper right half of the map does lead to A, nearly everywhere."""
    starts = np.random.default_rng(0).uniform(-4.0, 4.0, (300, 2))
    starts = starts[starts.sum(axis=-1) > 0.0]
    walk = lesson00.descend(lesson00.GROUND, starts, lesson00.optim.SGD(lr=0.8), 150)
    assert np.mean([lesson00.valley(*end) == 0 for end in walk.end]) > 0.95


def test_question_and_panel_are_made_once():
    assert lesson00.question() is lesson00.question() and lesson00.panel() is lesson00.panel()
