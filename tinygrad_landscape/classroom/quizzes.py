"""The exit quiz: a few questions, each answer with its own word of feedback.

A wrong answer is somebody's reason, so each option says what it would be right about, or where
it goes astray.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from ..engine.errors import ParameterError
from . import progress
from .words import paragraph


@dataclass(frozen=True)
class Question:
    """One question: its options with their feedback, and which of them is right."""

    text: str
    feedback: Mapping[str, str]
    right: str

    def __post_init__(self) -> None:
        if self.right not in self.feedback:
            raise ParameterError(f"got right={self.right!r}; expected one of {list(self.feedback)}")

    def judge(self, option: str) -> str:
        """Return the feedback for one option, opening with whether it is right.

        >>> Question("1 + 1?", {"2": "Two fingers.", "3": "One too many."}, "2").judge("3")
        'Not quite. One too many.'
        """
        return ("Right. " if option == self.right else "Not quite. ") + self.feedback[option]


class Quiz(widgets.VBox):
    """Show questions one below the other; each answers as soon as an option is chosen.

    `choices` are the radio buttons, `answers` the feedback texts, both in the questions' order.
    Under a `name`, the lesson's number, the first answers are kept in the progress file.
    """

    def __init__(self, questions: Sequence[Question], name: str | None = None):
        self.questions, self.name = tuple(questions), name
        self.choices = [
            widgets.RadioButtons(
                options=list(question.feedback), value=None, layout=widgets.Layout(width="auto")
            )
            for question in questions
        ]
        self.answers = [widgets.HTML() for _ in questions]
        rows: list[widgets.Widget] = []
        triples = zip(self.questions, self.choices, self.answers, strict=True)
        for number, (question, choice, answer) in enumerate(triples, start=1):
            choice.observe(self._chosen, names="value")
            title = widgets.HTML(paragraph(f"{number}. {question.text}", strong=True))
            rows += [title, choice, answer]
        super().__init__(rows)

    def _chosen(self, change: Mapping[str, Any]) -> None:
        place, option = self.choices.index(change["owner"]), change["new"]
        question = self.questions[place]
        self.answers[place].value = paragraph(question.judge(option))
        number, first = str(place + 1), progress.entry("quizzes", self.name)
        if number not in first:
            right = option == question.right
            progress.keep("quizzes", self.name, {number: {"answer": option, "right": right}})
