"""The film of basins: every map is what `tl.basins` finds, and the strip is what the maps say."""

import asyncio
import time

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Basins
from tinygrad_landscape.panels.basin_film import OPEN, PARTS
from tinygrad_landscape.panels.fates import Tide
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.valleys import ELSEWHERE, FALLEN, MOST, WALKING, Valleys

P1 = tl.formulas.three_valleys
SMALL = {"resolution": 21, "side": 10, "rates": 4, "lr_range": (0.02, 20.0), "steps": 100}


def small(**settings):
    return Basins(preset="film", **SMALL | settings)


@pytest.fixture(scope="module")
def opened():
    return small()


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def cells(panel, name="map"):
    return panel.player.scene.layers[name].data


# The maps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_the_map_is_that_of_tl_basins(panel, momentum):
    panel.controls["momentum"].value = momentum
    panel.settle()
    starts = panel._maps.starts
    assert np.allclose(starts[0, 0], [-3.6, -3.6]) and np.allclose(starts[-1, 0], [3.6, -3.6])
    found = tl.basins(P1, starts, tl.optim.SGD(0.8, momentum), 1000)
    arrived = panel._maps.labels[-1] >= 0
    assert arrived.mean() > 0.9
    nearest = np.linalg.norm(found.minima[:, None] - P1.minima, axis=-1).argmin(axis=1)
    assert np.array_equal(panel._maps.labels[-1][arrived], nearest[found.labels][arrived])


def test_every_map_of_the_row_is_a_walk_at_its_own_learning_rate(panel):
    panel.settle()
    assert panel.rates == [0.02, 0.2, 2.0, 20.0]
    for k, lr in enumerate(panel.rates):
        walk = tl.descend(P1, panel._maps.starts, tl.optim.SGD(lr), 100)
        fates = panel.valleys.fate(walk.end, walk.gradient_norms, np.zeros((10, 10), bool))
        outside = (np.abs(walk.end) > 4.0).any(axis=-1)
        assert np.array_equal(panel._maps.labels[k] == FALLEN, outside)
        if lr < 10.0:  # beyond, walks are chaotic, and one rounding changes them
            assert (panel._maps.labels[k] == fates)[~outside].mean() > 0.97


def test_along_the_row_starts_creep_then_arrive_then_leave(panel):
    valleys, walking, fallen = np.split(panel.shares, [3, -1], axis=1)
    assert panel.shares.shape == (5, 6) and np.allclose(panel.shares.sum(axis=1), 1.0)
    assert walking[0, 1] > 0.9 and valleys[2].sum() > 0.98 and fallen[3] > 0.8
    calm = panel._maps.parting()[-1]
    panel.controls["lr"].value = 8.0
    panel.settle()
    assert panel._maps.parting()[-1] > 2 * calm > 0


def test_who_has_arrived_stays_and_who_is_lost_is_left(panel):
    tide = Tide(panel.ground, panel._maps.starts.reshape(-1, 2), 0.8, 0.0, 400)
    tide.go(panel.valleys)
    assert tide.finished and not len(tide._alive) and tide.taken < 400
    walk = tl.descend(P1, panel._maps.starts.reshape(-1, 2), tl.optim.SGD(0.8), 400)
    assert np.allclose(tide.ends, walk.end, atol=1e-5)
    bowl = tl.formulas.quadratic(10.0)
    ground = Ground.of(bowl, resolution=5)
    tide = Tide(ground, np.array([[0.5, 0.5]]), 1.0, 0.5, 300)
    tide.go(Valleys.of(ground))
    assert tide.fates(Valleys.of(ground)).tolist() == [FALLEN] and tide.taken < 50


def test_in_pieces_it_is_the_same(panel):
    whole = panel._maps.labels.copy()
    panel.controls["steps"].value = 90
    panel.controls["steps"].value = 100
    panel._maps._row, panel._maps._known = None, {}  # as if nothing were known
    panel._maps.want(0.8, 0.0, 100)
    assert not panel._maps.fine.any()
    panel._maps.go(1e-4)
    assert not panel._maps.answered
    panel._maps.go(answer=True)
    assert panel._maps.answered and not panel._maps.fine.all()
    assert np.array_equal(panel._maps.labels[-1], whole[-1])
    while not panel._maps.go(0.01):
        pass
    assert np.array_equal(panel._maps.labels, whole)


# What is shown ------------------------------------------------------------------------------------


def test_the_strip_stacks_the_shares(panel):
    strip = cells(panel, "strip")[0]
    assert strip.shape == (4, PARTS)
    for k, shares in enumerate(panel.shares[:-1]):
        numbers = [0, 1, 2, MOST - 1 - ELSEWHERE, MOST - 1 - WALKING, MOST - 1 - FALLEN]
        seen = [(strip[k] == number).mean() for number in numbers]
        assert np.allclose(seen, shares, atol=1.0 / PARTS)


def test_play_turns_through_the_row_and_ends_on_the_chosen_rate(panel):
    scene = panel.player.scene
    assert panel.player.frames == 5 and cells(panel).shape == (5, 10, 10)
    readout = scene.layers["readout"].data[:, 0]
    assert readout[:, 0].tolist() == [0.02, 0.2, 2.0, 20.0, 0.8]
    assert np.allclose(readout[:, 1:], 100.0 * panel.shares, atol=0.051)
    assert np.array_equal(scene.layers["cursor"].data[:, 0, 0], [0.02, 0.2, 2.0, 20.0, 0.8])
    for frame, lr in enumerate((0.02, 0.2, 2.0)):
        walk = tl.descend(P1, [-1.0, 1.0], tl.optim.SGD(lr), 100)
        assert np.allclose(scene.layers["walk"].data[frame], walk.points, atol=1e-6)


def test_every_fate_has_a_colour_and_a_hatching_of_its_own(panel):
    look = panel.player.scene.layers["map"].look
    pairs = list(zip(look["colors"], look["hatches"], strict=True))
    assert len(set(pairs)) == len(pairs) == MOST + 3
    assert all(0 <= n < len(pairs) for n in np.unique(cells(panel)))


def test_the_sentence_says_the_shares_in_words(panel):
    shares = panel.shares[-1]
    text = panel.describe()
    assert text.startswith("Learning rate 0.8, 100 steps: of 10 x 10 starts ")
    assert f"{shares[0]:.1%} end in valley A, {shares[1]:.1%} in B" in text
    assert "nearly all arrive at 2; at 0.02 " in text and "are still walking, at 20 " in text
    assert text.endswith("leave the ground. " + text.split(". ")[-1])
    assert "ends in valley B, loss 0.0886." in text
    panel.controls["lr"].value = 20.0
    assert "leave the ground; " in panel.describe()


def test_a_coarse_map_is_not_said_to_be_fine(panel):
    panel._lr = 1.9
    panel._maps.want(1.9, 0.0, 100)
    while not panel._maps.coarse[-1]:
        panel._maps.go(1e-4)
    assert not panel._maps.fine[-1]
    text = panel._sentence().split(". In the row")[0]
    assert "of 2 x 2 starts" in text and "part ways" not in text


def test_dragging_the_ball_leaves_the_maps_and_a_new_rate_leaves_the_row(panel):
    panel.settle()
    panel._maps._walked = None  # would be called if anything were made again
    try:
        panel.player.start = [1.0, -1.2]
        assert "ends in valley C, loss 0.522." in panel.describe()
        panel.controls["lr"].value = 2.0  # is in the row
        assert np.array_equal(panel._maps.labels[-1], panel._maps.labels[2])
    finally:
        del panel._maps._walked


def test_a_row_that_was_complete_is_there_again_at_once(panel):
    panel.settle()
    whole = panel._maps.labels[:-1].copy()
    panel.controls["momentum"].value = 0.5
    panel.settle()
    assert not np.array_equal(panel._maps.labels[:-1], whole)
    panel._maps.want(0.8, 0.0, 100)
    assert panel._maps.fine[:-1].all() and np.array_equal(panel._maps.labels[:-1], whole)
    panel._maps.want(0.8, 0.5, 100)


def test_while_a_map_is_made_the_nearest_one_stands_for_it(panel):
    panel.settle()
    panel._maps.want(1.9, 0.0, 100)
    shown = panel._cells()
    assert np.array_equal(shown[-1], shown[2]) and "is being made" in panel._sentence()
    panel._maps.want(1.9, 0.3, 100)
    assert (panel._cells() == OPEN).all()


def test_codes_load_and_reset(panel):
    before = panel.code
    panel.controls["momentum"].value = 0.4
    panel.seek(1)
    code, text = panel.code, panel.describe()
    panel.reset()
    assert panel.code == before
    panel.load(code)
    assert panel.describe() == text and panel.player.frame == 1
    with pytest.raises(ParameterError, match="another panel"):
        small(side=5).load(code)


def test_other_landscapes():
    panel = Basins(tl.formulas.himmelblau, preset="film", lr=0.01, lr_range=(0.001, 0.1),
                   rates=3, side=6, steps=60)  # fmt: skip
    assert "in D" in panel.describe() and panel.shares[2, -1] > 0.9
    with pytest.raises(ParameterError, match="lr_range"):
        small(lr=30.0)
    with pytest.raises(ParameterError, match="side=2"):
        small(side=2)


def test_in_a_notebook_no_piece_is_long_and_the_film_is_finished_later():
    async def use():
        panel = small(side=30, rates=9)
        panel.describe()
        assert panel._maps.answered
        slow = []
        for value in np.linspace(0.3, 0.9, 7):
            begin = time.process_time()  # others may be at work on this machine
            panel.controls["lr"].value = float(value)
            slow.append(time.process_time() - begin)
            await asyncio.sleep(0.005)
        while not panel._done:
            await asyncio.sleep(0.01)
        assert panel._maps.fine.all()
        return slow

    slow = asyncio.run(use())
    assert np.median(slow) < 0.1


def test_it_is_written_as_a_page(panel, tmp_path):
    panel.to_html(tmp_path / "film.html")
    text = (tmp_path / "film.html").read_text(encoding="utf-8")
    assert len(text) < 1e6 and '"values":[0.0,0.9]' in text and "momentum 0.9" in text
