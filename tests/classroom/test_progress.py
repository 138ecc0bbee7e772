"""What is kept of a learner: a plain file that survives a new sitting, and is never lost."""

import json

import pytest

from tinygrad_landscape.classroom import lesson03, progress
from tinygrad_landscape.classroom.exercises import Exercise, Finding
from tinygrad_landscape.classroom.prediction import Measured, Prediction, Span


def ask(answer="up"):
    return Prediction("?", ["up", "down"], lambda: Measured(answer, "So."), name="99 up or down")


def test_a_guess_is_found_locked_in_a_new_sitting(fresh_progress):
    ask().lock("down", "certain")
    again = ask()
    assert (again.answer, again.confidence) == ("down", "certain")
    assert again._box.disabled and "Locked" in again._status.value
    assert again.describe() == 'You said "down" (certain). Measured: "up". So.'
    kept = json.loads(fresh_progress.read_text(encoding="utf-8"))
    assert kept["predictions"]["99 up or down"]["right"] is False
    assert kept["package"] == "tinygrad_landscape" and kept["format"] == 1


def test_a_question_that_has_changed_is_asked_anew(fresh_progress):
    ask().lock("down")
    other = Prediction("?", ["left", "right"], lambda: Measured("left", "."), "99 up or down")
    assert other.answer is None


def test_a_number_is_compared_with_what_was_measured(fresh_progress):
    def number(answer, found=40.0, within=0.1):
        asked = Prediction("?", Span(0, 90, "degrees"), lambda: Measured(found, "So.", within))
        asked.lock(answer, "a guess")
        return asked.describe()

    assert number("42") == "You said 42 degrees (a guess). As you said: 40 degrees. So."
    assert "so your guess was 2 times too low" in number("20")
    assert "so your guess was 2 times too high" in number(" 80,0 ")
    assert number("0").endswith("Measured: 40 degrees. So.")
    assert number("no idea").startswith("You said no idea. Measured: 40 degrees")
    for wrong in ("91", "many", "", "nan"):
        with pytest.raises(ValueError, match="expected a number from 0 to 90"):
            number(wrong)


def test_the_number_box_says_what_is_wrong_and_locks_what_is_right():
    asked = Prediction("?", Span(0, 90), lambda: Measured(40.0, "So."))
    _, box, _, buttons, status = asked.children
    lock, skip = buttons.children
    box.value = "many"
    lock.click()
    assert "expected a number" in status.value and asked.answer is None
    box.value = "30"
    lock.click()
    assert asked.answer == "30" and skip.disabled


def test_thousands_are_written_out():
    asked = Prediction("?", Span(1, 1e5, "steps"), lambda: Measured(2302.0, "So."))
    asked.lock("23000", "a guess")
    assert asked.describe().startswith("You said 23000 steps (a guess). Measured: 2302 steps, so")


def test_tries_hints_and_a_pass_are_counted(fresh_progress):
    exercise = Exercise(abs, ["y"], lambda: [(-1,), (2,)], {}, ["h"], name="99 size")
    exercise.check(lambda x: x)
    exercise.hint()
    exercise.check(abs)
    exercise.check(lambda x: x)
    entry = progress.entry("exercises", "99 size")
    assert (entry["state"], entry["tries"], entry["hints"]) == ("passed", 3, 1)

    finding = Finding(lambda x: "" if x else "no", {}, ["h"], "x = 1", name="99 find")
    finding.check(...)
    assert progress.entry("exercises", "99 find") == {}
    finding.check(0)
    assert progress.entry("exercises", "99 find")["state"] == "not yet"


def test_the_first_answer_of_a_quiz_counts(fresh_progress):
    quiz = lesson03.quiz()
    for option in ("It moves a little, by lr", "Nothing"):
        quiz.choices[0].value = option
    assert progress.entry("quizzes", "03")["1"] == {
        "answer": "It moves a little, by lr",
        "right": False,
    }


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"package": "other"}', '{"package": "tinygrad_landscape"}', "\x00"]
)
def test_a_file_that_cannot_be_read_is_set_aside_not_lost(fresh_progress, content):
    fresh_progress.write_text(content, encoding="utf-8")
    with pytest.warns(UserWarning, match="could not be read"):
        ask().lock("up")
    (aside,) = fresh_progress.parent.glob("progress-set-aside-*.json")
    assert aside.read_text(encoding="utf-8") == content
    assert progress.entry("predictions", "99 up or down")["answer"] == "up"


def test_a_newer_file_is_set_aside_whole(fresh_progress):
    newer = json.dumps(progress.HEADER | {"format": 2, "predictions": {}})
    fresh_progress.write_text(newer, encoding="utf-8")
    with pytest.warns(UserWarning, match="could not be read"):
        assert progress.everything()["predictions"] == {}
    (aside,) = fresh_progress.parent.glob("progress-set-aside-*.json")
    assert aside.read_text(encoding="utf-8") == newer


def test_where_nothing_can_be_written_the_lesson_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "file" / "progress.json"))
    with pytest.warns(UserWarning, match="progress is not"):
        asked = ask()
        asked.lock("up")
    assert asked.answer == "up"


def test_one_lesson_can_be_begun_anew(fresh_progress):
    ask().lock("up")
    progress.keep("exercises", "98 other", {"state": "passed"})
    progress.forget("99")
    assert ask().answer is None
    assert progress.entry("exercises", "98 other")["state"] == "passed"


def test_an_interrupted_write_leaves_the_old_file(fresh_progress, monkeypatch):
    ask().lock("up")
    before = fresh_progress.read_bytes()
    monkeypatch.setattr(progress.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("full")))
    with pytest.warns(UserWarning, match="full"):
        progress.keep("exercises", "99 x", {"state": "passed"})
    assert fresh_progress.read_bytes() == before
    assert list(fresh_progress.parent.iterdir()) == [fresh_progress]
