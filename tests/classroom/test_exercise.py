"""An exercise tells right from wrong from untouched, and names the usual mistakes."""

import numpy as np
import pytest

from tinygrad_landscape.classroom import lesson03
from tinygrad_landscape.classroom.exercises import Exercise


def starter(f, g, x0, lr, n):
    """Walk n steps from x0; return the n + 1 points and the n + 1 heights."""
    ...  # noqa: PIE790 - as the notebook has it


def another_right_answer(f, g, x0, lr, n):
    points = [x0]
    while len(points) <= n:
        points.append(points[-1] - np.multiply(lr, g(points[-1])))
    return points, [f(x) for x in points]


def in_place(f, g, x0, lr, n):
    x, points, heights = x0, [x0], [f(x0)]
    for _ in range(n):
        x -= lr * g(x)
        points.append(x)
        heights.append(f(x))
    return points, heights


def raising(f, g, x0, lr, n):
    return [x0][n], []


def test_the_untouched_starter_is_not_attempted():
    assert lesson03.exercise.check(starter).state == "not attempted"


@pytest.mark.parametrize("answer", [lesson03.gd, another_right_answer])
def test_right_answers_pass(answer):
    verdict = lesson03.exercise.check(answer)
    assert verdict.state == "passed", verdict


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (in_place, "changed the array it was given"),
        (raising, "IndexError"),
        (raising, "return [x0][n], []"),
        (lambda f, g, x0, lr, n: print(end=""), "nothing is returned"),
        (lambda f, g, x0, lr, n: [f(x0)], "expected `return points, heights`, got list"),
        (lambda f, g, x0, lr, n: ([x0] * n, [f(x0)] * n), "has shape"),
        (lambda f, g, x0, lr, n: (["a"], [f(x0)]), "not numbers"),
        (lambda f, g, x0, lr: ([x0], [f(x0)]), "TypeError"),
        (3, "hand over the function itself"),
    ],
)
def test_other_faults_get_a_helpful_word(attempt, says):
    verdict = lesson03.exercise.check(attempt)
    assert verdict.state == "not yet"
    assert says in verdict.message


def test_a_trace_shows_the_learners_lines_only():
    message = lesson03.exercise.check(raising).message
    assert "exercise.py" not in message.replace(__file__, "")


def test_hints_come_one_at_a_time_and_the_solution_is_right():
    exercise = Exercise(lambda x: (x,), ["x"], lambda: [(1,)], {}, hints=("one", "two"))
    assert [str(exercise.hint()) for _ in range(3)] == [
        "Hint 1 of 2: one", "Hint 2 of 2: two", "Hint 2 of 2: two",
    ]  # fmt: skip
    namespace: dict = {"Callable": object, "Any": object}
    namespace["Callable"] = __import__("collections.abc").abc.Callable
    exec(lesson03.exercise.solution(), namespace)
    assert lesson03.exercise.check(namespace["gd"]).state == "passed"


def test_the_verdict_is_escaped_in_a_notebook():
    assert "<b>" not in lesson03.exercise.check(lambda *a: "<b>")._repr_html_()
