"""Walking over a plane or along a line and measuring the height at every cell.

The cells of a grid are independent points, so they are evaluated many at a time as one stack of
weights, chunk by chunk: bounded in memory, spread over any executor, and interruptible with what
is finished kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError, ShapeError
from ..landscape import Landscape
from . import grid
from .cells import Measure, Metric, Progress, measure_cells
from .line import Line
from .plane import Plane
from .surface import Profile, Surface

if TYPE_CHECKING:
    from concurrent.futures import Executor


Metrics = Sequence[str | Metric] | Mapping[str, Metric]


def survey(
    landscape: "Landscape",
    plane: Plane | None = None,
    extent: Any = 1.0,
    resolution: int | tuple[int, int] = 51,
    metrics: Metrics = ("loss",),
    also: Mapping[str, Any] | None = None,
    resume: Surface | None = None,
    executor: "Executor | None" = None,
    progress: Progress = False,
    dtype: Any = None,
    *,
    memory: float = 512e6,
) -> Surface:
    """Measure a landscape over a plane: `surface.loss[i, j] == landscape(plane.point(a[i], b[j]))`.

    plane: may be left out for a landscape of two weights; then a and b are the weights themselves.
    extent: a half-width, a pair, two ranges, flat (a0, a1, b0, b1), all in units of the plane's
        axes; or a walk to fit.
    resolution: points per axis, one number or a pair. Odd ones contain the middle exactly.
    metrics: "loss", "accuracy", or functions of weights `(..., P)` (a mapping names them); the loss
        is always measured.
    also: other data (or landscapes) by name, measured at the same points: `also={"test": test}`
        adds "test loss" and, if "accuracy" is asked for, "test accuracy".
    resume: a surface with unfinished cells; only those are evaluated, on its own grid.
    executor: any `concurrent.futures.Executor`; it is not shut down. Process pools need a landscape
        that pickles. None takes chunk after chunk, since two threads were 0.97 to 1.7 times the
        time of one (tests/benchmarks/surface.py).
    progress: True shows a bar; a function is called with (cells done, cells in all).
    dtype: evaluate in this precision, e.g. `np.float32` for a picture; None keeps the plane's.
    memory: a bound in bytes on the temporaries of one chunk.

    Ctrl-C returns the part that is finished. NaN and infinite heights are kept. Raises
    `ParameterError`, `ShapeError`, and `NotPicklableError` before any work.

    >>> from tinygrad_landscape.landscape import formulas
    >>> surface = survey(formulas.himmelblau, extent=5.0, resolution=101)
    >>> surface.minima()[0]
    array([3., 2.])
    """
    if resume is not None and not isinstance(resume, Surface):
        raise ParameterError(
            f"got a {type(resume).__name__} as resume=; expected an unfinished tl.Surface"
        )
    if plane is None and resume is not None:
        plane = resume.plane
    site = _cast(Plane.of(landscape, plane), ("origin", "u", "v"), dtype)
    (a0, a1), (b0, b1) = grid.ranges(extent, site)
    na, nb = grid.counts(resolution, 2)
    axes = (grid.axis(a0, a1, na), grid.axis(b0, b1, nb))
    start = None
    if resume is not None:
        axes = _resumed_axes(
            resume,
            site,
            axes,
            untouched=np.shape(extent) == () and (extent, resolution) == (1.0, 51),
        )
        start = resume.values, resume.done
    measures = _measures(landscape, metrics, also)
    values, done = measure_cells(measures, site, axes, start, executor, progress, memory)
    return Surface(axes[0], axes[1], values, site, done)


def profile(
    landscape: "Landscape",
    line: Line,
    resolution: int = 101,
    metrics: Metrics = ("loss",),
    also: Mapping[str, Any] | None = None,
    executor: "Executor | None" = None,
    progress: Progress = False,
    dtype: Any = None,
    *,
    extent: tuple[float, float] | None = None,
    memory: float = 512e6,
) -> Profile:
    """Measure a landscape along a line: `profile.loss[k] == landscape(line.point(t[k]))`.

    `extent` is the range of t, by default the line's own (0 to 1 between two points, -1 to 1 along
    a direction); the other arguments are those of `survey`.

    >>> from tinygrad_landscape.landscape import formulas
    >>> profile(formulas.himmelblau, Line.between([0.0, 0.0], [3.0, 2.0]), resolution=3).loss
    array([170.    ,  80.3125,   0.    ])
    """
    if not isinstance(line, Line):
        raise ParameterError(
            f"got a {type(line).__name__} as line; expected a tl.Line, e.g. tl.Line.between(p, q)"
        )
    line = _cast(line, ("start", "direction"), dtype)
    if line.size != landscape.size:
        raise ShapeError(f"got a line of {line.size} weights; this landscape has {landscape.size}")
    low, high = line.extent if extent is None else extent
    if not low < high:
        raise ParameterError(
            f"got extent={extent!r}; expected a range (low, high) of t with low < high"
        )
    axes = (grid.axis(float(low), float(high), *grid.counts(resolution, 1)),)
    measures = _measures(landscape, metrics, also)
    values, done = measure_cells(measures, line, axes, None, executor, progress, memory)
    return Profile(axes[0], values, line, done)


def coarse_to_fine(
    landscape: "Landscape",
    plane: Plane | None = None,
    extent: Any = 1.0,
    resolution: int | tuple[int, int] = 51,
    metrics: Metrics = ("loss",),
    also: Mapping[str, Any] | None = None,
    *,
    levels: int = 4,
    dtype: Any = None,
    memory: float = 512e6,
) -> Iterator[Surface]:
    """Yield surfaces on finer and finer grids, so that there is something to show at once.

    Each is complete on its grid, which takes every 8th, 4th, 2nd point of the last (for `levels=4`)
    and both ends. A cell is evaluated once only, so all levels together cost one survey.

    >>> from tinygrad_landscape.landscape import formulas
    >>> [len(s.a) for s in coarse_to_fine(formulas.himmelblau, extent=5.0, resolution=17)]
    [3, 5, 9, 17]
    """
    site = _cast(Plane.of(landscape, plane), ("origin", "u", "v"), dtype)
    full = [
        grid.axis(*r, n)
        for r, n in zip(grid.ranges(extent, site), grid.counts(resolution, 2), strict=True)
    ]
    measures = _measures(landscape, metrics, also)
    values: dict[str, NDArray[Any]] = {}
    done = np.zeros(tuple(map(len, full)), bool)
    for level in reversed(range(levels)):
        kept = [np.unique([*range(0, len(x), 2**level), len(x) - 1]) for x in full]
        window = np.ix_(*kept)
        axes = tuple(x[k] for x, k in zip(full, kept, strict=True))
        start = ({name: v[window] for name, v in values.items()}, done[window]) if values else None
        part, finished = measure_cells(measures, site, axes, start, None, False, memory)
        for name, heights in part.items():
            values.setdefault(name, np.full(done.shape, np.nan, heights.dtype))[window] = heights
        done[window] = finished
        yield Surface(axes[0], axes[1], part, site, finished)


# What is measured, and where ----------------------------------------------------------------------


def _cast(site: Any, names: tuple[str, ...], dtype: Any) -> Any:
    if dtype is None:
        return site
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ParameterError(f"got dtype={dtype!r}; expected np.float32 or np.float64")
    return replace(site, **{name: getattr(site, name).astype(dtype) for name in names})


def _resumed_axes(
    resume: Surface, site: Plane, axes: tuple[Any, Any], untouched: bool
) -> tuple[Any, Any]:
    """Return the grid of the surface to go on with; other arguments than its own are refused, not
    ignored."""
    own = resume.plane
    if not all(
        np.array_equal(getattr(own, name), getattr(site, name)) for name in ("origin", "u", "v")
    ):
        raise ParameterError(
            "resume= holds a surface over another plane (or precision); pass the same plane, or "
            "none"
        )
    same = np.array_equal(resume.a, axes[0]) and np.array_equal(resume.b, axes[1])
    if not same and not untouched:
        raise ParameterError(
            f"resume= holds {resume!r} on another grid; leave out extent and resolution, or pass "
            f"its own"
        )
    return resume.a, resume.b


def _measures(
    landscape: "Landscape", metrics: Metrics, also: Mapping[str, Any] | None
) -> dict[str, Measure]:
    """Return everything to measure, by the name its values get."""
    if isinstance(metrics, str) or (also is not None and not isinstance(also, Mapping)):
        raise ParameterError(
            "metrics= is a sequence, e.g. ('loss', 'accuracy'), and also= a mapping, e.g. "
            "{'test': test_data}"
        )
    asked: list[tuple[str, str | Metric]] = (
        list(metrics.items())
        if isinstance(metrics, Mapping)
        else [(getattr(m, "__name__", str(m)), m) for m in metrics]
    )
    for _, metric in asked:
        if not callable(metric) and metric not in ("loss", "accuracy"):
            raise ParameterError(
                f"got the metric {metric!r}; expected 'loss', 'accuracy' or a function of weights "
                f"(..., P)"
            )
    wanted = [("loss", Measure(landscape, "loss"))]
    wanted += [(n, Measure(None if callable(m) else landscape, m)) for n, m in asked]
    for prefix, where in (also or {}).items():
        other = where if isinstance(where, Landscape) else landscape.on(where)
        names = dict.fromkeys(("loss", *(m for _, m in asked if isinstance(m, str))))
        wanted += [(f"{prefix} {name}", Measure(other, name)) for name in names]
    measures: dict[str, Measure] = {}
    for name, measure in wanted:
        if measures.setdefault(name, measure) != measure:
            raise ParameterError(
                f"two things to measure are called {name!r}; give them names of their own, "
                f"metrics={{'name': function}}"
            )
    return measures
