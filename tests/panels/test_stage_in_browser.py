"""stage.js in a real Chromium, on a bare page with a model of a few lines: no Jupyter, no kernel.

The page's model records what the stage writes, as a notebook's would; `page.tell` sets traits as
the kernel would.
"""

import base64
import io
import os

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.browser.lab import browsing, chromium
from tinygrad_landscape.draw import Scene
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.panels.stage import Stage

pytestmark = pytest.mark.browser

STEPS = np.arange(21.0)
PATH = np.column_stack([0.1 + 0.04 * STEPS, 0.9 - 0.03 * STEPS + 0.05 * np.sin(STEPS)])
LOSS = np.column_stack([STEPS, 10.0 ** (-STEPS / 7)])

MODEL = """
class Model {
  constructor(state) { this.state = state; this.heard = {}; this.sent = []; this.changed = {}; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = this.changed[name] = value;
    for (const react of this.heard[`change:${name}`] || []) react();
  }
  save_changes() { this.sent.push(this.changed); this.changed = {}; }
  on(name, react) { (this.heard[name] ||= []).push(react); }
  off(name, react) { this.heard[name] = (this.heard[name] || []).filter((r) => r !== react); }
}
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const unpack = (state) => {
  if (state.background) state.background = bytes(state.background);
  for (const layer of Object.values(state.layers || {})) layer.data = bytes(layer.data);
  return state;
};
window.errors = [];
window.addEventListener("error", (e) => window.errors.push(e.message));
const stage = await import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" })));
window.said = stage.said;
window.outer = [];
document.addEventListener("keydown", (e) => window.outer.push(e.key));
window.model = new Model(unpack(STATE));
window.tell = (changes) => {
  unpack(changes);
  Object.assign(window.model.state, changes);
  for (const name of Object.keys(changes)) {
    for (const react of model.heard[`change:${name}`] || []) react();
  }
};
window.leave = stage.default.render({ model: window.model, el: document.querySelector("#cell") });
window.ready = true;
"""


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


def packed(state):
    """A stage's state as JSON, its bytes in base64."""
    text = lambda data: base64.b64encode(bytes(data)).decode()  # noqa: E731
    state = {name: value for name, value in state.items() if not name.startswith("_")}
    state.pop("layout", None)
    if "background" in state:
        state["background"] = text(state["background"])
    if "layers" in state:
        state["layers"] = {
            name: layer | {"data": text(layer["data"])} for name, layer in state["layers"].items()
        }
    return state


@pytest.fixture(scope="module")
def browser_page():
    missing = chromium() is None and "no Chromium found"
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing = "playwright is not installed"
    if missing and (os.environ.get("CI") or os.environ.get("TGL_REQUIRE_BROWSER")):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    with browsing(1000, 800) as page:
        yield page


class Seat:
    """A stage on the page, and hands on it."""

    def __init__(self, page, stage, wide=800):
        import json

        self.page, self.stage = page, stage
        page.goto("about:blank")
        page.set_content(
            f'<style>{Stage._css}</style><div id="cell" style="width:{wide}px"></div>'
            f"<script type=module>const SOURCE = {json.dumps(Stage._esm)};"
            f"const STATE = {json.dumps(packed(stage.get_state()))};{MODEL}</script>".replace(
                "</body", "<\\/body"
            )
        )
        page.wait_for_function("window.ready")
        page.wait_for_function("document.querySelector('.tgl-background').complete")
        self.settle()

    def settle(self):
        self.page.evaluate(
            "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )

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
        self.page.evaluate("(changes) => window.tell(changes)", packed(changes))
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


def test_numbers_are_said_as_python_says_them(seat):
    rng = np.random.default_rng(0)
    values = [0.0, 1e-4, 9.9999e-5, 0.1 + 0.2, -2.0, 999999.4, 1e6, 12345.678, 5e-324, 1.7e308]
    values += (rng.standard_normal(300) * 10.0 ** rng.integers(-12, 12, 300)).tolist()
    spoken = seat.page.evaluate("(values) => values.map(window.said)", values)
    assert spoken == [said(value) for value in values]
    assert seat.page.evaluate("window.said(NaN)") == said(float("nan"))


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
