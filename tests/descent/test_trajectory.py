"""A walk can be sliced, saved, loaded and described, and stays what it was."""

import json

import numpy as np
import pytest

import tinygrad_landscape as tl

BOWL = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
RATES = np.array([[0.5], [0.1], [5.0]])
WALK = tl.descend(BOWL, [[1.0, 2.0], [3.0, 0.0]], tl.optim.SGD(RATES), steps=40, record_every=4)


def test_slicing_the_record():
    part = WALK[2:5]
    np.testing.assert_array_equal(part.points, WALK.points[2:5])
    np.testing.assert_array_equal(part.losses, WALK.losses[2:5])
    assert part.steps.tolist() == [8, 12, 16] and len(part) == 3
    np.testing.assert_array_equal(part.batch_losses, WALK.batch_losses[8:16])
    np.testing.assert_array_equal(part.diverged_at, WALK.diverged_at)
    assert WALK[::-1].steps.tolist() == WALK.steps.tolist()[::-1]
    assert WALK[-1:].batch_losses.shape == (0, 3, 2)


def test_slicing_walkers():
    one = WALK[:, 1, 0]
    assert one.points.shape == (11, 2) and one.losses.shape == (11,) and one.diverged.shape == ()
    np.testing.assert_array_equal(one.points, WALK.points[:, 1, 0])
    np.testing.assert_array_equal(one.batch_losses, WALK.batch_losses[:, 1, 0])
    some = WALK[:3, WALK.diverged]
    assert some.points.shape == (3, 2, 2) and some.diverged.all()


@pytest.mark.parametrize(
    ("key", "error"),
    [(3, TypeError), ((slice(None), 0, 0, 0), IndexError), (slice(20, 30), IndexError)],
)
def test_slices_that_make_no_walk_are_refused(key, error):
    with pytest.raises(error):
        WALK[key]


def test_results_are_frozen():
    with pytest.raises(AttributeError):
        WALK.points = None
    with pytest.raises(ValueError, match="read-only"):
        WALK.losses[0] = 0.0
    mine = np.array(WALK.points)
    own = tl.Trajectory(
        mine, WALK.losses, WALK.gradient_norms, WALK.batch_losses, WALK.steps, WALK.diverged_at
    )
    mine[:] = 7.0
    np.testing.assert_array_equal(own.points, WALK.points)


@pytest.mark.parametrize("walk", [WALK, WALK[:, 0, 0], WALK[:1]], ids=repr)
def test_save_and_load(tmp_path, walk):
    walk.save(tmp_path / "walk.npz")
    back = tl.Trajectory.load(tmp_path / "walk.npz")
    for name in (
        "points",
        "losses",
        "gradient_norms",
        "batch_losses",
        "steps",
        "diverged_at",
        "diverged",
        "end",
        "best",
    ):
        a, b = getattr(walk, name), getattr(back, name)
        assert a.dtype == b.dtype and a.shape == b.shape, name
        np.testing.assert_array_equal(a, b)
    assert (back.ended, back.optimizer) == (walk.ended, walk.optimizer)
    assert [p.name for p in tmp_path.iterdir()] == ["walk.npz"]


def test_a_failed_save_leaves_the_older_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "walk.npz"
    WALK.save(path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="disk full"):
        WALK[:1].save(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["walk.npz"]


def write(path, **header):
    np.savez(path, json=np.array(json.dumps(header)), points=np.zeros(3))


def test_foreign_and_newer_files_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    write(path, package="tinygrad_landscape", kind="surface", format=1)
    with pytest.raises(tl.ParameterError, match="holds a surface"):
        tl.Trajectory.load(path)
    write(path, package="tinygrad_landscape", kind="trajectory", format=99)
    with pytest.raises(tl.ParameterError, match="upgrade"):
        tl.Trajectory.load(path)
    for content in (b"", b"hello", b"PK\x03\x04broken"):
        path.write_bytes(content)
        with pytest.raises(tl.ParameterError, match="was not written by"):
            tl.Trajectory.load(path)
    np.savez(path, points=np.zeros(3))
    with pytest.raises(tl.ParameterError, match="was not written by"):
        tl.Trajectory.load(path)
    np.savez(path, json=np.array([{"a": 1}], dtype=object))
    with pytest.raises(tl.ParameterError, match="was not written by"):
        tl.Trajectory.load(path)
    with pytest.raises(FileNotFoundError):
        tl.Trajectory.load(tmp_path / "none.npz")


def test_describe_says_how_it_went():
    assert WALK.describe() == (
        "6 walkers, 40 steps; losses end between 2.068e-24 and 0.0009831; 2 of 6 diverged, "
        "by SGD(lr=<0.1 to 5, shape (3, 1)>)."
    )
    one = tl.descend(BOWL, [2.0, 0.0], tl.optim.SGD(0.5), steps=2)
    assert one.describe() == "2 steps, loss from 2 to 0.125, by SGD(lr=0.5)."
    lost = tl.descend(BOWL, [2.0, 0.0], tl.optim.SGD(5.0), steps=20)
    assert "diverged at step 6" in lost.describe()
    told = tl.descend(
        tl.Landscape(
            tl.Network(tl.Linear(1, 1)), tl.losses.mean_squared_error, tl.data.line(20, seed=0)
        ),
        [0.0, 0.0],
        tl.optim.Adam(),
        steps=1,
        batch_size=5,
        schedule=tl.schedules.cosine(9),
    )
    assert "by Adam(lr=0.001), batches of 5, cosine schedule." in told.describe()
    assert repr(WALK).startswith("Trajectory(R=11, walkers=(3, 2), P=2: ")
