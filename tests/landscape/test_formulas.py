"""Formulas against published numbers, their own gradients and what the lessons print."""

import pickle

import numpy as np
import pytest
from scipy.optimize import check_grad

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape.formulas import Fitted, Formula

F = tl.formulas
NAMES = [name for name in dir(F) if isinstance(getattr(F, name), Formula)]
ALL = {name: getattr(F, name) for name in NAMES}
ALL |= {"quadratic": F.quadratic(100.0), "ravine": F.ravine(), "chain2": F.chain(2)}
ALL |= {"chain3": F.chain(3), "quadratic5": F.quadratic(7.0, size=5)}
DEGENERATE = {"monkey_saddle", "chain2", "chain3", "ackley"}


@pytest.mark.parametrize("name", ALL)
def test_known_points_are_critical_and_of_the_kind_they_claim(name):
    landscape = ALL[name]
    for kind, signs in (("minima", (1, 1)), ("saddles", (-1, 1)), ("maxima", (-1, -1))):
        points = getattr(landscape, kind)
        assert points.shape[1:] == (landscape.size,) and not points.flags.writeable
        assert np.all(np.diff(landscape(points)) >= 0.0), "lowest first"
        scale = 1.0 + np.abs(landscape.hessian(points)).max(initial=0.0)
        assert np.abs(landscape.gradient(points)).max(initial=0.0) < 1e-9 * scale
        if name not in DEGENERATE and len(points):
            ends = np.linalg.eigvalsh(landscape.hessian(points))[:, [0, -1]]
            assert np.all(np.sign(ends) == signs)


@pytest.mark.parametrize("name", ALL)
def test_gradient_against_scipy_differences(name):
    landscape = ALL[name]
    for point in np.random.default_rng(1).uniform(-1.5, 1.5, (5, landscape.size)):
        error = check_grad(landscape, landscape.gradient, point)
        assert error < 1e-5 * (1.0 + np.linalg.norm(landscape.gradient(point)))


@pytest.mark.parametrize("name", ALL)
def test_points_are_independent_pickle_and_keep_float32(name):
    landscape = ALL[name]
    points = np.random.default_rng(2).uniform(-2.0, 2.0, (3, 4, landscape.size))
    heights = landscape(points)
    assert heights.shape == (3, 4) and np.isclose(heights[1, 2], landscape(points[1, 2]))
    twin = pickle.loads(pickle.dumps(landscape))
    assert np.array_equal(twin(points), heights) and twin.extent == landscape.extent
    single = points.astype(np.float32)
    assert landscape(single).dtype == landscape.gradient(single).dtype == np.float32


@pytest.mark.parametrize("name", ALL)
def test_extremes_raise_no_warning(name):
    for far in (1000.0, -1000.0, 0.0):
        ALL[name](np.full(ALL[name].size, far))


PUBLISHED = [
    ("himmelblau", (3.584428, -1.848127), 0.0),
    ("himmelblau", (-2.805118, 3.131313), 0.0),
    ("himmelblau", (-3.779310, -3.283186), 0.0),
    ("himmelblau", (0.086678, 2.884255), 67.7191),
    ("himmelblau", (-0.270845, -0.923039), 181.6165),
    ("rosenbrock", (-1.0, 1.0), 4.0),
    ("beale", (3.0, 0.5), 0.0),
    ("beale", (0.0, 0.0), 14.203125),
    ("booth", (1.0, 3.0), 0.0),
    ("booth", (0.0, 0.0), 74.0),
    ("six_hump_camel", (0.0898, -0.7126), -1.0316),
    ("six_hump_camel", (1.6071, 0.5687), 2.1043),
    ("styblinski_tang", (-2.903534, -2.903534), -78.33233),
    ("rastrigin", (0.0, 0.0), 0.0),
    ("rastrigin", (0.994959, 0.0), 0.994959),
    ("rastrigin", (1.0, 1.0), 2.0),
    ("ackley", (0.0, 0.0), 0.0),
    ("ackley", (1.0, 1.0), 3.6253849),
    ("monkey_saddle", (2.0, 1.0), 2.0),
    ("double_well", (0.0, 0.0), 0.25),
]


@pytest.mark.parametrize(("name", "point", "height"), PUBLISHED)
def test_published_heights(name, point, height):
    assert ALL[name](point) == pytest.approx(height, rel=1e-4, abs=1e-4)


def test_how_many_points_of_each_kind():
    def counts(name):
        return tuple(len(getattr(ALL[name], kind)) for kind in ("minima", "saddles", "maxima"))

    assert counts("himmelblau") == (4, 4, 1)
    assert counts("six_hump_camel") == (6, 7, 2)
    assert counts("styblinski_tang") == (4, 4, 1)
    assert counts("rastrigin") == (121, 220, 100)
    assert counts("three_valleys") == (3, 3, 1)
    assert counts("one_neuron") == (2, 1, 0)
    assert counts("sieve") == (2, 1, 0)
    assert counts("sine_neuron") == (9, 15, 10)


def test_conditioning():
    rosenbrock = np.linalg.eigvalsh(F.rosenbrock.hessian([1.0, 1.0]))
    assert rosenbrock == pytest.approx([0.3994, 1001.6006], rel=1e-4)
    assert rosenbrock[1] / rosenbrock[0] == pytest.approx(2508.0, rel=1e-3)
    assert F.rastrigin.hessian([0.0, 0.0]) == pytest.approx((2 + 40 * np.pi**2) * np.eye(2))
    assert np.linalg.cond(F.quadratic(37.0, size=6).hessian(np.ones(6))) == pytest.approx(37.0)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_chain_follows_kawaguchi(depth):
    chain = F.chain(depth)
    at_ones = np.linalg.eigvalsh(chain.hessian(np.ones(depth)))
    assert at_ones == pytest.approx([0.0] * (depth - 1) + [depth])
    at_zero = np.linalg.eigvalsh(chain.hessian(np.zeros(depth)))
    assert at_zero == pytest.approx([-1.0, 1.0] if depth == 2 else [0.0] * depth)


# The networks of the syllabus ---------------------------------------------------------------------


def by_hand(name, w):
    """The mean of half squared errors, from one scalar forward pass per sample."""
    x = {"one_neuron": np.linspace(-3, 3, 50), "sine_neuron": np.linspace(-3, 3, 30)}
    x = x.get(name, np.linspace(-2, 2, 24))

    def net(w, t):
        u, v = w
        if name == "three_valleys":
            return -1.5 * np.tanh(u * t + 1.5) + 1.0 * np.tanh(v * t - 1.7)
        if name == "sieve":
            return 2.0 * np.tanh(u * t - 0.4) + 1.5 * np.tanh(v * t - 1.5)
        return v * np.tanh(u * t) if name == "one_neuron" else np.sin(u * t + v)

    truth = {"three_valleys": (1.7, 2.3), "one_neuron": (1.2, 1.5), "sieve": (1.8, 0.2)}
    truth = truth.get(name, (2.0, 0.6))
    return sum(0.5 * (net(w, t) - net(truth, t)) ** 2 for t in x) / len(x)


@pytest.mark.parametrize("name", ["three_valleys", "one_neuron", "sieve", "sine_neuron"])
def test_networks_are_the_ones_described(name):
    landscape = ALL[name]
    assert isinstance(landscape, Fitted)
    for w in np.random.default_rng(3).uniform(-3.0, 3.0, (10, 2)):
        assert landscape(w) == pytest.approx(by_hand(name, w), rel=1e-12)
        residual = landscape.predict(w, landscape.x) - landscape.y
        assert landscape(w) == pytest.approx(0.5 * np.mean(residual**2), rel=1e-12)


def test_three_valleys_is_a_real_network_restricted_to_its_input_weights():
    net = tl.Network(tl.Linear(1, 2), tl.Tanh(), tl.Linear(2, 1))
    x = F.three_valleys.x[:, None]
    fixed = np.array([0.0, 0.0, 1.5, -1.7, -1.5, 1.0, 0.0])
    full = tl.Landscape(net, tl.losses.half_squared_error, (x, F.three_valleys.y[:, None]))
    plane = tl.Plane.two_weights(fixed, "0.weight[0,0]", "0.weight[0,1]", net)
    points = np.random.default_rng(4).uniform(-4.0, 4.0, (20, 2))
    assert full.restrict(plane)(points) == pytest.approx(F.three_valleys(points), rel=1e-12)


SYLLABUS = [
    ("three_valleys", "minima", 1, (-1.221, -2.693), 0.0886),
    ("three_valleys", "minima", 2, (0.496, -2.217), 0.5218),
    ("three_valleys", "saddles", 0, (0.315, -2.361), None),
    ("three_valleys", "saddles", 1, (0.999, -1.102), None),
    ("three_valleys", "saddles", 2, (-0.780, 0.853), None),
    ("three_valleys", "maxima", 0, (-0.069, 0.067), None),
    ("one_neuron", "saddles", 0, (0.0, 0.0), 0.819),
    ("sieve", "minima", 0, (1.8, 0.2), 0.0),
    ("sieve", "minima", 1, (0.198, 2.768), 0.168),
]


@pytest.mark.parametrize(("name", "kind", "k", "point", "height"), SYLLABUS)
def test_printed_points(name, kind, k, point, height):
    found = getattr(ALL[name], kind)[k]
    assert found == pytest.approx(point, abs=6e-4)
    assert height is None or ALL[name](found) == pytest.approx(height, abs=6e-4)


def test_printed_cliffs():
    def cliff(landscape, k):
        return 2.0 / np.linalg.eigvalsh(landscape.hessian(landscape.minima[k]))[-1]

    assert cliff(F.one_neuron, 0) == pytest.approx(2.598, abs=6e-4)
    assert cliff(F.sieve, 1) == pytest.approx(0.414, abs=6e-4)
    assert 2.0 / cliff(F.sieve, 0) == pytest.approx(0.209, abs=6e-4)
    assert 2.0 / cliff(F.sieve, 1) == pytest.approx(4.83, abs=6e-3)


@pytest.mark.parametrize(
    ("start", "lr", "valley"),
    [((0.0, 0.0), 0.8, 0), ((-1.0, 1.0), 0.8, 1), ((1.0, -1.2), 0.8, 2), ((1.0, -1.0), 0.8, 0)],
)
def test_printed_starts_of_three_valleys_end_where_printed(start, lr, valley):
    walk = tl.descend(F.three_valleys, start, tl.optim.SGD(lr=lr), steps=600)
    assert walk.end == pytest.approx(F.three_valleys.minima[valley], abs=1e-3)


def test_printed_learning_rates_of_one_neuron():
    lr = np.array([0.003, 0.5, 2.7, 3.0])
    walk = tl.descend(F.one_neuron, (0.3, 0.2), tl.optim.SGD(lr=lr), steps=200)
    creep, converge, bounce, diverge = walk.losses.T
    assert creep[-1] > 0.3 and np.all(np.diff(creep) < 0.0)
    assert np.argmax(converge < 1e-3) == 10
    assert np.sign(np.diff(bounce[-20:])).std() > 0.9, "up and down in turn"
    assert walk.diverged.tolist() == [False, False, False, True] and np.isnan(diverge[-1])


def test_printed_learning_rates_of_the_sieve():
    lr = np.array([0.3, 0.4, 0.43, 1.0])
    walk = tl.descend(F.sieve, (0.25, 2.82), tl.optim.SGD(lr=lr), steps=600)
    sharp, flat = F.sieve.minima[1], F.sieve.minima[0]
    assert walk.end[0] == pytest.approx(sharp, abs=1e-3)
    assert walk.end[1] == pytest.approx(sharp, abs=1e-3)
    period = walk.points[-1, 2] - walk.points[-3, 2], walk.points[-1, 2] - walk.points[-2, 2]
    assert np.linalg.norm(period[0]) < 1e-6 < 1e-2 < np.linalg.norm(period[1]), "bounces in two"
    assert walk.end[3] == pytest.approx(flat, abs=1e-3)


def test_copies_of_the_sine_neuron_are_one_function():
    zeros = F.sine_neuron.minima[F.sine_neuron(F.sine_neuron.minima) < 1e-12]
    assert len(zeros) == 3
    outputs = F.sine_neuron.predict(zeros, np.linspace(-10.0, 10.0, 101))
    assert np.ptp(outputs, axis=0).max() < 1e-10


@pytest.mark.parametrize(
    "make",
    [
        lambda: F.quadratic(0.5),
        lambda: F.quadratic(2.0, 1),
        lambda: F.chain(1),
        lambda: F.ravine(0),
    ],
)
def test_senseless_arguments_are_refused(make):
    with pytest.raises(ParameterError, match="got"):
        make()
