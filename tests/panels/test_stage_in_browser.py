"""stage.js in a real Chromium, on a bare page with no Jupyter and no kernel."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.browser.bare import packed, seated, settled
from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.layers import HATCHES, said
from tinygrad_landscape.panels.stage import Stage

pytestmark = pytest.mark.browser

STEPS = np.arange(21.0)
PATH = np.column_stack([0.1 + 0.04 * STEPS, 0.9 - 0.03 * STEPS + 0.05 * np.sin(STEPS)])
LOSS = np.column_stack([STEPS, 10.0 ** (-STEPS / 7)])


def scene(kinds=("polyline", "ball", "arrow", "marker", "curve", "text")):
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set(xlim=(0, 1), ylim=(0, 1))
    right.set(xlim=(0, 20), ylim=(1e-3, 1), yscale="log")
    made = Scene(figure, {"map": left, "curve": right})
    looks = {"casing": "#10151c", "ghost": 0.5, "dots": 2.0, "colors": ["#0072B2"]}
    made.add("walk", "polyline", "map", follow=True, **looks)
    made.set("walk", PATH)
    if "arrow" in kinds:
        made.add("arrow", "arrow", "map", follow=True)
        made.set("arrow", np.hstack([PATH, np.full((21, 2), 0.1)]))
    if "curve" in kinds:
        made.add("whole", "curve", "map", follow=True)
        made.set("whole", np.stack([np.column_stack([[0, 1], [0, k / 20]]) for k in STEPS]))
    made.add("start", "marker", "map", shapes=["o"])
    made.set("start", PATH[0])
    made.add("ball", "ball", "map", follow=True)
    made.set("ball", PATH)
    made.add("curve", "polyline", "curve", follow=True, colors=["#D55E00"], ghost=0.4)
    made.set("curve", LOSS)
    if "text" in kinds:
        made.add("words", "text", "map", follow=True, template="step {0} loss {1}")
        made.set("words", LOSS)
    made.veil("curve", "not yet")
    return made


class Seat:
    """A stage on the page, and hands on it."""

    def __init__(self, page, stage, wide=800):
        self.page, self.stage = page, stage
        seated(page, stage, wide)
        page.wait_for_function("document.querySelector('.tgl-background').complete")
        self.settle()

    def settle(self):
        settled(self.page)

    def data(self):
        return self.page.locator(".tgl-stage").evaluate("(e) => ({...e.dataset})")

    def trait(self, name):
        return self.page.evaluate("(name) => window.model.state[name]", name)

    def press(self, key, on=".tgl-picture"):
        self.page.locator(on).focus()
        self.page.keyboard.press(key)
        self.settle()

    def place(self, x, y, axes=0):
        """Page coordinates of a data point."""
        area = self.stage.spec["axes"][axes]
        left, top, right, bottom = area["box"]
        (x0, x1, _), (y0, y1, scale) = area["x"], area["y"]
        up = (np.log10(y / y0) / np.log10(y1 / y0)) if scale == "log" else (y - y0) / (y1 - y0)
        box = self.page.locator(".tgl-picture").bounding_box()
        zoom = box["width"] / self.stage.spec["width"]
        return (
            box["x"] + zoom * (left + (x - x0) / (x1 - x0) * (right - left)),
            box["y"] + zoom * (bottom - up * (bottom - top)),
        )

    def tell(self, **changes):
        self.page.evaluate("(changes) => tell(model, changes)", packed(changes))
        self.settle()


@pytest.fixture
def seat(browser_page):
    made = Seat(browser_page, Stage(scene(), drag="start", seek="curve", start=PATH[0].tolist(),
                                    frame=20, label="A map", sentence="It ends."))  # fmt: skip
    yield made
    assert browser_page.evaluate("window.errors") == []


def test_the_canvas_paints_what_blitting_paints(browser_page):
    made = scene(kinds=("polyline", "ball", "arrow", "marker", "curve"))
    for ax in made.axes.values():
        ax.set_axis_off()  # a browser's smaller picture of letters and ticks is smoothed otherwise
    seat = Seat(browser_page, Stage(made, frame=7, revealed=True))
    shot = seat.page.locator(".tgl-picture").screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    made.frame, made.veiled = 7, False
    blitted = made.pixels().astype(int)
    assert seen.shape == blitted.shape == (400, 800, 3)
    far = np.abs(seen - blitted).max(axis=2) > 100
    assert far.mean() < 1e-3


def test_cells_and_their_hatchings_are_the_same_pixel_by_pixel(browser_page):
    figure = Figure(figsize=(8, 4))
    made = Scene(figure, {"map": figure.add_axes((0.1, 0.1, 0.5, 0.8), xlim=(0, 1), ylim=(0, 1))})
    made.axes["map"].set_axis_off()
    hatches = list(HATCHES)
    made.add("map", "cells", "map", follow=True, hatches=hatches, colors=["#D55E00"] * len(hatches))
    numbers = np.random.default_rng(0).integers(0, len(hatches) + 1, (2, 7, 5))
    made.set("map", np.where(numbers < len(hatches), numbers, 255))
    seat = Seat(browser_page, Stage(made, frame=1))
    shot = seat.page.locator(".tgl-picture").screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    made.frame = 1
    assert (np.abs(seen - made.pixels().astype(int)).max(axis=2) > 2).mean() < 1e-3


@pytest.mark.parametrize("at", [[0.0, 1.02], [0.3, 0.5]])
def test_letters_stand_where_blitting_puts_them(browser_page, at):
    figure = Figure(figsize=(8, 4))
    made = Scene(figure, {"map": figure.add_subplot()})
    made.axes["map"].set_axis_off()
    made.add("words", "text", "map", at=at, size=20.0)
    made.set("words", [3.0])
    seat = Seat(browser_page, Stage(made))
    shot = seat.page.locator(".tgl-picture").screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("L"))
    one, other = (np.argwhere(picture < 128) for picture in (seen, made.pixels()[:, :, 0]))
    assert len(one) > 20
    assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() < 5  # two fonts, one place


@pytest.mark.parametrize("wide", [500, 1000])
def test_it_takes_the_columns_width_and_keeps_its_shape(browser_page, wide):
    seat = Seat(browser_page, Stage(scene(), drag="start"), wide=wide)
    box = seat.page.locator(".tgl-picture").bounding_box()
    assert box["width"] == pytest.approx(min(wide, 800), abs=1)
    assert box["height"] == pytest.approx(box["width"] / 2, abs=1)
    over = seat.page.evaluate("document.querySelector('#cell').scrollWidth")
    assert over <= wide


def test_a_narrow_column_has_the_axes_below_each_other(browser_page):
    made = scene()
    stage = Stage(made, drag="start", seek="curve", revealed=True, start=PATH[0].tolist())
    seat = Seat(browser_page, stage, wide=300)
    box = seat.page.locator(".tgl-picture").bounding_box()
    spec = made.spec()
    cut = spec["axes"][1]["veil_box"][0]
    widest = max(cut, spec["width"] - cut)
    zoom = 300 / widest
    assert box["width"] == pytest.approx(300, abs=1)
    assert box["height"] == pytest.approx(zoom * 2 * spec["height"], abs=2)

    left, top, right, bottom = spec["axes"][0]["box"]
    handle = seat.page.locator(".tgl-start").bounding_box()
    x, y = PATH[0]
    at = [zoom * (left + x * (right - left)), zoom * (bottom - y * (bottom - top))]
    middle = [handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2]
    assert middle == pytest.approx([box["x"] + at[0], box["y"] + at[1]], abs=1.5)

    left, top, right, bottom = spec["axes"][1]["box"]
    place = box["x"] + zoom * ((left + right) / 2 - cut), box["y"] + zoom * (spec["height"] + top)
    seat.page.mouse.click(place[0], place[1] + zoom * (bottom - top) / 2)
    assert abs(int(seat.data()["frame"]) - 10) <= 1  # the middle of the curve, in the lower picture


def test_the_page_does_not_jump(seat):
    height = seat.page.evaluate("document.querySelector('#cell').offsetHeight")
    words = "A much longer sentence, which says at some length where the walk has ended, and how."
    seat.tell(sentence=words + words[:40], frame=3, revealed=True)
    assert seat.page.evaluate("document.querySelector('#cell').offsetHeight") == height
    seat.tell(sentence=3 * words)
    grown = seat.page.evaluate("document.querySelector('#cell').offsetHeight")
    seat.tell(sentence="It ends.")
    assert seat.page.evaluate("document.querySelector('#cell').offsetHeight") == grown > height


def test_numbers_are_said_as_python_says_them(seat):
    rng = np.random.default_rng(0)
    values = [0.0, 1e-4, 9.9999e-5, 0.1 + 0.2, -2.0, 999999.4, 1e6, 12345.678, 5e-324, 1.7e308]
    values += (rng.standard_normal(300) * 10.0 ** rng.integers(-12, 12, 300)).tolist()
    spoken = seat.page.evaluate("(values) => values.map(source.said)", values)
    assert spoken == [said(value) for value in values]
    assert seat.page.evaluate("source.said(NaN)") == said(float("nan"))


# Keys ---------------------------------------------------------------------------------------------


def test_keys_step_and_say_where(seat):
    seat.press("ArrowRight")  # the end rests there untouched: the first step starts over
    assert (seat.data()["frame"], seat.trait("frame"), seat.trait("revealed")) == ("1", 1, True)
    seat.press("ArrowRight")
    seat.press("ArrowLeft")
    assert seat.trait("frame") == 1
    seat.press("End")
    seat.press("ArrowRight")
    assert seat.trait("frame") == 20
    seat.press("Home")
    seat.press("ArrowLeft")
    assert seat.trait("frame") == 0
    assert seat.page.locator(".tgl-live").inner_text() == "step 0 loss 1. It ends."
    assert seat.page.locator(".tgl-readout").inner_text() == "0 / 20"


def test_no_key_of_ours_reaches_the_notebook(seat):
    for key in ("ArrowRight", "ArrowUp", " ", "r", "Home", "a"):
        seat.press(key)
    seat.press("ArrowRight", on=".tgl-scrub")
    assert seat.page.evaluate("window.outer") == []
    seat.press("Tab")
    assert seat.page.evaluate("window.outer") == ["Tab"]


def test_r_asks_for_a_reset(seat):
    seat.press("r")
    seat.page.locator(".tgl-reset").click()
    assert seat.trait("resets") == 2


def test_arrow_keys_move_the_start(seat):
    seat.press("ArrowUp", on=".tgl-start")
    assert seat.trait("start") == pytest.approx([0.1, 0.91])
    seat.press("Shift+ArrowRight", on=".tgl-start")
    assert seat.trait("start") == pytest.approx([0.2, 0.91])
    for _ in range(12):
        seat.press("Shift+ArrowRight", on=".tgl-start")
    assert seat.trait("start")[0] == 1.0  # the frame's rim
    assert "Start at 1, 0.91" in seat.page.locator(".tgl-start").get_attribute("aria-label")
    assert seat.trait("frame") == 20


def test_the_scrubber_takes_its_own_keys(seat):
    seat.press("ArrowLeft", on=".tgl-scrub")
    seat.press("ArrowLeft", on=".tgl-scrub")
    assert seat.trait("frame") == 18
    assert seat.page.locator(".tgl-scrub").get_attribute("aria-valuetext").startswith("step 18")


# Hands --------------------------------------------------------------------------------------------


def test_the_start_is_dragged_and_dropped(seat):
    mouse = seat.page.mouse
    mouse.move(*seat.place(*PATH[0]))
    mouse.down()
    assert seat.trait("dragging") is True
    mouse.move(*seat.place(0.5, 0.5), steps=5)
    assert seat.trait("start") == pytest.approx([0.5, 0.5], abs=0.01)
    mouse.move(*seat.place(3.0, -2.0))
    mouse.up()
    assert seat.trait("start") == [1.0, 0.0] and seat.trait("dragging") is False
    sent = seat.page.evaluate("window.model.sent.filter((s) => s.start).length")
    assert 3 <= sent <= 8


def test_a_press_on_the_map_puts_the_start_there(seat):
    seat.page.mouse.click(*seat.place(0.25, 0.75))
    assert seat.trait("start") == pytest.approx([0.25, 0.75], abs=0.01)


def test_the_kernels_start_does_not_pull_it_from_the_hand(seat):
    mouse = seat.page.mouse
    mouse.move(*seat.place(*PATH[0]))
    mouse.down()
    mouse.move(*seat.place(0.6, 0.6))
    held = seat.data()["start"]
    seat.tell(start=[0.2, 0.2])
    assert seat.data()["start"] == held
    mouse.up()
    seat.tell(start=[0.3, 0.3])
    assert seat.data()["start"] == "0.3 0.3"


def test_the_curve_is_run_along_once_it_is_revealed(seat):
    seat.page.mouse.click(*seat.place(8.2, 0.1, axes=1))
    assert seat.trait("frame") == 20  # behind its veil
    seat.press("Home")
    seat.page.mouse.click(*seat.place(8.2, 0.1, axes=1))
    assert seat.trait("frame") == 8
    assert seat.trait("start") == PATH[0].tolist()


def test_a_finger_can_scroll_the_page_past_the_map(seat):
    assert (
        seat.page.locator(".tgl-canvas").evaluate("(e) => getComputedStyle(e).touchAction")
        != "none"
    )
    assert (
        seat.page.locator(".tgl-start").evaluate("(e) => getComputedStyle(e).touchAction") == "none"
    )
    size = seat.page.locator(".tgl-start").bounding_box()
    assert min(size["width"], size["height"]) >= 24  # WCAG 2.2, target size


# Time ---------------------------------------------------------------------------------------------


def test_play_runs_to_the_end_and_says_so(seat):
    seat.tell(speed=60)
    seat.page.locator(".tgl-play").click()
    assert seat.trait("playing") is True and seat.data()["revealed"] == "true"
    assert seat.page.locator(".tgl-play").inner_text() == "Pause"
    seat.page.wait_for_function("window.model.state.playing === false", timeout=10_000)
    assert seat.trait("frame") == 20
    assert seat.page.locator(".tgl-live").inner_text().startswith("End. step 20 loss 0.00139")
    frames = seat.page.evaluate("window.model.sent.filter((s) => 'frame' in s).length")
    assert frames <= 2  # its beginning and its end, not every turn


def test_space_pauses_and_goes_on(seat):
    seat.tell(speed=10)
    seat.press(" ")
    seat.page.wait_for_function("document.querySelector('.tgl-stage').dataset.frame >= 2")
    seat.press(" ")
    frame = seat.trait("frame")
    assert 2 <= frame < 20 and seat.trait("playing") is False
    seat.press(" ")
    assert seat.trait("playing") is True and seat.trait("frame") == frame
    seat.press("ArrowLeft")
    assert seat.trait("playing") is False


def test_the_kernel_can_play_and_pause(seat):
    seat.tell(playing=True)
    assert seat.data()["playing"] == "true"
    seat.tell(playing=False)
    assert seat.data()["playing"] == "false"


def test_a_shorter_walk_does_not_leave_the_frame_outside(seat):
    short = Stage(scene())
    short.scene.set("walk", PATH[:5])
    short.scene.set("ball", PATH[:5])
    for name in ("curve", "words"):
        short.scene.set(name, LOSS[:5])
    short.scene.set("arrow", [])
    short.scene.set("whole", [])
    short.update()
    seat.tell(layers=short.layers, frames=short.frames)
    assert (seat.data()["frame"], seat.data()["frames"]) == ("4", "5")


def test_still_eyes_get_few_and_larger_steps(browser_page):
    browser_page.emulate_media(reduced_motion="reduce")
    try:
        seat = Seat(browser_page, Stage(scene(), speed=20.0, frame=20, seek="curve"))
        before = int(seat.data()["paints"])
        seat.page.locator(".tgl-play").click()
        seat.page.wait_for_function("window.model.state.playing === false", timeout=10_000)
        assert seat.trait("frame") == 20
        assert int(seat.data()["paints"]) - before <= 8  # 20 frames in steps of ten
    finally:
        browser_page.emulate_media(reduced_motion="no-preference")


# Life ---------------------------------------------------------------------------------------------


def test_older_news_do_not_move_a_hand_that_the_kernel_has_not_heard(seat):
    seat.tell(heard=seat.trait("turns"), frame=20)
    seat.press("ArrowLeft")
    seat.tell(frame=20)  # written before the step back had arrived
    assert seat.data()["frame"] == "19" and seat.trait("frame") == 19
    seat.tell(heard=seat.trait("turns"))
    seat.tell(frame=7)
    assert seat.data()["frame"] == "7"


def test_number_keys_go_to_parts_of_the_way_where_there_are_no_bands(seat):
    shown = []
    for key in "1234":
        seat.press(key)
        shown.append(seat.data()["frame"])
    assert shown == ["0", "7", "13", "20"]


@pytest.fixture
def strip(browser_page):
    """Two axes: a map, and below it a log axis of bands whose third kind is narrow."""
    figure = Figure(figsize=(8, 4))
    over, below = figure.subplots(2, 1)
    below.set(xscale="log", xlim=(0.001, 10), ylim=(0, 1))
    for ax in (over, below):
        ax.set_axis_off()
    made = Scene(figure, {"map": over, "strip": below})
    made.add("walk", "polyline", "map", follow=True)
    made.set("walk", np.column_stack([STEPS, STEPS]) / 20.0)
    made.add("bands", "bands", "strip", colors=["#56B4E9", "#009E73", "#E69F00"],
             words=["1 creeps", "2 converges", "3 bounces"], hatches=[-1, 0, 2])  # fmt: skip
    made.set("bands", [[0.001, 0.02, 0, 0.005], [0.02, 2.6, 1, np.nan], [2.6, 2.8, 2, 2.75],
                       [2.8, 10.0, 1, 4.567]])  # fmt: skip
    stage = Stage(made, bands="bands", dial=0.5, frame=20)
    yield Seat(browser_page, stage)
    assert browser_page.evaluate("window.errors") == []


def test_bands_have_their_colours_where_blitting_puts_them(strip):
    shot = strip.page.locator(".tgl-picture").screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    blitted = strip.stage.scene.pixels().astype(int)
    for color in ([86, 180, 233], [0, 158, 115], [230, 159, 0]):
        one, other = (np.argwhere((abs(p - color) < 12).all(axis=2)) for p in (seen, blitted))
        assert len(one) > 150 and 0.6 < len(one) / len(other) < 1.7  # hatches differ a little
        assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() < 4
        assert np.abs(one.min(axis=0) - other.min(axis=0)).max() < 4


def test_number_keys_go_to_the_mark_of_their_band(strip):
    for key, value in (("3", 2.75), ("2", 4.567), ("1", 0.005)):
        strip.press(key)
        assert strip.trait("dial") == pytest.approx(value)
    strip.press("4")  # nowhere here
    assert strip.trait("dial") == pytest.approx(0.005)
    assert strip.page.evaluate("window.outer") == []


def test_a_hand_runs_along_the_bands_and_halts_at_a_mark(strip):
    mouse = strip.page.mouse

    def spot(rate):  # the axis is logarithmic, over four decades
        return strip.place(0.001 + (np.log10(rate) + 3.0) / 4.0 * 9.999, 0.5, axes=1)

    mouse.move(*spot(0.1))
    mouse.down()
    assert strip.trait("dial") == pytest.approx(0.1, rel=0.02) and strip.trait("dragging")
    x, y = spot(2.75)
    mouse.move(x + 4, y)
    assert strip.trait("dial") == 2.75
    mouse.move(5000, y)
    assert strip.trait("dial") == 10.0
    mouse.up()
    assert not strip.trait("dragging")


def test_it_has_names_for_those_who_do_not_see_it(seat):
    page = seat.page
    assert page.get_by_role("group", name="A map").count() == 1
    for name in ("Play", "Step back", "Step", "Reset"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.get_by_role("slider", name="Step").count() == 1
    assert page.get_by_role("toolbar", name="Playback").count() == 1
    assert page.locator(".tgl-live").get_attribute("aria-live") == "polite"


def test_a_new_sentence_is_told_once_it_rests(seat):
    seat.tell(sentence="It bounces.")
    seat.tell(sentence="It diverges.")
    seat.page.wait_for_function(
        "document.querySelector('.tgl-live').textContent.endsWith('It diverges.')", timeout=5_000
    )


def test_it_leaves_nothing_behind(seat):
    seat.page.evaluate("window.leave()")
    assert seat.page.evaluate("Object.values(window.model.heard).flat().length") == 0
