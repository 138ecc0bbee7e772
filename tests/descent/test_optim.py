"""Every update rule against the same rule written out by hand, one number at a time."""

import math
from functools import partial

import numpy as np
import pytest
from autograd.misc.optimizers import adam as autograd_adam
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
    (optim.AdaGrad(0.3, eps=0.1), partial(adagrad, lr=0.3, eps=0.1)),
    (optim.Lion(), partial(lion, lr=1e-4)),
    (optim.Lion(0.37), partial(lion, lr=0.37)),
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


def test_newton_knows_the_curvature_of_weight_decay():
    bowl = tl.Landscape.from_function(lambda p: 0.5 * ((p - 1.0) ** 2 * [1.0, 9.0]).sum(-1))
    walk = tl.descend(bowl, [3.0, -1.0], optim.Newton(damping=0.0, weight_decay=1.0), steps=1)
    np.testing.assert_allclose(walk.end, [1 / 2, 9 / 10], atol=1e-15)


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
