"""`TwinSurface`: two heights over one plane; equal on the left says nothing about the right."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import TwinSurface, two_ends


@pytest.fixture(scope="module")
def default():
    return TwinSurface(resolution=9)


@pytest.fixture(autouse=True)
def opened(default):
    yield
    default.reset()


def layer(panel, name):
    return panel.player.scene.layers[name].data[:, 0]


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_p7_equal_on_training_data_and_far_apart_on_new(seed):
    train, held, _, a, b = two_ends.ends(seed)
    assert 0.01 < train(a) <= 0.02 and 0.01 < train(b) <= 0.02
    assert 0.04 < held(a) < 0.07 and held(b) > 1.8 * held(a)
    assert seed or held(b) > 0.7


def test_the_presets_are_seen_as_they_are(default):
    train, held, start, a, b = two_ends.ends(0)
    assert default.losses(a) == (train(a), held(a)) and default.losses(b) == (train(b), held(b))
    assert f"validation loss {held(a):.3g};" in default.describe()
    assert f"they are {train(b):.3g} and {held(b):.3g}" in default.describe()
    assert np.abs(default.twins.plane.residual([b, start])).max() < 1e-9
    t = np.linspace(0.0, 1.0, 201)[:, None]
    assert default._ridge == pytest.approx(np.max(train(a + t * (b - a))), rel=1e-9)
    assert f"rises to {default._ridge:.3g}" in default.describe()


def test_the_maps_are_the_two_losses(default):
    for surface, landscape in zip(default.surfaces, default.twins.pair, strict=True):
        theta = surface.plane.point(surface.a[2], surface.b[7])
        assert surface.loss[2, 7] == pytest.approx(float(landscape(theta)), rel=1e-4)


def test_one_cursor_on_both_maps(default):
    _, _, _, a, b = two_ends.ends(0)
    default.controls["along"].value = 0.25
    theta = a + 0.25 * (b - a)
    here, there = (float(loss) for loss in default.losses(theta))
    assert f"the two are {here:.3g} and {there:.3g}" in default.describe()
    assert np.array_equal(layer(default, "cursor0"), layer(default, "cursor1"))
    assert np.allclose(layer(default, "cursor0"), default.twins.plane.coordinates(theta))
    for name, loss in (("readout0", here), ("readout1", there)):
        assert layer(default, name)[-1] == pytest.approx(loss, rel=1e-9)


def test_the_cursor_can_be_dragged_beside_the_way(default):
    default.player.start = [10.0, -5.0]
    place = layer(default, "cursor1")[0]
    assert np.allclose(place, [10.0, -5.0], atol=1e-4)
    theta = default.twins.plane.point(10.0, -5.0)
    assert layer(default, "readout1")[-1] == pytest.approx(float(default.losses(theta)[1]), 1e-4)
    assert np.isnan(layer(default, "at0")[-1]).all()
    code, state = default.code, default.state
    default.reset()
    default.load(code)
    assert default.state == state


def test_play_goes_from_a_to_b_and_on_to_the_cursor(default):
    _, _, _, a, b = two_ends.ends(0)
    default.controls["along"].value = 0.5
    way = default.twins.plane.point(*layer(default, "ball0").T)
    assert np.allclose(way[0], a) and np.allclose(way[40], b)
    assert np.allclose(way[-1], 0.5 * (a + b)) and default.player.frames == len(way)
    default.step()
    assert default.player.revealed and default.player.frame == 1


def test_regularisation_moves_the_lowest_place():
    panel = TwinSurface(preset="regularisation", resolution=9, style="dark")
    a, b = panel.twins.ends
    before, after = panel.twins.pair
    assert before(a) < before(b) and after(a) > 5.0 * after(b)
    held = before.on(tl.data.moons(300, noise=0.15, seed=100))
    assert held(a) > 3.0 * held(b)
    assert f"with l2, validation loss {held(b):.3f}" in panel.describe()
    assert float(after(a)) == pytest.approx(float(before(a)) + 1e-3 * float(a @ a))


def test_a_readers_own_landscape():
    net = tl.Network(tl.Linear(1, 1))
    own = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(20, seed=1))
    other = tl.data.line(20, seed=2)
    panel = TwinSurface(own, validation=other, resolution=31)
    a, b = panel.twins.ends
    assert own(a) < own(b) and own.on(other)(b) < own.on(other)(a)
    assert "lowest validation loss of the map" in panel.describe()
    given = TwinSurface(own, validation=own.on(other), ends=([0.0, 1.0], [2.0, 2.0]), resolution=9)
    assert np.array_equal(given.twins.ends, [[0.0, 1.0], [2.0, 2.0]])


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"preset": "sideways"}, "validation, regularisation"),
        ({"landscape": tl.formulas.himmelblau}, "validation="),
        (
            {
                "landscape": tl.formulas.himmelblau,
                "validation": tl.formulas.himmelblau,
            },
            "same place",
        ),
        ({"hide": ("cursor",), "resolution": 5}, "along, off"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        TwinSurface(**wrong)
