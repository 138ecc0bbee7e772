"""Code that never ends is stopped, wherever it runs, and nothing of the limit stays behind."""

import threading
import time
from contextlib import suppress

import pytest

from tinygrad_landscape.classroom import lesson03
from tinygrad_landscape.classroom.exercises import Exercise
from tinygrad_landscape.classroom.limit import TimeUp, time_limit


def forever():
    while True:
        pass


def stubborn():
    while True:
        try:
            forever()
        except:  # noqa: E722 - as a learner may write it
            time.sleep(0.001)
            break
    forever()


@pytest.mark.parametrize("code", [forever, stubborn])
def test_a_loop_without_end_is_stopped(code):
    with pytest.raises(TimeUp), time_limit(0.05):
        code()


def test_it_works_in_another_thread():
    caught = []

    def work():
        try:
            with time_limit(0.05):
                forever()
        except TimeUp:
            caught.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=10)
    assert caught == [True]


def test_nothing_of_it_arrives_after_the_body():
    before = threading.active_count()
    for _ in range(50):
        with suppress(TimeUp), time_limit(1e-4):  # about as long as it takes to come and go
            pass
    for _ in range(1000):
        pass
    assert threading.active_count() == before


def test_an_exercise_says_that_it_was_stopped():
    exercise = Exercise(
        lesson03.gd, ["points", "heights"], lesson03._instances, {}, ["h"], seconds=0.1
    )
    verdict = exercise.check(lambda f, g, x0, lr, n: forever())
    assert verdict.state == "not yet" and "a loop that never ends" in verdict.message
