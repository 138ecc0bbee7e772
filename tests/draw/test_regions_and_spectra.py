"""Basins, trainability and spectra: every number in its place, every colour doubled."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from tinygrad_landscape import draw
from tinygrad_landscape.draw import regions
from tinygrad_landscape.draw.style import PALETTE
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.surveying import BasinMap, Plane, TrainabilityMap
from tinygrad_landscape.surveying.curvature import Density, Spectrum

A = np.linspace(-1.0, 1.0, 5)


def halves(plane=None, labels=None, minima=None):
    """Starts on a 5 x 5 grid: the left ones reach minimum 0, the right ones minimum 1."""
    if labels is None:
        labels = np.repeat([[0], [0], [0], [1], [1]], 5, axis=1)
    arrival = np.where(labels >= 0, np.arange(25).reshape(5, 5), -1)
    if minima is None:
        minima = np.array([[-0.5, 0.0], [0.5, 0.0]])
    shares = np.array([(labels == k).mean() for k in range(len(minima))])
    grid = {} if plane is None else {"a": A, "b": A, "plane": plane}
    return BasinMap(labels, arrival, minima, np.array([0.0, 0.25]), shares,
                    np.zeros((5, 5, minima.shape[1])), **grid)  # fmt: skip


def luminance(color):
    return np.asarray(color) @ [0.2126, 0.7152, 0.0722]


# Basins -------------------------------------------------------------------------------------------


def test_the_first_axis_of_the_map_runs_to_the_right():
    picture = draw.basins(halves(Plane.whole()))
    pixels = np.asarray(picture["map"].get_array())  # rows are y
    hue = lambda p: np.argmin([np.ptp(p / (1e-9 + np.array(to_rgb(c)))) for c in PALETTE[:2]])  # noqa: E731
    assert pixels.shape == (5, 5, 3)
    darkest = pixels[-1, 2], pixels[-1, 4]
    assert [hue(p) for p in darkest] == [0, 1]


def test_cells_lie_centred_on_their_starts():
    left, right, low, high = draw.basins(halves(Plane.whole()))["map"].get_extent()
    assert np.allclose([left, right, low, high], [-1.25, 1.25, -1.25, 1.25])


def test_a_shorter_way_is_paler_and_the_longest_has_the_full_colour():
    labels, arrival = np.zeros(4, int), np.array([0, 5, 50, 500])
    shades = luminance(regions.basin_colors(labels, arrival))
    assert (np.diff(shades) < 0).all()
    assert np.allclose(regions.basin_colors(labels, arrival)[-1], to_rgb(PALETTE[0]))


def test_walks_that_arrived_nowhere_have_no_hue():
    colors = regions.basin_colors(np.array([-1, -2]), np.array([-1, -1]))
    assert (np.ptp(colors, axis=1) < 0.05).all() and luminance(colors[0]) > luminance(colors[1])


def test_every_minimum_is_numbered_where_it_lies():
    picture = draw.basins(halves(Plane.whole()))
    numbers = {t.get_text(): t.get_position() for t in picture["minima"] if hasattr(t, "get_text")}
    assert numbers == {"1": (-0.5, 0.0), "2": (0.5, 0.0)}


def test_the_legend_says_shares_and_losses_and_what_did_not_arrive():
    labels = np.repeat([[0], [0], [1], [-1], [-2]], 5, axis=1)
    picture = draw.basins(halves(Plane.whole(), labels))
    shown = [text.get_text() for text in picture["legend"].get_texts()]
    assert shown == ["1: 40.0%, loss 0", "2: 20.0%, loss 0.25", "not settled: 20.0%",
                     "diverged: 20.0%"]  # fmt: skip
    hatches = [patch.get_hatch() for patch in picture["legend"].get_patches()[:2]]
    assert hatches[0] != hatches[1]


def test_more_minima_than_names_share_one_place():
    count = regions.NAMED + 3
    labels = (np.arange(25).reshape(5, 5)) % count
    minima = np.column_stack([np.linspace(-1, 1, count), np.zeros(count)])
    many = BasinMap(labels, labels, minima, np.arange(float(count)),
                    np.array([(labels == k).mean() for k in range(count)]),
                    np.zeros((5, 5, 2)), A, A, Plane.whole())  # fmt: skip
    shown = [text.get_text() for text in draw.basins(many)["legend"].get_texts()]
    assert len(shown) == regions.NAMED + 1 and shown[-1].startswith("3 others: ")
    looks = {(regions._color(k), regions.HATCHES[k]) for k in range(regions.NAMED)}
    assert len(looks) == len({look[0] for look in looks}) == regions.NAMED


def test_minima_off_the_plane_are_said_to_be_so():
    plane = Plane.two_weights(np.array([5.0, 0.0, -3.0]), 0, 2)
    minima = np.array([[5.5, 0.0, -3.0], [4.5, 0.5, -3.0]])
    picture = draw.basins(halves(plane, minima=minima))
    assert "off this plane (residual 0 to 0.71)" in picture.describe()
    assert picture.ax.get_xlim() == (3.75, 6.25)  # the weight's own values


def test_starts_that_are_no_grid_become_bars():
    picture = draw.basins(halves())
    assert np.allclose([bar.get_width() for bar in picture["bars"]], [60.0, 40.0])
    labels = [label.get_text() for label in picture.ax.get_yticklabels()]
    assert labels == ["1: loss 0", "2: loss 0.25"]


def test_a_map_without_any_minimum_is_drawn():
    none = np.full((5, 5), -1)
    empty = BasinMap(none, none, np.zeros((0, 2)), np.zeros(0), np.zeros(0),
                     np.zeros((5, 5, 2)), A, A, Plane.whole())  # fmt: skip
    draw.basins(empty)._repr_png_()


def test_other_results_are_refused():
    with pytest.raises(ParameterError, match="got Spectrum"):
        draw.basins(Spectrum(np.ones(3)))
    with pytest.raises(ParameterError, match="got BasinMap"):
        draw.spectrum(halves())


# Trainability -------------------------------------------------------------------------------------


def frontier():
    lr = np.geomspace(1e-2, 1e2, 9)
    ratio = np.where(lr[:, None] * lr[None, :] < 1.0, 0.5, np.inf)
    speed = np.where(ratio < 1.0, 1.0 / (lr[:, None] * lr[None, :]), -1.0 / lr[:, None])
    return TrainabilityMap(lr, lr, ratio, speed, ("0", "2"))


def test_all_that_trains_is_lighter_than_all_that_does_not():
    found = frontier()
    pixels = draw.basins(found)["map"].get_array()
    shades = luminance(np.asarray(pixels)[..., :3]).reshape(9, 9).T
    assert shades[found.trains].min() > shades[~found.trains].max() + 0.05


@given(st.lists(st.integers(-9, 9), min_size=4, max_size=30))
def test_shades_are_ranks(numbers):
    speed = np.array(numbers, float)
    ratio = np.where(speed > 0, 0.5, 2.0)
    n = len(speed)
    found = TrainabilityMap(np.geomspace(1, 2, n), np.ones(1), ratio[:, None], speed[:, None],
                            ("x", "y"))  # fmt: skip
    shade = regions.trainability_shades(found)[:, 0]
    assert shade.min() >= 0.0 and shade.max() <= 1.0
    for kind in (speed > 0, speed <= 0):
        own, values = shade[kind], speed[kind]
        if len(set(values)) > 1:
            assert own.min() == 0.0 and own.max() == 1.0
        assert all((own[i] < own[j]) == (values[i] < values[j])
                   for i in range(len(own)) for j in range(len(own)))  # fmt: skip


def test_pairs_never_tried_are_blank():
    found = frontier()
    ratio, speed = found.ratio.copy(), found.speed.copy()
    ratio[6:], speed[6:] = np.nan, np.nan
    part = replace(found, ratio=ratio, speed=speed)
    pixels = np.asarray(draw.basins(part)["map"].get_array())
    blank = (pixels[..., :3] == 1.0).all(axis=-1).reshape(9, 9).T
    assert blank[6:].all() and not blank[:6].any()


def test_trainability_axes_are_log_and_named():
    picture = draw.basins(frontier())
    assert picture.ax.get_xscale() == picture.ax.get_yscale() == "log"
    assert picture.ax.get_xlabel() == "learning rate of layer 0"
    assert "by rank, not by height" in picture.describe()


# Spectra ------------------------------------------------------------------------------------------


def test_directions_are_told_apart_by_colour_and_marker():
    values = np.array([-2.0, -1e-9, 1e-9, 0.5, 100.0])
    picture = draw.spectrum(Spectrum(values))
    groups = {name: picture[name] for name in ("up", "level", "down")}
    assert {name: sorted(g.get_ydata()) for name, g in groups.items()} == {
        "up": [0.5, 100.0], "level": [-1e-9, 1e-9], "down": [-2.0],
    }  # fmt: skip
    assert len({g.get_marker() for g in groups.values()}) == 3
    assert len({g.get_color() for g in groups.values()}) == 3
    assert [t.get_text() for t in picture.ax.get_legend().get_texts()] == [
        "bends up (2)", "level (2)", "bends down (1)",
    ]  # fmt: skip


def test_strongest_upward_direction_comes_first_and_nothing_is_cut():
    values = np.array([-3.0, 1.0, 7.0])
    picture = draw.spectrum(Spectrum(values))
    assert picture["up"].get_xdata()[0] == 1 and picture["up"].get_ydata()[0] == 7.0
    low, high = picture.ax.get_ylim()
    assert low < -3.0 and high > 7.0 and picture.ax.get_yscale() == "symlog"
    assert "log beyond" in picture.describe()


@pytest.mark.parametrize("values", [np.zeros(3), np.ones(1), -np.ones(200)])
def test_plain_spectra_are_drawn_without_a_warning(values):
    draw.spectrum(Spectrum(values))._repr_png_()


def test_a_density_is_drawn_as_it_is_down_to_a_tenth_of_an_eigenvalue():
    grid = np.linspace(-1.0, 3.0, 201)
    bell = np.exp(-0.5 * ((grid - 1.0) / 0.2) ** 2) / (0.2 * np.sqrt(2 * np.pi))
    nodes, weights = np.array([[0.9, 1.1, 2.0]]), np.array([[0.5, 0.5, 1e-9]])
    picture = draw.spectrum(Density(grid, bell, nodes, weights, 0.2, 50))
    assert np.array_equal(picture["density"].get_ydata(), bell)
    assert picture["probes"].get_xdata().tolist() == [0.9, 1.1]
    assert np.isclose(picture.ax.get_ylim()[0], 0.1 / 50 / (0.2 * np.sqrt(2 * np.pi)))
