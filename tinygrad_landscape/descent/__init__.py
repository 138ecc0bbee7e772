"""Floor 3: training is a walk downhill.

`descend` takes a landscape, a start and an optimizer and gives a `Trajectory`. Optimizers
(`optim`), learning-rate schedules (`schedules`) and callbacks (`callbacks`) are small descriptions
that it puts together; one walker or ten thousand, one learning rate or fifty, are one call.
"""

from . import callbacks, optim, schedules
from .trajectory import Trajectory
from .walk import descend

__all__ = ["descend", "Trajectory", "optim", "schedules", "callbacks"]
