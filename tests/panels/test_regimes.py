"""The regime strip says of a learning rate what its own walk says, and where the cliff is."""

import asyncio
import math

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson05
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Descent, use
from tinygrad_landscape.panels.regimes import WORDS, Sweep, cliff_factor, judged, regime

P2 = tl.formulas.one_neuron
START = np.array([0.3, 0.2])


@pytest.fixture(scope="module")
def sweep():
    made = Sweep(P2, START, tl.optim.SGD, 1e-3, 10.0, 200)
    made.go()
    return made


@pytest.fixture(scope="module")
def opened():
    return Descent(resolution=5)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def alone(lr, start=START, steps=200):
    return regime(tl.descend(P2, start, tl.optim.SGD(lr), steps=steps))


def test_a_crowd_is_judged_as_each_walker_alone():
    rates = np.array([0.003, 0.02, 0.5, 2.5, 2.7, 3.0])
    crowd = tl.descend(P2, np.tile(START, (6, 1)), tl.optim.SGD(rates), steps=200)
    assert [WORDS[k] for k in judged(crowd)] == [alone(lr) for lr in rates]
    assert len({alone(lr) for lr in rates}) == 4


def test_the_bands_are_the_four_regimes_of_the_syllabus(sweep):
    bands = sweep.bands()
    assert [WORDS[int(kind)] for kind in bands[:, 2]] == list(WORDS[:4])
    assert bands[0, 0] == 1e-3 and bands[-1, 1] == 10.0
    assert np.array_equal(bands[1:, 0], bands[:-1, 1])
    assert bands[2, 0] == pytest.approx(2.598, rel=5e-3) and bands[2, 1] == pytest.approx(
        2.85, 0.01
    )
    for low, high in zip(bands[:-1, 2], bands[1:, 2], strict=True):
        seam = bands[bands[:, 2] == low][0, 1]
        assert alone(seam / 1.01) == WORDS[int(low)] and alone(seam * 1.01) == WORDS[int(high)]


def test_the_marks_are_telling(panel):
    assert set(panel.rates) == set(WORDS[:4])
    for word, rate in panel.rates.items():
        assert alone(rate) == word == alone(rate * 1.02) == alone(rate / 1.02)


def test_below_the_cliff_a_far_start_already_falls():
    far = Sweep(P2, np.array([-1.0, 2.0]), tl.optim.SGD, 1.0, 4.0, 200)
    far.go()
    assert far.bands()[-1, 0] < 2.2 and WORDS[int(far.codes[-1])] == "diverges"
    assert alone(2.4, [-1.0, 2.0]) == "diverges" and alone(2.4) == "converges"


def test_nearly_half_of_all_starts_fall_below_the_cliff():
    grid = np.stack(np.meshgrid(*[np.linspace(-3, 3, 41)] * 2, indexing="ij"), axis=-1)
    counted = tl.descend(P2, grid, tl.optim.SGD(2.4), steps=200, record_every=200).diverged.mean()
    plane = tl.Plane(np.zeros(2), [1.0, 0.0], [0.0, 1.0])
    found = tl.basins(P2, plane, tl.optim.SGD(2.4), 200, extent=3.0, resolution=41)
    assert counted == pytest.approx(0.48, abs=0.02)  # .4798 on 101 by 101
    assert f"{counted:.1%} diverged" in found.describe()


def test_the_cliff_is_two_over_the_largest_curvature(panel):
    weights = np.array([1.2, 1.5])
    sharpest = np.linalg.eigvalsh(P2.hessian(weights)).max()
    assert panel.cliff == pytest.approx(2.0 / sharpest, rel=1e-6) == pytest.approx(2.598, rel=1e-3)
    for lr in (0.003, 2.7, 3.0):  # of the nearest learning rate that converges
        panel.controls["lr"].value = lr
        assert panel.cliff == pytest.approx(2.598, rel=1e-3)
    assert "puts the cliff at 2/0.77 = 2.6" in panel.describe()


def test_momentum_moves_the_cliff_and_adam_has_none_that_curvature_decides():
    bowl = tl.formulas.quadratic(10.0)  # curvatures 1 and 10
    options = {"lr": 0.1, "resolution": 3, "steps": 60, "lr_range": (0.01, 1.0), "start": (1, 1)}
    assert Descent(bowl, **options).cliff == pytest.approx(0.2)
    heavy = Descent(bowl, optimizer=lambda lr: tl.optim.SGD(lr, momentum=0.5), **options)
    assert heavy.cliff == pytest.approx(0.3)
    seam = heavy._sweep.bands()[-1, 0]
    assert seam == pytest.approx(0.3, rel=0.05)
    assert math.isnan(Descent(bowl, optimizer=tl.optim.Adam, **options).cliff)
    assert math.isnan(cliff_factor(tl.optim.SGD(0.1, momentum=0.9, nesterov=True)))
    assert math.isnan(cliff_factor(tl.optim.SGD(0.1, weight_decay=0.1)))


def test_level_ground_is_one_band_and_no_cliff(panel):
    panel.load({"start_x": 0.0, "start_y": 0.0})
    assert [WORDS[int(kind)] for kind in panel._sweep.bands()[:, 2]] == ["rests"]
    assert math.isnan(panel.cliff) and panel.rates.keys() == {"rests"}
    assert "cliff" not in panel.describe()
    assert all(button.disabled for button in panel._snaps.row.children)


def test_a_walk_along_a_ridge_ends_on_a_saddle_and_is_told_no_cliff():
    twins = lesson05.twins
    panel = Descent(twins, start=(-2, -2), lr=0.5, resolution=21)
    assert np.allclose(panel.walk.end, twins.saddles[0], atol=1e-3)
    assert math.isnan(panel.cliff) and "cliff" not in panel.describe()
    panel.load({"start_x": -2.0, "start_y": 1.0})
    assert panel.cliff == pytest.approx(2.0 / np.linalg.eigvalsh(twins.hessian([-1.0, 2.0]))[-1])


def test_the_strip_shows_bands_rate_and_cliff(panel):
    panel.controls["lr"].value = 2.7
    layers = panel.player.scene.arrays()
    assert np.array_equal(layers["bands"][0], panel._sweep.bands(), equal_nan=True)
    assert layers["rate"][0, :, 0].tolist() == [2.7, 2.7]
    assert layers["cliff words"].item() == panel.cliff == layers["cliff"][0, 0, 0]
    assert panel.player.dial == 2.7


def test_a_hand_on_the_strip_and_the_buttons_set_the_learning_rate(panel):
    panel.player.dial = 2.75  # what the browser writes
    assert panel.controls["lr"].value == 2.75 and panel.regime == "bounces"
    panel._snaps.row.children[3].click()
    assert panel.controls["lr"].value == panel.rates["diverges"] == panel.player.dial
    panel.player.dial = 2.75  # the same key once more
    assert panel.regime == "bounces"


def test_the_strip_is_walked_when_the_start_moves_only_and_coarsely_at_first(panel):
    async def hand():
        whole = len(panel._sweep.rates)
        kept = panel._sweep
        panel.controls["lr"].value = 0.7
        assert panel._sweep is kept
        panel.player.start = [0.5, -1.0]
        assert panel._sweep is not kept and len(panel._sweep.rates) < whole
        panel.settle()
        assert len(panel._sweep.rates) > 200
        assert {WORDS[k] for k in panel._sweep.codes} >= {"creeps", "converges", "diverges"}

    asyncio.run(hand())


def test_it_can_be_left_away():
    panel = Descent(resolution=5, strip=False)
    assert "strip" not in panel.player.scene.axes and "cliff" not in panel.describe()
    assert math.isnan(panel.cliff) and panel.rates == {}
    assert panel._snaps.row.layout.display == "none"
    assert panel.player.spec["bands"] is None


def test_an_optimizer_that_takes_one_learning_rate_is_told_so_or_has_no_strip():
    one = lambda lr: tl.optim.SGD(float(lr))  # noqa: E731
    with pytest.raises(ParameterError, match="strip=False"):
        Descent(resolution=5, steps=5, optimizer=one)
    assert len(Descent(resolution=5, steps=5, optimizer=one, strip=False).walk) == 6


@pytest.mark.parametrize("style", ["light", "dark", "projector"])
def test_words_fit_their_bands_or_give_way_to_their_number(style):
    panel = Descent(resolution=5, style=style)
    scene = panel.player.scene
    ax = scene.axes["strip"]
    artists = [a for a in scene._place() if a.axes is ax][:8]
    words = [artist.get_text() for artist in artists[1::2]]
    assert words == ["1 creeps", "2 converges", "3", "4 diverges"]
    boxes = [artist.get_window_extent() for artist in artists]
    for band, word in zip(boxes[::2], boxes[1::2], strict=True):
        assert band.x0 - 2.0 < word.x0 and word.x1 < band.x1 + 2.0
        assert band.y0 < word.y0 and word.y1 < band.y1


def test_it_shows_as_an_image_too():
    use("image")
    try:
        panel = Descent(resolution=5)
        panel._snaps.row.children[2].click()
        assert panel.regime == "bounces" and panel.player.png()[1:4] == b"PNG"
    finally:
        use("auto")


def test_a_moving_hand_does_not_wait_for_a_curvature(monkeypatch):
    panel, asked = Descent(resolution=5), []
    bend = lambda *given: asked.append(given) or 1.0  # noqa: E731
    monkeypatch.setattr("tinygrad_landscape.panels.descent.sharpest", bend)
    monkeypatch.setattr(panel, "_soon", lambda: None)  # the hand never rests
    panel._bends = {}
    panel.controls["lr"].value = 0.6
    assert not asked and math.isnan(panel._cliff)
    assert panel.cliff == 2.0 and len(asked) == 1
    panel.controls["lr"].value = 0.7  # the same minimum: known by now
    assert panel.cliff == 2.0 and len(asked) == 1
