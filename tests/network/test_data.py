"""Data: seeded makers, splits, refusals, and the digits."""

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets

import tinygrad_landscape as tl
from tinygrad_landscape import data

CLASSES = {
    "moons": {},
    "circles": {},
    "spirals": {"classes": 3},
    "blobs": {},
    "xor": {"n": 200},
    "digits": {"n": 200},
}
CURVES = ["line", "sine", "steps", "polynomial"]


def made(name, **options):
    return getattr(data, name)(**CLASSES.get(name, {}) | options)


@pytest.mark.parametrize("name", [*CLASSES, *CURVES])
def test_the_same_seed_gives_the_same_points(name):
    one, two, other = (made(name, noise=0.2, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.x, two.x)
    assert np.array_equal(one.y, two.y)
    assert not (np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y))


@pytest.mark.parametrize("name", CLASSES)
def test_noise_moves_inputs_and_label_noise_exchanges_labels(name):
    clean, noisy, wrong = (
        made(name, **how)
        for how in ({"noise": 0.0}, {"noise": 0.3}, {"noise": 0.0, "label_noise": 0.25})
    )
    shift = noisy.x - clean.x
    assert shift.std() == pytest.approx(0.3, rel=0.15)
    assert np.allclose(2 * shift, made(name, noise=0.6).x - clean.x)
    assert np.array_equal(noisy.y, clean.y)
    assert np.array_equal(wrong.x, clean.x)
    assert (wrong.y != clean.y).sum() == round(0.25 * len(clean)) > 0
    assert wrong.classes == clean.classes
    assert clean.y.dtype == np.int64


@pytest.mark.parametrize("name", CURVES)
def test_noise_and_outlier_move_targets(name):
    clean, noisy, far = (
        made(name, n=400, **how)
        for how in ({"noise": 0.0}, {"noise": 0.3}, {"noise": 0.0, "outlier": 6.0})
    )
    assert np.array_equal(noisy.x, clean.x)
    assert clean.y.shape == (400, 1)
    assert (noisy.y - clean.y).std() == pytest.approx(0.3, rel=0.15)
    assert (far.y - clean.y)[:, 0].tolist() == pytest.approx([0.0] * 399 + [6.0])


def test_patterns_are_what_they_say():
    x, y = data.line(50, noise=0.0, slope=3.0, intercept=-1.0)
    assert np.allclose(y, 3.0 * x - 1.0)
    x, y = data.sine(50, noise=0.0, frequency=2.0)
    assert np.allclose(y, np.sin(2.0 * x))
    assert x.min() == -np.pi == -x.max()
    x, y = data.polynomial(50, noise=0.0)
    assert np.allclose(y, 2 * x**3 - x)
    x, y = data.steps(60, noise=0.0, count=4)
    assert np.allclose(np.unique(y), [0.0, 1 / 3, 2 / 3, 1.0])
    assert (np.diff(y[:, 0]) >= 0).all()
    x, y = data.circles(100, noise=0.0, factor=0.3)
    assert np.allclose(np.hypot(*x.T), np.where(y == 0, 1.0, 0.3))
    x, y = data.xor(100, noise=0.1)
    assert ((x[:, 0] > 0.5) ^ (x[:, 1] > 0.5)).astype(int).tolist() == y.tolist()
    x, y = data.blobs(300, noise=0.0, classes=3)
    assert len(np.unique(x.round(9), axis=0)) == 3
    assert np.allclose(np.hypot(*x.T), 2.0)
    x, y = data.spirals(100, noise=0.0, turns=1.5)
    angle = np.arctan2(x[:, 1], x[:, 0]) - np.pi * y - 3.0 * np.pi * np.hypot(*x.T)
    assert np.allclose(np.exp(1j * angle), 1.0)


def test_moons_are_scikit_learns():
    ours = data.moons(101, noise=0.0)
    theirs, labels = datasets.make_moons(101, noise=0.0, shuffle=False)
    for label in (0, 1):
        mine = ours.x[ours.y == label]
        other = theirs[labels == label]
        if len(mine) == len(other):
            assert np.allclose(mine[np.argsort(mine[:, 0])], other[np.argsort(other[:, 0])])
    assert data.moons(7).y.tolist().count(0) == 4
    even, labels = datasets.make_moons(200, noise=0.0, shuffle=False)
    x, y = data.moons(200, noise=0.0)
    for label in (0, 1):
        assert np.allclose(np.sort(x[y == label], axis=0), np.sort(even[labels == label], axis=0))


def test_digits_are_the_uci_digits():
    bundled = datasets.load_digits()
    digits = data.digits()
    assert np.array_equal(digits.x * 16.0, bundled.data)
    assert np.array_equal(digits.y, bundled.target)
    images = data.digits(image=True)
    assert np.array_equal(images.x[:, 0] * 16.0, bundled.images)
    assert images.names == ("ink",)
    assert digits.names[9] == "pixel 1,1"
    few = data.digits(n=50, seed=3)
    assert len(few) == 50
    assert few.classes == 10
    assert np.bincount(few.y).tolist() != np.bincount(digits.y[:50]).tolist()
    file = Path(inspect.getfile(data)).with_name("digits.npz")
    assert file.stat().st_size < 200_000
    with np.load(file) as stored:
        assert "CC BY 4.0" in str(stored["licence"])
        assert "UCI" in str(stored["source"])


@given(
    n=st.integers(20, 60),
    fractions=st.lists(st.floats(0.1, 0.4), min_size=1, max_size=2),
    seed=st.integers(0, 99),
)
def test_a_split_is_a_partition_in_proportion(n, fractions, seed):
    whole = data.blobs(n, seed=1)
    parts = whole.split(*fractions, seed=seed)
    assert len(parts) == len(fractions) + 1
    assert sum(map(len, parts)) == n
    for part, fraction in zip(parts, fractions, strict=False):
        assert abs(len(part) - fraction * n) <= 1
    rows = np.concatenate([part.x for part in parts])
    assert np.array_equal(np.sort(rows, axis=0), np.sort(whole.x, axis=0))
    for part in parts:
        for label in range(3):
            assert abs((part.y == label).sum() - (whole.y == label).mean() * len(part)) <= 2
    again = whole.split(*fractions, seed=seed)
    assert all(np.array_equal(a.x, b.x) for a, b in zip(parts, again, strict=True))


def test_split_keeps_pairs_together():
    line = data.line(30, noise=0.0)
    for part in line.split(0.5, 0.2):
        assert np.allclose(part.y, part.x + 0.5)
        assert part.names == line.names


def test_standardize_uses_the_training_datas_statistics():
    x = np.random.default_rng(0).normal(3.0, 5.0, size=(80, 3))
    x[:, 2] = 7.0
    train, test = tl.Data(x, np.arange(80) % 2).split(0.5)
    mean, std = train.x[:, :2].mean(0), train.x[:, :2].std(0)
    assert np.allclose(train.standardize().x[:, :2], (train.x[:, :2] - mean) / std)
    assert np.allclose(test.standardize(like=train).x[:, :2], (test.x[:, :2] - mean) / std)
    assert (train.standardize().x[:, 2] == 0.0).all()
    assert np.array_equal(train.standardize().y, train.y)
    images = data.digits(100, image=True).standardize()
    assert images.x.mean() == pytest.approx(0.0, abs=1e-12)
    assert images.x.std() == pytest.approx(1.0)
    colours = tl.Data(x.reshape(20, 2, 2, 3) * [[[1.0]], [[9.0]]], np.arange(20) % 2).standardize()
    assert np.allclose(colours.x.std(axis=(0, 2, 3)), 1.0)
    with pytest.raises(tl.ShapeError):
        train.standardize(like=data.moons())


def test_data_holds_read_only_copies_and_unpacks():
    x, y = np.ones((3, 2), np.float32), np.array([0, 1, 0])
    made = tl.Data(x, y, names=("a", "b"))
    x[0] = 5.0
    assert made.x[0, 0] == 1.0
    assert made.x.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        made.x[0] = 2.0
    with pytest.raises(AttributeError):
        made.x = x
    a, b = made
    assert a is made.x
    assert b is made.y
    assert len(made) == 3
    twin = pickle.loads(pickle.dumps(made))
    assert np.array_equal(twin.x, made.x)
    assert twin.names == ("a", "b")
    assert tl.Data([[1], [2]], [0, 1]).x.dtype == np.float64
    assert tl.Data([[1.0]], [[2.0]]).classes == 0


@pytest.mark.parametrize(
    ("x", "y", "mend"),
    [
        ([[np.nan], [1.0]], [0, 1], r"nan at x\[0, 0\]"),
        ([[0.0], [1.0]], [[0.0], [np.inf]], r"inf at y\[1, 0\]"),
        (np.zeros((0, 2)), np.zeros(0, int), "empty x"),
        ([[0.0], [1.0]], [1, 1], "one class only"),
        ([[0.0], [1.0]], [-1, 1], r"y > 0"),
        ([0.0, 1.0], [0, 1], r"x\[:, None\]"),
        ([[0.0], [1.0]], [0.0, 1.0], r"y\[:, None\]"),
        ([[0.0], [1.0]], [[0], [1]], r"y\[:, 0\]"),
        ([[0.0], [1.0]], [0, 1, 0], "2 inputs and 3 targets"),
        ([["a"], ["b"]], [0, 1], "real numbers"),
        (np.zeros((2, 3, 4)), [0, 1], r"\(N, C, H, W\)"),
    ],
)
def test_bad_data_is_refused_in_a_sentence(x, y, mend):
    with pytest.raises(ValueError, match=mend) as caught:
        tl.Data(x, y)
    assert isinstance(caught.value, tl.TinygradLandscapeError)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: data.moons(1),
        lambda: data.moons(noise=-1.0),
        lambda: data.blobs(classes=1),
        lambda: data.xor(label_noise=1.5),
        lambda: data.line(0),
        lambda: data.steps(count=1),
        lambda: data.circles(factor=1.0),
        lambda: data.digits(5000),
        lambda: data.moons().split(),
        lambda: data.moons().split(0.7, 0.3),
        lambda: data.moons().split(-0.1),
        lambda: data.line(3).split(0.1),
        lambda: tl.Data([[0.0], [1.0]], [0, 1], names=("a", "b")),
    ],
)
def test_senseless_wishes_are_refused(wrong):
    with pytest.raises(tl.TinygradLandscapeError, match=r"expected|too few"):
        wrong()


def test_data_speak_and_draw_themselves():
    assert repr(data.moons(5)) == "Data(5 samples: x (5, 2) float64, y (5,) 2 classes of 3, 2)"
    assert "in 2 classes" in data.moons().describe()
    assert "with targets between" in data.line().describe()
    from matplotlib import pyplot

    for sample in (data.blobs(), data.line(), data.digits(20, image=True), data.digits(20)):
        ax = sample.plot()
        drawn = sum(len(c.get_offsets()) for c in ax.collections)
        drawn += sum(len(artist.get_xdata()) for artist in ax.lines) + 20 * len(ax.images)
        assert drawn == len(sample)
        legend = ax.get_legend()
        labels = [text.get_text() for text in legend.get_texts()] if legend else []
        assert labels == ([f"class {k}" for k in np.unique(sample.y)] if ax.collections else [])
        assert sample.plot(ax) is ax
    pyplot.close("all")
