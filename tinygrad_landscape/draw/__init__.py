"""Pictures of what the lower floors measured, and scenes that move.

The functions take results (a Surface, a Trajectory, a Profile) and return the artists they drew; a
`Scene` holds a background drawn once and the few things that move over it.
"""

from tinygrad_landscape.draw.curves import losses, profile
from tinygrad_landscape.draw.fields import gradient_field
from tinygrad_landscape.draw.graphs import graph
from tinygrad_landscape.draw.hills import surface3d
from tinygrad_landscape.draw.motion import animate
from tinygrad_landscape.draw.networks import activations, decision_boundary
from tinygrad_landscape.draw.picture import Picture
from tinygrad_landscape.draw.regions import basins
from tinygrad_landscape.draw.scene import Scene
from tinygrad_landscape.draw.spectra import spectrum
from tinygrad_landscape.draw.style import style
from tinygrad_landscape.draw.surfaces import contour, honesty

__all__ = [
    "contour", "surface3d", "gradient_field", "profile", "losses", "basins", "spectrum", "graph",
    "decision_boundary", "activations", "animate", "honesty", "Scene", "Picture", "style",
]  # fmt: skip
