"""Panels for notebooks: controls, one live stage, and a sentence that says what is seen.

A panel can be made and driven without a browser; in a notebook it shows itself.
"""

from typing import TYPE_CHECKING, Any

from tinygrad_landscape.panels.backprop import Backprop
from tinygrad_landscape.panels.basins import Basins
from tinygrad_landscape.panels.descent import Descent
from tinygrad_landscape.panels.fit import Fit
from tinygrad_landscape.panels.flatness import Flatness
from tinygrad_landscape.panels.initialization import Initialization
from tinygrad_landscape.panels.losses import Losses
from tinygrad_landscape.panels.player import use
from tinygrad_landscape.panels.race import Race
from tinygrad_landscape.panels.ravine import Ravine
from tinygrad_landscape.panels.saddle import Saddle
from tinygrad_landscape.panels.sieve import Sieve
from tinygrad_landscape.panels.slice import Slice
from tinygrad_landscape.panels.twin_surface import TwinSurface

if TYPE_CHECKING:
    from tinygrad_landscape.panels.stage import Stage

__all__ = [
    "Backprop",
    "Basins",
    "Descent",
    "Fit",
    "Flatness",
    "Initialization",
    "Losses",
    "Race",
    "Ravine",
    "Saddle",
    "Sieve",
    "Slice",
    "Stage",
    "TwinSurface",
    "use",
]


def __getattr__(name: str) -> Any:
    if name == "Stage":  # its import needs anywidget, which may be missing
        from tinygrad_landscape.panels.stage import Stage

        return Stage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
