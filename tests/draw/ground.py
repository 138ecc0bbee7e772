"""Results made by hand, so that pictures are tested without walking or surveying."""

import numpy as np

from tinygrad_landscape.descent import Trajectory
from tinygrad_landscape.surveying import Plane, Surface


def bowl(size=21, plane=None, dent=None):
    """x^2 + 2 y^2 over a plane, with one value dented in."""
    a, b = np.linspace(-1.0, 1.0, size), np.linspace(-2.0, 2.0, size + 2)
    loss = a[:, None] ** 2 + 2.0 * b[None, :] ** 2
    if dent is not None:
        loss[3, 4] = dent
    return Surface(a, b, {"loss": loss}, plane or Plane.whole())


def walk(points, losses=None, fell=-1):
    """A Trajectory through `points` (R, ..., P)."""
    points = np.asarray(points, float)
    if losses is None:
        losses = (points**2).sum(-1)
    losses = np.asarray(losses, float)
    return Trajectory(
        points, losses, losses, losses[:-1], np.arange(len(points)),
        np.full(points.shape[1:-1], fell),
    )  # fmt: skip
