"""Published behaviour, reproduced in seconds: what the survey is to show on real landscapes.

Facts that need walks only are in tests/descent/test_facts.py, formulas in
tests/landscape/test_formulas.py, bridges between minima in test_connect.py.
"""

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_landscape as tl

F, optim = tl.formulas, tl.optim


def mlp(*widths, activation=tl.Tanh):
    layers = [tl.Linear(widths[0], widths[1])]
    for a, b in pairwise(widths[1:]):
        layers += [activation(), tl.Linear(a, b)]
    return tl.Network(*layers)


# The scalar chain (Kawaguchi 2016; Lewkowycz 2020) ------------------------------------------------


def test_the_catapult_ends_where_the_learning_rate_can_stay():
    lr = np.array([0.05, 0.1, 0.15, 0.2])
    walk = tl.descend(F.chain(2), [4.0, 0.26], optim.SGD(lr=lr), steps=1000, record_every=1000)
    sharpness = tl.sharpness.largest_eigenvalue(F.chain(2), walk.end)
    assert sharpness == pytest.approx([16.057, 16.057, 9.74, 2.42], abs=6e-3)
    assert np.all(sharpness <= 2.0 / lr)


# Edge of stability (Cohen 2021) -------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_moves_the_edge_of_stability(nesterov):
    """Twenty points of the fifth Chebyshev polynomial, half mean squared error, full batch,
    momentum 1/2: the curvature rises to (2+2b)/lr, with Nesterov's to (2+2b)/(1+2b)/lr, and stays.

    Without momentum see test_facts.py. At b = .9 walks leap far past the edge: nothing is claimed.
    """
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    net = mlp(1, 32, 32, 1)
    L = tl.Landscape(net, tl.losses.half_squared_error, (x, np.cos(5.0 * np.arccos(x))))
    starts = np.random.default_rng(0).uniform(-1.0, 1.0, (3, net.size))
    inputs = 1
    for slot in net.layout:  # uniform within 1/sqrt(inputs), the setting of the published runs
        inputs = slot.shape[0] if slot.name.endswith("weight") else inputs
        starts[:, slot.start : slot.stop] /= inputs**0.5
    b, lr = 0.5, 0.2 / 1.5 if nesterov else 0.2
    edge = (2.0 + 2.0 * b) / (1.0 + 2.0 * b if nesterov else 1.0) / lr
    walk = tl.descend(L, starts, optim.SGD(lr, b, nesterov=nesterov), 3000, record_every=250)
    share = tl.sharpness.largest_eigenvalue(L, walk.points[[0, *range(8, 13)]]) / edge
    assert (share[0] < 0.6).all()
    assert np.median(share[1:]) == pytest.approx(1.0, abs=0.05)
    assert (walk.losses[-1] < 0.5 * walk.losses[0]).all()


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


# Flatness and what it is worth --------------------------------------------------------------------


def noisy(samples):
    """A task that can be learnt too well, and fresh data to tell."""
    L = tl.Landscape(
        mlp(2, 16, 16, 1),
        tl.losses.binary_cross_entropy,
        tl.data.moons(samples, noise=0.25, seed=0),
    )
    return L, L.on(tl.data.moons(2000, noise=0.25, seed=1))


def test_flatter_is_better_at_one_learning_rate_and_the_sharpest_end_is_best_of_all():
    """Keskar 2017 and Foret 2021 hold in direction: at one learning rate small batches and SAM end
    flatter, and better on fresh data. But the full batch at a fifth of the rate, stopped at the
    same number of steps, ends sharper than all of them and best of all (Dinh 2017, Andriushchenko
    2023). For every one of six starts.

    Reduced from 256 samples, width 32 and 4000 steps.
    """
    L, fresh = noisy(128)
    starts = L.network.init(seed=0, count=6)
    ways = {
        "full": (optim.SGD(lr=0.5), None),
        "batches": (optim.SGD(lr=0.5), 8),
        "sam": (optim.SAM(optim.SGD(lr=0.5), rho=0.3), None),
        "slow": (optim.SGD(lr=0.1), None),
    }
    top, test = {}, {}
    for name, (optimizer, batch) in ways.items():
        end = tl.descend(L, starts, optimizer, 1500, batch, record_every=1500).end
        top[name], test[name] = tl.sharpness.largest_eigenvalue(L, end), fresh(end)
    for flat in ("batches", "sam"):
        assert (top[flat] < top["full"]).all() and (test[flat] < test["full"]).all()
    for other in ("full", "batches", "sam"):
        assert (top["slow"] > top[other]).all() and (test["slow"] < test[other]).all()


def test_the_average_of_a_noisy_walk_is_lower_and_better_than_its_end_and_no_sharper():
    """Stochastic weight averaging (Izmailov 2018), over the last third of 3000 steps."""
    L, fresh = noisy(256)
    mean = tl.callbacks.Average(start=2000)
    starts, sgd = L.network.init(seed=0, count=8), optim.SGD(lr=1.0)
    walk = tl.descend(L, starts, sgd, 3000, 8, record_every=3000, callbacks=[mean])
    for measure in (L, fresh):
        end, average = measure(walk.end), measure(mean.point)
        assert (average < end).sum() >= 6 and np.median(average) < 0.9 * np.median(end)
    end, average = (tl.sharpness.largest_eigenvalue(L, p) for p in (walk.end, mean.point))
    assert np.median(average) < 1.1 * np.median(end)


# Skip connections (Li 2018) -----------------------------------------------------------------------


def valleys(net, start):
    """Train from some starts; return the number of valleys of a filter-normalised slice round each
    end, the log of its highest loss, and the losses of the ends."""
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(100, noise=0.2, seed=0))
    walk = tl.descend(L, start, optim.Adam(lr=0.003), 200, record_every=200)
    slices = [
        tl.survey(L, tl.Plane.random(end, k, net), resolution=25) for k, end in enumerate(walk.end)
    ]
    highest = np.log10([s.loss.max() for s in slices])
    return np.array([len(s.minima()) for s in slices]), np.median(highest), walk.losses[-1]


def test_skip_connections_leave_fewer_valleys_also_from_the_same_weights():
    """Sixteen ReLU layers of width 12 (reduced from 24; 41 x 41 cells and 200 samples), eight nets
    each.

    From the very same weights a net with skip connections shows fewer valleys, but ground no lower.
    That the ground is lower too comes with the smaller start which skip connections allow: from
    there a plain net does not train at all.
    """
    depth = 16
    blocks = [(tl.Linear(12, 12), tl.ReLU()) for _ in range(depth)]
    ends = [tl.Linear(2, 12), tl.ReLU()], tl.Linear(12, 1)
    plain = tl.Network(*ends[0], *(layer for block in blocks for layer in block), ends[1])
    skip = tl.Network(*ends[0], *(tl.Residual(*block) for block in blocks), ends[1])
    start = plain.init(seed=0, scheme="he_normal", count=8)
    weights = [slot for slot in plain.layout if len(slot.shape) == 2]
    small = start.copy()
    small[:, weights[0].stop : weights[-1].start] /= depth**0.5
    here, height, loss = valleys(plain, start)
    same, same_height, _ = valleys(skip, start)
    fewest, low, trained = valleys(skip, small)
    assert (same < here).sum() >= 6 and np.median(same) < 0.8 * np.median(here)
    assert same_height > height - 0.5
    assert np.median(fewest) < 0.5 * np.median(here) and low < height - 1.0
    assert np.median(loss) < 0.1 and np.median(trained) < 0.1
    assert np.median(valleys(plain, small)[2]) > 0.6


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
