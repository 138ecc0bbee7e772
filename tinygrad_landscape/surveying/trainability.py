"""Which learning rates train: a map whose frontier is a fractal.

Give two layers two learning rates, let every pair train from the same start, and colour by what
happened. The border between training and divergence is not a line: zooming in (narrower `axes`)
shows new detail for as long as there are digits. Source: Sohl-Dickstein 2024.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..descent import descend, optim
from ..engine.errors import ParameterError
from . import grid
from .basins import pieces
from .checks import vector
from .results import Result

if TYPE_CHECKING:
    from ..landscape import Landscape

Array = NDArray[Any]

LAST = 20  # steps whose mean decides


@dataclass(frozen=True, eq=False)
class TrainabilityMap(Result):
    """What each pair of settings does to training.

    `a` `(A,)` and `b` `(B,)` are the values along the two axes `names`; `ratio` `(A, B)` is the
    mean of the last losses over the first loss (inf where the walk diverged, NaN where Ctrl-C came
    before it); `trains` says where
    it is below 1. `speed` `(A, B)` is the sum of loss over first loss along a walk that trains, of
    its inverse along one that does not, negative: a colour value.
    """

    a: Array
    b: Array
    ratio: Array
    speed: Array
    names: tuple[str, str]

    @property
    def trains(self) -> NDArray[np.bool_]:
        """Where training ends below its start, `(A, B)`."""
        return np.asarray(self.ratio < 1.0)

    def describe(self) -> str:
        """Say which part of the map trains."""
        left = int(np.isnan(self.ratio).sum())
        return (
            f"{self.ratio.size} pairs of {self.names[0]} ({self.a[0]:.3g} to {self.a[-1]:.3g}) "
            f"and {self.names[1]} "
            f"({self.b[0]:.3g} to {self.b[-1]:.3g}): {self.trains.mean():.1%} train"
            + (f"; {left} were not tried." if left else ".")
        )

    def __repr__(self) -> str:
        return f"TrainabilityMap({len(self.a)} x {len(self.b)}, {self.trains.mean():.1%} train)"


def trainability(
    landscape: "Landscape",
    theta: ArrayLike,
    axes: Mapping[str, tuple[float, float]],
    resolution: int | tuple[int, int] = 64,
    steps: int = 50,
    optimizer: Callable[[Array, Array], Any] | None = None,
    *,
    progress: bool = False,
    memory: float = 512e6,
) -> TrainabilityMap:
    """Train from theta `(P,)` with every pair of two settings; tell which pairs train.

    axes: two names with a range each, spread evenly on a log scale. By default they are layers, and
        the settings their learning rates under plain gradient descent; layers not named take the
        second.
    optimizer: makes an optimizer from two arrays of settings, `lambda a, b: tl.optim.SGD(lr=a,
        momentum=b)`.

    Ctrl-C keeps the pairs that had been tried; the others are NaN.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.formulas.quadratic(10.0)
    >>> one = trainability(
    ...     bowl, [1.0, 1.0], {"lr": (0.02, 0.5), "momentum": (0.01, 0.5)}, 5,
    ...     optimizer=lambda a, b: tl.optim.SGD(lr=a, momentum=b))
    >>> one.trains[:, 0]
    array([ True,  True,  True, False, False])
    """
    theta = vector("theta", theta)
    if len(axes) != 2:
        raise ParameterError(
            f"got axes {list(axes)}; expected two names, each with a range (low, high)"
        )
    (first, second), count = axes, grid.counts(resolution, 2)
    a, b = (_logarithmic(name, axes[name], n) for name, n in zip(axes, count, strict=True))
    make = optimizer or by_layer(landscape, first, second)
    first_loss = abs(float(landscape(theta)))
    if not 0.0 < first_loss < np.inf:
        raise ParameterError(
            f"the loss at the start is {first_loss}; expected one above 0 to lower"
        )
    pairs = np.stack(np.meshgrid(a, b, indexing="ij")).reshape(2, -1)
    ratio, speed = np.full((2, pairs.shape[1]), np.nan)
    for piece in pieces(pairs.shape[1], theta.nbytes * 8 + steps * 24, memory):
        walk = descend(
            landscape, theta, make(*pairs[:, piece]), steps, progress=progress, memory=memory
        )
        if walk.ended == "interrupted":
            break  # walks of unlike length would not compare
        losses = np.where(np.isnan(walk.losses), np.inf, walk.losses) / first_loss
        ratio[piece] = losses[-LAST:].mean(axis=0)
        with np.errstate(divide="ignore"):
            falling, rising = losses.sum(axis=0), -(1.0 / losses).sum(axis=0)
        speed[piece] = np.where(ratio[piece] < 1.0, falling, rising)
    return TrainabilityMap(a, b, ratio.reshape(count), speed.reshape(count), (first, second))


def by_layer(landscape: "Landscape", first: str, second: str) -> Callable[[Array, Array], Any]:
    """What makes plain descent with a learning rate for layer `first` and one for the others."""
    if landscape.network is None:
        raise ParameterError(
            f"{first!r} and {second!r} are no layers: this landscape has no network; pass "
            f"optimizer="
        )
    layers = dict.fromkeys(slot.name.rpartition(".")[0] for slot in landscape.network.layout)
    for name in (first, second):
        if name not in layers:
            raise ParameterError(
                f"got the axis {name!r}; expected a layer of {list(layers)}, or pass optimizer="
            )
    return lambda a, b: optim.SGD(lr={layer: a if layer == first else b for layer in layers})


def _logarithmic(name: str, span: tuple[float, float], n: int) -> Array:
    low, high = span
    if not 0.0 < low < high < np.inf:
        raise ParameterError(f"got the range {span} for {name!r}; expected 0 < low < high")
    return np.geomspace(low, high, n)
