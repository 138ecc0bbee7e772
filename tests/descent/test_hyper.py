"""Hyperparameters, one per walker or per layer; optimizers of one's own."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_landscape as tl

optim = tl.optim
L = tl.Landscape.from_function(
    lambda p: (p**2 * [1.0, 3.0, 0.5]).sum(-1) / 2 + np.cos(p[..., 0] + 2 * p[..., 1]), size=3
)
START = [0.7, -1.3, 2.0]

# Many hyperparameters at once are the same as one after the other.

rates = st.lists(st.floats(1e-3, 0.2), min_size=1, max_size=4)


@given(lrs=rates, walkers=st.integers(1, 3), kind=st.sampled_from(range(10)))
def test_hyperparameters_broadcast_against_the_leading_shape(lrs, walkers, kind):
    column = np.array(lrs)[:, None]
    other = np.linspace(0.2, 0.8, len(lrs))[:, None]

    def make(lr, h):
        return [
            lambda: optim.SGD(lr, weight_decay=h),
            lambda: optim.SGD(lr, momentum=h, nesterov=True),
            lambda: optim.SGD(lr, momentum=0.5, dampening=h, clip_norm=h),
            lambda: optim.AdaGrad(lr, eps=h),
            lambda: optim.RMSProp(lr, alpha=h, momentum=0.3, eps=1e-8),
            lambda: optim.Adam(lr, betas=(h, 0.99)),
            lambda: optim.AdamW(lr, betas=(0.9, h), weight_decay=h),
            lambda: optim.Lion(lr, betas=(0.9, h), weight_decay=h),
            lambda: optim.SAM(optim.SGD(lr, momentum=0.5), rho=h),
            lambda: optim.Newton(damping=4.0 + h, lr=lr),
        ][kind]()

    theta = np.random.default_rng(walkers).normal(size=(walkers, 3))
    walk = tl.descend(L, theta, make(column, other), steps=4)
    assert walk.points.shape == (5, len(lrs), walkers, 3)
    for i, lr in enumerate(lrs):
        for k in range(walkers):
            alone = tl.descend(L, theta[k], make(lr, float(other[i, 0])), steps=4)
            np.testing.assert_allclose(walk.points[:, i, k], alone.points, atol=1e-12)
            np.testing.assert_allclose(walk.losses[:, i, k], alone.losses, atol=1e-12)


def test_clip_norm_acts_on_each_walker():
    steep = tl.Landscape.from_function(lambda p: 5.0 * p.sum(-1))
    shallow = [[0.0, 0.0], [0.0, 0.0]]
    walk = tl.descend(steep, shallow, optim.SGD(1.0, clip_norm=[0.5, 100.0]), steps=1)
    lengths = np.linalg.norm(walk.end, axis=-1)
    np.testing.assert_allclose(lengths, [0.5, 5 * math.sqrt(2)], rtol=1e-6)


NET = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
MOONS = tl.Landscape(NET, tl.losses.binary_cross_entropy, tl.data.moons(20, seed=0))


def test_learning_rate_by_layer():
    theta = NET.init(seed=0)
    walk = tl.descend(MOONS, theta, optim.SGD({"0": 0.3, "2": 0.1}), steps=1)
    lr = np.where([n.startswith("0.") for n in NET.names], 0.3, 0.1)
    np.testing.assert_allclose(walk.end, theta - lr * MOONS.gradient(theta), rtol=1e-12)


def test_the_longer_name_wins():
    theta = NET.init(seed=0)
    walk = tl.descend(MOONS, theta, optim.SGD({"2": 0.1, "0": 0.3, "0.bias": 0.2}), steps=1)
    ends = {"0.weight": 0.3, "0.bias": 0.2, "2.weight": 0.1, "2.bias": 0.1}
    lr = np.array([ends[name.partition("[")[0]] for name in NET.names])
    np.testing.assert_allclose(walk.end, theta - lr * MOONS.gradient(theta), rtol=1e-12)


def test_learning_rate_by_layer_broadcasts_too():
    theta = NET.init(seed=0)
    a, b = np.array([0.1, 0.2]), np.array([0.3, 0.4, 0.5])
    walk = tl.descend(MOONS, theta, optim.Adam({"0": a[:, None], "2": b}), steps=3)
    assert walk.points.shape == (4, 2, 3, NET.size)
    alone = tl.descend(MOONS, theta, optim.Adam({"0": 0.2, "2": 0.5}), steps=3)
    np.testing.assert_allclose(walk.points[:, 1, 2], alone.points, atol=1e-12)


@pytest.mark.parametrize(
    ("lr", "message"),
    [
        ({"0": 0.1}, "lacks one for '2.weight'"),
        ({"0": 0.1, "2": 0.1, "hidden": 0.1}, "'hidden', which is no layer; did you mean"),
        ({"0": 0.1, "2": -0.1}, "got lr=-0.1"),
    ],
)
def test_learning_rates_by_layer_that_do_not_fit_are_refused(lr, message):
    with pytest.raises(tl.ParameterError, match=message):
        tl.descend(MOONS, NET.init(seed=0), optim.SGD(lr), steps=1)


def test_layers_need_a_network():
    with pytest.raises(tl.ParameterError, match="has no layers"):
        tl.descend(L, START, optim.SGD({"0": 0.1}), steps=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.SGD(0.0),
        lambda: optim.SGD(-0.1),
        lambda: optim.SGD(math.nan),
        lambda: optim.SGD(math.inf),
        lambda: optim.SGD([0.1, 0.0]),
        lambda: optim.SGD("fast"),
        lambda: optim.SGD(0.1, momentum=1.1),
        lambda: optim.SGD(0.1, nesterov=True),
        lambda: optim.SGD(0.1, 0.9, nesterov=True, dampening=0.1),
        lambda: optim.RMSProp(alpha=1.0),
        lambda: optim.Adam(betas=(0.9, 1.0)),
        lambda: optim.Adam(betas=0.9),
        lambda: optim.Adam(eps=-1e-8),
        lambda: optim.AdamW(weight_decay=-1.0),
        lambda: optim.Lion(clip_norm=0.0),
        lambda: optim.SAM(optim.SGD(0.1), rho=-1.0),
        lambda: optim.Newton(damping=-1.0),
    ],
)
def test_hyperparameters_that_make_no_sense_are_refused(make):
    with pytest.raises(tl.ParameterError, match=r"got|needs"):
        make()


def test_optimizers_are_immutable_and_keep_nothing_of_a_walk():
    optimizer = optim.Adam(lr=[0.1, 0.2])
    with pytest.raises(FrozenInstanceError):
        optimizer.lr = 0.3
    with pytest.raises(ValueError, match="read-only"):
        optimizer.lr[0] = 0.3
    first = tl.descend(L, START, optimizer, steps=5)
    second = tl.descend(L, START, optimizer, steps=5)
    np.testing.assert_array_equal(first.points, second.points)
    mine = np.array([0.1, 0.2])
    kept = optim.SGD(lr=mine)
    mine[0] = 99.0
    assert kept.lr[0] == 0.1


def test_repr_says_what_was_chosen():
    assert repr(optim.SGD(0.1)) == "SGD(lr=0.1)"
    assert repr(optim.Adam()) == "Adam(lr=0.001)"
    assert (
        repr(optim.SGD(0.1, momentum=0.9, clip_norm=1))
        == "SGD(lr=0.1, momentum=0.9, clip_norm=1.0)"
    )
    assert repr(optim.SAM(optim.SGD(0.1))) == "SAM(base=SGD(lr=0.1))"
    assert "0.1 to 0.2, shape (2,)" in repr(optim.SGD([0.1, 0.2]))


# An optimizer of one's own.


def in_place(theta, gradient, state, lr):
    theta -= lr * gradient
    return theta, state


def heavy_ball(theta, gradient, state, lr):
    state = gradient if state is None else 0.9 * state + gradient
    return theta - lr * state, state


def test_custom_equals_the_built_in():
    ours = tl.descend(L, START, optim.SGD(0.05, momentum=0.9), steps=20)
    own = tl.descend(L, START, optim.Custom(heavy_ball, lr=0.05), steps=20)
    np.testing.assert_array_equal(ours.points, own.points)


class InPlace:
    lr = np.array([0.05, 5.0])

    def init(self, theta):
        theta[:] = 7.0

    def step(self, theta, gradient, state, lr, here):
        return in_place(theta, gradient, state, lr)


@pytest.mark.parametrize("own", [optim.Custom(in_place, lr=[0.05, 5.0]), InPlace()])
def test_working_in_place_does_no_harm(own):
    """Not even to the walker that diverges, and has to go back to where it was."""
    theta = np.array([START, START])
    ours = tl.descend(L, theta, optim.SGD([0.05, 5.0]), steps=20)
    walk = tl.descend(L, theta, own, steps=20)
    assert walk.diverged.tolist() == [False, True]
    np.testing.assert_array_equal(walk.points, ours.points)


def test_custom_takes_schedules_decay_and_one_rate_per_walker():
    rates, fade = np.array([[0.05], [0.1]]), tl.schedules.cosine(20)
    theta = np.tile(START, (3, 1))
    own = optim.Custom(in_place, lr=rates, weight_decay=0.1, clip_norm=1.0)
    ours = optim.SGD(lr=rates, weight_decay=0.1, clip_norm=1.0)
    a, b = (tl.descend(L, theta, o, steps=20, schedule=fade) for o in (own, ours))
    np.testing.assert_array_equal(a.points, b.points)


class Protocol:
    """Any object with lr, init and step; this one looks uphill through `here`."""

    lr = 0.05

    def init(self, theta):
        return 0

    def step(self, theta, gradient, state, lr, here):
        norm = np.linalg.norm(gradient, axis=-1, keepdims=True)
        theta += 0.0  # works on a copy
        return theta - lr * here.gradient(theta + 0.3 * gradient / norm), state + 1


def test_any_object_with_the_protocol_is_an_optimizer():
    ours = tl.descend(L, START, optim.SAM(optim.SGD(0.05), rho=0.3), steps=10)
    own = tl.descend(L, START, Protocol(), steps=10)
    np.testing.assert_allclose(ours.points, own.points, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda theta, gradient, state, lr: theta - lr * gradient, "return theta, state"),
        (lambda theta, gradient, state, lr: (theta[:1], state), r"shape \(1,\); expected \(3,\)"),
    ],
)
def test_a_custom_function_that_answers_wrongly_is_told(function, message):
    with pytest.raises(tl.TinygradLandscapeError, match=message):
        tl.descend(L, START, optim.Custom(function), steps=1)


@pytest.mark.parametrize("wrong", [optim.SGD, in_place, 0.1, "sgd"])
def test_something_that_is_no_optimizer_is_refused(wrong):
    with pytest.raises(tl.ParameterError, match=r"tl.optim.SGD\(lr=0.1\)"):
        tl.descend(L, START, wrong)
