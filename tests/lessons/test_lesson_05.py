"""Lesson 5: what its prose claims without a number, and what its cells say."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson05


def test_the_two_neighbours_stand_equally_high_and_end_in_the_best_and_the_worst_valley():
    L = tl.formulas.three_valleys
    walk = tl.descend(L, np.array(lesson05.NEIGHBOURS), tl.optim.SGD(lr=0.8), steps=150)
    assert np.ptp(walk.losses[0]) < 1e-3
    assert np.allclose(walk.end, L.minima[[0, -1]], atol=1e-2)


def test_another_learning_rate_leads_the_white_ball_to_another_valley():
    panel = tl.panels.Basins(resolution=21, balls=1)
    assert "ends in valley B" in panel.describe()
    panel.controls["lr"].value = 1.5
    assert "ends in valley A" in panel.describe()


def test_at_zero_no_weight_moves_and_with_unequal_classes_only_the_last_bias():
    said = lesson05.measure_zero_start()
    assert said.choice == "none of them" and said.sentence.startswith("0 of 7521")
    landscape, _ = lesson05.deep_network()
    end = tl.descend(
        uneven(landscape), np.zeros(landscape.size), tl.optim.SGD(lr=0.3), steps=50
    ).end
    assert [landscape.names[k] for k in np.flatnonzero(end)] == ["16.bias[0]"]


def test_the_moving_weights_are_counted_not_taken_for_granted(monkeypatch):
    landscape, unseen = lesson05.deep_network()
    monkeypatch.setattr(lesson05, "deep_network", lambda: (uneven(landscape), unseen))
    assert lesson05.measure_zero_start().choice == "only those of the last layer"


def uneven(landscape):
    """The same loss on 60 points of one kind and 20 of the other."""
    x, y = landscape.data
    some = np.argsort(y, kind="stable")[:80]
    return landscape.on(tl.Data(x[some], y[some], landscape.data.names))


@pytest.mark.parametrize(("scheme", "draw"), [("he", "he_normal"), ("glorot", "glorot_uniform")])
def test_the_standard_deviation_is_that_of_the_package(scheme, draw):
    for n_in, n_out in ((400, 250), (30, 900)):
        weights = getattr(tl.initializers, draw)(
            np.random.default_rng(0), (n_in, n_out), (n_in, n_out)
        )
        assert weights.std() == pytest.approx(lesson05.weight_std(n_in, n_out, scheme), rel=0.02)


def test_the_variance_of_a_relu_signal_halves_with_glorot_and_stays_with_he():
    for width in (50, 200):
        shrinking, level = (
            np.mean([factor(lesson05.weight_std(width, width, rule), width, s) for s in range(5)])
            for rule in ("glorot", "he")
        )
        assert shrinking == pytest.approx(np.sqrt(0.5), rel=0.03)
        assert level == pytest.approx(1.0, rel=0.03)


def factor(std, width, seed):
    found = lesson05.sizes(tl.relu, std, width, seed=seed)
    return (found[-1] / found[0]) ** (1 / 19)


def test_the_layers_cell_uses_the_readers_function_and_falls_back_when_it_is_not_right():
    assert lesson05.through_layers(lesson05.weight_std).startswith("size of")
    assert lesson05.through_layers(lambda n_in, n_out, scheme: 1.0).startswith("(with our")


def test_the_map_of_the_twins_is_its_own_mirror_image_and_its_points_are_critical():
    L = lesson05.twins
    places = np.random.default_rng(0).uniform(-4, 4, (50, 2))
    assert np.allclose(L(places), L(places[:, ::-1]))
    assert np.allclose(L.gradient(np.concatenate([L.minima, L.saddles])), 0.0, atol=1e-9)
    curvatures = np.linalg.eigvalsh(L.hessian(L.saddles[0]))
    assert curvatures[0] < 0 < curvatures[1]
    assert np.all(np.linalg.eigvalsh(L.hessian(L.minima)) > 0)


def test_on_the_mirror_a_ball_stays_and_off_it_every_ball_finds_the_floor():
    L, axis = lesson05.twins, np.linspace(-4, 4, 17)
    starts = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    walk = tl.descend(L, starts, tl.optim.SGD(lr=lesson05.TWIN_RATE), steps=300, record_every=300)
    mirror = np.eye(len(axis), dtype=bool)
    assert np.array_equal(walk.end[mirror][:, 0], walk.end[mirror][:, 1])
    assert np.allclose(walk.losses[-1][mirror], L(L.saddles[0]))
    assert walk.losses[-1][~mirror].max() < 1e-3


def test_a_start_nearer_to_the_mirror_leaves_the_saddle_later_by_as_much_each_time():
    delays = np.diff([lesson05.steps_to_part(10.0**-k) for k in (2, 4, 6, 8)])
    curvature = np.linalg.eigvalsh(lesson05.twins.hessian(lesson05.twins.saddles[0]))[0]
    expected = np.log(100) / np.log(1 - lesson05.TWIN_RATE * curvature)
    assert np.all(np.abs(delays - expected) < 1)
    assert lesson05.steps_to_part(0.0) == -1


def test_small_starts_learn_nothing_and_large_ones_learn_what_does_not_carry_over():
    none, good, loud = (lesson05.trained(name) for name in lesson05.RANDOM)
    assert np.all(np.abs(none - np.log(2)) < 1e-3)
    assert np.all(good < 0.1)
    assert np.median(loud[:, 0]) < 2 * np.median(good[:, 0])
    assert np.median(loud[:, 1]) > 3 * np.median(good[:, 1])
    assert np.all(loud[:, 1] > good[:, 1])
