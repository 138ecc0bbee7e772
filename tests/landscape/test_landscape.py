"""A network's landscape against the same network written by hand, and `autograd` as an oracle."""

import pickle
import warnings
from functools import partial

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

import tinygrad_landscape as tl

NET = tl.Network(tl.Linear(2, 5), tl.Tanh(), tl.Linear(5, 1))
DATA = tl.data.moons(40, noise=0.2, seed=0)
L = tl.Landscape(NET, tl.losses.binary_cross_entropy, DATA)
POINTS = NET.init(seed=0, scheme="normal", count=6).reshape(2, 3, -1)
THETA = POINTS[0, 0]


def by_hand(theta, x=DATA.x, y=DATA.y, np=anp):
    """The same loss for one theta, written for the autograd package."""
    w1, b1 = theta[:10].reshape(2, 5), theta[10:15]
    w2, b2 = theta[15:20].reshape(5, 1), theta[20:]
    z = (np.dot(np.tanh(np.dot(x, w1) + b1), w2) + b2)[:, 0]
    return np.mean(np.logaddexp(0.0, z) - y * z)


def each(f, points, *more):
    rows = zip(*(np.reshape(p, (-1, L.size)) for p in (points, *more)), strict=True)
    values = np.array([f(*row) for row in rows])
    return values.reshape(points.shape[:-1] + values.shape[1:])


def test_height_gradient_and_hessian_equal_the_autograd_package():
    np.testing.assert_allclose(L(POINTS), each(by_hand, POINTS), rtol=1e-13)
    slope, bend = autograd.grad(by_hand), autograd.hessian(by_hand)
    np.testing.assert_allclose(L.gradient(POINTS), each(slope, POINTS), atol=1e-14)
    np.testing.assert_allclose(L.hessian(POINTS), each(bend, POINTS), atol=1e-13)


def test_height_equals_scikit_learn():
    z = NET(THETA, DATA.x)[:, 0]
    assert L(THETA) == pytest.approx(log_loss(DATA.y, 1.0 / (1.0 + np.exp(-z))))


def test_value_and_gradient_are_both():
    value, gradient = L.value_and_gradient(POINTS)
    np.testing.assert_array_equal(value, L(POINTS))
    np.testing.assert_array_equal(gradient, L.gradient(POINTS))
    assert gradient.flags.writeable and gradient.flags.owndata


@given(seed=st.integers(0, 99), lead=st.sampled_from([(), (1,), (4,), (2, 3)]))
def test_hessian_vector_products(seed, lead):
    rng = np.random.default_rng(seed)
    theta, u, v = rng.normal(size=(3, *lead, L.size))
    Hv = L.hessian_vector(theta, v)
    assert Hv.shape == (*lead, L.size)
    np.testing.assert_allclose(Hv, (L.hessian(theta) @ v[..., None])[..., 0], atol=1e-12)
    np.testing.assert_allclose(  # symmetric: u.(Hv) = v.(Hu)
        np.vecdot(u, Hv), np.vecdot(v, L.hessian_vector(theta, u)), atol=1e-12
    )
    h = 1e-5
    differences = (L.gradient(theta + h * v) - L.gradient(theta - h * v)) / (2 * h)
    np.testing.assert_allclose(Hv, differences, atol=1e-7)


def test_hessian_vector_broadcasts():
    V = np.eye(L.size)
    np.testing.assert_allclose(L.hessian_vector(THETA, V), L.hessian(THETA), atol=1e-14)
    many = L.hessian_vector(POINTS, V[3])
    np.testing.assert_allclose(many, L.hessian(POINTS)[..., 3], atol=1e-14)


def test_linearize_keeps_its_graph():
    product = L.linearize(THETA)
    for v in np.random.default_rng(0).normal(size=(5, L.size)):
        np.testing.assert_allclose(product(v), L.hessian_vector(THETA, v), rtol=1e-13)
    with pytest.raises(ValueError, match="broadcast"):
        product(np.ones(3))


@pytest.mark.parametrize("memory", [512e6, 60e3])
@pytest.mark.parametrize("cache", [1, 2**15, 2**30])
def test_hessian_in_pieces(monkeypatch, memory, cache):
    whole = L.hessian(POINTS)
    monkeypatch.setattr("tinygrad_landscape.landscape.landscape.CACHE", cache)
    np.testing.assert_allclose(L.hessian(POINTS, memory=memory), whole, atol=1e-14)
    np.testing.assert_array_equal(whole, whole.mT)


def test_hessian_is_bounded_in_memory():
    import tracemalloc

    L.hessian(POINTS, memory=1e6)
    tracemalloc.start()
    L.hessian(POINTS, memory=1e6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6 + 3 * POINTS.size * L.size * 8  # the pieces, and the result


def test_a_hessian_too_large_is_refused_at_once():
    big = tl.Landscape(tl.Network(tl.Linear(2, 4000), tl.Linear(4000, 1)), L.loss, DATA)
    with pytest.raises(tl.ParameterError, match=r"above the limit of 2 GB; use hessian_vector"):
        big.hessian(np.zeros(big.size))
    with pytest.raises(tl.ParameterError, match=r"one point needs about .* raise memory="):
        L.hessian(THETA, memory=100)


def test_float32_is_kept_everywhere():
    theta = THETA.astype(np.float32)
    value, gradient = L.value_and_gradient(theta)
    assert L(theta).dtype == value.dtype == gradient.dtype == np.float32
    assert L.hessian(theta).dtype == L.hessian_vector(theta, theta).dtype == np.float32
    assert L.accuracy(theta).dtype == np.float32
    np.testing.assert_allclose(gradient, L.gradient(THETA), rtol=1e-4, atol=1e-6)
    line = tl.data.line(20, seed=0)
    fit = tl.Landscape(
        tl.Network(tl.Linear(1, 1)), lambda p, y: ((p - y) ** 2).mean((-2, -1)), line
    )
    assert fit(np.ones(2, np.float32)).dtype == np.float32
    regular = tl.Landscape(NET, L.loss, DATA, l1=0.1, l2=0.1)
    assert regular(theta).dtype == regular.gradient(theta).dtype == np.float32
    assert L([0] * L.size).dtype == np.float64


# Minibatches and masks ---------------------------------------------------------------------------


def test_a_batch_is_the_loss_of_those_samples():
    batch = [3, 1, 39]
    few = L.on((DATA.x[batch], DATA.y[batch]))
    np.testing.assert_array_equal(L(POINTS, batch=batch), few(POINTS))
    np.testing.assert_array_equal(L.gradient(POINTS, batch=batch), few.gradient(POINTS))
    np.testing.assert_allclose(L.hessian(POINTS, batch=batch), few.hessian(POINTS), atol=1e-14)
    v = np.ones(L.size)
    np.testing.assert_array_equal(
        L.hessian_vector(THETA, v, batch=batch), few.hessian_vector(THETA, v)
    )
    assert L.accuracy(THETA, batch=batch) == few.accuracy(THETA)


def test_minibatch_gradients_are_unbiased_and_their_noise_falls_like_one_over_root_b():
    full, parts = L.gradient(THETA), DATA.x.shape[0]
    single = np.array([L.gradient(THETA, batch=[i]) for i in range(parts)])
    np.testing.assert_allclose(single.mean(axis=0), full, atol=1e-15)
    spread = ((single - full) ** 2).sum(axis=-1).mean()
    rng = np.random.default_rng(0)
    for size in (1, 4, 16):
        draws = [L.gradient(THETA, batch=rng.integers(0, parts, size)) for _ in range(3000)]
        noise = ((np.array(draws) - full) ** 2).sum(axis=-1).mean()
        assert noise == pytest.approx(spread / size, rel=0.08)


DROP = tl.Network(tl.Linear(2, 6), tl.Tanh(), tl.Dropout(0.5), tl.Linear(6, 1))
DROPPED = tl.Landscape(DROP, L.loss, DATA)


def test_a_mask_is_drawn_once_per_call_and_shared_by_all_points():
    theta = np.tile(DROP.init(seed=0), (3, 1))
    rng = np.random.default_rng
    value, gradient = DROPPED.value_and_gradient(theta, rng=rng(1))
    assert value[0] == value[1] == value[2] != DROPPED(theta[0])
    np.testing.assert_array_equal(gradient[0], gradient[2])
    np.testing.assert_allclose(value, DROPPED(theta, rng=rng(1)), rtol=1e-14)
    assert DROPPED(theta[0], rng=rng(1)) != DROPPED(theta[0], rng=rng(2))
    assert DROPPED.stochastic and not L.stochastic
    nested = tl.Network(tl.Residual(tl.Linear(2, 2), tl.Dropout(0.5)), tl.Linear(2, 1))
    assert tl.Landscape(nested, L.loss, DATA).stochastic


@pytest.mark.parametrize("at_once", [1, 20, 10**6])
def test_a_hessian_with_a_mask_uses_one_mask(monkeypatch, at_once):
    monkeypatch.setattr(tl.Landscape, "points_at_once", lambda *args, **options: at_once)
    theta = DROP.init(seed=0, count=3)
    H = DROPPED.hessian(theta, rng=np.random.default_rng(3))
    for k in range(3):
        product = DROPPED.linearize(theta[k], rng=np.random.default_rng(3))
        wanted = np.stack([product(e) for e in np.eye(DROP.size)])
        np.testing.assert_allclose(H[k], wanted, atol=1e-14)


# Penalties, accuracy, other data -----------------------------------------------------------------


def test_penalties_are_part_of_the_height():
    penal = tl.Landscape(NET, L.loss, DATA, l1=0.03, l2=0.2)
    l1, l2 = np.abs(POINTS).sum(-1), (POINTS**2).sum(-1)
    np.testing.assert_allclose(penal(POINTS), L(POINTS) + 0.03 * l1 + 0.2 * l2, rtol=1e-14)
    wanted = L.gradient(POINTS) + 0.03 * np.sign(POINTS) + 0.4 * POINTS
    np.testing.assert_allclose(penal.gradient(POINTS), wanted, atol=1e-14)
    wanted = L.hessian(POINTS) + 0.4 * np.eye(L.size)
    np.testing.assert_allclose(penal.hessian(POINTS), wanted, atol=1e-13)
    assert "0.03·Σ|θ| + 0.2·Σθ²" in penal.describe()
    assert (penal.on(DATA)(THETA)) == penal(THETA)


def test_l2_is_a_weight_decay_of_twice_its_size():
    penal = tl.Landscape(NET, L.loss, DATA, l2=0.1)
    a = tl.descend(penal, THETA, tl.optim.SGD(0.1), steps=10)
    b = tl.descend(L, THETA, tl.optim.SGD(0.1, weight_decay=0.2), steps=10)
    np.testing.assert_allclose(a.points, b.points, atol=1e-13)


def test_accuracy_equals_scikit_learn():
    for theta in POINTS.reshape(-1, L.size):
        guess = NET(theta, DATA.x)[:, 0] > 0
        assert L.accuracy(theta) == accuracy_score(DATA.y, guess)
    assert L.accuracy(POINTS).shape == (2, 3)
    net = tl.Network(tl.Linear(2, 4))
    blobs = tl.data.blobs(50, classes=4, seed=0)
    many = tl.Landscape(net, tl.losses.cross_entropy, blobs)
    theta = net.init(seed=0, count=3)
    wanted = [accuracy_score(blobs.y, net(t, blobs.x).argmax(-1)) for t in theta]
    np.testing.assert_allclose(many.accuracy(theta), wanted)


def test_a_regression_has_no_accuracy():
    line = tl.Landscape(
        tl.Network(tl.Linear(1, 1)), tl.losses.mean_squared_error, tl.data.line(20, seed=0)
    )
    with pytest.raises(tl.ParameterError, match="this is a regression"):
        line.accuracy([1.0, 0.0])
    with pytest.raises(tl.ParameterError, match="no labels"):
        tl.formulas.himmelblau.accuracy([1.0, 0.0])


def test_on_takes_other_data():
    other = tl.data.moons(10, seed=5)
    there = L.on(other)
    assert there(THETA) == pytest.approx(by_hand(THETA, other.x, other.y))
    assert there.network is NET and there.loss is L.loss and L.data is DATA
    with pytest.raises(tl.ParameterError, match="has no data to exchange"):
        tl.formulas.himmelblau.on(other)


# Tensors -----------------------------------------------------------------------------------------


def test_a_tensor_gives_a_differentiable_tensor():
    t = tl.Tensor(THETA)
    y = L(t)
    assert isinstance(y, tl.Tensor)
    np.testing.assert_allclose(tl.gradients(y, [t])[0], L.gradient(THETA), rtol=1e-14)
    slope = L.gradient(t)
    assert isinstance(slope, tl.Tensor)
    v = np.ones(L.size)
    np.testing.assert_allclose(
        tl.gradients(slope, [t], seed=v)[0], L.hessian_vector(THETA, v), atol=1e-14
    )
    np.testing.assert_allclose(tl.grad(L)(THETA), L.gradient(THETA))


def test_a_landscape_can_be_part_of_a_larger_function():
    """d/dt of L on a line through weight space is the gradient along the line."""
    direction = np.random.default_rng(0).normal(size=L.size)
    along = tl.grad(lambda t: L(THETA + t * direction))
    assert along(0.3) == pytest.approx(L.gradient(THETA + 0.3 * direction) @ direction)


# What it is made of, and what is refused ----------------------------------------------------------


def test_names_size_and_words():
    assert L.size == NET.size == 21 and list(L.names) == list(NET.names)
    assert L.exact_curvature
    assert L.describe() == "Height of 21 weights: binary_cross_entropy on 40 samples."
    assert repr(L) == "Landscape(P=21, binary_cross_entropy on 40 samples)"
    line = tl.data.line(20, seed=0)
    huber = partial(tl.losses.huber, delta=0.5)
    assert "huber(delta=0.5) on 20" in repr(tl.Landscape(tl.Network(tl.Linear(1, 1)), huber, line))


def test_a_pair_is_data():
    same = tl.Landscape(NET, L.loss, (DATA.x, DATA.y))
    assert same(THETA) == L(THETA) and isinstance(same.data, tl.Data)


def test_pickle(tmp_path):
    fresh = len(pickle.dumps(L.on(DATA)))
    L(THETA.astype(np.float32))
    L.hessian(THETA)
    assert len(pickle.dumps(L)) == fresh  # what was cast or measured on the way stays at home
    twin = pickle.loads(pickle.dumps(L))
    np.testing.assert_array_equal(twin.gradient(POINTS), L.gradient(POINTS))
    assert twin(THETA.astype(np.float32)) == L(THETA.astype(np.float32))
    huber = tl.Landscape(
        tl.Network(tl.Linear(1, 1)), partial(tl.losses.huber, delta=0.5), tl.data.line(20, seed=0)
    )
    assert pickle.loads(pickle.dumps(huber))([1.0, 2.0]) == huber([1.0, 2.0])


def test_what_cannot_be_pickled_says_so():
    own = tl.Landscape(NET, lambda p, y: (p * p).mean((-2, -1)), DATA)
    with pytest.raises(tl.NotPicklableError, match="loss <lambda> cannot travel"):
        pickle.dumps(own)


def test_nothing_is_changed_and_nothing_is_shared():
    theta = THETA.copy()
    for call in (L, L.gradient, L.hessian):
        call(theta)
    np.testing.assert_array_equal(theta, THETA)
    g = L.gradient(theta)
    g[:] = 0.0
    assert L.gradient(theta).any()


def test_no_warnings_far_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in (1e3, -1e3):
            value, gradient = L.value_and_gradient(scale * THETA)
            assert np.isfinite(value) and np.isfinite(gradient).all()
            L.hessian(scale * THETA)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: L([1.0, 2.0]), tl.ShapeError, r"got theta of shape \(2,\); expected \(..., 21\)"),
        (lambda: L(3.0), tl.ShapeError, r"shape \(\)"),
        (lambda: L(np.zeros(21, complex)), tl.ParameterError, "expected real numbers"),
        (lambda: L.gradient(np.zeros((21, 2))), tl.ShapeError, r"expected \(..., 21\)"),
        (lambda: L.hessian_vector(THETA, np.ones(3)), tl.ShapeError, r"expected \(..., 21\)"),
        (lambda: L(THETA, batch=[]), tl.ParameterError, "at least one integer"),
        (lambda: L(THETA, batch=[0.5]), tl.ParameterError, "at least one integer"),
        (lambda: L(THETA, batch=[[1]]), tl.ParameterError, "at least one integer"),
        (lambda: tl.Landscape(NET, L.loss, DATA, l2=-1.0), tl.ParameterError, "got l2=-1.0"),
        (lambda: tl.Landscape(NET, L.loss, DATA, l1=np.nan), tl.ParameterError, "got l1=nan"),
        (
            lambda: tl.Landscape(NET, lambda p, y: (p[..., 0] - y) ** 2, DATA),
            tl.ShapeError,
            "expected one number",
        ),
    ],
)
def test_nonsense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_loss_that_does_not_fit_the_data_is_refused_when_built():
    with pytest.raises(ValueError):
        tl.Landscape(
            tl.Network(tl.Linear(2, 2)), tl.losses.cross_entropy, tl.data.blobs(20, classes=4)
        )
    with pytest.raises(ValueError):
        tl.Landscape(tl.Network(tl.Linear(3, 1)), tl.losses.binary_cross_entropy, DATA)
