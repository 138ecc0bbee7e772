"""The page of a film in a real Chromium with the network off: it plays, steps and looks right."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.draw.test_film import looks, scene

pytestmark = pytest.mark.browser


@pytest.fixture
def film(browser_page, tmp_path):
    """The page of a scene with every kind of layer, and what it complained of."""
    made = scene(("heights", "polyline", "curve", "arrow", "ball", "text"))
    made.save(tmp_path / "film.html", fps=30)
    complaints = []
    browser_page.on("console", lambda message: complaints.append(message.text))
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.goto((tmp_path / "film.html").as_uri())
    browser_page.wait_for_function("document.querySelector('img').complete")
    yield browser_page, made
    assert complaints == []


def frame(page):
    return int(page.evaluate("document.body.dataset.frame"))


def test_it_opens_at_the_end_and_steps_by_keys(film):
    page, _ = film
    assert frame(page) == 5
    page.locator(".picture").focus()
    for key, expected in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1),
                          ("ArrowLeft", 0), ("ArrowLeft", 0), ("End", 5)):  # fmt: skip
        page.keyboard.press(key)
        assert frame(page) == expected
    assert page.locator("output").inner_text() == "5 / 5"


def test_it_plays_to_the_end_and_tells_a_screen_reader(film):
    page, _ = film
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.live').textContent.startsWith('End')")
    assert frame(page) == 5 and page.get_by_role("button", name="Play").is_visible()


def test_it_can_be_scrubbed(film):
    page, _ = film
    page.locator("input").fill("3")
    assert frame(page) == 3


@pytest.mark.parametrize("at", [0, 3, 5])
def test_it_looks_as_the_scene_does(film, at):
    page, made = film
    page.locator("input").fill(str(at))
    page.locator("input").blur()
    shown = Image.open(io.BytesIO(page.locator(".picture").screenshot())).convert("RGB")
    small = [picture.resize((75, 50), Image.Resampling.BOX)
             for picture in (shown, Image.fromarray(looks(made)[at]))]  # fmt: skip
    got, expected = (np.asarray(each).astype(int) for each in small)
    assert (np.abs(got - expected).max(axis=-1) > 48).mean() < 0.02  # letters and edges differ
    if at:
        wrong = np.asarray(Image.fromarray(looks(made)[0]).resize((75, 50), Image.Resampling.BOX))
        assert (np.abs(got - wrong).max(axis=-1) > 48).mean() > 0.05
