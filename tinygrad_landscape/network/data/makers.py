"""Makers of data sets: the same seed, the same points.

The one idea: a maker draws a clean pattern and then spoils it by a stated amount. `noise` is the
standard deviation of what is added (to inputs of classes, to targets of curves); `label_noise` is
the share of samples whose label is exchanged for another. Both draw from generators of their own,
so more noise moves the same points further in the same directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.errors import ParameterError
from .dataset import Data


def moons(n: int = 200, noise: float = 0.1, seed: Any = 0, label_noise: float = 0.0) -> Data:
    """Two interlocking half circles of radius 1: not separable by a line. x (n, 2), two classes.

    >>> import tinygrad_landscape as tl
    >>> tl.data.moons(200, noise=0.15, seed=0)
    Data(200 samples: x (200, 2) float64, y (200,) 2 classes of 100, 100)
    """
    first, second = shares("moons", n, 2)
    upper, lower = np.linspace(0.0, np.pi, first), np.linspace(0.0, np.pi, second)
    x = np.concatenate([polar(upper), (1.0, 0.5) - polar(lower)])
    return classified(x, (first, second), noise, seed, label_noise)


def circles(
    n: int = 200,
    noise: float = 0.05,
    seed: Any = 0,
    label_noise: float = 0.0,
    factor: float = 0.5,
) -> Data:
    """A circle of radius 1 around one of radius `factor`. x (n, 2), two classes.

    >>> import tinygrad_landscape as tl
    >>> tl.data.circles(100, factor=0.3)
    Data(100 samples: x (100, 2) float64, y (100,) 2 classes of 50, 50)
    """
    if not 0.0 <= factor < 1.0:
        raise ParameterError(f"circles: got factor={factor}, expected 0 <= factor < 1")
    counts = shares("circles", n, 2)
    rings = [polar(np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)) for count in counts]
    return classified(
        np.concatenate([rings[0], factor * rings[1]]), counts, noise, seed, label_noise
    )


def spirals(
    n: int = 200,
    noise: float = 0.05,
    seed: Any = 0,
    label_noise: float = 0.0,
    classes: int = 2,
    turns: float = 1.5,
) -> Data:
    """Arms of radius up to 1 that wind `turns` times around the middle. x (n, 2).

    Equal steps along an arm's radius; the hardest of the plane's classics for a small network.

    >>> import tinygrad_landscape as tl
    >>> tl.data.spirals(90, classes=3)
    Data(90 samples: x (90, 2) float64, y (90,) 3 classes of 30, 30, 30)
    """
    counts = shares("spirals", n, classes)
    arms = []
    for arm, count in enumerate(counts):
        radius = np.linspace(0.1, 1.0, count)[:, None]
        angle = 2.0 * np.pi * (turns * radius[:, 0] + arm / classes)
        arms.append(radius * polar(angle))
    return classified(np.concatenate(arms), counts, noise, seed, label_noise)


def blobs(
    n: int = 200,
    noise: float = 0.5,
    seed: Any = 0,
    label_noise: float = 0.0,
    classes: int = 3,
) -> Data:
    """Round clouds of width `noise`, centres evenly spaced on a circle of radius 2. x (n, 2).

    >>> import tinygrad_landscape as tl
    >>> tl.data.blobs(30, noise=0.2)
    Data(30 samples: x (30, 2) float64, y (30,) 3 classes of 10, 10, 10)
    """
    counts = shares("blobs", n, classes)
    centres = 2.0 * polar(2.0 * np.pi * np.arange(classes) / classes)
    return classified(np.repeat(centres, counts, axis=0), counts, noise, seed, label_noise)


def xor(n: int = 4, noise: float = 0.0, seed: Any = 0, label_noise: float = 0.0) -> Data:
    """The corners of the unit square; class 1 where exactly one coordinate is 1. x (n, 2).

    The default is the four corners themselves, in the order 00, 01, 10, 11.

    >>> import tinygrad_landscape as tl
    >>> x, y = tl.data.xor()
    >>> x.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    shares("xor", n, 2)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    corner = np.arange(n) % 4
    labels = np.array([0, 1, 1, 0])[corner]
    return spoiled(corners[corner], labels, noise, seed, label_noise)


def line(
    n: int = 20,
    noise: float = 0.1,
    seed: Any = 0,
    slope: float = 1.0,
    intercept: float = 0.5,
    outlier: float = 0.0,
) -> Data:
    """y = slope·x + intercept at n even places in [-1, 1]; `outlier` is added to the last y.

    x (n, 1), y (n, 1).

    >>> import tinygrad_landscape as tl
    >>> tl.data.line(20, noise=0.1, seed=0)
    Data(20 samples: x (20, 1) float64, y (20, 1) float64)
    """
    return polynomial(n, noise, seed, (intercept, slope), outlier)


def sine(
    n: int = 50, noise: float = 0.1, seed: Any = 0, frequency: float = 1.0, outlier: float = 0.0
) -> Data:
    """y = sin(frequency·x) at n even places in [-π, π]. x (n, 1), y (n, 1).

    >>> import tinygrad_landscape as tl
    >>> tl.data.sine(50, frequency=2.0)
    Data(50 samples: x (50, 1) float64, y (50, 1) float64)
    """
    x = places("sine", n, np.pi)
    return curve(x, np.sin(frequency * x), noise, seed, outlier)


def steps(
    n: int = 50, noise: float = 0.1, seed: Any = 0, count: int = 4, outlier: float = 0.0
) -> Data:
    """A staircase of `count` steps from 0 to 1 over [-1, 1]: smooth networks round its edges.

    x (n, 1), y (n, 1).

    >>> import tinygrad_landscape as tl
    >>> tl.data.steps(50, count=3)
    Data(50 samples: x (50, 1) float64, y (50, 1) float64)
    """
    if count < 2:
        raise ParameterError(f"steps: got count={count}, expected at least 2")
    x = places("steps", n, 1.0)
    stair = np.minimum(np.floor((x + 1.0) / 2.0 * count), count - 1) / (count - 1)
    return curve(x, stair, noise, seed, outlier)


def polynomial(
    n: int = 20,
    noise: float = 0.1,
    seed: Any = 0,
    coefficients: Sequence[float] = (0.0, -1.0, 0.0, 2.0),
    outlier: float = 0.0,
) -> Data:
    """y = Σ coefficients[k]·x^k at n even places in [-1, 1]; by default 2x³ - x.

    x (n, 1), y (n, 1).

    >>> import tinygrad_landscape as tl
    >>> tl.data.polynomial(10, coefficients=(1.0, 0.0, -1.0))
    Data(10 samples: x (10, 1) float64, y (10, 1) float64)
    """
    x = places("polynomial", n, 1.0)
    y = sum((c * x**k for k, c in enumerate(coefficients)), np.zeros_like(x))
    return curve(x, y, noise, seed, outlier)


def digits(
    n: int | None = None,
    noise: float = 0.0,
    seed: Any = 0,
    label_noise: float = 0.0,
    image: bool = False,
) -> Data:
    """1797 hand-written digits of 8 x 8 pixels, ink from 0 to 1. x (n, 64), or (n, 1, 8, 8) with
    `image=True`; ten classes. `n`: that many of them, chosen at random.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository (1998), https://doi.org/10.24432/C50P49, the test part, under the licence CC
    BY 4.0 (https://creativecommons.org/licenses/by/4.0/). Changed: stored compressed, values
    divided by 16.

    >>> import tinygrad_landscape as tl
    >>> tl.data.digits(image=True).x.shape
    (1797, 1, 8, 8)
    """
    pixels, labels = stored_digits()
    if n is not None:
        if not 2 <= n <= len(labels):
            raise ParameterError(f"digits: got n={n}, expected 2..{len(labels)} or None for all")
        some = np.random.default_rng(seed).permutation(len(labels))[:n]
        pixels, labels = pixels[some], labels[some]
    x = pixels / 16.0
    if image:
        x = x.reshape(-1, 1, 8, 8)
    name = ("ink",) if image else tuple(f"pixel {i // 8},{i % 8}" for i in range(64))
    return spoiled(x, labels, noise, seed, label_noise, name)


@cache
def stored_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (1797, 64) from 0 to 16 and labels (1797,), from the file beside this one."""
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        return file["pixels"], file["labels"].astype(np.int64)


# --- what the makers share ------------------------------------------------------------------------


def shares(name: str, n: int, classes: int) -> list[int]:
    """n samples in equal shares, the first classes one larger where it does not come out even."""
    if classes < 2 or n < classes:
        raise ParameterError(f"{name}: got n={n}, classes={classes}, expected n >= classes >= 2")
    return [n // classes + (label < n % classes) for label in range(classes)]


def places(name: str, n: int, reach: float) -> np.ndarray:
    if n < 1:
        raise ParameterError(f"{name}: got n={n}, expected at least 1")
    return np.linspace(-reach, reach, n)[:, None]


def polar(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def generators(seed: Any) -> list[np.random.Generator]:
    """One generator per role: order, noise, label noise."""
    return np.random.default_rng(seed).spawn(3)


def amount(noise: float) -> float:
    if not 0.0 <= noise < np.inf:
        raise ParameterError(f"got noise={noise}, expected a finite number >= 0")
    return float(noise)


def classified(
    x: np.ndarray, counts: Sequence[int], noise: float, seed: Any, label_noise: float
) -> Data:
    """Class after class, shuffled and spoiled."""
    order = generators(seed)[0].permutation(len(x))
    labels = np.repeat(np.arange(len(counts)), counts)
    return spoiled(x[order], labels[order], noise, seed, label_noise)


def spoiled(
    x: np.ndarray,
    labels: np.ndarray,
    noise: float,
    seed: Any,
    label_noise: float,
    names: tuple[str, ...] = (),
) -> Data:
    """Inputs with `noise` added; the share `label_noise` of the labels exchanged for another."""
    if not 0.0 <= label_noise <= 1.0:
        raise ParameterError(f"got label_noise={label_noise}, expected a share between 0 and 1")
    _, shaking, swapping = generators(seed)
    x = x + amount(noise) * shaking.standard_normal(x.shape)
    classes = int(labels.max()) + 1
    wrong = swapping.permutation(len(labels))[: round(label_noise * len(labels))]
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + swapping.integers(1, classes, len(wrong))) % classes
    return Data(x, labels, names)


def curve(x: np.ndarray, y: np.ndarray, noise: float, seed: Any, outlier: float) -> Data:
    """Targets with `noise` added, and `outlier` to the last of them."""
    y = y + amount(noise) * generators(seed)[1].standard_normal(y.shape)
    y[-1] += outlier
    return Data(x, y)
