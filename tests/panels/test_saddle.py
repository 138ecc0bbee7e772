"""The saddle panel: published escape times, exact ridges, and curvatures in words."""

import math

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Saddle

P1 = tl.formulas.three_valleys


@pytest.fixture(scope="module")
def opened():
    return Saddle(resolution=21)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


@pytest.mark.parametrize(
    ("distance", "steps"), [(1e-1, 231), (1e-2, 463), (1e-3, 694), (1e-4, 926)]
)
def test_escape_times_of_the_linear_network(distance, steps):
    """From (e, e) at lr .01, steps until w1 w2 > .5: about ln(1/e)/lr = 230, 461, 691, 921."""
    panel = Saddle(resolution=5, approach=0.0, lr=0.01, steps=1500, distance=distance)
    assert np.allclose(panel.walk.points[0], [distance, distance])
    own = int(np.argmax(panel.walk.points.prod(-1) > 0.5))
    assert panel.escape == own == steps
    assert abs(panel.law - steps) < 1.0
    assert abs(math.log(1 / distance) / 0.01 - steps) < 6.0
    assert f"the ball has left it after {steps} steps" in panel.describe()
    assert "Ten times closer costs 231" in panel.describe()


def test_it_opens_on_the_linear_network(panel):
    assert np.array_equal(panel.saddle, [0.0, 0.0]) and panel.kind == "saddle"
    assert np.allclose(panel.eigenvalues, [-1.0, 1.0]) and panel.height == 0.5
    assert panel.describe().startswith(
        "Saddle at w1 = 0, w2 = 0, loss 0.5: the gradient is 0, the curvatures are -1 and 1."
    )


@pytest.mark.parametrize("name", ["three_valleys", "himmelblau", "sieve", "six_hump_camel"])
def test_the_ridge_is_exact_for_steps_of_any_size(name):
    panel = Saddle(getattr(tl.formulas, name), resolution=11)
    ridge = panel._ridge(panel.state["approach"])
    assert np.linalg.norm(ridge - panel.saddle) > 0.05
    optimizer = tl.optim.SGD(panel.state["lr"])
    walk = tl.descend(panel.ground.inside, ridge, optimizer, steps=300)
    assert np.linalg.norm(walk.points - panel.saddle, axis=-1).min() < 1e-5
    growth = math.log1p(-panel.state["lr"] * panel.eigenvalues[0])
    assert panel._dearer() == pytest.approx(math.log(10.0) / growth, rel=0.02)


def test_the_walk_passes_the_saddle_and_the_loss_rests_there(panel):
    losses = panel.walk.losses
    assert losses[0] > 0.6 and losses[-1] < 1e-9
    assert (np.abs(losses - 0.5) < 0.02).sum() > 30  # the plateau
    assert np.linalg.norm(panel.walk.points, axis=-1).min() < 0.05


def test_the_other_side_leads_to_the_other_valley(panel):
    assert np.allclose(panel.walk.end, [1.0, 1.0], atol=0.01)
    panel.controls["other_side"].value = True
    assert np.allclose(panel.walk.end, [-1.0, -1.0], atol=0.01)


def test_curvatures_under_the_ball(panel):
    for frame in (0, 17, 60, 300):
        panel.seek(frame)
        point = panel.walk.points[frame]
        values = np.linalg.eigvalsh(tl.formulas.chain(2).hessian(point))
        kind = "saddle" if values[0] < -1e-6 else "minimum" if values[0] > 1e-6 else None
        told = {
            name: panel.player.scene.layers[f"told {name}"].row(frame)[0]
            for name in ("saddle", "minimum", "maximum", "degenerate")
        }
        shown = [name for name, row in told.items() if not np.isnan(row).all()]
        assert len(shown) == 1 and (kind is None or shown == [kind])
        assert np.allclose(told[shown[0]][2:], values)
        down = panel.player.scene.layers["bends down"].row(frame)
        assert np.isnan(down).all() == (not (values < 0.0).any())


def test_the_cross_lies_along_the_curvatures(panel):
    panel.seek(0)
    up = panel.player.scene.layers["bends up"].row(0)
    arm = up[4] - up[3]
    hessian = tl.formulas.chain(2).hessian(panel.walk.points[0])
    assert np.allclose(hessian @ arm, np.linalg.eigvalsh(hessian)[1] * arm)
    assert np.allclose(up[3:5].mean(axis=0), panel.walk.points[0])


def test_a_dragged_start_is_free_until_the_slider_moves(panel):
    panel.player.start = [1.0, -0.5]
    assert panel.state["free"] and np.array_equal(panel.walk.points[0], [1.0, -0.5])
    assert "From w1 = 1, w2 = -0.5 the ball has left it after" in panel.describe()
    code = panel.code
    panel.controls["distance"].value = 0.01
    assert not panel.state["free"] and "From 0.01 beside the ridge" in panel.describe()
    panel.load(code)
    assert panel.state["free"] and np.array_equal(panel.walk.points[0], [1.0, -0.5])


def test_too_few_steps_to_leave(panel):
    panel.load({"steps": 20})
    assert panel.escape is None and "has not left it after 20 steps" in panel.describe()


# Any landscape ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_each_saddle_of_the_three_valleys(number):
    at = P1.saddles[number]
    panel = Saddle(P1, saddle=np.round(at, 1).tolist(), resolution=11)
    assert np.allclose(panel.saddle, at)
    assert np.allclose(panel.eigenvalues, np.linalg.eigvalsh(P1.hessian(at)))
    assert panel.escape is not None


def test_saddles_are_found_without_being_told():
    told = tl.Landscape.from_function(lambda p: P1(p), 2)
    panel = Saddle(told, extent=4.0, resolution=11)
    assert np.abs(P1.saddles - panel.saddle).max(axis=-1).min() < 1e-6


def test_a_degenerate_point_has_no_law():
    panel = Saddle(tl.formulas.monkey_saddle, resolution=11)
    assert panel.kind == "degenerate" and panel.law is None
    assert "Degenerate point at x = 0, y = 0" in panel.describe()
    assert "no law tells how many" in panel.describe()


def test_two_weights_of_a_network():
    net = tl.Network(tl.Linear(1, 1), tl.Tanh(), tl.Linear(1, 1))
    x = np.linspace(-3.0, 3.0, 50)[:, None]
    loss = tl.Landscape(net, tl.losses.half_squared_error, (x, 1.5 * np.tanh(1.2 * x)))
    plane = tl.Plane.two_weights(np.zeros(4), "0.weight[0,0]", "2.weight[0,0]", network=net)
    panel = Saddle(loss, plane, resolution=11)
    known = np.linalg.eigvalsh(tl.formulas.one_neuron.hessian([0.0, 0.0]))
    assert np.allclose(panel.saddle, 0.0, atol=1e-8) and np.allclose(panel.eigenvalues, known)
    assert "In other directions the ground may bend otherwise." in panel.player.honesty
    assert panel.escape is not None and "0.weight[0,0]" in panel.describe()


def test_a_typed_start_is_free_as_well(panel):
    panel.controls["start_x"].value = 0.5
    assert panel.state["free"] and np.array_equal(panel.walk.points[0], [0.5, 0.0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"landscape": tl.formulas.quadratic(3.0)}, "no saddle was found in the frame"),
        ({"saddle": (2.0, 2.0)}, "the saddles in the frame are at"),
        ({"distance": 0.0}, "got distance=0.0"),
    ],
)
def test_mistakes_are_refused_in_words(options, words):
    with pytest.raises(ParameterError, match=words):
        Saddle(resolution=5, **options)
