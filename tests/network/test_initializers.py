"""Initializers: scale, independence, overrides; orthogonal is orthogonal."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import initializers

INS, OUTS = 200, 500
NET = tl.Network(tl.Linear(INS, OUTS))
STDS = {
    "uniform": 1.0 / np.sqrt(3.0),
    "normal": 1.0,
    "glorot_uniform": np.sqrt(2.0 / (INS + OUTS)),
    "glorot_normal": np.sqrt(2.0 / (INS + OUTS)),
    "he_uniform": np.sqrt(2.0 / INS),
    "he_normal": np.sqrt(2.0 / INS),
    "lecun_normal": np.sqrt(1.0 / INS),
}


@pytest.mark.parametrize("scheme", STDS)
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_the_standard_deviation_is_the_theorys(scheme, gain):
    weight = NET.unpack(NET.init(seed=1, scheme=scheme, gain=gain))["0.weight"]
    assert weight.size == 100_000
    assert weight.std() == pytest.approx(gain * STDS[scheme], rel=0.02)
    assert abs(weight.mean()) < 5 * weight.std() / np.sqrt(weight.size)
    bounded = np.abs(weight).max() <= np.sqrt(3.0) * gain * STDS[scheme]
    assert bounded == ("uniform" in scheme)


def test_every_scheme_has_a_name_and_a_test():
    assert set(initializers.SCHEMES) == {*STDS, "zeros", "constant", "orthogonal"}


@pytest.mark.parametrize("layer", [tl.Linear(6, 4), tl.Linear(4, 6), tl.Conv2d(2, 5, 3)])
def test_orthogonal_is_orthogonal(layer):
    net = tl.Network(layer)
    for weight in net.unpack(net.init(seed=3, scheme="orthogonal", gain=2.0, count=4))["0.weight"]:
        matrix = weight.reshape(len(weight), -1)
        gram = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
        assert np.allclose(gram, 4.0 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_matrices_are_uniformly_distributed():
    """Of a Haar-distributed 2 x 2 matrix the trace has mean 0 and variance 1; plain QR, whose first
    diagonal entries are all of one sign, has not."""
    net = tl.Network(tl.Linear(2, 2, bias=False))
    theta = net.init(seed=0, scheme="orthogonal", count=20_000)
    trace = theta[:, 0] + theta[:, 3]
    assert abs(trace.mean()) < 5 / np.sqrt(20_000)
    assert trace.var() == pytest.approx(1.0, rel=0.05)


def test_fans_of_a_convolution_count_the_whole_kernel():
    net = tl.Network(tl.Conv2d(50, 100, 5))
    weight = net.unpack(net.init(scheme="he_normal"))["0.weight"]
    assert weight.std() == pytest.approx(np.sqrt(2.0 / (50 * 25)), rel=0.02)
    weight = net.unpack(net.init(scheme="glorot_normal"))["0.weight"]
    assert weight.std() == pytest.approx(np.sqrt(2.0 / (150 * 25)), rel=0.02)


def test_schemes_are_for_weights_only():
    net = tl.Network(tl.Linear(3, 4), tl.LayerNorm(4), tl.BatchNorm(4))
    for scheme in initializers.SCHEMES:
        part = net.unpack(net.init(seed=0, scheme=scheme, gain=0.5))
        assert (part["0.bias"] == 0.0).all()
        for name in ("1", "2"):
            assert (part[f"{name}.weight"] == 1.0).all()
            assert (part[f"{name}.bias"] == 0.0).all()
    part = net.unpack(net.init(layers={"0.bias": "normal", "1.weight": ("constant", 2.0)}))
    assert part["0.bias"].std() > 0.1
    assert (part["1.weight"] == 2.0).all()


SMALL = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Residual(tl.Linear(3, 3)), tl.Linear(3, 1))


def test_points_are_independent_and_the_first_is_the_single_one():
    many = SMALL.init(seed=5, count=4)
    assert many.shape == (4, SMALL.size)
    assert np.array_equal(many[0], SMALL.init(seed=5))
    assert np.array_equal(SMALL.init(seed=5), SMALL.init(seed=5))
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(SMALL.init(seed=5), SMALL.init(seed=6))
    assert many.flags.writeable
    low = SMALL.init(seed=5, dtype=np.float32)
    assert low.dtype == np.float32
    assert np.array_equal(low, SMALL.init(seed=5).astype(np.float32))


def test_arrays_draw_from_generators_of_their_own():
    plain = SMALL.unpack(SMALL.init(seed=0))
    other = SMALL.unpack(SMALL.init(seed=0, layers={"0": "zeros"}))
    assert (other["0.weight"] == 0.0).all()
    assert np.array_equal(plain["2.0.weight"], other["2.0.weight"])
    part = {name: w for name, w in plain.items() if w.size == 9}
    assert len({w.tobytes() for w in part.values()}) == len(part)


def test_layers_override_by_layer_and_by_array():
    part = SMALL.unpack(
        SMALL.init(
            gain=2.0,
            layers={
                "0": ("constant", 0.25),
                "0.bias": ("constant", -1.0),
                "2": "constant",
                3: lambda rng, shape, fans, gain: np.full(shape, fans[0] * gain),
            },
        )
    )
    assert (part["0.weight"] == 0.25).all()
    assert (part["0.bias"] == -1.0).all()
    assert (part["2.0.weight"] == 2.0).all()
    assert (part["3.weight"] == 6.0).all()


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"scheme": "he_normale"}, "did you mean 'he_normal'"),
        ({"layers": {"7": "zeros"}}, r"\['7'\].*0\.weight"),
        ({"count": 0}, "count=0"),
        ({"dtype": int}, "floating-point"),
        ({"gain": np.nan}, "gain=nan"),
        ({"scheme": lambda rng, shape, fans, gain: np.zeros(3)}, "gave shape"),
    ],
)
def test_what_makes_no_sense_is_refused(options, mend):
    with pytest.raises((tl.ParameterError, tl.ShapeError), match=mend):
        SMALL.init(**options)


def test_a_deep_tanh_net_keeps_its_signal_only_at_the_right_scale():
    """Glorot's promise and its two failures: spread after 8 layers of 32."""
    layers = [layer for _ in range(8) for layer in (tl.Linear(32, 32), tl.Tanh())]
    net = tl.Network(*layers)
    x = np.random.default_rng(0).normal(size=(200, 32))

    def spread(**how):
        return net(net.init(seed=0, **how), x).std()

    assert spread(scheme="normal", gain=0.01) < 1e-8
    assert 0.15 < spread(scheme="glorot_normal") < 0.5
    assert spread(scheme="normal", gain=1.0) > 0.85  # saturated: most outputs near +-1
    assert (net(net.init(scheme="zeros"), x) == 0.0).all()
