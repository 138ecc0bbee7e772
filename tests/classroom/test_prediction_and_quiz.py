"""A prediction locks before it reveals; a quiz answers every option with a word of its own."""

import pytest

from tinygrad_landscape.classroom import lesson03
from tinygrad_landscape.classroom.prediction import NO_IDEA, Measured, Prediction
from tinygrad_landscape.classroom.quizzes import Question, Quiz
from tinygrad_landscape.engine.errors import ParameterError


def ask(measure=lambda: Measured("up", "Height 1 to 2.")):
    return Prediction("Up or down?", ["up", "down"], measure)


def test_nothing_is_measured_or_shown_before_the_lock():
    asked = ask(lambda: pytest.fail("measured too early"))
    assert "Lock your answer" in asked.reveal().value
    assert asked.describe() == "Not locked yet."


def test_locked_is_locked_and_then_measured_once():
    calls = []
    asked = ask(lambda: calls.append(1) or Measured("up", "Height 1 to 2."))
    asked.lock("down", "certain")
    asked.lock("up", "a guess")
    assert (asked.answer, asked.confidence) == ("down", "certain")
    assert asked.describe() == 'You said "down" (certain). Measured: "up". Height 1 to 2.'
    assert asked.describe() in asked.reveal().value.replace("&quot;", '"')
    assert calls == [1]


def test_it_can_be_skipped_and_a_right_guess_is_said_so():
    asked = ask()
    asked.lock(NO_IDEA)
    assert asked.describe().startswith("You said no idea. Measured:")
    asked = ask()
    asked.lock("up", "fairly sure")
    assert "As you said" in asked.describe()


def test_the_widgets_alone_do_the_same():
    asked = ask()
    _, choices, confidence, buttons, status = asked.children
    (lock,) = buttons.children
    assert lock.disabled
    choices.value = "down"
    confidence.value = "certain"
    lock.click()
    assert asked.answer == "down" and choices.disabled and lock.disabled
    assert "Locked" in status.value


@pytest.mark.parametrize("bad", [("sideways", "a guess"), ("up", "very")])
def test_answers_that_are_not_choices_are_refused(bad):
    with pytest.raises(ParameterError, match="expected one of"):
        ask().lock(*bad)


def test_the_lessons_question_is_answered_by_a_walk():
    found = lesson03.measure_bold_walk()
    assert found.choice == "lower after one step, but higher after 200"
    assert "diverged" in found.sentence


def test_a_quiz_needs_its_right_answer_among_the_options():
    with pytest.raises(ParameterError, match="expected one of"):
        Quiz([Question("?", {"a": "A.", "b": "B."}, "c")])
