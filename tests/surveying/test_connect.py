"""Bridges: barriers, trained curves, and the twins of a network."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.surveying.assignment import assignment
from tinygrad_landscape.surveying.twins import hidden_layers

F, connect = tl.formulas, tl.connect


def tanh_net(*widths, activation=tl.Tanh):
    layers = [tl.Linear(2, widths[0])]
    for a, b in itertools.pairwise((*widths, 1)):
        layers += [activation(), tl.Linear(a, b)]
    return tl.Network(*layers)


def shuffled(net, theta, seed, signs=True):
    """A random twin of theta: every hidden layer permuted, and some signs turned."""
    rng = np.random.default_rng(seed)
    for layer in hidden_layers(net):
        width = layer.incoming.shape[1]
        flips = rng.choice([-1.0, 1.0], width) if signs else 1.0
        theta = layer.rearranged(theta, rng.permutation(width), flips)
    return theta


# Assignment ---------------------------------------------------------------------------------------


@given(st.integers(1, 30), st.integers(0, 10_000), st.booleans())
def test_assignment_against_scipy(n, seed, ties):
    cost = np.random.default_rng(seed).standard_normal((n, n))
    cost = np.round(cost) if ties else cost
    columns = assignment(cost)
    assert sorted(columns) == list(range(n))
    rows, best = linear_sum_assignment(cost)
    assert cost[np.arange(n), columns].sum() == pytest.approx(cost[rows, best].sum())


def test_assignment_wants_a_square():
    with pytest.raises(ShapeError, match="square"):
        assignment(np.zeros((2, 3)))


# Twins --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "signs"), [(tl.Tanh, True), (tl.Sine, True), (tl.ReLU, False)]
)
@given(seed=st.integers(0, 1000))
def test_a_twin_computes_the_same_function(activation, signs, seed):
    net = tanh_net(5, 4, activation=activation)
    theta = net.init(seed=seed) + 0.1
    twin = shuffled(net, theta, seed + 1, signs)
    x = np.random.default_rng(2).standard_normal((20, 2))
    assert net(twin, x) == pytest.approx(net(theta, x), abs=1e-12)
    assert np.linalg.norm(twin - theta) > 0.1


@pytest.mark.parametrize("activation", [tl.Tanh, tl.ReLU])
@pytest.mark.parametrize("seed", range(5))
def test_align_undoes_a_shuffle_exactly(activation, seed):
    net = tanh_net(8, 6, activation=activation)
    theta = net.init(seed=seed) + 0.05
    twin = shuffled(net, theta, seed, signs=activation is tl.Tanh)
    assert connect.align(net, theta, twin) == pytest.approx(theta, abs=1e-14)


@given(st.integers(0, 1000))
def test_align_finds_the_nearest_of_all_twins_with_one_hidden_layer(seed):
    net = tanh_net(3)
    p, q = net.init(seed=seed, count=2) + 0.1
    (layer,) = hidden_layers(net)
    twins = [
        layer.rearranged(q, np.array(order), np.array(signs))
        for order in itertools.permutations(range(3))
        for signs in itertools.product([-1.0, 1.0], repeat=3)
    ]
    nearest = min(np.linalg.norm(twin - p) for twin in twins)
    found = connect.align(net, p, q)
    assert np.linalg.norm(found - p) == pytest.approx(nearest)
    x = np.linspace(-2.0, 2.0, 10).reshape(5, 2)
    assert net(found, x) == pytest.approx(net(q, x), abs=1e-12)


def test_align_changes_nothing_it_was_given_and_refuses_other_layers():
    net = tanh_net(4)
    p, q = net.init(seed=0, count=2)
    before = q.copy()
    connect.align(net, p, q)
    assert np.array_equal(q, before)
    normed = tl.Network(tl.Linear(2, 4), tl.LayerNorm(4), tl.Tanh(), tl.Linear(4, 1))
    with pytest.raises(ParameterError, match="LayerNorm"):
        connect.align(normed, normed.init(seed=0), normed.init(seed=1))


# Barriers and curves ------------------------------------------------------------------------------


def test_barrier_is_the_rise_above_the_line_between_the_ends():
    tilted = tl.Landscape.from_function(
        lambda p: 0.25 * (p[..., 0] ** 2 - 1.0) ** 2 + 0.5 * p[..., 1] ** 2 + 7.0 * p[..., 0]
    )
    p, q = [-1.0, 0.0], [1.0, 0.0]
    assert connect.barrier(F.double_well, p, q) == pytest.approx(0.25)
    assert connect.barrier(tilted, p, q) == pytest.approx(0.25)
    assert connect.barrier(F.quadratic(5.0), p, q) == 0.0


def test_bezier_keeps_its_ends_and_goes_round_the_hill():
    L = F.chain(2)
    p, q = np.array([4.0, 0.25]), np.array([0.25, 4.0])
    curve = connect.bezier(L, p, q)
    assert np.array_equal(curve.point(0.0), p) and np.array_equal(curve.point(1.0), q)
    t = 0.3
    expected = 0.49 * p + 0.42 * curve.control + 0.09 * q
    assert curve.point(t) == pytest.approx(expected)
    assert curve.losses == pytest.approx(L(curve.point(curve.t)))
    assert curve.losses.max() < 0.02 * connect.barrier(L, p, q)
    assert np.array_equal(connect.bezier(L, p, q).control, curve.control), "the seed decides"
    assert "highest point" in curve.describe()


@pytest.fixture(scope="module")
def trained():
    """Two networks trained from different starts on one task (Garipov 2018, Ainsworth 2023)."""
    net = tanh_net(16)
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(64, noise=0.2, seed=0))
    walk = tl.descend(L, net.init(seed=0, count=2), tl.optim.Adam(lr=0.05), 300, record_every=300)
    return L, *walk.end


def test_a_curve_and_an_alignment_both_lower_the_barrier(trained):
    L, p, q = trained
    straight = connect.barrier(L, p, q)
    curve = connect.bezier(L, p, q, steps=200)
    aligned = connect.align(L.network, p, q)
    assert L(aligned) == pytest.approx(L(q), rel=1e-10)
    assert straight > 0.3
    assert curve.losses.max() - max(L(p), L(q)) < 0.2 * straight
    assert connect.barrier(L, p, aligned) < 0.6 * straight
    assert np.linalg.norm(aligned - p) < np.linalg.norm(q - p)
