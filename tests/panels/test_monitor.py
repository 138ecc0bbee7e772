"""`Monitor`: beside a running walk, over a finished one, and what it says at every moment."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Monitor
from tinygrad_landscape.panels import monitor as module
from tinygrad_landscape.panels.timelines import Span
from tinygrad_landscape.surveying.diagnosis import STATES

NET = tl.Network(tl.Linear(2, 8), tl.Tanh(), tl.Linear(8, 1))
LAND = tl.Landscape(NET, tl.losses.binary_cross_entropy, tl.data.moons(60, noise=0.15, seed=0))
HELD = tl.data.moons(100, noise=0.15, seed=1)
START = NET.init(seed=0)


@pytest.fixture(scope="module")
def default():
    return Monitor()


@pytest.fixture(autouse=True)
def opened(default):
    yield
    default.reset()


def layer(panel, name):
    return panel.player.scene.layers[name].data


def test_the_default_run_is_healthy_and_then_learns_by_heart(default):
    assert default.player.frames == 101
    assert default.diagnosis.state == "overfitting" and default.vitals.steps[-1] == 400
    assert default.player.sentence == default.describe()
    default.seek(25)
    assert default.describe().startswith("Step 100, healthy: the loss fell by")
    assert default.player.sentence == default.describe()
    default.step()
    assert default.describe().startswith("Step 104")
    code = default.code
    default.reset()
    assert default.player.frame == 100
    default.load(code)
    assert default.player.frame == 26


def test_the_strips_show_what_was_measured(default):
    seen = default.vitals
    span = Span.of(seen.losses, seen.validation_losses)
    assert span.log and span.low <= seen.losses.min() and span.high >= seen.validation_losses.max()
    for name, values in (("loss", seen.losses), ("loss 1", seen.validation_losses)):
        curve = layer(default, name)[:, 0]
        assert np.allclose(curve[:, 0], seen.steps / 400)
        back = 10.0 ** (np.log10(span.low) + curve[:, 1] * np.log10(span.high / span.low))
        assert np.allclose(back, values)
    assert np.isfinite(layer(default, "sharpness")[:, 0, 1]).all(), "gaps hold the last value"
    assert layer(default, "sharpness 1")[0, 0, 1] > layer(default, "sharpness")[:, 0, 1].max()
    shown = np.array([np.isfinite(layer(default, f"state {k}")[:, 0, 0]) for k in range(8)])
    assert (shown.sum(axis=0) == 1).all(), "one state at every moment"
    for k in (0, 50, 100):
        default.seek(k)
        assert STATES[int(shown[:, k].argmax())] == default.diagnosis.state
    alarm = np.isfinite(layer(default, "alarm")[:, 0, 1])
    assert np.array_equal(alarm, shown[2:].any(axis=0)) and alarm[-1] and not alarm[0]


def test_the_slice_is_the_loss_across_the_weights(default):
    land, point = default._chart.watch.landscape, default.walk.points[200]
    slope = land.gradient(point)
    reach = 0.25 * np.linalg.norm(point)
    assert layer(default, "slice right")[50, 0, 0] == pytest.approx(reach)
    seen = default.vitals
    span = Span.of(seen.losses, seen.validation_losses)
    ways = slope / np.linalg.norm(slope), tl.curvature.top_eigenpairs(land, point)[1][0]
    for name, way in zip(("slice", "slice 1"), ways, strict=True):
        curve = layer(default, name)[50]
        assert curve[15, 1] == pytest.approx(span.share(land(point)))
        near = [span.share(land(point + side * reach / 15 * way)) for side in (-1.0, 1.0)]
        assert sorted([curve[14, 1], curve[16, 1]]) == pytest.approx(sorted(near), abs=0.02)
    assert layer(default, "slice")[50, 16, 1] > layer(default, "slice")[50, 14, 1]


def test_it_watches_a_running_walk_and_does_not_disturb_it():
    watching = Monitor(LAND, validation=HELD)
    assert "callbacks=[monitor]" in watching.describe()
    with pytest.raises(tl.ParameterError, match="Nothing to watch"):
        _ = watching.diagnosis
    optimizer = tl.optim.SGD(0.5, momentum=0.5)
    walk = tl.descend(LAND, START, optimizer, 153, batch_size=20, callbacks=[watching])
    alone = tl.descend(LAND, START, optimizer, 153, batch_size=20)
    assert np.array_equal(walk.points, alone.points) and walk.ended == "finished"
    seen = watching.vitals
    assert seen.steps.tolist() == [*range(0, 151, 10), 153]
    assert np.array_equal(seen.losses, walk.losses[seen.steps.astype(int)])
    assert np.allclose(seen.validation_losses, LAND.on(HELD)(walk.points[seen.steps.astype(int)]))
    assert np.allclose(seen.thresholds, 3.0 / 0.5)
    assert watching.player.frames == 17 and watching.describe().startswith("Step 153, healthy")
    assert np.isfinite(layer(watching, "slice")[:, :, 1]).any(axis=1).all(), "no slice is missing"


def test_it_draws_while_the_walk_goes_on_but_not_at_every_look(monkeypatch):
    watching, drawn = Monitor(LAND), []
    inner = watching._present
    monkeypatch.setattr(watching, "_present", lambda: (drawn.append(len(watching._chart)), inner()))
    monkeypatch.setattr(module, "PAUSE", 1e6)
    tl.descend(LAND, START, tl.optim.SGD(0.5), 100, callbacks=[watching])
    assert drawn == [1], "one picture at once, the next one is not due yet"
    assert watching.player.frames == 1 and watching.player.sentence.startswith("Step 0")
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "REST", 0.0)
    tl.descend(LAND, START, tl.optim.SGD(0.5), 100, callbacks=[watching])
    assert drawn[1:] == list(range(1, 12)), "every look, anew from the first"
    assert watching.player.frames == 11 and watching.player.frame == 10


def test_a_monitor_with_nothing_of_its_own_takes_any_walk(default):
    tl.descend(tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(3.0), 200, callbacks=[default])
    assert default.diagnosis.state == "diverging"
    assert "at step 29" in default.describe() and default._chart.watch.fell == 29
    tl.descend(tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(2.7), 400, callbacks=[default])
    assert default.diagnosis.state == "bouncing" and default.vitals.fell == -1


def test_a_schedule_moves_the_threshold():
    watching = Monitor(LAND)
    halved = tl.schedules.step(50, 0.5)
    tl.descend(LAND, START, tl.optim.SGD(0.5), 60, schedule=halved, callbacks=[watching])
    assert watching.vitals.thresholds.tolist() == [4.0] * 5 + [8.0] * 2


def test_losses_below_zero_are_drawn_linearly():
    land = tl.Landscape.from_function(lambda p: (p**2).sum(-1) - 5.0)
    walk = tl.descend(land, [2.0, 1.0], tl.optim.SGD(0.2), 40)
    panel = Monitor(land, walk, optimizer=tl.optim.SGD(0.2))
    assert panel.diagnosis.state == "converged" and "slice are linear" in panel.player.honesty
    assert layer(panel, "loss low")[0, 0, 0] < -5.0


@pytest.mark.parametrize("paper", ["light", "dark", "projector"])
def test_it_is_drawn_on_every_paper(paper):
    walk = tl.descend(tl.formulas.booth, [0.0, 0.0], tl.optim.SGD(0.01), 20)
    panel = Monitor(tl.formulas.booth, walk, style=paper)
    assert panel.player.png()[:4] == b"\x89PNG" and panel.player.scene.style.name == paper


def test_a_finished_walk_becomes_a_page(default, tmp_path):
    default.to_html(tmp_path / "monitor.html")
    text = (tmp_path / "monitor.html").read_text(encoding="utf-8")
    assert len(text) < 1_000_000 and "overfitting" in text


def test_what_makes_no_sense_is_refused(default):
    walk = tl.descend(LAND, np.stack([START, START]), tl.optim.SGD(0.1), 3)
    with pytest.raises(tl.ShapeError, match="one walker"):
        Monitor(LAND, walk)
    with pytest.raises(tl.ShapeError, match="through 2 weights"):
        Monitor(tl.formulas.booth, walk[:, 0])
    with pytest.raises(tl.ParameterError, match="without its landscape"):
        Monitor(walk=walk)
    with pytest.raises(tl.ParameterError, match="every=0"):
        Monitor(LAND, every=0)
    with pytest.raises(tl.ParameterError, match="one walker"):
        tl.descend(LAND, np.stack([START, START]), tl.optim.SGD(0.1), 3, callbacks=[default])
    assert "One walker" in default._error.value or "one walker" in default._error.value
