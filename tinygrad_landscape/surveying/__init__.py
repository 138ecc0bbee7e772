"""Floor 4: measuring a landscape.

A survey takes a landscape (a function of weights) and brings home a result: heights over a plane or
along a line, curvature, critical points, basins, bridges. Results are frozen dataclasses of arrays
that know how to describe themselves and never compute.
"""

from tinygrad_landscape.surveying.plane import Line, Plane
from tinygrad_landscape.surveying.surface import Profile, Surface
from tinygrad_landscape.surveying.survey import coarse_to_fine, profile, survey

__all__ = ["Line", "Plane", "Profile", "Surface", "coarse_to_fine", "profile", "survey"]
