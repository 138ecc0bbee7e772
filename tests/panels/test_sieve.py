"""The sieve's facts: cliffs from the Hessian, who leaves at which peak and with which batches."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Sieve
from tinygrad_landscape.panels.fog import Fog
from tinygrad_landscape.panels.sieve import two_valleys

P3 = tl.formulas.sieve
START = np.array([[0.25, 2.82]])


@pytest.fixture(scope="module")
def opened():
    return {others: Sieve(resolution=21, others=others) for others in (0, 20, 200)}


@pytest.fixture
def panel(opened):
    opened[20].reset()
    return opened[20]


@pytest.fixture
def crowd(opened):
    """With 200 others, never reset: tests set what they need."""
    return opened[200]


@pytest.fixture
def alone(opened):
    opened[0].reset()
    return opened[0]


# The fog ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3, 7, 12])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_the_fog_is_that_of_descend(batch_size, momentum):
    landscape, plane = two_valleys()
    inside, seeds = landscape.restrict(plane), [0, 5, 9]
    base = tl.optim.SGD(0.1, momentum)
    starts = np.repeat(START, 3, axis=0)
    walk = tl.descend(inside, starts, Fog(base, landscape, plane, batch_size, seeds), 40)
    plain = tl.descend(inside, starts, base, 40, batch_size=batch_size, seed=seeds)
    assert np.allclose(walk.points, plain.points, atol=1e-10)
    assert len(np.unique(walk.end.round(6), axis=0)) == 3  # each sees a fog of its own


def test_the_fog_of_a_classifier_with_weight_penalty():
    net = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
    data = tl.data.moons(20, seed=0)
    landscape = tl.Landscape(net, tl.losses.binary_cross_entropy, data, l2=0.01)
    plane = tl.Plane.random(net.init(seed=0), 0, network=net)
    inside, base = landscape.restrict(plane), tl.optim.SGD(0.5)
    walk = tl.descend(inside, np.zeros((2, 2)), Fog(base, landscape, plane, 6, [1, 2]), 12)
    plain = tl.descend(inside, np.zeros((2, 2)), base, 12, batch_size=6, seed=[1, 2])
    assert np.allclose(walk.points, plain.points, atol=1e-10)


# SYLLABUS P3 --------------------------------------------------------------------------------------


def test_curvatures_and_cliffs_of_the_two_valleys(panel):
    bends = [np.linalg.eigvalsh(P3.hessian(m))[-1] for m in P3.minima]
    assert np.allclose(panel.curvatures, bends)
    assert np.allclose(panel.curvatures, [0.209, 4.83], atol=5e-3)
    assert "Curvature 4.83 puts the cliff of B at 2/4.83 = 0.414" in panel.describe()
    assert "it was built so" in panel.describe()


@pytest.mark.parametrize("peak", [0.2, 0.4, 0.6])
def test_below_and_just_above_the_cliff_none_of_200_leaves(crowd, peak):
    crowd.load({"peak": peak})
    assert crowd.left == 0.0
    assert "the ball stays in valley B, loss 0.168; of 200 others 0 leave" in crowd.describe()


@pytest.mark.parametrize("peak", [1.0, 1.5])
def test_far_above_the_cliff_all_of_200_leave(crowd, peak):
    crowd.load({"peak": peak})
    assert crowd.left == 1.0
    assert "leaves valley B and ends in A, loss 0; of 200 others 200 leave" in crowd.describe()


@pytest.mark.parametrize(
    ("size", "low", "high"), [(12, 0.0, 0.0), (6, 0.0, 0.0), (3, 0.35, 0.6), (1, 1.0, 1.0)]
)
def test_small_batches_throw_the_ball_out(crowd, size, low, high):
    """At lr .3, constant, 400 steps: B = 24, 12, 6 none, 3 about half (96 of 200), 1 all."""
    crowd.load({"schedule": "constant", "batch": size})
    assert low <= crowd.left <= high


def test_decay_lowers_the_floor(alone):
    above = {}
    for shape in ("constant", "cosine to 0"):
        alone.load({"peak": 0.1, "schedule": shape, "batch": 6})
        late = alone.walk.losses[-20:]
        above[shape] = late.mean() - P3(P3.minima[1])
    assert above["cosine to 0"] < 0.1 * above["constant"]


def test_one_step_just_above_the_cliff_bounces(alone):
    alone.load({"peak": 0.43, "schedule": "constant"})
    points = alone.walk.points[-9:]
    assert np.abs(points[2:] - points[:-2]).max() < 1e-5 < np.abs(points[1:] - points[:-1]).max()


# What is shown ------------------------------------------------------------------------------------


def test_the_rate_shown_is_the_rate_walked(alone):
    alone.controls["schedule"].value = "cosine to 0"
    rates = alone.player.scene.layers["rate"].data[:, 0, 1]
    points = alone.walk.points
    steps = np.diff(points, axis=0)
    slopes = np.array([P3.gradient(p) for p in points[:-1]])
    assert np.allclose(steps, -rates[:-1, None] * slopes, atol=1e-12)
    assert rates[0] == 0.3 and rates[-1] == 0.0


def test_the_cloud_is_what_minibatches_would_have_done(alone):
    assert alone.player.scene.layers["cloud"].data.size == 0  # no fog, no cloud
    alone.load({"batch": 6, "schedule": "constant"})
    cloud = alone.player.scene.layers["cloud"].data
    assert cloud.shape == (401, 24, 4)
    assert np.array_equal(cloud[7, 0, :2], alone.walk.points[7])
    inside = alone.ground.inside
    for k in (0, 13):
        batch = alone._clouds[k, :6]
        assert len(set(batch.tolist())) == 6
        step = -0.3 * inside.gradient(alone.walk.points[7], batch=batch)
        assert np.allclose(cloud[7, k, 2:], step)
    mean = cloud[7, :, 2:].mean(axis=0)
    full = -0.3 * inside.gradient(alone.walk.points[7])
    spread = cloud[7, :, 2:].std(axis=0)
    assert (np.abs(mean - full) < 4.0 * spread / np.sqrt(24)).all()


def test_others_wear_the_colour_of_the_valley_they_end_in(panel):
    panel.load({"schedule": "constant", "batch": 3})
    layers = panel.player.scene.layers
    out, stayed = (layers[f"others {k}"].data.shape[1] for k in (0, 1))
    assert out + stayed == 20 and out == round(20 * panel.left) > 0
    assert layers["others 0"].look["shapes"] != layers["others 1"].look["shapes"]


def test_a_code_shows_the_same_again(panel):
    panel.load({"peak": 0.9, "batch": 12, "seed": 3, "others": 10})
    panel.seek(100)
    code, sentence, points = panel.code, panel.describe(), panel.walk.points
    panel.reset()
    panel.load(code)
    assert panel.describe() == sentence and np.array_equal(panel.walk.points, points)
    assert panel.player.frame == 100


def test_the_batch_preset_puts_the_batch_size_first():
    panel = Sieve(preset="batch size", resolution=11, others=0, steps=20)
    assert panel.state["batch"] == 3 and panel.state["schedule"] == "constant"
    assert "batches of 3" in panel.describe() and panel.left == 0.0
    first = panel.widget.children[0].children
    assert panel.controls["batch"] in first and panel.controls["peak"] not in first


# Any landscape ------------------------------------------------------------------------------------


def test_a_formula_has_no_batches():
    panel = Sieve(tl.formulas.himmelblau, peak=0.05, lr_range=(0.001, 0.1), others=3, resolution=11,
                  steps=20)  # fmt: skip
    assert panel.controls["batch"].options == (("all", 1),)
    assert "cliff of" in panel.describe() and "built so" not in panel.describe()


def test_a_walk_that_falls_is_told():
    panel = Sieve(tl.formulas.himmelblau, peak=0.1, lr_range=(0.001, 0.1), start=(-5.0, 5.0),
                  others=3, resolution=11, steps=20, schedule="constant")  # fmt: skip
    assert "the ball leaves the ground at step" in panel.describe()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "noise"}, "got preset='noise'"),
        ({"schedule": "steps"}, "got schedule='steps'"),
        ({"peak": 3.0}, "got peak=3.0"),
        ({"batch_size": 5}, "expected one of"),
    ],
)
def test_mistakes_are_refused_in_words(options, words):
    with pytest.raises(ParameterError, match=words):
        Sieve(resolution=5, **options)
