"""Heights as colours: a scale (linear, square root or log), its levels, and the words for it.

Losses span decades, so a linear scale often shows one wall and a flat floor. The scale is chosen by
a fixed rule, can be set by hand, and is always named in the caption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.engine.errors import ParameterError

SCALES = ("auto", "linear", "sqrt", "log")
WORDS = {"linear": "linear height", "sqrt": "square-root height", "log": "log height"}


@dataclass(frozen=True)
class Heights:
    """How heights between `low` and `high` become colours on `scale`.

    `sqrt` and `log` measure from `base`; on a log scale everything below `base + floor` looks the
    same. `clipped` says whether something rises above `high`.
    """

    scale: str
    low: float
    high: float
    base: float
    floor: float
    clipped: bool

    @classmethod
    def of(cls, values: NDArray, scale: str = "auto", clip: float | None = None) -> Heights:
        """The scale for `values` of any shape; NaN and infinity do not count.

        >>> Heights.of(np.linspace(0.0, 4.0, 9)).describe()
        'linear height'
        >>> Heights.of(np.linspace(0.0, 4.0, 9) ** 3).describe()
        'square-root height'
        """
        if scale not in SCALES:
            raise ParameterError(f"got height={scale!r}; expected one of {', '.join(SCALES)}")
        finite = np.asarray(values, float)[np.isfinite(values)]
        if not finite.size:
            finite = np.zeros(1)
        low, high = float(finite.min()), float(finite.max())
        clipped = clip is not None and high > clip
        if clipped:
            high = float(clip)  # type: ignore[arg-type]
        if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
            high = low + max(abs(low), 1.0) * 1e-3  # a plain: any range will do
        if scale == "auto":
            middle = (float(np.median(finite)) - low) / (high - low)
            scale = "linear" if middle > 0.2 else "sqrt" if middle > 0.01 else "log"
        base = 0.0 if scale == "log" and low > 0.0 else low
        floor = max(low - base, (high - base) * 1e-4)
        return cls(scale, low, high, base, floor, clipped)

    def forward(self, height: NDArray) -> NDArray:
        """Heights on the scale: equal steps of the result get equal steps of colour."""
        above = np.asarray(height, float) - self.base
        if self.scale == "linear":
            return above
        if self.scale == "sqrt":
            return np.sqrt(np.maximum(above, 0.0))
        return np.log10(np.maximum(above, self.floor))

    def inverse(self, scaled: NDArray) -> NDArray:
        """The heights that `forward` turns into `scaled`."""
        scaled = np.asarray(scaled, float)
        if self.scale == "sqrt":
            return self.base + scaled**2
        return self.base + (scaled if self.scale == "linear" else 10.0**scaled)

    def levels(self, count: int) -> NDArray:
        """`count` heights from low to high in equal steps of the scale, strictly rising."""
        ends = self.forward(np.array([self.low, self.high]))
        inner = self.inverse(np.linspace(ends[0], ends[1], count))[1:-1]
        return np.concatenate([[self.low], inner[inner > self.low], [self.high]])

    def ticks(self, count: int = 6) -> NDArray:
        """About `count` round heights, spread evenly over the scale.

        >>> Heights.of(np.array([1e-33, 1.0, 8.4]), "sqrt").ticks()
        array([0.  , 0.34, 1.3 , 3.  , 5.4 , 8.4 ])
        """
        found: list[float] = []
        span = self.high - self.low
        for height in self.levels(count).tolist():
            finest = max(abs(height), 1e-9 * span)
            rounded = round(height, 1 - math.floor(math.log10(finest)))
            rounded = 0.0 if abs(rounded) < 1e-9 * span else rounded
            if rounded not in found:
                found.append(rounded)
        return np.array(found)

    def describe(self) -> str:
        """The scale in words, as captions state it."""
        words = WORDS[self.scale]
        if self.scale == "log" and self.base != 0.0:
            words += f" above {self.base:.3g}"
        return words + (f", clipped at {self.high:.3g}" if self.clipped else "")
