"""`Flatness`: rescaling changes the measures and not the function; wider is not simply flatter."""

import numpy as np
import pytest
from scipy.differentiate import hessian

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Flatness, minima


@pytest.fixture(scope="module")
def default():
    return Flatness()


@pytest.fixture(scope="module")
def wide():
    return Flatness(preset="width", style="dark")


@pytest.fixture(autouse=True)
def opened(default):
    yield
    default.reset()


def by_hand(landscape, theta, alpha):
    """The twin from the layout, without `relu_twin`."""
    other = theta.copy()
    for slot in landscape.network.layout:
        factor = {"0.weight": alpha, "0.bias": alpha, "2.weight": 1 / alpha}.get(slot.name, 1.0)
        other[slot.start : slot.stop] *= factor
    return other


@pytest.mark.parametrize("alpha", [0.1, 0.5, 3.0, 10.0])
def test_a_twin_answers_the_same_and_is_sharper_or_flatter(default, alpha):
    default.controls["alpha"].value = alpha
    one, two = default._original, default.minimum
    x = default.landscape.data.x
    net, other = default.landscape.network, by_hand(default.landscape, default.theta, alpha)
    assert np.abs(net(other, x) - net(default.theta, x)).max() < 1e-10
    assert two.differs < 1e-10 and two.loss == pytest.approx(one.loss, rel=1e-12)
    values = np.linalg.eigvalsh(default.landscape.hessian(other))
    assert two.measures[:2] == pytest.approx((values[-1], values.sum()), rel=1e-9)
    assert two.measures[4] == pytest.approx(one.measures[4], rel=1e-9)
    assert two.measures[0] > 1.3 * one.measures[0]
    assert f"from {one.measures[0]:.3g} to {two.measures[0]:.3g}" in default.describe()
    assert "adaptive SAM stays as it was" in default.describe()


def test_the_curvature_is_that_of_scipy():
    net = tl.Network(tl.Linear(1, 2), tl.Tanh(), tl.Linear(2, 1))
    land = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(12, seed=3))
    theta = net.init(seed=1)
    found = minima.measured(land, theta, 1.0)
    full = hessian(lambda p: land(np.moveaxis(p, 0, -1)), theta).ddf
    values = np.linalg.eigvalsh(full)
    assert found.measures[:2] == pytest.approx((values[-1], values.sum()), rel=1e-5)
    middle = found.valley[99:102, 1]
    bend = (middle[0] - 2.0 * middle[1] + middle[2]) / (
        found.valley[1, 0] - found.valley[0, 0]
    ) ** 2
    assert bend == pytest.approx(values[-1], rel=0.01)


def test_play_sweeps_alpha_and_ends_at_the_readers_own(default):
    default.controls["alpha"].value = 2.0
    at = default.player.scene.layers["readout"].data[:, 0, 0]
    assert at[0] == 0.1 and at[20] == 1.0 and at[40] == 10.0 and at[41] == 2.0
    assert default.player.frames == 42
    cursor = default.player.scene.layers["cursor"].data
    assert np.allclose(cursor[20, :, 1], 1.0)
    assert np.array_equal(default.player.scene.layers["valley"].data[41], default.minimum.valley)
    code = default.code
    default.reset()
    default.load(code)
    assert default.state["alpha"] == 2.0


def test_wider_is_sharper_in_one_direction_and_flatter_on_average(wide):
    for group in wide._seeds:
        assert all(0.9 * minima.ENOUGH < one.loss <= minima.ENOUGH for one in group)
    mean = wide._means()
    assert (np.diff(mean[:, 0]) > 0.0).all() and mean[-1, 0] > 4.0 * mean[0, 0]
    assert (np.diff(mean[:, 1]) < 0.0).all() and mean[-1, 1] < 0.2 * mean[0, 1]
    words = wide.describe()
    assert f"largest curvature rises from {mean[0, 0]:.3g} to {mean[-1, 0]:.3g}" in words
    assert f"trace per parameter falls from {mean[0, 1]:.3g}" in words
    wide.controls["width"].value = 16
    spread = [one.measures[0] for one in wide._seeds[1]]
    assert f"At width 16 the largest curvature lies between {min(spread):.3g}" in wide.describe()


def test_a_readers_own_relu_network():
    net = tl.Network(tl.Linear(1, 3), tl.ReLU(), tl.Linear(3, 1))
    own = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(20, seed=1))
    theta = tl.descend(own, net.init(seed=4), tl.optim.Adam(0.05), 200).end
    panel = Flatness(own, theta, alpha=0.5, style="projector")
    assert panel.minimum.loss == pytest.approx(float(own(theta)), rel=1e-12)
    assert panel.player.png()[:4] == b"\x89PNG"


def tanh():
    net = tl.Network(tl.Linear(1, 3), tl.Tanh(), tl.Linear(3, 1))
    own = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(20, seed=1))
    return {"landscape": own, "theta": net.init(seed=0)}


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"preset": "sideways"}, "rescale, width"),
        ({"alpha": 11.0}, "0.1 to 10"),
        ({"landscape": tl.formulas.sieve}, "needs theta="),
        ({"landscape": tl.formulas.sieve, "theta": [0.0, 0.0]}, "no network"),
        (tanh(), "answers otherwise"),
        (tanh() | {"theta": [0.0]}, "expected"),
        (tanh() | {"preset": "width"}, "preset='rescale'"),
        ({"hide": ("width",)}, "alpha"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Flatness(**wrong)
