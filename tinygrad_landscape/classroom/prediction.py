"""A question that is answered before its answer is seen.

A guess that can be changed afterwards teaches nothing, so it locks; and what it is compared with
is not a printed solution but a number measured there and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ipywidgets as widgets

from ..engine.errors import ParameterError
from .words import paragraph

NO_IDEA = "no idea"
CONFIDENCE = ("a guess", "fairly sure", "certain")


@dataclass(frozen=True)
class Measured:
    """What the measurement says: which choice it is, and the sentence with its numbers."""

    choice: str
    sentence: str


class Prediction(widgets.VBox):
    """Show a question with choices; lock one, then measure.

    `measure()` returns a `Measured` and is called only after the lock. "no idea" is always a
    choice, so a prediction can be skipped and the lesson goes on. In a notebook the object shows
    itself; `reveal()` in a later cell shows what was measured.

    >>> question = Prediction("Is 7 prime?", ["yes", "no"], lambda: Measured("yes", "1 x 7 only."))
    >>> question.lock("no", "a guess")
    >>> print(question.describe())
    You said "no" (a guess). Measured: "yes". 1 x 7 only.
    """

    def __init__(self, question: str, choices: Sequence[str], measure: Callable[[], Measured]):
        self.answer: str | None = None
        self.confidence: str | None = None
        self._measure = measure
        self._measured: Measured | None = None
        self._choices = widgets.RadioButtons(
            options=[*choices, NO_IDEA], value=None, layout=widgets.Layout(width="auto")
        )
        self._confidence = widgets.ToggleButtons(options=CONFIDENCE, description="How sure?")
        self._lock = widgets.Button(description="Lock my answer", icon="lock", disabled=True)
        self._status = widgets.HTML(paragraph("Choose, then lock. Locked is locked."))
        self._revealed = widgets.HTML(paragraph("Lock your answer above, then look here."))
        self._choices.observe(self._chosen, names="value")
        self._lock.on_click(lambda _: self.lock(self._choices.value, self._confidence.value))
        title = widgets.HTML(paragraph(question, strong=True))
        super().__init__([title, self._choices, self._confidence, self._lock, self._status])

    def lock(self, answer: str, confidence: str = CONFIDENCE[0]) -> None:
        """Commit to an answer, once; raises ParameterError for an answer that is not a choice."""
        if answer not in self._choices.options:
            raise ParameterError(
                f"got {answer!r}; expected one of {', '.join(map(repr, self._choices.options))}"
            )
        if confidence not in CONFIDENCE:
            raise ParameterError(f"got {confidence!r}; expected one of {', '.join(CONFIDENCE)}")
        if self.answer is not None:
            return
        self.answer, self.confidence = answer, confidence
        self._choices.value, self._confidence.value = answer, confidence
        for control in (self._choices, self._confidence, self._lock):
            control.disabled = True
        self._status.value = paragraph(f"Locked: {self._said()}. Now read on, and watch.")
        self._revealed.value = paragraph(self.describe())

    def reveal(self) -> widgets.HTML:
        """Return the place where guess and measurement stand side by side, once it is locked."""
        return self._revealed

    def describe(self) -> str:
        """Say what was predicted and what was measured; before the lock, only what to do."""
        if self.answer is None:
            return "Not locked yet."
        if self._measured is None:
            self._measured = self._measure()
        found = self._measured
        verdict = "As you said" if self.answer == found.choice else "Measured"
        return f'You said {self._said()}. {verdict}: "{found.choice}". {found.sentence}'

    def _said(self) -> str:
        return NO_IDEA if self.answer == NO_IDEA else f'"{self.answer}" ({self.confidence})'

    def _chosen(self, _change: object) -> None:
        self._lock.disabled = self.answer is not None or self._choices.value is None
