"""Bridge: the ways are real ways between real minima, and their heights are the landscape's own."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Bridge, bridges


@pytest.fixture(scope="module")
def made():
    return Bridge(resolution=7)


@pytest.fixture
def panel(made):
    made.reset()
    return made


def layer(panel, name):
    return panel.player.scene.layers[name].data


@pytest.mark.parametrize("seed", range(6))
def test_two_runs_have_a_mountain_between_them_that_alignment_takes_away(seed):
    train, _, pairs = bridges.two_moons(seed)
    ends = pairs["two seeds"]
    assert tl.connect.barrier(train, ends.a, ends.twin, 61) < 0.006
    for ends in pairs.values():
        assert 0.03 < train(ends.a) < 0.06 and 0.03 < train(ends.b) < 0.06
        assert tl.connect.barrier(train, ends.a, ends.b, 61) > 0.13
        x = np.random.default_rng(1).normal(size=(50, 2))
        assert np.allclose(train.network(ends.twin, x), train.network(ends.b, x), atol=1e-10)


def test_a_permuted_copy_is_the_same_function_and_its_twin_the_network_itself(panel):
    ends = panel._pairs["permuted copy"]
    x = np.random.default_rng(1).normal(size=(50, 2))
    net = panel.landscape.network
    assert np.allclose(net(ends.a, x), net(ends.b, x), atol=1e-10)
    assert np.linalg.norm(ends.a - ends.b) > 10.0 and np.allclose(ends.a, ends.twin, atol=1e-12)
    panel.controls["ends"].value = "permuted copy"
    assert panel.barriers["straight"] > 0.2 and panel.barriers["aligned"] < 1e-12
    assert "it has no barrier (highest 0.0537)" in panel.describe()


def test_every_height_is_the_landscapes_own(panel):
    ends = panel._ends
    for way, goal in (("straight", ends.b), ("aligned", ends.twin)):
        for which, landscape in (("train", panel.landscape), ("validation", panel._validation)):
            drawn = layer(panel, f"{which} {way}")[:, 0]
            tops = [float(landscape(ends.a)), float(landscape(goal))]
            assert drawn[[0, -1], 1].tolist() == pytest.approx(tops, rel=1e-9)
            place = ends.a + drawn[20, 0] * (goal - ends.a)
            assert drawn[20, 1] == pytest.approx(float(landscape(place)), rel=1e-9)
        assert panel.barriers[way] == pytest.approx(
            tl.connect.barrier(panel.landscape, ends.a, goal, 61), abs=1e-12
        )


def test_the_bend_is_that_of_tl_connect_bezier_and_lies_in_the_plane(panel):
    ends = panel._ends
    curve = tl.connect.bezier(panel.landscape, ends.a, ends.b, steps=300, resolution=61)
    assert np.allclose(panel.point(curve.t), curve.point(curve.t), atol=1e-5)
    assert np.allclose(layer(panel, "train curved")[:, 0, 1], curve.losses, atol=1e-5)
    assert panel._plane.residual(curve.point(0.3)) < 1e-9
    assert np.allclose(panel._plane.coordinates(np.stack([ends.a, ends.b])), [[0, 0], [1, 0]])
    lengths = [np.linalg.norm(axis) for axis in (panel._plane.u, panel._plane.v)]
    assert lengths == pytest.approx([np.linalg.norm(ends.b - ends.a)] * 2)
    assert panel.barriers["curved"] < 0.01 < 0.3 < panel.barriers["straight"]
    on_map = layer(panel, "way curved")[:, 0]
    assert np.allclose(panel._plane.point(*on_map[17]), panel.point(17 / 60), atol=1e-9)


def test_a_hand_bends_the_way(panel):
    panel.player.start = [0.5, -0.3]
    assert np.allclose(layer(panel, "way curved")[30, 0], [0.5, -0.3])
    assert np.allclose(layer(panel, "way curved")[[0, -1], 0], [[0, 0], [1, 0]])
    middle = panel._plane.point(0.5, -0.3)
    assert layer(panel, "train curved")[30, 0, 1] == pytest.approx(float(panel.landscape(middle)))
    assert panel.barriers["curved"] > 0.5 and "On your bent way it rises to" in panel.describe()
    panel.controls["bend_y"].value = 0.0  # straight
    assert np.allclose(layer(panel, "train curved"), layer(panel, "train straight"))
    code = panel.code
    panel.controls["ends"].value = "permuted copy"
    assert panel.state["bend_y"] == 0.0  # a bend of your own is kept
    panel.load(code)
    assert panel.state["bend_y"] == 0.0 and panel.state["ends"] == "two seeds"


def test_other_ends_bring_their_own_bend_and_codes_bring_both(panel):
    found = dict(panel.state)
    panel.controls["ends"].value = "permuted copy"
    assert panel.state["bend_x"] != found["bend_x"] and "On the bent way" in panel.describe()
    code, state, words = panel.code, panel.state, panel.describe()
    panel.reset()
    assert panel.state == found
    panel.load(code)
    assert panel.state == state and panel.describe() == words


def test_play_takes_all_balls_from_a_to_b(panel):
    assert panel.player.frames == 61
    for way in ("straight", "curved"):
        assert np.allclose(layer(panel, f"ball {way}")[[0, -1], 0], [[0, 0], [1, 0]])
    values = layer(panel, "readout")[:, 0]
    assert values[30, 0] == 0.5 and values[30, 1] == layer(panel, "train straight")[30, 0, 1]
    looks = [panel.player.scene.layers[f"at {way}"].look for way in panel._heights]
    assert len({look["shapes"][0] for look in looks}) == 3
    assert len({look["colors"][0] for look in looks}) == 3


def test_your_own_landscape():
    well = tl.formulas.double_well
    panel = Bridge(well, [-1.0, 0.0], [1.0, 0.0], resolution=5)
    assert list(panel.barriers) == ["straight", "curved"]  # no neurons, no twin
    assert panel.barriers["straight"] == pytest.approx(0.25)
    assert "a barrier of 0.25" in panel.describe() and "validation" not in panel.describe()
    assert panel.controls["ends"].layout.display == "none"
    train, held, pairs = bridges.two_moons(0)
    ends = pairs["two seeds"]
    panel = Bridge(train, ends.a, ends.b, validation=held.data, steps=20, resolution=5)
    assert panel.barriers["aligned"] < 0.006 and "highest validation loss" in panel.describe()


def test_what_does_not_fit_is_refused():
    well = tl.formulas.double_well
    with pytest.raises(tl.ParameterError, match="without both ends"):
        Bridge(well, [-1.0, 0.0])
    with pytest.raises(tl.ParameterError, match="same place"):
        Bridge(well, [1.0, 0.0], [1.0, 0.0])
    with pytest.raises(tl.ParameterError, match="without a landscape"):
        Bridge(p=[1.0, 0.0])
    with pytest.raises(tl.ShapeError):
        Bridge(well, [1.0, 0.0, 0.0], [1.0, 0.0])
    with pytest.raises(tl.ParameterError, match="ends='three seeds'"):
        Bridge(ends="three seeds")


def test_it_is_written_as_a_page(panel, tmp_path):
    panel.to_html(tmp_path / "bridge.html")
    text = (tmp_path / "bridge.html").read_text(encoding="utf-8")
    assert len(text) < 1e6 and "permuted copy" in text and "it has no barrier" in text
