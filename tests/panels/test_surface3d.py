"""What the 3-D view sends: heights as shares, walks in the box, a camera that sees the walk."""

import anywidget
import numpy as np
import pytest

from tests.draw.ground import bowl, walk
from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.draw.style import named
from tinygrad_landscape.panels import surface3d
from tinygrad_landscape.panels.image import ImageStage
from tinygrad_landscape.panels.stage import Stage
from tinygrad_landscape.panels.surface3d import Surface3d
from tinygrad_landscape.surveying import Plane, Surface

PATH = np.array([[0.9, 1.5], [0.5, 0.4], [0.1, 0.1]])


def table(sent):
    return np.frombuffer(sent["data"], "<f4").reshape(sent["shape"])


def stage():
    from matplotlib.figure import Figure

    from tinygrad_landscape.draw import Scene

    figure = Figure(figsize=(2, 2))
    return Scene(figure, {"map": figure.add_subplot(xlim=(0, 1), ylim=(0, 1))})


# Hills --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", ["linear", "sqrt", "log"])
def test_the_grid_holds_shares_of_the_scale(height):
    surface = bowl()
    shares = table(Surface3d(surface, height=height).grid)
    scale = Heights.of(surface.loss, height)
    low, high = scale.forward(np.array([scale.low, scale.high]))
    assert np.allclose(shares, (scale.forward(surface.loss) - low) / (high - low), atol=1e-6)
    assert shares.min() == 0.0 and shares.max() == 1.0


def test_heights_above_the_clip_are_level():
    shares = table(Surface3d(bowl(), height="linear", clip=2.0).grid)
    assert (shares[bowl().loss >= 2.0] == 1.0).all()


def test_unknown_ground_is_left_out():
    surface = bowl(dent=np.inf)
    done = np.ones(surface.loss.shape, bool)
    done[:2] = False
    part = Surface(surface.a, surface.b, surface.values, surface.plane, done)
    shares = table(Surface3d(part).grid)
    assert np.isnan(shares[:2]).all() and np.isnan(shares[3, 4])
    assert np.isnan(shares).sum() == 2 * 23 + 1


def test_fine_grids_are_thinned_to_what_a_hand_can_turn():
    a, b = np.linspace(-1.0, 1.0, 321), np.linspace(0.0, 1.0, 30)
    plain = Surface(a, b, {"loss": a[:, None] + b[None, :]}, Plane.whole())
    shares = table(Surface3d(plain, height="linear").grid)
    assert shares.shape == (surface3d.FINEST, 30)
    expected = np.add.outer(np.linspace(-1.0, 1.0, surface3d.FINEST), b)
    assert np.allclose(shares, (expected + 1.0) / 3.0, atol=1e-6)


def test_ticks_read_in_weights_and_losses():
    plane = Plane.two_weights(np.array([5.0, 0.0, -3.0]), 0, 2)
    look = Surface3d(bowl(plane=plane)).look
    for axis, (low, high) in (("x", (4.0, 6.0)), ("y", (-5.0, -1.0))):
        assert len(look[axis]["ticks"]) >= 3
        for tick in look[axis]["ticks"]:
            assert np.isclose(low + tick["at"] * (high - low), float(tick["text"]))
    assert look["x"]["label"] == plane.labels[0]
    assert "height" in look["z"]["label"]
    assert [tick["at"] for tick in look["z"]["ticks"]] == sorted(
        tick["at"] for tick in look["z"]["ticks"]
    )


def test_the_style_dresses_it():
    look = Surface3d(bowl(), style="projector").look
    assert look["paper"] == named("projector").paper and look["scale"] == named("projector").scale


# Walks --------------------------------------------------------------------------------------------


def test_a_walk_lies_in_shares_of_the_box():
    path = walk(PATH, [9.0, 4.5, 0.0])
    way = table(Surface3d(bowl(), path, height="linear").path)
    assert way.shape == (3, 1, 3)
    assert np.allclose(way[:, 0, 0], (PATH[:, 0] + 1.0) / 2.0)
    assert np.allclose(way[:, 0, 1], (PATH[:, 1] + 2.0) / 4.0)
    assert np.allclose(way[:, 0, 2], [1.0, 0.5, 0.0], atol=1e-6)


def test_a_fall_is_a_gap():
    way = table(Surface3d(bowl(), walk(PATH, [1.0, np.nan, np.inf], fell=1)).path)
    assert np.isfinite(way[0]).all() and np.isnan(way[1:, 0, 2]).all()


def test_another_walk_leaves_hills_and_camera_alone():
    view = Surface3d(bowl(), walk(PATH))
    view.camera = [10.0, 20.0, 2.0]
    grid, heard = view.grid, []
    view.observe(lambda change: heard.append(change["name"]), ["grid", "camera"])
    view.show(walk(np.stack([PATH, -PATH], axis=1)))
    assert view.path["shape"] == [3, 2, 3] and view.grid is grid and heard == []
    assert view.look["walkers"][0]["path"] == view.look["walkers"][0]["ball"]
    view.show(None)
    assert view.path["shape"][0] == 0


def test_walkers_differ_by_colour_and_mark():
    walkers = Surface3d(bowl(), walk(np.stack([PATH, -PATH], axis=1))).look["walkers"]
    assert len({w["ball"] for w in walkers}) == len({w["shape"] for w in walkers}) == len(walkers)


def test_it_opens_at_the_end_seen_from_where_the_walk_is_seen():
    a = np.linspace(-1.0, 1.0, 41)
    loss = np.exp(-((a[:, None] / 0.2) ** 2)) + 0.0 * a[None, :]
    view = Surface3d(
        Surface(a, a, {"loss": loss}, Plane.whole()), walk([[0.3, 0.5], [0.3, -0.5]], [0.1, 0.1])
    )
    assert view.frame == 1 and view.camera == view.home
    assert np.cos(np.radians(view.home[0])) > 0.4


# Company ------------------------------------------------------------------------------------------


def test_beside_a_stage_the_browser_keeps_step():
    player = Stage(stage())
    view = Surface3d(bowl(), walk(PATH), player)
    assert view.get_state()["player"] == f"IPY_MODEL_{player.model_id}"
    assert view.honesty == ""  # the stage says it


def test_beside_an_image_the_kernel_keeps_step():
    scene = stage()
    scene.add("walk", "polyline", "map", follow=True)
    scene.set("walk", PATH)
    player = ImageStage(scene)
    view = Surface3d(bowl(), walk(PATH), player)
    player.frame = 1
    assert view.frame == 1 and view.player is None
    view.frame = 2
    assert player.frame == 2


def test_alone_it_carries_the_honesty_line_and_a_name():
    view = Surface3d(bowl(), walk(PATH))
    assert "Plane through 2 weights" in view.honesty and "grid" in view.honesty
    assert view.label == "Loss as hills over x and y"


def test_everything_travels_and_nothing_else():
    assert isinstance(Surface3d(bowl()), anywidget.AnyWidget)
    sent = set(Surface3d(bowl()).get_state())
    assert {"look", "grid", "path", "frame", "playing", "speed", "camera", "home", "label",
            "honesty", "player", "plain"} <= sent  # fmt: skip
