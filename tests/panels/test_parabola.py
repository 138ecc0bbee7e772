"""The parabola at the ball against the loss straight downhill, and in the curve's place."""

import asyncio
import math

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Descent
from tinygrad_landscape.panels.parabola import LAYERS, Parabola

P2 = tl.formulas.one_neuron


@pytest.fixture(scope="module")
def opened():
    return Descent(resolution=5, steps=40, strip=False)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def bent(panel, frame):
    panel.controls["parabola"].value = True
    panel.seek(frame)
    return panel.parabola, {name: panel.player.scene.arrays()[name] for name in LAYERS}


@pytest.mark.parametrize("frame", [0, 4, 17])
def test_value_gradient_and_curvature_are_those_at_the_ball(panel, frame):
    found, _ = bent(panel, frame)
    place = panel.walk.points[frame]
    gradient, hessian = P2.gradient(place), P2.hessian(place)
    assert found.loss == pytest.approx(float(P2(place)))
    assert found.steepness == pytest.approx(np.linalg.norm(gradient))
    assert found.curvature == pytest.approx(gradient @ hessian @ gradient / (gradient @ gradient))


def test_on_a_bowl_the_parabola_is_the_loss():
    bowl = tl.formulas.quadratic(4.0)
    panel = Descent(bowl, lr=0.3, start=(1.0, 0.5), resolution=5, steps=6, strip=False)
    found, layers = bent(panel, 2)
    assert np.allclose(layers["downhill"][:5], layers["fitted"][:5])
    step = panel.walk.points[2] - found.bottom * bowl.gradient(panel.walk.points[2])
    nearby = [float(bowl(step + d * bowl.gradient(panel.walk.points[2]))) for d in (-0.01, 0.01)]
    assert float(bowl(step)) < min(nearby)
    level = panel.walk.points[2] - found.level * bowl.gradient(panel.walk.points[2])
    assert float(bowl(level)) == pytest.approx(found.loss)


def test_the_landing_is_the_next_step_on_the_true_loss(panel):
    _, layers = bent(panel, 3)
    losses, squared = panel.walk.losses, panel.walk.gradient_norms**2
    lr, drop = layers["landing"][3, 0]
    assert lr == 0.5
    assert drop * squared[3] * panel._reach == pytest.approx(losses[4] - losses[3])
    assert layers["bottom"][3, 0, 0] == pytest.approx(panel.parabola.bottom)
    assert panel._reach == pytest.approx(2.598, rel=1e-3)  # the axis is as wide as the cliff asks


def test_where_the_loss_bends_down_there_is_no_bottom(panel):
    panel.load({"lr": 0.01})
    found, layers = bent(panel, 0)  # near the saddle
    assert found.curvature < 0.0 and math.isnan(found.bottom) and math.isnan(found.level)
    assert np.isnan(layers["bottom"][0]).all() and np.isfinite(layers["fitted"][0]).all()


def test_a_loss_known_no_better_than_its_last_digits_leaves_no_curve():
    panel = Descent(tl.formulas.three_valleys, lr=0.8, start=(-1, 1), resolution=5, steps=400,
                    strip=False)  # fmt: skip
    _, layers = bent(panel, 400)  # a valley whose floor is not 0
    assert panel.walk.losses[-1] > 0.05 and np.isnan(layers["downhill"][-1, :, 1]).all()
    assert np.isfinite(layers["downhill"][:20]).all()


def test_a_step_that_does_not_go_straight_downhill_lands_nowhere():
    panel = Descent(resolution=5, steps=5, strip=False, optimizer=tl.optim.Adam)
    _, layers = bent(panel, 1)
    assert np.isnan(layers["landing"][..., 0]).all() and np.isfinite(layers["fitted"][1]).all()


def test_it_takes_the_curves_place_and_gives_it_back(panel):
    axes = panel.player.scene.axes
    assert not axes["bend"].get_visible() and panel.player.scene.veils.keys() == {"curve"}
    panel.controls["parabola"].value = True
    layers = panel.player.scene.arrays()
    assert axes["bend"].get_visible() and not axes["curve"].get_visible()
    assert panel.player.scene.veils == {} and len(layers["curve"]) == 0
    panel.controls["parabola"].value = False
    assert axes["curve"].get_visible() and len(panel.player.scene.arrays()["curve"]) == 41
    assert all(len(panel.player.scene.arrays()[name]) == 0 for name in LAYERS)


def test_the_moment_that_is_seen_is_looked_at_first():
    panel = Descent(resolution=5, steps=150, strip=False)
    panel.controls["parabola"].value = True
    panel.seek(70)

    async def hand():
        panel.controls["lr"].value = 0.4
        panel._downhill = None
        panel._run.go()
        panel._downhill = panel._lines()
        panel._downhill.go(0.0)
        known = np.isfinite(panel._downhill._curve).all(axis=1)
        assert known[70] and known.sum() < 20
        panel.settle()
        assert np.isfinite(panel.player.scene.arrays()["downhill"][70]).all()

    asyncio.run(hand())


def test_numbers_that_are_asked_for_need_no_switch(panel):
    panel.seek(0)
    assert not panel.controls["parabola"].value
    assert panel.parabola.loss == pytest.approx(float(P2([0.3, 0.2])))
    assert Parabola(1.0, 1.0, 4.0).bottom == 0.25
