"""Lesson 8: lowest places by other solvers, pulls by differences, beliefs by their sums."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson08, odd_points
from tinygrad_landscape.classroom.odd_points import CLASSES, REGRESSION, line, points

DATA = {
    "clean": points(),
    "lifted": points(6.0),
    "lowered": points(-3.0),
    "aside": points(at=10.0),
}


def height(loss, place, given):
    x, y = given
    return float(loss(place[0] * x + place[1], y))


def bounded(rows, right, n):
    """The least mean of n amounts over an average that rows of constraints leave, by linprog."""
    cost = [0.0, 0.0, *[1.0 / n] * n]
    return linprog(cost, rows, right, bounds=[(None, None)] * 2 + [(0, None)] * n).fun


@pytest.mark.parametrize("given", DATA.values(), ids=DATA)
def test_lines_of_the_three_losses_are_the_best_there_are(given):
    x, y = given.x[:, 0], given.y[:, 0]
    n, one = len(x), np.eye(len(x))
    base = np.stack([x, np.ones(n)], axis=1)
    least = bounded(np.block([[base, -one], [-base, -one]]), [*y, *-y], n)
    absolute = REGRESSION["absolute"]
    assert np.isclose(height(absolute, line(absolute, given), given), least, rtol=1e-9)
    assert np.allclose(line(REGRESSION["squared"], given), np.polyfit(x, y, 1), atol=1e-6)
    huber = REGRESSION["Huber"]
    other = minimize(lambda p: height(huber, p, given), [0.5, 0.5], method="Nelder-Mead",
                     options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 2000})  # fmt: skip
    assert np.isclose(height(huber, line(huber, given), given), other.fun, rtol=1e-9)


@pytest.mark.parametrize("given", [odd_points.two_classes(), odd_points.misplaced()])
def test_the_hinges_line_is_the_best_there_is(given):
    side = 2.0 * given.y - 1.0
    n = len(side)
    rows = -np.column_stack([side * given.x[:, 0], side, np.eye(n)])
    least = bounded(rows, -np.ones(n), n)
    hinge = CLASSES["hinge"]
    assert np.isclose(height(hinge, line(hinge, given), given), least, rtol=1e-9)


def test_the_squared_errors_shift_grows_without_end_and_hubers_does_not():
    squared, absolute, huber = (
        [odd_points.shift(REGRESSION[name], size) for size in (0.5, 1.0, 2.0, 6.0, 12.0)]
        for name in ("squared", "absolute", "Huber")
    )
    assert np.allclose(np.divide(squared, [0.5, 1.0, 2.0, 6.0, 12.0]), squared[1], rtol=1e-5)
    assert max(absolute) < 1e-9
    assert np.isclose(huber[0], squared[0], rtol=1e-5)
    assert np.isclose(huber[2], huber[-1], rtol=1e-5)


def test_what_was_asked_is_what_is_measured():
    found = lesson08.measure_shift()
    assert found.choice == "not at all" and "0.868" in found.sentence and "0.000" in found.sentence


@pytest.mark.parametrize("delta", [0.3, 2.0])
def test_hubers_pull_is_the_slope_of_its_height(delta):
    r = np.array([-5.0, -0.2, 0.1, 0.25, 1.7, 30.0])
    up, down = lesson08.huber(r + 1e-6, delta)[0], lesson08.huber(r - 1e-6, delta)[0]
    assert np.allclose(lesson08.huber(r, delta)[1], (up - down) / 2e-6, rtol=1e-6)
    mean = tl.losses.huber(r[:, None], np.zeros((6, 1)), delta=delta)
    assert np.isclose(lesson08.huber(r, delta)[0].mean(), mean)


def test_the_pulls_in_the_table_of_the_prose():
    r = np.array([-2.0, 0.5, 6.0])
    assert np.allclose(tl.grad(lambda r: np.sum(r**2))(r), 2 * r)
    assert np.allclose(tl.grad(lambda r: np.sum(np.abs(r)))(r), [-1.0, 1.0, 1.0])


def test_cross_entropy_is_exact_where_the_naive_formula_is_not_a_number():
    z, y = np.array([1000.0, -1000.0, 0.0, 3.0]), np.array([0, 0, 1, 1])
    exact = [1000.0, 0.0, np.log(2.0), np.log1p(np.exp(-3.0))]
    assert np.allclose(lesson08.cross_entropy(z, y), exact, rtol=1e-15)
    assert np.isclose(lesson08.cross_entropy(z, y).mean(),
                      tl.losses.binary_cross_entropy(z[:, None], y))  # fmt: skip


@pytest.mark.parametrize("name", odd_points.SCORED)
def test_pulls_are_slopes(name):
    loss = odd_points.SCORED[name]
    for score in (-10.0, -0.7, 0.3, 2.0):
        up, down = (odd_points.one_point(loss, score + h) for h in (1e-5, -1e-5))
        assert np.isclose(odd_points.pull(loss, score), (down - up) / 2e-5, rtol=1e-6, atol=1e-9)


def test_only_cross_entropy_is_a_likelihood_at_any_scale():
    """exp(-a · loss), over both labels, is constant for no a > 0 but the cross-entropy's a = 1."""
    scores = np.linspace(-4.0, 4.0, 17)

    def spread(loss, a):
        scaled = lambda p, y: a * loss(p, y)  # noqa: E731
        return np.ptp([odd_points.together(scaled, score) for score in scores])

    assert spread(CLASSES["cross-entropy"], 1.0) < 1e-12
    for name in ("hinge", "squared hinge", "focal"):
        assert min(spread(odd_points.SCORED[name], a) for a in np.geomspace(0.1, 10, 25)) > 5e-3


def test_the_panel_takes_the_readers_loss_and_falls_back_when_it_was_skipped():
    own = lesson08.panel(lesson08.huber, delta=1.0)
    assert np.isclose(own.shifts["yours (δ 1)"], own.shifts["Huber"])
    assert "ours (δ 0.3)" in lesson08.panel(lambda r, delta: None).shifts
