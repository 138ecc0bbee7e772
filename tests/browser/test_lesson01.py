"""A learner works through lesson 1: hunts by hand, fails by name, is helped, and comes back."""

import pytest

from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

FIND, CHECK = "lesson01.find.check(w, b)", "lesson01.exercise.check(mse)"


@pytest.fixture(scope="module")
def lesson(page, address):
    notebook = Notebook(page, address, "01_error_has_a_height.ipynb")
    notebook.run_all()
    yield notebook
    assert notebook.complaints == []


def test_numbers_are_hunted_with_a_hint(lesson, picture):
    assert "not attempted" in lesson.output_of(FIND).inner_text()
    lesson.run_cell("w, b = ..., ...", "w, b = -1, 0.5")
    lesson.run_cell(FIND)
    lesson.output_of(FIND).get_by_text("not yet").wait_for()
    lesson.run_cell("# lesson01.find.hint()", "lesson01.find.hint()")
    lesson.output_of("lesson01.find.hint()").get_by_text("Hint 1 of").wait_for()
    lesson.run_cell("w, b = -1, 0.5", "w, b = 1, 0.5")
    lesson.run_cell(FIND)
    lesson.output_of(FIND).get_by_text("passed").wait_for()
    picture("lesson 1, found")


def test_a_wrong_loss_is_named_and_a_right_one_used(lesson):
    assert "not attempted" in lesson.output_of(CHECK).inner_text()
    body = "def mse(w, b, x, y):\n    return np.{}((w * x + b - y) ** 2)"
    lesson.run_cell("def mse(", body.format("sum"))
    lesson.run_cell(CHECK)
    lesson.output_of(CHECK).get_by_text("not yet").wait_for()
    assert "hidden case" not in lesson.output_of(CHECK).inner_text()  # it is called by its name
    lesson.run_cell("def mse(", body.format("mean"))
    lesson.run_cell(CHECK)
    lesson.output_of(CHECK).get_by_text("passed: all").wait_for()


def test_the_next_day_the_guess_is_still_locked(lesson, picture):
    asked = lesson.output_of("guess = lesson01.question()")
    asked.get_by_role("radio").first.check()
    asked.get_by_role("button", name="Lock my answer").click()
    asked.get_by_text("Locked:").first.wait_for()
    lesson.page.reload()
    lesson.ready()
    lesson.run_all()
    asked = lesson.output_of("guess = lesson01.question()")
    asked.get_by_text("Locked:").first.wait_for()
    assert asked.get_by_role("radio").first.is_disabled()
    kept = lesson.execute(
        "from tinygrad_landscape.classroom import progress; "
        "answer = progress.entry('exercises', '01 find')"
    )
    assert kept["state"] == "passed" and kept["hints"] == 1
    asked.scroll_into_view_if_needed()
    picture("lesson 1, the next day")
