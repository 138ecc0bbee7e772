"""`Flatness(preset="capacity")`: the fits are the shortest, the spike is real, a ridge ends it."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Flatness
from tinygrad_landscape.panels.capacity import PLACES, RIDGES, SEEDS, WIDTHS
from tinygrad_landscape.panels.waves import NOISE, POINTS, Waves, truth


@pytest.fixture(scope="module")
def panel():
    return Flatness(preset="capacity")


@pytest.fixture(autouse=True)
def opened(panel):
    yield
    panel.reset()


def test_without_a_ridge_the_fit_is_lapacks_shortest_one():
    waves = Waves.of(3)
    for n in (5, 15, 30, 100):
        shortest, *_ = np.linalg.lstsq(waves.features(waves.x, n), waves.y)
        assert np.allclose(waves.fit(n), shortest, 1e-8, 1e-8)


@pytest.mark.parametrize("n", [5, POINTS, 60])
def test_with_a_ridge_the_engine_finds_no_way_down(n):
    waves = Waves.of(1)
    seen = waves.features(waves.x, n)

    def loss(weights, ridge):
        return ((seen @ weights - waves.y) ** 2).mean() + ridge * (weights * weights).sum()

    for ridge, weights in zip((1e-3, 1e-1), waves.fit(n, [1e-3, 1e-1]), strict=True):
        uphill = tl.grad(lambda w, ridge=ridge: loss(w, ridge))(weights)
        assert np.abs(uphill).max() < 1e-10


def test_the_fit_is_that_of_a_network_with_a_frozen_layer():
    waves, n = Waves.of(2), 12
    net = tl.Network(tl.Linear(1, n), tl.Sine(), tl.Linear(n, 1, bias=False))
    theta = net.pack({
        "0.weight": waves.frequencies[None, :n], "0.bias": waves.phases[:n],
        "2.weight": np.sqrt(2 / n) * waves.fit(n)[:, None],
    })  # fmt: skip
    predicted = waves.features(PLACES, n) @ waves.fit(n)
    assert np.allclose(net(theta, PLACES[:, None])[:, 0], predicted)


def test_the_errors_are_those_of_the_fits_and_of_fresh_data(panel):
    waves, n, ridge = panel._waves[4], 14, 1e-2
    weights = waves.fit(n, ridge)
    train, test = panel.errors[RIDGES.index(ridge), WIDTHS.index(n), 4]
    assert train == pytest.approx(np.mean((waves.features(waves.x, n) @ weights - waves.y) ** 2))
    rng = np.random.default_rng(0)
    y = truth(PLACES) + NOISE * rng.normal(size=(2000, len(PLACES)))
    fresh = np.mean((waves.features(PLACES, n) @ weights - y) ** 2)
    assert test == pytest.approx(fresh, rel=0.01)


def test_the_error_falls_spikes_at_the_number_of_points_and_falls_again(panel):
    plain = np.median(panel.errors[0, ..., 1], axis=-1)
    top = WIDTHS[int(plain.argmax())]
    dip = plain[: WIDTHS.index(POINTS)].min()
    assert top == POINTS and plain.max() > 100 * dip
    assert plain[-1] < 0.5 * plain[0] and plain[-1] > dip  # no simple U-curve, and no free lunch
    assert (panel.errors[0, WIDTHS.index(POINTS) :, :, 0] < 1e-6).all()
    ridged = np.median(panel.errors[RIDGES.index(1e-2), ..., 1], axis=-1)
    assert ridged[WIDTHS.index(POINTS) :].max() < 1.2 * dip
    assert panel.errors.shape == (len(RIDGES), len(WIDTHS), SEEDS, 2)
    assert (panel.errors[..., 1] > NOISE**2).all()


def test_the_sentence_tells_the_numbers(panel):
    plain = np.median(panel.errors[0, ..., 1], axis=-1)
    text = panel.describe()
    assert f"rises to {plain.max():.3g} at {POINTS}, as many as there are points" in text
    assert "no simple U-curve" in text and "With ridge 0.01 it is 0.17" in text
    assert "20 weights and no ridge, has train error 0 and test error" in text
    panel.controls["ridge"].value, panel.controls["weights"].value = 1e-2, 33
    assert "33 weights and ridge 0.01" in panel.describe() and panel.spike < 0.2
    assert panel.minimum.shape == (33,)


def test_play_goes_through_the_numbers_of_weights_and_to_the_one_chosen(panel):
    panel.controls["weights"].value = 33
    arrays, waves = panel.player.scene.arrays(), panel._shown()
    assert panel.player.frames == len(WIDTHS) + 1
    assert arrays["readout"][:, 0, 0].tolist() == [*WIDTHS, 33]
    assert np.allclose(arrays["fit"][-1, :, 1], waves.features(PLACES, 33) @ waves.fit(33))
    assert np.allclose(arrays["plain"][:, 0, 1], np.median(panel.errors[0, ..., 1], axis=-1))
    assert not arrays["ridge"].size
    code = panel.code
    panel.reset()
    panel.load(code)
    assert panel.controls["weights"].value == 33


def test_the_slider_goes_from_stop_to_stop(panel):
    row = panel.widget.children[0].children
    slider = next(each for each in row if type(each).__name__ == "IntSlider")
    slider.value = slider.max
    assert panel.controls["weights"].value == WIDTHS[-1]
    panel.controls["weights"].value = 27
    assert slider.value == WIDTHS.index(26) and panel.controls["weights"].value == 27


def test_it_has_data_of_its_own():
    with pytest.raises(ParameterError, match="data of its own"):
        Flatness(tl.formulas.himmelblau, np.zeros(2), preset="capacity")
    with pytest.raises(ParameterError, match="hide"):
        Flatness(preset="capacity", hide=("alpha",))
