"""`Ravine`: the angle between minus the gradient and the way down, and what momentum is worth."""

import math
from functools import partial

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Ravine


@pytest.fixture(scope="module")
def compass():
    return Ravine(resolution=21)


@pytest.fixture(scope="module")
def momentum():
    return Ravine(preset="momentum", resolution=21)


def worst(k):
    """Degrees between minus the gradient and the minimum of a quadratic, at worst."""
    return math.degrees(math.acos(2.0 * math.sqrt(k) / (1.0 + k)))


@pytest.mark.parametrize("k, degrees", [(10.0, 54.9), (100.0, 78.6), (1000.0, 86.4)])
def test_the_worst_angle_follows_the_formula(compass, k, degrees):
    compass.controls["condition"].value = k
    assert round(worst(k), 1) == degrees
    assert np.isclose(compass._all.max(), worst(k), atol=1e-3)
    assert f"the worst {degrees}°" in compass.describe()
    compass.reset()


def test_the_angle_at_the_ball(compass):
    x, y = compass.opening
    cosine = (x * x + 100 * y * y) / (math.hypot(x, y) * math.hypot(x, 100 * y))
    degrees = math.degrees(math.acos(cosine))
    assert f"{degrees:.1f}° past the minimum here" in compass.describe()
    compass.player.start = [0.5, 0.0]  # on the axis the gradient does point at the minimum
    assert "points 0.0° past" in compass.describe()
    compass.reset()


def test_the_median_over_directions_is_measured(compass):
    turn = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, 200_000)
    c, s = np.cos(turn), np.sin(turn)
    angle = np.degrees(np.arccos((c * c + 100 * s * s) / np.hypot(c, 100 * s)))
    assert abs(np.median(angle) - np.median(compass._all)) < 0.3


def test_play_goes_once_round_at_one_distance(compass):
    ring = compass.player.scene.layers["ball"].data[:, 0]
    assert np.allclose(ring[0], ring[-1]) and np.allclose(ring[0], compass.opening)
    assert np.allclose(np.linalg.norm(ring, axis=1), math.hypot(*compass.opening))
    arrow = compass.player.scene.layers["arrow"].data[30, 0]
    gradient = tl.formulas.quadratic(100.0).gradient(arrow[:2])
    assert np.allclose(arrow[2:] / np.linalg.norm(arrow[2:]), -gradient / np.linalg.norm(gradient))


def test_p5_plain_and_heavy_at_their_best(momentum):
    assert momentum.state["lr_plain"] == 0.0198
    plain, heavy = momentum._rates()
    assert round(plain, 3) == 0.980 and round(heavy, 3) == 0.818
    text = momentum.describe()
    assert "multiplies the distance by 0.980" in text and "multiplies the distance by 0.818" in text


def test_the_rates_are_what_the_walks_do(momentum):
    """Over the walk's second half; near a double root n * rate^n falls a little slower."""
    for run, rate in zip(momentum._runs, momentum._rates(), strict=True):
        away = momentum._distances(run)
        assert np.isclose((away[-1] / away[150]) ** (1 / 150), rate, rtol=0.01)


@pytest.mark.parametrize("lr, beta", [(0.0198, 0.0), (0.03, 0.67), (0.01, 0.9), (0.035, 0.3)])
def test_no_other_setting_near_the_best_is_faster(momentum, lr, beta):
    best = momentum._rates()
    momentum.controls["lr_plain"].value = lr
    momentum.controls["lr_heavy"].value, momentum.controls["momentum"].value = lr, beta
    assert not momentum.controls["best"].value
    assert momentum._rates()[0] >= best[0] and momentum._rates()[1] > best[1]
    momentum.reset()
    assert momentum.controls["best"].value and momentum._rates() == best


def test_steps_grow_with_the_condition_number_and_with_its_root():
    panel = Ravine(preset="momentum", steps=4000, resolution=5)
    counts = []
    for k in (30.0, 300.0):
        panel.controls["condition"].value = k
        panel.settle()
        away = [panel._distances(run) for run in panel._runs]
        counts.append([np.flatnonzero(a > 0.01 * a[0])[-1] for a in away])
    plain, heavy = np.log10(counts[1]) - np.log10(counts[0])  # over one decade
    assert abs(plain - 1.0) < 0.05 and abs(heavy - 0.5) < 0.1


def test_momentum_zero_is_plain_descent(momentum):
    momentum.controls["lr_heavy"].value = 0.0198
    momentum.controls["momentum"].value = 0.0
    first, second = (run.walk.points for run in momentum._runs)
    assert np.array_equal(first, second)
    momentum.reset()


def test_a_walk_that_diverges_is_named(momentum):
    momentum.controls["lr_plain"].value = 0.05
    assert "diverges at step" in momentum.describe()
    momentum.reset()


@pytest.mark.parametrize("preset", ["compass", "momentum"])
def test_a_landscape_of_the_reader(preset):
    bowl = tl.Landscape.from_function(
        lambda p: 0.5 * (p[..., 0] - 0.25) ** 2 + 8.0 * (p[..., 1] + 0.5) ** 2
    )
    panel = Ravine(bowl, preset=preset, resolution=11)
    assert np.isclose(panel.condition, 16.0) and "condition" not in panel.controls
    assert np.allclose(panel._lowest, [0.25, -0.5])
    assert "At condition number 16" in panel.describe()


def test_a_plane_of_the_reader():
    L = tl.formulas.quadratic(50.0, size=4)
    plane = tl.Plane.two_weights(np.zeros(4), 0, 3)
    assert np.isclose(Ravine(L, plane, resolution=11).condition, 50.0)


@pytest.mark.parametrize("preset", ["compass", "momentum"])
def test_state_code_and_reset(preset):
    panel = Ravine(preset=preset, resolution=11)
    opening, sentence = panel.code, panel.describe()
    panel.controls["condition"].value = 20.0
    panel.player.start = [0.3, -0.4]
    panel.seek(9)
    code, words = panel.code, panel.describe()
    panel.reset()
    assert (panel.code, panel.describe()) == (opening, sentence)
    panel.load(code)
    assert (panel.code, panel.describe(), panel.player.frame) == (code, words, 9)


@pytest.mark.parametrize(
    "make, words",
    [
        (partial(Ravine, preset="map"), "expected one of compass, momentum"),
        (partial(Ravine, condition=0.5), "expected 1 to 1000"),
        (partial(Ravine, start=(2.0, 0.0)), "inside the frame"),
        (partial(Ravine, hide=["lr"]), "the controls are condition"),
        (partial(Ravine, tl.formulas.monkey_saddle), "no clear minimum"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(tl.ParameterError, match=words):
        make(resolution=5)


def test_a_walk_into_another_valley_is_named():
    panel = Ravine(
        tl.formulas.himmelblau,
        preset="momentum",
        extent=(1, 5, 0, 4),
        start=(4.6, 2.6),
        resolution=21,
    )
    assert "heavy ball (learning rate 0.02, momentum 0.0801) leaves for another" in panel.describe()
