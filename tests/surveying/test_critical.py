"""Winding numbers, critical points, basins and the map of trainable learning rates."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import polynomial as poly

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.surveying.basins import DIVERGED, UNSETTLED, grouped
from tinygrad_landscape.surveying.critical import classify

F = tl.formulas


def frame(extent):
    a0, a1, b0, b1 = extent
    return np.array([(a0, b0), (a1, b0), (a1, b1), (a0, b1)])


def starts_in(extent, count=400, seed=0):
    a0, a1, b0, b1 = extent
    return np.random.default_rng(seed).uniform((a0, b0), (a1, b1), (count, 2))


def inside(points, extent):
    a0, a1, b0, b1 = extent
    return [p for p in points if a0 <= p.point[0] <= a1 and b0 <= p.point[1] <= b1]


def tally(points):
    kinds = [p.kind for p in points]
    return tuple(kinds.count(kind) for kind in ("minimum", "saddle", "maximum"))


# Winding number -----------------------------------------------------------------------------------

TWO = [
    *(
        [
            "rosenbrock",
            "booth",
            "double_well",
            "himmelblau",
            "beale",
            "six_hump_camel",
            "styblinski_tang",
        ]
    ),
    *(["three_valleys", "one_neuron", "sieve", "sine_neuron"]),
]


@pytest.mark.parametrize("name", TWO)
def test_winding_number_counts_the_known_points(name):
    L = getattr(F, name)
    expected = len(L.minima) - len(L.saddles) + len(L.maxima)
    assert tl.winding_number(L, frame(L.extent)) == expected


def test_winding_number_of_special_points():
    square = frame((-1.0, 1.0, -1.0, 1.0))
    assert tl.winding_number(F.monkey_saddle, square) == -2
    assert tl.winding_number(F.chain(2), 0.5 * square) == -1
    assert tl.winding_number(F.quadratic(100.0), square + 5.0) == 0
    assert tl.winding_number(F.rastrigin, 5.12 * square) == 121 - 220 + 100
    assert tl.winding_number(F.sine_neuron, frame(F.sine_neuron.extent)) == 4


def test_winding_number_does_not_depend_on_how_the_loop_is_written():
    loop = frame(F.himmelblau.extent)
    angle = np.linspace(0.0, 2.0 * np.pi, 50)
    circle = 6.0 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    for same in (loop, loop[::-1], np.roll(loop, 2, axis=0), np.vstack([loop, loop[:1]]), circle):
        assert tl.winding_number(F.himmelblau, same) == 1


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_winding_number_of_random_polynomials_is_the_sum_of_indices(seed):
    """Separable quartics: every critical point is a pair of real roots, so all are known."""
    rng = np.random.default_rng(seed)
    slopes = rng.standard_normal((2, 4))
    slopes[:, 3] = rng.choice([-1.0, 1.0], 2) * (0.3 + np.abs(slopes[:, 3]))
    c, d = (poly.polyint(s) for s in slopes)

    def f(p):
        x, y = p[..., 0], p[..., 1]
        return sum(c[k] * x**k + d[k] * y**k for k in range(1, 5))

    def indices(slope):
        roots = poly.polyroots(slope)
        real = roots[np.abs(roots.imag) < 1e-9].real
        return [np.sign(poly.polyval(r, poly.polyder(slope))) for r in real if abs(r) < 8.0]

    expected = sum(i * j for i in indices(slopes[0]) for j in indices(slopes[1]))
    L = tl.Landscape.from_function(f)
    assert tl.winding_number(L, frame((-8.0, 8.0, -8.0, 8.0))) == expected


def test_loops_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="on the loop"):
        tl.winding_number(F.himmelblau, [(3.0, 2.0), (5.0, 2.0), (5.0, 5.0)])
    with pytest.raises(ParameterError, match="critical point"):
        tl.winding_number(F.double_well, [(-1.5, 0.0), (0.3, 0.0), (0.0, 2.0)])
    with pytest.raises(ShapeError, match="at least 3"):
        tl.winding_number(F.himmelblau, [(0.0, 0.0), (1.0, 1.0)])
    with pytest.raises(ParameterError, match="enclose"):
        tl.winding_number(F.himmelblau, [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)])
    with pytest.raises(ParameterError, match="restrict"):
        tl.winding_number(F.chain(3), frame((-1.0, 1.0, -1.0, 1.0)))


# Critical points ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["himmelblau", "six_hump_camel", "styblinski_tang", "three_valleys", "sine_neuron"]
)
def test_all_known_points_are_found_from_random_starts(name):
    L = getattr(F, name)
    found = inside(tl.critical_points(L, starts_in(L.extent, 1500)), L.extent)
    assert tally(found) == (len(L.minima), len(L.saddles), len(L.maxima))
    for kind, known in (("minimum", L.minima), ("saddle", L.saddles), ("maximum", L.maxima)):
        for point in known:
            assert min(np.linalg.norm(p.point - point) for p in found if p.kind == kind) < 1e-6
    assert [p.loss for p in found] == sorted(p.loss for p in found)
    for p in found:
        assert p.eigenvalues == pytest.approx(np.linalg.eigvalsh(L.hessian(p.point)))
        assert p.index == (p.eigenvalues < 0).sum()


def test_classification_with_its_tolerance():
    assert classify([1.0, 2.0]) == ("minimum", 0)
    assert classify([-2.0, -1.0]) == ("maximum", 2)
    assert classify([-2.0, -1.0, 3.0]) == ("saddle", 2)
    assert classify([1e-9, 2.0]) == ("degenerate", 0)
    assert classify([1e-5, 2.0]) == ("minimum", 0)
    assert classify([-1e-9, 2.0]) == ("degenerate", 0)
    assert classify([0.0, 0.0]) == ("degenerate", 0)
    assert classify([-1.0, 0.0, 1.0]) == ("saddle", 1)


def test_degenerate_points_are_said_to_be_so():
    assert tl.critical_points(F.chain(2), [[1.5, 0.5]])[0].kind == "degenerate"
    assert tl.critical_points(F.chain(3), [[0.0, 0.0, 0.0]])[0].kind == "degenerate"
    (flat,) = tl.critical_points(F.monkey_saddle, [[0.0, 0.0]])
    assert flat.kind == "degenerate" and "Degenerate" in flat.describe()


def xor(loss):
    net = tl.Network(tl.Linear(2, 2), tl.Tanh(), tl.Linear(2, 1))
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0, 1, 1, 0])
    target = y if loss is tl.losses.binary_cross_entropy else y[:, None].astype(float)
    return tl.Landscape(net, loss, (x, target))


def test_all_zero_weights_of_xor_are_degenerate():
    L = xor(tl.losses.half_squared_error)
    theta = np.zeros(9)
    theta[8] = 0.5
    (p,) = tl.critical_points(L, theta)
    assert (p.kind, p.loss) == ("degenerate", pytest.approx(1 / 8))
    assert p.eigenvalues == pytest.approx([0.0] * 8 + [1.0], abs=1e-12)
    L = xor(tl.losses.binary_cross_entropy)
    (p,) = tl.critical_points(L, np.zeros(9))
    assert (p.kind, p.loss) == ("degenerate", pytest.approx(np.log(2)))
    assert p.eigenvalues == pytest.approx([0.0] * 8 + [0.25], abs=1e-12)


def test_copies_of_one_function_are_recognised():
    found = tl.critical_points(F.one_neuron, starts_in(F.one_neuron.extent))
    minima = [p for p in found if p.kind == "minimum"]
    assert [p.twin for p in minima] == [None, 0] and "a copy of point 0" in minima[1].describe()
    net = tl.Network(tl.Linear(1, 1, bias=False), tl.Tanh(), tl.Linear(1, 1, bias=False))
    x = np.linspace(-3, 3, 50)[:, None]
    L = tl.Landscape(net, tl.losses.half_squared_error, (x, 1.5 * np.tanh(1.2 * x)))
    twins = [p.twin for p in tl.critical_points(L, [[1.0, 1.0], [-1.0, -1.0]])]
    assert twins == [None, 0]
    assert all(p.twin is None for p in tl.critical_points(F.himmelblau, starts_in((-4, 4, -4, 4))))


def test_starts_that_do_not_arrive_are_left_out():
    slope = tl.Landscape.from_function(lambda p: p[..., 0] + p[..., 1] ** 2)
    assert tl.critical_points(slope, [[0.0, 1.0], [5.0, 5.0]]) == []


# Basins -------------------------------------------------------------------------------------------


def test_basins_of_the_double_well_split_at_its_ridge():
    sgd = tl.optim.SGD(lr=0.3)
    found = tl.basins(F.double_well, None, sgd, 300, extent=(1.5, 1.0), resolution=(20, 7))
    assert found.minima == pytest.approx(np.array([[-1.0, 0.0], [1.0, 0.0]]), abs=1e-3)
    left = found.labels == np.argmin(found.minima[:, 0])
    assert np.array_equal(left, np.broadcast_to(found.a[:, None] < 0.0, (20, 7)))
    assert found.shares.tolist() == [0.5, 0.5] and found.losses == pytest.approx([0, 0], abs=1e-6)
    near = np.abs(np.abs(found.a) - 1.0).argmin()
    assert found.arrival[near, 3] == 0 < found.arrival[9, 3], "the ridge is left slowly"


def test_shares_of_the_three_valleys_are_those_printed():
    L = F.three_valleys
    sgd = tl.optim.SGD(lr=0.8)
    found = tl.basins(L, None, sgd, 400, extent=4.0, resolution=31, settled=1e-2)
    assert len(found.minima) == 3
    assert found.minima == pytest.approx(L.minima, abs=0.05)
    assert 100.0 * found.shares == pytest.approx([50.3, 43.0, 6.8], abs=1.5)
    assert "3 minima" in found.describe() and repr(found) == "BasinMap((31, 31), 3 minima)"


def test_diverged_and_unsettled_walks_are_told_apart():
    L, starts = F.one_neuron, [[1.2, 1.5], [2.9, 2.9], [0.1, 0.1]]
    found = tl.basins(L, starts, tl.optim.SGD(lr=2.4), 3)
    assert found.labels[0] == 0 and found.labels[2] == UNSETTLED
    assert tl.basins(L, starts, tl.optim.SGD(lr=50.0), 50).labels[1] == DIVERGED
    assert found.arrival[2] == -1 and found.a is None


def stops_the_second_walk(module, monkeypatch):
    """Let Ctrl-C come while the second piece walks; return the pieces that were begun."""
    begun = []

    def walk(*args, **options):
        begun.append(1)

        def ctrl_c(record):
            if len(begun) == 2 and record.step == 5:
                raise KeyboardInterrupt

        return tl.descend(*args, **options, callbacks=[ctrl_c])

    monkeypatch.setattr(module, "descend", walk)
    monkeypatch.setattr(module, "pieces", lambda n, *_: [slice(k, k + 5) for k in range(0, n, 5)])
    return begun


def test_ctrl_c_ends_a_map_of_basins_and_keeps_what_had_settled(monkeypatch):
    module = sys.modules["tinygrad_landscape.surveying.basins"]
    begun = stops_the_second_walk(module, monkeypatch)
    starts = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 2))
    found = tl.basins(F.double_well, starts, tl.optim.SGD(lr=0.3), 200)
    assert len(begun) == 2 and (found.labels[:5] >= 0).all()
    assert (found.labels[5:] == UNSETTLED).all() and (found.arrival[5:] == -1).all()
    assert np.array_equal(found.ends[10:], starts[10:])
    assert "75.0% not settled" in found.describe()


def test_ctrl_c_ends_a_map_of_trainability_and_keeps_the_pairs_tried(monkeypatch):
    module = sys.modules["tinygrad_landscape.surveying.trainability"]
    begun = stops_the_second_walk(module, monkeypatch)
    axes = {"lr": (0.01, 0.1), "momentum": (0.1, 0.5)}
    sgd = lambda a, b: tl.optim.SGD(lr=a, momentum=b)  # noqa: E731
    found = tl.trainability(F.quadratic(2.0), [1.0, 1.0], axes, 5, 30, sgd)
    assert len(begun) == 2 and found.trains[0].all()
    assert np.isnan(found.ratio[1:]).all() and np.isnan(found.speed[1:]).all()
    assert not found.trains[1:].any() and "20 were not tried" in found.describe()


def test_basins_over_a_plane_move_all_weights():
    L = F.quadratic(3.0, size=3)
    plane = tl.Plane.two_weights(np.full(3, 0.5), 0, 1)
    found = tl.basins(L, plane, tl.optim.SGD(lr=0.3), 200, resolution=3)
    assert found.ends.shape == (3, 3, 3) and np.abs(found.ends).max() < 1e-3
    flat = tl.basins(L.restrict(plane), None, tl.optim.SGD(lr=0.3), 200, resolution=3)
    assert flat.minima == pytest.approx(np.array([[-0.5, -0.5]]), abs=1e-3)


@given(st.integers(0, 1000))
def test_grouping_gives_each_point_a_lower_or_equal_centre_nearby(seed):
    rng = np.random.default_rng(seed)
    points, heights = rng.uniform(-1.0, 1.0, (40, 2)), rng.random(40)
    labels, centres = grouped(points, heights, 0.2)
    assert labels.min() >= 0 and labels.max() == len(centres) - 1
    for k, point in enumerate(points):
        centre = centres[labels[k]]
        lowest = heights[(points == centre).all(axis=1)][0]
        assert lowest <= heights[k]
        assert np.linalg.norm(point - centre) <= 0.2 * (1.0 + np.linalg.norm(centre))


# Trainability -------------------------------------------------------------------------------------


def test_trainable_learning_rates_of_a_bowl_end_at_the_cliff():
    L = F.quadratic(10.0)
    found = tl.trainability(
        L,
        [1.0, 1.0],
        {"lr": (0.01, 1.0), "weight": (0.5, 0.6)},
        (40, 2),
        steps=400,
        optimizer=lambda a, b: tl.optim.SGD(lr=a),
    )
    expected = np.broadcast_to((found.a < 0.2)[:, None], (40, 2))
    assert np.array_equal(found.trains, expected)
    assert (found.speed[found.trains] > 0).all() and (found.speed[~found.trains] <= 0).all()


def test_trainability_per_layer_equals_single_descents():
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(20, noise=0.2, seed=0))
    theta, axes = net.init(seed=0), {"0": (0.1, 1000.0), "2": (0.1, 1000.0)}
    found = tl.trainability(L, theta, axes, resolution=(4, 3), steps=30)
    for i, j in ((0, 0), (3, 0), (1, 2), (3, 2)):
        rates = {"0": float(found.a[i]), "2": float(found.b[j])}
        walk = tl.descend(L, theta, tl.optim.SGD(lr=rates), steps=30)
        losses = np.where(np.isnan(walk.losses), np.inf, walk.losses)
        expected = losses[-20:].mean() / losses[0]
        assert found.ratio[i, j] == pytest.approx(expected, rel=1e-6)
    assert "% train" in found.describe()
    small = tl.trainability(L, theta, axes, resolution=(4, 3), steps=30, memory=3e5)
    assert np.array_equal(small.ratio, found.ratio)


def test_trainability_refuses_unknown_axes():
    L = F.himmelblau
    with pytest.raises(ParameterError, match="optimizer="):
        tl.trainability(L, [0.0, 0.0], {"0": (0.1, 1.0), "2": (0.1, 1.0)})
    with pytest.raises(ParameterError, match="two names"):
        tl.trainability(L, [0.0, 0.0], {"0": (0.1, 1.0)})
    with pytest.raises(ParameterError, match="low < high"):
        make = {"optimizer": lambda a, b: tl.optim.SGD(lr=a)}
        tl.trainability(L, [0.0, 0.0], {"a": (1.0, 0.1), "b": (0.1, 1.0)}, **make)
