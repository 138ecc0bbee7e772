"""`Race`: the same budget for all, each lane's rate really its best, the table really the runs."""

from functools import partial

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Race
from tinygrad_landscape.panels.lanes import RATES, Lane, Track, cost


@pytest.fixture(scope="module")
def race():
    return Race(resolution=11)


def heavy(theta, gradient, state, lr):
    """A reader's own momentum."""
    state = gradient if state is None else 0.9 * state + gradient
    return theta - lr * state, state


def test_the_default_and_its_table(race):
    table = race.finish
    assert [row["lane"] for row in table][:2] == ["RMSProp", "Adam"]
    assert {row["lane"] for row in table} == {"plain", "momentum .9", "RMSProp", "Adam"}
    assert all(row["steps"] == 60 and row["best"] <= row["median"] <= row["worst"] for row in table)
    assert race.describe().startswith("RMSProp wins with 60 gradient evaluations each")
    html = race._table.value
    assert html.index("RMSProp") < html.index("plain") and html.count("<tr>") == 5


def test_every_rate_is_the_best_of_its_sweep(race):
    """The same race run by `descend` alone, one rate and one seed at a time, around the best."""
    L, start = race.landscape, np.array([-1.5, 1.5])
    row = next(row for row in race.finish if row["lane"] == "RMSProp")
    place = RATES.tolist().index(row["lr"])

    def median(rate):
        ends = [
            tl.descend(L, start, tl.optim.RMSProp(rate), 60, batch_size=8, seed=seed).losses[-1]
            for seed in range(5)
        ]
        return np.median(ends)

    assert np.isclose(median(RATES[place]), row["median"])
    for other in (place - 2, place - 1, place + 1, place + 2):
        assert median(RATES[other]) >= row["median"]


def test_on_another_map_another_wins():
    panel = Race(tl.formulas.ravine(25.0), start=(-2.5, 1.0), resolution=11)
    assert panel.finish[0]["lane"] == "momentum .9"
    assert "start, shifted a little" in panel.player.honesty
    starts = np.array(panel._course.starts)
    assert 0.0 < np.abs(starts - [-2.5, 1.0]).max() < 1.0 and len(np.unique(starts[:, 0])) == 5


def test_one_rate_for_all_is_called_unfair(race):
    race.controls["lr"].value = 0.03
    assert not race.controls["fair"].value and "no fair race" in race.describe()
    assert {row["lr"] for row in race.finish} == {0.03}
    assert race.finish[-1]["median"] == np.inf and "diverged" in race._table.value
    race.controls["fair"].value = True
    assert "no fair race" not in race.describe()
    race.reset()


def test_a_lane_of_the_reader():
    panel = Race(tl.formulas.booth, own=heavy, start=(-5.0, -5.0), budget=40, resolution=11)
    rows = {row["lane"]: row for row in panel.finish}
    assert panel._lanes[-1].together  # it keeps walkers apart, so all its walks are made at once
    for name in ("lr", "median", "best", "worst"):
        assert np.isclose(rows["yours"][name], rows["momentum .9"][name])


def test_a_function_for_one_walker_walks_alone():
    def shortened(theta, gradient, state, lr):  # the norm runs over all walkers at once
        return theta - lr * gradient / max(1.0, np.linalg.norm(gradient)), state

    bowl = tl.formulas.quadratic(4.0)
    track = Track(bowl, ((1.0, 1.0),) * 5, 6, None, tuple(range(5)))
    lane = Lane("mine", partial(tl.optim.Custom, shortened), track)
    assert not lane.together
    run = lane.run(track, 0.1)
    alone = tl.descend(bowl, [1.0, 1.0], tl.optim.Custom(shortened, lr=0.1), steps=6)
    assert run.points.shape == (7, 5, 2) and np.array_equal(run.points[:, 3], alone.points)
    rates = [rate for rate in lane.sweep(track) if rate is not None]
    assert len(rates) == 1 and rates[0] in RATES[::2]


def test_what_the_function_raises_is_raised_and_shown():
    slips = []

    def wrong(theta, gradient, state, lr):
        if slips:
            raise ZeroDivisionError("a slip of mine")
        return theta - lr * gradient, state

    panel = Race(
        tl.formulas.quadratic(4.0), own=wrong, lanes={}, budget=5, extent=3.0, resolution=5
    )
    slips.append(True)
    with pytest.raises(ZeroDivisionError):
        panel.player.start = [2.5, 0.0]
    assert "slip of mine" in panel._error.value
    with pytest.raises(tl.ParameterError, match="return theta, state"):
        Race(own=lambda theta, gradient, state, lr: theta, resolution=5)


def test_everybody_gets_the_same_budget():
    assert cost(tl.optim.SAM(tl.optim.SGD(0.1)), 2) == 2
    assert cost(tl.optim.Newton(), 2) == 3 and cost(tl.optim.Adam(), 2) == 1
    calls = []

    def height(p):
        calls.append(isinstance(p, tl.Tensor) and p.shape)
        return (p * p).sum(-1)

    L = tl.Landscape.from_function(height)
    tl.descend(L, [1.0, 1.0], tl.optim.SGD(0.1), steps=1)  # measures what a pass holds, once
    for optimizer in (tl.optim.SGD(0.1), tl.optim.SAM(tl.optim.SGD(0.1))):
        calls.clear()
        Track(L, ((1.0, 1.0),), 20, None, (0,)).walk(optimizer, np.array([1.0, 1.0]), 0)
        assert calls.count((2,)) == 21  # 20 to step on, and the finish


def test_the_picture_shows_the_middle_seed(race):
    run = race._runs["Adam"]
    ends = run.losses[-1]
    middle = int(np.argsort(ends)[2])
    layers = race.player.scene.layers
    assert np.array_equal(layers["walk 3"].data[:, 0], run.points[:, middle])
    spread = layers["spread 3"].data[:, :, 1]
    assert np.array_equal(spread, np.stack([run.losses.min(1), run.losses.max(1)], axis=1))


def test_the_table_waits_for_the_first_step(race):
    assert race._table.layout.display == "none"
    race.step()
    assert race._table.layout.display is None
    race.reset()
    assert race._table.layout.display == "none"


def test_state_code_and_reset(race):
    opening = race.describe()
    race.player.start = [0.5, -1.0]
    race.controls["seed"].value = 2
    race.seek(10)
    code, words = race.code, race.describe()
    race.reset()
    assert race.describe() == opening
    race.load(code)
    assert (race.code, race.describe(), race.player.frame) == (code, words, 10)
    race.reset()


@pytest.mark.parametrize(
    "make, words",
    [
        (partial(Race, lanes={}), "got 0 lanes"),
        (partial(Race, start=(9.0, 9.0)), "inside the frame"),
        (partial(Race, hide=["rate"]), "the controls are fair"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(tl.ParameterError, match=words):
        make(resolution=5)


def test_a_sweep_in_pieces_finds_what_it_finds_in_one(monkeypatch):
    panel = Race(tl.formulas.booth, budget=30, resolution=5)
    lane, track = panel._lanes[-1], panel._track()
    whole = list(lane.sweep(track))
    monkeypatch.setattr("tinygrad_landscape.panels.lanes.PIECE", 120)
    pieces = list(lane.sweep(track))
    assert len(whole) == 2 and len(pieces) == 12  # 41 rates, 4 at a time
    assert pieces[-1] == whole[-1] and set(pieces[:-1]) == {None}
