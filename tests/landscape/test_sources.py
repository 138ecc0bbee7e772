"""Landscapes from a function, from anybody's callables, and of a plane's coordinates."""

import pickle

import numpy as np
import pytest

import tinygrad_landscape as tl


def rosenbrock(p):
    x, y = p[..., 0], p[..., 1]
    return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2


def rosenbrock_gradient(p):
    x, y = p
    return np.array([-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)])


def rosenbrock_hessian(p):
    x, y = p
    return np.array([[2.0 - 400.0 * (y - 3.0 * x * x), -400.0 * x], [-400.0 * x, 200.0]])


POINTS = np.random.default_rng(0).normal(size=(2, 3, 2))
FORMULA = tl.Landscape.from_function(rosenbrock)


def each(f):
    return np.array([[f(p) for p in row] for row in POINTS])


def test_from_function_against_calculus():
    np.testing.assert_array_equal(FORMULA(POINTS), rosenbrock(POINTS))
    np.testing.assert_allclose(FORMULA.gradient(POINTS), each(rosenbrock_gradient), rtol=1e-12)
    np.testing.assert_allclose(FORMULA.hessian(POINTS), each(rosenbrock_hessian), rtol=1e-12)
    v = np.array([0.3, -2.0])
    np.testing.assert_allclose(FORMULA.hessian_vector(POINTS, v), each(rosenbrock_hessian) @ v)
    assert FORMULA.exact_curvature and FORMULA.size == 2 and tuple(FORMULA.names) == ("x", "y")
    assert FORMULA.network is FORMULA.loss is FORMULA.data is None and not FORMULA.stochastic
    assert FORMULA.describe() == "Height of 2 weights: the function rosenbrock."


def test_rosenbrock_at_its_minimum():
    """Eigenvalues .3994 and 1001.6006, condition 2508.0 (landscape anchors, section 4)."""
    low, high = np.linalg.eigvalsh(FORMULA.hessian([1.0, 1.0]))
    assert (low, high) == pytest.approx((0.3994, 1001.6006), abs=5e-5)
    assert high / low == pytest.approx(2508.0, abs=0.05)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_sizes_and_names(size):
    L = tl.Landscape.from_function(lambda p: (p**2).sum(-1), size=size)
    assert len(L.names) == size and L(np.ones(size)) == size
    own = tl.Landscape.from_function(
        lambda p: (p**2).sum(-1), size, names=[f"n{i}" for i in range(size)]
    )
    assert own.names[-1] == f"n{size - 1}"


def test_float32_is_kept_also_by_float64_constants():
    shift = np.array([1.0, 2.0])
    L = tl.Landscape.from_function(lambda p: ((p - shift) ** 2).sum(-1))
    theta = np.zeros(2, np.float32)
    assert L(theta).dtype == L.gradient(theta).dtype == L.hessian(theta).dtype == np.float32


def test_a_height_is_never_a_view_of_the_weights():
    theta = POINTS.copy()
    height = tl.Landscape.from_function(lambda p: p[..., 0])(theta)
    height[:] = 7.0
    np.testing.assert_array_equal(theta, POINTS)


def test_a_function_that_is_constant_is_flat():
    L = tl.Landscape.from_function(lambda p: np.full(p.shape[:-1], 3.0))
    assert L([1.0, 2.0]) == 3.0 and not L.gradient([1.0, 2.0]).any()
    assert not L.hessian([1.0, 2.0]).any()


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda p: p[0] + p[1], tl.ShapeError, r"theta\[..., 0\]"),
        (lambda p: (p**2).sum(), tl.ShapeError, "last axis only"),
        (lambda p: p**2, tl.ShapeError, r"gave shape \(2,\).* expected \(\)"),
        (lambda p: (p - p.mean(axis=0)).sum(-1) + 0 * p[..., 0], tl.ShapeError, "another height"),
        (lambda p: np.vectorize(abs)(p).sum(-1), tl.NotDifferentiableError, "silently"),
    ],
)
def test_functions_that_cannot_be_landscapes_are_refused(f, error, message):
    with pytest.raises(error, match=message):
        tl.Landscape.from_function(f)


@pytest.mark.parametrize("size", [0, -1, 2.0])
def test_sizes_that_make_no_sense_are_refused(size):
    with pytest.raises(tl.ParameterError, match="size="):
        tl.Landscape.from_function(rosenbrock, size=size)
    with pytest.raises(tl.ParameterError, match="3 names for 2 weights"):
        tl.Landscape.from_function(rosenbrock, names=("a", "b", "c"))


def test_pickle():
    twin = pickle.loads(pickle.dumps(FORMULA))
    np.testing.assert_array_equal(twin.gradient(POINTS), FORMULA.gradient(POINTS))
    with pytest.raises(tl.NotPicklableError, match=r"function <lambda> .* top of a module"):
        pickle.dumps(tl.Landscape.from_function(lambda p: p.sum(-1)))
    with pytest.raises(tl.NotPicklableError, match="value <lambda>"):
        pickle.dumps(tl.Landscape.from_callables(lambda p: p.sum(), size=2))


# Anybody's callables -----------------------------------------------------------------------------


class Model:
    """Somebody's model: it keeps what it is given, and writes into it."""

    def __init__(self):
        self.calls = 0

    def value(self, theta):
        assert type(theta) is np.ndarray and theta.shape == (2,)
        self.calls += 1
        self.kept, out = theta, float(rosenbrock(theta))
        theta[:] = -99.0
        return out

    def gradient(self, theta):
        out = rosenbrock_gradient(theta)
        theta[:] = -99.0
        return out

    def product(self, theta, v):
        return rosenbrock_hessian(theta) @ v


def sources(model):
    make = tl.Landscape.from_callables
    return [
        (make(model.value, size=2), 1e-5, 2e-2),
        (make(model.value, model.gradient, size=2), 1e-12, 1e-5),
        (make(model.value, model.gradient, model.product, size=2), 1e-12, 1e-12),
    ]


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_from_callables(kind):
    L, gradient_error, hessian_error = sources(Model())[kind]
    mine = POINTS.copy()
    np.testing.assert_array_equal(L(mine), rosenbrock(POINTS))
    value, gradient = L.value_and_gradient(mine)
    np.testing.assert_array_equal(value, rosenbrock(POINTS))
    np.testing.assert_allclose(gradient, each(rosenbrock_gradient), rtol=1e-4, atol=gradient_error)
    np.testing.assert_allclose(
        L.hessian(mine), each(rosenbrock_hessian), rtol=1e-4, atol=hessian_error
    )
    np.testing.assert_array_equal(mine, POINTS)
    assert L.exact_curvature is (kind == 2)
    assert ("central differences" in L.describe()) is (kind < 2)


def test_callables_in_float32():
    L = tl.Landscape.from_callables(Model().value, size=2)
    theta = np.array([0.5, 0.5], np.float32)
    value, gradient = L.value_and_gradient(theta)
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, rosenbrock_gradient(theta), atol=0.5)


@pytest.mark.parametrize("kind", [1, 2])
def test_callables_are_differentiable_twice(kind):
    L, _, error = sources(Model())[kind]
    theta = POINTS[0, 0]
    t = tl.Tensor(theta)
    np.testing.assert_allclose(tl.gradients(L(t), [t])[0], rosenbrock_gradient(theta))
    composed = tl.grad(lambda s: L(theta + s * np.array([1.0, 2.0])))
    assert composed(0.0) == pytest.approx(rosenbrock_gradient(theta) @ [1.0, 2.0])
    H = tl.hessian(L)(theta)
    np.testing.assert_allclose(H, rosenbrock_hessian(theta), atol=error, rtol=1e-6)
    with pytest.raises(tl.NotDifferentiableError, match="third"):
        tl.grad(lambda p: tl.hvp(L)(p, np.ones(2)).sum())(tl.Tensor(theta))


def test_callables_descend_and_reach_the_minimum():
    L = tl.Landscape.from_callables(Model().value, Model().gradient, size=2)
    walk = tl.descend(L, [[0.5, 0.5], [-0.5, 0.5]], tl.optim.Newton(damping=1e-3), steps=30)
    np.testing.assert_allclose(walk.end, 1.0, atol=1e-4)


def test_callables_that_answer_wrongly_are_told():
    make = tl.Landscape.from_callables
    with pytest.raises(
        tl.ShapeError, match=r"value gave shape \(2,\) for one point; expected \(\)"
    ):
        make(lambda t: t, size=2)([1.0, 2.0])
    with pytest.raises(tl.ShapeError, match=r"gradient gave shape \(1,\)"):
        make(lambda t: 0.0, lambda t: t[:1], size=2).gradient([1.0, 2.0])
    with pytest.raises(tl.ParameterError, match="no samples"):
        make(lambda t: 0.0, size=2)([1.0, 2.0], batch=[1])


# A plane's coordinates ---------------------------------------------------------------------------

NET = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
MOONS = tl.Landscape(NET, tl.losses.binary_cross_entropy, tl.data.moons(20, seed=0))
THETA = NET.init(seed=1)
PLANES = {
    "two weights": tl.Plane.two_weights(THETA, "0.weight[0,1]", "2.bias[0]", network=NET),
    "random": tl.Plane.random(THETA, seed=0, network=NET),
}


@pytest.mark.parametrize("plane", PLANES.values(), ids=PLANES.keys())
def test_restrict(plane):
    R = MOONS.restrict(plane)
    c = np.random.default_rng(0).normal(size=(2, 3, 2))
    assert R.size == 2 and tuple(R.names) == plane.labels
    for row in c.reshape(-1, 2):
        assert R(row) == MOONS(plane.point(*row))
    lifted = plane.point(c[..., 0], c[..., 1])
    basis = np.stack([plane.u, plane.v], axis=-1)
    np.testing.assert_array_equal(R(c), MOONS(lifted))
    np.testing.assert_allclose(R.gradient(c), MOONS.gradient(lifted) @ basis, atol=1e-14)
    wanted = basis.T @ MOONS.hessian(lifted) @ basis
    np.testing.assert_allclose(R.hessian(c), wanted, atol=1e-13)
    np.testing.assert_array_equal(R.accuracy(c), MOONS.accuracy(lifted))
    np.testing.assert_array_equal(R(c, batch=[0, 3]), MOONS(lifted, batch=[0, 3]))
    t = tl.Tensor(c)
    np.testing.assert_allclose(
        tl.gradients(R(t), [t], seed=np.ones(c.shape[:-1]))[0], R.gradient(c), atol=1e-14
    )
    assert "on a plane: " in R.describe() and R.data is MOONS.data and R.network is None
    other = tl.data.moons(10, seed=4)
    np.testing.assert_array_equal(R.on(other)(c), MOONS.on(other)(lifted))


def test_restrict_to_a_line():
    line = tl.Line.along(THETA, MOONS.gradient(THETA))
    R = MOONS.restrict(line)
    t = np.linspace(-1, 1, 5)
    np.testing.assert_array_equal(R(t[:, None]), MOONS(line.point(t)))
    h = 1e-6
    slope = (MOONS(line.point(t + h)) - MOONS(line.point(t - h))) / (2 * h)
    np.testing.assert_allclose(R.gradient(t[:, None])[:, 0], slope, atol=1e-8)


def test_restrict_callables():
    L = tl.Landscape.from_callables(Model().value, Model().gradient, Model().product, size=2)
    R = L.restrict(tl.Plane([1.0, 1.0], [1.0, 1.0], [0.0, 2.0]))
    basis = np.array([[1.0, 0.0], [1.0, 2.0]])
    np.testing.assert_allclose(R.gradient([0.5, 0.0]), rosenbrock_gradient([1.5, 1.5]) @ basis)
    wanted = basis.T @ rosenbrock_hessian([1.5, 1.5]) @ basis
    np.testing.assert_allclose(R.hessian([0.5, 0.0]), wanted)
    assert R.exact_curvature


def test_restrict_pickles_and_keeps_float32():
    R = pickle.loads(pickle.dumps(MOONS.restrict(PLANES["random"])))
    value, gradient = R.value_and_gradient(np.array([0.1, 0.2], np.float32))
    assert gradient.dtype == np.float32
    assert value == pytest.approx(MOONS.restrict(PLANES["random"])([0.1, 0.2]), rel=1e-6)


def test_a_plane_through_other_weights_is_refused():
    with pytest.raises(tl.ShapeError, match="through 3 weights; this landscape has 13"):
        MOONS.restrict(tl.Plane.two_weights([1.0, 2.0, 3.0], 0, 1))
