"""The hundred balls: each is a plain descent, ends where `tl.basins` says, and is told so."""

import asyncio
import time

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Basins
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.valleys import ELSEWHERE, FALLEN, WALKING, Valleys

P1 = tl.formulas.three_valleys


@pytest.fixture(scope="module")
def opened():
    return Basins(resolution=21)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def put(panel, x, y):
    panel.controls["start_x"].value, panel.controls["start_y"].value = x, y


# What is shown ------------------------------------------------------------------------------------


def test_it_opens_with_a_hundred_balls_already_falling(panel):
    assert panel.ground.landscape is P1 and panel.state["lr"] == 0.8
    assert panel.player.playing and panel.player.frame == 0 and panel.player.revealed
    assert panel.balls.points.shape == (151, 100, 2)
    assert panel.code == tl.panels.Basins(resolution=21).code


def test_the_balls_are_one_call_of_descend(panel):
    starts = panel.balls.points[0]
    whole = tl.descend(P1, starts, tl.optim.SGD(0.8), steps=150)
    assert np.array_equal(panel.balls.points, whole.points)
    one = tl.descend(P1, starts[17], tl.optim.SGD(0.8), steps=150)
    assert np.allclose(panel.balls.points[:, 17], one.points, atol=1e-9)


def test_the_balls_fall_evenly_over_the_map(panel):
    for count in (100, 37, 400, 1):
        starts = panel._dropped(count, 3)
        side = int(np.ceil(np.sqrt(count)))
        cells = np.floor((starts + 4.0) / 8.0 * side).astype(int)
        assert starts.shape == (count, 2) and len({tuple(c) for c in cells.tolist()}) == count
    assert not np.array_equal(panel._dropped(100, 3), panel._dropped(100, 4))


def test_shares_of_a_grid_of_starts(panel):
    """SYLLABUS P1: 50.3 / 43.0 / 6.8 %; measured on 51 x 51 starts, 50.3 / 42.9 / 6.8 %."""
    found = tl.basins(P1, None, tl.optim.SGD(0.8), 500, extent=4.0, resolution=51)
    assert np.allclose(panel.shares, found.shares, atol=1e-12)
    assert np.allclose(panel.shares, [0.503, 0.429, 0.068], atol=5e-4)
    said = "Of a grid of 51 x 51 starts 50.3% end in valley A, 42.9% in B and 6.8% in C."
    assert said in panel.describe()


@pytest.mark.parametrize(
    ("start", "valley", "loss"),
    [((0.0, 0.0), "A", "0"), ((-1.0, 1.0), "B", "0.0886"), ((1.0, -1.2), "C", "0.522"),
     ((1.0, -1.0), "A", "0")],
)  # fmt: skip
def test_starts_of_the_syllabus_end_where_it_says(panel, start, valley, loss):
    put(panel, *start)
    assert panel.describe().endswith(f"ends in valley {valley}, loss {loss}.")


def test_from_minus_one_one_it_hovers_thirty_steps_at_a_saddle(panel):
    put(panel, -1.0, 1.0)
    saddle = float(P1(P1.saddles[-1]))  # of height 1.01, at (-.780, .853)
    assert 30 <= (np.abs(panel.walk.losses - saddle) < 0.05 * saddle).sum() <= 45


def test_every_ball_has_the_colour_and_shape_of_its_valley(panel):
    layers = panel.player.scene.layers
    ends = panel.balls.end
    for k, minimum in enumerate(P1.minima):
        mine = np.linalg.norm(ends - minimum, axis=-1) < 0.1
        assert np.array_equal(layers[f"balls {k}"].data, panel.balls.points[:, mine])
        assert layers[f"count {k}"].data[-1] == mine.sum()
        assert f"{mine.sum()} " in panel.describe()
    looks = [layers[f"balls {k}"].look for k in range(3)]
    assert len({look["colors"][0] for look in looks}) == 3
    assert len({look["shapes"][0] for look in looks}) == 3


def test_counts_rise_as_the_balls_arrive(panel):
    count = panel.player.scene.layers["count 0"].data[:, 0, 0]
    assert count[0] == 0 and (np.diff(count) >= 0).all() and count[-1] > 40


# The hand -----------------------------------------------------------------------------------------


def test_dragging_your_ball_leaves_the_others(panel):
    others = panel._others
    panel.player.start = [0.0, 0.0]
    assert panel._others is others and panel.state["start_x"] == 0.0
    assert np.array_equal(panel.walk.points[0], [0.0, 0.0])
    panel.controls["lr"].value = 0.5
    assert panel._others is not others


@pytest.mark.parametrize(
    ("lr", "word"), [(0.01, "98 are still walking"), (0.2, "19 are still walking")]
)
def test_slow_balls_are_told_apart(panel, lr, word):
    panel.controls["lr"].value = lr
    assert word in panel.describe()


def test_falling_off_is_told():
    panel = Basins(tl.formulas.himmelblau, lr=0.2, resolution=11, balls=4, steps=20)
    assert "4 leave the ground." in panel.describe()
    assert "leaves the ground at step" in panel.describe()
    assert panel.shares.sum() < 1e-3 and "leave the ground. The white ball" in panel.describe()


def test_a_code_shows_the_same_again(panel):
    panel.controls["lr"].value, panel.controls["seed"].value = 1.3, 7
    panel.seek(40)
    code, sentence, points = panel.code, panel.describe(), panel.balls.points
    panel.reset()
    panel.load(code)
    assert panel.describe() == sentence and panel.player.frame == 40
    assert np.array_equal(panel.balls.points, points)


def test_within_the_budget_while_dragging():
    """On the kernel's loop: opening is not held up by the grid, and pieces are short."""

    async def hand():
        panel = Basins(resolution=21)
        assert panel._told is None  # the grid of 2,601 starts follows when there is time
        longest = 0.0
        for k in range(20):
            begun = time.perf_counter()
            panel.controls["lr"].value = 0.5 + 0.02 * k
            longest = max(longest, time.perf_counter() - begun)
            await asyncio.sleep(0)
        while panel._told is None:
            await asyncio.sleep(0.01)
        return longest

    assert asyncio.run(hand()) < 1.0  # 0.05 s on a quiet machine


# Any landscape ------------------------------------------------------------------------------------


def test_a_network_on_a_plane_keeps_its_walks_in_the_plane():
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    loss = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(30, seed=0))
    plane = tl.Plane.two_weights(net.init(seed=0), "0.weight[1,3]", "2.weight[0,0]", network=net)
    panel = Basins(loss, plane, resolution=9, balls=9, steps=10)
    inside = loss.restrict(plane)
    starts = panel.balls.points[0]
    assert np.allclose(
        panel.balls.end, tl.descend(inside, starts, tl.optim.SGD(0.8), steps=10).end, atol=1e-9
    )
    assert "0.weight[1,3]" in panel.describe()


def test_without_a_valley_nothing_is_invented():
    slope = tl.Landscape.from_function(lambda p: p[..., 0] + 0.0 * p[..., 1])
    panel = Basins(slope, lr=0.1, balls=4, resolution=5, steps=5)
    assert len(panel.valleys) == 0 and "4 are still walking" in panel.describe()


def test_valleys_are_found_without_being_told():
    for name in ("three_valleys", "sine_neuron", "himmelblau", "one_neuron", "sieve"):
        known = getattr(tl.formulas, name)
        told = tl.Landscape.from_function(lambda p, known=known: known(p), 2)
        ground = Ground.of(told, extent=known.extent)
        found = Valleys.of(ground)
        away = np.linalg.norm(found.points[:, None] - known.minima, axis=-1)
        assert len(found) == len(known.minima) and (away.min(axis=0) < 1e-6).all(), name


def test_fates_that_are_no_valley():
    valleys = Valleys.of(Ground.of(P1, resolution=21))
    places = np.array([[1.7, 2.3], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [1.8, 2.4]])
    norms = np.array([[1.0] * 5, [0.0, 1e-9, 0.5, 0.5, 0.5]])
    fates = valleys.fate(places, norms, np.array([False, False, False, True, False]))
    assert fates.tolist() == [0, ELSEWHERE, WALKING, FALLEN, 0]
    assert valleys.tally(fates) == (
        "2 end in valley A (loss 0), 1 comes to rest elsewhere, 1 is still walking and "
        "1 leaves the ground"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "lassoo"}, "got preset='lassoo'; expected one of hundred balls"),
        ({"lr": 20.0}, "got lr=20.0"),
        ({"balls": 0}, "got 0 for balls; expected 1 to 400"),
        ({"start": (9.0, 0.0)}, "expected two numbers inside the frame"),
        ({"hide": ("learning",)}, "the controls are lr"),
    ],
)
def test_mistakes_are_refused_in_words(options, words):
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")):
        Basins(resolution=5, **options)


def test_many_weights_need_a_plane():
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    loss = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(30, seed=0))
    with pytest.raises(ParameterError, match="needs a plane"):
        Basins(loss)
