"""Lesson 4: what its prose claims without a number, and what its cells say."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson03, lesson04

L = tl.formulas.one_neuron


def test_nearly_half_of_the_starts_are_lost_below_the_cliff_and_none_at_two():
    said = lesson04.measure_lost()
    assert said.choice == "about half of them" and said.sentence.startswith("47.9%")
    assert not lesson04.crowd(2.0).diverged.any()
    shares = [lesson04.crowd(lr).diverged.mean() for lr in (2.0, 2.2, 2.4, 2.5, 2.59)]
    assert np.all(np.diff(shares) > 0) and shares[-1] < 1


def test_the_answer_follows_the_measurement(monkeypatch):
    for lr, choice in ((0.5, lesson04.CHOICES[0]), (4.0, lesson04.CHOICES[3])):
        monkeypatch.setattr(lesson04, "RATE", lr)
        assert lesson04.measure_lost().choice == choice


def test_the_hundred_balls_of_the_panel_tell_the_same_share():
    panel = tl.panels.Basins(L, lr=lesson04.RATE, lr_range=(0.1, 4.0), balls=4, resolution=21)
    assert f"{lesson04.crowd(lesson04.RATE).diverged.mean():.1%} leave the ground" in (
        panel.describe()
    )


@pytest.mark.parametrize("case", range(4))
def test_the_exercises_answer_is_two_over_the_second_derivative(case):
    g, x = lesson04.exercise.instances()[case]
    assert g(x) == pytest.approx(0.0, abs=1e-12)
    second = (g(x + 1e-3) - g(x - 1e-3)) / 2e-3
    assert second > 0 and lesson04.critical_lr(g, x) == pytest.approx(2 / second, rel=1e-3)


@pytest.mark.parametrize("case", range(4))
def test_below_the_answer_a_ball_beside_the_bottom_comes_back_and_above_it_does_not(case):
    g, bottom = lesson04.exercise.instances()[case]
    for share, back in ((0.98, True), (1.02, False)):
        x = bottom + 1e-4
        for _ in range(100):
            x = x - share * lesson04.critical_lr(g, bottom) * g(x)
        assert (abs(x - bottom) < 1e-4) == back


def test_one_per_cent_is_forgiven_and_more_is_not():
    for share, state in ((1.009, "passed"), (1.02, "not yet")):
        verdict = lesson04.exercise.check(lambda g, x, s=share: s * lesson04.critical_lr(g, x))
        assert verdict.state == state
        assert lesson04.cliff.check(share * 2 / np.linalg.eigvalsh(lesson04.TILT)[1]).state == state


def test_the_bowl_is_the_one_of_its_matrix_and_its_steepness_is_its_slope():
    place, unit = np.array([0.3, -1.1]), np.array([0.6, 0.8])
    assert np.allclose(lesson04.bowl.hessian(place), lesson04.TILT)
    g = lesson04.along(lesson04.bowl, place, 5 * unit)
    slope = (lesson04.bowl(place + 1e-6 * unit) - lesson04.bowl(place - 1e-6 * unit)) / 2e-6
    assert g(0.0) == pytest.approx(float(slope), rel=1e-6)


def test_the_smallest_limit_of_the_table_is_the_cliff_within_one_per_cent():
    rows = lesson04.around(lesson04.critical_lr).splitlines()[1:]
    assert len(rows) == 12
    smallest = min(float(row.split()[1]) for row in rows)
    assert lesson04.cliff.check(smallest).state == "passed"
    for lr, rests in ((0.99 * 2 / 2.8, True), (1.01 * 2 / 2.8, False)):
        walk = tl.descend(lesson04.bowl, np.array([1.0, 0.5]), tl.optim.SGD(lr=lr), steps=500)
        assert (walk.losses[-1] < 1e-3) == rests


def test_cells_fall_back_when_the_exercise_was_skipped():
    assert lesson04.around().startswith("direction")
    assert lesson04.around(lambda g, x: 0.0).startswith("(with our")
    assert lesson04.at_the_bottom(lambda g, x: None).startswith("(with our")


def test_the_parabola_is_as_high_again_at_two_over_its_curvature():
    panel = tl.panels.Descent(resolution=21, lr=0.5)
    for step in (5, 8):
        panel.seek(step)
        fitted, place = panel.parabola, panel.walk.points[step]
        lr = 1e-3 * fitted.level  # near the ball the loss is its parabola
        change = float(L(place - lr * L.gradient(place)) - L(place))
        expected = fitted.steepness**2 * lr * (lr / fitted.level - 1)
        assert change == pytest.approx(expected, rel=1e-4)
    panel.seek(0)
    assert panel.parabola.curvature < 0


def test_at_three_the_square_ends_above_the_ball_from_the_second_step_on():
    walk = tl.descend(L, np.array([0.3, 0.2]), tl.optim.SGD(lr=3.0), steps=5).losses
    assert walk[1] < walk[0] and np.all(np.diff(walk[1:]) > 0)


def test_a_ball_on_sharper_ground_is_not_lost_for_certain():
    lost = lesson04.crowd(lesson04.RATE).diverged
    axis = np.linspace(-3, 3, lesson04.SIDE)
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    sharp = np.linalg.eigvalsh(L.hessian(places))[..., -1] > 2 / lesson04.RATE
    assert lost[sharp].any() and not lost[sharp].all()


def test_a_network_thrown_from_its_minimum_learns_on_where_the_step_fits():
    network, trained = lesson03.trained_network()
    assert lesson04.limit(network, trained) < 0.1
    walk = tl.descend(network, trained, tl.optim.SGD(lr=0.2), steps=400)
    assert walk.losses.max() > 1.0 > 0.1 > walk.losses[-1]
    assert 0.6 < 0.2 / lesson04.limit(network, walk.end) < 1.15
