"""Every update rule against the same rule written out by hand, one number at a time."""

import math
from dataclasses import FrozenInstanceError
from functools import partial

import numpy as np
import pytest
from autograd.misc.optimizers import adam as autograd_adam
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

import tinygrad_landscape as tl

# A landscape with curvature and no symmetry, its gradient written by hand for the references.
SCALE = [1.0, 3.0, 0.5]


def f(p):
    return (np.asarray(SCALE) * p**2).sum(-1) / 2 + np.cos(p[..., 0] + 2 * p[..., 1])


def slope(p):
    s = math.sin(p[0] + 2 * p[1])
    return [SCALE[0] * p[0] - s, SCALE[1] * p[1] - 2 * s, SCALE[2] * p[2]]


def curvature(p):
    c = math.cos(p[0] + 2 * p[1])
    return [
        [SCALE[0] - c, -2 * c, 0.0],
        [-2 * c, SCALE[1] - 4 * c, 0.0],
        [0.0, 0.0, SCALE[2]],
    ]


L = tl.Landscape.from_function(f, size=3)
START = [0.7, -1.3, 2.0]


# Reference loops: PyTorch's documentation, in scalars. Each takes and gives a list of floats.


def clipped(g, clip):
    norm = math.sqrt(sum(a * a for a in g))
    return [a * min(1.0, clip / (norm + 1e-6)) for a in g] if clip else g


def sgd(p, steps, lr, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0, clip=None):
    buf = None
    for _ in range(steps):
        g = [a + weight_decay * b for a, b in zip(clipped(slope(p), clip), p)]
        if momentum:
            if buf is None:
                buf = list(g)
            else:
                buf = [momentum * b + (1 - dampening) * a for a, b in zip(g, buf)]
            g = [a + momentum * b for a, b in zip(g, buf)] if nesterov else buf
        p = [b - lr * a for a, b in zip(g, p)]
    return p


def adagrad(p, steps, lr, eps=1e-10, weight_decay=0.0, clip=None):
    total = [0.0] * len(p)
    for _ in range(steps):
        g = [a + weight_decay * b for a, b in zip(clipped(slope(p), clip), p)]
        total = [s + a * a for a, s in zip(g, total)]
        p = [b - lr * a / (math.sqrt(s) + eps) for a, b, s in zip(g, p, total)]
    return p


def rmsprop(p, steps, lr, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0, clip=None):
    square, buf = [0.0] * len(p), [0.0] * len(p)
    for _ in range(steps):
        g = [a + weight_decay * b for a, b in zip(clipped(slope(p), clip), p)]
        square = [alpha * s + (1 - alpha) * a * a for a, s in zip(g, square)]
        d = [a / (math.sqrt(s) + eps) for a, s in zip(g, square)]
        if momentum:
            buf = [momentum * b + a for a, b in zip(d, buf)]
            d = buf
        p = [b - lr * a for a, b in zip(d, p)]
    return p


def adam(p, steps, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False, clip=None):
    b1, b2 = betas
    m, v = [0.0] * len(p), [0.0] * len(p)
    for t in range(1, steps + 1):
        g = clipped(slope(p), clip)
        if decoupled:
            p = [b - lr * weight_decay * b for b in p]
        else:
            g = [a + weight_decay * b for a, b in zip(g, p)]
        m = [b1 * x + (1 - b1) * a for a, x in zip(g, m)]
        v = [b2 * x + (1 - b2) * a * a for a, x in zip(g, v)]
        for i in range(len(p)):
            denominator = math.sqrt(v[i]) / math.sqrt(1 - b2**t) + eps
            p[i] = p[i] - lr / (1 - b1**t) * m[i] / denominator
    return p


def lion(p, steps, lr, betas=(0.9, 0.99), weight_decay=0.0, clip=None):
    b1, b2 = betas
    m = [0.0] * len(p)
    for _ in range(steps):
        g = clipped(slope(p), clip)
        c = [b1 * x + (1 - b1) * a for a, x in zip(g, m)]
        sign = [(a > 0) - (a < 0) for a in c]
        p = [b - lr * (s + weight_decay * b) for s, b in zip(sign, p)]
        m = [b2 * x + (1 - b2) * a for a, x in zip(g, m)]
    return p


def sam(p, steps, lr, rho):
    for _ in range(steps):
        g = slope(p)
        norm = math.sqrt(sum(a * a for a in g))
        g = slope([b + rho * a / norm for a, b in zip(g, p)])
        p = [b - lr * a for a, b in zip(g, p)]
    return p


def newton(p, steps, damping, lr=1.0):
    for _ in range(steps):
        H = np.array(curvature(p)) + damping * np.eye(3)
        p = [float(b - lr * d) for b, d in zip(p, np.linalg.inv(H) @ np.array(slope(p)))]
    return p


optim = tl.optim
CASES = [
    (optim.SGD(0.05), partial(sgd, lr=0.05)),
    (optim.SGD(0.05, 0.9), partial(sgd, lr=0.05, momentum=0.9)),
    (optim.SGD(0.05, 0.9, True), partial(sgd, lr=0.05, momentum=0.9, nesterov=True)),
    (optim.SGD(0.05, 0.9, dampening=0.5), partial(sgd, lr=0.05, momentum=0.9, dampening=0.5)),
    (
        optim.SGD(0.05, weight_decay=0.3, clip_norm=0.7),
        partial(sgd, lr=0.05, weight_decay=0.3, clip=0.7),
    ),
    (
        optim.SGD(0.05, 0.8, weight_decay=0.3, clip_norm=0.7),
        partial(sgd, lr=0.05, momentum=0.8, weight_decay=0.3, clip=0.7),
    ),
    (optim.AdaGrad(), partial(adagrad, lr=1e-2)),
    (optim.AdaGrad(0.3, weight_decay=0.2), partial(adagrad, lr=0.3, weight_decay=0.2)),
    (optim.RMSProp(), partial(rmsprop, lr=1e-2)),
    (optim.RMSProp(0.02, 0.9), partial(rmsprop, lr=0.02, alpha=0.9)),
    (
        optim.RMSProp(0.02, momentum=0.5, eps=1e-3),
        partial(rmsprop, lr=0.02, momentum=0.5, eps=1e-3),
    ),
    (optim.RMSProp(0.02, clip_norm=0.5), partial(rmsprop, lr=0.02, clip=0.5)),
    (optim.Adam(), partial(adam, lr=1e-3)),
    (optim.Adam(0.05, betas=(0.8, 0.9)), partial(adam, lr=0.05, betas=(0.8, 0.9))),
    (optim.Adam(0.05, weight_decay=0.3), partial(adam, lr=0.05, weight_decay=0.3)),
    (optim.Adam(0.05, eps=0.1, clip_norm=0.3), partial(adam, lr=0.05, eps=0.1, clip=0.3)),
    (optim.AdamW(), partial(adam, lr=1e-3, weight_decay=1e-2, decoupled=True)),
    (optim.AdamW(0.05, weight_decay=0.4), partial(adam, lr=0.05, weight_decay=0.4, decoupled=True)),
    (optim.Lion(), partial(lion, lr=1e-4)),
    (optim.Lion(0.03, weight_decay=0.2), partial(lion, lr=0.03, weight_decay=0.2)),
    (optim.SAM(optim.SGD(0.05), rho=0.3), partial(sam, lr=0.05, rho=0.3)),
    (optim.Newton(damping=4.0), partial(newton, damping=4.0)),
    (optim.Newton(damping=6.0, lr=0.5), partial(newton, damping=6.0, lr=0.5)),
]


@pytest.mark.parametrize(
    ("optimizer", "reference"), CASES, ids=lambda c: getattr(c, "__name__", repr(c))[:50]
)
def test_rule_equals_the_reference_loop(optimizer, reference):
    walk = tl.descend(L, START, optimizer, steps=25)
    for steps in (1, 2, 25):
        wanted = reference(list(START), steps)
        np.testing.assert_allclose(walk.points[steps], wanted, rtol=0, atol=1e-10)


def test_adam_equals_the_autograd_package():
    ours = tl.descend(L, START, optim.Adam(0.1), steps=50).end
    theirs = autograd_adam(lambda p, i: np.array(slope(p)), np.array(START), None, 50, 0.1)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_equals_scikit_learn(nesterov):
    p = np.array(START)
    theirs = SGDOptimizer([p], 0.05, momentum=0.9, nesterov=nesterov)
    for _ in range(30):
        theirs.update_params([p], [np.array(slope(p))])
    ours = tl.descend(L, START, optim.SGD(0.05, momentum=0.9, nesterov=nesterov), steps=30).end
    np.testing.assert_allclose(ours, p, atol=1e-12)


def test_first_step_of_adam_is_the_learning_rate():
    """Kingma and Ba 2015, section 2.1: the step is bounded by lr, and the first one is lr."""
    walk = tl.descend(L, START, optim.Adam(0.01), steps=1)
    np.testing.assert_allclose(np.abs(walk.end - START), 0.01, rtol=1e-6)


def test_newton_needs_one_step_on_a_quadratic():
    bowl = tl.formulas.quadratic(1e4)
    walk = tl.descend(bowl, [[3.0, 1.0], [-5.0, 2.0]], optim.Newton(damping=0.0), steps=1)
    np.testing.assert_allclose(walk.end, 0.0, atol=1e-12)


def test_newton_finds_a_saddle_and_gradient_descent_leaves_it():
    saddle = tl.Landscape.from_function(lambda p: p[..., 0] ** 2 - p[..., 1] ** 2)
    assert np.allclose(tl.descend(saddle, [1.0, 0.1], optim.Newton(0.0), steps=1).end, 0.0)
    assert abs(tl.descend(saddle, [1.0, 0.1], optim.SGD(0.1), steps=20).end[1]) > 1.0


def test_a_singular_hessian_loses_only_its_own_walker():
    valley = tl.Landscape.from_function(lambda p: p[..., 0] ** 4 / 4 + p[..., 1] ** 2)
    walk = tl.descend(valley, [[0.0, 1.0], [1.0, 1.0]], optim.Newton(0.0), steps=3)
    assert walk.diverged.tolist() == [True, False]
    np.testing.assert_array_equal(walk.end[0], [0.0, 1.0])
    np.testing.assert_allclose(walk.end[1], [(2 / 3) ** 3, 0.0], atol=1e-15)


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


def test_custom_may_work_in_place():
    own = tl.descend(L, START, optim.Custom(in_place, lr=0.05), steps=20)
    np.testing.assert_array_equal(
        own.points, tl.descend(L, START, optim.SGD(0.05), steps=20).points
    )


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
