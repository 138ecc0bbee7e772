"""Floor 4: measuring a landscape.

A survey takes a landscape (a function of weights) and brings home a result: heights over a plane or
along a line, curvature, critical points, basins, bridges. Results are frozen dataclasses of arrays
that know how to describe themselves and never compute.
"""

from . import connect, curvature, sharpness
from .basins import BasinMap, basins
from .critical import CriticalPoint, critical_points
from .diagnosis import Diagnosis, diagnose
from .export import export
from .line import Line
from .plane import Plane
from .pulse import Vitals
from .surface import Profile, Surface
from .survey import coarse_to_fine, profile, survey
from .trainability import TrainabilityMap, trainability
from .watch import vitals
from .winding import winding_number

__all__ = [
    "Plane",
    "Line",
    "survey",
    "profile",
    "coarse_to_fine",
    "Surface",
    "Profile",
    "export",
    "curvature",
    "sharpness",
    "critical_points",
    "CriticalPoint",
    "winding_number",
    "basins",
    "BasinMap",
    "trainability",
    "TrainabilityMap",
    "connect",
    "vitals",
    "Vitals",
    "diagnose",
    "Diagnosis",
]
