"""`Sandbox`: every control makes a run anew, in pieces, and the monitor says what came of it."""

import time

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Sandbox, playground
from tinygrad_landscape.panels import sandbox as module
from tinygrad_landscape.panels.run import PIECE, Run


@pytest.fixture(scope="module")
def default():
    return Sandbox(steps=60)


@pytest.fixture(autouse=True)
def opened(default):
    yield
    default.reset()


def layer(panel, name):
    return panel.player.scene.layers[name].data


def test_the_run_is_the_one_that_descend_makes(default):
    value = {name: control.value for name, control in default.controls.items()}
    land, held = playground.built(value)
    start = land.network.init(seed=0)
    walk = tl.descend(land, start, tl.optim.Adam(0.02), 60)
    assert np.array_equal(default.walk.points, walk.points)
    seen = tl.vitals(land, walk, validation=held, optimizer=tl.optim.Adam(0.02))
    assert np.array_equal(default.vitals.losses, seen.losses)
    assert tl.diagnose(seen).describe() == default.describe() == default.player.sentence


@pytest.mark.parametrize("batch, dropout", [(16, 0.0), (None, 0.3), (16, 0.3)])
def test_chance_is_that_of_descend_however_the_run_is_cut(batch, dropout):
    net = tl.Network(tl.Linear(2, 6), tl.Tanh(), tl.Dropout(dropout), tl.Linear(6, 1))
    land = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(50, seed=3))
    start, optimizer = net.init(seed=3), tl.optim.SAM(tl.optim.SGD(0.3, 0.9), 0.05)
    whole = tl.descend(land, start, optimizer, 30, batch_size=batch, seed=5)
    run = Run(land, start, optimizer, 30, batch_size=batch, seed=5)
    while not run.go(0.0):
        pass
    assert np.array_equal(run.walk.points, whole.points)
    assert np.array_equal(run.walk.losses, whole.losses)


def test_every_control_makes_another_run(default):
    others = {
        "lr": 0.2, "optimizer": "gradient descent", "batch": 16, "steps": 30, "data": "circles",
        "samples": 40, "noise": 0.1, "depth": 1, "width": 5, "activation": "relu",
        "scheme": "he_normal", "l2": 0.01, "seed": 1,
    }  # fmt: skip
    assert set(others) == set(default.controls)
    before = default.walk.losses
    for name, value in others.items():
        opening = default.controls[name].value
        default.controls[name].value = value
        assert not np.array_equal(default.walk.losses, before), name
        assert default.player.sentence == default.describe() and "nan" not in default.describe()
        default.controls[name].value = opening
    assert np.array_equal(default.walk.losses, before)


def test_a_code_brings_the_same_run_back(default):
    default.controls["data"].value = "spirals"
    default.controls["batch"].value = 32
    default.seek(40)
    code, words, points = default.code, default.describe(), default.walk.points
    default.reset()
    assert default.state["data"] == "moons"
    other = Sandbox(steps=60)
    other.load(code)
    assert np.array_equal(other.walk.points, points)
    assert other.player.frame == 40 and other.describe() == words


def test_the_map_and_the_path_agree_with_the_landscape(default):
    default.settle()
    surface, plane = default._surface, default._plane
    assert surface.loss.shape == (33, 33)
    assert surface.loss[3, 30] == pytest.approx(
        float(default.landscape(plane.point(surface.a[3], surface.b[30])))
    )
    path = layer(default, "walk")[:, 0]
    assert (path >= 0.0).all() and (path <= 1.0).all(), "the whole walk is in the frame"
    x = surface.a[0] + path[-1, 0] * (surface.a[-1] - surface.a[0])
    assert x == pytest.approx(0.0, abs=1e-9), "the plane goes through the end of the walk"
    assert "% of its squared distance" in default.player.honesty


def test_decisions_are_the_networks_own(default):
    default.settle()
    net, inputs = default.landscape.network, default._inputs
    chances = layer(default, "chances")
    assert chances.shape == (61, 25, 25)
    for frame in (0, 30, 60):
        theta = default._chart.watch.points[frame]
        logit = net(theta, inputs.low[None])[0, 0]
        assert chances[frame, 0, 0] == pytest.approx(1.0 / (1.0 + np.exp(-logit)))
        line = layer(default, "border")[frame]
        line = line[np.isfinite(line).all(axis=1)]
        margin = net(theta, inputs.low + line * (inputs.high - inputs.low))[:, 0]
        assert len(line) > 5 and abs(margin).max() < 0.35 * abs(net(theta, inputs.grid)).max()
    right = layer(default, "right held")[-1, 0, 0]
    assert right == pytest.approx(100 * default.vitals.validation_accuracies[-1], abs=0.06)
    assert [len(layer(default, f"seen {k}")[0]) for k in (0, 1)] == [40, 40]


def test_a_moving_hand_gets_a_sketch_and_a_resting_one_the_whole(monkeypatch):
    panel = Sandbox(steps=200)
    monkeypatch.setattr(panel, "_soon", lambda: None)
    clock = [0.0]  # every look at it is a millisecond: the machine's own speed does not matter

    def ticking():
        clock[0] += 1e-3
        return clock[0]

    monkeypatch.setattr(time, "perf_counter", ticking)
    panel.controls["lr"].value = 0.1
    assert not panel._done and 1 < len(panel._run.walk) < 201
    assert panel._surface.loss.shape == (13, 13)
    assert "still being measured" in panel.player.sentence
    assert layer(panel, "chances").shape[0] == 1
    pieces = 0
    while not panel._done:
        panel._done, pieces = panel._work(PIECE), pieces + 1
        panel._present()
    assert 3 < pieces < 200
    alone = Sandbox(steps=200, lr=0.1)
    assert panel.describe() == alone.describe()
    for name, array in alone.player.scene.arrays().items():
        assert np.array_equal(array, layer(panel, name), equal_nan=True), name


def test_an_own_landscape_has_no_controls_of_data_and_network():
    panel = Sandbox(tl.formulas.himmelblau, lr=0.01, optimizer="gradient descent", steps=60)
    assert set(panel.controls) == {"lr", "optimizer", "steps", "seed"}
    assert "map" in panel.player.scene.axes and "inputs" not in panel.player.scene.axes
    assert panel.diagnosis.state == "converged"
    assert panel.player.scene.axes["map"].get_xlabel() == "x"
    before = panel.walk.points[0]
    panel.controls["seed"].value = 1
    assert not np.array_equal(panel.walk.points[0], before)


def test_an_own_network_keeps_its_data():
    net = tl.Network(tl.Linear(1, 6), tl.Tanh(), tl.Linear(6, 1))
    land = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.sine(40))
    panel = Sandbox(land, validation=tl.data.sine(60, seed=9), steps=60)
    assert set(panel.controls) == {"lr", "optimizer", "batch", "steps", "scheme", "seed"}
    assert np.isfinite(panel.vitals.validation_losses).all()
    theta = net.init(seed=4)
    fixed = Sandbox(land, theta, steps=20)
    assert np.array_equal(fixed.walk.points[0], theta) and "scheme" not in fixed.controls


def test_a_run_that_falls_off_is_shown_and_told():
    panel = Sandbox(tl.formulas.one_neuron, [0.3, 0.2], lr=3.0, optimizer="gradient descent",
                    steps=100)  # fmt: skip
    assert panel.diagnosis.state == "diverging" and "at step 29" in panel.describe()
    assert panel.player.png()[:4] == b"\x89PNG"


def test_a_walk_that_stands_still_has_a_map_too():
    panel = Sandbox(steps=40, optimizer="gradient descent")
    panel.controls["scheme"].value = "zeros"
    assert panel.diagnosis.state == "near a saddle"
    assert np.isfinite(panel._surface.loss).all()


def test_one_slider_is_seen_at_first(default):
    row, _, fold, _ = default.widget.children
    assert [type(each).__name__ for each in row.children].count("IntSlider") == 1
    assert fold.layout.display == "none"


@pytest.mark.parametrize("paper", ["light", "dark", "projector"])
def test_it_is_drawn_on_every_paper(paper):
    panel = Sandbox(steps=20, style=paper)
    assert panel.player.png()[:4] == b"\x89PNG" and panel.player.scene.style.name == paper


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"lr": 20.0}, "0.0001 to 10"),
        ({"optimizer": "magic"}, "gradient descent"),
        ({"theta": [0.0, 1.0]}, "landscape of your own"),
        ({"landscape": tl.formulas.quadratic(3.0).restrict(tl.Plane([0, 0], [1, 0], [0, 1]))},
         "pass theta="),
        ({"hide": ("magic",)}, "the controls are"),
        ({"steps": 5}, "10 to 5000"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(tl.ParameterError, match=words):
        Sandbox(**wrong)


def test_sketches_are_coarser_than_the_finished_map():
    assert module.COARSE < module.FINE
