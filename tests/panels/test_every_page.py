"""Every panel that can do without Python: small, opened from the disk, moved, and still right."""

import base64
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

import tinygrad_landscape as tl
from tests.browser.pages import Opened
from tinygrad_landscape.panels import (
    Backprop,
    Basins,
    Bridge,
    Descent,
    Fit,
    Flatness,
    Initialization,
    Losses,
    Monitor,
    Race,
    Ravine,
    Saddle,
    Sieve,
    Slice,
    TwinSurface,
    sieve,
)
from tinygrad_landscape.panels.pages import STATIC

MADE = {
    "hundred balls": lambda: Basins(balls=25, resolution=15, steps=40),
    "other balls": lambda: Basins(tl.formulas.himmelblau, balls=9, lr=0.02, resolution=15, steps=9),
    "lasso": lambda: Basins(preset="lasso", resolution=15),
    "other lasso": lambda: Basins(tl.formulas.himmelblau, preset="lasso", resolution=15),
    "schedule": lambda: Sieve(resolution=15, others=9, steps=80, peak=1.0),
    "descent of P4": lambda: Descent(tl.formulas.sine_neuron, resolution=15, steps=20),
    "saddle": lambda: Saddle(resolution=15, steps=60),
    "slice": lambda: Slice(*trained(), resolution=9),
    "twin": lambda: TwinSurface(
        tl.formulas.himmelblau, validation=tl.formulas.styblinski_tang, resolution=15, extent=4.0
    ),
    "rescale": lambda: Flatness(),
    "capacity": lambda: Flatness(preset="capacity"),
    "fit": lambda: Fit(),
    "compass": lambda: Ravine(resolution=15),
    "momentum": lambda: Ravine(preset="momentum", resolution=15, steps=50),
    "initialization": lambda: Initialization(),
    "losses": lambda: Losses(),
    "backprop": lambda: Backprop(),
    "race": lambda: Race(budget=8, resolution=15),
    "monitor": lambda: Monitor(*trained()),
    "film": lambda: Basins(preset="film", rates=4, side=7, steps=30, resolution=9),
    "trainability": lambda: Basins(preset="trainability", side=9, levels=2, steps=30),
    "bridge": lambda: Bridge(resolution=7),
}  # fmt: skip
WALKED = ("hundred balls", "lasso", "schedule", "descent of P4")


def trained():
    net = tl.Network(tl.Linear(1, 3), tl.Tanh(), tl.Linear(3, 1))
    land = tl.Landscape(net, tl.losses.mean_squared_error, tl.data.line(8, seed=0))
    return land, tl.descend(land, net.init(seed=0), tl.optim.Adam(0.05), 20)


@pytest.fixture(scope="module", params=MADE)
def made(request, tmp_path_factory):
    """A panel, its page, and what is baked in it."""
    panel = MADE[request.param]()
    path = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    panel.to_html(path)
    text = path.read_text(encoding="utf-8")
    return (
        request.param,
        panel,
        path,
        json.loads(re.search(r'id="baked">(.*?)</script>', text, re.S)[1]),
    )


def ends(baked):
    """The first, the middle and the last place of every control."""
    sizes = np.array([len(control["values"]) for control in baked["controls"]], int)
    return [(share * (sizes - 1)).astype(int).tolist() for share in (0.0, 0.5, 1.0)]


def at(baked, places):
    """The values of the controls at these places."""
    names = [control["name"] for control in baked["controls"]]
    values = [control["values"][k] for control, k in zip(baked["controls"], places, strict=True)]
    return dict(zip(names, values, strict=True))


def unpacked(baked, entry):
    """A layer of a state, read without pages.py."""
    size = {"f4": 4, "f8": 8}[baked["type"]]
    planes = np.frombuffer(zlib.decompress(base64.b64decode(baked["numbers"])), np.uint8)
    numbers = np.ascontiguousarray(planes.reshape(size, -1).T).tobytes()
    begins, *shape = entry
    rows = begins if isinstance(begins, list) else [begins]
    each = int(np.prod(shape)) // len(rows)
    parts = [np.frombuffer(numbers, f"<{baked['type']}", each, row) for row in rows]
    return np.concatenate(parts).reshape(shape)


def told(page, name):
    """Wait for what the page says only once it rests: the shares of a grid of starts."""
    page.settle()
    if name == "hundred balls":
        page.page.locator(".tgl-sentence", has_text="Of a grid of").wait_for()


def test_what_is_baked_is_what_the_panel_shows(made):
    name, panel, path, baked = made
    assert path.stat().st_size < 1e6
    assert (baked["live"] is not None) == (name in WALKED)
    if baked["live"] and baked["live"]["whole"]:
        return
    sizes = [len(control["values"]) for control in baked["controls"]]
    for places in ends(baked):
        panel.load(at(baked, places))
        state = baked["states"][int(np.ravel_multi_index(places, sizes)) if sizes else 0]
        assert (state["told"] or state["sentence"]) == panel.describe()
        assert state["sentence"] == panel.player.sentence
        assert baked["words"][state["honesty"]] == panel.player.honesty
        for layer in panel.player.scene.layers.values():
            close = 2e-3 if layer.kind == "heights" else 2e-5
            seen = unpacked(baked, state["layers"][layer.name])
            with np.errstate(over="ignore"):
                expected = layer.data.astype(np.float32)
            assert np.allclose(seen, expected, close, close**2, equal_nan=True), layer.name
    panel.reset()


@pytest.mark.browser
@pytest.mark.parametrize("made", ["slice"], indirect=True)
def test_what_stands_still_changes_with_the_plane(browser_page, made):
    _, panel, path, baked = made
    page = Opened(browser_page, path)
    for place, plane in enumerate(("two weights", "random", "walk")):
        page.slide(place, "plane")
        panel.load({"plane": plane})
        page.settle(50)
        url = browser_page.evaluate(
            """() => {
                const image = document.querySelector(".tgl-background");
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
                canvas.getContext("2d").drawImage(image, 0, 0);
                return canvas.toDataURL();
            }"""
        )
        pictures = base64.b64decode(url.split(",")[1]), panel.player.scene.background()
        seen, own = (np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in pictures)
        assert (seen == own).all()
    assert len(baked["grounds"]) == 3
    page.leave()
    panel.reset()


def test_what_the_page_cannot_walk_is_baked_in_fewer_states(tmp_path, monkeypatch):
    monkeypatch.setattr(sieve, "HOME", 9)
    panel = Sieve(tl.formulas.double_well, resolution=9, others=0, steps=10)
    panel.to_html(tmp_path / "page.html")
    offered = panel._baked()
    assert panel._live() is None and list(offered) == ["peak", "schedule"]
    assert len(offered["peak"]) < 5 and (tmp_path / "page.html").stat().st_size < 1e6


def test_a_batch_size_page_has_that_slider_first():
    panel = Sieve(preset="batch size", resolution=9, others=0, steps=10)
    assert list(panel._baked()) == ["batch", "peak", "schedule"]


@pytest.mark.browser
def test_it_is_moved_played_dragged_and_linked(browser_page, made):
    name, panel, path, baked = made
    page = Opened(browser_page, path)
    wide = browser_page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    rolls = name in ("hundred balls", "other balls")
    assert (page.data()["playing"] == "true") == rolls
    for places in ends(baked)[::-1]:
        for control, place in zip(baked["controls"], places, strict=True):
            page.slide(place, control["name"])
        told(page, name)
        panel.load(at(baked, places))
        assert page.sentence() == panel.player.sentence
    browser_page.locator(".tgl-reset").click()
    panel.reset()
    told(page, name)
    assert page.sentence() == panel.player.sentence

    if not rolls:
        browser_page.locator(".tgl-speed").select_option("10")
        browser_page.locator(".tgl-play").click()
    first = int(page.data()["frame"])
    page.settle(160)
    assert int(page.data()["frame"]) != first or page.data()["frames"] == "1"
    assert page.sentence() == panel.describe()  # some keep the answer to themselves until now
    if page.data()["playing"] == "true":
        browser_page.locator(".tgl-play").click()
    page.settle()

    if browser_page.locator(".tgl-start").is_visible():
        before = page.data()["start"]
        page.drag((60, -40))
        assert page.data()["start"] != before
    told(page, name)
    moment, shown = page.moment(), page.painted()
    again = page.again()
    told(again, name)
    assert again.moment() == moment and again.painted() == shown
    assert again.sentence() == page.sentence()
    page.leave()
    again.leave()


# Walks of the page --------------------------------------------------------------------------------


def walked(page, baked, values, hand, layers=()):
    """What the page's own code shows, layers as arrays."""
    kind = baked["live"]["kind"]
    names = ("paint.js", "live.js", f"live_{kind}.js")
    source = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
    page.goto("about:blank")
    state = page.evaluate(
        """async ([source, live, values, hand, home, packed]) => {
            const code = new Blob([source], { type: "text/javascript" });
            const { LIVE } = await import(URL.createObjectURL(code));
            for (const [name, list] of Object.entries(packed)) live[name] = Uint8Array.from(list);
            const { layers, later, ...rest } = LIVE[live.kind](live, values, hand, home);
            const told = later ? later(1e5) : {};
            const plain = Object.entries(layers).map(([name, { shape, data }]) =>
                [name, { shape, data: [...new Float64Array(data.buffer)].map(String) }]);
            return { ...rest, ...told, layers: Object.fromEntries(plain) };
        }""",
        [source, baked["live"], values, hand, {"start": baked["states"][0]["start"]},
         {name: list(zlib.decompress(base64.b64decode(text)))
          for name, text in baked["live"]["packed"].items()}],
    )  # fmt: skip
    state["layers"] = {
        name: np.array(layer["data"], float).reshape(layer["shape"])
        for name, layer in state["layers"].items()
    }
    return state


def agree(state, panel):
    """Every layer the page makes is the panel's own, to 1e-9; so is the sentence."""
    assert state["sentence"] == panel.describe()
    for name, layer in state["layers"].items():
        own = panel.player.scene.layers[name].data
        if own.size or layer.size:
            assert layer.shape == own.shape, name
            assert np.allclose(layer, own, 1e-9, 1e-9, equal_nan=True), name
    following = {layer.name for layer in panel.player.scene.layers.values() if layer.follow}
    assert following <= set(state["layers"])


@pytest.mark.browser
@pytest.mark.parametrize("made", ["hundred balls"], indirect=True)
@pytest.mark.parametrize(
    ("lr", "momentum", "seed", "start"),
    [(0.8, 0.0, 0, None), (0.2, 0.6, 3, (2.5, -3.5)), (2.0, 0.0, 1, (-3.0, 3.0))],
)
def test_the_pages_balls_are_numpys(browser_page, made, lr, momentum, seed, start):
    _, panel, _, baked = made
    values = {"lr": lr, "momentum": momentum, "seed": seed}
    panel.load(values | ({"start_x": start[0], "start_y": start[1]} if start else {}))
    agree(walked(browser_page, baked, values, {"start": start} if start else {}), panel)
    panel.reset()


@pytest.mark.browser
@pytest.mark.parametrize("made", ["schedule"], indirect=True)
@pytest.mark.parametrize(
    ("peak", "schedule", "batch", "start"),
    [(0.3, "restarts", 24, None), (1.0, "warm-up, cosine", 24, None),
     (0.3, "constant", 3, None), (0.2, "cosine to 0", 12, (1.0, 1.0)), (2.0, "constant", 1, None)],
)  # fmt: skip
def test_the_pages_sieve_is_numpys(browser_page, made, peak, schedule, batch, start):
    _, panel, _, baked = made
    values = {"peak": peak, "schedule": schedule, "batch": batch}
    panel.load(values | ({"start_x": start[0], "start_y": start[1]} if start else {}))
    state = walked(browser_page, baked, values, {"start": start} if start else {})
    agree(state, panel)
    assert state["honesty"] == panel.player.honesty
    panel.reset()


@pytest.mark.browser
@pytest.mark.parametrize("made", ["lasso"], indirect=True)
def test_the_pages_lasso_turns_as_numpys(browser_page, made):
    _, panel, _, baked = made
    agree(walked(browser_page, baked, {}, {}), panel)
    for corners in ([[-1, -1], [1, -1.5], [1.5, 1], [-0.5, 1.2]], [[-3, -3], [-3, 3], [2, 0.5]]):
        panel.load({"corners": ", ".join(f"{x} {y}" for x, y in corners)})
        agree(walked(browser_page, baked, {}, {"loop": corners}), panel)
    panel.reset()


@pytest.mark.browser
@pytest.mark.parametrize("made", ["lasso"], indirect=True)
def test_a_loop_is_drawn_in_the_page_and_counted_there(browser_page, made):
    _, panel, path, _ = made
    page = Opened(browser_page, path)
    box = browser_page.locator(".tgl-picture").bounding_box()
    middle = np.array([box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"]])
    angles = np.linspace(0.0, 2 * np.pi, 40)
    way = middle + 60 * np.column_stack([np.cos(angles), np.sin(angles)])
    browser_page.mouse.move(*way[0])
    browser_page.mouse.down()
    for place in way[1:]:
        browser_page.mouse.move(*place)
    browser_page.mouse.up()
    moment = page.moment()
    numbers = np.array(re.fullmatch(r"#loop=([-\d.,]+)", moment)[1].split(","), float)
    assert len(numbers) <= 2 * 24
    panel.load({"corners": ", ".join(f"{x} {y}" for x, y in numbers.reshape(-1, 2).tolist())})
    assert page.sentence() == panel.describe()
    assert page.again().sentence() == panel.describe()
    page.leave()
    panel.reset()
