"""Exercises that answer: what a learner wrote is run, compared, and its mistake named.

The one idea is that usual mistakes are data, written as the wrong functions themselves. If an
attempt behaves exactly like one of them, the message can say which one it is. A `Finding` asks for
numbers instead of a function, and its usual mistakes are wrong numbers.
"""

from __future__ import annotations

import copy
import dis
import html
import inspect
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import progress
from .limit import TimeUp, time_limit
from .words import Text

SIGNS = {"passed": "✓", "not yet": "✗", "not attempted": "○"}


@dataclass(frozen=True)
class Verdict:
    """What `check` found: a state, and a sentence that helps. Notebooks show it as a line."""

    state: Literal["passed", "not yet", "not attempted"]
    message: str

    def __str__(self) -> str:
        return f"{SIGNS[self.state]} {self.state}: {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        style = "white-space:pre-wrap;word-break:normal"
        return f'<pre role="status" style="{style}">{html.escape(str(self))}</pre>'


class Task:
    """What both kinds share: hints one at a time, and a record of how it went under `name`."""

    def __init__(self, hints: Sequence[str], name: str | None):
        self.hints, self.name = tuple(hints), name
        self._hints_given = 0

    def hint(self) -> Text:
        """Return the next hint; after the last one it stays."""
        number = min(self._hints_given, len(self.hints) - 1)
        self._hints_given += 1
        progress.keep("exercises", self.name, {"hints": number + 1})
        return Text(f"Hint {number + 1} of {len(self.hints)}: {self.hints[number]}")

    def _kept(self, verdict: Verdict) -> Verdict:
        """Count the try; what has passed once stays passed."""
        if verdict.state != "not attempted":
            before = progress.entry("exercises", self.name)
            passed = "passed" in (verdict.state, before.get("state"))
            facts = {
                "state": "passed" if passed else "not yet",
                "tries": before.get("tries", 0) + 1,
            }
            progress.keep("exercises", self.name, facts)
        return verdict


class Exercise(Task):
    """A function to write: `check(attempt)`, `hint()`, `solution()`.

    Args:
        reference: the right function; it returns a tuple named by `returns`, or with one name the
            value itself.
        returns: names of what is returned.
        instances: builds the arguments of the hidden cases anew for each call.
        mistakes: sentences, each with the wrong function that shows this mistake.
        hints: given one at a time.
        name: what it is kept under in the progress file, its lesson's number first.
        tolerance: the relative error that still counts as right.
        seconds: how long all cases together may take.

    >>> double = Exercise(lambda x: 2 * x, ["y"], lambda: [(1.0,), (3.0,)],
    ...                   {"You squared it.": lambda x: x * x}, hints=["Add x to itself."])
    >>> double.check(lambda x: x + x)
    ✓ passed: all 2 hidden cases agree.
    >>> double.check(lambda x: x * x).message
    'You squared it.'
    """

    def __init__(
        self,
        reference: Callable[..., Any],
        returns: Sequence[str],
        instances: Callable[[], Sequence[tuple[Any, ...]]],
        mistakes: Mapping[str, Callable[..., Any]],
        hints: Sequence[str],
        name: str | None = None,
        tolerance: float = 1e-9,
        seconds: float = 5.0,
    ):
        super().__init__(hints, name)
        self.reference, self.returns, self.instances = reference, tuple(returns), instances
        self.mistakes, self.tolerance, self.seconds = dict(mistakes), tolerance, seconds

    def check(self, attempt: Callable[..., Any]) -> Verdict:
        """Run `attempt` on the hidden cases; say "passed", or which mistake it holds."""
        return self._kept(self._judged(attempt))

    def solution(self) -> Text:
        """Return the source of one right answer."""
        return Text(textwrap.dedent(inspect.getsource(self.reference)))

    def _judged(self, attempt: Any) -> Verdict:
        if attempt is ... or attempt is None or _does_nothing(attempt):
            return Verdict("not attempted", "fill in the body, run that cell, then this one again.")
        if not callable(attempt):
            return Verdict(
                "not yet", f"got {type(attempt).__name__}; hand over the function itself"
            )
        cases = self.instances()
        try:
            with time_limit(self.seconds):
                for number, arguments in enumerate(cases, start=1):
                    problem = self._problem(attempt, arguments)
                    if problem is not None:
                        named = self._named_mistake(attempt)
                        return Verdict("not yet", named or f"hidden case {number}: {problem}")
        except TimeUp:
            return Verdict(
                "not yet",
                f"it was stopped after {self.seconds:g} seconds: is there a loop that never ends?",
            )
        return Verdict("passed", f"all {len(cases)} hidden cases agree.")

    def _problem(self, attempt: Callable[..., Any], arguments: tuple[Any, ...]) -> str | None:
        """Say in one sentence how `attempt` differs from the reference on one case."""
        given = copy.deepcopy(arguments)
        try:
            with np.errstate(all="ignore"):
                got = attempt(*given)
        except Exception as error:
            return _own_lines(error, attempt)
        if not all(map(_unchanged, arguments, given)):
            return (
                "your function changed the array it was given: x -= ... writes into it, "
                "while x = x - ... makes a new one."
            )
        if got is None:
            return f"nothing is returned: end with `return {', '.join(self.returns)}`."
        right = self.reference(*copy.deepcopy(arguments))
        if len(self.returns) == 1:
            got, right = (got,), (right,)
        elif not isinstance(got, tuple) or len(got) != len(self.returns):
            return f"expected `return {', '.join(self.returns)}`, got {type(got).__name__}."
        for name, mine, expected in zip(self.returns, got, right, strict=True):
            problem = _difference(name, mine, expected, self.tolerance)
            if problem is not None:
                return problem
        return None

    def _named_mistake(self, attempt: Callable[..., Any]) -> str | None:
        mine = _results(attempt, self.instances())
        for sentence, wrong in self.mistakes.items():
            theirs = _results(wrong, self.instances())
            if mine is not None and theirs is not None:
                pairs = zip(mine, theirs, strict=True)
                if all(_same(a, b, self.tolerance) for a, b in pairs):
                    return sentence
        return None


class Finding(Task):
    """Numbers to find: `check(*values)`, `hint()`, `solution()`.

    Args:
        judge: takes the values; returns "" if they are right, else a sentence that helps.
        wrong: sentences, each with values (a tuple) that must be answered by it.
        hints: given one at a time.
        answer: one right answer, as the line of Python that a learner would write.
        name: what it is kept under in the progress file, its lesson's number first.

    >>> root = Finding(lambda x: "" if abs(x * x - 2) < 0.1 else "Square it: you want 2.",
    ...                {"Square it: you want 2.": (3.0,)}, ["Between 1 and 2."], "x = 1.4")
    >>> root.check(...)
    ○ not attempted: put your numbers in place of the dots, then run this again.
    >>> root.check(1.41).state
    'passed'
    """

    def __init__(
        self,
        judge: Callable[..., str],
        wrong: Mapping[str, tuple[Any, ...]],
        hints: Sequence[str],
        answer: str,
        name: str | None = None,
    ):
        super().__init__(hints, name)
        self.judge, self.wrong, self.answer = judge, dict(wrong), answer

    def check(self, *values: Any) -> Verdict:
        """Judge the values; `...` in one of them means that nothing was tried yet."""
        if any(value is ... or value is None for value in values):
            words = "put your numbers in place of the dots, then run this again."
            return Verdict("not attempted", words)
        try:
            problem = self.judge(*values)
        except Exception as error:
            problem = f"got {', '.join(f'{value!r:.40}' for value in values)}: {error}"
        good = Verdict("passed", "that is right.")
        return self._kept(Verdict("not yet", problem) if problem else good)

    def solution(self) -> Text:
        """Return one right answer."""
        return Text(self.answer)


def _results(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]]) -> list[Any] | None:
    """What a function returns on all cases; None if it raises on any."""
    try:
        with np.errstate(all="ignore"):
            return [function(*arguments) for arguments in cases]
    except Exception:
        return None


def _unchanged(before: Any, after: Any) -> bool:
    return not isinstance(before, np.ndarray | list | dict) or _same(before, after, 0.0)


def _same(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key], tolerance) for key in a)
    if isinstance(a, tuple) or isinstance(b, tuple):
        both = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b)
        return both and all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if a is None or b is None:
        return a is b
    return _difference("", a, b, tolerance) is None


def _difference(name: str, got: Any, expected: Any, tolerance: float) -> str | None:
    if isinstance(expected, str):
        return None if got == expected else f"{name} is {got!r:.80}, expected {expected!r}."
    if isinstance(expected, dict):
        return _differing(name, got, expected, tolerance)
    try:
        mine, right = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return f"{name} are not numbers of one shape: {got!r:.80}"
    if mine.shape != right.shape:
        return f"{name} has shape {mine.shape}, expected {right.shape}."
    close = np.isclose(mine, right, rtol=tolerance, atol=1e-3 * tolerance, equal_nan=True)
    if close.all():
        return None
    place = tuple(int(i) for i in np.argwhere(~close)[0])
    where = name + "".join(f"[{i}]" for i in place)
    return f"{where} is {mine[place]:.6g}, expected {right[place]:.6g}."


def _differing(name: str, got: Any, expected: dict[Any, Any], tolerance: float) -> str | None:
    if not isinstance(got, dict):
        return f"{name} is a {type(got).__name__}, expected a dict."
    if got.keys() != expected.keys():
        return f"{name} has the keys {sorted(got)}, expected {sorted(expected)}."
    found = (_difference(f"{name}[{key!r}]", got[key], expected[key], tolerance) for key in got)
    return next(filter(None, found), None)


def _does_nothing(function: Any) -> bool:
    if not hasattr(function, "__code__"):
        return False
    nothing = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return all(step.opname in nothing for step in dis.get_instructions(function))


def _own_lines(error: Exception, attempt: Callable[..., Any]) -> str:
    """The learner's own lines of a traceback, without those of the checker and of libraries."""
    home = getattr(getattr(attempt, "__code__", None), "co_filename", None)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == home]
    lines = [f"line {frame.lineno}: {frame.line}" for frame in frames]
    return "\n".join([f"it raised {type(error).__name__}: {error}", *lines])
