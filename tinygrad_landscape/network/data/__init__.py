"""Data sets: small, seeded, and drawn on a page.

The one idea: a data set is a pair `x, y` that was looked at once (`Data` refuses what would only
fail later), and every maker gives the same points for the same seed.
"""

from .dataset import Data
from .makers import (
    blobs,
    circles,
    digits,
    line,
    moons,
    polynomial,
    sine,
    spirals,
    steps,
    xor,
)

__all__ = [
    "Data",
    "moons",
    "circles",
    "spirals",
    "blobs",
    "xor",
    "line",
    "sine",
    "steps",
    "polynomial",
    "digits",
]
