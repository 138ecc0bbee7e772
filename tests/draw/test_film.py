"""Films show what the scene shows, frame by frame, and leave nothing half-written behind."""

import json
import re
import shutil
import subprocess

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.draw.ground import bowl, walk
from tinygrad_landscape import draw
from tinygrad_landscape.draw import film
from tinygrad_landscape.draw.motion import CROWD, walk_scene
from tinygrad_landscape.draw.tracks import tracks
from tinygrad_landscape.engine.errors import ParameterError

T = np.linspace(0.0, 1.0, 6)
PATH = np.column_stack([T, 1.0 - T**2])
ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def scene(kinds=("polyline", "ball", "text")):
    figure = Figure(figsize=(3.01, 2.01))  # odd numbers of pixels, which H.264 cannot have
    made = draw.Scene(figure, {"map": figure.add_subplot(xlim=(0, 1), ylim=(0, 1))})
    data = {
        "polyline": PATH, "ball": PATH, "text": np.column_stack([np.arange(6), T]),
        "curve": np.stack([PATH * k for k in T]), "arrow": np.hstack([PATH, 0.1 * PATH]),
        "heights": np.stack([np.add.outer(T, T) * k / 2 for k in T]),
    }  # fmt: skip
    for kind in kinds:
        made.add(kind, kind, "map", follow=True)
        made.set(kind, data[kind])
    return made


def looks(made):
    """Every frame as the scene itself draws it, without veils."""
    found = []
    for frame in range(made.frames):
        made.frame, made.veiled = frame, False
        found.append(made.pixels().copy())
    made.frame, made.veiled = 0, True
    return found


def played(path):
    """A GIF's frames as they appear, and how long each stays, in milliseconds."""
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0  # for ever
        frames, durations = [], []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
            durations.append(gif.info["duration"])
    return frames, durations


def page_of(path):
    """The film that a page carries, as data."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r"^const film = (.*);$", text, re.M).group(1))


# GIF ----------------------------------------------------------------------------------------------


def test_a_gif_shows_every_frame_of_the_scene(tmp_path):
    made = scene()
    made.save(tmp_path / "walk.gif", fps=20)
    shown, durations = played(tmp_path / "walk.gif")
    assert durations == [50] * 5 + [1550]
    for got, expected in zip(shown, looks(made), strict=True):
        assert np.abs(got - expected).max() <= 16  # 255 colours for the whole film


def test_only_what_moved_is_stored(tmp_path):
    """A still scene of as many frames costs next to nothing."""
    made = scene(("text",))
    made.set("text", np.ones((60, 2)))
    made.save(tmp_path / "still.gif")
    made.set("text", np.ones((2, 2)))
    made.save(tmp_path / "short.gif")
    sizes = [(tmp_path / name).stat().st_size for name in ("still.gif", "short.gif")]
    assert sizes[0] < 2 * sizes[1]


def test_a_film_is_not_veiled_and_leaves_the_scene_as_it_was(tmp_path):
    made = scene()
    made.veil("map", "not yet")
    made.frame = 3
    made.save(tmp_path / "walk.gif")
    assert (made.frame, made.veiled) == (3, True)
    plain = looks(scene())[0]
    assert np.abs(played(tmp_path / "walk.gif")[0][0] - plain).max() <= 16


def test_progress_shows_a_bar(tmp_path, capsys):
    scene().save(tmp_path / "walk.gif", progress=True)
    assert "film" in capsys.readouterr().err
    scene().save(tmp_path / "walk.gif")
    assert capsys.readouterr().err == ""


# MP4 ----------------------------------------------------------------------------------------------


@ffmpeg
def test_an_mp4_shows_every_frame_and_holds_the_last(tmp_path):
    made = scene()
    made.save(tmp_path / "walk.mp4", fps=20)
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", tmp_path / "walk.mp4", "-f", "rawvideo", "-pix_fmt",
         "rgb24", "-"], capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    width, height = made.size
    shape = (-1, height + height % 2, width + width % 2, 3)
    shown = np.frombuffer(raw, np.uint8).reshape(shape)[:, :height, :width].astype(int)
    assert len(shown) == 6 + round(20 * film.HOLD)
    for got, expected in zip(shown, looks(made), strict=False):
        assert np.abs(got - expected).mean() < 6.0
    assert np.abs(shown[-1] - shown[5]).mean() < 2.0


def test_without_ffmpeg_it_says_what_to_do_and_writes_nothing(tmp_path):
    with (
        matplotlib.rc_context({"animation.ffmpeg_path": "no-such-program"}),
        pytest.raises(ParameterError, match=r"apt install ffmpeg.*write \.gif or \.html"),
    ):
        scene().save(tmp_path / "walk.mp4")
    assert list(tmp_path.iterdir()) == []


@ffmpeg
def test_what_ffmpeg_complains_of_is_passed_on(tmp_path):
    with (
        matplotlib.rc_context({"animation.codec": "no-such-codec"}),
        pytest.raises(ParameterError, match="no-such-codec"),
    ):
        scene().save(tmp_path / "walk.mp4")
    assert list(tmp_path.iterdir()) == []


# Pages --------------------------------------------------------------------------------------------


def test_a_page_has_every_layer_in_pixels_where_matplotlib_draws_it(tmp_path):
    made = scene()
    made.save(tmp_path / "walk.html")
    told = page_of(tmp_path / "walk.html")
    assert (told["frames"], told["width"], told["height"]) == (6, *made.size)
    expected = made.axes["map"].transData.transform(PATH)
    expected[:, 1] = made.size[1] - expected[:, 1]
    by_kind = {layer["kind"]: layer for layer in told["layers"]}
    assert np.allclose(np.array(by_kind["polyline"]["rows"])[:, 0], expected, atol=0.06)
    assert np.allclose(np.array(by_kind["ball"]["rows"])[:, 0], expected, atol=0.06)
    assert by_kind["text"]["rows"] == [str(k) for k in range(6)]


def test_a_page_needs_no_network(tmp_path):
    scene().save(tmp_path / "walk.html")
    text = (tmp_path / "walk.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\"'\s<)]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_a_point_that_left_the_frame_waits_on_the_rim_and_points_out():
    made = scene(("ball",))
    made.set("ball", [[0.5, 0.5], [0.5, 7.0], [-3.0, 0.5], [np.nan, 0.5], [np.inf, 0.5]])
    (layer,) = tracks(made)
    inside, above, left, missing, gone = (row[0] for row in layer["rows"])
    x, y, width, height = layer["clip"]
    assert len(inside) == 2 and missing[0] is None
    assert np.allclose(above, [x + width / 2, y, -90.0], atol=0.2)
    assert np.allclose(left, [x, y + height / 2, 180.0], atol=0.2)
    assert np.allclose(gone[0], x + width, atol=0.2)


def test_a_gap_lifts_the_pen():
    made = scene(("polyline",))
    made.set("polyline", [[0.1, 0.1], [np.nan, 0.2], [0.3, 0.3]])
    (layer,) = tracks(made)
    assert layer["rows"][1][0][0] is None and None not in layer["rows"][2][0]


def test_what_a_page_cannot_draw_travels_as_pictures():
    made = scene(("curve", "arrow", "heights"))
    kinds = [layer["kind"] for layer in tracks(made)]
    assert kinds == ["curve", "arrow", "picture"]
    rows = tracks(made)[2]["rows"]
    assert len(rows) == 6 and len(set(rows)) > 3
    assert all(row.startswith("data:image/png;base64,") for row in rows)


def test_words_in_a_layer_cannot_end_the_script(tmp_path):
    made = scene(())
    made.add("words", "text", "map", follow=True, template="</script><b>{0}")
    made.set("words", [[1.0], [2.0]])
    made.save(tmp_path / "walk.html")
    assert "</script><b>" not in (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert page_of(tmp_path / "walk.html")["layers"][0]["rows"][1] == "</script><b>2"


# All three ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".gif", ".html", pytest.param(".mp4", marks=ffmpeg)])
def test_an_interrupted_film_leaves_the_older_one_whole(tmp_path, monkeypatch, ending):
    path = tmp_path / f"walk{ending}"
    path.write_bytes(b"older")
    made = scene()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(made, "pixels", interrupted)
    monkeypatch.setattr(made, "background", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.save(path)
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]


def test_other_endings_and_rates_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"\.avi.*\.gif, \.mp4, \.html"):
        scene().save(tmp_path / "walk.avi")
    for fps in (0.0, -1.0, np.nan, 1000.0):
        with pytest.raises(ParameterError, match="frames a second"):
            scene().save(tmp_path / "walk.gif", fps=fps)


# animate ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".gif", ".html"])
def test_animate_has_one_frame_for_every_recorded_point(tmp_path, ending):
    path = draw.animate(bowl(), walk(PATH), tmp_path / f"walk{ending}")
    assert path == tmp_path / f"walk{ending}"
    if ending == ".gif":
        assert len(played(path)[0]) == len(PATH)
    else:
        told = page_of(path)
        assert told["frames"] == len(PATH) and path.stat().st_size < 1e6
        (readout,) = [layer["rows"] for layer in told["layers"] if layer["kind"] == "text"]
        assert readout[0] == "step 0   loss 1" and len(readout) == len(PATH)


def test_map_and_curve_share_the_cursor():
    path = walk(PATH, [4.0, 2.0, 1.0, 0.5, 0.25, 0.125])
    made = walk_scene(bowl(), path)
    assert np.array_equal(made.layers["ball"].data[:, 0], PATH)
    assert np.array_equal(
        made.layers["cursor"].data[:, 0], np.column_stack([path.steps, path.losses])
    )
    (low, high), scale = made.axes["curve"].get_ylim(), made.axes["curve"].get_yscale()
    assert low < 0.125 and high > 4.0 and scale == "log"
    assert "(log)" in made.axes["curve"].get_ylabel()


def test_losses_below_zero_get_a_linear_curve():
    made = walk_scene(bowl(), walk(PATH, [1.0, 0.0, -1.0, -2.0, -2.5, -2.6]))
    assert made.axes["curve"].get_yscale() == "linear"


def test_a_crowd_leaves_no_paths():
    crowd = np.repeat(PATH[:, None], CROWD + 1, axis=1)
    assert len(walk_scene(bowl(), walk(crowd)).layers["walk"].data) == 0
    assert len(walk_scene(bowl(), walk(crowd[:, :CROWD])).layers["walk"].data) == len(PATH)


def test_the_film_carries_the_honesty_line_and_the_paper_in_use():
    with draw.style("dark"):
        made = walk_scene(bowl(), walk(PATH))
    words = " ".join(text.get_text().replace("\n", " ") for text in made.figure.texts)
    assert draw.honesty(bowl(), walk(PATH)) == words
    assert made.style.paper == "#15191f"


def test_a_walk_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="expected a Trajectory"):
        draw.animate(bowl(), PATH)
