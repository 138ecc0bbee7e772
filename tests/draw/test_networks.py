"""The class map shows the network's own answer, the strips its layers' own percentiles."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinygrad_landscape as tl
from tinygrad_landscape import draw
from tinygrad_landscape.draw import networks
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (60, 2))


def slope(theta, x):
    """Logits that are positive right of x0 = theta[0]."""
    return 8.0 * (x[:, :1] - theta[0])


def corner(theta, x):
    """Three classes: right, up, and the rest."""
    return np.stack([x[:, 0], x[:, 1], -x.sum(axis=1)], axis=1) * theta[0]


def test_the_line_stands_where_the_network_changes_its_mind():
    y = (X[:, 0] > 0.25).astype(int)
    picture = draw.decision_boundary(slope, [0.25], (X, y))
    (line,) = picture["boundary"]
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    assert np.allclose(vertices[:, 0], 0.25, atol=1e-3)
    assert "Right on 100.0% of these 60 samples" in picture.describe()


def test_the_accuracy_is_counted_at_the_samples_themselves():
    y = (X[:, 0] > 0.25).astype(int)
    y[:6] = 1 - y[:6]
    assert "Right on 90.0%" in draw.decision_boundary(slope, [0.25], (X, y)).describe()


def test_colours_are_the_winners_and_paler_where_it_is_unsure():
    y = corner([5.0], X).argmax(axis=1)
    picture = draw.decision_boundary(corner, [5.0], (X, y), resolution=41)
    pixels = np.asarray(picture["map"].get_array())
    left, right, low, high = picture["map"].get_extent()
    hues = np.array([networks._class_colors(np.eye(3)[None], "#ffffff")[0, k] for k in range(3)])
    for place, k in (((0.9, -0.2), 0), ((-0.2, 0.9), 1), ((-0.9, -0.9), 2)):
        column = round((place[0] - left) / (right - left) * 40)
        row = round((place[1] - low) / (high - low) * 40)
        assert np.abs(pixels[row, column] - hues).sum(axis=1).argmin() == k
    centre = pixels[round(-low / (high - low) * 40), round(-left / (right - left) * 40)]
    assert centre.min() > pixels[-1].min(axis=-1).mean()
    assert "softmax" in picture.describe() and len(picture["boundary"]) == 3


def test_two_logits_and_one_mean_the_same():
    logit = RNG.normal(size=(20, 1)) * 3
    both = np.concatenate([0 * logit, logit], axis=1)
    assert np.allclose(networks._chances(logit), networks._chances(both))
    assert np.allclose(networks._chances(logit)[:, 1], 1 / (1 + np.exp(-logit[:, 0])))
    assert np.isfinite(networks._chances(np.array([[1e4], [-1e4]]))).all()


def test_every_class_has_its_own_marker():
    y = corner([5.0], X).argmax(axis=1)
    samples = draw.decision_boundary(corner, [5.0], (X, y), resolution=10)["samples"]
    assert len({line.get_marker() for line in samples}) == 3
    assert len({line.get_color() for line in samples}) == 3
    for k, line in enumerate(samples):
        assert np.array_equal(np.column_stack(line.get_data()), X[y == k])


def test_a_network_that_never_changes_its_mind_has_no_line():
    picture = draw.decision_boundary(slope, [99.0], (X, np.zeros(60, int)), resolution=10)
    assert picture["boundary"] == []


def test_a_real_network_and_data_take_the_names_of_the_features():
    net, data = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1)), tl.data.moons(40)
    ax = Figure().add_subplot()
    assert draw.decision_boundary(net, net.init(seed=0), data, ax=ax, resolution=10).ax is ax
    assert ax.get_xlabel() == data.names[0]


def test_misfits_are_refused():
    classes = np.zeros(60, int)
    with pytest.raises(ShapeError, match=r"\(60, 3\); expected \(N, 2\)"):
        draw.decision_boundary(slope, [0.0], (np.zeros((60, 3)), classes))
    with pytest.raises(ParameterError, match="integer classes"):
        draw.decision_boundary(slope, [0.0], (X, np.zeros((60, 1))))
    with pytest.raises(ShapeError, match=r"\(2, 1\); expected one point"):
        draw.decision_boundary(slope, np.zeros((2, 1)), (X, classes))


# Activations --------------------------------------------------------------------------------------


def deep():
    return tl.Network(tl.Linear(2, 8), tl.ReLU(), tl.Linear(8, 4), tl.Tanh())


def test_strips_are_the_percentiles_of_the_layers():
    net = deep()
    theta = net.init(seed=0)
    picture = draw.activations(net, theta, X)
    for row, (strip, output) in enumerate(
        zip(picture["strips"], net.activations(theta, X), strict=True)
    ):
        thin, thick, dot = strip
        assert np.allclose(thin.get_xdata(), np.percentile(output, [5, 95]))
        assert np.allclose(thick.get_xdata(), np.percentile(output, [25, 75]))
        assert np.allclose(dot.get_xdata(), np.median(output))
        assert set(thin.get_ydata()) == {row}
    names = [label.get_text() for label in picture.ax.get_yticklabels()]
    assert names == ["0  Linear", "1  ReLU", "2  Linear", "3  Tanh"]


def test_stuck_units_are_counted():
    net = deep()
    parts = {name: np.array(part) for name, part in net.unpack(net.init(seed=0)).items()}
    parts["0.bias"][:2] = -100.0  # two of the eight ReLUs never open
    notes = [note.get_text() for note in draw.activations(net, net.pack(parts), X)["notes"]]
    assert "25% stuck" in notes[1] and not any("stuck" in note for note in notes[2:])


def test_the_first_layer_is_on_top():
    low, high = draw.activations(deep(), deep().init(seed=0), X).ax.get_ylim()
    assert low > high


def test_several_points_are_refused():
    with pytest.raises(ShapeError, match="choose one, theta"):
        draw.activations(deep(), deep().init(seed=0, count=3), X)
