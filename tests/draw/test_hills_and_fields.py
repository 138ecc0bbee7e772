"""Hills stand and shadows lie where they should; every arrow of a field points downhill."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from tests.draw.ground import bowl, walk
from tinygrad_landscape import draw
from tinygrad_landscape.draw import fields, sight
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.surveying import Plane, Surface

PATH = np.array([[0.9, 1.5], [0.5, 0.4], [0.1, 0.1]])


def ridge():
    """A wall across the middle, along y; low ground on both sides, lower on the right."""
    a = np.linspace(-1.0, 1.0, 41)
    loss = np.exp(-((a[:, None] / 0.2) ** 2)) + 0.1 * (1.0 - a[:, None]) + 0.0 * a[None, :]
    return Surface(a, a, {"loss": loss}, Plane.whole())


# Hills --------------------------------------------------------------------------------------------


def test_the_walk_is_drawn_at_its_losses_and_its_shadow_on_the_floor():
    surface, path = bowl(), walk(PATH, [5.0, 2.0, 0.5])
    picture = draw.surface3d(surface, path, height="linear")
    floor, top = picture.ax.get_zlim()
    shadow, _, _, line, dots, end, _ = picture["walk"]
    assert np.allclose(np.stack(dots.get_data_3d()[:2], axis=1), PATH)
    assert np.allclose(dots.get_data_3d()[2], [5.0, 2.0, 0.5], atol=0.02 * (top - floor))
    assert np.allclose(np.stack(line.get_data_3d(), axis=1)[[0, -1]],
                       np.stack(dots.get_data_3d(), axis=1)[[0, -1]])  # fmt: skip
    assert np.allclose(np.stack(shadow.get_data_3d(), axis=1)[:, :2], PATH)
    assert np.allclose(shadow.get_data_3d()[2], floor) and floor < surface.loss.min()
    assert np.allclose(np.ravel(end.get_data_3d())[:2], PATH[-1])


def test_a_walk_that_fell_ends_where_it_was_last_seen():
    path = walk(PATH, [5.0, 2.0, np.nan], fell=2)
    end = draw.surface3d(bowl(), path)["walk"][-1]
    assert np.allclose(np.ravel(end.get_data_3d())[:2], PATH[1])


def test_heights_above_the_clip_are_drawn_alike():
    picture = draw.surface3d(bowl(), height="linear", clip=2.0)
    assert picture.ax.get_zlim()[1] == 2.0
    assert "clipped at 2" in picture.describe()
    assert "clipped at 2" in picture.ax.get_zlabel()


def test_holes_and_unsurveyed_ground_raise_no_warning():
    surface = bowl(dent=np.inf)
    done = np.ones(surface.loss.shape, bool)
    done[:5] = False
    part = Surface(surface.a, surface.b, surface.values, surface.plane, done)
    draw.surface3d(part)._repr_png_()


def test_flat_axes_are_refused():
    with pytest.raises(ParameterError, match='projection="3d"'):
        draw.surface3d(bowl(), ax=Figure().add_subplot())


def test_the_reader_can_give_the_axes():
    ax = Figure().add_subplot(projection="3d")
    assert draw.surface3d(bowl(), ax=ax).ax is ax


@pytest.mark.parametrize("side, seen", [(0, True), (180, False)], ids=["open side", "behind"])
def test_the_camera_knows_what_a_hill_hides(side, seen):
    relief = (ridge().loss - ridge().loss.min()) / np.ptp(ridge().loss)
    right_of_the_wall = np.array([[0.6, 0.5], [0.58, 0.12]])
    assert (sight.visible(relief, right_of_the_wall, side, tall=0.5) == 1.0) == seen


def test_the_camera_stands_where_it_sees_the_walk():
    behind = walk([[0.35, 0.5], [0.3, 0.0], [0.3, -0.5]], [0.2, 0.2, 0.2])
    bearing = np.radians(draw.surface3d(ridge(), behind).ax.azim)
    assert np.cos(bearing) > 0.4  # on the side of the wall where the walk is


# Fields -------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-2, 2), min_size=6, max_size=6),
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
def test_downhill_is_the_shadow_of_a_descent_step(sides, centre):
    """Oracle: `Plane.coordinates` of a step down the true gradient, 2p for the loss |p|^2."""
    u, v = np.array(sides[:3]), np.array(sides[3:])
    if np.linalg.norm(np.cross(u, v)) < 0.1:
        return
    plane = Plane(np.array(centre), u, v)
    a, b = np.linspace(-1.0, 1.0, 7), np.linspace(-0.5, 1.0, 5)
    points = plane.point(a[:, None], b[None, :])
    surface = Surface(a, b, {"loss": (points**2).sum(-1)}, plane)
    step = plane.coordinates(points - 2.0 * points) - np.stack(
        np.meshgrid(a, b, indexing="ij"), axis=-1
    )
    assert np.allclose(fields.downhill(surface), step, atol=1e-9 * (1 + np.abs(step).max()))


def test_arrows_point_downhill_and_keep_to_their_cell():
    surface = bowl()
    picture = draw.gradient_field(surface, arrows=8)
    arrows = picture["arrows"]
    x, y = arrows.get_offsets().T
    inward = -(x * arrows.U.ravel() + 2.0 * y * arrows.V.ravel())
    assert (inward >= -1e-12).all() and inward.max() > 0
    longest = np.hypot(arrows.U / 2.0, arrows.V / 4.0).max()  # in shares of the frame
    assert 0.5 / 8 < longest <= 1.0 / 8


def test_an_arrow_is_the_longer_the_steeper_it_is():
    arrows = draw.gradient_field(bowl(), arrows=8)["arrows"]
    x, y = arrows.get_offsets().T
    steep = np.hypot(2.0 * x, 4.0 * y)
    length = np.hypot(arrows.U.ravel() / 2.0, arrows.V.ravel() / 4.0)
    assert np.allclose(length / length.max(), np.sqrt(steep / steep.max()), atol=1e-6)


def test_no_arrow_where_a_neighbour_is_unknown():
    surface = bowl(dent=np.inf)
    down = fields.downhill(surface)
    assert np.isnan(down[3, 4]).any() and np.isnan(down[2, 4]).any() and np.isnan(down[3, 5]).any()
    assert np.isfinite(down[8:, 8:]).all()
    draw.gradient_field(surface)._repr_png_()


def test_a_plain_has_arrows_of_no_length_and_no_warning():
    flat = Surface(bowl().a, bowl().b, {"loss": 0.0 * bowl().loss}, Plane.whole())
    arrows = draw.gradient_field(flat)["arrows"]
    assert not np.any(arrows.U) and not np.any(arrows.V)


def test_the_field_says_what_its_arrows_mean():
    text = draw.gradient_field(bowl()).describe()
    assert "small step of gradient descent" in text and "square root of the steepness" in text
    assert "Square-root" in text or "Linear" in text or "Log" in text  # the map's own line


def test_too_few_cells_and_too_few_arrows_are_refused():
    with pytest.raises(ShapeError, match="3 a side"):
        draw.gradient_field(Surface([0, 1], [0, 1, 2], {"loss": np.zeros((2, 3))}, Plane.whole()))
    with pytest.raises(ParameterError, match="arrows=1"):
        draw.gradient_field(bowl(), arrows=1)
