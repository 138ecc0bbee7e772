"""The survey: right cells, exact centre, any executor, interruption, resumption, files."""

import sys
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import NotPicklableError, ParameterError, ShapeError
from tinygrad_landscape.surveying import cells, coarse_to_fine, grid

F = tl.formulas


@pytest.fixture(scope="module")
def L():
    net = tl.Network(tl.Linear(2, 6), tl.Tanh(), tl.Linear(6, 5), tl.ReLU(), tl.Linear(5, 1))
    return tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(40, noise=0.2, seed=0))


@pytest.fixture(scope="module")
def plane(L):
    return tl.Plane.random(L.network.init(seed=1), seed=2, network=L.network)


@pytest.fixture
def small_chunks(monkeypatch):
    """Many chunks where the real size would be one."""
    monkeypatch.setattr(tl.Landscape, "points_at_once", lambda *args, **options: 7)


def lopsided(p):
    return p[..., 0] + 10.0 * p[..., 1]


# Every cell at its place --------------------------------------------------------------------------


def test_each_cell_is_the_loss_at_its_point_on_a_lopsided_grid(L, plane, small_chunks):
    surface = tl.survey(L, plane, extent=(-1.0, 2.0, 0.0, 0.5), resolution=(7, 4))
    assert surface.loss.shape == (7, 4) and surface.done.all()
    for i, j in np.ndindex(7, 4):
        point = plane.point(surface.a[i], surface.b[j])
        assert surface.loss[i, j] == pytest.approx(float(L(point)), rel=1e-12)


def test_first_axis_is_a_second_is_b():
    surface = tl.survey(tl.Landscape.from_function(lopsided), extent=(1.0, 2.0), resolution=(3, 5))
    expected = surface.a[:, None] + 10.0 * surface.b
    assert surface.loss == pytest.approx(expected)
    assert surface.a.tolist() == [-1.0, 0.0, 1.0] and surface.b[-1] == 2.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("extent", [1.0, 0.3, (0.1, 3.7)])
@pytest.mark.parametrize("resolution", [3, 21, (49, 51)])
def test_the_centre_is_the_loss_of_theta_to_the_last_bit(L, plane, dtype, extent, resolution):
    surface = tl.survey(L, plane, extent, resolution, dtype=dtype)
    i, j = len(surface.a) // 2, len(surface.b) // 2
    assert surface.a[i] == surface.b[j] == 0.0
    assert surface.loss[i, j] == L(plane.origin.astype(dtype))
    assert surface.loss.dtype == dtype


def test_the_centre_takes_no_short_cut():
    """A stack of cells rounds otherwise than one point does; the centre may not show it."""
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))
    L = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(40, noise=0.2, seed=0))
    for theta in net.init(seed=1, count=20, dtype=np.float32):
        surface = tl.survey(L, tl.Plane.random(theta, 2, net), resolution=3)
        assert surface.loss[1, 1] == L(theta)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 60))
def test_axes_are_even_exact_at_the_ends_and_symmetric(low, width, n):
    axis = grid.axis(low, low + width, n)
    assert axis[0] == low and axis[-1] == low + width and len(axis) == n
    assert axis == pytest.approx(np.linspace(low, low + width, n))
    centred = grid.axis(-width, width, n)
    assert np.array_equal(centred, -centred[::-1])


def test_extent_in_all_its_forms(plane):
    expected = ((-2.0, 2.0), (-2.0, 2.0))
    for extent in (2, 2.0, (2.0, 2.0), ((-2, 2), (-2, 2)), (-2, 2, -2, 2), np.array(2.0)):
        assert grid.ranges(extent, plane) == expected
    for wrong in (0.0, -1.0, (1.0, -1.0), (2, 1, 0, 1), "big", np.nan, (1, 2, 3), None):
        with pytest.raises(ParameterError, match="expected a half-width"):
            grid.ranges(wrong, plane)


def test_an_extent_that_fits_a_walk_shows_all_of_it(L, plane):
    walk = tl.descend(L, plane.point([[0.7], [-3.0]], 0.4), tl.optim.SGD(lr=0.1), steps=5)
    surface = tl.survey(L, plane, extent=walk, resolution=5)
    a, b = plane.coordinates(walk.points).reshape(-1, 2).T
    for axis, values in ((surface.a, a), (surface.b, b)):
        assert axis[0] < min(values.min(), 0.0) and max(values.max(), 0.0) < axis[-1]


@pytest.mark.parametrize("wrong", [1, 0, 2.5, (3,), (3, 4, 5), "many", (5, 1)])
def test_a_senseless_resolution_is_refused(wrong):
    with pytest.raises(ParameterError, match="resolution"):
        tl.survey(F.himmelblau, resolution=wrong)


def test_what_does_not_fit_is_refused(L, plane):
    with pytest.raises(ShapeError, match="2 weights"):
        tl.survey(L, tl.Plane.whole())
    with pytest.raises(ParameterError, match=r"tl\.Plane"):
        tl.survey(L)
    with pytest.raises(ParameterError, match="memory"):
        tl.survey(L, plane, memory=100)
    line = tl.Line.along(plane.origin, plane.u)
    for call, hint in (
        (lambda: tl.survey(L, line), r"tl\.Plane"),
        (lambda: tl.survey(L, (plane.u, plane.v)), r"tl\.Plane"),
        (lambda: tl.profile(L, plane), r"tl\.Line"),
        (lambda: tl.survey(L, plane, resume={}), r"tl\.Surface"),
        (lambda: tl.survey(L, plane, executor=4), r"ThreadPoolExecutor\(2\)"),
        (lambda: tl.survey(L, plane, dtype=int), r"np\.float32"),
        (lambda: tl.profile(L, line, dtype=np.float16), r"np\.float32"),
    ):
        with pytest.raises(ParameterError, match=f"got.*expected.*{hint}"):
            call()


# Heights ------------------------------------------------------------------------------------------


def test_nan_and_infinity_stay_and_count_as_done():
    def strange(p):
        return np.where(p[..., 0] < 0.0, np.nan, 1.0 / p[..., 1] ** 2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        surface = tl.survey(tl.Landscape.from_function(strange), resolution=5)
    assert surface.done.all()
    assert np.isnan(surface.loss[:2]).all() and np.isinf(surface.loss[2:, 2]).all()
    assert np.isfinite(surface.loss[2:, [0, 1, 3, 4]]).all()
    assert "13 of 25 are NaN or infinite" in surface.describe()


def test_accuracy_other_data_and_own_metrics_in_one_pass(L, plane):
    fresh = tl.data.moons(30, noise=0.3, seed=9)

    def norm(theta):
        return np.linalg.norm(theta, axis=-1)

    surface = tl.survey(
        L, plane, resolution=(4, 3), metrics=("loss", "accuracy", norm), also={"test": fresh}
    )
    names = ["loss", "accuracy", "norm", "test loss", "test accuracy"]
    assert list(surface.values) == names
    point = plane.point(surface.a[3], surface.b[1])
    other = L.on(fresh)
    expected = [L(point), L.accuracy(point), norm(point), other(point), other.accuracy(point)]
    assert [surface.values[n][3, 1] for n in names] == pytest.approx(expected)


def test_metrics_that_make_no_sense_are_refused(L, plane):
    with pytest.raises(ParameterError, match="accurracy"):
        tl.survey(L, plane, metrics=("accurracy",))
    with pytest.raises(ParameterError, match="sequence"):
        tl.survey(L, plane, metrics="accuracy")
    with pytest.raises(ShapeError, match="one per point"):
        tl.survey(L, plane, metrics={"sum": lambda theta: theta.sum()}, resolution=3)


def test_two_things_of_one_name_are_refused(L, plane):
    same = [lambda theta: theta.sum(-1), lambda theta: theta.max(-1)]
    for options in (
        {"metrics": {"loss": lambda theta: theta.sum(-1)}},
        {"metrics": same},
        {"metrics": {"test loss": same[0]}, "also": {"test": tl.data.moons(9, seed=1)}},
    ):
        with pytest.raises(ParameterError, match="names of their own"):
            tl.survey(L, plane, resolution=3, **options)
    twice = tl.survey(L, plane, resolution=3, metrics=("loss", "accuracy", "accuracy"))
    assert list(twice.values) == ["loss", "accuracy"]


def test_a_metric_that_works_in_place_spoils_only_its_own_copy(L, plane):
    def spoils(theta):
        theta *= 0.0
        return theta.sum(-1)

    surface = tl.survey(L, plane, resolution=5, metrics={"spoils": spoils, "copy": L})
    assert surface.values["copy"] == pytest.approx(surface.loss) and surface.loss[2, 2] > 0.1


def test_nothing_the_user_passed_changes(L, plane):
    before = plane.origin.copy(), plane.u.copy(), [np.copy(part) for part in L.data]
    tl.survey(L, plane, resolution=5)
    with pytest.raises(ZeroDivisionError):
        tl.survey(L, plane, metrics={"fails": lambda theta: 1 // 0}, resolution=5)
    assert np.array_equal(plane.origin, before[0]) and np.array_equal(plane.u, before[1])
    assert all(np.array_equal(x, y) for x, y in zip(L.data, before[2], strict=True))


# Executors, interruption, resumption --------------------------------------------------------------


class Inline(Executor):
    """Runs each job when it is submitted, and counts them."""

    def __init__(self, workers):
        self._max_workers, self.jobs = workers, 0

    def submit(self, fn, /, *args, **options):
        self.jobs += 1
        future = Future()
        future.set_result(fn(*args, **options))
        return future


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_executor_gives_the_same_surface_in_few_jobs(L, plane, workers, small_chunks):
    executor = Inline(workers)
    assert cells.workers_of(executor) == workers
    spread = tl.survey(L, plane, resolution=(9, 8), executor=executor)
    alone = tl.survey(L, plane, resolution=(9, 8))
    assert np.abs(spread.loss - alone.loss).max() <= 1e-14
    assert 1 < executor.jobs <= 4 * workers


def test_threads_and_the_users_pool_stays_open(L, plane):
    alone = tl.survey(L, plane, resolution=21)
    with ThreadPoolExecutor(2) as pool:
        spread = tl.survey(L, plane, resolution=21, executor=pool)
        assert pool.submit(lambda: 5).result() == 5
    assert np.abs(spread.loss - alone.loss).max() <= 1e-14


def test_a_spawned_process_pool_and_what_it_cannot_carry(L, plane):
    lost = tl.Landscape.from_function(lambda p: p.sum(-1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(NotPicklableError, match="lambda"):
            tl.survey(lost, resolution=5, executor=pool)
        spread = tl.survey(L, plane, resolution=5, executor=pool)
    assert spread.loss == pytest.approx(tl.survey(L, plane, resolution=5).loss, rel=1e-12)


def typed_in_a_notebook(p):
    return p.sum(-1)


def test_a_notebooks_own_function_does_not_reach_a_new_process(monkeypatch):
    """A pickle only names it, and a fresh process has no such cell; it would die there."""
    session = ModuleType("__main__")
    session.typed_in_a_notebook = typed_in_a_notebook
    monkeypatch.setitem(sys.modules, "__main__", session)
    monkeypatch.setattr(typed_in_a_notebook, "__module__", "__main__")
    L = tl.Landscape.from_function(typed_in_a_notebook)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(NotPicklableError, match="move it into a module"):
            tl.survey(L, resolution=5, executor=pool)
        assert not pool._processes, "before any work"


def test_a_real_dask_cluster(L, plane):
    distributed = pytest.importorskip("distributed")
    lost = tl.Landscape.from_function(lambda p: p.sum(-1))
    options = {"n_workers": 1, "threads_per_worker": 3, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        executor = client.get_executor()
        assert cells.workers_of(executor) == 3
        spread = tl.survey(L, plane, resolution=9, executor=executor)
        with pytest.raises(NotPicklableError, match="lambda"):
            tl.survey(lost, resolution=5, executor=executor)
        assert client.submit(max, 3, 5).result() == 5, "the cluster still works"
    assert spread.loss == pytest.approx(tl.survey(L, plane, resolution=9).loss, rel=1e-12)


def interrupted_after(calls, landscape):
    count = iter(range(1000))

    def metric(theta):
        if next(count) >= calls:
            raise KeyboardInterrupt
        return landscape(theta)

    return {"copy": metric}


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_ctrl_c_keeps_the_finished_part_and_resume_goes_on(L, plane, calls, small_chunks):
    options = {"extent": 0.7, "resolution": (6, 5)}
    part = tl.survey(L, plane, metrics=interrupted_after(calls, L), **options)
    finished = int(part.done.sum())
    assert finished == min(7 * calls, 30) < 30
    assert f"{30 - finished} of 30 not evaluated" in part.describe()
    counted = []

    def metric(theta):
        counted.extend(np.atleast_2d(theta))
        return L(theta)

    whole = tl.survey(L, resume=part, metrics={"copy": metric})
    assert whole.done.all() and len(counted) == 30 - finished
    assert np.array_equal(whole.loss, tl.survey(L, plane, **options).loss)


def test_somebodys_slow_model_loses_one_point_to_ctrl_c_and_shows_every_one():
    seen, count = [], iter(range(1000))

    def value(theta):
        if next(count) == 12:
            raise KeyboardInterrupt
        return float(theta @ theta)

    model = tl.Landscape.from_callables(value, size=3)
    plane = tl.Plane([1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    for L, site in ((model, plane), (model.restrict(plane), None)):
        count = iter(range(1000))
        part = tl.survey(L, site, resolution=5, progress=lambda done, total: seen.append(done))
        assert part.done.sum() == 12 and seen == list(range(1, 13))
        seen.clear()
        count = iter(range(100, 1000))
        whole = tl.survey(L, site, resume=part)
        assert np.array_equal(whole.loss, tl.survey(L, site, resolution=5).loss)


def test_interrupting_an_executor_keeps_what_came_back(L, plane):
    class Breaks(Inline):
        def submit(self, fn, /, *args, **options):
            future = super().submit(fn, *args, **options)
            if self.jobs == 3:
                future = Future()
                future.set_exception(KeyboardInterrupt())
            return future

    part = tl.survey(L, plane, resolution=9, executor=Breaks(2))
    assert not part.done.all()
    whole = tl.survey(L, plane, resume=part)
    assert whole.done.all() and whole.loss == pytest.approx(tl.survey(L, plane, resolution=9).loss)


def test_resuming_something_else_is_refused(L, plane):
    part = tl.survey(L, plane, resolution=5)
    other = tl.Plane.random(plane.origin, seed=77, network=L.network)
    for arguments in (
        {"plane": other},
        {"extent": 2.0},
        {"resolution": 7},
        {"metrics": ("accuracy",)},
    ):
        with pytest.raises(ParameterError, match="resume="):
            tl.survey(L, **{"plane": plane, "resume": part, **arguments})
    again = tl.survey(L, plane, resolution=5, resume=part)
    assert np.array_equal(again.loss, part.loss)


def test_progress_is_told_and_ends_at_the_total(L, plane, small_chunks, capsys):
    seen = []
    tl.survey(L, plane, resolution=5, progress=lambda done, total: seen.append((done, total)))
    counts = [done for done, _ in seen]
    assert counts == sorted(counts) and counts[-1] == 25 and {t for _, t in seen} == {25}
    tl.survey(L, plane, resolution=5, progress=True)
    assert "survey" in capsys.readouterr().err


def test_coarse_to_fine_ends_with_the_survey_and_evaluates_each_cell_once(L, plane):
    calls = []

    def metric(theta):
        calls.append(len(theta) if theta.ndim > 1 else 1)
        return L(theta)

    levels = list(coarse_to_fine(L, plane, 0.5, (18, 9), metrics={"copy": metric}))
    whole = tl.survey(L, plane, 0.5, (18, 9))
    assert np.array_equal(levels[-1].loss, whole.loss) and sum(calls) == 18 * 9
    for coarse, fine in pairwise(levels):
        assert set(coarse.a) < set(fine.a) and coarse.a[[0, -1]].tolist() == [-0.5, 0.5]
        assert coarse.done.all()


# Profiles -----------------------------------------------------------------------------------------


def test_profile_between_and_along(L, plane):
    p, q = plane.point(0.0, 0.0), plane.point(1.0, -1.0)
    profile = tl.profile(L, tl.Line.between(p, q), resolution=11, metrics=("accuracy",))
    for k in range(11):
        assert profile.loss[k] == pytest.approx(float(L(p + profile.t[k] * (q - p))), rel=1e-12)
    assert profile.loss[0] == L(p) and profile.values["accuracy"][0] == L.accuracy(p)
    along = tl.profile(F.himmelblau, tl.Line.along([3.0, 2.0], [1.0, 0.0]), extent=(-3.0, 3.0))
    assert along.t[50] == 0.0 and along.loss[50] == 0.0 and along.minima()[0] == 0.0


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 60))
def test_jobs_cover_every_cell_once(workers, chunk, left):
    where = np.random.default_rng(0).standard_normal((60, 2))
    where[17] = 0.0
    todo = np.random.default_rng(left).permutation(60)[:left]
    for executor in (None, Inline(workers)):
        jobs = cells._jobs(where, todo, chunk, executor)
        assert sorted(np.concatenate([*jobs, []]).tolist()) == sorted(todo.tolist())
        assert executor is None or len(jobs) <= 4 * workers
