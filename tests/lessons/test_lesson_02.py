"""Lesson 2: both displayed formulas are what measuring says, and so are the angles."""

import math

import numpy as np
import pytest

import tinygrad_landscape as tl
from tests.lessons.lessons import prose
from tinygrad_landscape.classroom import lesson02

TEXT = prose("02_which_way_is_down")
ALONG_W = r"\frac{\partial L}{\partial w} = \frac1n \sum_{i=1}^{n} 2\,(w x_i + b - y_i)\,x_i"
ALONG_B = r"\frac{\partial L}{\partial b} = \frac1n \sum_{i=1}^{n} 2\,(w x_i + b - y_i)$$"


def test_the_displayed_gradient_is_what_small_steps_measure():
    assert ALONG_W in TEXT and ALONG_B in TEXT
    h = 1e-5
    for w, b, x, y in lesson02.exercise.instances():
        along_w, along_b = (
            (lesson02.mse(w + i * h, b + j * h, x, y) - lesson02.mse(w - i * h, b - j * h, x, y))
            / (2 * h)
            for i, j in ((1, 0), (0, 1))
        )
        assert np.allclose(lesson02.gradient(w, b, x, y), (along_w, along_b), rtol=1e-6)


def test_the_displayed_gradient_is_the_engines_own():
    for w, b, x, y in lesson02.exercise.instances():
        slopes = tl.grad(lambda p, x=x, y=y: lesson02.mse(p[0], p[1], x, y))(np.array([w, b]))
        assert np.allclose(lesson02.gradient(w, b, x, y), slopes, rtol=1e-12)


def test_the_worst_angle_is_the_formulas_in_any_number_of_weights():
    assert r"\arccos \frac{2 \sqrt{\kappa}}{1 + \kappa}" in TEXT
    rng = np.random.default_rng(0)
    for condition, size in ((10.0, 2), (100.0, 2), (100.0, 6)):
        bowl = tl.formulas.quadratic(condition, size)
        anywhere = lesson02.angles(bowl, rng.normal(size=(5000, size)), np.zeros(size))
        worst = np.zeros(size)
        worst[[0, -1]] = math.sqrt(condition), 1.0
        assert anywhere.max() <= lesson02.worst(condition) + 1e-9
        assert np.isclose(lesson02.angles(bowl, worst, np.zeros(size)), lesson02.worst(condition))


@pytest.mark.parametrize("condition, most", [(10.0, 54.9), (100.0, 78.6), (1000.0, 86.4)])
def test_the_table_measures_median_and_worst(condition, most):
    turn = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, 100_000)
    drawn = np.degrees(np.abs(np.arctan2(condition * np.sin(turn), np.cos(turn)) - turn))
    drawn = np.minimum(drawn % 360.0, -drawn % 360.0)  # minus the gradient, by its direction
    median, worst = lesson02.spread(condition)
    assert abs(np.median(drawn) - median) < 0.3 and round(worst, 1) == most
    assert f"{median:.1f}°" in lesson02.table() and f"{most}°" in lesson02.table()


def test_the_panel_and_the_lesson_say_the_same():
    sentence = tl.panels.Ravine(resolution=11).describe()
    median, worst = lesson02.spread(lesson02.CONDITION)
    assert f"median is {median:.1f}° and the worst {worst:.1f}°" in sentence
    assert lesson02.measure_worst().choice == 78.6


def test_there_is_no_angle_at_the_goal_or_on_level_ground():
    bowl = tl.formulas.quadratic(3.0)
    assert np.isnan(lesson02.angles(bowl, [[0.0, 0.0]], [0.0, 0.0])).all()
    assert np.isclose(lesson02.angles(bowl, [0.0, 2.0], [0.0, 0.0]), 0.0, atol=1e-5)


def test_a_step_at_more_than_a_right_angle_leads_away():
    hilly, start = tl.formulas.three_valleys, np.array([-1.0, 0.0])
    goal, step = hilly.minima[0], -1e-3 * hilly.gradient(start)
    assert lesson02.angles(hilly, start, goal) > 90.0
    assert np.linalg.norm(start + step - goal) > np.linalg.norm(start - goal)


def test_units_change_the_condition_number_and_not_the_fit():
    x, y = lesson02.points()
    for unit, condition in lesson02.thermometers().items():
        assert f"{condition:,.0f}" in lesson02.units(), unit
    warm = 1.8 * (20.0 + 5.0 * x) + 32.0
    table = np.stack([warm, np.ones(20)], axis=-1)
    assert np.isclose(
        lesson02.thermometers()["degrees Fahrenheit"], np.linalg.cond(table) ** 2, rtol=1e-6
    )
    assert np.allclose(np.polyval(np.polyfit(warm, y, 1), warm), np.polyval(np.polyfit(x, y, 1), x))


def test_measuring_is_best_with_a_step_that_is_small_but_not_too_small():
    rows = [line.split() for line in lesson02.compare().splitlines()[2:]]
    off = np.array([float(row[-1]) for row in rows])
    assert (np.diff(off[:5]) < 0.0).all() and off[-1] > off[-2] > off[4]
    assert lesson02.compare(lambda w, b, x, y: None).startswith("(with our gradient")
