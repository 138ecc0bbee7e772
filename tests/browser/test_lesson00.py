"""A learner without code opens lesson 0: a guess, a look, and a ball dragged to the bottom."""

import pytest

from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

CHECK = "lesson00.check()"


@pytest.fixture(scope="module")
def lesson(page, address):
    notebook = Notebook(page, address, "00_drop_a_hundred_balls.ipynb")
    notebook.run_all()
    yield notebook
    assert notebook.complaints == []


def drag(panel, by):
    """Drag the white start by a share of the picture's width and height; wait for the kernel."""
    panel.scroll_into_view_if_needed()
    panel.page.wait_for_timeout(500)  # until the page has come to rest
    handle = panel.locator(".tgl-start").bounding_box()
    frame = panel.locator(".tgl-picture").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    panel.page.mouse.move(x, y)
    panel.page.mouse.down()
    for part in range(1, 11):
        across, down = (part / 10 * share for share in by)
        panel.page.mouse.move(x + across * frame["width"], y + down * frame["height"])
    panel.page.mouse.up()


def test_a_number_is_guessed_and_measured(lesson, picture):
    asked = lesson.output_of("lesson00.question()")
    asked.get_by_role("textbox").fill("most of them")
    asked.get_by_role("button", name="Lock my answer").click()
    asked.get_by_text("expected a number from 0 to 100").wait_for()
    asked.get_by_role("textbox").fill("90")
    asked.get_by_role("button", name="Lock my answer").click()
    reveal = lesson.output_of("lesson00.reveal()")
    reveal.get_by_text("Measured: 50 balls, so your guess was 1.8 times too high").wait_for()
    asked.scroll_into_view_if_needed()
    picture("lesson 0, a guess")


def test_the_ball_is_dragged_until_it_reaches_the_bottom(lesson, picture):
    panel = lesson.page.locator(".tgl-panel").first
    assert "not attempted" in lesson.output_of(CHECK).inner_text()
    drag(panel, (0.0, 0.2))
    panel.locator(".tgl-sentence", has_not_text="w1 = -1, w2 = 1,").wait_for()
    lesson.run_cell(CHECK)
    lesson.output_of(CHECK).get_by_text("not yet: your ball rests in valley B").wait_for()
    drag(panel, (0.15, -0.3))
    panel.locator(".tgl-sentence", has_text="ends in valley A").wait_for()
    picture("lesson 0, the bottom")
    lesson.run_cell(CHECK)
    lesson.output_of(CHECK).get_by_text("passed").wait_for()
