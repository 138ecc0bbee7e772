"""Pictures of what the lower floors measured, and scenes that move.

The functions take results (a Surface, a Trajectory, a Profile) and return the artists they drew; a
`Scene` holds a background drawn once and the few things that move over it.
"""

from tinygrad_landscape.draw.curves import losses, profile
from tinygrad_landscape.draw.picture import Picture
from tinygrad_landscape.draw.scene import Scene
from tinygrad_landscape.draw.style import style
from tinygrad_landscape.draw.surfaces import contour, honesty, surface3d

__all__ = ["contour", "surface3d", "losses", "profile", "honesty", "Scene", "Picture", "style"]
