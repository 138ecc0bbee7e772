"""A question that is answered before its answer is seen.

A guess that can be changed afterwards teaches nothing, so it locks, and stays locked when the
notebook is opened again; and what it is compared with is not a printed solution but a number
measured there and then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from ..engine.errors import ParameterError
from . import progress
from .words import paragraph

NO_IDEA = "no idea"
CONFIDENCE = ("a guess", "fairly sure", "certain")


@dataclass(frozen=True)
class Span:
    """The answer is a number from `low` to `high`, in `unit`."""

    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Measured:
    """What the measurement says: which choice or number it is, and the sentence with its numbers.

    `within` is how far off, as a share of it, a guessed number may be and still be right.
    """

    choice: str | float
    sentence: str
    within: float = 0.1


class Prediction(widgets.VBox):
    """Show a question with choices, or one that asks for a number; lock an answer, then measure.

    `measure()` returns a `Measured` and is called only after the lock. "no idea" is always a
    choice, so a prediction can be skipped and the lesson goes on. In a notebook the object shows
    itself; `reveal()` in a later cell shows what was measured. Under a `name` that opens with the
    lesson's number it is kept in the progress file, and found locked the next time.

    >>> question = Prediction("Is 7 prime?", ["yes", "no"], lambda: Measured("yes", "1 x 7 only."))
    >>> question.lock("no", "a guess")
    >>> print(question.describe())
    You said "no" (a guess). Measured: "yes". 1 x 7 only.
    >>> number = Prediction("How much is 6 x 7?", Span(0, 100), lambda: Measured(42.0, "6 rows."))
    >>> number.lock("84", "certain")
    >>> print(number.describe())
    You said 84 (certain). Measured: 42, so your guess was 2 times too high. 6 rows.
    """

    def __init__(
        self,
        question: str,
        choices: Sequence[str] | Span,
        measure: Callable[[], Measured],
        name: str | None = None,
    ):
        self.answer: str | None = None
        self.confidence: str | None = None
        self.name = name
        self._choices, self._measure = choices, measure
        self._measured: Measured | None = None
        self._box = self._answer_box()
        self._confidence = widgets.ToggleButtons(options=CONFIDENCE, description="How sure?")
        self._lock = widgets.Button(description="Lock my answer", icon="lock", disabled=True)
        self._pass = widgets.Button(description="No idea", tooltip="Go on without a guess")
        self._status = widgets.HTML(paragraph("Choose, then lock. Locked is locked."))
        self._revealed = widgets.HTML(paragraph("Lock your answer above, then look here."))
        self._box.observe(self._chosen, names="value")
        self._lock.on_click(self._locked)
        self._pass.on_click(lambda _: self.lock(NO_IDEA))
        title = widgets.HTML(paragraph(question, strong=True))
        row = [self._lock, self._pass] if isinstance(choices, Span) else [self._lock]
        buttons = widgets.HBox(row)
        super().__init__([title, self._box, self._confidence, buttons, self._status])
        self._remember()

    def lock(self, answer: str, confidence: str = CONFIDENCE[0]) -> None:
        """Commit to an answer, once; raises ParameterError for an answer that is not a choice."""
        answer = self._valid(answer)
        if confidence not in CONFIDENCE:
            raise ParameterError(f"got {confidence!r}; expected one of {', '.join(CONFIDENCE)}")
        if self.answer is not None:
            return
        self._take(answer, confidence)
        progress.keep("predictions", self.name, {"answer": answer, "confidence": confidence})

    def reveal(self) -> widgets.HTML:
        """Return the place where guess and measurement stand side by side, once it is locked."""
        if self.answer is not None:
            self._revealed.value = paragraph(self.describe())
        return self._revealed

    def describe(self) -> str:
        """Say what was predicted and what was measured; before the lock, only what to do."""
        if self.answer is None:
            return "Not locked yet."
        if self._measured is None:
            self._measured = self._measure()
            facts = {"measured": str(self._measured.choice), "right": self._right()}
            progress.keep("predictions", self.name, facts)
        found = self._measured
        verdict = "As you said" if self._right() else "Measured"
        return f"You said {self._said()}. {verdict}: {self._found()}. {found.sentence}"

    def _right(self) -> bool:
        assert self._measured is not None
        found = self._measured.choice
        if self.answer == NO_IDEA or isinstance(found, str):
            return self.answer == found
        return abs(float(self.answer or "nan") - found) <= self._measured.within * abs(found)

    def _said(self) -> str:
        if self.answer == NO_IDEA:
            return NO_IDEA
        if isinstance(self._choices, Span):
            return f"{self._with_unit(float(self.answer or 'nan'))} ({self.confidence})"
        return f'"{self.answer}" ({self.confidence})'

    def _found(self) -> str:
        assert self._measured is not None
        found = self._measured.choice
        if isinstance(found, str):
            return f'"{found}"'
        words, far = self._with_unit(found), self.answer != NO_IDEA and not self._right()
        guess = float(self.answer) if far else found  # type: ignore[arg-type]
        if far and guess * found > 0:
            ratio = max(guess / found, found / guess)
            off = f"{ratio:.2g}" if ratio < 100 else f"{ratio:.0f}"
            high = "high" if abs(guess) > abs(found) else "low"
            words += f", so your guess was {off} times too {high}"
        return words

    def _with_unit(self, number: float) -> str:
        unit = self._choices.unit if isinstance(self._choices, Span) else ""
        digits = f"{number:.3g}" if abs(number) < 1000 else f"{number:.0f}"
        return f"{digits} {unit}".rstrip()

    def _answer_box(self) -> Any:
        layout = widgets.Layout(width="auto")
        if isinstance(self._choices, Span):
            low, high, unit = self._choices.low, self._choices.high, self._choices.unit
            return widgets.Text(
                placeholder=f"a number from {low:g} to {high:g}", description=unit or "number",
                style={"description_width": "initial"}, layout=layout,
            )  # fmt: skip
        return widgets.RadioButtons(options=[*self._choices, NO_IDEA], value=None, layout=layout)

    def _valid(self, answer: str) -> str:
        if answer == NO_IDEA:
            return answer
        if isinstance(self._choices, Span):
            low, high = self._choices.low, self._choices.high
            try:
                number = float(str(answer).strip().replace(",", "."))
            except ValueError:
                number = math.nan
            if not low <= number <= high:
                raise ParameterError(f"got {answer!r}; expected a number from {low:g} to {high:g}")
            return f"{number:g}"
        if answer not in self._choices:
            raise ParameterError(
                f"got {answer!r}; expected one of {', '.join(map(repr, self._box.options))}"
            )
        return answer

    def _take(self, answer: str, confidence: str) -> None:
        self.answer, self.confidence = answer, confidence
        self._box.value, self._confidence.value = answer, confidence
        for control in (self._box, self._confidence, self._lock, self._pass):
            control.disabled = True
        self._status.value = paragraph(f"Locked: {self._said()}. Now read on, and watch.")
        self.reveal()

    def _remember(self) -> None:
        """Lock what was locked in an earlier sitting, if the question still has that answer."""
        kept = progress.entry("predictions", self.name)
        try:
            if kept and kept["confidence"] in CONFIDENCE:
                self._take(self._valid(kept["answer"]), kept["confidence"])
        except (ParameterError, KeyError, TypeError):
            return  # it was another question then

    def _locked(self, _button: object) -> None:
        try:
            self.lock(self._box.value, self._confidence.value)
        except ParameterError as error:
            self._status.value = paragraph(str(error)[:1].upper() + str(error)[1:])

    def _chosen(self, _change: object) -> None:
        self._lock.disabled = self.answer is not None or not self._box.value
