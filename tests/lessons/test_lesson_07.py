"""Lesson 7: what its prose claims without a number, and what its cells say."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson03, lesson07


def test_the_exercise_walks_the_valley_that_the_panel_draws():
    for condition in lesson07.CONDITIONS:
        valley, place = tl.formulas.quadratic(condition), np.array([0.7, -0.4])
        assert np.allclose(lesson07._slope(condition)(place), valley.gradient(place))
    _, lr, beta = lesson07.fastest(1.0, 100.0)
    walk = tl.descend(
        tl.formulas.quadratic(100.0), np.ones(2), tl.optim.SGD(lr=lr, momentum=beta), steps=40
    )
    ours = lesson07.momentum(lesson07._slope(100.0), np.ones(2), lr, beta, 40)
    assert np.allclose(ours, walk.points, rtol=1e-12, atol=0.0)


def test_the_exercises_gradients_belong_to_bowls():
    """A gradient field has a symmetric Jacobian; the hidden bowl of two weights shows that."""
    g, x = lesson07.exercise.instances()[1][:2]
    jacobian = np.stack([(g(x + e) - g(x - e)) / 2e-6 for e in 1e-6 * np.eye(2)])
    assert np.allclose(jacobian, jacobian.T, atol=1e-8)
    assert np.all(np.linalg.eigvalsh(jacobian) > 0)


def test_the_step_may_be_kept_instead_of_the_sum():
    def other(g, x0, lr, beta, n):
        x, step, points = x0, 0.0, [x0]
        for _ in range(n):
            step = beta * step - lr * g(x)
            x = x + step
            points.append(x)
        return points

    assert lesson07.exercise.check(other).state == "passed"


def test_without_memory_it_is_gradient_descent_to_the_last_bit():
    for g, x0, lr, _, n in lesson07.exercise.instances():
        plain, _ = lesson03.gd(lambda x: 0.0, g, x0, lr, n)
        assert np.array_equal(lesson07.momentum(g, x0, lr, 0.0, n), plain)
    assert "beta 0:  0\n" in lesson07.without_memory(lesson07.momentum)
    assert lesson07.without_memory(lambda *_: None).startswith("(with our")


def test_momentum_moves_the_cliff_to_two_plus_two_beta_over_the_curvature():
    for beta in (0.0, 0.3, 0.67, 0.9):
        for share, rests in ((0.99, True), (1.01, False)):
            lr = share * (2 + 2 * beta) / 100.0
            ends = lesson07.momentum(lesson07._slope(100.0), np.ones(2), lr, beta, 3000)[-1]
            assert (np.abs(ends).max() < 1e-3) == rests


def test_the_panel_tells_the_same_numbers_of_steps():
    panel = tl.panels.Ravine(preset="momentum", resolution=21)
    said = panel.describe()
    assert f"step {lesson07.steps_plain(100.0)} on" in said
    assert f"step {lesson07.steps_heavy(100.0)} on" in said
    panel.controls["momentum"].value = 0.99
    assert "has not come within 1% of it after 300 steps" in panel.describe()


def test_a_narrower_valley_costs_plain_descent_its_number_and_momentum_its_root():
    """Against theory: steps are log(100) / -log(rate), with the rates of Polyak 1964."""
    root = np.sqrt(lesson07.CONDITIONS)
    plain = [lesson07.steps_plain(condition) for condition in lesson07.CONDITIONS]
    heavy = [lesson07.steps_heavy(condition) for condition in lesson07.CONDITIONS]
    assert plain == pytest.approx(np.log(100) / -np.log(1 - 2 / (root**2 + 1)), rel=0.02, abs=1)
    bare = np.log(100) / -np.log(1 - 2 / (root + 1))
    assert np.all(heavy > bare) and np.all(heavy < 2.2 * bare)
    assert lesson07.slope(plain) == pytest.approx(1.0, abs=0.01)
    assert 0.5 < lesson07.slope(heavy) < 0.6


def test_in_ever_narrower_valleys_the_slope_comes_down_towards_one_half():
    slopes = np.diff(np.log10([exact_steps(10.0**k) for k in (1, 2, 3, 4, 5)]))
    assert np.all(np.diff(slopes) < 0) and np.all(slopes > 0.5) and slopes[-1] < 0.55


def test_the_heavy_ball_swings_out_before_it_calms_down():
    _, lr, beta = lesson07.fastest(1.0, 100.0)
    away = np.linalg.norm(
        lesson07.momentum(lesson07._slope(100.0), np.ones(2), lr, beta, 60), axis=-1
    )
    assert 1 <= away.argmax() <= 5 and away.max() > 2 * away[0] and away[-1] < 0.01 * away[0]


def exact_steps(condition: float) -> int:
    """Steps of the heavy ball at its best settings, not rounded."""
    root = np.sqrt(condition)
    lr, beta = 4 / (1 + root) ** 2, ((root - 1) / (root + 1)) ** 2
    slope, steps = lesson07._slope(condition), int(20 * root)
    return lesson07.arrival(lesson07.momentum(slope, np.ones(2), lr, beta, steps))


def test_the_steps_cell_runs_the_readers_function_and_falls_back_when_it_is_not_right():
    assert lesson07.steps_against_condition().startswith("condition number")
    assert lesson07.steps_against_condition(lambda *_: None).startswith("(with our")


def test_on_a_network_a_memory_takes_about_a_third_of_the_steps():
    (alone, _), (together, _) = (lesson07.to_the_goal(beta) for beta in (0.0, 0.9))
    assert min(alone) > 100
    assert 2.5 < np.mean(alone) / np.mean(together) < 4.5


def test_at_the_end_of_training_some_curvatures_are_a_little_below_zero():
    landscape, theta = lesson03.trained_network()
    curvatures = np.linalg.eigvalsh(landscape.hessian(theta))
    assert -0.1 < curvatures[0] < 0 < 10 < curvatures[-1]


def test_turning_the_ravine_changes_no_number_of_steps():
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2)))[0]
    _, lr, beta = lesson07.fastest(1.0, 100.0)
    tilted = turn @ np.diag([1.0, 100.0]) @ turn.T
    walk = lesson07.momentum(lambda x: tilted @ x, turn @ np.ones(2), lr, beta, 120)
    assert lesson07.arrival(walk) == lesson07.steps_heavy(100.0)
