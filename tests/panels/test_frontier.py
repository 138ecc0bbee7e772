"""The border of what trains: every pair is a real training, every zoom looks round one pair."""

import asyncio
import time
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Basins
from tinygrad_landscape.panels.frontier import SHADES
from tinygrad_landscape.panels.zooms import AXES, PAIR, dimension, other_fate, parting, windows

SMALL = {"side": 17, "levels": 3, "steps": 40}


def small(**settings):
    return Basins(preset="trainability", **SMALL | settings)


@pytest.fixture(scope="module")
def opened():
    return small()


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def layer(panel, name):
    return panel.player.scene.layers[name].data


# Windows ------------------------------------------------------------------------------------------


def test_the_pair_keeps_its_place_and_every_look_is_four_times_as_close():
    found = windows(AXES, np.array(PAIR), 5)
    assert np.allclose(found[0].pairs(np.array([[-1, -1], [1, 1]])).T, list(AXES.values()))
    places = np.array([window.places(np.array(PAIR)) for window in found])
    assert np.allclose(places, places[0], atol=1e-6)
    halves = np.array([window.half for window in found])
    assert np.allclose(halves[:-1] / halves[1:], 4.0)
    for wide, close in pairwise(found):  # a closer look is a part of the last
        assert (np.abs(wide.places(close.pairs(np.array([[-1, -1], [1, 1]])))) <= 1.0).all()


# Maps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 2])
def test_every_pair_is_a_training(panel, k):
    panel.settle()
    found = panel._zooms.map(k)
    axes = {name: (axis[0], axis[-1]) for name, axis in zip("02", (found.a, found.b), strict=True)}
    L, theta = panel._zooms.landscape, panel._zooms.theta
    whole = tl.trainability(L, theta, axes, 17, 40)
    assert (whole.trains == found.trains).mean() > (0.99 if k == 0 else 0.9)  # one rounding, chaos
    assert 0.05 < found.trains.mean() < 0.95
    for i, j in ((3, 4), (14, 2), (8, 15)):
        lr = {"0": found.a[i], "2": found.b[j]}
        losses = tl.descend(L, theta, tl.optim.SGD(lr), 40).losses
        mean = np.where(np.isnan(losses), np.inf, losses)[-20:].mean() / losses[0]
        assert (mean < 1.0) == found.trains[i, j]


def test_the_default_pair_is_on_the_border_and_close_to_it_there_is_more():
    panel = small(steps=60, side=25)
    share, size = panel.border.T
    assert share[0] < 0.05 and (share[1:] > share[0]).all() and share[-1] > 0.1
    assert 1.2 < size[-1] < 2.0
    assert f"64 times as close, {share[-1]:.1%} of neighbours part ways" in panel.describe()


def test_blue_trains_and_red_does_not(panel):
    panel.settle()
    for k in range(4):
        numbers = layer(panel, "map")[k]
        assert np.array_equal(numbers < SHADES, panel.trains[k])
    colors = panel.player.scene.layers["map"].look["colors"]
    light = [sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in colors]
    assert min(light[:SHADES]) > max(light[SHADES:])  # told apart without colour
    assert np.array_equal(layer(panel, "map")[4], layer(panel, "map")[0])  # ends on the chosen zoom


def test_in_pieces_it_is_the_same_and_coarse_comes_first(panel):
    whole = panel.trains
    zooms = panel._zooms
    wanted, zooms._windows = zooms._windows, []
    zooms.want(wanted, 2)
    while not zooms.coarse[2]:
        assert not zooms.coarse[0]
        zooms.go(1e-4)
    coarse = zooms.map(2).trains
    assert len(np.unique(np.flatnonzero(np.diff(coarse.astype(int), axis=0).any(axis=1)))) <= 2
    while not zooms.go(0.01):
        pass
    assert (panel.trains == whole).mean() > 0.97


# The border ---------------------------------------------------------------------------------------


def test_dimensions_of_known_borders():
    x = np.linspace(-1.0, 1.0, 129)
    line = x[:, None] + 0.37 * x > 0.1
    assert dimension(line) == pytest.approx(1.0, abs=0.06)
    noise = np.random.default_rng(0).random((129, 129)) < 0.5
    assert dimension(noise) > 1.9 and parting(noise) == pytest.approx(0.5, abs=0.02)
    assert np.isnan(dimension(np.ones((65, 65), bool))) and parting(line) < 0.02
    flake = cantor_dust()
    assert dimension(flake) == pytest.approx(np.log(4) / np.log(3), abs=0.25)


def cantor_dust():
    row = np.ones(1, bool)
    for _ in range(4):
        row = np.concatenate([row, np.zeros_like(row), row])
    return row[:, None] & row


def test_the_nearest_pair_of_the_other_fate():
    trains = np.zeros((5, 5), bool)
    trains[1, 3] = trains[4, 4] = True
    assert other_fate(trains, np.array([-0.4, 0.4]), False) == (1, 3)
    assert other_fate(trains, np.array([0.9, 0.9]), False) == (4, 4)
    assert other_fate(~trains, np.array([0.0, 0.0]), True) == (1, 3)
    assert other_fate(trains * False, np.array([0.0, 0.0]), False) is None


# The pair -----------------------------------------------------------------------------------------


def test_the_losses_beside_the_map_are_those_of_the_pair_and_its_twin(panel):
    panel.settle()
    L, theta = panel._zooms.landscape, panel._zooms.theta
    walk = tl.descend(L, theta, tl.optim.SGD({"0": PAIR[0], "2": PAIR[1]}), 40)
    assert np.allclose(layer(panel, "loss")[:, 0, 1], walk.losses / walk.losses[0])
    for k in range(4):
        x, y = panel._windows[k].pairs(layer(panel, "twin")[k, 0])
        twin = tl.descend(L, theta, tl.optim.SGD({"0": x, "2": y}), 40).losses
        means = [np.nan_to_num(each, nan=np.inf)[-20:].mean() for each in (walk.losses, twin)]
        assert (means[0] < walk.losses[0]) != (means[1] < walk.losses[0])
    words = "trains" if means[0] < walk.losses[0] else "does not train"
    assert f"0.73871605 it {words}: after 40 steps" in panel.describe()


def test_a_dragged_pair_is_looked_at_more_closely(panel):
    panel.player.start = [0.5, -0.9]
    assert np.allclose(panel._windows[0].places(panel._pair), [0.5, -0.9])
    assert panel.describe().startswith(f"With learning rate of layer 0 {panel.state['a']:.10g}")
    assert np.allclose(panel._windows[3].places(panel._pair), [0.5, -0.9])
    panel.controls["a"].value = 10.0
    assert np.allclose(layer(panel, "pair")[:, 0, 0], 0.0, atol=1e-9)  # the middle of the range


def test_the_button_takes_the_pair_to_the_border(panel):
    panel.player.start = [-0.5, -0.5]
    fate = panel._zooms.walks(panel._pair[None])[1][0]
    assert parting(panel.trains[3]) < 0.1
    panel.to_border()
    pair = panel._pair
    assert panel._zooms.walks(pair[None])[1][0] == fate
    far = [panel._far(k) for k in range(4)]
    assert (np.diff(far) < 0.0).all() and far[3] < 0.02  # the other fate is near on every map
    panel.controls["zoom"].value = 3
    panel.player.start = [0.0, 0.0]
    panel.to_border()
    assert panel._far(3) < 0.02


def test_where_all_have_one_fate_there_is_no_border(panel):
    panel.player.start = [-0.9, -0.9]
    panel.controls["zoom"].value = 3
    with pytest.raises(ParameterError, match="zoom out"):
        panel.to_border()
    assert "oom out" in panel._error.value


def test_while_a_hand_points_into_a_close_map_it_stays(panel):
    panel.controls["zoom"].value = 2
    panel.settle()
    before = list(panel._windows)
    panel.player.dragging = True
    panel.player.start = [0.3, 0.3]
    assert panel._windows == before and np.allclose(layer(panel, "pair")[-1, 0], [0.3, 0.3])
    panel.player.dragging = False
    assert panel._windows != before
    place = before[0].places(panel._pair)
    assert np.allclose(panel._windows[2].places(panel._pair), place, atol=1e-6)
    assert np.allclose(panel.player.start, place, atol=1e-6)


def test_codes_load_and_reset(panel):
    before = panel.code
    panel.controls["zoom"].value = 1
    panel.player.start = [0.25, -0.75]
    panel.settle()
    code, text, pair = panel.code, panel.describe(), panel._pair
    panel.reset()
    assert panel.code == before and panel.state["zoom"] == 0
    panel.load(code)
    assert panel.describe() == text and np.array_equal(panel._pair, pair)


def test_your_own_settings():
    bowl = tl.formulas.quadratic(10.0)
    panel = Basins(
        bowl, [1.0, 1.0], preset="trainability", axes={"lr": (0.02, 0.5), "momentum": (0.01, 0.5)},
        optimizer=lambda a, b: tl.optim.SGD(lr=a, momentum=b), side=9, levels=1, steps=40,
    )  # fmt: skip
    lr, momentum = np.meshgrid(
        np.geomspace(0.02, 0.5, 9), np.geomspace(0.01, 0.5, 9), indexing="ij"
    )
    stable = lr < (2.0 + 2.0 * momentum) / 10.0
    clear = np.abs(np.log(lr * 10.0 / (2.0 + 2.0 * momentum))) > 0.1
    assert np.array_equal(panel.trains[0][clear], stable[clear])
    assert panel.describe().startswith("With lr 0.1 and momentum 0.0707106")
    with pytest.raises(ParameterError, match="needs theta="):
        Basins(bowl, preset="trainability")
    with pytest.raises(ParameterError, match="expected it in"):
        small(pair=(1e9, 1.0))
    with pytest.raises(ParameterError, match="at least 9 pairs"):
        small(side=3)


def test_in_a_notebook_no_piece_is_long():
    async def use():
        panel = Basins(preset="trainability", levels=2, side=33)
        slow = []
        for value in np.linspace(5.0, 9.0, 6):
            begin = time.process_time()  # others may be at work on this machine
            panel.controls["a"].value = float(value)
            slow.append(time.process_time() - begin)
            await asyncio.sleep(0.005)
        panel.describe()
        assert panel._zooms.fine[0]
        while not panel._done:
            await asyncio.sleep(0.01)
        assert panel._zooms.fine.all()
        return slow

    assert np.median(asyncio.run(use())) < 0.1


def test_it_is_written_as_a_page(panel, tmp_path):
    panel.to_html(tmp_path / "border.html")
    text = (tmp_path / "border.html").read_text(encoding="utf-8")
    assert len(text) < 1e6 and "at zoom 64" in text


def test_in_places_the_border_is_a_plain_line():
    panel = small(pair=(1.533323484, 1.757070175), steps=60, side=25)
    assert (panel.border[:, 0] < 0.04).all() and (panel.border[:, 0] > 0.0).all()
