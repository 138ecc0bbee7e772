"""The walk over the cells of a survey: many at a time, bounded in memory, interruptible.

Cells are independent points, so a chunk of them is one stack of weights and one call. Chunks run in
turn, or as a few jobs per worker on any executor; whichever are finished when Ctrl-C comes are
kept.
"""

import os
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import NotPicklableError, ParameterError, ShapeError
from ..landscape import Landscape

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .plane import Line, Plane

Metric = Callable[[NDArray[Any]], NDArray[Any]]
Progress = bool | Callable[[int, int], object]

JOBS_PER_WORKER = 4


def measure_cells(
    measures: Mapping[str, Metric],
    site: "Plane | Line",
    axes: tuple[NDArray[Any], ...],
    start: tuple[Mapping[str, NDArray[Any]], NDArray[Any]] | None,
    executor: "Executor | None",
    progress: Progress,
    memory: float,
) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Evaluate every cell that `start` has not; return the values by name and which cells are
    done."""
    shape = tuple(map(len, axes))
    where = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)
    dtype = site.point(*where[0]).dtype
    landscapes = [m for m in measures.values() if isinstance(m, Landscape)]
    chunk = min(ground.points_at_once(dtype, memory, passes=1) for ground in landscapes)
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
    task = (tuple(measures.items()), site, chunk)
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


def _jobs(where: NDArray[Any], left: NDArray[Any], chunk: int, executor: Any) -> list[NDArray[Any]]:
    """Cut the cells that are left into jobs. The origin comes first and alone: it is the cell
    everyone checks, and a stack of one takes the very steps of a plain call."""
    middle = left[~where[left].any(axis=-1)]
    others = left[where[left].any(axis=-1)]
    size = chunk
    if executor is not None:
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        size = max(1, -(-len(others) // (JOBS_PER_WORKER * workers - 1)))
    return [
        part
        for part in (middle, *(others[k : k + size] for k in range(0, len(others), size)))
        if len(part)
    ]


def _heights(task: tuple[Any, Any, int], where: NDArray[Any]) -> NDArray[Any]:
    """Evaluate the cells at `where` `(C, axes)`, at most `chunk` at a time; return `(measures,
    C)`."""
    measures, site, chunk = task
    parts = []
    with np.errstate(
        all="ignore"
    ):  # far out a loss may overflow: infinity is the right answer, not a warning
        for k in range(0, len(where), chunk):
            theta = site.point(*where[k : k + chunk].T)
            rows = []
            for name, measure in measures:
                row = np.asarray(measure(theta[0])[None] if len(theta) == 1 else measure(theta))
                if row.shape != theta.shape[:-1]:
                    raise ShapeError(
                        f"{name} gave shape {row.shape} for weights {theta.shape}; expected "
                        f"{theta.shape[:-1]}: one per point"
                    )
                rows.append(row)
            parts.append(np.stack(rows))
    return np.concatenate(parts, axis=-1)


def _in_turn(
    task: Any, where: NDArray[Any], jobs: list[NDArray[Any]]
) -> Generator[tuple[NDArray[Any], NDArray[Any]], None, None]:
    for cells in jobs:
        yield cells, _heights(task, where[cells])


def _spread(
    task: Any, where: NDArray[Any], jobs: list[NDArray[Any]], executor: Any
) -> Generator[tuple[NDArray[Any], NDArray[Any]], None, None]:
    from concurrent.futures import ProcessPoolExecutor, as_completed

    if isinstance(executor, ProcessPoolExecutor):
        require_picklable(task)
    futures = {executor.submit(_heights, task, where[cells]): cells for cells in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        for future in futures:
            future.cancel()


def require_picklable(task: Any) -> None:
    """Raise `NotPicklableError` when `task` cannot be sent to another process."""
    import pickle

    try:
        pickle.dumps(task)
    except Exception as error:
        raise NotPicklableError(
            f"this survey cannot be sent to another process ({error}); define its functions at "
            f"the top of a module, or use threads"
        ) from error


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
