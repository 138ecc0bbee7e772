"""The map as hills, in its own place: one toggle, one frame, one state; none without a canvas."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Descent, Saddle, Sieve, Slice, use


def bowl_slice():
    walk = tl.descend(tl.formulas.three_valleys, [0.0, 0.0], tl.optim.SGD(0.8), steps=20)
    return Slice(tl.formulas.three_valleys, walk, resolution=9)


MADE = {
    "Descent": lambda: Descent(resolution=9, steps=5, strip=False),
    "Slice": bowl_slice,
    "Saddle": lambda: Saddle(resolution=9),
    "Sieve": lambda: Sieve(resolution=9, others=0, steps=20),
}


def sent(dictionary):
    return np.frombuffer(dictionary["data"], "<f4").reshape(dictionary["shape"])


@pytest.mark.parametrize("name", MADE)
def test_one_toggle_turns_the_map_into_hills_and_back(name):
    panel = MADE[name]()
    view, seen = panel._view, lambda: panel._view._cover.layout.display is None
    assert view.hills is None and not seen()
    panel.controls["hills"].value = True
    assert seen() and view.hills.player is panel.player
    walk, hills = panel.player.scene.arrays()["walk"], sent(view.hills.path)
    (x0, x1, _), (y0, y1, _) = (panel.player.spec["axes"][0][axis] for axis in "xy")
    places = (walk[:, 0] - [x0, y0]) / [x1 - x0, y1 - y0]
    assert np.allclose(hills[:, 0, :2], places, atol=1e-4)
    code = panel.code
    panel.controls["hills"].value = False
    assert not seen()
    panel.load(code)
    assert seen() and panel.state["hills"]


def test_the_hills_follow_the_walk():
    panel = Descent(resolution=9, steps=5, strip=False)
    panel.controls["hills"].value = True
    before = sent(panel._view.hills.path)
    panel.player.start = [-1.0, 2.0]
    after = sent(panel._view.hills.path)
    assert np.allclose(after[0, 0, :2], [2 / 6, 5 / 6]) and not np.allclose(after, before)
    grid = sent(panel._view.hills.grid)
    assert grid.shape == (9, 9) and grid.min() == 0.0 and grid.max() == 1.0


def test_other_ground_is_other_hills_on_its_own_scale():
    panel = bowl_slice()
    panel.controls["hills"].value = True
    before, camera = panel._view.hills.grid["data"], panel._view.hills.camera
    panel.controls["zoom"].value = 20.0
    hills = panel._view.hills
    assert hills.grid["data"] != before and hills.camera == camera
    assert hills.surface is panel.surface
    ticks = [float(tick["text"]) for tick in hills.look["z"]["ticks"]]
    assert max(ticks) <= 1.01 * np.nanmax(panel.surface.loss)
    assert hills.look["x"]["label"] == panel.surface.plane.labels[0]


def test_the_cover_is_where_the_map_is():
    panel = Descent(resolution=5, steps=5)
    spec = panel.player.spec
    axes, cover = {each["name"]: each for each in spec["axes"]}, panel._view._cover.layout
    width = float(cover.width.rstrip("%")) / 100 * spec["width"]
    top = float(cover.margin.split("%")[0]) / 100 * spec["width"]
    assert axes["map"]["box"][2] < width < axes["curve"]["box"][0]
    assert axes["strip"]["box"][3] < top < axes["map"]["box"][1]
    bottom = top + width / panel._view._aspect
    assert axes["map"]["box"][3] < bottom <= spec["height"]


def test_without_a_canvas_there_is_no_toggle():
    use("image")
    try:
        panel = Descent(resolution=5, steps=5, strip=False)
        assert panel.controls["hills"].layout.display == "none"
        panel.load({"hills": True})  # a code from a notebook that has one
        assert panel._view.hills is None and panel.player.png()[1:4] == b"PNG"
    finally:
        use("auto")
