"""What a hill hides of a walk is not painted over it, from any side and in both projections."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import tinygrad_landscape as tl
from tinygrad_landscape.draw.hidden import Ground, part_of

WALL = tl.Landscape.from_function(lambda p: np.exp(-4.0 * p[..., 0] ** 2), size=2, names="xy")
SIDE = np.linspace(-2.0, 2.0, 81)
ACROSS = np.array([[-1.5, 0.0, 0.02], [0.0, 0.0, 1.02], [1.5, 0.0, 0.02]])  # over the wall


def seen_from(azim, elev=15.0, kind="persp"):
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.add_subplot(projection="3d", xlim=(-2, 2), ylim=(-2, 2), zlim=(-0.4, 1))
    ax.set_box_aspect((1, 1, 0.7))
    ax.set_proj_type(kind)
    ax.view_init(elev=elev, azim=azim)
    heights = WALL(np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), axis=-1))
    return ax, Ground(SIDE, SIDE, heights, 0.008)


@pytest.mark.parametrize("kind", ["persp", "ortho"])
@pytest.mark.parametrize(
    ("azim", "elev", "hidden"),
    [(0, 15, [True, False, False]), (180, 15, [False, False, True]), (90, 15, [False] * 3),
     (0, 80, [False] * 3)],
)  # fmt: skip
def test_the_wall_hides_what_is_behind_it(kind, azim, elev, hidden):
    ax, ground = seen_from(azim, elev, kind)
    assert ground.hides(ACROSS, ax.get_proj()).tolist() == hidden


def test_every_point_of_a_rough_ground_agrees_with_a_walk_along_its_ray():
    side, azim, elev, distance = np.linspace(-5.0, 5.0, 121), -60.0, 25.0, 10.0
    height = lambda p: np.sqrt(tl.formulas.himmelblau(p))  # noqa: E731
    heights = height(np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1))
    top = float(heights.max())
    ax, _ = seen_from(azim, elev)
    ax.set(xlim=(-5, 5), ylim=(-5, 5), zlim=(0.0, top))
    low, span = np.array([-5.0, -5.0, 0.0]), np.array([10.0, 10.0, top])
    a, e = np.radians([azim, elev])
    away = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    box = np.asarray(ax._box_aspect)  # how large the axes' box is, in the units of `distance`
    eye = low + (0.5 * box + distance * away) / box * span
    chosen = np.random.default_rng(0).integers(0, 121, (300, 2))
    lift = 0.01 * top
    points = np.column_stack([side[chosen], heights[tuple(chosen.T)] + lift])
    part = np.linspace(0.0, 0.2, 2000)[:, None, None]  # the eye is five boxes away
    ray = points + part * (eye - points)
    inside = (np.abs(ray[..., :2]) <= 5.0).all(axis=-1)
    behind = (inside & (height(ray[..., :2]) > ray[..., 2] + 0.8 * lift)).any(axis=0)
    found = Ground(side, side, heights, 0.8 * lift).hides(points, ax.get_proj())
    assert 0.2 < behind.mean() < 0.8 and (found == behind).mean() > 0.97


def test_a_line_vanishes_between_two_of_its_own_points():
    ax, ground = seen_from(0)
    parts = [part_of(ax, ACROSS[[0, 2]], ground, seen=seen) for seen in (True, False)]
    ax.figure.canvas.draw()
    shown = [np.isfinite(part.get_data_3d()[2]) for part in parts]
    assert (shown[0] ^ shown[1]).all() and 0 < shown[0].sum() < len(shown[0])
    ax.view_init(elev=15, azim=180)  # turned by hand
    ax.figure.canvas.draw()
    assert np.isfinite(parts[1].get_data_3d()[2]).argmax() > shown[1].argmax()


def test_unknown_ground_hides_nothing():
    ax, ground = seen_from(0)
    hole = Ground(SIDE, SIDE, np.full((81, 81), np.nan), 0.008)
    assert ground.hides(ACROSS, ax.get_proj())[0] and not hole.hides(ACROSS, ax.get_proj()).any()


@pytest.mark.parametrize(("azim", "painted"), [(0, False), (180, True)])
def test_a_ball_behind_a_hill_is_an_empty_ring(azim, painted):
    walk = tl.descend(WALL, [-1.6, 0.0], tl.optim.SGD(0.1), steps=3)
    picture = tl.draw.surface3d(tl.survey(WALL, None, extent=2.0, resolution=41), walk)
    picture.ax.view_init(elev=15, azim=azim)
    canvas = picture.ax.figure.canvas
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255.0
    orange = (np.abs(pixels - to_rgb("#D55E00")).max(axis=-1) < 0.1).sum()
    assert (orange > 60) == painted and orange > 5
