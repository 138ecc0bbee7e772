"""Both players have one interface; the canvas gets its numbers, the image its pixels."""

import io
import subprocess
import sys

import anywidget
import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import tinygrad_landscape as tl
from tinygrad_landscape.draw import Scene
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels.image import ImageStage
from tinygrad_landscape.panels.player import Player, on_stage
from tinygrad_landscape.panels.stage import Stage

PATH = np.array([[0.1, 0.2], [0.4, 0.5], [0.9, 0.6]])


def scene(limits=(0.0, 1.0)):
    figure = Figure(figsize=(4, 3))
    made = Scene(figure, {"map": figure.add_subplot(xlim=limits, ylim=limits)})
    made.add("walk", "polyline", "map", follow=True)
    made.add("ball", "ball", "map", follow=True)
    made.set("walk", PATH)
    made.set("ball", PATH)
    return made


@pytest.fixture(autouse=True)
def automatic_again():
    yield
    tl.panels.use("auto")


@pytest.mark.parametrize("kind", [Stage, ImageStage])
def test_players_are_widgets_with_one_interface(kind):
    player = kind(scene(), drag="ball", frame=1, label="Map")
    assert isinstance(player, Player) and isinstance(player, ipywidgets.Widget)
    assert (player.frame, player.frames, player.label) == (1, 3, "Map")
    player.scene.set("walk", PATH[:2])
    player.scene.set("ball", PATH[:2])
    player.update(sentence="shorter", frame=1)
    assert (player.frames, player.sentence) == (2, "shorter")
    assert player.png()[:4] == b"\x89PNG"


def test_the_stage_is_an_anywidget_that_sends_everything_it_shares():
    stage = Stage(scene())
    assert isinstance(stage, anywidget.AnyWidget)
    sent = stage.get_state()
    for name in ("spec", "background", "layers", "frame", "playing", "start", "dragging",
                 "revealed", "resting", "resets", "sentence", "honesty", "label"):  # fmt: skip
        assert name in sent
    words = stage._esm.replace("http://www.w3.org/2000/svg", "")  # the name of a name space
    assert not any(word in words for word in ("http", "import ", "fetch(", "model.send"))


@pytest.mark.parametrize(("limits", "kind"), [((0.0, 1.0), "f4"), ((100.0, 100.0001), "f8")])
def test_layers_travel_as_bytes_fine_enough_for_the_axes(limits, kind):
    stage = Stage(scene(limits))
    layer = stage.layers["walk"]
    assert (layer["shape"], layer["type"]) == ([3, 1, 2], kind)
    back = np.frombuffer(layer["data"], f"<{kind}").reshape(layer["shape"])
    assert np.allclose(back[:, 0], PATH, rtol=1e-6)


def test_an_update_is_one_message_and_the_background_is_not_in_it(monkeypatch):
    stage, sent = Stage(scene()), []
    monkeypatch.setattr(stage, "send_state", lambda key=None: sent.append(set(key)))
    stage.scene.set("walk", PATH * 0.5)
    stage.update(sentence="new", frame=2)
    assert len(sent) <= 1  # (without a kernel nothing may be sent at all)
    assert all("background" not in keys for keys in sent)


def test_a_redraw_sends_a_new_background():
    stage = Stage(scene())
    before = stage.background
    stage.scene.axes["map"].set_title("other")
    stage.redraw()
    assert stage.background != before


def test_the_image_shows_the_scene_at_its_frame():
    player = ImageStage(scene())
    first = player._image.value
    player.frame = 2
    assert player._image.value != first
    shown = np.asarray(Image.open(io.BytesIO(player._image.value)))
    assert (shown == player.scene.pixels()).all()
    player.frame = 0
    assert player._image.value == first


def test_the_image_players_buttons_and_clock():
    player = ImageStage(scene(), frame=2)
    _, back, forward, _, reset = player.children[1].children
    assert player.resting
    forward.click()
    assert (player.frame, player.revealed, player.resting) == (1, True, False)  # began at 0
    forward.click()
    forward.click()
    assert player.frame == 2
    back.click()
    assert player.frame == 1
    reset.click()
    assert player.resets == 1
    player.playing = True
    assert player._clock.playing
    player._scrub.value = 2  # the browser's clock has come to the end
    assert not player.playing and not player._clock.playing


def test_the_image_player_says_its_words_without_markup():
    player = ImageStage(scene(), sentence="a < b & c", honesty="<script>")
    assert "a &lt; b &amp; c" in player._words.value and "<script>" not in player._words.value
    assert "a < b" in player._image.alt


def test_the_player_is_chosen():
    assert isinstance(on_stage(scene()), Stage)
    tl.panels.use("image")
    assert isinstance(on_stage(scene()), ImageStage)
    with pytest.raises(ParameterError, match="expected one of auto, canvas, image"):
        tl.panels.use("film")


def test_without_anywidget_the_image_is_chosen():
    code = """
import sys
sys.modules["anywidget"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "anywidget" else find(name, *a)
import tinygrad_landscape as tl
panel = tl.panels.Descent(resolution=11)
print(type(panel.player).__name__)
try:
    tl.panels.use("canvas")
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == [
        "ImageStage", "the canvas player needs anywidget; `pip install anywidget`"]  # fmt: skip
