"""Floor 4: measuring a landscape.

A survey takes a landscape (a function of weights) and brings home a result: heights over a plane or
along a line, curvature, critical points, basins, bridges. Results are frozen dataclasses of arrays
that know how to describe themselves and never compute.
"""

from . import curvature
from .plane import Line, Plane
from .surface import Profile, Surface
from .survey import coarse_to_fine, profile, survey

__all__ = [
    "curvature",
    "Line",
    "Plane",
    "Profile",
    "Surface",
    "coarse_to_fine",
    "profile",
    "survey",
]
