"""The progress page: what was guessed, built and answered, lesson by lesson.

It also says how often a guess was right at each level of confidence: who is certain should be
right more often than who guesses, and to see whether one is takes a record.
"""

from __future__ import annotations

import html
import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from . import progress
from .exercises import Task
from .folder import shipped_lessons
from .prediction import CONFIDENCE, NO_IDEA

COLUMNS = ("lesson", "predictions right", "exercises passed", "quiz right at once")


class Report:
    """A table of the lessons, and a sentence on how sure you were and how often right.

    Attributes:
        rows: a row for each lesson, its cells in the order of `COLUMNS`.
        sentence: confidence beside success.
    """

    def __init__(self) -> None:
        kept = progress.everything()
        self.rows = [_row(facts, kept) for facts in _lessons()]
        self.sentence = _calibration(kept["predictions"].values())

    def __str__(self) -> str:
        table = [COLUMNS, *self.rows]
        widths = [max(len(row[k]) for row in table) for k in range(len(COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n".join([*lines, "", self.sentence])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: tuple[str, ...], tag: str) -> str:
            inner = "".join(
                f'<{tag} style="text-align:left">{html.escape(c)}</{tag}>' for c in cells
            )
            return f"<tr>{inner}</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        return (
            f"<table><thead>{row(COLUMNS, 'th')}</thead><tbody>{body}</tbody></table>"
            f"<p>{html.escape(self.sentence)}</p>"
        )


def report() -> Report:
    """What the progress file holds, as a page; see `progress.path()` for where that file is.

    >>> report().rows[0][0]
    '0 · Drop a hundred balls'
    """
    return Report()


def _lessons() -> list[dict[str, Any]]:
    notebooks = sorted(shipped_lessons().glob("[0-9][0-9]_*.ipynb"))
    read = (json.loads(path.read_text(encoding="utf-8")) for path in notebooks)
    return [notebook["metadata"]["lesson"] for notebook in read]


def _row(lesson: dict[str, Any], kept: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    number = f"{lesson['number']:02d}"
    mine = {
        kind: [facts for name, facts in each.items() if name.split()[0] == number]
        for kind, each in kept.items()
    }
    guessed = mine["predictions"]
    tasks, questions = _size(number)
    passed = sum(facts.get("state") == "passed" for facts in mine["exercises"])
    answers = [a for facts in mine["quizzes"] for a in facts.values() if isinstance(a, dict)]
    return (
        f"{lesson['number']} · {lesson['title']}",
        f"{sum(map(_right, guessed))} of {len(guessed)}" if guessed else "-",
        f"{passed} of {tasks}",
        f"{sum(a['right'] for a in answers)} of {questions}" if answers else "-",
    )


def _size(number: str) -> tuple[int, int]:
    """How many exercises and quiz questions a lesson has."""
    name = f"{__package__}.lesson{number}"
    if find_spec(name) is None:
        return 0, 0
    lesson = import_module(name)
    tasks = sum(isinstance(thing, Task) for thing in vars(lesson).values())
    return tasks, len(lesson.quiz().questions)


def _right(facts: dict[str, Any]) -> bool:
    return bool(facts.get("right"))


def _calibration(predictions: Any) -> str:
    guesses = [facts for facts in predictions if facts.get("answer") != NO_IDEA]
    parts = []
    for level in CONFIDENCE:
        at = [facts for facts in guesses if facts.get("confidence") == level]
        if at:
            parts.append(f'"{level}" {sum(map(_right, at))} of {len(at)} times')
    if not parts:
        return "No prediction is locked yet."
    return f"You were right when you said {', '.join(parts)}."
