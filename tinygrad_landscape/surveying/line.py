"""Lines through weight space: the ground of a profile.

A line is a start and a direction in R^P; every point on it is `start + t*direction`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError
from .checks import column, read_only, vector


@dataclass(frozen=True, eq=False)
class Line:
    """The line `start + t*direction` through weight space, drawn over `extent`, a range of t.

    >>> Line.between([0.0, 0.0], [2.0, 4.0]).point(0.5)
    array([1., 2.])
    """

    start: NDArray[Any]
    direction: NDArray[Any]
    extent: tuple[float, float] = (-1.0, 1.0)
    label: str = "t"
    chosen: str = "along a direction"

    def __post_init__(self) -> None:
        start = vector("start", self.start)
        direction = vector("direction", self.direction, like=start)
        if not np.any(direction):
            raise ParameterError(
                "the direction is zero everywhere (two equal points?); a line needs a direction "
                "that moves the weights"
            )
        object.__setattr__(self, "start", read_only(start))
        object.__setattr__(self, "direction", read_only(direction))

    @classmethod
    def between(cls, p: ArrayLike, q: ArrayLike) -> "Line":
        """The line from `p` (t = 0) to `q` (t = 1), both `(P,)`."""
        start = vector("p", p)
        return cls(
            start,
            vector("q", q, like=start) - start,
            (0.0, 1.0),
            "t",
            "from p at t = 0 to q at t = 1",
        )

    @classmethod
    def along(cls, p: ArrayLike, d: ArrayLike) -> "Line":
        """The line through `p` (t = 0) in direction `d`, both `(P,)`, from t = -1 to t = 1; one
        unit is the length of `d`."""
        return cls(vector("p", p), np.asarray(d))

    @property
    def size(self) -> int:
        """P, the number of weights."""
        return self.start.size

    @property
    def frame(self) -> tuple[NDArray[Any], ...]:
        """Start and direction."""
        return self.start, self.direction

    def point(self, t: Any) -> Any:
        """Return the weights `(..., P)` at `t`."""
        return self.start + column(t, self.start) * self.direction

    def describe(self) -> str:
        """Say in a sentence which line this is."""
        length = np.linalg.norm(self.direction)
        text = f"Line through {self.size} weights {self.chosen}."
        return f"{text} One unit of t is a distance of {length:.4g}."

    def __repr__(self) -> str:
        return f"Line({self.size} weights, t from {self.extent[0]:.4g} to {self.extent[1]:.4g})"
