"""Published behaviour, reproduced in seconds: what the survey is to show on real landscapes."""

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_landscape as tl

F, optim = tl.formulas, tl.optim
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def mlp(*widths, activation=tl.Tanh):
    layers = [tl.Linear(widths[0], widths[1])]
    for a, b in pairwise(widths[1:]):
        layers += [activation(), tl.Linear(a, b)]
    return tl.Network(*layers)


# The scalar chain (Kawaguchi 2016; Lewkowycz 2020) ------------------------------------------------


def test_gradient_descent_on_the_chain_nearly_conserves_the_difference_of_squares():
    walk = tl.descend(F.chain(2), [1.5, 0.2], optim.SGD(lr=1e-3), steps=6000, record_every=500)
    assert walk.end == pytest.approx([1.61094, 0.62076], abs=2e-5)
    difference = walk.points[:, 0] ** 2 - walk.points[:, 1] ** 2
    assert np.ptp(difference) < 5e-4 and difference[0] == pytest.approx(2.21)


def test_escape_from_the_saddle_takes_the_logarithm_of_the_start():
    starts = np.array([1e-1, 1e-2, 1e-3, 1e-4])
    points = np.stack([starts, starts], axis=-1)
    walk = tl.descend(F.chain(2), points, optim.SGD(lr=0.01), steps=1000)
    out = np.argmax(walk.points.prod(axis=-1) > 0.5, axis=0)
    assert out.tolist() == [231, 463, 694, 926]
    assert out == pytest.approx(np.log(1.0 / starts) / 0.01, rel=0.01)


def test_the_catapult_ends_where_the_learning_rate_can_stay():
    lr = np.array([0.05, 0.1, 0.15, 0.2])
    walk = tl.descend(F.chain(2), [4.0, 0.26], optim.SGD(lr=lr), steps=1000, record_every=1000)
    sharpness = tl.sharpness.largest_eigenvalue(F.chain(2), walk.end)
    assert sharpness == pytest.approx([16.057, 16.057, 9.74, 2.42], abs=6e-3)
    assert np.all(sharpness <= 2.0 / lr)


# XOR ----------------------------------------------------------------------------------------------


def test_xor_losses_stop_at_a_few_levels():
    """Plateaus with saturated units: 0, 1/16, 1/12 (and 1/8) of half the mean squared error."""
    net = mlp(2, 2, 1)
    L = tl.Landscape(net, tl.losses.half_squared_error, (XOR[0], XOR[1][:, None].astype(float)))
    starts = np.random.default_rng(0).standard_normal((200, net.size))
    walk = tl.descend(L, starts, optim.SGD(lr=0.5), steps=5000, record_every=5000)
    levels = np.array([0.0, 1 / 16, 1 / 12, 1 / 8])
    near = np.abs(walk.losses[-1][:, None] - levels).argmin(axis=1)
    assert np.mean(np.abs(walk.losses[-1] - levels[near]) < 0.01) > 0.9
    shares = np.bincount(near, minlength=4) / 200
    assert shares[0] == pytest.approx(0.758, abs=0.08) and shares[1] == pytest.approx(
        0.216, abs=0.08
    )
    assert shares[2] < 0.08 and shares[3] < 0.05


# Edge of stability (Cohen 2021) -------------------------------------------------------------------


def test_full_batch_descent_rises_to_the_edge_of_stability_and_stays():
    """Twenty points of the fifth Chebyshev polynomial, half mean squared error, full batch."""
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    y = np.cos(5.0 * np.arccos(x))
    L = tl.Landscape(mlp(1, 32, 32, 1), tl.losses.half_squared_error, (x, y))
    lr = 0.2
    walk = tl.descend(L, L.network.init(seed=1), optim.SGD(lr=lr), steps=4000)
    share = tl.sharpness.largest_eigenvalue(L, walk.points[::200]) * lr / 2.0
    assert share[0] < 0.75
    assert np.median(share[8:]) == pytest.approx(1.0, abs=0.05)
    rises = np.diff(walk.losses) > 0.0
    assert rises[:400].mean() == 0.0
    assert rises[-1200:].mean() > 0.25, "the loss rises on many steps, and falls all the same"
    assert walk.losses[-1] < 0.7 * walk.losses[800]


# Lines between points -----------------------------------------------------------------------------


def moons(samples, *widths, activation=tl.Tanh, seed=0):
    data = tl.data.moons(samples, noise=0.2, seed=seed)
    return tl.Landscape(
        mlp(2, *widths, 1, activation=activation), tl.losses.binary_cross_entropy, data
    )


def test_the_straight_way_from_start_to_end_goes_down_only():
    """Goodfellow 2015, for full-batch gradient descent on small networks."""
    L = moons(100, 8)
    starts = L.network.init(seed=0, count=8)
    walk = tl.descend(L, starts, optim.SGD(lr=0.5), steps=800, record_every=800)
    for start, end in zip(starts, walk.end, strict=True):
        heights = tl.profile(L, tl.Line.between(start, end), 41).loss
        assert np.all(np.diff(heights) < 1e-9)


def test_the_same_start_with_other_batches_ends_in_the_same_valley():
    """Frankle 2020: no barrier between runs that share their start, one between those that do
    not."""
    L = moons(128, 16)
    starts = L.network.init(seed=0, count=2)[[0, 0, 1]]
    sgd = optim.SGD(lr=0.5)
    walk = tl.descend(L, starts, sgd, 2500, batch_size=8, seed=[1, 2, 3], record_every=2500)
    same, other = (tl.connect.barrier(L, walk.end[0], walk.end[k]) for k in (1, 2))
    assert same < 0.01 and other > 0.1


# Spectra ------------------------------------------------------------------------------------------


def test_a_trained_spectrum_is_a_bulk_at_zero_and_a_few_outliers():
    """Sagun 2017, Ghorbani 2019; and it is not exactly positive."""
    L = moons(200, 16, 16)
    walk = tl.descend(L, L.network.init(seed=0), optim.Adam(lr=0.01), steps=400, record_every=400)
    values = tl.curvature.spectrum(L, walk.end).eigenvalues
    small = np.abs(values) < 1e-3 * values[-1]
    assert small.mean() > 0.75 and (values > 0.1 * values[-1]).sum() <= 10
    assert -0.05 * values[-1] < values[0] < 0.0


def test_small_batches_and_sam_end_flatter_than_full_batches():
    """Keskar 2017 and Foret 2021 hold in direction, at one learning rate."""
    L = moons(128, 16)
    starts = L.network.init(seed=0, count=4)
    ends = {
        "full": tl.descend(L, starts, optim.SGD(lr=0.5), 1500, record_every=1500).end,
        "batches": tl.descend(L, starts, optim.SGD(lr=0.5), 1500, 8, record_every=1500).end,
        "sam": tl.descend(
            L, starts, optim.SAM(optim.SGD(lr=0.5), rho=0.3), 1500, record_every=1500
        ).end,
    }
    top = {name: np.median(tl.sharpness.largest_eigenvalue(L, e)) for name, e in ends.items()}
    assert top["batches"] < top["full"] and top["sam"] < top["full"]


# The frontier of trainability (Sohl-Dickstein 2024) -----------------------------------------------


def test_the_frontier_of_trainability_is_ragged():
    net = mlp(8, 8, 1)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((net.size, 8)), rng.standard_normal((net.size, 1))
    L = tl.Landscape(net, tl.losses.mean_squared_error, (x, y))
    axes = {"0": (1e-2, 1e3), "2": (1e-2, 1e3)}
    coarse = tl.trainability(L, net.init(seed=0, scheme="lecun_normal"), axes, 32, steps=50)
    assert 0.1 < coarse.trains.mean() < 0.9
    assert coarse.trains[0, 0] and not coarse.trains[-1, -1]
    changes = np.abs(np.diff(coarse.trains.astype(int), axis=1)).sum(axis=1)
    assert changes.max() > 1, "a smooth frontier would be crossed once"
