"""Pages without a kernel: small, alone, made of the notebook's own stage, and honest numbers."""

import base64
import json
import re
import zlib
from urllib.parse import quote

import numpy as np
import pytest

import tinygrad_landscape as tl
from tests.browser.pages import Opened
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Descent, pages, use
from tinygrad_landscape.panels.pages import SCRIPTS, STATIC
from tinygrad_landscape.panels.panel import Panel

P1, P2, P3, P4 = (
    getattr(tl.formulas, name) for name in ("three_valleys", "one_neuron", "sieve", "sine_neuron")
)


@pytest.fixture(scope="module")
def panel():
    return Descent(resolution=31)


@pytest.fixture(scope="module")
def path(panel, tmp_path_factory):
    panel.reset()
    path = tmp_path_factory.mktemp("pages") / "descent.html"
    panel.to_html(path)
    return path


@pytest.fixture(scope="module")
def text(path):
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def baked(text):
    return json.loads(re.search(r'<script[^>]* id="baked">(.*?)</script>', text, re.S)[1])


def layer(baked, index, name):
    """A layer of one state, unpacked without pages.py."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(baked["numbers"])), np.uint8)
    numbers = np.ascontiguousarray(planes.reshape(4, -1).T).tobytes()
    start, *shape = baked["states"][index]["layers"][name]
    return np.frombuffer(numbers, "<f4", int(np.prod(shape)), start).reshape(shape)


def small(**settings):
    return Descent(resolution=11, steps=10, lr_range=(0.1, 1.0), **settings)


# What is in the file ------------------------------------------------------------------------------


def test_it_is_one_small_file_that_asks_for_nothing(text):
    assert len(text.encode()) < 1e6
    addresses = set(re.findall(r"[a-z]+://[^\s\"'`<]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert "default-src 'none'" in text
    assert not re.search(r"<(link|img|iframe)\b|\bsrc=|@import|url\(", text)


def test_it_plays_with_the_notebooks_own_code(text):
    for name in (*SCRIPTS, "live.js", "live_descent.js", "stage.css"):
        assert (STATIC / name).read_text(encoding="utf-8") in text
    assert "@@" not in text


def test_every_setting_is_what_the_panel_shows(baked, panel):
    (control,) = baked["controls"]
    values = control["values"]
    assert (control["name"], values[0], values[-1]) == ("lr", 0.001, 10.0)
    assert len(baked["states"]) == len(values) > 90
    try:
        for index in (0, values.index(0.5), 90, len(values) - 1):
            panel.controls["lr"].value = values[index]
            state = baked["states"][index]
            assert state["sentence"] == panel.describe()
            assert state["frames"] == 201
            curve = np.column_stack([panel.walk.steps, panel.walk.losses])
            assert np.allclose(layer(baked, index, "walk")[:, 0], panel.walk.points, 2e-5, 1e-12)
            assert np.allclose(layer(baked, index, "curve")[:, 0], curve, 2e-5, equal_nan=True)
    finally:
        panel.reset()


def test_equal_numbers_lie_there_once(baked):
    places = baked["states"][0]["layers"]
    assert places["walk"] == places["ball"] and places["curve"] == places["cursor"]


def test_it_opens_on_what_is_shown_and_leaves_the_panel_there(tmp_path):
    panel = small()
    panel.controls["lr"].value = 0.123
    panel.seek(4)
    state, code = panel.state, panel.code
    panel.to_html(tmp_path / "page.html")
    assert (panel.state, panel.code, panel.player.resting) == (state, code, False)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    baked = json.loads(re.search(r'id="baked">(.*?)</script>', text, re.S)[1])
    (chosen,) = baked["opening"]["chosen"]
    assert baked["controls"][0]["values"][chosen] == 0.123 and baked["opening"]["frame"] == 4


@pytest.mark.parametrize("style", ["dark", "projector"])
def test_it_keeps_the_style(style, tmp_path):
    panel = small(style=style)
    panel.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    look = panel.player.scene.style
    assert f"html {{ background: {look.paper}; color: {look.ink}; }}" in text
    assert f"calc(14px * {look.scale})" in text


def test_the_image_players_panel_gives_a_page_too(tmp_path):
    use("image")
    try:
        panel = small()
    finally:
        use("auto")
    panel.to_html(tmp_path / "page.html")
    assert '"drag":"start"' in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_cannot_be_written_says_so_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("older")
    with monkeypatch.context() as unbaked:
        unbaked.setattr(Descent, "_baked", Panel._baked)
        with pytest.raises(ParameterError, match="Descent panel needs Python"):
            small().to_html(path)
    monkeypatch.setattr(pages, "LIMIT", 50_000)
    with pytest.raises(ParameterError, match="more than 1"):
        small().to_html(path)
    monkeypatch.setattr(pages.os, "replace", lambda *_: 1 / 0)
    monkeypatch.setattr(pages, "LIMIT", 1_000_000)
    with pytest.raises(ZeroDivisionError):
        small().to_html(path)
    assert path.read_text() == "older" and list(tmp_path.iterdir()) == [path]


def test_only_a_network_the_page_knows_is_walked_there():
    whole = tl.Plane.whole(("w1", "w2"))
    assert all(pages.live("descent", known, whole, 9)["steps"] == 9 for known in (P1, P2, P3, P4))
    assert pages.live("descent", tl.formulas.himmelblau, whole, 9) is None
    assert pages.live("descent", P2, tl.Plane.two_weights([1.0, 1.0], 0, 1), 9) is None
    heavy = small(optimizer=lambda lr: tl.optim.SGD(lr, momentum=0.9))
    assert heavy._live() is None


# In a browser -------------------------------------------------------------------------------------


@pytest.fixture
def opened(browser_page, path):
    made = Opened(browser_page, path)
    yield made
    made.leave()


@pytest.mark.browser
def test_it_plays_steps_scrubs_and_resets_from_the_disk(opened):
    page = opened.page
    assert opened.data()["frame"] == "200" and opened.data()["revealed"] == "false"
    assert page.evaluate("document.querySelector('.tgl-background').naturalWidth") == 2000
    page.keyboard.press("ArrowRight")  # nothing has the focus: the picture hears it
    assert opened.moment() == "#frame=1"
    page.locator(".tgl-forward").click()
    page.locator(".tgl-forward").click()
    page.locator(".tgl-back").click()
    assert opened.moment() == "#frame=2"
    page.locator(".tgl-scrub").fill("17")
    assert opened.moment() == "#frame=17"
    page.locator(".tgl-speed").select_option("60")
    page.locator(".tgl-play").click()
    while int(opened.data()["frame"]) <= 25:
        opened.settle(20)
    page.keyboard.press(" ")  # on the button, which is Pause now
    opened.settle()  # the picture tells its frame when it is painted, the address at once
    frame = int(opened.data()["frame"])
    assert 25 < frame < 200 and opened.data()["playing"] == "false"
    assert opened.moment() == f"#frame={frame}"
    page.locator(".tgl-reset").click()
    assert opened.moment() == ""
    assert opened.data()["frame"] == "200" and opened.data()["revealed"] == "false"


@pytest.mark.browser
def test_number_keys_go_to_the_telling_rates(opened, panel):
    for key, word in zip("1234", ("creeps", "converges", "bounces", "diverges"), strict=True):
        opened.page.keyboard.press(key)
        assert opened.moment() == f"#lr={panel.rates[word]:g}"
        assert f" {word}: " in opened.sentence()


@pytest.mark.browser
def test_the_slider_brings_the_panels_own_answers(opened, baked):
    values = baked["controls"][0]["values"]
    label = opened.page.get_by_role("slider", name="learning rate")
    for index in (0, 50, len(values) - 1):
        opened.slide(index)
        assert opened.sentence() == baked["states"][index]["sentence"]
        assert opened.moment() == f"#lr={values[index]:g}"
        step, loss = layer(baked, index, "readout")[-1, 0]
        shown = opened.page.locator(".tgl-scrub").get_attribute("aria-valuetext")
        assert shown == f"step {said(float(step))}   loss {said(float(loss))}"
    assert label.get_attribute("aria-valuetext") == "10"
    label.focus()
    opened.page.keyboard.press("ArrowLeft")
    assert opened.moment() == f"#lr={values[-2]:g}"
    assert opened.data()["frame"] == "200"  # it was the slider's key, not the picture's


@pytest.mark.browser
def test_a_link_opens_its_moment_and_another_address_goes_there(opened, path, baked):
    opened.leave()
    linked = Opened(opened.page, path, "#lr=2.75&frame=30")
    assert "bounces" in linked.sentence() and linked.data()["frame"] == "30"
    assert linked.data()["revealed"] == "true"
    for moment in ("#lr=banana&frame=-3&start=0", "#frame=1e9", quote("#lr=~&"), "#"):
        linked.page.evaluate("(moment) => { location.hash = moment; }", moment)
        linked.settle(50)
        assert linked.data()["frame"] == "200"
        assert linked.sentence() == baked["states"][baked["opening"]["chosen"][0]]["sentence"]
    linked.leave()


@pytest.mark.browser
def test_a_dragged_start_is_walked_from_in_the_page(opened):
    page = opened.page
    handle = page.locator(".tgl-start").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(200, 300, steps=5)
    page.mouse.up()
    start = [float(x) for x in opened.data()["start"].split()]
    assert start != [0.3, 0.2]
    walk = tl.descend(P2, start, tl.optim.SGD(0.5), steps=200)
    assert f"the loss has gone from {walk.losses[0]:.3g} to " in opened.sentence()
    assert opened.moment() == f"#start={start[0]:g},{start[1]:g}"
    picture = opened.painted()
    again = opened.again()
    assert again.data()["start"] == f"{start[0]:g} {start[1]:g}"
    assert again.painted() == picture
    again.page.locator(".tgl-reset").click()
    assert again.data()["start"] == "0.3 0.2"
    again.leave()


@pytest.mark.browser
def test_several_controls_span_a_grid(browser_page, tmp_path, monkeypatch):
    grid = {"lr": [0.1, 0.5, 1.0], "start_x": [-1.0, 0.3], "all_weights": [False, True]}
    monkeypatch.setattr(Descent, "_baked", lambda self: grid)
    panel = small()
    panel.to_html(tmp_path / "page.html")
    page = Opened(browser_page, tmp_path / "page.html")
    browser_page.locator(".tgl-fold summary").click()
    browser_page.locator("[data-name=start_x]").fill("0")
    browser_page.locator("[data-name=all_weights]").select_option("yes")
    browser_page.locator("[data-name=lr]").fill("2")
    panel.load({"lr": 1.0, "start_x": -1.0, "all_weights": True})
    assert page.sentence() == panel.describe()
    assert page.moment() == "#lr=1&start_x=-1&all_weights=true"
    again = page.again()
    assert again.sentence() == panel.describe()
    page.leave()
    again.leave()


@pytest.mark.browser
def test_it_is_embedded_in_another_page(browser_page, path, tmp_path):
    host = tmp_path / "host.html"
    host.write_text(f'<iframe src="{path.as_uri()}#lr=3&frame=5" width=400 height=400></iframe>')
    browser_page.goto(host.as_uri())
    inside = browser_page.frame_locator("iframe")
    inside.locator("html[data-ready]").wait_for()
    assert "diverges" in inside.locator(".tgl-sentence").inner_text()
    wide = inside.locator("html").evaluate("(e) => [e.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("landscape", "start", "lr"),
    [(P1, (-1.0, 1.0), 0.8), (P1, (1.0, -1.2), 0.8), (P2, (0.3, 0.2), 0.5), (P2, (0.3, 0.2), 2.7),
     (P2, (0.3, 0.2), 3.0), (P3, (0.25, 2.82), 0.3), (P3, (0.25, 2.82), 1.0),
     (P4, (0.1, 0.3), 0.4), (P4, (-3.0, 2.0), 0.4)],
)  # fmt: skip
def test_the_pages_walks_are_numpys(browser_page, landscape, start, lr):
    ground = pages.live("descent", landscape, tl.Plane.whole(landscape.names), 200)
    names = ("paint.js", "live.js")
    source = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
    browser_page.goto("about:blank")
    walked = browser_page.evaluate(
        """async ([source, ground, start, lr]) => {
            const code = new Blob([source], { type: "text/javascript" });
            const { descend } = await import(URL.createObjectURL(code));
            const { points, losses, fell } = descend(ground, start, lr);
            return { points: [...points], losses: [...losses], fell };
        }""",
        [source, ground, list(start), lr],
    )
    walk = tl.descend(landscape, start, tl.optim.SGD(lr), steps=200)
    assert walked["fell"] == int(walk.diverged_at)
    finite = np.isfinite(walk.losses)
    losses = np.array(walked["losses"], float)
    assert (np.isfinite(losses) == finite).all()
    assert np.allclose(np.reshape(walked["points"], (-1, 2)), walk.points, 1e-9, 1e-9)
    assert np.allclose(losses[finite], walk.losses[finite], 1e-9, 1e-9)
