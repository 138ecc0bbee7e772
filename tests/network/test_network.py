"""Network: θ cut and put together, names, tables, refusals."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape import network
from tinygrad_landscape.engine import Tensor, gradients


def mlp(*widths, activation=tl.Tanh):
    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [tl.Linear(inputs, outputs), activation()]
    return tl.Network(*layers[:-1])


NET = mlp(2, 16, 16, 1)


def test_size_names_and_layout_tell_the_same_story():
    assert NET.size == 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1 == len(NET.names)
    assert NET.names[:2] == ["0.weight[0,0]", "0.weight[0,1]"]
    assert NET.names[-1] == "4.bias[0]"
    ends = [0]
    for slot in NET.layout:
        assert slot.start == ends[-1]
        ends.append(slot.start + int(np.prod(slot.shape)))
        assert slot.stop == ends[-1]
    assert ends[-1] == NET.size
    assert [slot.filter_axes for slot in NET.layout] == [(0,), None] * 3


def test_index_finds_the_weight_its_name_says():
    theta = np.arange(NET.size, dtype=float)
    for place in (0, 19, 100, NET.size - 1):
        assert NET.index(NET.names[place]) == place
    assert NET.unpack(theta)["2.weight"][3, 5] == theta[NET.index("2.weight[3, 5]")]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(tl.ParameterError, match=r"0\.weight\[1,3\]"):
        NET.index("0.wieght[1,3]")
    with pytest.raises(tl.ParameterError, match=r"0\.weight"):
        NET.pack({"0.weigth": 1})
    with pytest.raises(tl.ParameterError, match="no parameter"):
        NET.index(3)
    big = mlp(300, 300, 1)
    with pytest.raises(tl.ParameterError, match=r"0\.weight"):
        big.index("0.weight[300,300]")


@given(lead=st.lists(st.integers(1, 3), max_size=2), seed=st.integers(0, 99))
def test_pack_undoes_unpack(lead, seed):
    theta = np.random.default_rng(seed).normal(size=(*lead, NET.size))
    parts = NET.unpack(theta)
    assert all(parts[s.name].shape == (*lead, *s.shape) for s in NET.layout)
    assert np.array_equal(NET.pack(parts), theta)


def test_unpack_gives_views_and_pack_broadcasts():
    theta = NET.init()
    assert np.shares_memory(NET.unpack(theta)["2.weight"], theta)
    parts = NET.unpack(NET.init(count=3)) | {"0.bias": np.full(16, 7.0)}
    assert (NET.unpack(NET.pack(parts))["0.bias"] == 7.0).all()


def test_forward_equals_numpy_by_hand():
    theta, x = NET.init(seed=3), np.random.default_rng(0).normal(size=(5, 2))
    p = NET.unpack(theta)
    h = np.tanh(x @ p["0.weight"] + p["0.bias"])
    h = np.tanh(h @ p["2.weight"] + p["2.bias"])
    assert np.allclose(NET(theta, x), h @ p["4.weight"] + p["4.bias"], rtol=1e-14)
    outputs = NET.activations(theta, x)
    assert len(outputs) == 5
    assert np.allclose(outputs[3], h, rtol=1e-14)
    assert np.array_equal(outputs[-1], NET(theta, x))


@pytest.mark.parametrize("lead", [(4,), (2, 3)])
def test_gradients_of_unpacked_parts_land_in_their_slices(lead):
    theta = Tensor(np.random.default_rng(0).normal(size=(*lead, NET.size)))
    part = NET.unpack(theta)["2.bias"]
    (g,) = gradients(np.sum(part**2), [theta])
    expected = np.zeros_like(theta.data)
    slot = NET.layout[3]
    expected[..., slot.start : slot.stop] = 2 * theta.data[..., slot.start : slot.stop]
    assert np.array_equal(g, expected)


def test_x_may_have_leading_axes_of_its_own():
    rng = np.random.default_rng(0)
    theta, x = rng.normal(size=(3, NET.size)), rng.normal(size=(3, 5, 2))
    together = NET(theta, x)
    assert together.shape == (3, 5, 1)
    for i in range(3):
        assert np.allclose(together[i], NET(theta[i], x[i]), rtol=1e-13)
    assert NET(theta[0], x).shape == (3, 5, 1)


@pytest.mark.parametrize("x_type", [np.float32, np.float64, np.int64])
def test_theta_decides_the_precision(x_type):
    x = np.ones((4, 2), x_type)
    theta = NET.init(dtype=np.float32)
    assert NET(theta, x).dtype == np.float32
    t = Tensor(theta)
    (g,) = gradients(np.sum(NET(t, x) ** 2), [t], create_graph=True)
    (h,) = gradients(np.sum(g * g), [t])
    assert g.dtype == h.dtype == np.float32
    assert NET(NET.init(), x).dtype == np.float64
    assert NET([0] * NET.size, [[1, 2]]).dtype == np.float64


def test_nothing_the_user_passed_in_is_changed():
    theta, x = NET.init(), np.ones((4, 2))
    before = theta.copy(), x.copy()
    t = Tensor(theta)
    gradients(np.sum(NET(t, x)), [t])
    NET.activations(theta, x)
    NET.pack(NET.unpack(theta))
    assert np.array_equal(theta, before[0])
    assert np.array_equal(x, before[1])


def test_networks_pickle_compare_and_print_themselves():
    net = tl.Network(
        tl.Conv2d(1, 2, 3), tl.LeakyReLU(0.2), tl.Flatten(), tl.Linear(72, 1), input=(1, 8, 8)
    )
    net.names  # a filled cache must not travel
    twin = pickle.loads(pickle.dumps(net))
    assert twin == net
    assert hash(twin) == hash(net)
    assert len(pickle.dumps(net)) < 1000
    theta, x = net.init(), np.ones((2, 1, 8, 8))
    assert np.array_equal(twin(theta, x), net(theta, x))
    assert eval(repr(net), vars(network)) == net
    assert net != NET
    table = str(net)
    for word in ("Conv2d(1, 2, 3)", "(N, 2, 6, 6)", "LeakyReLU(slope=0.2)", "(N, 72)", "93"):
        assert word in table
    assert len({len(line) for line in table.splitlines()}) == 1


def test_what_does_not_fit_is_refused_when_built():
    with pytest.raises(tl.ShapeError, match=r"layer 2, Linear\(8, 1\): got samples of shape \(16"):
        tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(8, 1))
    with pytest.raises(tl.ShapeError, match=r"put Flatten\(\) before it"):
        tl.Network(tl.Conv2d(1, 2, 3), tl.Linear(72, 1))
    with pytest.raises(tl.ShapeError, match=r"got samples of shape \(72,\), expected \(73,\)"):
        tl.Network(tl.Conv2d(1, 2, 3), tl.Flatten(), tl.Linear(73, 1), input=(1, 8, 8))
    with pytest.raises(tl.ShapeError, match="smaller than its window"):
        tl.Network(tl.Conv2d(1, 2, 3), tl.Conv2d(2, 2, 7), input=(1, 8, 8))
    with pytest.raises(tl.ShapeError):
        tl.Network(tl.Linear(2, 1), input=(3,))
    with pytest.raises(tl.ParameterError, match=r"write Tanh\(\)"):
        tl.Network(tl.Linear(2, 2), tl.Tanh)
    with pytest.raises(tl.ParameterError, match="at least one"):
        tl.Network()
    for options in ({"inputs": 0, "outputs": 1}, {"inputs": 2.0, "outputs": 1}):
        with pytest.raises(tl.ParameterError, match="whole number"):
            tl.Linear(**options)


def test_what_does_not_fit_is_refused_when_called():
    theta = NET.init()
    with pytest.raises(tl.ShapeError, match=r"\(338,\), expected \(\.\.\., 337\)"):
        NET(np.zeros(338), np.ones((5, 2)))
    with pytest.raises(tl.ShapeError, match=r"expected \(\.\.\., N, 2\)"):
        NET(theta, np.ones((5, 3)))
    with pytest.raises(tl.ShapeError, match=r"say x\[None\]"):
        NET(theta, np.ones(2))
    line = tl.Network(tl.Linear(1, 1))
    with pytest.raises(tl.ShapeError, match=r"say x\[:, None\]"):
        line(line.init(), np.ones(5))
    with pytest.raises(tl.ShapeError):
        NET.unpack(np.zeros(3))
    with pytest.raises(tl.ParameterError, match="missing"):
        NET.pack({})
    with pytest.raises(tl.ShapeError, match=r"2\.bias"):
        NET.pack(NET.unpack(theta) | {"2.bias": np.zeros(3)})


def test_splitting_is_one_node_whatever_the_number_of_layers():
    """Cutting by indexing would fill a zero θ for each array on the way back; one cut fills one."""
    t = Tensor(NET.init())
    seen, waiting = {}, [np.sum(NET(t, np.ones((3, 2))))]
    while waiting:
        node = waiting.pop()
        seen[id(node)] = node
        waiting += [a for a in node.arguments if isinstance(a, Tensor)]
    users = [node for node in seen.values() if any(a is t for a in node.arguments)]
    assert [node.function.__name__ for node in users] == ["split"]
    assert all(np.shares_memory(part, t.data) for part in users[0].data)
