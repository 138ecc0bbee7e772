"""A learner opens lesson 3, runs it, guesses, moves what can be moved, and sees it change."""

import re

import pytest

from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

LESSON = "03_one_step_then_many.ipynb"


@pytest.fixture(scope="module")
def opened(page, address):
    notebook = Notebook(page, address, LESSON)
    notebook.run_all()
    return notebook


@pytest.fixture
def lesson(opened):
    yield opened
    assert opened.complaints == []


class Shown:
    """What a learner sees of one panel: its pixels, its sentence, the step it is at."""

    def __init__(self, panel):
        self.panel = panel

    def pixels(self) -> str:
        return self.panel.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")

    def sentence(self) -> str:
        return self.panel.locator(".tgl-sentence").inner_text()

    def step(self) -> str:
        return self.panel.locator(".tgl-readout").inner_text()

    def everything(self) -> tuple[str, str, str]:
        return self.pixels(), self.sentence(), self.step()

    def changed(self, before: str, look, patience: float = 10.0) -> str:
        """Wait until `look()` says something other than `before`; return what it says."""
        for _ in range(int(patience / 0.05)):
            if look() != before:
                return look()
            self.panel.page.wait_for_timeout(50)
        raise AssertionError(f"nothing changed from {before[:200]!r}")


def test_slider_by_keyboard_start_by_hand_and_a_step_back(lesson, picture):
    panel = lesson.page.locator(".tgl-panel").first
    panel.scroll_into_view_if_needed()
    shown = Shown(panel)
    picture("1 opened")
    pixels, sentence, _ = shown.everything()
    assert "0.5 converges" in sentence

    panel.locator("[role=slider]").first.focus()
    for _ in range(39):  # from 0.5 up to the notch nearest to 3
        lesson.page.keyboard.press("ArrowRight")
    panel.locator(".tgl-sentence", has_text="diverges").wait_for()
    bold = shown.changed(pixels, shown.pixels)
    rate = lesson.execute("answer = panel.controls['lr'].value")
    assert 2.9 < rate < 3.2 and f"Learning rate {rate:g} diverges" in shown.sentence()
    picture("2 learning rate by keyboard")

    for _ in range(39):
        lesson.page.keyboard.press("ArrowLeft")
    panel.locator(".tgl-sentence", has_text="converges").wait_for()
    before = shown.sentence()
    handle, frame = panel.locator(".tgl-start"), panel.locator(".tgl-picture").bounding_box()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lesson.page.mouse.move(x, y)
    lesson.page.mouse.down()
    for part in range(1, 11):
        lesson.page.mouse.move(x - part * frame["width"] / 70, y + part * frame["height"] / 70)
    lesson.page.mouse.up()
    shown.changed(before, shown.sentence)
    panel.locator(".tgl-readout", has_text="200 / 200").wait_for()  # finished on release
    panel.locator(".tgl-sentence", has_text="w1 = -1.2").wait_for()  # in the other valley
    x, y, points = lesson.execute(WHERE)
    assert x < -0.5 and y < -0.2 and points == 201
    picture("3 start dragged")
    dragged = shown.changed(bold, shown.pixels)

    panel.locator(".tgl-back").click()
    assert shown.changed("200 / 200", shown.step) == "199 / 200"
    for _ in range(196):
        panel.locator(".tgl-back").click()
    panel.locator(".tgl-readout", has_text=re.compile("^3 / 200$")).wait_for()
    shown.changed(dragged, shown.pixels)
    picture("4 stepped back")


# Asking for the walk also waits until the kernel has heard everything and finished it.
WHERE = """
answer = [panel.controls["start_x"].value, panel.controls["start_y"].value, len(panel.walk)]
"""


def test_a_guess_is_locked_and_measured_and_the_quiz_answers(lesson, picture):
    reveal = lesson.output_of("guess.reveal()")
    assert "Lock your answer above" in reveal.inner_text()
    asked = lesson.output_of("guess = lesson03.question()")
    asked.get_by_text("lower after one step, and lower still").click()
    asked.get_by_role("button", name="fairly sure").click()
    asked.get_by_role("button", name="Lock my answer").click()
    reveal.get_by_text("lower after one step, but higher after 200").wait_for()
    assert "fairly sure" in reveal.inner_text() and "diverged" in reveal.inner_text()
    asked.scroll_into_view_if_needed()
    picture("5 guess locked")

    assert "not attempted" in lesson.output_of("exercise.check").inner_text()
    quiz = lesson.output_of("lesson03.quiz()")
    quiz.get_by_text("It jumps to the bottom").click()
    quiz.get_by_text("Not quite. A step knows only").wait_for()
    quiz.get_by_text("Nothing", exact=True).click()
    quiz.get_by_text("Right. 0 times any").wait_for()
    picture("6 quiz answered")


WRONG = """def gd(f, g, x0, lr, n):
    x, points, heights = x0, [x0], [f(x0)]
    for _ in range(n):
        x = x {sign} lr * g(x)
        points.append(x)
        heights.append(f(x))
    return points, heights
"""


def test_a_wrong_answer_a_hint_a_right_one_and_the_next_day(lesson, picture):
    check = "lesson03.exercise.check(gd)"
    lesson.run_cell("def gd(", WRONG.format(sign="+"))
    lesson.run_cell(check)
    lesson.output_of(check).get_by_text("not yet: the sign is flipped").wait_for()
    lesson.run_cell("lesson03.exercise.hint()", "lesson03.exercise.hint()")
    lesson.output_of("lesson03.exercise.hint()").get_by_text("Hint 1 of 3").wait_for()
    lesson.cell(check).scroll_into_view_if_needed()
    picture("8 wrong answer and a hint")
    lesson.run_cell("def gd(", WRONG.format(sign="-"))
    lesson.run_cell(check)
    lesson.output_of(check).get_by_text("passed: all 3 hidden cases agree").wait_for()

    lesson.page.reload()
    lesson.ready()
    lesson.run_all()
    asked = lesson.output_of("guess = lesson03.question()")
    asked.get_by_text("Locked").last.wait_for()
    assert asked.get_by_role("button", name="Lock my answer").is_disabled()
    assert "diverged" in lesson.output_of("guess.reveal()").inner_text()
    kept = lesson.execute(
        "from tinygrad_landscape.classroom import progress; "
        "answer = progress.entry('exercises', '03 gd')"
    )
    assert kept["state"] == "passed" and kept["hints"] == 1 and kept["tries"] >= 2
    picture("9 the next day")


def test_the_real_network_follows_its_slider(lesson, picture):
    panel = lesson.page.locator(".tgl-panel").nth(1)
    panel.scroll_into_view_if_needed()
    shown = Shown(panel)
    pixels, sentence, _ = shown.everything()
    panel.locator("[role=slider]").first.focus()
    lesson.page.keyboard.press("ArrowRight")
    assert "0.weight[1,10]" in shown.changed(sentence, shown.sentence)
    shown.changed(pixels, shown.pixels)
    picture("7 real network")
