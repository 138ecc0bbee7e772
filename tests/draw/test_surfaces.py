"""Maps show the right height at the right place, and say what they leave out."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.draw.ground import bowl, walk
from tinygrad_landscape import draw
from tinygrad_landscape.engine.errors import ShapeError
from tinygrad_landscape.surveying import Plane

PATH = [[0.9, 1.5], [0.5, 0.4], [0.1, 0.1]]


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype(int)


def test_rows_of_the_surface_run_along_the_x_axis():
    picture = draw.contour(bowl())
    drawn = picture["map"]
    assert picture.ax.get_xlim() == (-1.0, 1.0) and picture.ax.get_ylim() == (-2.0, 2.0)
    lowest = drawn.get_paths()[0].vertices  # the innermost filled region is wider in x than in y
    assert np.ptp(lowest[:, 0]) > np.ptp(lowest[:, 1])


def test_low_ground_is_drawn_where_it_is():
    surface = bowl()
    slope = surface.a[:, None] + 0.1 * surface.b[None, :]  # lowest at the left, below
    slope = type(surface)(surface.a, surface.b, {"loss": slope}, surface.plane)
    lowest = draw.contour(slope)["map"].get_paths()[0].vertices
    assert (lowest.mean(axis=0) < -0.5).all()


def test_the_walk_lies_where_it_went():
    picture = draw.contour(bowl(), walk(PATH))
    line = next(a for a in picture["walk"] if len(a.get_xdata()) > 2)
    drawn = np.column_stack([line.get_xdata(), line.get_ydata()])
    assert np.allclose(drawn[:3], PATH)


def test_axes_show_the_weights_themselves():
    plane = Plane.two_weights(np.array([5.0, 1.0, -3.0]), 0, 2)
    picture = draw.contour(bowl(plane=plane))
    assert picture.ax.get_xlim() == (4.0, 6.0) and picture.ax.get_ylim() == (-5.0, -1.0)
    assert picture.ax.get_xlabel() == plane.labels[0]


@pytest.mark.parametrize("inside", [True, False], ids=["restricted", "all weights"])
def test_a_walk_in_weights_and_one_in_coordinates_are_drawn_alike(inside):
    plane = Plane.two_weights(np.array([5.0, 1.0, -3.0]), 0, 2)
    points = np.array(PATH) if inside else np.array([plane.point(*p) for p in PATH])
    path = draw.surfaces.walk_on(plane, walk(points))
    assert np.allclose(path[:, 0], np.array(PATH) + [5.0, -3.0])


def test_a_walk_through_other_weights_is_refused():
    plane = Plane.two_weights(np.zeros(5), 0, 1)
    with pytest.raises(ShapeError, match="3 weights and a plane in 5"):
        draw.contour(bowl(plane=plane), walk(np.zeros((4, 3))))


def test_the_caption_says_plane_unit_height_and_grid():
    text = draw.contour(bowl(), height="sqrt").describe()
    assert "the whole landscape" in text and "One unit" in text
    assert "Square-root height, 21 x 23 grid" in text


def test_the_caption_says_how_much_of_the_walk_is_shown():
    plane = Plane.two_weights(np.zeros(3), 0, 1)
    half = walk([[1.0, 0.0, 1.0], [0.0, 2.0, 2.0]])  # as far off the plane as in it
    assert "50% of the walk's squared distance" in draw.contour(bowl(plane=plane), half).describe()
    inside = draw.contour(bowl(plane=plane), walk(PATH)).describe()
    assert "moves in this plane only" in inside


@pytest.mark.parametrize("odd", [np.nan, np.inf], ids=["NaN", "infinity"])
def test_what_is_not_finite_is_hatched_and_counted(odd):
    plain, dented = draw.contour(bowl()), draw.contour(bowl(dent=odd))
    assert "1 hatched cells are not finite" in dented.describe()
    assert (pixels(plain.figure) != pixels(dented.figure)).any()


def test_cells_not_surveyed_yet_stay_blank_and_are_counted():
    surface = bowl()
    done = np.ones(surface.loss.shape, bool)
    done[:5] = False
    part = type(surface)(surface.a, surface.b, surface.values, surface.plane, done)
    assert f"{5 * 23} blank cells are not surveyed yet" in draw.contour(part).describe()


def test_a_plain_without_any_height_is_drawn_without_a_warning():
    surface = bowl()
    flat = type(surface)(surface.a, surface.b, {"loss": 0 * surface.loss}, surface.plane)
    pixels(draw.contour(flat).figure)


@pytest.mark.parametrize("function", [draw.contour, draw.surface3d])
def test_own_figures_leave_pyplot_alone(function):
    picture = function(bowl(), walk(PATH))
    assert plt.get_fignums() == []
    assert picture._repr_png_()[:4] == b"\x89PNG"


def test_on_the_readers_axes_nothing_else_is_touched():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    picture = draw.contour(bowl(), walk(PATH), ax=right)
    assert picture.ax is right and picture.figure is figure
    assert figure.axes == [left, right] and not left.has_data()
    assert picture._repr_png_() is None  # whoever made the figure shows it


def test_pictures_can_be_saved(tmp_path):
    draw.contour(bowl(), walk(PATH)).save(tmp_path / "map.svg")
    assert b"<svg" in (tmp_path / "map.svg").read_bytes()


def test_the_readers_colour_map_is_respected():
    import matplotlib

    with matplotlib.rc_context({"image.cmap": "cividis"}):
        assert draw.contour(bowl())["map"].get_cmap().name == "cividis"


def test_several_walkers_differ_by_colour_and_by_line():
    both = walk(np.stack([PATH, np.array(PATH) * -1.0], axis=1))
    lines = [a for a in draw.contour(bowl(), both)["walk"] if len(a.get_xdata()) > 2]
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}
    assert len({look[0] for look in looks}) >= 2 and len({look[1] for look in looks}) == 2


def test_hills_stand_at_their_heights():
    picture = draw.surface3d(bowl(), walk(PATH), height="linear")
    low, high = picture.ax.get_zlim()
    assert low <= 0.0 and 9.0 <= high < 12.0
    buffer = io.BytesIO()
    picture.figure.savefig(buffer)
