"""Every layer: leading axes, derivatives, and agreement with somebody else's mathematics."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal, special

import tinygrad_landscape as tl
from tinygrad_landscape import network
from tinygrad_landscape.engine import Tensor, gradients

IMAGE = (2, 6, 6)
ELEMENTWISE = [
    tl.Tanh(),
    tl.ReLU(),
    tl.LeakyReLU(0.1),
    tl.ELU(0.7),
    tl.Sigmoid(),
    tl.Softplus(),
    tl.GELU(),
    tl.SiLU(),
    tl.Sine(),
    tl.Identity(),
]
STACKS = {
    **{repr(a): ((3,), [tl.Linear(3, 4), a, tl.Linear(4, 2)]) for a in ELEMENTWISE},
    "no bias": ((3,), [tl.Linear(3, 4, bias=False), tl.Tanh(), tl.Linear(4, 2, bias=False)]),
    "LayerNorm": ((3,), [tl.Linear(3, 4), tl.LayerNorm(4), tl.Tanh(), tl.Linear(4, 2)]),
    "BatchNorm": ((3,), [tl.Linear(3, 4), tl.BatchNorm(4), tl.Tanh(), tl.Linear(4, 2)]),
    "Dropout": ((3,), [tl.Dropout(0.3), tl.Linear(3, 4), tl.Tanh(), tl.Dropout(), tl.Linear(4, 2)]),
    "Residual": (
        (3,),
        [
            tl.Residual(tl.Linear(3, 5), tl.Tanh(), tl.Dropout(0.2), tl.Linear(5, 3)),
            tl.Linear(3, 2),
        ],
    ),
    "conv": (
        IMAGE,
        [tl.Conv2d(2, 3, 3, padding=1), tl.Tanh(), tl.MaxPool2d(2), tl.Flatten(), tl.Linear(27, 2)],
    ),
    "conv stride": (
        IMAGE,
        [tl.Conv2d(2, 3, 2, stride=2), tl.Tanh(), tl.Dropout(0.5), tl.Flatten(), tl.Linear(27, 2)],
    ),
    "pool overlap": (
        IMAGE,
        [tl.AvgPool2d(3, stride=1), tl.MaxPool2d(2, 1), tl.Flatten(), tl.Linear(18, 2)],
    ),
    "image norms": (
        IMAGE,
        [
            tl.LayerNorm(IMAGE),
            tl.Residual(tl.Conv2d(2, 2, 3, padding=1), tl.BatchNorm(2, image=True), tl.Tanh()),
            tl.AvgPool2d(2),
            tl.Flatten(),
            tl.Linear(18, 2),
        ],
    ),
}


def built(name):
    inner, layers = STACKS[name]
    return tl.Network(*layers, input=inner), inner


def everything(f, theta, v):
    """Value, gradient and Hessian-vector product of the sum over leading axes of f(θ)."""
    t = Tensor(theta)
    value = f(t)
    (g,) = gradients(value, [t], np.ones(value.shape), create_graph=True)
    (h,) = gradients(g, [t], seed=v)
    return value.data, g.data, h


def check_batched_is_looped(f, theta, v):
    together = everything(f, theta, v)
    for place in np.ndindex(theta.shape[:-1]):
        alone = everything(f, theta[place], v[place])
        for a, b in zip(together, alone, strict=True):
            assert np.allclose(a[place], b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", STACKS)
@given(seed=st.integers(0, 999), lead=st.sampled_from([(1,), (3,), (2, 2)]))
def test_batched_equals_looped_for_every_layer(name, seed, lead):
    net, inner = built(name)
    rng = np.random.default_rng(seed)
    theta, v = rng.normal(size=(2, *lead, net.size))
    x, y = rng.normal(size=(4, *inner)), rng.normal(size=(4, 2))

    def f(t):
        return tl.losses.half_squared_error(net(t, x, rng=np.random.default_rng(seed)), y)

    check_batched_is_looped(f, theta, v)


@pytest.mark.parametrize("loss", tl.losses.__all__)
@given(seed=st.integers(0, 999), lead=st.sampled_from([(1,), (3,), (2, 2)]))
def test_batched_equals_looped_for_every_loss(loss, seed, lead):
    rng = np.random.default_rng(seed)
    f = getattr(tl.losses, loss)
    if loss in ("binary_cross_entropy", "hinge", "squared_hinge", "focal"):
        outputs, y = 1, rng.integers(0, 2, 5)
    elif loss == "cross_entropy":
        outputs, y = 3, rng.integers(0, 3, 5)
    elif loss == "kl_divergence":
        outputs, y = 3, rng.dirichlet(np.ones(3), 5)
    else:
        outputs, y = 2, rng.normal(size=(5, 2))
    net = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, outputs))
    theta, v = 2.0 * rng.normal(size=(2, *lead, net.size))
    x = rng.normal(size=(5, 2))
    check_batched_is_looped(lambda t: f(net(t, x), y), theta, v)


@pytest.mark.parametrize("name", STACKS)
def test_derivatives_agree_with_finite_differences_to_second_order(name):
    net, inner = built(name)
    rng = np.random.default_rng(1)
    theta = rng.normal(size=net.size)
    x = rng.normal(size=(4, *inner))
    weights = rng.normal(size=(4, 2))

    def f(t):
        return np.sum(weights * net(t, x, rng=np.random.default_rng(5)))

    tl.check_gradients(f, theta, order=2)


def test_a_whole_hessian_agrees_with_another_autograd():
    net = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
    rng = np.random.default_rng(0)
    theta, x, y = rng.normal(size=net.size), rng.normal(size=(7, 2)), rng.integers(0, 2, 7)

    def ours(t):
        return tl.losses.binary_cross_entropy(net(t, x), y)

    def theirs(t):
        h = anp.tanh(anp.dot(x, t[:6].reshape(2, 3)) + t[6:9])
        z = anp.dot(h, t[9:12]) + t[12]
        return anp.mean(anp.logaddexp(0.0, z) - y * z)

    assert np.allclose(ours(theta), theirs(theta), rtol=1e-13)
    assert np.allclose(tl.hessian(ours)(theta), autograd.hessian(theirs)(theta), atol=1e-13)


def test_activations_agree_with_scipy():
    x = np.linspace(-6.0, 6.0, 41)
    oracle = {
        "Tanh()": np.tanh(x),
        "ReLU()": np.maximum(x, 0),
        "LeakyReLU(slope=0.1)": np.where(x > 0, x, 0.1 * x),
        "ELU(alpha=0.7)": np.where(x > 0, x, 0.7 * special.expm1(x)),
        "Sigmoid()": special.expit(x),
        "Softplus()": np.logaddexp(0, x),
        "GELU()": x * special.ndtr(x),
        "SiLU()": x * special.expit(x),
        "Sine()": np.sin(x),
        "Identity()": x,
    }
    assert {repr(a) for a in ELEMENTWISE} == oracle.keys()
    for activation in ELEMENTWISE:
        assert np.allclose(activation(x), oracle[repr(activation)], rtol=1e-12, atol=1e-15)


@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    height=st.integers(4, 7),
    width=st.integers(4, 7),
)
def test_conv2d_is_scipys_cross_correlation(kernel, stride, padding, height, width):
    rng = np.random.default_rng(kernel + 10 * stride)
    net = tl.Network(tl.Conv2d(2, 3, kernel, stride, padding), input=(2, height, width))
    theta, x = rng.normal(size=net.size), rng.normal(size=(2, 2, height, width))
    part = net.unpack(theta)
    assert part["0.weight"].shape == (3, 2, kernel, kernel)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    expected = [
        [
            part["0.bias"][o]
            + sum(
                signal.correlate2d(padded[n, c], part["0.weight"][o, c], "valid") for c in range(2)
            )[::stride, ::stride]
            for o in range(3)
        ]
        for n in range(2)
    ]
    assert np.allclose(net(theta, x), expected, rtol=1e-12, atol=1e-12)
    assert str(np.shape(expected)[1:])[1:-1] in str(net)


@given(kernel=st.integers(1, 3), stride=st.sampled_from([None, 1, 2, 3]), size=st.integers(3, 7))
def test_pools_are_the_maximum_and_mean_of_each_window(kernel, stride, size):
    x = np.random.default_rng(size).normal(size=(2, 3, size, size + 1))
    step = stride or kernel
    rows = range(0, size - kernel + 1, step)
    columns = range(0, size + 1 - kernel + 1, step)
    for layer, reduce in (
        (tl.MaxPool2d(kernel, stride), np.max),
        (tl.AvgPool2d(kernel, stride), np.mean),
    ):
        expected = np.stack(
            [
                np.stack(
                    [
                        reduce(x[..., i : i + kernel, j : j + kernel], axis=(-2, -1))
                        for j in columns
                    ],
                    axis=-1,
                )
                for i in rows
            ],
            axis=-2,
        )
        assert np.allclose(layer(x), expected, rtol=1e-13)


def test_ties_in_a_window_share_the_gradient():
    t = Tensor(np.zeros((1, 1, 2, 2)))
    (g,) = gradients(np.sum(tl.MaxPool2d(2)(t)), [t])
    assert (g == 0.25).all()


def test_flatten_keeps_the_order_of_the_pixels():
    x = np.arange(2.0 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
    assert np.array_equal(tl.Flatten()(x), x.reshape(2, 3, 120))


def test_eps_is_added_to_the_variance():
    x = np.array([[-1.0], [1.0]])  # variance 1
    net = tl.Network(tl.BatchNorm(1, eps=3.0))
    assert np.allclose(net(net.init(), x), x / 2.0)
    net = tl.Network(tl.LayerNorm(2, eps=3.0))
    assert np.allclose(net(net.init(), x.T), x.T / 2.0)


def test_layer_norm_standardises_each_sample_and_batch_norm_each_feature():
    rng = np.random.default_rng(0)
    x = 5.0 + 3.0 * rng.normal(size=(50, 4))
    for layer, axis in ((tl.LayerNorm(4, eps=0.0), 1), (tl.BatchNorm(4, eps=0.0), 0)):
        net = tl.Network(layer)
        y = net(net.init(), x)
        assert np.allclose(y.mean(axis=axis), 0.0, atol=1e-12)
        assert np.allclose(y.std(axis=axis), 1.0, atol=1e-12)
    image = rng.normal(size=(6, 3, 4, 5))
    for layer, axes in (
        (tl.LayerNorm((3, 4, 5), eps=0.0), (1, 2, 3)),
        (tl.BatchNorm(3, image=True, eps=0.0), (0, 2, 3)),
    ):
        net = tl.Network(layer)
        y = net(net.init(), image)
        assert np.allclose(y.mean(axis=axes), 0.0, atol=1e-12)
        assert np.allclose(y.std(axis=axes), 1.0, atol=1e-12)
        theta = net.pack(
            {
                "0.weight": np.full(net.layout[0].shape, 2.0),
                "0.bias": net.unpack(net.init())["0.bias"] + 1,
            }
        )
        assert np.allclose(net(theta, image), 2.0 * y + 1.0)


def test_batch_norm_uses_the_statistics_of_the_reference_at_the_same_theta():
    rng = np.random.default_rng(0)
    net = tl.Network(
        tl.Linear(2, 3), tl.Residual(tl.BatchNorm(3, eps=0.0), tl.Tanh()), tl.Linear(3, 1)
    )
    theta, train, new = (
        rng.normal(size=(2, net.size)),
        rng.normal(size=(20, 2)),
        rng.normal(size=(4, 2)),
    )
    part = [net.unpack(t) for t in theta]
    for i, p in enumerate(part):
        h = train @ p["0.weight"] + p["0.bias"]
        z = new @ p["0.weight"] + p["0.bias"]
        n = (z - h.mean(0)) / h.std(0) * p["1.0.weight"] + p["1.0.bias"]
        expected = (z + np.tanh(n)) @ p["2.weight"] + p["2.bias"]
        assert np.allclose(net(theta, new, reference=train)[i], expected, rtol=1e-12)
    assert np.allclose(net(theta, train, reference=train), net(theta, train), rtol=1e-12)
    assert [a.shape for a in net.activations(theta, new, reference=train)] == [
        (2, 4, 3),
        (2, 4, 3),
        (2, 4, 1),
    ]
    one = net(theta, new[:1], reference=train)  # a single sample is fine with a reference
    assert np.allclose(one, net(theta, new, reference=train)[:, :1])
    with pytest.raises(tl.ShapeError, match="reference="):
        net(theta, new[:1])


def test_batch_norm_of_images_uses_the_reference_too():
    rng = np.random.default_rng(0)
    net = tl.Network(tl.BatchNorm(2, image=True, eps=0.0))
    train, new = rng.normal(size=(5, 2, 3, 3)), rng.normal(size=(2, 2, 3, 3))
    mean = train.mean((0, 2, 3), keepdims=True)[0]
    expected = (new - mean) / train.std((0, 2, 3), keepdims=True)[0]
    assert np.allclose(net(net.init(), new, reference=train), expected)


def test_dropout_acts_only_with_an_rng_and_shares_its_mask():
    net = tl.Network(tl.Dropout(0.25), tl.Linear(40, 1, bias=False))
    assert net.stochastic
    assert not tl.Network(tl.Linear(2, 1)).stochastic
    assert tl.Network(tl.Residual(tl.Dropout())).stochastic
    theta, x = np.ones((3, net.size)), np.ones((500, 40))
    assert np.allclose(net(theta, x), 40.0)
    outputs = net.activations(theta, x, rng=np.random.default_rng(0))
    mask = outputs[0]
    assert mask.shape == (500, 40)  # x has no leading axes, so neither has the mask
    assert set(np.unique(mask)) == {0.0, 1.0 / 0.75}
    assert abs((mask > 0).mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / mask.size)
    assert (outputs[1][0] == outputs[1][1]).all()
    assert np.array_equal(net(theta, x, rng=np.random.default_rng(0)), outputs[1])
    later = tl.Network(tl.Linear(2, 6), tl.Dropout(0.5))
    y = later(np.ones((4, later.size)), np.ones((5, 2)), rng=np.random.default_rng(1))
    assert y.shape == (4, 5, 6)
    assert (y == y[0]).all()
    assert y.min() == 0.0 < y.max()
    for p in (-0.1, 1.0, np.nan):
        with pytest.raises(tl.ParameterError, match="probability"):
            tl.Dropout(p)


def test_dropout_of_images_draws_one_mask_for_all_points():
    net = tl.Network(tl.Conv2d(1, 2, 3), tl.Dropout(0.5), input=(1, 5, 5))
    y = net(np.ones((3, net.size)), np.ones((4, 1, 5, 5)), rng=np.random.default_rng(0))
    assert (y == y[0]).all()
    assert 0.0 in y


def test_a_layer_of_ones_own_needs_only_its_function():
    class Square(network.Layer):
        def __call__(self, x):
            return x * x

    net = tl.Network(tl.Linear(2, 3), Square(), tl.Residual(Square()))
    theta = net.init()
    z = net.activations(theta, np.ones((4, 2)))[0]
    assert np.allclose(net(theta, np.ones((4, 2))), z**2 + z**4)
    assert "Square()" in str(net)
    tl.check_gradients(lambda t: np.sum(net(t, np.ones((4, 2)))), theta, order=2)


def test_residual_refuses_a_change_of_shape():
    with pytest.raises(tl.ShapeError, match="leads back"):
        tl.Residual(tl.Linear(2, 3))
    with pytest.raises(tl.ShapeError, match="Residual: layer 1"):
        tl.Residual(tl.Linear(2, 3), tl.Linear(2, 2))
    with pytest.raises(tl.ShapeError, match="same shape"):
        tl.Network(tl.Residual(tl.Conv2d(1, 1, 3)), input=(1, 8, 8))
    net = tl.Network(tl.Linear(2, 2), tl.Residual(tl.Tanh(), tl.Linear(2, 2)))
    assert net.names[6] == "1.1.weight[0,0]"
    assert repr(net.layers[1]) == "Residual(Tanh(), Linear(2, 2))"


def test_float32_images_stay_float32_to_second_order():
    net, inner = built("image norms")
    t = Tensor(net.init(dtype=np.float32))
    x = np.random.default_rng(0).normal(size=(3, *inner))
    (g,) = gradients(np.sum(net(t, x) ** 2), [t], create_graph=True)
    (h,) = gradients(np.sum(g * g), [t])
    assert net(t, x).dtype == g.dtype == h.dtype == np.float32


@pytest.mark.parametrize("name", ["LayerNorm", "BatchNorm", "conv", "Residual"])
def test_no_warnings_at_a_thousand(name, recwarn):
    net, inner = built(name)
    t = Tensor(np.full(net.size, 1000.0))
    (g,) = gradients(np.sum(net(t, np.full((3, *inner), -1000.0))), [t])
    assert np.isfinite(g).all()
    assert not recwarn.list
