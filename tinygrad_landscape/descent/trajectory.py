"""The record of a walk: where it went, how high it was, and which walkers fell off.

A `Trajectory` is plain read-only arrays. It can be sliced, saved, drawn and described, and computes
nothing.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..landscape import files

Array = NDArray[Any]
ARRAYS = ("points", "losses", "gradient_norms", "batch_losses", "steps", "diverged_at")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The recorded points of one walk, or of many walkers at once.

    R points were recorded in T steps: the first, every `record_every`-th and the last.

    - `points` `(R, ..., P)`; `losses`, `gradient_norms` `(R, ...)` of the *full* landscape there.
    - `batch_losses` `(T, ...)`: the loss each step was taken on, before it was taken.
    - `steps` `(R,)`: the step numbers of the recorded points, 0 for the start.
    - `diverged_at` `(...)`: the step at which a walker diverged, -1 if it did not. From then on it
      stays at its last finite point and its losses are NaN.
    - `ended`: "finished", "interrupted", or which callback ended the walk.
    - `optimizer`: how it was walked, as text.

    `walk[a:b]` keeps some recorded points, `walk[:, k]` one walker.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> walk = tl.descend(bowl, [[8.0, 4.0], [2.0, 0.0]], tl.optim.SGD(lr=0.5), steps=3)
    >>> walk.points.shape, walk[:, 1].losses
    ((4, 2, 2), array([2.     , 0.5    , 0.125  , 0.03125]))
    """

    points: Array
    losses: Array
    gradient_norms: Array
    batch_losses: Array
    steps: Array
    diverged_at: Array
    ended: str = "finished"
    optimizer: str = ""

    def __post_init__(self) -> None:
        for name in ARRAYS:
            array = np.asarray(getattr(self, name))
            if array.flags.writeable:  # somebody else may hold it
                array = array.copy()
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def end(self) -> Array:
        """The last point `(..., P)`."""
        return self.points[-1]

    @property
    def best(self) -> Array:
        """The recorded point `(..., P)` with the lowest loss."""
        lowest = np.where(np.isnan(self.losses), np.inf, self.losses).argmin(axis=0)
        return np.take_along_axis(self.points, lowest[None, ..., None], axis=0)[0]

    @property
    def diverged(self) -> Array:
        """Which walkers diverged, `(...)` of bool."""
        return np.asarray(self.diverged_at >= 0)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, key: Any) -> "Trajectory":
        key = key if isinstance(key, tuple) else (key,)
        rows, walkers = key[0], key[1:]
        if not isinstance(rows, slice):
            raise TypeError(
                f"got walk[{rows!r}]; slice the recorded points, as walk[10:20] or walk[:, 3]"
            )
        if not len(self.steps[rows]):
            raise IndexError(f"walk[{rows}] holds no recorded point; there are {len(self)}")
        if any(w is Ellipsis for w in walkers) or len(walkers) >= self.points.ndim - 1:
            raise IndexError(
                f"got {len(walkers)} walker indices for leading shape {self.diverged_at.shape}"
            )
        steps = self.steps[rows]
        every = (slice(None), *walkers)
        return Trajectory(
            points=self.points[rows][every],
            losses=self.losses[rows][every],
            gradient_norms=self.gradient_norms[rows][every],
            batch_losses=self.batch_losses[steps.min() : steps.max()][every],
            steps=steps,
            diverged_at=self.diverged_at[walkers],
            ended=self.ended,
            optimizer=self.optimizer,
        )

    def describe(self) -> str:
        """Say in a sentence or two how the walk went."""
        if not self.diverged_at.ndim:
            text = f"{self.steps[-1]} steps, loss from {self._loss(0)} to {self._loss(-1)}"
            if self.diverged:
                text += f"; diverged at step {self.diverged_at}"
        else:
            text = f"{self.diverged_at.size} walkers, {self.steps[-1]} steps"
            ends = self.losses[-1][~self.diverged]
            if ends.size:
                text += f"; losses end between {ends.min():.4g} and {ends.max():.4g}"
            if lost := int(self.diverged.sum()):
                text += f"; {lost} of {self.diverged.size} diverged"
        if self.ended != "finished":
            text += f"; {self.ended}"
        return f"{text}, by {self.optimizer}." if self.optimizer else f"{text}."

    def _loss(self, row: int) -> str:
        known = self.losses[np.isfinite(self.losses)]
        return f"{known[row]:.4g}" if known.size else "nan"

    def __repr__(self) -> str:
        shape = f"R={len(self)}, walkers={self.diverged_at.shape}, P={self.points.shape[-1]}"
        return f"Trajectory({shape}: {self.describe()[:-1]})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the walk to a `.npz` file, moved into place when complete."""
        facts = {"ended": self.ended, "optimizer": self.optimizer}
        files.save(path, "trajectory", 1, {name: getattr(self, name) for name in ARRAYS}, facts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Trajectory":
        """Read a walk saved by `save`; a foreign or newer file raises `ParameterError`.

        >>> import tempfile, pathlib, tinygrad_landscape as tl
        >>> bowl = tl.Landscape.from_function(lambda p: (p * p).sum(-1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "walk.npz"
        ...     tl.descend(bowl, [1.0, 1.0], tl.optim.SGD(0.1), steps=5).save(path)
        ...     len(Trajectory.load(path))
        6
        """
        arrays, facts = files.load(path, "trajectory", newest=1)
        return cls(**arrays, ended=facts["ended"], optimizer=facts["optimizer"])
