"""A surface as a mesh: for ParaView (VTK), and as a solid for a 3-D printer (STL).

Every cell of the grid becomes two triangles; a cell with a corner that is not finite, or not
evaluated, becomes a hole. The files are written by meshio, which reads and writes some forty
formats and does not come along by itself: `pip install ".[mesh]"`.
"""

import os
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError
from .surface import Surface

Array = NDArray[Any]


def export(surface: Surface, path: str | os.PathLike[str], relief: float = 0.4) -> None:
    """Write a surface as a mesh; the ending of `path` decides the format.

    `.vtu`, `.vtk`, `.ply`, `.obj`, ...: the ground, with every measured value at its points.
    `.stl`: a solid that stands on a base. Heights are scaled so that the highest point stands
    `relief` times the wider side above the lowest; the values stay as measured.

    Raises `ParameterError` when meshio is missing, or no cell is finite.
    """
    try:
        meshio = import_module("meshio")
    except ImportError:
        raise ParameterError(
            "writing meshes needs meshio: pip install meshio (or this package with [mesh])"
        ) from None
    points, triangles = ground(surface, relief)
    if os.fspath(path).lower().endswith(".stl"):
        points, triangles = solid(points, triangles)
        meshio.Mesh(points, [("triangle", triangles)]).write(os.fspath(path), binary=True)
        return
    values = {name: np.array(array.ravel()) for name, array in surface.values.items()}
    mesh = meshio.Mesh(points, [("triangle", triangles)], point_data=values)
    mesh.write(os.fspath(path))


def ground(surface: Surface, relief: float) -> tuple[Array, Array]:
    """Return the points `(A*B, 3)` of a surface and its triangles `(T, 3)`, seen from above."""
    known = surface.done & np.isfinite(surface.loss)
    number = np.arange(known.size).reshape(known.shape)
    corners = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    whole = known[:-1, :-1] & known[1:, :-1] & known[1:, 1:] & known[:-1, 1:]
    if not whole.any():
        raise ParameterError("no cell of this surface has four finite corners; there is no ground")
    p, q, r, s = (corner[whole] for corner in corners)
    triangles = np.concatenate([np.stack([p, q, r], axis=-1), np.stack([p, r, s], axis=-1)])
    low, high = surface.loss[known].min(), surface.loss[known].max()
    side = max(np.ptp(surface.a), np.ptp(surface.b))
    height = np.where(known, surface.loss - low, 0.0) * (relief * side / ((high - low) or 1.0))
    a, b = np.meshgrid(surface.a, surface.b, indexing="ij")
    return np.stack([a.ravel(), b.ravel(), height.ravel()], axis=-1), triangles


def solid(points: Array, triangles: Array, base: float = 0.1) -> tuple[Array, Array]:
    """Put a ground on a base: its mirror image below, and walls along every edge it has.

    `base` is the thickness at the lowest point, as a share of the wider side.
    """
    count, below = len(points), points.copy()
    below[:, 2] = points[:, 2].min() - base * np.ptp(points[:, :2], axis=0).max()
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    pairs = {(int(a), int(b)) for a, b in edges}
    rim = np.array([(a, b) for a, b in pairs if (b, a) not in pairs])
    a, b = rim.T
    walls = [np.stack([a + count, b, a], -1), np.stack([a + count, b + count, b], -1)]
    return np.concatenate([points, below]), np.concatenate(
        [triangles, triangles[:, ::-1] + count, *walls]
    )
