"""The walk over the cells of a survey: many at a time, bounded in memory, interruptible.

Cells are independent points, so a chunk of them is one stack of weights and one call. Chunks run in
turn, or as a few jobs per worker on any executor; whichever are finished when Ctrl-C comes are
kept.
"""

import os
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import NotPicklableError, ParameterError, ShapeError
from ..landscape import Landscape
from ..landscape.sources import CallablesLandscape, RestrictedLandscape
from .slices import Slice

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .line import Line
    from .plane import Plane

Array = NDArray[Any]
Metric = Callable[[Array], Array]
Progress = bool | Callable[[int, int], object]

JOBS_PER_WORKER = 4


@dataclass(frozen=True)
class Measure:
    """One thing to measure: the loss or accuracy of a landscape, or any function of weights."""

    ground: Landscape | None
    metric: str | Metric
    slice: Slice | None = None

    def __call__(self, ground: Landscape | None, theta: Array) -> Array:
        """Return it at theta `(C, P)`, shape `(C,)`, where `ground` may stand in for its own."""
        if callable(self.metric):
            return self.metric(theta.copy())  # whatever it does with them is its own affair
        assert ground is not None
        return ground(theta) if self.metric == "loss" else ground.accuracy(theta)


@dataclass(frozen=True)
class Task:
    """All that a worker needs to measure any cells."""

    measures: dict[str, Measure]
    site: "Plane | Line"
    chunk: int


def measure_cells(
    measures: dict[str, Measure],
    site: "Plane | Line",
    axes: tuple[Array, ...],
    start: tuple[Mapping[str, Array], Array] | None,
    executor: "Executor | None",
    progress: Progress,
    memory: float,
) -> tuple[dict[str, Array], Array]:
    """Evaluate every cell that `start` has not; return the values by name and which cells are
    done."""
    if executor is not None and not hasattr(executor, "submit"):
        raise ParameterError(
            f"got executor={executor!r}; expected a concurrent.futures.Executor, e.g. "
            f"ThreadPoolExecutor(2), or None"
        )
    shape = tuple(map(len, axes))
    where = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)
    dtype = site.point(*where[0]).dtype
    grounds = {id(m.ground): m.ground for m in measures.values() if m.ground is not None}
    slices = {key: Slice(g, site) for key, g in grounds.items() if Slice.applies(g, site)}
    slices = {key: one for key, one in slices.items() if one.pays}
    if any(_one_by_one(ground) for ground in grounds.values()):
        chunk = 1  # a stack gains nothing there, and a single point may take seconds
    else:
        chunk = min(ground.points_at_once(dtype, memory, passes=1) for ground in grounds.values())
        chunk = min([chunk, *(one.cells_at_once for one in slices.values())])
    measures = {n: replace(m, slice=slices.get(id(m.ground))) for n, m in measures.items()}
    done = np.zeros(len(where), bool)
    values = np.full((len(measures), len(where)), np.nan, dtype)
    if start is not None:
        if set(start[0]) != set(measures):
            raise ParameterError(
                f"resume= holds {sorted(start[0])}, asked for are {sorted(measures)}; they must "
                f"be the same"
            )
        done[:] = start[1].ravel()
        values[:] = [start[0][name].ravel() for name in measures]
    left = np.flatnonzero(~done)
    task = Task(measures, site, chunk)
    jobs = _jobs(where, left, chunk, executor)
    report = _Report(progress, len(where), len(where) - len(left))
    results = (
        _in_turn(task, where, jobs) if executor is None else _spread(task, where, jobs, executor)
    )
    try:
        for cells, heights in results:
            values[:, cells] = heights
            done[cells] = True
            report.add(len(cells))
    except KeyboardInterrupt:
        pass  # what is finished is kept; the caller goes on with resume=
    finally:
        results.close()
        report.close()
    return {
        name: row.reshape(shape) for name, row in zip(measures, values, strict=True)
    }, done.reshape(shape)


def _jobs(where: Array, left: Array, chunk: int, executor: Any) -> list[Array]:
    """Cut the cells that are left into jobs. The origin comes first and alone: it is the cell
    everyone checks, and a stack of one takes the very steps of a plain call."""
    middle = left[~where[left].any(axis=-1)]
    others = left[where[left].any(axis=-1)]
    size = chunk
    if executor is not None:
        size = max(1, -(-len(others) // (JOBS_PER_WORKER * workers_of(executor) - 1)))
    return [
        part
        for part in (middle, *(others[k : k + size] for k in range(0, len(others), size)))
        if len(part)
    ]


def workers_of(executor: Any) -> int:
    """Return how many jobs an executor runs at a time; the cores of this machine if it does not
    say."""
    for name in ("_max_workers", "num_workers"):  # Python's own and loky's; mpi4py's
        if count := getattr(executor, name, None):
            return int(count)
    if client := getattr(executor, "_client", None):  # Dask's: threads by worker
        return sum(client.nthreads().values()) or 1
    return os.cpu_count() or 1


def _one_by_one(ground: Landscape) -> bool:
    while isinstance(ground, RestrictedLandscape):
        ground = ground.landscape
    return isinstance(ground, CallablesLandscape)


def _heights(task: Task, where: Array) -> Array:
    """Measure the cells at `where` `(C, axes)`, a chunk at a time; return `(measures, C)`."""
    parts = []
    for first in range(0, len(where), task.chunk):
        part = where[first : first + task.chunk]
        theta = task.site.point(*part.T)
        with np.errstate(all="ignore"):  # far out a loss may overflow: infinity, not a warning
            parts.append(_chunk(task, part, theta))
    return np.concatenate(parts, axis=-1)


def _chunk(task: Task, where: Array, theta: Array) -> Array:
    """Measure weights `(C, P)`. The origin alone takes the very steps of a plain call, and so does
    every cell of a network so wide that it fills the cache: there a loop is fastest."""
    slices = {m.slice for m in task.measures.values() if m.slice is not None}
    centre = not where.any()
    alone = centre or (len(where) == 1 and not slices)
    slices = set() if centre else slices
    standing = {one: one.at(where, theta) for one in slices}
    rows = []
    for name, measure in task.measures.items():
        here = None if measure.slice is None else standing.get(measure.slice)
        ground = measure.ground if here is None else here
        row = np.asarray([measure(ground, theta[0])] if alone else measure(ground, theta))
        if row.shape != theta.shape[:-1]:
            raise ShapeError(
                f"{name} gave shape {row.shape} for weights {theta.shape}; expected "
                f"{theta.shape[:-1]}: one per point"
            )
        rows.append(row)
    return np.stack(rows)


def _in_turn(
    task: Task, where: Array, jobs: list[Array]
) -> Generator[tuple[Array, Array], None, None]:
    for cells in jobs:
        yield cells, _heights(task, where[cells])


def _spread(
    task: Task, where: Array, jobs: list[Array], executor: Any
) -> Generator[tuple[Array, Array], None, None]:
    from concurrent.futures import ProcessPoolExecutor, as_completed

    if isinstance(executor, ProcessPoolExecutor):
        require_picklable(task, executor)
    try:
        futures = {executor.submit(_heights, task, where[cells]): cells for cells in jobs}
    except Exception:
        require_picklable(task)  # some clusters refuse here, each in words of its own
        raise
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        for future in futures:
            future.cancel()


def require_picklable(task: Task, pool: Any = None) -> None:
    """Raise `NotPicklableError` when `task` cannot be sent to another process."""
    import pickle

    try:
        sent = pickle.dumps(task)
    except Exception as error:
        raise NotPicklableError(
            f"this survey cannot be sent to another process ({error}); define its functions at "
            f"the top of a module, or use threads"
        ) from error
    # A pickle names a function by its module. A new process runs a script again to find what it
    # defined, but it has no cells of a notebook to run.
    typed = not hasattr(sys.modules["__main__"], "__file__")
    fresh = pool is not None and pool._mp_context.get_start_method() != "fork"
    if typed and fresh and b"__main__" in sent:
        raise NotPicklableError(
            "this survey cannot be sent to another process: a function or class of it was defined "
            "in this session, which a new process does not see; move it into a module, or use "
            "threads"
        )


class _Report:
    """A progress bar, a function to call, or nothing."""

    def __init__(self, progress: Progress, total: int, already: int) -> None:
        self.total, self.count = total, already
        self.call = progress if callable(progress) else None
        self.bar = None
        if progress is True:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=total, initial=already, unit="cell", desc="survey", leave=False)

    def add(self, cells: int) -> None:
        self.count += cells
        if self.bar is not None:
            self.bar.update(cells)
        if self.call is not None:
            self.call(self.count, self.total)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
