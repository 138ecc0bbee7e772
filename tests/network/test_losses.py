"""Losses against closed forms, SciPy and scikit-learn; corners; refusals with their mend."""

import pickle
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn import metrics

import tinygrad_landscape as tl
from tinygrad_landscape import losses
from tinygrad_landscape.engine import Tensor, gradients

REGRESSION = [
    "mean_squared_error",
    "half_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
]
BINARY = ["binary_cross_entropy", "hinge", "squared_hinge", "focal"]
CATEGORICAL = ["cross_entropy", "kl_divergence"]
LOG2 = np.log(2.0)


def derivatives(loss, z, target, **options):
    """Value, first and second derivative of the loss of one score (one sample, one output)."""
    t = Tensor([[z]])
    value = loss(t, target, **options)
    (g,) = gradients(value, [t], create_graph=True)
    (h,) = gradients(g, [t])
    return value.item(), g.item(), h.item()


def test_the_list_of_losses_is_the_contracts():
    assert sorted(losses.__all__) == sorted(REGRESSION + BINARY + CATEGORICAL)


# --- values, against other people's ---------------------------------------------------------------


@given(seed=st.integers(0, 999), samples=st.integers(1, 6), outputs=st.integers(1, 3))
def test_regression_losses_are_the_textbooks(seed, samples, outputs):
    rng = np.random.default_rng(seed)
    p, t = 3.0 * rng.normal(size=(2, samples, outputs))
    r = p - t
    assert np.isclose(losses.mean_squared_error(p, t), metrics.mean_squared_error(t, p))
    assert np.isclose(losses.mean_absolute_error(p, t), metrics.mean_absolute_error(t, p))
    assert np.isclose(losses.half_squared_error(p, t), 0.5 * (r**2).sum() / samples)
    for delta in (0.3, 1.0, 5.0):
        assert np.isclose(losses.huber(p, t, delta=delta), special.huber(delta, r).mean())
    assert np.isclose(losses.log_cosh(p, t), np.log(np.cosh(r)).mean(), rtol=1e-12)


@given(seed=st.integers(0, 999), samples=st.integers(2, 9))
def test_binary_losses_are_scikit_learns(seed, samples):
    rng = np.random.default_rng(seed)
    z, y = 3.0 * rng.normal(size=(samples, 1)), rng.integers(0, 2, samples)
    y[0] = 1 - y[1]
    p = special.expit(z[:, 0])
    assert np.isclose(losses.binary_cross_entropy(z, y), metrics.log_loss(y, p))
    assert np.isclose(losses.hinge(z, y), metrics.hinge_loss(y, z[:, 0]))
    margin = np.maximum(0, 1 - (2 * y - 1) * z[:, 0])
    assert np.isclose(losses.squared_hinge(z, y), (margin**2).mean())
    p_true = np.where(y == 1, p, 1 - p)
    for gamma in (0.0, 0.5, 2.0):
        expected = (-((1 - p_true) ** gamma) * np.log(p_true)).mean()
        assert np.isclose(losses.focal(z, y, gamma=gamma), expected)
    for loss in BINARY:
        f = getattr(losses, loss)
        assert f(z, y) == f(z, y[:, None].astype(float)) == f(z, y.astype(bool))
        assert f(z, y) == f(z, y.astype(np.uint8))


@given(seed=st.integers(0, 999), samples=st.integers(1, 6), classes=st.integers(2, 5))
def test_categorical_losses_are_scikit_learns_and_scipys(seed, samples, classes):
    rng = np.random.default_rng(seed)
    z, y = 3.0 * rng.normal(size=(samples, classes)), rng.integers(0, classes, samples)
    p = special.softmax(z, axis=1)
    ours = losses.cross_entropy(z, y)
    assert np.isclose(ours, metrics.log_loss(y, p, labels=range(classes)))
    one_hot = np.eye(classes)[y]
    assert np.isclose(ours, losses.cross_entropy(z, one_hot))
    assert np.isclose(ours, losses.kl_divergence(z, one_hot))  # 0 log 0 is 0
    t = rng.dirichlet(np.ones(classes), samples)
    assert np.isclose(losses.kl_divergence(z, t), special.rel_entr(t, p).sum(1).mean())
    assert np.isclose(losses.cross_entropy(z, t), -(t * np.log(p)).sum(1).mean())


def test_soft_labels_are_expectations():
    z = np.array([[0.7], [-2.0]])
    by_hand = 0.3 * losses.binary_cross_entropy(z, [1, 1]) + 0.7 * losses.binary_cross_entropy(
        z, [0, 0]
    )
    assert np.isclose(losses.binary_cross_entropy(z, [[0.3], [0.3]]), by_hand)


@pytest.mark.parametrize("name", losses.__all__)
@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_derivatives_agree_with_finite_differences(name, seed):
    """Wherever no score is so near a kink that the differences reach across it."""
    p, y = sample(name, np.random.default_rng(seed))
    kinks = {"mean_absolute_error": (0.0,), "huber": (-1.0, 1.0)}
    away = p - y if name in REGRESSION else p
    assume(all(np.abs(away - k).min() > 0.02 for k in kinks.get(name, (-1.0, 1.0))))
    f = getattr(losses, name)
    tl.check_gradients(lambda z: f(z, y), p, order=2)


def sample(name, rng, samples=4):
    if name in BINARY:
        return 2.0 * rng.normal(size=(samples, 1)), rng.integers(0, 2, samples)
    if name == "cross_entropy":
        return 2.0 * rng.normal(size=(samples, 3)), rng.integers(0, 3, samples)
    if name == "kl_divergence":
        return 2.0 * rng.normal(size=(samples, 3)), rng.dirichlet(np.ones(3), samples)
    return 2.0 * rng.normal(size=(2, samples, 2))


# --- corners and extremes: (value, slope, curvature) of one score ---------------------------------

CORNERS = [
    ("mean_squared_error", 0.0, [[0.0]], (0.0, 0.0, 2.0)),
    ("mean_squared_error", 1000.0, [[0.0]], (1e6, 2000.0, 2.0)),
    ("half_squared_error", -1000.0, [[0.0]], (5e5, -1000.0, 1.0)),
    ("mean_absolute_error", 0.0, [[0.0]], (0.0, 0.0, 0.0)),
    ("mean_absolute_error", -1000.0, [[0.0]], (1000.0, -1.0, 0.0)),
    ("huber", 0.0, [[0.0]], (0.0, 0.0, 1.0)),
    ("huber", 1000.0, [[0.0]], (999.5, 1.0, 0.0)),
    ("huber", -1000.0, [[0.0]], (999.5, -1.0, 0.0)),
    ("log_cosh", 0.0, [[0.0]], (0.0, 0.0, 1.0)),
    ("log_cosh", 1e-6, [[0.0]], (5e-13, 1e-6, 1.0)),
    ("log_cosh", 1000.0, [[0.0]], (1000.0 - LOG2, 1.0, 0.0)),
    ("log_cosh", -1000.0, [[0.0]], (1000.0 - LOG2, -1.0, 0.0)),
    ("binary_cross_entropy", 0.0, [1], (LOG2, -0.5, 0.25)),
    ("binary_cross_entropy", 1000.0, [1], (0.0, 0.0, 0.0)),
    ("binary_cross_entropy", 1000.0, [0], (1000.0, 1.0, 0.0)),
    ("binary_cross_entropy", -1000.0, [1], (1000.0, -1.0, 0.0)),
    ("binary_cross_entropy", -1000.0, [0], (0.0, 0.0, 0.0)),
    ("binary_cross_entropy", 40.0, [1], (np.exp(-40.0), 0.0, 0.0)),
    ("hinge", 1.0, [1], (0.0, 0.0, 0.0)),
    ("hinge", 0.0, [1], (1.0, -1.0, 0.0)),
    ("hinge", 1000.0, [0], (1001.0, 1.0, 0.0)),
    ("hinge", 1000.0, [1], (0.0, 0.0, 0.0)),
    ("squared_hinge", 1.0, [1], (0.0, 0.0, 0.0)),
    ("squared_hinge", 0.5, [1], (0.25, -1.0, 2.0)),
    ("squared_hinge", 1000.0, [0], (1001.0**2, 2002.0, 2.0)),
    ("focal", 0.0, [1], (LOG2 / 4.0, -(LOG2 + 0.5) / 4.0, None)),
    ("focal", 1000.0, [0], (1000.0, 1.0, 0.0)),
    ("focal", 1000.0, [1], (0.0, 0.0, 0.0)),
    ("focal", -1000.0, [1], (1000.0, -1.0, 0.0)),
]


@pytest.mark.parametrize(("name", "z", "target", "expected"), CORNERS)
def test_corners_are_exact_to_second_order(name, z, target, expected, recwarn):
    found = derivatives(getattr(losses, name), z, target)
    for got, wanted in zip(found, expected, strict=True):
        if wanted is not None:
            assert got == pytest.approx(wanted, rel=1e-9, abs=1e-20)
    assert not recwarn.list


@pytest.mark.parametrize("name", CATEGORICAL)
@pytest.mark.parametrize("lead", [0.0, 40.0, 1000.0, -1000.0])
def test_categorical_corners_are_those_of_two_classes(name, lead, recwarn):
    """With two classes and logits (lead, 0) softmax is the sigmoid of the lead."""
    target = np.array([[1.0, 0.0]]) if name == "kl_divergence" else np.array([0])
    t = Tensor([[lead, 0.0]])
    value = getattr(losses, name)(t, target)
    (g,) = gradients(value, [t], create_graph=True)
    rows = [gradients(g, [t], seed=seed)[0][0] for seed in ([[1.0, 0.0]], [[0.0, 1.0]])]
    value2, slope, curvature = derivatives(losses.binary_cross_entropy, lead, [1])
    assert value.item() == pytest.approx(value2, abs=1e-15)
    assert np.allclose(g.data, [[slope, -slope]], atol=1e-15)
    assert np.allclose(rows, [[curvature, -curvature], [-curvature, curvature]], atol=1e-15)
    assert not recwarn.list


@pytest.mark.parametrize("name", losses.__all__)
def test_float32_is_kept_and_other_points_are_not_averaged(name):
    p, y = sample(name, np.random.default_rng(0))
    f = getattr(losses, name)
    t = Tensor(np.stack([p, -p, 2 * p]).astype(np.float32))
    value = f(t, y)
    assert value.shape == (3,)
    (g,) = gradients(value, [t], np.ones(3), create_graph=True)
    (h,) = gradients(g, [t], seed=np.ones(t.shape))
    assert value.dtype == g.dtype == h.dtype == np.float32
    assert value.data[1] == pytest.approx(f(-p, y), rel=1e-5)


@pytest.mark.parametrize("name", losses.__all__)
def test_each_point_may_have_its_own_batch(name):
    rng = np.random.default_rng(0)
    f = getattr(losses, name)
    pairs = [sample(name, rng) for _ in range(3)]
    p, y = (np.stack(part) for part in zip(*pairs, strict=True))
    assert np.allclose(f(p, y), [f(*pair) for pair in pairs], rtol=1e-13)


def test_options_bind_with_partial_and_pickle():
    bound = pickle.loads(pickle.dumps(partial(losses.huber, delta=0.5)))
    assert bound([[2.0]], [[0.0]]) == 0.5 * (2.0 - 0.25)
    for name in losses.__all__:
        f = getattr(losses, name)
        assert pickle.loads(pickle.dumps(f)) is f


def test_the_best_constant_is_the_mean_or_the_median():
    """One outlier moves the squared loss's minimum in proportion, the absolute loss's not."""
    y = np.array([0.0, 1.0, 2.0, 3.0, 4.0])[:, None]
    far = y.copy()
    far[-1] = 100.0
    grid = np.linspace(-5.0, 50.0, 5501)[:, None, None]
    best = {
        name: [
            float(grid[getattr(losses, name)(grid + 0.0 * target, target).argmin(), 0, 0])
            for target in (y, far)
        ]
        for name in ("mean_squared_error", "mean_absolute_error", "huber")
    }
    assert best["mean_squared_error"] == pytest.approx([2.0, 21.2])
    assert best["mean_absolute_error"] == pytest.approx([2.0, 2.0])
    assert best["huber"][1] < 2.5


# --- refusals -------------------------------------------------------------------------------------

Z1, Z3 = np.zeros((5, 1)), np.zeros((5, 3))
MISFITS = [
    ("mean_squared_error", Z1, np.zeros(5), r"target\[:, None\]"),
    ("huber", Z1, np.zeros((5, 2)), r"expected target \(5, 1\)"),
    ("log_cosh", Z1, np.zeros((4, 1)), r"\(4, 1\)"),
    ("mean_absolute_error", np.zeros(5), np.zeros(5), r"prediction\[:, None\]"),
    ("half_squared_error", Z1, np.zeros((2, 5, 1)), r"\(2, 5, 1\)"),
    ("binary_cross_entropy", Z1, np.zeros(5), r"astype\(int\) for labels, target\[:, None\]"),
    ("binary_cross_entropy", Z1, np.zeros((5, 1), int), r"target\[:, 0\]"),
    ("binary_cross_entropy", Z3, np.zeros(5, int), "cross_entropy"),
    ("hinge", Z1, np.zeros(4, int), r"\(4,\)"),
    ("hinge", Z1, np.zeros((2, 5), int), r"\(2, 5\)"),
    ("cross_entropy", Z3, np.zeros((2, 5, 3)), r"\(2, 5, 3\)"),
    ("focal", Z1, np.zeros((5, 5)), r"\(5, 5\)"),
    ("cross_entropy", Z3, np.zeros(5), r"astype\(int\)"),
    ("cross_entropy", Z3, np.zeros((5, 1)), r"target\[:, 0\]"),
    ("cross_entropy", Z3, np.zeros((5, 2)), r"\(5, 3\)"),
    ("kl_divergence", Z3, np.zeros(5, int), "cross_entropy takes labels"),
    ("mean_squared_error", np.zeros((0, 1)), np.zeros((0, 1)), "empty batch"),
]


@pytest.mark.parametrize(("name", "prediction", "target", "mend"), MISFITS)
def test_shapes_that_do_not_fit_are_refused_with_the_mend(name, prediction, target, mend):
    with pytest.raises(tl.ShapeError, match=mend) as caught:
        getattr(losses, name)(prediction, target)
    assert name in str(caught.value)
    with pytest.raises(tl.ShapeError):
        getattr(losses, name)(Tensor(prediction), target)


@pytest.mark.parametrize(
    ("name", "prediction", "target", "options", "mend"),
    [
        ("hinge", Z1, np.array([-1, 1, 1, 1, 1]), {}, r"target > 0"),
        ("binary_cross_entropy", Z1, np.array([0, 1, 2, 0, 0]), {}, "0 and 1"),
        ("binary_cross_entropy", Z1, np.full((5, 1), 1.5), {}, "0 and 1"),
        ("squared_hinge", Z1, np.full((5, 1), 0.5), {}, "0 and 1"),
        ("focal", Z1, np.full((5, 1), np.nan), {}, "0 and 1"),
        ("cross_entropy", Z3, np.array([0, 1, 2, 3, 0]), {}, r"0\.\.3, expected 0\.\.2"),
        ("cross_entropy", Z3, np.array([0, 1, 2, -1, 0]), {}, r"-1\.\.2"),
        ("cross_entropy", Z3, np.full((5, 3), 0.5), {}, "sum to 1"),
        ("kl_divergence", Z3, np.tile([1.5, -0.5, 0.0], (5, 1)), {}, "negative"),
        ("kl_divergence", Z3, np.full((5, 3), np.nan), {}, "sum to 1"),
        ("huber", Z1, Z1, {"delta": 0.0}, "delta=0.0"),
        ("focal", Z1, np.zeros(5, int), {"gamma": -1.0}, "gamma=-1.0"),
    ],
)
def test_values_that_make_no_sense_are_refused(name, prediction, target, options, mend):
    with pytest.raises(tl.ParameterError, match=mend):
        getattr(losses, name)(prediction, target, **options)


def test_a_target_may_be_a_tensor():
    """So that a learner can ask how the loss depends on a label."""
    for name in ("mean_squared_error", "binary_cross_entropy", "cross_entropy"):
        p, y = sample(name, np.random.default_rng(0))
        if name == "binary_cross_entropy":
            y = np.clip(y[:, None].astype(float), 0.2, 0.8)
        if name == "cross_entropy":
            y = np.full((4, 3), 1.0 / 3.0)
        f = getattr(losses, name)
        tl.check_gradients(lambda t, p=p, f=f: f(p, t), y, order=1)
