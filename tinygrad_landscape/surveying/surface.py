"""What a survey brings home: heights over a plane (`Surface`) or along a line (`Profile`).

Results only hold, save, load and describe what was measured; they never compute a loss. A cell that
was not evaluated yet is False in `.done`. NaN and infinity are measurements and stay what they are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ShapeError
from .checks import read_only
from .line import Line
from .plane import Plane
from .results import Result


@dataclass(frozen=True, eq=False)
class Surface(Result):
    """Heights over a plane: `loss[i, j]` is the loss at `plane.point(a[i], b[j])`.

    `a` `(A,)` and `b` `(B,)` are offsets from the plane's origin, `values` holds every metric by
    name, each `(A, B)`, `done` `(A, B)` says which cells were evaluated.

    >>> heights = {"loss": [[3.0, 1.0, 2.0], [4.0, 4.0, 4.0]]}
    >>> Surface([0.0, 1.0], [0.0, 1.0, 2.0], heights, Plane.whole())
    Surface(2 x 3, loss 1 to 4)
    """

    a: NDArray[Any]
    b: NDArray[Any]
    values: dict[str, NDArray[Any]]
    plane: Plane
    done: NDArray[Any] = None  # type: ignore[assignment]  # None means every cell

    def __post_init__(self) -> None:
        _check(self, ("a", "b"))
        super().__post_init__()

    @property
    def loss(self) -> NDArray[Any]:
        """The heights `(A, B)`."""
        return self.values["loss"]

    def minima(self) -> NDArray[Any]:
        """Return the coordinates `(K, 2)` of the valleys the grid shows, lowest first.

        A cell counts when no neighbour is lower and it does not lie on the frame, where the ground
        may fall on outside the picture. A flat patch counts once. What a finer grid would show is
        not known here.
        """
        cells = _lowest(self.loss, self.done)
        return np.array([(self.a[i], self.b[j]) for i, j in cells]).reshape(-1, 2)

    def describe(self) -> str:
        """Say in a few sentences what the surface shows."""
        text = f"{len(self.a)} x {len(self.b)} cells, a from {self.a[0]:.4g} to {self.a[-1]:.4g},"
        text += f" b from {self.b[0]:.4g} to {self.b[-1]:.4g}. {_heights(self)}"
        valleys = self.minima()
        if len(valleys):
            text += (
                f" The grid shows {len(valleys)} valley{'s' * (len(valleys) > 1)} inside the frame;"
            )
            text += f" the lowest is at ({valleys[0][0]:.4g}, {valleys[0][1]:.4g})."
        return f"{text} {self.plane.describe()}"

    def __repr__(self) -> str:
        return f"Surface({len(self.a)} x {len(self.b)}, {_range(self)})"


@dataclass(frozen=True, eq=False)
class Profile(Result):
    """Heights along a line: `loss[k]` is the loss at `line.point(t[k])`.

    `t` `(T,)` are positions along the line, `values` holds every metric by name, each `(T,)`,
    `done` `(T,)` says which were evaluated.
    """

    t: NDArray[Any]
    values: dict[str, NDArray[Any]]
    line: Line
    done: NDArray[Any] = None  # type: ignore[assignment]  # None means every cell

    def __post_init__(self) -> None:
        _check(self, ("t",))
        super().__post_init__()

    @property
    def loss(self) -> NDArray[Any]:
        """The heights `(T,)`."""
        return self.values["loss"]

    def minima(self) -> NDArray[Any]:
        """Return the positions `(K,)` of the valleys along the line, lowest first; its two ends
        never count."""
        return np.array([self.t[k] for (k,) in _lowest(self.loss, self.done)]).reshape(-1)

    def describe(self) -> str:
        """Say in a few sentences what the profile shows."""
        valleys = self.minima()
        text = f"{len(self.t)} points, t from {self.t[0]:.4g} to {self.t[-1]:.4g}. {_heights(self)}"
        if len(valleys):
            text += (
                f" Valleys between the ends: {len(valleys)}, the lowest at t = {valleys[0]:.4g}."
            )
        return f"{text} {self.line.describe()}"

    def __repr__(self) -> str:
        return f"Profile({len(self.t)}, {_range(self)})"


def _check(result: Any, axes: tuple[str, ...]) -> None:
    """Turn lists into arrays, fill in `done`, and check that the shapes fit together."""
    for name in axes:
        object.__setattr__(result, name, read_only(getattr(result, name)))
    shape = tuple(len(getattr(result, name)) for name in axes)
    values = {name: np.asarray(array) for name, array in result.values.items()}
    done = np.ones(shape, bool) if result.done is None else np.asarray(result.done, bool)
    for name, array in {**values, "done": done}.items():
        if array.shape != shape:
            raise ShapeError(
                f"got {name} of shape {array.shape}; expected {shape}, the lengths of "
                f"{' and '.join(axes)}"
            )
    object.__setattr__(result, "values", values)
    object.__setattr__(result, "done", done)


def _lowest(heights: NDArray[Any], done: NDArray[Any]) -> list[tuple[int, ...]]:
    """Return the inner cells none of whose neighbours is lower, one per flat patch, lowest first.

    NaN is a wall; a neighbour that was not evaluated might be lower, so the cell does not count.
    """
    ground = np.where(np.isnan(heights), np.inf, heights)
    ground[~done] = -np.inf
    around = np.pad(ground, 1, constant_values=-np.inf)
    neighbours = [shift for shift in np.ndindex((3,) * ground.ndim) if shift != (1,) * ground.ndim]
    lowest = np.isfinite(ground)
    for shift in neighbours:
        window = tuple(slice(s, s + n) for s, n in zip(shift, ground.shape, strict=True))
        lowest &= ground <= around[window]
    waiting = {tuple(int(k) for k in cell) for cell in np.argwhere(lowest)}
    found = []
    while waiting:
        patch, edge = [], [waiting.pop()]
        level, closed = ground[edge[0]], True
        while edge:
            cell = edge.pop()
            patch.append(cell)
            for shift in neighbours:
                other = tuple(c + s - 1 for c, s in zip(cell, shift, strict=True))
                if around[tuple(k + 1 for k in other)] == level:
                    if other in waiting:
                        waiting.remove(other)
                        edge.append(other)
                    closed &= other in patch or other in edge
        if closed:  # else the flat patch runs on to a cell with lower ground beside it
            found.append(min(patch))
    return sorted(found, key=lambda cell: (ground[cell], cell))


def _finite(result: Any) -> NDArray[Any]:
    measured = result.loss[result.done]
    return np.asarray(measured[np.isfinite(measured)])


def _range(result: Any) -> str:
    finite = _finite(result)
    return f"loss {finite.min():.4g} to {finite.max():.4g}" if finite.size else "no finite loss"


def _heights(result: Any) -> str:
    left = int((~result.done).sum())
    odd = int(result.done.sum()) - _finite(result).size
    text = _range(result).capitalize()
    text += f"; {odd} of {result.done.size} are NaN or infinite" if odd else ""
    text += f"; {left} of {result.done.size} not evaluated yet" if left else ""
    return text + "."
