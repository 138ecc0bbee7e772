"""Curvature against dense linear algebra, and sharpness against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.surveying.curvature import lanczos

F, curvature, sharpness = tl.formulas, tl.curvature, tl.sharpness


def bowl(matrix, slope=None):
    """The quadratic with this symmetric matrix as Hessian."""
    slope = np.zeros(len(matrix)) if slope is None else slope
    return tl.Landscape.from_function(
        lambda p: 0.5 * ((p @ matrix) * p).sum(-1) + (slope * p).sum(-1), size=len(matrix)
    )


def symmetric(seed, size):
    a = np.random.default_rng(seed).standard_normal((size, size))
    return (a + a.T) / 2


@pytest.fixture(scope="module")
def moons():
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(60, noise=0.2, seed=0))
    return L, net.init(seed=0)


# Eigenvalues --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 40, 200])
@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_top_eigenpairs_against_numpy(size, which):
    matrix = symmetric(size, size)
    L = bowl(matrix)
    values, vectors = curvature.top_eigenpairs(L, np.ones(size), k=3, which=which)
    expected = np.linalg.eigvalsh(matrix)
    expected = expected[::-1][:3] if which == "largest" else expected[:3]
    assert values == pytest.approx(expected, rel=1e-6)
    assert vectors @ vectors.T == pytest.approx(np.eye(3), abs=1e-8)
    assert vectors @ matrix == pytest.approx(values[:, None] * vectors, abs=1e-3)


def test_top_eigenpairs_of_a_network_against_its_hessian(moons):
    L, theta = moons
    expected = np.linalg.eigvalsh(L.hessian(theta))
    for which, values in (("largest", expected[::-1]), ("smallest", expected)):
        found, vectors = curvature.top_eigenpairs(L, theta, 2, which)
        assert found == pytest.approx(values[:2], rel=1e-6)
        assert vectors.shape == (2, L.size)
        assert L.hessian_vector(theta, vectors[0]) == pytest.approx(found[0] * vectors[0], abs=1e-4)


def test_lanczos_stays_orthogonal_and_ends_in_an_invariant_subspace():
    matrix = np.diag(np.repeat([1.0, 5.0, 9.0], 30))
    diagonal, off, basis = lanczos(lambda v: matrix @ v, np.ones(90), steps=50)
    assert len(diagonal) == 3 and off[-1] == 0.0
    ritz = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1))
    assert ritz == pytest.approx([1.0, 5.0, 9.0])
    wide = np.diag(np.geomspace(1e-6, 1e6, 150))
    _, _, basis = lanczos(lambda v: wide @ v, np.ones(150), steps=60)
    assert np.abs(basis @ basis.T - np.eye(60)).max() < 1e-13


def test_top_eigenpairs_refuses_what_it_cannot_do(moons):
    L, theta = moons
    with pytest.raises(ParameterError, match="raise steps"):
        curvature.top_eigenpairs(L, theta, k=5, steps=6)
    with pytest.raises(ParameterError, match="which"):
        curvature.top_eigenpairs(L, theta, which="biggest")
    with pytest.raises(ParameterError, match="338"):
        curvature.top_eigenpairs(L, theta, k=338)
    with pytest.raises(ShapeError, match="one point"):
        curvature.top_eigenpairs(L, theta[None])


def test_float32_is_enough_for_the_largest_eigenvalue(moons):
    L, theta = moons
    values, vectors = curvature.top_eigenpairs(L, theta.astype(np.float32))
    assert vectors.dtype == np.float32
    assert values == pytest.approx(curvature.top_eigenpairs(L, theta)[0], rel=1e-3)


def test_spectrum_and_what_it_says():
    spectrum = curvature.spectrum(bowl(np.diag([3.0, -1.0, 0.0, 0.5])), np.zeros(4))
    assert spectrum.eigenvalues.tolist() == [-1.0, 0.0, 0.5, 3.0]
    assert "2 directions bend up, 1 down, 1 less" in spectrum.describe()


# Trace and density --------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_hutchinson_is_exact_for_a_diagonal_hessian(seed):
    values = np.random.default_rng(seed).standard_normal(9)
    value, error = curvature.trace(bowl(np.diag(values)), np.zeros(9), probes=5, seed=seed)
    assert value == pytest.approx(values.sum()) and error == pytest.approx(0.0, abs=1e-12)


def test_hutchinson_mean_and_variance():
    matrix = symmetric(5, 30)
    value, error = curvature.trace(bowl(matrix), np.zeros(30), probes=20_000)
    variance = 2.0 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum())
    assert error**2 * 20_000 == pytest.approx(variance, rel=0.05)
    assert abs(value - np.trace(matrix)) < 4 * error


def test_trace_within_little_memory_is_the_same(moons):
    L, theta = moons
    assert curvature.trace(L, theta, probes=20, memory=5e6) == pytest.approx(
        curvature.trace(L, theta, probes=20), rel=1e-12
    )


def test_density_against_the_exact_spectrum(moons):
    L, theta = moons
    density = curvature.density(L, theta, probes=20, steps=80)
    exact = np.linalg.eigvalsh(L.hessian(theta))
    assert np.trapezoid(density.density, density.grid) == pytest.approx(1.0, abs=1e-3)
    assert density.weights.sum(axis=1) == pytest.approx(np.ones(20))
    assert density.nodes.max() == pytest.approx(exact[-1], rel=1e-6)
    assert density.nodes.min() == pytest.approx(exact[0], rel=1e-6)
    bells = np.exp(-0.5 * ((density.grid[:, None] - exact) / density.width) ** 2)
    smooth = bells.sum(axis=1) / (exact.size * density.width * np.sqrt(2 * np.pi))
    assert np.trapezoid(np.abs(smooth - density.density), density.grid) < 0.05


def test_quadrature_moments_are_traces(moons):
    L, theta = moons
    hessian = L.hessian(theta)
    density = curvature.density(L, theta, probes=400, steps=10)
    first = L.size * (density.weights * density.nodes).sum(axis=1)
    second = L.size * (density.weights * density.nodes**2).sum(axis=1)
    for samples, exact in ((first, np.trace(hessian)), (second, np.trace(hessian @ hessian))):
        assert abs(samples.mean() - exact) < 4 * samples.std() / 20


def test_noise_scale_against_its_definition():
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    data = tl.data.moons(24, noise=0.2, seed=0)
    L, theta = tl.Landscape(net, tl.losses.binary_cross_entropy, data), net.init(seed=0)
    x, y = data
    each = [tl.grad(lambda t, i=i: L.loss(net(t, x[[i]]), y[[i]]))(theta) for i in range(24)]
    expected = np.trace(np.cov(np.transpose(each))) / np.sum(L.gradient(theta) ** 2)
    assert curvature.noise_scale(L, theta) == pytest.approx(expected)
    with pytest.raises(ParameterError, match="no samples"):
        curvature.noise_scale(F.himmelblau, [0.0, 0.0])


# Sharpness ----------------------------------------------------------------------------------------


def test_largest_eigenvalue_of_many_points_at_once():
    points = np.random.default_rng(0).uniform(-2, 2, (3, 4, 2))
    found = sharpness.largest_eigenvalue(F.himmelblau, points)
    expected = np.linalg.eigvalsh(F.himmelblau.hessian(points))[..., -1]
    assert found == pytest.approx(expected, rel=1e-6) and found.shape == (3, 4)


def test_epsilon_sharpness_at_a_minimum_is_50_epsilon_squared_trace():
    values = np.array([1.0, 4.0, 9.0])
    found = sharpness.epsilon(bowl(np.diag(values)), np.zeros(3), epsilon=1e-2)
    assert found == pytest.approx(50.0 * 1e-4 * values.sum(), rel=1e-12)


def test_epsilon_sharpness_finds_the_highest_corner():
    matrix, slope = symmetric(2, 8) + 5.0 * np.eye(8), np.linspace(-1.0, 1.0, 8)
    L, theta, size = bowl(matrix, slope), np.linspace(0.0, 2.0, 8), 0.05
    corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 8), axis=-1).reshape(-1, 8)
    highest = L(theta + corners * size * (np.abs(theta) + 1.0)).max()
    expected = 100.0 * (highest - L(theta)) / (1.0 + L(theta))
    assert sharpness.epsilon(L, theta, epsilon=size) == pytest.approx(expected, rel=1e-12)


def test_sam_is_one_step_up_the_gradient():
    L, theta = F.himmelblau, np.array([[1.0, 2.0], [-3.0, 0.5], [3.0, 2.0]])
    g = L.gradient(theta[:2])
    step = theta[:2] + 0.05 * g / np.linalg.norm(g, axis=-1, keepdims=True)
    assert sharpness.sam(L, theta)[:2] == pytest.approx(L(step) - L(theta[:2]))
    assert sharpness.sam(L, theta)[2] == 0.0, "no way up from a minimum"


def test_adaptive_sam_maximises_the_slope_over_its_ellipsoid():
    L, theta, rho = F.himmelblau, np.array([1.0, 2.0]), 1e-4
    rise = sharpness.adaptive_sam(L, theta, rho=rho)
    angle = np.linspace(0.0, 2.0 * np.pi, 10_001)
    around = theta + rho * np.abs(theta) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    assert rise == pytest.approx((L(around) - L(theta)).max(), rel=1e-3)


def test_random_perturbation_is_half_sigma_squared_trace():
    matrix = symmetric(3, 10) + 4.0 * np.eye(10)
    L = bowl(matrix, slope=np.full(10, 100.0))
    rise, error = sharpness.random_perturbation(L, np.ones(10), sigma=0.1, samples=4000)
    assert abs(rise - 0.005 * np.trace(matrix)) < 4 * error
    assert error < 0.01 * rise, "the slope cancels in pairs"


def test_rescaling_a_relu_network_moves_every_measure_but_the_adaptive_one():
    net = tl.Network(tl.Linear(2, 8), tl.ReLU(), tl.Linear(8, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(40, noise=0.2, seed=0))
    theta = net.init(seed=1) + 0.05
    twin = sharpness.relu_twin(net, theta, 10.0)
    assert L(twin) == pytest.approx(L(theta), rel=1e-13)
    measures = {
        "largest": lambda t: sharpness.largest_eigenvalue(L, t),
        "trace": lambda t: np.trace(L.hessian(t)),
        "epsilon": lambda t: sharpness.epsilon(L, t),
        "sam": lambda t: sharpness.sam(L, t),
        "noise": lambda t: sharpness.random_perturbation(L, t, samples=500)[0],
    }
    for name, measure in measures.items():
        ratio = measure(twin) / measure(theta)
        assert not 0.8 < ratio < 1.25, f"{name} should notice: ratio {ratio:.3f}"
    same = sharpness.adaptive_sam(L, twin) / sharpness.adaptive_sam(L, theta)
    assert same == pytest.approx(1.0, abs=1e-10)
    with_eta = [sharpness.adaptive_sam(L, t, eta=0.1) for t in (theta, twin)]
    assert with_eta[0] != pytest.approx(with_eta[1], rel=1e-3)


def test_relu_twin_takes_many_points_and_refuses_the_last_layer():
    net = tl.Network(tl.Linear(2, 3), tl.ReLU(), tl.Linear(3, 4), tl.ReLU(), tl.Linear(4, 1))
    theta, x = net.init(seed=0, count=5), np.random.default_rng(0).standard_normal((9, 2))
    for layer in (0, 1):
        twin = sharpness.relu_twin(net, theta, 0.1, layer)
        assert net(twin, x) == pytest.approx(net(theta, x), abs=1e-12)
        assert not np.allclose(twin, theta)
    with pytest.raises(ParameterError, match="layer=2"):
        sharpness.relu_twin(net, theta, 2.0, layer=2)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_senseless_sizes_are_refused(wrong):
    L, theta = F.himmelblau, [0.0, 0.0]
    for call in (
        lambda: sharpness.epsilon(L, theta, wrong),
        lambda: sharpness.sam(L, theta, wrong),
        lambda: sharpness.adaptive_sam(L, theta, wrong),
        lambda: sharpness.random_perturbation(L, theta, wrong),
    ):
        with pytest.raises(ParameterError, match="> 0"):
            call()


def test_stability_thresholds_on_a_quadratic():
    """Just below the threshold of each optimizer the walk shrinks, just above it grows."""
    lr = 0.1
    rules = [
        (tl.optim.SGD(lr=lr), 2.0 / lr),
        (tl.optim.SGD(lr=lr, momentum=0.5), 3.0 / lr),
        (tl.optim.SGD(lr=lr, momentum=0.5, nesterov=True), 3.0 / (2.0 * lr)),
    ]
    for optimizer, threshold in rules:
        for factor, grows in ((0.98, False), (1.02, True)):
            scaled = tl.Landscape.from_function(
                lambda p, k=factor * threshold: 0.5 * k * (p * p).sum(-1)
            )
            walk = tl.descend(scaled, [1e-3, 1e-3], optimizer, steps=150)
            assert (not walk.losses[-1] < walk.losses[0]) == grows
