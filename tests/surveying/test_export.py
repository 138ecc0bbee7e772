"""Surfaces as meshes: right corners, holes where nothing is known, solids without a leak."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.surveying.export import export, ground, solid


def a_surface(hole=True):
    surface = tl.survey(tl.formulas.himmelblau, extent=(5.0, 3.0), resolution=(9, 7))
    loss, done = surface.loss.copy(), surface.done.copy()
    if hole:
        loss[4, 3], done[1, 1] = np.nan, False
    return tl.Surface(surface.a, surface.b, {"loss": loss}, surface.plane, done)


def volume(points, triangles):
    p, q, r = (points[triangles[:, k]] for k in range(3))
    return (p * np.cross(q, r)).sum() / 6.0


def test_ground_is_the_surface_with_holes_and_looks_up():
    surface = a_surface()
    points, triangles = ground(surface, relief=0.5)
    assert len(triangles) == 2 * (8 * 6 - 4 - 4)
    used = np.unique(triangles)
    assert 4 * 7 + 3 not in used and 1 * 7 + 1 not in used
    a, b, z = points.T.reshape(3, 9, 7)
    assert np.array_equal(a[:, 0], surface.a) and np.array_equal(b[0], surface.b)
    known = surface.done & np.isfinite(surface.loss)
    low, high = surface.loss[known].min(), surface.loss[known].max()
    assert z[known] == pytest.approx((surface.loss[known] - low) / (high - low) * 0.5 * 10.0)
    p, q, r = (points[triangles[:, k]] for k in range(3))
    assert np.all(np.cross(q - p, r - p)[:, 2] > 0.0)


def test_a_solid_is_closed_and_has_the_volume_under_the_ground():
    for hole in (False, True):
        points, triangles = solid(*ground(a_surface(hole), relief=0.5))
        edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        directed = {tuple(edge) for edge in edges.tolist()}
        assert len(directed) == len(edges) and all((b, a) in directed for a, b in directed)
        top, flat = ground(a_surface(hole), relief=0.5)
        p, q, r = (top[flat[:, k]] for k in range(3))
        area = np.cross(q - p, r - p)[:, 2] / 2.0
        under = (area * ((p + q + r)[:, 2] / 3.0 - (top[:, 2].min() - 0.1 * 10.0))).sum()
        assert volume(points, triangles) == pytest.approx(under)


def test_files_for_paraview_and_for_the_printer(tmp_path):
    meshio = pytest.importorskip("meshio")
    surface = a_surface()
    for name in ("it.vtu", "it.stl"):
        export(surface, tmp_path / name)
    mesh = meshio.read(tmp_path / "it.vtu")
    assert mesh.point_data["loss"] == pytest.approx(surface.loss.ravel(), nan_ok=True)
    assert len(meshio.read(tmp_path / "it.stl").cells_dict["triangle"]) > 200


def test_nothing_to_show_is_refused():
    surface = a_surface()
    nothing = {"loss": np.full((9, 7), np.nan)}
    with pytest.raises(ParameterError, match="no ground"):
        ground(tl.Surface(surface.a, surface.b, nothing, surface.plane), 0.5)
