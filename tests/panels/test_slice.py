"""`Slice`: the middle is the network itself, and the panel says what its planes hide."""

import asyncio

import numpy as np
import pytest
from sklearn.decomposition import PCA

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Slice, use


@pytest.fixture(scope="module")
def default():
    return Slice(resolution=21)


@pytest.fixture(autouse=True)
def opened(default):
    yield
    default.reset()


def shown(panel, layer):
    return panel.player.scene.layers[layer].data


@pytest.mark.parametrize("plane", ["two weights", "random", "walk"])
def test_the_middle_of_every_plane_is_the_loss(default, plane):
    default.controls["plane"].value = plane
    surface = default.surface
    middle = surface.loss[10, 10]
    assert surface.a[10] == surface.b[10] == 0.0
    assert middle == default.landscape(default._points[-1]) == default._losses[-1]
    assert f"loss {middle:.3g}; " in default.describe()


def test_every_cell_is_the_loss_of_its_weights(default):
    default.controls["plane"].value = "random"
    default.controls["zoom"].value = 2.0
    surface = default.surface
    assert surface.a[0] == -0.5 and surface.b[-1] == 0.5
    for i, j in ((0, 0), (3, 17), (20, 5)):
        theta = default.plane.point(surface.a[i], surface.b[j])
        assert surface.loss[i, j] == pytest.approx(float(default.landscape(theta)), rel=1e-12)


def test_the_hidden_share_is_that_of_scikit_learn(default):
    default.controls["plane"].value = "walk"
    offsets = default._points - default._points[-1]
    axes = PCA(2).fit(default._points).components_
    kept = ((offsets @ axes.T) ** 2).sum() / (offsets**2).sum()
    assert default.residual == pytest.approx(1.0 - kept, abs=1e-9)
    assert f"{1.0 - kept:.0%} of the training walk" in default.describe()


def test_two_weights_are_chosen_by_name(default):
    default.controls["first"].value, default.controls["second"].value = "0.bias[3]", "4.weight[2,0]"
    moved = default._points[:, [default.landscape.names.index(n) for n in
                                ("0.bias[3]", "4.weight[2,0]")]]  # fmt: skip
    away = ((default._points - default._points[-1]) ** 2).sum()
    kept = ((moved - moved[-1]) ** 2).sum() / away
    assert default.residual == pytest.approx(1.0 - kept, abs=1e-9)
    assert default.player.scene.axes["map"].get_xlabel() == "0.bias[3]"
    assert shown(default, "low x")[0, 0, 0] == pytest.approx(moved[-1, 0] - 3.0)
    assert np.allclose(shown(default, "walk")[:, 0] * 3.0 + moved[-1], moved)


def test_the_same_weight_twice_is_shown_as_an_error(default):
    with pytest.raises(ParameterError, match="two different weights"):
        default.controls["second"].value = default.controls["first"].value
    assert "two different weights" in default._error.value


def test_reroll_takes_other_directions_and_a_code_brings_them_back(default):
    default.reroll()
    first, code = default.surface.loss, default.code
    default.reroll()
    assert default.state["seed"] == 2 and not np.array_equal(default.surface.loss, first)
    default.load(code)
    assert np.array_equal(default.surface.loss, first)


def test_a_moving_hand_sees_a_coarse_grid_and_a_resting_one_the_full():
    async def watch():
        panel = Slice(resolution=21)
        panel.controls["zoom"].value = 3.0
        moving = shown(panel, "relief").shape
        await asyncio.sleep(1.5)
        return moving, shown(panel, "relief").shape

    assert asyncio.run(watch()) == ((1, 13, 13), (1, 21, 21))


def test_a_readers_own_landscape_with_a_walk_or_only_weights():
    net = tl.Network(tl.Linear(1, 3), tl.ReLU(), tl.Linear(3, 1))
    own = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(20, seed=1))
    theta = net.init(seed=4)
    kept = theta.copy()
    panel = Slice(own, theta, resolution=5)
    assert panel.loss == own(theta) and "walk" not in panel.controls["plane"].options
    assert "training walk" not in panel.describe() and np.array_equal(theta, kept)
    walk = tl.descend(own, theta, tl.optim.SGD(0.05), 10)
    assert Slice(own, walk, plane="walk", resolution=5).loss == walk.losses[-1]
    bowl = tl.formulas.quadratic(10.0)
    assert Slice(bowl, [1.0, 1.0], resolution=5).loss == bowl([1.0, 1.0])


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"plane": "sideways"}, "two weights, random, walk"),
        ({"resolution": 40}, "odd"),
        ({"weights": ("0.wieght[0,0]", 1)}, "nearest names"),
        ({"landscape": tl.formulas.himmelblau}, "pass a walk"),
        ({"walk": np.zeros((2, 5))}, "expected one walker"),
        ({"hide": ("zom",)}, "zoom"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        Slice(**wrong)


def test_image_and_styles():
    use("image")
    try:
        for style in ("light", "dark", "projector"):
            assert Slice(resolution=5, style=style).player.png()[:4] == b"\x89PNG"
    finally:
        use("auto")
