"""The short cut over a plane gives what the whole network gives, and is taken only where it may
be."""

import pickle

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.surveying.slices import Slice


def moving(net, *parts, seed=0):
    """A plane in which only some arrays of theta move, by name."""
    rng = np.random.default_rng(seed)
    u, v = np.zeros((2, net.size))
    for slot in net.layout:
        if slot.name in parts:
            u[slot.start : slot.stop], v[slot.start : slot.stop] = rng.standard_normal(
                (2, slot.stop - slot.start)
            )
    return tl.Plane(net.init(seed=seed) + 0.1, u, v)


def stack(*activations):
    widths = (2, 6, 5, 4, 1)[: len(activations) + 1] + (1,)
    layers = [tl.Linear(widths[0], widths[1])]
    for k, activation in enumerate(activations, 1):
        layers += [activation, tl.Linear(widths[k], widths[k + 1])]
    return tl.Network(*layers)


def landscape(net, loss=tl.losses.binary_cross_entropy, **penalties):
    return tl.Landscape(net, loss, tl.data.moons(30, noise=0.2, seed=0), **penalties)


def plainly(monkeypatch, *args, **options):
    with monkeypatch.context() as patch:
        patch.setattr(Slice, "applies", classmethod(lambda cls, ground, site: False))
        return tl.survey(*args, **options)


NETS = {
    "tanh": stack(tl.Tanh(), tl.Tanh()),
    "mixed": stack(tl.ReLU(), tl.GELU(), tl.Sigmoid()),
    "linear": tl.Network(tl.Linear(2, 3), tl.Linear(3, 1)),
    "one": tl.Network(tl.Linear(2, 1)),
    "dropout, no bias": tl.Network(
        tl.Linear(2, 6, bias=False), tl.ELU(), tl.Dropout(0.5), tl.Linear(6, 1, bias=False)
    ),
    "norm below": tl.Network(
        tl.LayerNorm(2), tl.Linear(2, 6), tl.SiLU(), tl.Linear(6, 1), tl.Identity()
    ),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_weights_or_only_one_array_moving(name, dtype, monkeypatch):
    net = NETS[name]
    L = landscape(net, l1=0.01, l2=0.02)
    names = [slot.name for slot in net.layout]
    tolerance = 1e-13 if dtype is np.float64 else 2e-6
    for parts in (names, *([one] for one in names if net.unpack(net.init())[one].size > 1)):
        plane = moving(net, *parts)
        options = {"resolution": (5, 4), "metrics": ("accuracy",), "dtype": dtype}
        short = tl.survey(L, plane, **options)
        plain = plainly(monkeypatch, L, plane, **options)
        assert short.loss.dtype == dtype
        assert short.loss == pytest.approx(plain.loss, rel=tolerance)
        assert np.array_equal(short.values["accuracy"], plain.values["accuracy"])


def test_a_convolution_below_the_weights_that_move(monkeypatch):
    net = tl.Network(
        tl.Conv2d(1, 2, 3), tl.ReLU(), tl.MaxPool2d(2), tl.Flatten(), tl.Linear(18, 5), tl.Tanh(),
        tl.Linear(5, 10),
    )  # fmt: skip
    data = tl.data.digits(image=True)
    L = tl.Landscape(net, tl.losses.cross_entropy, (data.x[:40], data.y[:40]))
    top = tl.Plane.two_weights(net.init(seed=0), "6.weight[0,1]", "4.weight[3,2]", net)
    whole = tl.Plane.random(net.init(seed=0), 0, net)
    assert Slice.applies(L, top) and not Slice.applies(L, whole)
    for plane in (top, whole):
        short = tl.survey(L, plane, resolution=4, metrics=("accuracy",))
        plain = plainly(monkeypatch, L, plane, resolution=4, metrics=("accuracy",))
        assert short.loss == pytest.approx(plain.loss, rel=1e-12)
        assert np.array_equal(short.values["accuracy"], plain.values["accuracy"])


def test_a_wide_network_is_looped_unless_layers_below_stand_still():
    net = tl.Network(tl.Linear(2, 40), tl.Tanh(), tl.Linear(40, 40), tl.Tanh(), tl.Linear(40, 1))
    data = tl.data.moons(1000, noise=0.2, seed=0)
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, data)
    everything, above = tl.Plane.random(net.init(seed=0), 0, net), moving(net, "2.weight")
    assert Slice(L, everything).cells_at_once == 1 == Slice(L, above).cells_at_once
    assert not Slice(L, everything).pays and Slice(L, above).pays
    for plane in (everything, above):
        surface = tl.survey(L, plane, resolution=(4, 3), metrics=("loss", "accuracy"))
        points = plane.point(surface.a[:, None], surface.b)
        assert surface.loss == pytest.approx(L(points), rel=1e-12)
        assert np.array_equal(surface.values["accuracy"], L.accuracy(points))


def test_where_it_does_not_apply():
    plane = tl.Plane.whole()
    assert not Slice.applies(tl.formulas.himmelblau, plane)
    normed = tl.Network(tl.Linear(2, 4), tl.BatchNorm(4), tl.Tanh(), tl.Linear(4, 1))
    L = landscape(normed)
    assert not Slice.applies(L, moving(normed, "0.weight"))
    assert Slice.applies(L, moving(normed, "3.weight"))
    flat = L.restrict(moving(normed, "3.weight"))
    assert not Slice.applies(flat, plane)


@pytest.mark.parametrize("derived", ["layer", "activation", "network"])
def test_what_somebody_derived_from_ours_is_asked_itself(derived):
    class Doubled(tl.Linear):
        def __call__(self, *args, **options):
            return 2.0 * super().__call__(*args, **options)

    class Centred(tl.Tanh):  # not elementwise: it mixes the features
        def __call__(self, x, *args, **options):
            return super().__call__(x - x.mean(axis=-1, keepdims=True), *args, **options)

    class Shifted(tl.Network):
        def __call__(self, *args, **options):
            return super().__call__(*args, **options) + 1.0

    net = (Shifted if derived == "network" else tl.Network)(
        (Doubled if derived == "layer" else tl.Linear)(2, 6),
        (Centred if derived == "activation" else tl.Tanh)(),
        tl.Linear(6, 1),
    )
    L = landscape(net)
    plane = tl.Plane.random(net.init(seed=0), seed=0, network=net)
    surface = tl.survey(L, plane, resolution=(4, 3))
    expected = [[L(plane.point(a, b)) for b in surface.b] for a in surface.a]
    assert surface.loss == pytest.approx(np.array(expected), rel=1e-12)


def test_other_losses_lines_and_other_data(monkeypatch):
    net = stack(tl.Tanh())
    x = np.linspace(-1, 1, 20).reshape(10, 2)
    L = tl.Landscape(net, tl.losses.huber, (x, x[:, :1] ** 2))
    line = tl.Line.between(*net.init(seed=0, count=2))
    assert Slice.applies(L, line)
    profile = tl.profile(L, line, 9, also={"other": (x + 1.0, x[:, 1:])})
    other = L.on((x + 1.0, x[:, 1:]))
    assert profile.loss == pytest.approx(L(line.point(profile.t)), rel=1e-13)
    assert profile.values["other loss"] == pytest.approx(other(line.point(profile.t)), rel=1e-13)


def test_one_forward_pass_serves_loss_and_accuracy(monkeypatch):
    net = stack(tl.Tanh())
    L = landscape(net)
    passes = []
    original = Slice._outputs
    monkeypatch.setattr(
        Slice, "_outputs", lambda self, *args: passes.append(1) or original(self, *args)
    )
    tl.survey(L, moving(net, "0.weight"), resolution=4, metrics=("loss", "accuracy"))
    assert len(passes) == 1


def test_a_slice_pickles_and_leaves_its_landscape_alone():
    net = stack(tl.Tanh())
    L, plane = landscape(net), moving(net, "0.weight", "2.weight")
    short = pickle.loads(pickle.dumps(Slice(L, plane)))
    where = np.array([[0.1, 0.2], [0.3, -0.4]])
    theta = plane.point(*where.T)
    assert short.at(where, theta)(theta) == pytest.approx(L(theta), rel=1e-13)
    assert L.network is net
