"""Layers that move as a whole: curves, maps of heights, and texts that know when to be silent."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinygrad_landscape as tl
from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.layers import Layer

COLORS = ["#000000", "#0000ff", "#00ff00", "#ffffff"]


@pytest.fixture
def scene():
    figure = Figure(figsize=(2.0, 2.0))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    return Scene(figure, {"map": axes})


def at(scene, x, y):
    """The colour of the pixel at data (x, y)."""
    pixels = scene.pixels()
    return tuple(pixels[round((1 - y) * 200) - 1, round(x * 200)].tolist())


def test_heights_take_the_colour_of_their_band_at_their_moment(scene):
    scene.add("map", "heights", "map", follow=True, colors=COLORS, lines=False)
    slope = np.tile(np.linspace(0.0, 1.0, 5)[:, None], (1, 3))
    scene.set("map", np.stack([slope, 1.0 - slope]))
    assert scene.frames == 2
    assert [at(scene, x, 0.5) for x in (0.1, 0.4, 0.6)] == [(0, 0, 0), (0, 0, 255), (0, 255, 0)]
    scene.frame = 1
    assert at(scene, 0.9, 0.5) == (0, 0, 0)


def test_heights_run_along_x_first_and_leave_gaps_blank(scene):
    scene.add("map", "heights", "map", colors=COLORS, lines=False)
    up = np.tile(np.linspace(0.0, 1.0, 5), (5, 1))
    up[3:] = np.nan
    scene.set("map", up)
    assert scene.arrays()["map"].shape == (1, 5, 5)
    assert at(scene, 0.3, 0.1) == (0, 0, 0) and at(scene, 0.3, 0.6) == (0, 255, 0)
    assert at(scene, 0.9, 0.1) == (255, 255, 255)  # the paper


def test_cells_are_rectangles_of_their_number_at_their_moment(scene):
    scene.add("map", "cells", "map", follow=True, colors=COLORS[:3])
    first = np.array([[0, 1], [2, 255]])  # along x first, and 255 is open
    scene.set("map", np.stack([first, first.T]))
    corners = [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)]
    black, blue, green, paper = (0, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 255)
    assert [at(scene, *corner) for corner in corners] == [black, blue, green, paper]
    assert at(scene, 0.49, 0.49) == black and at(scene, 0.51, 0.49) == green  # no smoothing
    scene.frame = 1
    assert [at(scene, *corner) for corner in corners] == [black, green, blue, paper]


def test_a_hatching_is_a_part_of_its_colour_only(scene):
    scene.add("map", "cells", "map", colors=["#ff0000", "#00ff00"], hatches=["", "-"])
    scene.set("map", [[0], [1]])
    pixels = scene.pixels()
    assert len(np.unique(pixels[:, :100].reshape(-1, 3), axis=0)) == 1
    rows = np.unique(pixels[:, 110:].reshape(200, -1), axis=0)
    assert len(rows) == 2 and 20 < (pixels[:, 150, 1] < 255).sum() < 40


def test_a_curve_is_one_whole_line_a_moment(scene):
    scene.add("curve", "curve", "map", follow=True, colors=["#ff0000"], width=6.0)
    flat = np.array([[0.1, 0.3], [0.9, 0.3]])
    scene.set("curve", np.stack([flat, flat + [0.0, 0.4]]))
    assert at(scene, 0.5, 0.3) == (255, 0, 0) and at(scene, 0.5, 0.7) == (255, 255, 255)
    scene.frame = 1
    assert at(scene, 0.5, 0.7) == (255, 0, 0) and at(scene, 0.5, 0.3) == (255, 255, 255)


def test_a_dashed_line_shows_its_casing_between_the_dashes(scene):
    look = {"colors": ["#ff0000"], "casing": "#0000ff", "dash": [30, 30], "width": 8.0}
    scene.add("curve", "curve", "map", **look)
    scene.set("curve", [[0.05, 0.5], [0.95, 0.5]])
    seen = {at(scene, x, 0.5) for x in np.linspace(0.1, 0.9, 60)}
    assert (255, 0, 0) in seen and (0, 0, 255) in seen


def test_a_text_without_numbers_is_silent():
    axes = Figure().add_subplot()
    layer = Layer("text", "text", 0, True, {"template": "loss {0}", "align": "center"})
    layer.set([[np.nan], [0.5]])
    assert layer.artists(axes, 0) == []
    assert layer.artists(axes, 1)[0].get_text() == "loss 0.5"


def test_what_does_not_fit_is_refused():
    layer = Layer("curve", "curve", 0, False, {})
    with pytest.raises(tl.ShapeError, match="expected"):
        layer.set(np.zeros((4, 3)))
