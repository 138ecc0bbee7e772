"""Lesson 3: what it says of a parabola is true, and its cells do without a solved exercise."""

from itertools import pairwise

import numpy as np

from tinygrad_landscape.classroom import lesson03


def test_the_exercises_steepness_is_the_derivative_of_its_height():
    for f, g, x, _, _ in lesson03.exercise.instances():
        x = np.atleast_1d(np.asarray(x, dtype=float))
        call = f if x.size > 1 else lambda p, f=f: f(p[0])
        steps = 1e-6 * np.eye(x.size)
        slopes = [(call(x + step) - call(x - step)) / 2e-6 for step in steps]
        assert np.allclose(slopes, g(x), rtol=1e-6)


def test_on_a_parabola_the_height_falls_at_every_step_iff_lr_is_below_two_over_curvature():
    for curvature in (0.5, 4.0, 70.0):
        for lr in np.linspace(0.05, 4.0, 80) / curvature:
            _, heights = lesson03.gd(
                lambda x, c=curvature: 0.5 * c * x * x, lambda x, c=curvature: c * x, 1.0, lr, 30
            )
            falls = all(b < a or a < 1e-30 for a, b in pairwise(heights))
            assert falls == (lr < 2 / curvature * (1 - 1e-12)), (curvature, lr * curvature)


def test_the_parabola_cell_says_so_and_falls_back_when_the_exercise_was_skipped():
    lines = lesson03.parabola().splitlines()
    assert "2 / curvature = 0.5" in lines[0]
    for line in lines[1:]:
        assert ("NOT" in line) == (float(line.split()[1]) >= 0.5)
    assert lesson03.parabola(lambda f, g, x0, lr, n: None).startswith("(with our gd")
