"""The 3-D view in a real Chromium with software GL, on a bare page with a model of a few lines."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.bare import packed, seated, settled
from tests.draw.ground import walk
from tinygrad_landscape.panels.surface3d import Surface3d
from tinygrad_landscape.surveying import Plane, Surface

pytestmark = pytest.mark.browser

A = np.linspace(-1.0, 1.0, 41)
RIDGE = Surface(
    A, A, {"loss": np.exp(-((A[:, None] / 0.25) ** 2)) + 0.0 * A[None, :]}, Plane.whole()
)
STEPS = np.linspace(0.9, -0.9, 31)
BESIDE = walk(np.column_stack([0.0 * STEPS + 0.7, STEPS]), 0.0 * STEPS)  # right of the ridge

BESIDE_STAGE = """
window.stage = new Model({ frame: 4, playing: false, speed: 20 });
if (model.state.player) model.state.player = "IPY_MODEL_stage";
model.widget_manager = { get_model: async (id) => (id === "stage" ? window.stage : null) };
"""
BLIND = """
HTMLCanvasElement.prototype.getContext = ((real) => function (kind, ...rest) {
  return kind === "webgl2" ? null : real.call(this, kind, ...rest);
})(HTMLCanvasElement.prototype.getContext);
"""


class Seat:
    """A 3-D view on the page, and hands on it."""

    def __init__(self, page, view, wide=480, blind=False, player=False):
        self.page = page
        before = BESIDE_STAGE + (BLIND if blind else "")
        tall = "body { height: 3000px }"
        seated(page, view, wide, before, tall, **({"player": True} if player else {}))
        self.root, self.hills = page.locator(".tgl-surface3d"), page.locator(".tgl-hills")

    def settle(self):
        settled(self.page)

    def data(self, name):
        return self.root.get_attribute(f"data-{name}")

    @property
    def camera(self):
        return [float(each) for each in self.data("camera").split()]

    def tell(self, **changes):
        self.page.evaluate("(changes) => tell(model, changes)", packed(changes))
        self.settle()

    def sent(self):
        return self.page.evaluate("model.sent.splice(0)")

    def pixels(self):
        data = self.hills.screenshot()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def drag(self, dx, dy, steps=8):
        box = self.hills.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=steps)
        self.settle()
        before = self.sent()
        self.page.mouse.up()
        self.settle()
        return before

    def errors(self):
        return self.page.evaluate("window.errors")


@pytest.fixture
def seat(browser_page):
    made = Seat(browser_page, Surface3d(RIDGE, BESIDE))
    assert made.data("mode") == "webgl", "software GL is missing in this browser"
    yield made
    assert made.errors() == []


@pytest.fixture(params=["webgl", "canvas"])
def painted(request, browser_page):
    """Once by each painter."""
    made = Seat(browser_page, Surface3d(RIDGE, BESIDE), blind=request.param == "canvas")
    assert made.data("mode") == request.param, "software GL is missing in this browser"
    yield made
    assert made.errors() == []


def near(pixels, color, far=40):
    """How many pixels are about `color`."""
    return int((np.abs(pixels - np.array(color)).max(axis=-1) < far).sum())


ORANGE = (213, 94, 0)


# Painting -----------------------------------------------------------------------------------------


def test_hills_have_the_colours_of_the_map(painted):
    pixels = painted.pixels()
    assert near(pixels, (68, 1, 84)) > 500  # the low ground, viridis' darkest
    assert near(pixels, (253, 231, 37), 60) > 50  # the crest
    assert near(pixels[:5], (255, 255, 255)) > 0.9 * pixels[:5, :, 0].size


def test_a_hill_hides_the_ball(painted):
    seen, hidden = [], []
    for turn, found in ((0, seen), (180, hidden)):
        painted.tell(camera=[turn, 15, 1])
        found.append(near(painted.pixels(), ORANGE))
    assert seen[0] > 60 and hidden[0] < 0.3 * seen[0]


def test_the_frame_moves_the_ball(painted):
    places = []
    painted.tell(camera=[0, 40, 1])
    for frame in (0, 30):
        painted.tell(frame=frame)
        assert painted.data("frame") == str(frame)
        mask = np.abs(painted.pixels() - np.array(ORANGE)).max(axis=-1) < 40
        places.append(np.argwhere(mask).mean(axis=0))
    assert abs(places[1][1] - places[0][1]) > 100  # from one side of the picture to the other


def test_the_walk_grows_with_the_frame(painted):
    painted.tell(camera=[0, 60, 1])
    white = []
    for frame in (1, 15, 30):
        painted.tell(frame=frame)
        white.append(painted.pixels())
    changed = [(np.abs(p - white[0]).max(axis=-1) > 60).sum() for p in white]
    assert 0 == changed[0] < changed[1] < changed[2]


def test_unknown_ground_is_a_hole(browser_page):
    loss = np.array(RIDGE.loss)
    loss[25:35, 15:26] = np.nan
    holed = Surface(A, A, {"loss": loss}, Plane.whole())
    places = []
    for surface in (RIDGE, holed):
        seat = Seat(browser_page, Surface3d(surface))
        seat.tell(camera=[0, 50, 1])
        places.append(near(seat.pixels(), (68, 1, 84)))
    assert places[1] < 0.9 * places[0]


def test_new_hills_replace_the_old_ones(painted):
    before = painted.pixels()
    flat = Surface(A, A, {"loss": RIDGE.loss.T.copy()}, Plane.whole())
    painted.tell(grid=Surface3d(flat).grid)
    assert (np.abs(painted.pixels() - before).max(axis=-1) > 40).mean() > 0.05


def test_it_is_as_sharp_as_the_screen(browser_page):
    context = browser_page.context.browser.new_context(device_scale_factor=2)
    page = context.new_page()
    seat = Seat(page, Surface3d(RIDGE, BESIDE), wide=400)
    sizes = page.evaluate(
        "[...document.querySelectorAll('canvas')].map((c) => [c.width, c.height])"
    )
    assert sizes == [[800, 667], [800, 667]] and seat.errors() == []
    context.close()


def test_it_follows_the_width_of_the_column(painted):
    painted.page.evaluate("document.querySelector('#cell').style.width = '300px'")
    painted.page.wait_for_function("document.querySelector('.tgl-ground').width === 300")
    assert painted.pixels().shape[1] == 300


def test_nothing_is_painted_when_nothing_changes(seat):
    before = seat.data("paints")
    seat.page.wait_for_timeout(200)
    assert seat.data("paints") == before


def test_after_a_quick_turn_it_rests_in_full_quality(seat):
    seat.page.evaluate("document.querySelector('.tgl-hills').setPointerCapture = () => {}")
    for _ in range(4):
        seat.drag(30, 0)
    seat.page.wait_for_timeout(250)
    seat.settle()
    assert seat.data("fine") == "true"
    assert seat.page.evaluate("document.querySelector('.tgl-ground').width") == 480


def test_a_lost_context_comes_back(seat):
    before = seat.pixels()
    seat.page.evaluate(
        """async () => {
        const canvas = document.querySelector(".tgl-ground");
        const lose = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
        const heard = (name) => new Promise((done) => canvas.addEventListener(name, done));
        const [lost, back] = [heard("webglcontextlost"), heard("webglcontextrestored")];
        lose.loseContext(); await lost;
        setTimeout(() => lose.restoreContext(), 50); await back;
    }"""
    )
    seat.settle()
    assert (np.abs(seat.pixels() - before).max(axis=-1) > 40).mean() < 0.01


# Hands --------------------------------------------------------------------------------------------


def test_dragging_turns_and_is_saved_on_release_only(seat):
    before = seat.camera
    assert seat.drag(96, 48) == []
    assert np.allclose(seat.camera, [(before[0] - 40) % 360, before[1] + 20, 1.0], atol=1.0)
    (saved,) = [each for each in seat.sent() if "camera" in each]
    assert np.allclose(saved["camera"], seat.camera, atol=0.01)
    assert "Seen from" in seat.page.locator(".tgl-live").inner_text()


def test_the_camera_stays_above_the_ground(seat):
    seat.drag(0, -300)
    assert seat.camera[1] == 3
    seat.drag(0, 300)
    seat.drag(0, 300)
    assert seat.camera[1] == 90
    assert near(seat.pixels(), (68, 1, 84)) > 500


@pytest.mark.parametrize(
    "key, change",
    [
        ("ArrowLeft", [-6, 0, 1]),
        ("ArrowRight", [6, 0, 1]),
        ("ArrowUp", [0, 6, 1]),
        ("ArrowDown", [0, -6, 1]),
        ("Shift+ArrowLeft", [-1, 0, 1]),
        ("+", [0, 0, 1.15]),
        ("-", [0, 0, 1 / 1.15]),
    ],
)
def test_keys_turn_and_zoom_and_go_no_further(seat, key, change):
    seat.hills.focus()
    before = seat.camera
    seat.page.keyboard.press(key)
    seat.settle()
    expected = [(before[0] + change[0]) % 360, before[1] + change[1], before[2] * change[2]]
    assert np.allclose(seat.camera, expected, atol=0.02)
    assert [k for k in seat.page.evaluate("window.outer") if k != "Shift"] == []
    assert seat.page.evaluate("window.scrollY") == 0


@pytest.mark.parametrize("way", ["r", "button", "double click"])
def test_the_view_can_be_reset(seat, way):
    seat.tell(camera=[200, 70, 3])
    if way == "r":
        seat.hills.focus()
        seat.page.keyboard.press("r")
    elif way == "button":
        seat.page.locator(".tgl-home").click()
    else:
        seat.hills.dblclick()
    seat.page.wait_for_function("model.get('camera').join() === model.get('home').join()")
    seat.settle()
    assert np.allclose(seat.camera, [(RIDGE_HOME[0]) % 360, *RIDGE_HOME[1:]], atol=0.02)


RIDGE_HOME = Surface3d(RIDGE, BESIDE).home


def test_motion_is_spared_to_those_who_ask(browser_page):
    browser_page.emulate_media(reduced_motion="reduce")
    seat = Seat(browser_page, Surface3d(RIDGE, BESIDE))
    seat.tell(camera=[200, 70, 3])
    paints = int(seat.data("paints"))
    seat.page.locator(".tgl-home").click()
    seat.settle()
    assert int(seat.data("paints")) - paints == 1  # at once, no flight
    browser_page.emulate_media(reduced_motion="no-preference")


def test_the_wheel_scrolls_the_page_until_the_picture_was_chosen(seat):
    box = seat.hills.bounding_box()
    seat.page.mouse.move(box["x"] + 100, box["y"] + 100)
    seat.page.mouse.wheel(0, 200)
    seat.page.wait_for_function("window.scrollY > 0")
    assert seat.camera[2] == 1
    seat.page.evaluate("window.scrollTo(0, 0)")
    seat.page.wait_for_function("window.scrollY === 0")
    seat.hills.focus()
    seat.page.mouse.wheel(0, -200)
    seat.page.wait_for_function("model.get('camera')[2] > 1.2")
    assert seat.page.evaluate("window.scrollY") == 0


def test_two_fingers_zoom(seat):
    seat.page.evaluate(
        """() => {
        const hills = document.querySelector(".tgl-hills"), box = hills.getBoundingClientRect();
        hills.setPointerCapture = () => {};
        const touch = (kind, id, x) => hills.dispatchEvent(new PointerEvent(kind, {
            pointerId: id, pointerType: "touch", button: kind === "pointermove" ? -1 : 0,
            clientX: box.x + x, clientY: box.y + 100, bubbles: true, cancelable: true }));
        touch("pointerdown", 1, 150); touch("pointerdown", 2, 250);
        touch("pointermove", 1, 100); touch("pointermove", 2, 300);
        touch("pointerup", 1, 100); touch("pointerup", 2, 300);
    }"""
    )
    seat.settle()
    assert np.isclose(seat.camera[2], 2.0, atol=0.02)
    assert np.isclose(seat.camera[0], RIDGE_HOME[0] % 360, atol=0.02)


# Time ---------------------------------------------------------------------------------------------


def test_alone_space_plays_to_the_end_and_says_so(seat):
    seat.tell(speed=60.0)
    seat.hills.focus()
    seat.page.keyboard.press("Space")
    seat.page.wait_for_function("model.get('playing') === false && model.sent.length > 1")
    seat.settle()
    assert seat.data("frame") == "30" and seat.page.evaluate("model.get('frame')") == 30


def test_beside_a_stage_it_keeps_step(browser_page):
    seat = Seat(browser_page, Surface3d(RIDGE, BESIDE), player=True)
    assert seat.data("frame") == "4"
    seat.page.evaluate("tell(stage, {frame: 9})")
    seat.settle()
    assert seat.data("frame") == "9"
    seat.page.evaluate("tell(stage, {playing: true})")
    seat.page.wait_for_function("document.querySelector('.tgl-surface3d').dataset.frame > 12")
    seat.page.evaluate("tell(stage, {playing: false}); tell(stage, {frame: 14})")
    seat.settle()
    assert (seat.data("frame"), seat.data("playing")) == ("14", "false")
    seat.hills.focus()
    seat.page.keyboard.press("Space")
    assert seat.page.evaluate("stage.sent") == [{"playing": True}]
    assert not any("frame" in each for each in seat.sent())
    assert seat.errors() == []


def test_leaving_lets_go_of_everything(seat):
    seat.page.evaluate("leave()")
    seat.page.evaluate("tell(model, {camera: [1, 2, 3]}); tell(model, {frame: 3})")
    left = seat.page.evaluate("Object.values(model.heard).flat().length")
    assert left == 0


# Words --------------------------------------------------------------------------------------------


def test_it_has_a_name_and_says_its_keys(seat):
    name = seat.hills.get_attribute("aria-label")
    assert name.startswith("Loss as hills over x and y.") and "Arrow keys turn" in name
    for button in (".tgl-nearer", ".tgl-farther", ".tgl-home"):
        assert seat.page.locator(button).get_attribute("aria-label")
    assert "Plane through 2 weights" in seat.page.locator(".tgl-honesty").inner_text()
