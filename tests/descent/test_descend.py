"""What `descend` promises: shapes, records, seeds, divergence, interruption, memory."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_landscape as tl

SGD, Adam = tl.optim.SGD, tl.optim.Adam
BOWL = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
NET = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
DATA = tl.data.moons(30, seed=0)
MOONS = tl.Landscape(NET, tl.losses.binary_cross_entropy, DATA)
THETA = NET.init(seed=0)


class Counting:
    """A landscape's functions, with how often they were asked."""

    def __init__(self):
        self.points = 0

    def landscape(self):
        def f(p):
            self.points += 1 if isinstance(p, tl.Tensor) else 0
            return 0.5 * (p * p).sum(-1)

        made = tl.Landscape.from_function(f)
        self.points = 0
        return made


# Records ---------------------------------------------------------------------------------------


@given(
    steps=st.integers(0, 12),
    every=st.integers(1, 15),
    lead=st.sampled_from([(), (3,), (2, 3), (1,)]),
    batch=st.sampled_from([None, 7, 30]),
)
def test_shapes_and_recorded_steps(steps, every, lead, batch):
    theta = np.broadcast_to(THETA, (*lead, NET.size))
    walk = tl.descend(MOONS, theta, SGD(0.1), steps, batch_size=batch, record_every=every)
    wanted = sorted({*range(0, steps + 1, every), steps})
    assert walk.steps.tolist() == wanted and walk.steps.dtype.kind == "i"
    assert walk.points.shape == (len(wanted), *lead, NET.size)
    assert walk.losses.shape == walk.gradient_norms.shape == (len(wanted), *lead)
    assert walk.batch_losses.shape == (steps, *lead)
    assert walk.diverged.shape == walk.diverged_at.shape == lead and not walk.diverged.any()
    assert walk.diverged.dtype == bool and (walk.diverged_at == -1).all()
    assert walk.end.shape == walk.best.shape == (*lead, NET.size)
    np.testing.assert_array_equal(walk.points[0], theta)
    np.testing.assert_allclose(walk.losses, MOONS(walk.points), rtol=1e-12)
    norms = np.linalg.norm(MOONS.gradient(walk.points), axis=-1)
    np.testing.assert_allclose(walk.gradient_norms, norms, rtol=1e-10)


@pytest.mark.parametrize("every", [1, 4, 100])
def test_record_every_only_thins_the_record(every):
    full = tl.descend(MOONS, THETA, Adam(0.1), steps=13, batch_size=8)
    thin = tl.descend(MOONS, THETA, Adam(0.1), steps=13, batch_size=8, record_every=every)
    np.testing.assert_array_equal(thin.points, full.points[thin.steps])
    np.testing.assert_array_equal(thin.losses, full.losses[thin.steps])
    np.testing.assert_array_equal(thin.batch_losses, full.batch_losses)


def test_full_batch_losses_are_the_landscape_before_each_step():
    walk = tl.descend(MOONS, THETA, SGD(0.3), steps=9)
    np.testing.assert_array_equal(walk.batch_losses, walk.losses[:-1])


@pytest.mark.parametrize("every", [1, 3, 10])
def test_a_full_batch_step_evaluates_once(every):
    count = Counting()
    tl.descend(count.landscape(), [1.0, 2.0], SGD(0.1), steps=10, record_every=every)
    assert count.points == 11 + 1  # every point once, and one look at what a point costs


def test_best_is_the_lowest_recorded_point_of_each_walker():
    walk = tl.descend(BOWL, [[1.0, 0.0], [0.0, 1e-3]], SGD(lr=[0.5, 2.5]), steps=6)
    np.testing.assert_array_equal(walk.best, [walk.points[6, 0], walk.points[0, 1]])
    lost = tl.descend(BOWL, [0.0, 1.0], SGD(lr=5.0), steps=20)
    assert lost.diverged and lost.best.tolist() == [0.0, 1.0]


def test_nothing_passed_in_is_changed_and_the_result_is_sealed():
    theta = THETA.copy()
    walk = tl.descend(MOONS, theta, Adam(0.1), steps=3)
    np.testing.assert_array_equal(theta, THETA)
    theta[:] = 7.0
    np.testing.assert_array_equal(walk.points[0], THETA)
    with pytest.raises(ValueError, match="read-only"):
        walk.points[0] = 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD([0.1, 0.2], momentum=0.9, clip_norm=1.0, weight_decay=[0.1, 0.2]),
        tl.optim.AdaGrad([0.1, 0.2]),
        tl.optim.RMSProp([0.1, 0.2], alpha=[0.9, 0.8], momentum=0.1),
        Adam(0.1, betas=([0.9, 0.8], 0.99)),
        tl.optim.AdamW({"0": [0.1, 0.2], "2": 0.1}),
        tl.optim.Lion([0.1, 0.2]),
        tl.optim.SAM(SGD(0.1), rho=[0.1, 0.2]),
        tl.optim.Newton(damping=[1.0, 2.0]),
        tl.optim.Custom(lambda t, g, s, lr: (t.astype(float) - 0.1 * g, s)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_dtype_is_kept(dtype, optimizer):
    theta = NET.init(seed=0, count=2, dtype=dtype)
    seen = []
    walk = tl.descend(
        MOONS,
        theta,
        optimizer,
        4,
        batch_size=8,
        schedule=lambda t: np.float64(0.5),
        callbacks=[lambda record: seen.append(record.theta.dtype)],
    )
    assert set(seen) == {np.dtype(dtype)}
    for name in ("points", "losses", "gradient_norms", "batch_losses"):
        assert getattr(walk, name).dtype == dtype, name


# Callbacks, bars, Ctrl-C -------------------------------------------------------------------------


def test_callbacks_see_every_step():
    seen = []
    walk = tl.descend(
        MOONS,
        THETA,
        SGD(0.1),
        steps=5,
        record_every=2,
        batch_size=8,
        schedule=tl.schedules.linear(10),
        callbacks=[seen.append],
    )
    assert [r.step for r in seen] == [0, 1, 2, 3, 4, 5]
    assert [r.loss is None for r in seen] == [False, True, False, True, False, False]
    assert [r.lr for r in seen] == pytest.approx([0.1 * (1 - t / 10) for t in range(6)])
    np.testing.assert_array_equal([r.theta for r in seen][::2], walk.points[:3])
    np.testing.assert_array_equal([r.batch_loss for r in seen][:5], walk.batch_losses)
    np.testing.assert_array_equal([seen[k].loss for k in (0, 2, 4, 5)], walk.losses)
    np.testing.assert_allclose(seen[5].gradient, MOONS.gradient(walk.end))
    assert seen[0].alive.all() and seen[0].landscape is MOONS
    with pytest.raises(ValueError, match="read-only"):
        seen[0].theta[:] = 0.0


@pytest.mark.parametrize("every", [1, 4, 100])
@pytest.mark.parametrize("batch", [None, 8])
def test_a_callback_that_returns_true_ends_the_walk(every, batch):
    def enough(record):
        return record.step == 6

    options = {"steps": 50, "batch_size": batch, "record_every": every}
    walk = tl.descend(MOONS, THETA, SGD(0.1), **options, callbacks=[enough])
    assert walk.steps[-1] == 6 and len(walk.batch_losses) == 6
    assert walk.ended == "ended by enough" and "ended by enough" in walk.describe()
    whole = tl.descend(MOONS, THETA, SGD(0.1), 50, batch_size=batch)
    np.testing.assert_array_equal(walk.end, whole.points[6])
    np.testing.assert_array_equal(walk.losses[-1], whole.losses[6])


def interrupting(step):
    def callback(record):
        if record.step == step:
            raise KeyboardInterrupt

    return callback


def test_ctrl_c_gives_the_walk_so_far():
    walk = tl.descend(MOONS, THETA, SGD(0.1), 50, record_every=3, callbacks=[interrupting(10)])
    whole = tl.descend(MOONS, THETA, SGD(0.1), 50, record_every=3)
    assert walk.steps.tolist() == [0, 3, 6, 9] and walk.ended == "interrupted"
    np.testing.assert_array_equal(walk.points, whole.points[:4])
    assert len(walk.batch_losses) == 9


def test_a_divergence_that_was_not_recorded_is_not_told():
    walk = tl.descend(
        BOWL, [1.0, 0.0], SGD([5.0, 0.1]), 50, record_every=10, callbacks=[interrupting(8)]
    )
    assert walk.steps.tolist() == [0] and walk.diverged_at.tolist() == [-1, -1]


def test_ctrl_c_inside_the_landscape_before_anything_is_known_is_passed_on():
    def value(theta):
        raise KeyboardInterrupt

    L = tl.Landscape.from_callables(value, size=2)
    with pytest.raises(KeyboardInterrupt):
        tl.descend(L, [0.0, 0.0], SGD(0.1), steps=3)


def test_an_error_in_a_callback_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        tl.descend(BOWL, [0.0, 1.0], SGD(0.1), steps=3, callbacks=[lambda record: 1 / 0])


def test_progress_shows_a_bar(capsys):
    tl.descend(BOWL, [0.0, 1.0], SGD(0.1), steps=30, progress=True)
    shown = capsys.readouterr().err
    assert "descend" in shown and "30/30" in shown
    tl.descend(BOWL, [0.0, 1.0], SGD(0.1), steps=30)
    assert capsys.readouterr().err == ""


# Memory ----------------------------------------------------------------------------------------


def test_a_walk_that_would_not_fit_says_so_before_it_starts():
    count = Counting()
    with pytest.raises(tl.ParameterError, match=r"1001 points of 1000 walkers.*record_every=1"):
        tl.descend(count.landscape(), np.ones((1000, 2)), SGD(0.1), steps=1000, memory=1e6)
    assert count.points == 0


def test_pieces_do_not_change_the_walk(monkeypatch):
    theta = NET.init(seed=0, count=40)
    walk = {"theta": theta, "optimizer": Adam(0.1), "steps": 5, "batch_size": 8}
    whole = tl.descend(MOONS, **walk)
    monkeypatch.setattr("tinygrad_landscape.landscape.landscape.CACHE", 1)
    pieces = tl.descend(MOONS, **walk)
    np.testing.assert_allclose(whole.points, pieces.points, atol=1e-12)
    np.testing.assert_allclose(whole.losses, pieces.losses, atol=1e-12)


def test_memory_bounds_what_is_held():
    import tracemalloc

    theta = NET.init(seed=0, count=5000)
    tracemalloc.start()
    tl.descend(MOONS, theta, SGD(0.1), 2, record_every=2, memory=20e6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


# Arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "got steps=-1"),
        ({"steps": 2.5}, "got steps=2.5"),
        ({"record_every": 0}, "got record_every=0"),
        ({"batch_size": 0}, "from 1 to 30"),
        ({"batch_size": 31}, "from 1 to 30"),
        ({"batch_size": 2.0}, "from 1 to 30"),
        ({"seed": -1}, "got seed=-1"),
        ({"seed": 0.5}, "got seed=0.5"),
        ({"seed": [1, 2, 3]}, "do not broadcast"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        tl.descend(MOONS, np.stack([THETA, THETA]), SGD(0.1), **options)


def test_a_start_that_does_not_fit_is_refused():
    with pytest.raises(tl.ShapeError, match=r"expected \(..., 2\)"):
        tl.descend(BOWL, [1.0, 2.0, 3.0], SGD(0.1))
    with pytest.raises(tl.ParameterError, match="NaN or infinite"):
        tl.descend(BOWL, [1.0, math.nan], SGD(0.1))
    with pytest.raises(tl.ShapeError, match=r"lr shape \(50, 1\)"):
        tl.descend(BOWL, np.ones((3, 2)), SGD(lr=[0.1, 0.2]))


def test_formulas_have_no_minibatches():
    with pytest.raises(tl.ParameterError, match="has no samples"):
        tl.descend(BOWL, [1.0, 2.0], SGD(0.1), batch_size=2)


def test_whole_numbers_walk_as_floats():
    walk = tl.descend(BOWL, [4, 2], SGD(0.5), steps=1)
    assert walk.end.tolist() == [2.0, 1.0]


def test_zero_steps_is_the_start():
    walk = tl.descend(BOWL, [4.0, 2.0], SGD(0.5), steps=0)
    assert walk.losses.tolist() == [10.0] and walk.batch_losses.shape == (0,)


def test_everything_a_walk_needs_pickles():
    parts = (MOONS, Adam(lr=[0.1, 0.2]), tl.schedules.warmup(2, tl.schedules.cosine(8)))
    L, optimizer, schedule = pickle.loads(pickle.dumps(parts))
    a = tl.descend(MOONS, THETA, parts[1], 10, schedule=parts[2])
    b = tl.descend(L, THETA, optimizer, 10, schedule=schedule)
    np.testing.assert_array_equal(a.points, b.points)


def test_a_restricted_walk_stays_in_its_plane():
    plane = tl.Plane.two_weights(THETA, 0, 3, network=NET)
    flat = tl.descend(MOONS.restrict(plane), [0.0, 0.0], SGD(0.5), steps=10)
    lifted = plane.point(flat.points[:, 0], flat.points[:, 1])
    np.testing.assert_array_equal(np.delete(lifted - THETA, [0, 3], axis=-1), 0.0)
    np.testing.assert_allclose(flat.losses, MOONS(lifted), rtol=1e-13)
    assert flat.losses[-1] < flat.losses[0]
