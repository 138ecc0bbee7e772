"""Surfaces and profiles as results: minima on the grid, sealed arrays, files."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

F = tl.formulas


@pytest.fixture
def plane():
    return tl.Plane.random(np.linspace(-1.0, 1.0, 9), seed=2)


def test_minima_on_the_grid_counts_patches_once_and_never_the_frame():
    heights = np.array(
        [
            [0.0, 5.0, 5.0, 5.0, 5.0, 5.0],
            [5.0, 2.0, 2.0, 5.0, 1.0, 5.0],
            [5.0, 5.0, 2.0, 5.0, np.nan, 5.0],
            [5.0, 5.0, 5.0, 5.0, 3.0, 3.0],
            [5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
        ]
    )
    heights[0, 0] = 4.0
    whole = tl.Surface(np.arange(5.0), np.arange(6.0), {"loss": heights}, tl.Plane.whole())
    assert whole.minima().tolist() == [[1.0, 4.0], [1.0, 1.0]]
    done = np.ones((5, 6), bool)
    done[0, 3] = False
    part = tl.Surface(whole.a, whole.b, whole.values, whole.plane, done)
    assert part.minima().tolist() == [], "the unknown cell might be lower than both"
    flat = tl.Surface(np.arange(5.0), np.arange(6.0), {"loss": np.ones((5, 6))}, whole.plane)
    assert flat.minima().shape == (0, 2)


@pytest.mark.parametrize("name", ["himmelblau", "three_valleys", "sieve", "styblinski_tang"])
def test_minima_of_a_fine_grid_are_the_known_ones(name):
    landscape = getattr(F, name)
    surface = tl.survey(landscape, extent=landscape.extent, resolution=161)
    cell = max(surface.a[1] - surface.a[0], surface.b[1] - surface.b[0])
    found, known = surface.minima(), landscape.minima
    assert len(found) == len(known)
    for point in known:
        assert np.abs(found - point).max(axis=1).min() <= 2 * cell


def test_a_surface_is_sealed_saved_and_loaded(plane, tmp_path):
    done = np.ones((3, 4), bool)
    done[1, 2] = False
    loss = np.arange(12.0).reshape(3, 4)
    loss[0, 0], loss[2, 2] = np.nan, np.inf
    values = {"loss": loss, "prüf accuracy": np.ones((3, 4), np.float32)}
    surface = tl.Surface([0, 1, 2], np.arange(4.0), values, plane, done)
    with pytest.raises(ValueError, match="read-only"):
        surface.loss[0, 0] = 1.0
    path = tmp_path / "a valley ö.npz"
    surface.save(path)
    again = tl.Surface.load(path)
    for mine, theirs in (("a", "a"), ("b", "b"), ("done", "done"), ("loss", "loss")):
        assert np.array_equal(
            getattr(surface, mine), getattr(again, theirs), equal_nan=mine == "loss"
        )
    assert list(again.values) == list(values)
    assert again.values["prüf accuracy"].dtype == np.float32
    assert again.describe() == surface.describe() and repr(again) == repr(surface)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_profile_is_saved_and_loaded(tmp_path):
    profile = tl.profile(F.himmelblau, tl.Line.between([0.0, 0.0], [3.0, 2.0]), resolution=5)
    profile.save(tmp_path / "line.npz")
    again = tl.Profile.load(tmp_path / "line.npz")
    assert np.array_equal(again.loss, profile.loss) and again.describe() == profile.describe()
    with pytest.raises(ParameterError, match="holds a profile"):
        tl.Surface.load(tmp_path / "line.npz")


def test_newer_and_foreign_files_are_refused(tmp_path):
    surface = tl.survey(F.himmelblau, resolution=3)
    surface.save(tmp_path / "now.npz")
    with np.load(tmp_path / "now.npz") as file:
        arrays = dict(file)
    facts = json.loads(str(arrays.pop("json")))
    assert facts["package"] == "tinygrad_landscape" and facts["kind"] == "surface"
    np.savez(tmp_path / "later.npz", json=json.dumps({**facts, "format": 99}), **arrays)
    with pytest.raises(ParameterError, match="format 99"):
        tl.Surface.load(tmp_path / "later.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(ParameterError, match="not written by"):
            tl.Surface.load(tmp_path / name)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="lengths of a and b"):
        tl.Surface(np.arange(3.0), np.arange(4.0), {"loss": np.zeros((4, 3))}, tl.Plane.whole())


def every_result():
    L, sgd = F.three_valleys, tl.optim.SGD(lr=0.8)
    point = L.minima[0]
    yield tl.survey(L, extent=4.0, resolution=(5, 4))
    yield tl.survey(L, tl.Plane.principal([[0.0, 0.0], [1.0, 0.5], [2.0, 2.5]]), resolution=3)
    yield tl.profile(L, tl.Line.between(point, [0.0, 0.0]), 7)
    yield tl.curvature.spectrum(L, point)
    yield tl.curvature.density(L, point, probes=3)
    yield tl.basins(L, None, sgd, 20, extent=4.0, resolution=4)
    yield tl.basins(L, [[0.0, 0.0], [1.0, 1.0]], sgd, 20)
    yield tl.critical_points(L, [[1.5, 2.0]])[0]
    yield tl.connect.bezier(L, point, [0.0, 0.0], steps=5)
    make = {"optimizer": lambda a, b: tl.optim.SGD(lr=a)}
    yield tl.trainability(L, [0.5, 0.5], {"lr": (0.1, 1.0), "none": (1.0, 2.0)}, 3, 25, **make)


def same(one, other):
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and not other.flags.writeable
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return type(one) is type(other) and (one == other or one != one)


@pytest.mark.parametrize("result", every_result(), ids=lambda result: type(result).__name__)
def test_every_result_is_saved_loaded_and_described(result, tmp_path):
    result.save(tmp_path / "it.npz")
    again = type(result).load(tmp_path / "it.npz")
    assert same(result, again)
    assert again.describe() == result.describe() and len(result.describe()) > 30
    assert repr(again) == repr(result) and "array" not in repr(result)


def test_a_damaged_file_is_refused(tmp_path):
    surface = tl.survey(F.himmelblau, resolution=3)
    surface.save(tmp_path / "it.npz")
    with np.load(tmp_path / "it.npz") as file:
        arrays = dict(file)
    del arrays["a"]
    np.savez(tmp_path / "it.npz", **arrays)
    with pytest.raises(ParameterError, match="damaged"):
        tl.Surface.load(tmp_path / "it.npz")


def test_a_file_damaged_anywhere_is_refused_or_still_whole(tmp_path):
    surface = tl.survey(F.himmelblau, extent=5.0, resolution=9)
    path = tmp_path / "it.npz"
    surface.save(path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for k in range(200):
        spoilt = bytearray(content[: rng.integers(len(content))] if k % 4 == 0 else content)
        for place in rng.integers(len(spoilt), size=2) if spoilt else ():
            spoilt[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoilt)
        try:
            again = tl.Surface.load(path)
        except ParameterError:
            refused += 1
        else:  # only what is never read, such as the time of writing, was hit
            assert np.array_equal(again.loss, surface.loss)
    assert refused > 100
    with pytest.raises(FileNotFoundError):
        tl.Surface.load(tmp_path / "none.npz")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_saved_file_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "other").touch()
    tl.survey(F.himmelblau, resolution=3).save(tmp_path / "it.npz")
    assert (tmp_path / "it.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_files_of_every_older_format_stay_readable():
    """`surface_1.npz` was written when format 1 was new; a new format gets a new file beside it."""
    surface = tl.Surface.load(Path(__file__).parent / "files" / "surface_1.npz")
    assert repr(surface).startswith("Surface(5 x 3") and not surface.done[0, 0]
    assert np.isnan(surface.loss[1, 1]) and np.isinf(surface.loss[2, 2])
    assert surface.values["double"][:, 0] == pytest.approx(2.0 * surface.a)
    assert surface.loss[3, 1] == F.himmelblau([surface.a[3], surface.b[1]])
    assert surface.plane.labels == ("x", "y")
