"""A scene blits what a full drawing would show, and describes itself in plain data."""

import io
import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError, ShapeError

PATH = np.array([[0.1, 0.2], [0.4, 0.5], [0.9, 0.6]])


def made(**options):
    figure = Figure(figsize=(6, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set(xlim=(0, 1), ylim=(0, 1))
    right.set(xlim=(0, 2), ylim=(1e-3, 10), yscale="log")
    return Scene(figure, {"map": left, "curve": right}, **options)


def walking():
    scene = made()
    scene.add("walk", "polyline", "map", follow=True, casing="#000000", dots=2.0, ghost=0.4)
    scene.add("ball", "ball", "map", follow=True)
    scene.add("arrow", "arrow", "map", follow=True, casing="#000000")
    scene.add("start", "marker", "map", shapes=["+"])
    scene.add("words", "text", "map", follow=True, template="step {0} loss {1}", at=[0.0, 1.02])
    scene.set("walk", PATH)
    scene.set("ball", PATH)
    scene.set("arrow", np.hstack([PATH, np.full((3, 2), 0.1)]))
    scene.set("start", PATH[:1])
    scene.set("words", [[0, 0.5], [1, 0.25], [2, 0.125]])
    return scene


def image(data):
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_blitting_gives_what_a_full_drawing_gives(frame, tmp_path):
    scene = walking()
    scene.frame = frame
    quick = image(scene.png())
    scene.save(tmp_path / "full.png", dpi=100)
    full = image((tmp_path / "full.png").read_bytes())[:, :, :3]
    assert quick.shape == full.shape == (300, 600, 3)
    assert (np.abs(quick - full).max(axis=2) > 8).mean() < 0.002  # rounding of blended edges


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_polyline_that_follows_ends_at_the_ball(frame):
    scene = walking()
    ax = scene.axes["map"]
    line = scene.layers["walk"].artists(ax, frame)[-1]
    (ball,) = scene.layers["ball"].artists(ax, frame)
    drawn = np.column_stack([line.get_xdata(), line.get_ydata()])
    assert np.allclose(drawn[np.isfinite(drawn).all(axis=1)], PATH[: frame + 1])
    assert np.allclose([ball.get_xdata(), ball.get_ydata()], PATH[frame][:, None])


def test_a_frame_leaves_nothing_behind():
    scene = walking()
    first = scene.png()
    scene.frame = 2
    assert scene.png() != first
    scene.frame = 0
    assert scene.png() == first
    assert not any(ax.lines for ax in scene.axes.values())


def test_the_ball_is_where_its_data_is():
    scene = made()
    empty = image(scene.png())
    scene.add("ball", "ball", "curve")
    scene.set("ball", [0.5, 0.1])
    rows, columns = np.nonzero((image(scene.png()) != empty).any(axis=2))
    left, top, right, bottom = scene.spec()["axes"][1]["box"]
    assert columns.mean() == pytest.approx(left + 0.25 * (right - left), abs=1.0)
    assert rows.mean() == pytest.approx(top + 0.5 * (bottom - top), abs=1.0)  # log axis


def test_a_ball_that_left_the_frame_is_a_mark_on_its_rim():
    scene = made()
    empty = image(scene.png())
    scene.add("ball", "ball", "map")
    scene.set("ball", [7.0, 0.5])
    _, columns = np.nonzero((image(scene.png()) != empty).any(axis=2))
    right = scene.spec()["axes"][0]["box"][2]
    assert columns.size and abs(columns.mean() - right) < 8


def test_nan_lifts_the_pen_and_hides_the_ball():
    scene = made()
    empty = scene.png()
    scene.add("walk", "polyline", "map")
    scene.add("ball", "ball", "map")
    scene.set("walk", np.full((4, 2), np.nan))
    scene.set("ball", [np.nan, np.nan])
    assert scene.png() == empty


def test_frames_are_the_longest_layer_that_follows():
    scene = walking()
    assert scene.frames == 3
    scene.set("start", np.zeros((9, 2)))  # stands still
    assert scene.frames == 3
    assert made().frames == 1


def test_data_is_rows_items_columns():
    scene = walking()
    shapes = {name: array.shape for name, array in scene.arrays().items()}
    assert shapes == {"walk": (3, 1, 2), "ball": (3, 1, 2), "arrow": (3, 1, 4),
                      "start": (1, 1, 2), "words": (3, 1, 2)}  # fmt: skip
    scene.set("ball", np.zeros((3, 50, 2)))
    assert scene.arrays()["ball"].shape == (3, 50, 2)
    scene.set("ball", [])
    assert scene.arrays()["ball"].shape == (0, 1, 2)
    scene.png()


def test_what_the_reader_passed_in_is_not_kept():
    scene = walking()
    mine = PATH.copy()
    scene.set("walk", mine)
    mine[:] = 5.0
    assert np.allclose(scene.arrays()["walk"][:, 0], PATH)


def test_the_spec_is_plain_json_with_pixels_and_limits():
    spec = json.loads(json.dumps(walking().spec()))
    assert (spec["width"], spec["height"]) == (600, 300)
    left, right = spec["axes"]
    assert left["x"] == [0, 1, "linear"] and right["y"] == [0.001, 10, "log"]
    assert 0 < left["box"][0] < left["box"][2] < right["box"][0] < right["box"][2] <= 600
    assert [layer["kind"] for layer in spec["layers"]] == [
        "polyline", "ball", "arrow", "marker", "text"]  # fmt: skip


def test_the_background_is_the_same_picture_twice_as_sharp():
    scene = made()
    sharp = image(scene.background(zoom=2.0))
    assert sharp.shape == (600, 1200, 3)
    blurred = sharp.reshape(15, 40, 30, 40, 3).mean(axis=(1, 3))
    plain = image(scene.png()).reshape(15, 20, 30, 20, 3).mean(axis=(1, 3))
    assert np.ptp(plain) > 30 and np.abs(blurred - plain).max() < 12


def test_the_background_holds_no_moving_layer():
    assert walking().background() == made().background()


def test_a_veil_hides_one_of_the_axes_until_it_is_lifted():
    scene = walking()
    bare = image(scene.png())
    scene.veil("curve", "not yet")
    veiled = image(scene.png())
    left, top, right, bottom = (round(v) for v in scene.spec()["axes"][1]["veil_box"])
    changed = (veiled != bare).any(axis=2)
    assert changed[top:bottom, left:right].any()
    assert not changed[:, : left - 1].any()
    scene.veiled = False
    assert (image(scene.png()) == bare).all()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_scene_can_be_saved(tmp_path, ending):
    walking().save(tmp_path / f"scene.{ending}")
    assert (tmp_path / f"scene.{ending}").stat().st_size > 1000


def test_mistakes_are_refused_in_words(tmp_path):
    scene = walking()
    with pytest.raises(ParameterError, match="the scene has walk, ball"):
        scene.set("wall", PATH)
    with pytest.raises(ParameterError, match="already has a layer"):
        scene.add("walk", "polyline", "map")
    with pytest.raises(ParameterError, match="expected one of polyline"):
        scene.add("box", "cube", "map")
    with pytest.raises(ParameterError, match="a ball has no dash"):
        scene.add("other", "ball", "map", dash=[1, 2])
    with pytest.raises(ParameterError, match="map, curve"):
        scene.add("other", "ball", "loss")
    with pytest.raises(ShapeError, match=r"got data of shape \(3,\) for the polyline"):
        scene.set("walk", [1.0, 2.0, 3.0])
    with pytest.raises(ParameterError, match=r"expected one of \.png, \.svg, \.pdf"):
        scene.save(tmp_path / "scene.bmp")
    figure = Figure()
    figure.add_subplot(xscale="symlog")
    with pytest.raises(ParameterError, match="linear and log"):
        Scene(figure)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (-3.0, "-3"), (0.5, "0.5"), (1234.5, "1230"), (0.00012345, "0.000123"),
     (0.99999, "1"), (1e-5, "1e-5"), (2.5e7, "2.5e7"), (-1.239e-8, "-1.24e-8"),
     (1234567.0, "1.23e6"), (np.inf, "not finite")],
)  # fmt: skip
def test_numbers_are_said_in_three_figures(value, words):
    assert said(value) == words
