"""What every lesson owes its learner and its teacher: answers that help, a header, a worksheet."""

import re

import pytest

from tests.lessons.lessons import FOLDER, NAMES, header, module, prose
from tinygrad_landscape.classroom.exercises import Exercise, Finding
from tinygrad_landscape.classroom.worksheet import worksheet_of

HEADER = {"number", "title", "minutes", "needs", "teaches", "claims"}
EXERCISES = [
    pytest.param(exercise, id=f"{name[:2]} {attribute}")
    for name in NAMES
    for attribute, exercise in vars(module(name)).items()
    if isinstance(exercise, Exercise)
]
FINDINGS = [
    pytest.param(finding, id=f"{name[:2]} {attribute}")
    for name in NAMES
    for attribute, finding in vars(module(name)).items()
    if isinstance(finding, Finding)
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_right_answer_passes_and_its_source_is_shown(exercise):
    assert len(exercise.instances()) >= 2
    assert exercise.check(exercise.reference).state == "passed"
    assert "def " in exercise.solution()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_each_usual_mistake_is_called_by_its_name(exercise):
    assert len(exercise.mistakes) >= 3
    for sentence, wrong in exercise.mistakes.items():
        verdict = exercise.check(wrong)
        assert (verdict.state, verdict.message) == ("not yet", sentence)


@pytest.mark.parametrize("finding", FINDINGS)
def test_wrong_numbers_get_the_recorded_word_and_the_answer_passes(finding):
    assert len(finding.wrong) >= 3
    for sentence, values in finding.wrong.items():
        verdict = finding.check(*values)
        assert (verdict.state, verdict.message) == ("not yet", sentence)
    found: dict = {}
    exec(f"{finding.answer}\nfound = ({finding.answer.split('=')[0]},)", found)
    found = found["found"][0] if isinstance(found["found"][0], tuple) else found["found"]
    assert finding.check(*found).state == "passed"


@pytest.mark.parametrize("exercise", [*EXERCISES, *FINDINGS])
def test_there_are_hints_and_a_name_that_opens_with_the_lesson(exercise):
    assert len(exercise.hints) >= 2
    assert re.fullmatch(r"\d\d [\w ]+", exercise.name)


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_fits_its_three_quarters_of_an_hour(name):
    facts = header(name)
    assert set(facts) - {"optional_minutes"} == HEADER and facts["number"] == int(name[:2])
    assert sum(facts["minutes"].values()) <= (10 if facts["number"] == 0 else 45)
    for word in facts["teaches"]:
        assert word in prose(name).lower()
    assert set(facts["claims"]) <= set(range(1, 19))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_lesson_needs_was_taught_before(name):
    earlier = {word for other in NAMES if other < name for word in header(other)["teaches"]}
    assert set(header(name)["needs"]) <= earlier


@pytest.mark.parametrize("name", NAMES)
def test_a_teacher_finds_a_page_and_a_sheet_to_print(name, tmp_path):
    page = (FOLDER / "instructor" / f"{name[:2]}.md").read_text(encoding="utf-8")
    for part in ("5 minutes", "45 minutes", "90 minutes", "ask", "wrong answers", "board", "key"):
        assert part in page.lower(), part
    sheet = worksheet_of(int(name[:2]))
    assert sheet.maps and sheet.questions
    for key in (False, True):
        sheet.save(tmp_path / "sheet.pdf", key)
        assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", NAMES)
def test_a_quiz_has_three_questions_whose_options_each_get_their_own_word(name):
    quiz = module(name).quiz()
    assert len(quiz.questions) == 3 and quiz.name == name[:2]
    for question, choice, answer in zip(quiz.questions, quiz.choices, quiz.answers, strict=True):
        assert len(set(question.feedback.values())) == len(question.feedback) >= 3
        for option in question.feedback:
            choice.value = option
            assert ("Right." in answer.value) == (option == question.right)
