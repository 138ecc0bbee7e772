"""The progress page counts what is in the file, and nothing where there is none."""

from tinygrad_landscape.classroom import lesson03, progress
from tinygrad_landscape.classroom.report import report


def test_an_empty_page_lists_every_lesson(fresh_progress):
    page = report()
    row = next(row for row in page.rows if row[0].startswith("3 ·"))
    assert row == ("3 · One step, then many", "-", "0 of 1", "-")
    assert page.sentence == "No prediction is locked yet."
    assert not fresh_progress.exists()


def test_what_was_done_is_counted(fresh_progress):
    guess = lesson03.question()
    guess.lock(lesson03.CHOICES[1], "certain")
    guess.describe()
    progress.keep("predictions", "02 angle", {"answer": "1", "confidence": "certain"})
    progress.keep("predictions", "02 other", {"answer": "no idea", "confidence": "certain"})
    lesson03.exercise.check(lesson03.gd)
    quiz = lesson03.quiz()
    quiz.choices[0].value = "Nothing"
    quiz.choices[1].value = "0.25"
    page = report()
    row = next(row for row in page.rows if row[0].startswith("3 ·"))
    assert row[1:] == ("1 of 1", "1 of 1", "1 of 3")
    assert page.sentence == 'You were right when you said "certain" 1 of 2 times.'
    assert "1 of 1" in page._repr_html_() and "<table>" in page._repr_html_()
    assert len({len(line) for line in str(page).splitlines()[:2]}) <= 2
