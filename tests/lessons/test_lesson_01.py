"""Lesson 1: the formula is the lowest place, the panels show the lesson's data, and accuracy is
level almost everywhere."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tests.lessons.lessons import prose
from tinygrad_landscape.classroom import lesson01

TEXT = prose("01_error_has_a_height")
SLOPE = (
    r"w = \frac{\overline{x y} - \bar x\,\bar y}{\overline{x^2} - \bar x^2}, "
    r"\qquad b = \bar y - w\,\bar x"
)
LOSS = r"L(w, b) = \frac1n \sum_{i=1}^{n} (w x_i + b - y_i)^2"
NETWORK = r"-1.5 \tanh(w_1 x + 1.5) + \tanh(w_2 x - 1.7)"


def test_the_displayed_loss_and_network_are_those_of_the_panels():
    assert LOSS in TEXT and NETWORK in TEXT
    x, y = lesson01.points()
    summed = sum((0.3 * x[i] - 0.2 - y[i]) ** 2 for i in range(20)) / 20
    assert np.isclose(lesson01.mse(0.3, -0.2, x, y), summed, rtol=1e-12)
    net, seen = tl.formulas.three_valleys, np.linspace(-3.0, 3.0, 7)
    shown = -1.5 * np.tanh(0.4 * seen + 1.5) + np.tanh(-2.0 * seen - 1.7)
    assert np.allclose(net.predict(np.array([0.4, -2.0]), seen), shown, rtol=1e-12)


def test_the_formula_gives_the_line_of_least_squares():
    assert SLOPE in TEXT
    rng = np.random.default_rng(3)
    for n in (3, 20):
        x, y = rng.normal(size=n), rng.normal(size=n)
        assert np.allclose(lesson01.closed_form(x, y), np.polyfit(x, y, 1))


def test_the_grid_finds_what_the_formula_says():
    grid, formula = lesson01.lowest().splitlines()
    numbers = [np.array(line.split()[-5::2], float) for line in (grid, formula)]
    assert "10201 places" in grid and np.allclose(numbers[1], [1.044, 0.466, 0.07719])
    assert np.abs(numbers[0] - numbers[1])[:2].max() <= 0.02  # half a step of the grid
    assert 0.0 < numbers[0][2] - numbers[1][2] < 1e-4


def test_a_skipped_exercise_breaks_nothing():
    assert lesson01.lowest(lambda w, b, x, y: None).startswith("(with our mse")


def test_the_panel_of_the_line_shows_the_points_of_the_lesson():
    panel = tl.panels.Fit(resolution=11)
    x, y = lesson01.points()
    assert np.array_equal(panel.landscape.data.x[:, 0], x)
    assert np.array_equal(panel.landscape.data.y[:, 0], y)
    assert np.isclose(panel.landscape([0.3, -0.2]), lesson01.mse(0.3, -0.2, x, y), rtol=1e-12)
    assert np.allclose(panel._corners(), lesson01.FRAME)


def test_what_the_reader_gets_can_be_spoiled_without_harm():
    x, _ = lesson01.points()
    x[:] = 0.0
    assert lesson01.points()[0].any()


def test_the_prose_is_right_about_the_points_that_pull_the_squared_error():
    """The second and third point lie far below the line that fits the others."""
    x, y = lesson01.points()
    others = np.delete(np.arange(20), [1, 2])
    w, b = np.polyfit(x[others], y[others], 1)
    miss = w * x + b - y
    assert set(np.argsort(-miss)[:2]) == {1, 2} and miss[[1, 2]].min() > 1.5 * miss[others].max()
    assert w < 0.9  # without them the squared error, too, is content with a flatter line


def test_the_accuracy_notices_ever_fewer_places_and_the_loss_all_of_them():
    shares = [lesson01.noticed(size) for size in (0.1, 0.01, 0.001)]
    assert all(loss == 1.0 for _, loss in shares)
    assert [round(accuracy, 2) for accuracy, _ in shares] == [0.14, 0.02, 0.0]
    assert lesson01.measure_nudge().choice == lesson01.CHOICES[-1]


def test_the_map_of_the_classes_is_that_of_the_panel():
    panel = tl.panels.Fit(preset="classes", resolution=11)
    assert np.allclose(panel._corners(), lesson01.CLASSES_FRAME)


@pytest.mark.parametrize("values, word", [((0.9, 0.4), ""), ((1.0, 0.9), "too high")])
def test_the_hunt_judges_any_line(values, word):
    assert word in lesson01.judge(*values) and bool(word) == bool(lesson01.judge(*values))
    assert lesson01.find.check("steep", 1.0).state == "not yet"
