"""Planes and lines: coordinates, normalisation, and every way to choose directions."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

F = tl.formulas


@pytest.fixture(scope="module")
def net():
    return tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))


@pytest.fixture(scope="module")
def theta(net):
    return net.init(seed=3) + 0.1  # so that no bias is zero


def a_plane(seed, size=7, dtype=np.float64):
    return tl.Plane(*np.random.default_rng(seed).standard_normal((3, size)).astype(dtype))


@given(st.integers(0, 1000), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_coordinates_undo_point_for_skew_directions(seed, a, b):
    plane = a_plane(seed)
    assert plane.coordinates(plane.point(a, b)) == pytest.approx([a, b], abs=1e-6)


@given(st.integers(0, 1000))
def test_coordinates_are_least_squares_and_residual_is_what_is_left(seed):
    plane = a_plane(seed)
    points = np.random.default_rng(seed + 1).standard_normal((3, 4, 7))
    basis = np.stack([plane.u, plane.v], axis=-1)
    for k in np.ndindex(3, 4):
        offset = points[k] - plane.origin
        best, *_ = np.linalg.lstsq(basis, offset)
        assert plane.coordinates(points)[k] == pytest.approx(best)
        left = np.linalg.norm(offset - basis @ best) / np.linalg.norm(offset)
        assert plane.residual(points)[k] == pytest.approx(left)


def test_residual_at_the_origin_in_the_plane_and_square_to_it():
    plane = tl.Plane([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0])
    assert plane.residual(plane.origin) == 0.0
    assert plane.residual(plane.point(3.0, -2.0)) == pytest.approx(0.0, abs=1e-15)
    assert plane.residual(plane.origin + [5.0, 0.0, 0.0]) == pytest.approx(1.0)


def test_point_broadcasts_keeps_float32_and_takes_tensors():
    plane = a_plane(0, dtype=np.float32)
    points = plane.point(np.linspace(-1, 1, 3)[:, None], np.linspace(-1, 1, 5))
    assert points.shape == (3, 5, 7) and points.dtype == np.float32
    assert np.array_equal(points[1, 2], plane.origin)
    slope = tl.grad(lambda c: a_plane(0).point(c[0], c[1]).sum())(np.zeros(2))
    assert slope == pytest.approx([a_plane(0).u.sum(), a_plane(0).v.sum()])


def test_a_plane_is_sealed_and_leaves_what_it_was_given_alone():
    origin = np.zeros(3)
    plane = tl.Plane(origin, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    origin[0] = 5.0
    assert plane.origin[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        plane.u[0] = 2.0
    with pytest.raises(AttributeError):
        plane.u = origin
    again = pickle.loads(pickle.dumps(plane))
    assert np.array_equal(again.v, plane.v) and again.describe() == plane.describe()


@pytest.mark.parametrize(
    ("u", "v", "error"),
    [
        ([1.0, 2.0, 3.0], [-2.0, -4.0, -6.0], ParameterError),
        ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], ParameterError),
        ([1.0, 0.0], [0.0, 1.0], ShapeError),
        ([1.0, np.nan, 0.0], [0.0, 1.0, 0.0], ParameterError),
        ([[1.0, 0.0, 0.0]], [0.0, 1.0, 0.0], ShapeError),
    ],
)
def test_directions_that_span_no_plane_are_refused(u, v, error):
    with pytest.raises(error):
        tl.Plane([0.0, 0.0, 0.0], u, v)


# Two weights --------------------------------------------------------------------------------------


def test_two_weights_by_name_and_by_index_are_one(net, theta):
    by_name = tl.Plane.two_weights(theta, "0.weight[1,3]", "2.bias[0]", net)
    by_index = tl.Plane.two_weights(theta, net.index("0.weight[1,3]"), net.index("2.bias[0]"))
    moved = by_name.point(0.25, -2.0)
    assert np.array_equal(moved, by_index.point(0.25, -2.0))
    assert net.unpack(moved)["0.weight"][1, 3] == net.unpack(theta)["0.weight"][1, 3] + 0.25
    assert (moved != theta).sum() == 2
    assert by_name.labels == ("0.weight[1,3]", "2.bias[0]")
    own = net.unpack(theta)
    assert by_name.absolute == (own["0.weight"][1, 3], own["2.bias"][0])


def test_unknown_weights_are_refused_with_a_hint(net, theta):
    with pytest.raises(ParameterError, match=r"0\.weight\[1,3\]"):
        tl.Plane.two_weights(theta, "0.wieght[1,3]", 0, net)
    with pytest.raises(ParameterError, match="network="):
        tl.Plane.two_weights(theta, "0.weight[1,3]", 0)
    with pytest.raises(ParameterError, match=r"342; expected 0..336"):
        tl.Plane.two_weights(theta, 0, 337 + 5)
    with pytest.raises(ParameterError, match="twice"):
        tl.Plane.two_weights(theta, 336, -1)


# Random directions --------------------------------------------------------------------------------


def test_filter_normalisation_is_per_neuron_and_freezes_biases(net, theta):
    plane = tl.Plane.random(theta, seed=0, network=net)
    for direction in (plane.u, plane.v):
        d, w = net.unpack(direction), net.unpack(theta)
        for layer in ("0.weight", "2.weight", "4.weight"):
            ratio = np.linalg.norm(d[layer], axis=0) / np.linalg.norm(w[layer], axis=0)
            assert ratio == pytest.approx(np.ones_like(ratio))
        for layer in ("0.bias", "2.bias", "4.bias"):
            assert not d[layer].any()


def test_filter_normalisation_of_a_convolution_is_per_output_channel():
    net = tl.Network(tl.Conv2d(2, 3, 3), tl.ReLU(), tl.Flatten(), tl.Linear(3 * 4, 2))
    theta = net.init(seed=0)
    plane = tl.Plane.random(theta, seed=1, network=net)
    d, w = net.unpack(plane.u)["0.weight"], net.unpack(theta)["0.weight"]
    ratio = np.linalg.norm(d.reshape(3, -1), axis=1) / np.linalg.norm(w.reshape(3, -1), axis=1)
    assert ratio == pytest.approx(np.ones(3))


def test_layer_model_and_raw_normalisation(net, theta):
    layer = tl.Plane.random(theta, 0, net, normalize="layer", biases="scaled")
    d, w = net.unpack(layer.u), net.unpack(theta)
    for name in w:
        assert np.linalg.norm(d[name]) == pytest.approx(np.linalg.norm(w[name]))
    model = tl.Plane.random(theta, 0, normalize="model")
    assert np.linalg.norm(model.u) == pytest.approx(np.linalg.norm(theta))
    raw = tl.Plane.random(np.zeros(20_000), 0, normalize=None)
    assert (raw.u.mean(), raw.u.std()) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.02))
    assert abs(raw.u @ raw.v) / 20_000 < 0.03


def test_the_seed_decides_and_the_default_depends_on_the_network(net, theta):
    one, same, other = (tl.Plane.random(theta, s, net) for s in (0, 0, 1))
    assert np.array_equal(one.u, same.u) and not np.array_equal(one.u, other.u)
    assert "filter-normalised, biases frozen" in one.describe()
    assert "model-normalised" in tl.Plane.random(theta, 0).describe()
    with pytest.raises(ParameterError, match="network="):
        tl.Plane.random(theta, 0, normalize="filter")
    with pytest.raises(ParameterError, match="normalize='fliter'"):
        tl.Plane.random(theta, 0, net, normalize="fliter")


def test_a_filter_normalised_slice_does_not_see_relu_rescaling():
    """Dinh's twin of a ReLU network looks the same on a filter-normalised slice, not on a raw
    one."""
    net = tl.Network(tl.Linear(2, 8), tl.ReLU(), tl.Linear(8, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(40, noise=0.2, seed=0))
    theta = net.init(seed=0)
    twin = tl.sharpness.relu_twin(net, theta, 10.0)
    same, other = (
        [tl.survey(L, tl.Plane.random(t, 5, net, normalize=n), resolution=9) for t in (theta, twin)]
        for n in ("filter", None)
    )
    assert np.abs(same[0].loss - same[1].loss).max() < 1e-12
    assert np.abs(other[0].loss - other[1].loss).max() > 0.1


# Planes made from a walk, a Hessian, points, a gradient -------------------------------------------


def test_principal_directions_are_those_of_scikit_learn():
    points = np.cumsum(np.random.default_rng(0).standard_normal((50, 30)), axis=0)
    plane = tl.Plane.principal(points)
    pca = PCA(2).fit(points)
    assert plane.explained == pytest.approx(pca.explained_variance_ratio_)
    for mine, theirs in zip((plane.u, plane.v), pca.components_, strict=True):
        assert abs(mine @ theirs) == pytest.approx(1.0)
    assert np.array_equal(plane.origin, points[-1])
    assert np.array_equal(plane.coordinates(points)[-1], [0.0, 0.0])


def test_a_random_walk_explains_61_and_15_percent():
    steps = np.random.default_rng(0).standard_normal((200, 30_000))
    explained = tl.Plane.principal(np.cumsum(steps, axis=0)).explained
    assert explained == pytest.approx((6 / np.pi**2, 6 / np.pi**2 / 4), abs=0.01)


def test_principal_takes_one_walker_that_moved_in_two_directions():
    L, sgd = F.himmelblau, tl.optim.SGD(lr=0.01)
    walk = tl.descend(L, [[0.0, 0.0], [1.0, 2.0]], sgd, steps=30)
    assert tl.Plane.principal(walk[:, 0]).explained[0] > 0.5
    with pytest.raises(ShapeError, match="one walker"):
        tl.Plane.principal(walk)
    with pytest.raises(ParameterError, match="straight"):
        tl.Plane.principal(np.linspace(0.0, 1.0, 9)[:, None] * np.ones(4))
    with pytest.raises(ParameterError, match="NaN"):
        tl.Plane.principal(np.full((4, 3), np.nan))


def test_hessian_plane_holds_eigenvectors(net, theta):
    L = F.quadratic(100.0, size=5)
    values = np.geomspace(1, 100, 5)
    for which, expected in (("largest", (4, 3)), ("smallest", (0, 1)), ("both", (4, 0))):
        plane = tl.Plane.hessian(L, np.ones(5), which)
        for direction, k in zip((plane.u, plane.v), expected, strict=True):
            assert np.abs(direction) == pytest.approx(np.eye(5)[k], abs=1e-12)
        assert f"{values[expected[0]]:.3g}" in plane.labels[0]


def test_plane_through_three_points_keeps_distances():
    a, b, c = np.random.default_rng(0).standard_normal((3, 12))
    plane = tl.Plane.through(a, b, c)
    flat = plane.coordinates([a, b, c])
    assert plane.residual([a, b, c]) == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert flat[0] == pytest.approx([0, 0], abs=1e-12) and flat[1, 1] == pytest.approx(0, abs=1e-12)
    for p, q, i, j in ((a, b, 0, 1), (a, c, 0, 2), (b, c, 1, 2)):
        assert np.linalg.norm(flat[i] - flat[j]) == pytest.approx(np.linalg.norm(p - q))
    with pytest.raises(ParameterError, match="parallel"):
        tl.Plane.through(a, b, 2 * b - a)


def test_gradient_plane_points_uphill():
    L, theta = F.quadratic(50.0, size=4), np.ones(4)
    plane = tl.Plane.gradient(L, theta, seed=0)
    assert plane.u @ L.gradient(theta) == pytest.approx(np.linalg.norm(L.gradient(theta)))
    assert abs(plane.u @ plane.v) < 1e-12 and np.linalg.norm(plane.v) == pytest.approx(1.0)
    with pytest.raises(ParameterError, match="gradient is zero"):
        tl.Plane.gradient(L, np.zeros(4), seed=0)


def test_restricting_to_a_plane_is_walking_in_it(net, theta):
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(30, noise=0.2, seed=0))
    plane = tl.Plane.random(theta, 2, net)
    flat, c = L.restrict(plane), np.array([0.3, -0.2])
    assert flat(c) == pytest.approx(L(plane.point(*c)), rel=1e-14)
    full = L.gradient(plane.point(*c))
    assert flat.gradient(c) == pytest.approx([full @ plane.u, full @ plane.v])


def test_lines():
    line = tl.Line.between([1.0, 0.0], [3.0, 4.0])
    assert line.point([0.0, 0.5, 1.0]).tolist() == [[1.0, 0.0], [2.0, 2.0], [3.0, 4.0]]
    assert tl.Line.along([1.0, 0.0], [0.0, 2.0]).point(-1.0).tolist() == [1.0, -2.0]
    assert line.extent == (0.0, 1.0) and "4.472" in line.describe()
    with pytest.raises(ParameterError, match="zero everywhere"):
        tl.Line.between([1.0, 0.0], [1.0, 0.0])


def test_describe_says_how_the_plane_is_scaled_and_skewed():
    text = tl.Plane([0.0, 0.0], [1.0, 0.0], [1.0, 1.0]).describe()
    assert "not perpendicular (cosine 0.707)" in text
    walk = np.cumsum(np.random.default_rng(0).standard_normal((20, 5)), axis=0)
    assert "60.8%" in tl.Plane.principal(walk).describe()
