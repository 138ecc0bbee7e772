"""Facts of descent that are known from theory or from papers, and must come out of our walks."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigsh

import tinygrad_landscape as tl

SGD = tl.optim.SGD
B = 0.9
CURVATURES = np.array([1.0, 10.0, 100.0])
QUADRATIC = tl.Landscape.from_function(lambda p: 0.5 * (p * p * CURVATURES).sum(-1), size=3)

# The learning rate above which a walk on curvature 100 grows (landscape anchors, 2.17).
THRESHOLDS = {
    "gradient descent": (lambda lr: SGD(lr), 2 / 100),
    "heavy ball": (lambda lr: SGD(lr, momentum=B), (2 + 2 * B) / 100),
    "Nesterov": (lambda lr: SGD(lr, momentum=B, nesterov=True), (2 + 2 * B) / (1 + 2 * B) / 100),
    "EMA": (lambda lr: SGD(lr, momentum=B, dampening=B), (2 + 2 * B) / (1 - B) / 100),
}


@pytest.mark.parametrize("kind", THRESHOLDS)
def test_stability_threshold_on_a_quadratic(kind):
    make, threshold = THRESHOLDS[kind]
    walk = tl.descend(
        QUADRATIC,
        [1.0, 1.0, 1.0],
        make(threshold * np.array([0.999, 1.001])),
        6000,
        record_every=200,
    )
    sharp = np.abs(walk.points[:, :, 2])  # the coordinate of curvature 100
    assert sharp[-1, 0] < 0.1 and not walk.diverged[0]
    assert walk.diverged[1] or sharp[-1, 1] > 10.0


def test_optimal_rates_for_condition_100():
    """Gradient descent .98020 = (100-1)/(100+1); heavy ball towards sqrt(b) = .8182 (Polyak)."""
    rate, momentum = 4 / (10 + 1) ** 2, ((10 - 1) / (10 + 1)) ** 2
    assert (rate, momentum) == pytest.approx((0.03306, 0.6694), abs=5e-5)
    plain = tl.descend(QUADRATIC, [1.0, 1.0, 1.0], SGD(2 / 101), steps=400)
    far = np.linalg.norm(plain.points, axis=-1)
    assert (far[400] / far[300]) ** (1 / 100) == pytest.approx(0.98020, abs=1e-5)
    heavy = tl.descend(QUADRATIC, [1.0, 1.0, 1.0], SGD(rate, momentum), steps=110)
    far = np.linalg.norm(heavy.points, axis=-1)
    assert (far[110] / far[60]) ** (1 / 50) == pytest.approx(0.828, abs=3e-3)


# The scalar chain of two weights: L = (w1*w2 - 1)^2 / 2.

CHAIN = tl.Landscape.from_function(lambda w: 0.5 * (w[..., 0] * w[..., 1] - 1.0) ** 2)


def sharpness(L, theta):
    return np.linalg.eigvalsh(L.hessian(theta))[..., -1]


def test_gradient_flow_conserves_the_difference_of_squares():
    walk = tl.descend(CHAIN, [1.5, 0.2], SGD(1e-3), 20_000, record_every=1000)
    w1, w2 = walk.points[:, 0], walk.points[:, 1]
    conserved = w1**2 - w2**2
    assert conserved[0] == pytest.approx(2.21)
    assert np.abs(conserved - 2.21).max() == pytest.approx(2.2e-4, abs=0.1e-4)
    assert walk.end == pytest.approx([1.61094, 0.62076], abs=5e-6)
    # the flow itself ends where w1*w2 = 1 and w1^2 - w2^2 = 2.21
    flow = brentq(lambda w: w**2 - w**-2 - 2.21, 1.0, 2.0)
    assert walk.end[0] == pytest.approx(flow, abs=1e-4)


def test_escape_from_the_saddle_takes_ln_one_over_epsilon_steps():
    eps = np.array([1e-1, 1e-2, 1e-3, 1e-4])
    walk = tl.descend(CHAIN, np.stack([eps, eps], axis=-1), SGD(0.01), steps=1000)
    out = (walk.points.prod(-1) > 0.5).argmax(axis=0)
    assert np.abs(out - [231, 463, 694, 926]).max() <= 1
    np.testing.assert_allclose(np.diff(out), np.log(10) / 0.01, rtol=0.01)


def test_catapult():
    """A minimum sharper than 2/lr cannot hold the walk; it leaves for a flatter one."""
    walk = tl.descend(CHAIN, [4.0, 0.26], SGD([0.05, 0.1, 0.15, 0.2]), 5000, record_every=5000)
    assert (walk.losses[-1] < 1e-12).all()
    ends = sharpness(CHAIN, walk.end)
    assert ends == pytest.approx([16.057, 16.057, 9.74, 2.42], abs=6e-3)
    assert (ends <= 2 / np.array([0.05, 0.1, 0.15, 0.2])).all()


def test_double_well():
    """(x^2-1)^2/4 + y^2/2: curvature 2 at x = +-1, so lr must be below 1; basins by sign."""
    well = tl.Landscape.from_function(lambda p: (p[..., 0] ** 2 - 1) ** 2 / 4 + p[..., 1] ** 2 / 2)
    near = tl.descend(well, [1.0 + 1e-3, 0.0], SGD([0.99, 1.01]), 3000, record_every=1000)
    away = np.abs(near.end[:, 0] - 1.0)
    assert away[0] < 1e-9 and away[1] > 1e-2
    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (200, 2))
    ends = tl.descend(well, starts, SGD(0.1), 500, record_every=500).end
    np.testing.assert_allclose(ends[:, 0], np.sign(starts[:, 0]), atol=1e-6)


# XOR by a 2-2-1 network.

XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
NET = tl.Network(tl.Linear(2, 2), tl.Tanh(), tl.Linear(2, 1))
STARTS = np.random.default_rng(0).standard_normal((1000, NET.size))


def shares(losses, levels, width):
    return [float((np.abs(losses - level) < width).mean()) for level in levels]


def test_xor_losses_are_quantised_at_plateaus_not_minima():
    """After 5000 steps the losses lie at 0, 1/16, 1/12 (and 1/8): 75.8 %, 21.6 %, 2.2 %.

    The upper levels are plateaus, not minima (Hamey 1998): the gradient there is not zero, and
    most of the walkers on them still have a direction of negative curvature to leave by.
    """
    L = tl.Landscape(NET, tl.losses.half_squared_error, (XOR, [[0.0], [1], [1], [0]]))
    walk = tl.descend(L, STARTS, SGD(0.5), 5000, record_every=5000)
    found = shares(walk.losses[-1], [0, 1 / 16, 1 / 12, 1 / 8], 0.01)
    assert sum(found) == 1.0
    assert found == pytest.approx([0.758, 0.216, 0.022, 0.0], abs=0.03)
    stuck = np.abs(walk.losses[-1] - 1 / 16) < 2e-3
    assert (walk.gradient_norms[-1][stuck] > 1e-5).all()
    lowest = np.linalg.eigvalsh(L.hessian(walk.end[stuck]))[:, 0]
    assert (lowest < 0.0).mean() > 0.9


def test_xor_with_cross_entropy():
    """Levels 0, ln2/2, 3/4 H(1/3), ln2; 47.7 % solved, about half at ln2/2."""
    L = tl.Landscape(NET, tl.losses.binary_cross_entropy, (XOR, [0, 1, 1, 0]))
    walk = tl.descend(L, STARTS[:300], SGD(0.5), 5000, record_every=5000)
    entropy = -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3)
    levels = [0.0, np.log(2) / 2, 0.75 * entropy, np.log(2)]
    assert levels[1:3] == pytest.approx([0.3466, 0.4774], abs=5e-5)
    found = shares(walk.losses[-1], levels, 0.03)
    assert sum(found) == pytest.approx(1.0, abs=0.01)
    assert found[:2] == pytest.approx([0.477, 0.50], abs=0.06)


def test_xor_with_all_weights_zero_is_a_degenerate_critical_point():
    L = tl.Landscape(NET, tl.losses.half_squared_error, (XOR, [[0.0], [1], [1], [0]]))
    theta = np.zeros(NET.size)
    theta[-1] = 0.5  # the output's bias at the mean
    value, gradient = L.value_and_gradient(theta)
    assert value == 1 / 8 and not gradient.any()
    np.testing.assert_allclose(np.linalg.eigvalsh(L.hessian(theta)), [0] * 8 + [1], atol=1e-15)


# Edge of stability (Cohen et al. 2021): full-batch descent sharpens until curvature is 2/lr.

x = np.linspace(-1, 1, 20)[:, None]
WIDE = tl.Network(tl.Linear(1, 32), tl.Tanh(), tl.Linear(32, 32), tl.Tanh(), tl.Linear(32, 1))
CHEBYSHEV = tl.Landscape(WIDE, tl.losses.half_squared_error, (x, 16 * x**5 - 20 * x**3 + 5 * x))


def uniform_start(seed):
    """Weights and biases uniform within 1/sqrt(inputs), the setting of the published runs."""
    rng, parts, inputs = np.random.default_rng(seed), [], 1
    for slot in WIDE.layout:
        inputs = slot.shape[0] if slot.name.endswith("weight") else inputs
        parts.append(rng.uniform(-1, 1, slot.stop - slot.start) / np.sqrt(inputs))
    return np.concatenate(parts)


def lanczos(theta):
    operator = LinearOperator((WIDE.size,) * 2, matvec=CHEBYSHEV.linearize(theta), dtype=float)
    return eigsh(operator, k=1, which="LA", return_eigenvectors=False, tol=1e-4)[0]


@pytest.mark.parametrize(("lr", "steps", "seed"), [(0.2, 3000, 0), (0.2, 3000, 1), (0.1, 6000, 0)])
def test_edge_of_stability(lr, steps, seed):
    walk = tl.descend(CHEBYSHEV, uniform_start(seed), SGD(lr), steps, record_every=100)
    ratio = np.array([lanczos(p) for p in walk.points]) * lr / 2
    assert ratio[0] < 0.7
    crossed = int((ratio > 1.0).argmax())
    assert 0 < crossed < len(ratio) * 0.7
    late = ratio[int(0.8 * len(ratio)) :]
    assert late.mean() == pytest.approx(1.0, abs=0.03)
    rises = np.diff(walk.batch_losses) > 0
    before = walk.steps[crossed - 1]
    assert not rises[:before].any() and rises[before:].mean() > 0.01
    assert walk.losses[-1] < 0.1 * walk.losses[0]  # and still it learns


def test_a_small_learning_rate_stays_below_the_edge():
    walk = tl.descend(CHEBYSHEV, uniform_start(0), SGD(0.05), 2000, record_every=500)
    ratio = np.array([lanczos(p) for p in walk.points]) * 0.05 / 2
    assert (ratio < 0.9).all() and (np.diff(walk.batch_losses) <= 0).all()


# Noise and flatness ------------------------------------------------------------------------------


def test_a_smaller_learning_rate_lowers_the_noise_floor():
    """On a quadratic the walk hovers above the minimum; shuffled epochs hover lower than lr alone
    would say, between lr and lr^2 (Mishchenko et al. 2020)."""
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(64, 2)), rng.normal(size=(64, 1)))
    L = tl.Landscape(tl.Network(tl.Linear(2, 1, bias=False)), tl.losses.half_squared_error, data)
    floor = L(np.linalg.lstsq(*data, rcond=None)[0][:, 0])
    walk = tl.descend(L, np.zeros(2), SGD([0.04, 0.02]), 4000, batch_size=1)
    heights = (walk.losses[1000:] - floor).mean(axis=0)
    assert 2.0 < heights[0] / heights[1] < 4.5


def test_small_batches_and_sam_end_flatter():
    """Keskar et al. 2017 and Foret et al. 2021, in direction."""
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(128, noise=0.25, seed=0))
    theta = net.init(seed=0, count=3)
    options = {"steps": 1200, "record_every": 1200}
    full = tl.descend(L, theta, SGD(0.5), **options)
    small = tl.descend(L, theta, SGD(0.5), batch_size=8, **options)
    sam = tl.descend(L, theta, tl.optim.SAM(SGD(0.5), rho=0.3), **options)
    flat = [np.median([sharpness(L, p) for p in walk.end]) for walk in (full, small, sam)]
    assert flat[1] < flat[0] and flat[2] < flat[0]
