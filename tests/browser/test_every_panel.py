"""Every panel in JupyterLab: opened, every control moved, keys and pointer, and reset as it was.

What is moved must show, in the picture's pixels or in the words, and the page must not jump.
`TGL_ALL_STYLES=1` makes the round on every paper; `TGL_SCREENSHOTS` names a folder for pictures to
look at.
"""

import json
import os

import pytest

from tests.browser.every import PANELS, styled
from tests.browser.hands import Hands
from tests.browser.lab import Notebook, written

pytestmark = pytest.mark.browser

STYLES = ("light", "dark", "projector") if os.environ.get("TGL_ALL_STYLES") else ("light",)
NEVER_SHOWN = {("descent", "all_weights")}  # its landscape has two weights, both drawn
DIFFERS = {"backprop"}  # draws the milliseconds it took, which are never the same twice
UNSEEN = {("ravine momentum", "best")}  # the numbers at hand are the best ones already
LINES = 2  # by which a sentence may grow below the picture while hands move


@pytest.fixture(scope="module")
def notebook(page, address, folder):
    written(folder / "lessons" / "every_panel.ipynb", "import tinygrad_landscape as tl")
    page.set_viewport_size({"width": 1400, "height": 1300})  # nothing to scroll for, on any paper
    opened = Notebook(page, address, "every_panel.ipynb")
    opened.run_all()
    return opened


@pytest.fixture(params=[(style, name) for style in STYLES for name in PANELS], ids=" ".join)
def hands(request, notebook, picture):
    style, name = request.param
    notebook.complaints.clear()
    made = Hands(notebook, styled(PANELS[name], style))
    made.name = name
    made.photograph = lambda what: picture(f"{name} {style} {what}", made.panel)
    yield made
    assert made.alerts() == []


def test_everything_moves_and_goes_back(hands):
    hands.photograph("1 opened")
    hands.unfold()
    assert hands.panel.locator("[title=null]:visible").count() == 0  # a missing tooltip shows so
    keys(hands)
    hands.photograph("2 stepped")
    began = hands.page_is()
    touched = controls(hands)
    assert hands.back()
    untouched = {control["name"] for control in hands.controls} - touched
    assert untouched == {name for panel, name in NEVER_SHOWN if panel == hands.name}
    for press in hands.buttons():
        press()
        hands.settle()
    pointer(hands)
    hands.photograph("3 moved")
    ended = hands.page_is()
    assert ended["top"] == began["top"]
    assert -2 < ended["high"] - began["high"] <= LINES * hands.line()
    hands.press("r")
    hands.page.wait_for_timeout(200)
    hands.settle()
    hands.rest()
    assert seen(hands, hands.look()) == seen(hands, hands.opening)


def keys(hands):
    """Arrows step, Home and End go to the ends, space plays and pauses."""
    hands.press("Home")
    assert hands.changes(lambda: hands.press("ArrowRight")) and hands.data()["frame"] == "1"
    assert hands.changes(lambda: hands.press("ArrowLeft")) and hands.data()["frame"] == "0"
    assert hands.changes(lambda: hands.press("Space"))
    hands.press("Space")
    hands.page.wait_for_function("document.querySelector('.tgl-stage').dataset.playing === 'false'")
    hands.press("End")
    hands.press("ArrowLeft")
    hands.settle()
    assert int(hands.data()["frame"]) == int(hands.data()["frames"]) - 2
    hands.press("End")


def controls(hands):
    """Move every control that can be seen, and what comes to be seen by that; name them."""
    touched = set()

    def touch(control):
        touched.add(control["name"])
        for k, move in enumerate(hands.moves(control)):
            if control["kind"] == "ToggleButton":
                hands.settle()  # what is on its way is not to be taken for the answer
            long = hands.page_is()["high"]
            if (hands.name, control["name"]) in UNSEEN:
                move()
            else:
                assert hands.changes(move), f"move {k} of {control['name']} changes nothing"
            assert hands.page_is()["high"] > long - 2, f"{control['name']} makes the page shrink"
            hidden = [each for each in hands.controls if each["name"] not in touched | first]
            if hidden and control["kind"] in ("Checkbox", "Dropdown", "ToggleButtons"):
                hands.settle()  # what it shows or hides is there
                for other in filter(hands.visible, hidden):
                    touch(other)

    first = {control["name"] for control in hands.controls if hands.visible(control)}
    for control in hands.controls:
        if control["name"] in first:
            touch(control)
    return touched


def pointer(hands):
    """Drag the start and press beside it, draw a loop, run along the curve."""
    if "drag" in hands.roles:
        assert hands.changes(lambda: hands.drag(hands.handle(), hands.at("drag", 0.7, 0.6)))
        assert hands.changes(lambda: hands.drag(hands.at("drag", 0.3, 0.3)))
    if "lasso" in hands.roles:
        corners = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)]
        assert hands.changes(lambda: hands.drag(*[hands.at("lasso", *each) for each in corners]))
    if "seek" in hands.roles:
        hands.settle()
        assert hands.changes(lambda: hands.drag(hands.at("seek", 0.3, 0.5)))
        assert 0 < int(hands.data()["frame"]) < int(hands.data()["frames"]) - 1


def seen(hands, look):
    """What must be the same after a reset: the words at least."""
    parts = json.loads(look)
    return [each for each in parts if isinstance(each, str)] if hands.name in DIFFERS else parts
