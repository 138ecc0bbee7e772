"""A learner opens lesson 3, runs it, predicts, and gets answers."""

import pytest

from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

LESSON = "03_one_step_then_many.ipynb"


@pytest.fixture
def lesson(page, address):
    notebook = Notebook(page, address, LESSON)
    notebook.run_all()
    yield notebook
    assert notebook.complaints == []


def test_the_lesson_runs(lesson, picture):
    picture("opened")
    assert "not attempted" in lesson.output_of("exercise.check").inner_text()
