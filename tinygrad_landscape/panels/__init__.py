"""Panels for notebooks: controls, one live stage, and a sentence that says what is seen.

A panel can be made and driven without a browser; in a notebook it shows itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinygrad_landscape.panels.backprop import Backprop
from tinygrad_landscape.panels.basins import Basins
from tinygrad_landscape.panels.bridge import Bridge
from tinygrad_landscape.panels.descent import Descent
from tinygrad_landscape.panels.fit import Fit
from tinygrad_landscape.panels.flatness import Flatness
from tinygrad_landscape.panels.initialization import Initialization
from tinygrad_landscape.panels.losses import Losses
from tinygrad_landscape.panels.monitor import Monitor
from tinygrad_landscape.panels.player import use
from tinygrad_landscape.panels.race import Race
from tinygrad_landscape.panels.ravine import Ravine
from tinygrad_landscape.panels.saddle import Saddle
from tinygrad_landscape.panels.sandbox import Sandbox
from tinygrad_landscape.panels.sieve import Sieve
from tinygrad_landscape.panels.slice import Slice
from tinygrad_landscape.panels.twin_surface import TwinSurface

if TYPE_CHECKING:
    from tinygrad_landscape.panels.stage import Stage
    from tinygrad_landscape.panels.surface3d import Surface3d

__all__ = [
    "Backprop",
    "Basins",
    "Bridge",
    "Descent",
    "Fit",
    "Flatness",
    "Initialization",
    "Losses",
    "Monitor",
    "Race",
    "Ravine",
    "Saddle",
    "Sandbox",
    "Sieve",
    "Slice",
    "Stage",
    "Surface3d",
    "TwinSurface",
    "use",
]


def __getattr__(name: str) -> Any:
    if name in ("Stage", "Surface3d"):  # their import needs anywidget, which may be missing
        return getattr(import_module(f"tinygrad_landscape.panels.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
