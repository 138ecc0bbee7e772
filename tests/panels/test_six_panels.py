"""What Fit, Ravine, Losses, Backprop, Initialization and Race must do, without a browser."""

from functools import partial

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Backprop, Fit, Initialization, Losses, Race, Ravine

MAKERS = {
    "Fit": (partial(Fit, resolution=11), "dot_x", 1.25),
    "compass": (partial(Ravine, resolution=11), "condition", 30.0),
    "momentum": (partial(Ravine, preset="momentum", resolution=11, steps=60), "momentum", 0.5),
    "Losses": (Losses, "odd", -3.0),
    "Backprop": (partial(Backprop, width=3), "b", 0.75),
    "Initialization": (Initialization, "scheme", "σ 1"),
    "Race": (partial(Race, tl.formulas.booth, budget=20, resolution=11), "fair", False),
}


@pytest.fixture(scope="module", params=MAKERS)
def made(request):
    make, name, value = MAKERS[request.param]
    return make(), name, value, make


def picture(panel):
    """Every layer's data, but for the time that Backprop measures."""
    arrays = panel.player.scene.arrays().items()
    return {name: array.copy() for name, array in arrays if "backward" not in name}


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )


def test_a_code_shows_the_same_again_and_reset_the_opening(made):
    panel, name, value, make = made
    opening, words = picture(panel), panel.describe()
    panel.controls[name].value = value
    panel.seek(5)
    changed, code, said = picture(panel), panel.code, panel.describe()
    assert not same(opening, changed) and code.startswith("TGL1.")
    panel.reset()
    assert same(picture(panel), opening) and panel.describe() == words
    other = make()
    other.load(code)
    assert same(picture(other), changed) and other.describe() == said
    assert other.player.frame == 5 and other.state == other.state | {name: value}
    with pytest.raises(tl.ParameterError, match="damaged"):
        other.load(code[:-8] + "aaaaaaaa")
    assert "damaged" in other._error.value.lower()


def test_time_runs_both_ways(made):
    panel, *_ = made
    last = panel.player.frames - 1
    assert panel.player.frame == last and not panel.player.revealed
    panel.step()
    assert panel.player.frame == 1 and panel.player.revealed  # from the beginning, if untouched
    panel.step(-1)
    panel.step(-1)
    assert panel.player.frame == 0
    panel.seek(10**6)
    assert panel.player.frame == last
    panel.play()
    assert panel.player.playing and panel.player.frame == 0
    panel.pause()
    panel.reset()


def test_it_says_what_it_shows(made):
    panel, *_ = made
    for words in (panel.describe(), panel.player.honesty):
        assert words.endswith(".") and "nan" not in words
    panel.seek(10**6)  # before the first step Fit does not tell the place that a hand shall find
    assert panel.player.sentence == panel.describe() and len(panel.player.label) > 10
    assert panel._repr_mimebundle_()["text/plain"] == panel.describe()
    panel.reset()


def test_one_slider_is_seen_at_first(made):
    panel, *_ = made
    row, *_, fold, error = panel.widget.children
    kinds = [type(widget).__name__ for widget in row.children]
    assert kinds.count("IntSlider") <= 1 and kinds[-1] == "ToggleButton"
    assert fold.layout.display == "none" and error.layout.display == "none"
    row.children[-1].value = True
    assert fold.layout.display is None
    row.children[-1].value = False


def test_an_unknown_control_cannot_be_hidden(made):
    *_, make = made
    with pytest.raises(tl.ParameterError, match="the controls are"):
        make(hide=["colour"])


def test_a_moving_hand_gets_a_sketch_and_a_resting_one_the_whole(monkeypatch):
    """As with an event loop, where the rest is done later."""
    panel = Losses()
    monkeypatch.setattr(panel, "_soon", lambda: None)
    panel.player.start = [1.0, 2.0]
    assert panel.player.frames == 2 and "moves the lowest place" in panel.player.sentence
    panel.settle()
    assert panel.player.frames == 21

    panel = MAKERS["Race"][0]()
    monkeypatch.setattr(panel, "_soon", lambda: None)
    panel.player.start = [1.0, 2.0]
    assert "while the hand moves" in panel.player.sentence
    assert all(run.losses.shape[1] == 1 for run in panel._runs.values())
    panel.settle()
    assert all(run.losses.shape == (21, 5) for run in panel._runs.values())
    assert panel.player.sentence == panel.describe()
