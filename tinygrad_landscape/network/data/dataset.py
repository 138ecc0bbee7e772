"""`Data`: inputs and targets that have been looked at once.

The one idea: whatever is wrong with data (a NaN, one class only, y of the wrong shape) is said when
it comes in, in a sentence, and not by a strange picture an hour later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.errors import ParameterError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vP*X<>"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """N samples: inputs `x` and targets `y`, read-only copies. Unpacks as `x, y = data`.

    Args:
        x: (N, features), or images (N, C, H, W). Whole numbers become float64, floats keep their
        dtype. y: integer labels (N,) for classification, float (N, out) for regression. names: one
        name per feature or channel; x0, x1, ... by default.

    Raises:
        ShapeError: x or y of another number of axes, or of different lengths.
        ParameterError: empty, NaN or infinite values, labels below 0, one class only.

    >>> import tinygrad_landscape as tl
    >>> data = tl.data.moons(200, noise=0.1)
    >>> data
    Data(200 samples: x (200, 2) float64, y (200,) 2 classes of 100, 100)
    >>> train, validation, test = data.split(0.6, 0.2)
    >>> len(train), len(validation), len(test)
    (120, 40, 40)
    """

    x: np.ndarray
    y: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        x, y = inputs(self.x), targets(self.y)
        if len(x) != len(y):
            raise ShapeError(f"Data: got {len(x)} inputs and {len(y)} targets, expected as many")
        names = tuple(self.names) or tuple(f"x{i}" for i in range(x.shape[1]))
        if len(names) != x.shape[1]:
            raise ShapeError(
                f"Data: got {len(names)} names, expected {x.shape[1]}, one per feature"
            )
        for array in (x, y):
            array.flags.writeable = False
        for field, value in (("x", x), ("y", y), ("names", names)):
            object.__setattr__(self, field, value)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.x, self.y))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def classes(self) -> int:
        """Number of classes K (labels run from 0 to K-1), 0 for regression."""
        return int(self.y.max()) + 1 if self.y.ndim == 1 else 0

    def split(self, *fractions: float, seed: Any = 0) -> tuple[Data, ...]:
        """Cut at random into parts of these fractions and the rest: `split(0.6, 0.2)` gives train,
        validation, test. Every part has the classes in the same proportions, as far as it can.

        Raises:
            ParameterError: fractions not above 0, not below 1 in sum, or a part without samples.
        """
        if not fractions or min(fractions) <= 0.0 or sum(fractions) >= 1.0:
            raise ParameterError(
                f"split: got {fractions}, expected fractions above 0 whose sum is below 1; "
                "the last part is the rest"
            )
        order = np.random.default_rng(seed).permutation(len(self))
        if self.classes:
            order = order[np.argsort(turns(self.y[order]), kind="stable")]
        ends = np.round(np.cumsum(fractions) * len(self)).astype(int)
        parts = np.split(order, ends)
        if any(len(part) == 0 for part in parts):
            raise ParameterError(
                f"split: {len(self)} samples are too few for {fractions} and a rest"
            )
        return tuple(Data(self.x[part], self.y[part], self.names) for part in parts)

    def standardize(self, like: Data | None = None) -> Data:
        """Features (channels) shifted to mean 0 and scaled to deviation 1; y is left alone.

        `like`: measure mean and deviation there instead; validation and test data are to be
        standardized like the training data. A feature that never changes is only shifted.

        >>> import numpy as np, tinygrad_landscape as tl
        >>> train, test = tl.data.blobs(90).split(0.7)
        >>> test = test.standardize(like=train)
        >>> print(np.round(train.standardize().x.std(axis=0), 6))
        [1. 1.]
        """
        source = self.x if like is None else like.x
        if source.shape[1:] != self.x.shape[1:]:
            raise ShapeError(f"standardize: got {source.shape[1:]}, expected {self.x.shape[1:]}")
        axes = (0, 2, 3) if source.ndim == 4 else (0,)
        mean = source.mean(axis=axes, keepdims=True)
        deviation = source.std(axis=axes, keepdims=True)
        scale = np.where(deviation > 1e-12 * (1.0 + np.abs(mean)), deviation, 1.0)
        return Data(((self.x - mean) / scale).astype(self.x.dtype), self.y, self.names)

    def describe(self) -> str:
        """What the data are, in a sentence.

        >>> import tinygrad_landscape as tl
        >>> tl.data.digits().describe()
        '1797 samples of 64 inputs between 0 and 1, in 10 classes.'
        """
        what = f"{len(self)} samples of {' x '.join(map(str, self.x.shape[1:]))} inputs"
        spread = f"between {self.x.min():.3g} and {self.x.max():.3g}"
        if self.classes:
            return f"{what} {spread}, in {self.classes} classes."
        low, high = self.y.min(), self.y.max()
        return f"{what} {spread}, with targets between {low:.3g} and {high:.3g}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """A small picture: targets over the first input, classes over two inputs (of many, the two
        that vary most), or the first 32 images.

        Colours are told apart by the colour-blind, and every class has a marker of its own.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.figure(figsize=(4.5, 4), layout="constrained").add_subplot()
        if self.x.ndim == 4:
            rows, columns = 4, 8
            pictures = self.x[: rows * columns].mean(axis=1)
            blank = np.zeros((rows * columns - len(pictures), *pictures.shape[1:]))
            tiles = np.concatenate([pictures, blank]).reshape(rows, columns, *pictures.shape[1:])
            ax.imshow(mosaic(tiles), cmap="gray_r")
            ax.set_axis_off()
        elif self.classes:
            across, up = self._widest()
            for label in np.unique(self.y).tolist():
                ax.scatter(
                    self.x[self.y == label, across],
                    self.x[self.y == label, up],
                    s=18,
                    marker=MARKERS[label % len(MARKERS)],
                    color=COLOURS[label % len(COLOURS)],
                    edgecolors="white",
                    linewidths=0.4,
                    label=f"class {label}",
                )
            ax.set(xlabel=self.names[across], ylabel=self.names[up])
            ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)
        else:
            for output in range(self.y.shape[1]):
                ax.plot(
                    self.x[:, 0],
                    self.y[:, output],
                    MARKERS[output % len(MARKERS)],
                    markersize=4,
                    color=COLOURS[output % len(COLOURS)],
                )
            ax.set(xlabel=self.names[0], ylabel="y")
        return ax

    def _widest(self) -> tuple[int, int]:
        """The first two features; of many, the two that vary most."""
        features = self.x.shape[1]
        if features < 3:
            return 0, features - 1
        first, second = np.sort(np.argsort(-self.x.std(axis=0), kind="stable")[:2])
        return int(first), int(second)

    def __repr__(self) -> str:
        if self.classes:
            counts = np.bincount(self.y).tolist()
            target = f"{len(counts)} classes of {', '.join(map(str, counts))}"
        else:
            target = str(self.y.dtype)
        return (
            f"Data({len(self)} samples: x {self.x.shape} {self.x.dtype}, y {self.y.shape} {target})"
        )


def mosaic(tiles: np.ndarray) -> np.ndarray:
    """Tiles (rows, columns, h, w) as one picture."""
    rows, columns, height, width = tiles.shape
    return tiles.swapaxes(1, 2).reshape(rows * height, columns * width)


def turns(labels: np.ndarray) -> np.ndarray:
    """For each sample how far along its class it comes, from 0 to 1: sorted by this, every stretch
    holds the classes in proportion."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
    return place


def inputs(x: Any) -> np.ndarray:
    """x as an own float array (N, features) or (N, C, H, W)."""
    x = finite("x", x)
    if x.ndim not in (2, 4):
        mend = "; say x[:, None] for one feature" if x.ndim == 1 else ""
        raise ShapeError(f"Data: got x {x.shape}, expected (N, features) or (N, C, H, W){mend}")
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def targets(y: Any) -> np.ndarray:
    """y as own integer labels (N,) or floats (N, out)."""
    y = finite("y", y)
    if y.dtype.kind == "f":
        if y.ndim != 2:
            mend = (
                "; say y[:, None] for one target, y.astype(int) for labels" if y.ndim == 1 else ""
            )
            raise ShapeError(f"Data: got float y {y.shape}, expected (N, out){mend}")
        return y
    if y.ndim != 1:
        mend = "say y[:, 0] for labels, y.astype(float) for regression"
        raise ShapeError(f"Data: got integer y {y.shape}, expected labels (N,); {mend}")
    y = y.astype(np.int64)
    if y.min() < 0:
        raise ParameterError(
            f"Data: got the label {y.min()}, expected 0, 1, 2, ...; "
            "for -1 and 1 say (y > 0).astype(int)"
        )
    if (y == y[0]).all():
        raise ParameterError(
            f"Data: got one class only (label {y[0]}), expected at least two to tell apart"
        )
    return y


def finite(name: str, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """An own array of real, finite numbers, at least one of them."""
    array = np.array(values)
    if array.dtype.kind not in "fiub":
        raise ParameterError(f"Data: got {name} of dtype {array.dtype}, expected real numbers")
    if array.size == 0:
        raise ParameterError(f"Data: got empty {name} {array.shape}, expected at least one sample")
    if not np.isfinite(array).all():
        bad = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ParameterError(
            f"Data: got {array[bad]} at {name}[{', '.join(map(str, bad))}], expected finite "
            "numbers; drop or fill such samples first"
        )
    return array
