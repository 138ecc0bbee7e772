"""`Initialization`: sizes per layer are those of a network written by hand."""

from functools import partial

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Initialization


@pytest.fixture(scope="module")
def panel():
    return Initialization()


def by_hand(panel, theta):
    """Root mean squares of activations and weight gradients of the tanh network, in plain loops."""
    parts = panel.network.unpack(theta)
    names = [name for name in parts if name.endswith("weight")]
    x, y = panel.landscape.data
    signals = [x]
    for name in names[:-1]:
        signals.append(np.tanh(signals[-1] @ parts[name] + parts[name.replace("weight", "bias")]))
    logit = signals[-1] @ parts[names[-1]]
    back = (1.0 / (1.0 + np.exp(-logit)) - y[:, None]) / len(x)
    slopes = []
    for name, signal in zip(reversed(names), reversed(signals), strict=True):
        slopes.insert(0, signal.T @ back)
        back = back @ parts[name].T * (1.0 - signal**2)
    size = lambda values: np.sqrt((values**2).mean())  # noqa: E731
    return [size(s) for s in signals[1:]], [size(s) for s in slopes]


@pytest.mark.parametrize("scheme", ["σ .01", "Glorot", "σ 1"])
def test_sizes_are_right(panel, scheme):
    how, gain = panel.schemes[scheme]
    sizes, slopes = by_hand(panel, panel.network.init(0, how, gain=gain))
    assert np.allclose(panel._every[scheme][0], sizes, rtol=1e-10)
    assert np.allclose(panel._every[scheme][1], slopes, rtol=1e-7, atol=0.0)


def test_p8_the_network():
    network = Initialization().network
    assert network.size == 2 * 32 + 32 + 7 * (32 * 32 + 32) + 33
    assert sum(isinstance(layer, tl.Tanh) for layer in network.layers) == 8


def test_p8_what_each_start_does(panel):
    """The numbers lesson 5 prints, as orders of magnitude over five seeds."""
    for seed in range(5):
        panel.controls["seed"].value = seed
        every = panel._every
        assert not every["zero"][1].any()
        sizes, slopes, _ = every["σ .01"]
        assert sizes[-1] / sizes[0] < 1e-8 and slopes.max() < 1e-10  # signals die, all gradients
        sizes, slopes, _ = every["Glorot"]
        assert 0.3 < sizes[-1] / sizes[0] < 1.0 and 0.3 < slopes[0] / slopes[-1] < 3.0
        sizes, slopes, strips = every["σ 1"]
        assert (np.abs(strips[-1]) > 0.99).mean() > 0.5 and slopes[0] / slopes[-2] > 20.0
    panel.reset()


@pytest.mark.parametrize(
    "scheme, words",
    [
        ("zero", "exactly 0, so no step ever moves one"),
        ("σ .01", "the signal dies out"),
        ("Glorot", "both keep their size"),
        ("σ 1", "of the last layer's activations lie beyond .99"),
    ],
)
def test_the_sentence_says_what_happens(panel, scheme, words):
    panel.controls["scheme"].value = scheme
    assert panel.describe().startswith(scheme) and words in panel.describe()
    panel.reset()


def test_play_sends_signals_forward_and_gradients_back(panel):
    sizes = panel.player.scene.layers["size Glorot"].data[:, 0, 1]
    slopes = panel.player.scene.layers["slope Glorot"].data[:, 0, 1]
    assert len(sizes) == panel.player.frames == 1 + 8 + 9
    assert np.allclose(sizes[1:9], panel._every["Glorot"][0]) and np.isnan(sizes[9:]).all()
    assert np.allclose(slopes[9:], panel._every["Glorot"][1][::-1]) and np.isnan(slopes[:9]).all()
    points = panel.player.scene.layers["size at σ 1"].data
    assert np.isfinite(points[5]).all(axis=-1).sum() == 5  # five layers reached, and they stay


def test_strips_are_histograms(panel):
    grid = panel.player.scene.layers["strips"].row(8)
    strip = panel._every["Glorot"][2][2]  # the third hidden layer
    counts = np.histogram(strip, np.linspace(-1.0, 1.0, 42))[0]
    assert np.allclose(grid[2 * 8 + 4], np.sqrt(counts / counts.max()))
    assert np.isnan(grid[::8]).all()  # nothing between the strips
    assert np.isnan(panel.player.scene.layers["strips"].row(0)).all()


def test_scale_and_seed(panel):
    panel.controls["scheme"].value, panel.controls["scale"].value = "σ .01", 100.0 / 10.0
    how, _ = panel.schemes["σ .01"]
    sizes, _ = by_hand(panel, panel.network.init(0, how, gain=0.1))
    assert np.allclose(panel._chosen[0], sizes)
    assert panel.describe().startswith("10 × σ .01")
    before = panel._every["Glorot"][0]
    panel.controls["seed"].value = 3
    assert not np.array_equal(before, panel._every["Glorot"][0])
    panel.reset()
    assert np.array_equal(before, panel._every["Glorot"][0])


def test_a_network_of_the_reader():
    net = tl.Network(tl.Linear(2, 6), tl.ReLU(), tl.Linear(6, 6), tl.ReLU(), tl.Linear(6, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(40))
    panel = Initialization(L, schemes={"He": ("he_normal", 1.0), "double": ("he_normal", 2.0)})
    assert panel.state["scheme"] == "He" and panel.player.frames == 1 + 2 + 3
    outputs = net.activations(net.init(0, "he_normal"), L.data.x)
    assert np.isclose(panel._chosen[0][1], np.sqrt((outputs[3] ** 2).mean()))
    assert panel.player.png()[1:4] == b"PNG"


def test_state_code_and_reset(panel):
    panel.controls["scheme"].value = "σ 1"
    panel.seek(11)
    code, words = panel.code, panel.describe()
    panel.reset()
    assert panel.state["scheme"] == "Glorot"
    panel.load(code)
    assert (panel.code, panel.describe(), panel.player.frame) == (code, words, 11)
    panel.reset()


@pytest.mark.parametrize(
    "make, words",
    [
        (partial(Initialization, tl.formulas.himmelblau), "a network's landscape"),
        (partial(Initialization, scheme="He"), "expected one of at most"),
        (partial(Initialization, schemes={}), "expected one of at most"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(tl.ParameterError, match=words):
        make()


def test_a_linear_network_has_nothing_to_look_at():
    L = tl.Landscape(tl.Network(tl.Linear(1, 1)), tl.losses.huber, tl.data.line(5))
    with pytest.raises(tl.ParameterError, match="no hidden activations"):
        Initialization(L)
