"""Exercises that answer: what a learner wrote is run, compared, and its mistake named.

The one idea is that usual mistakes are data, written as the wrong functions themselves. If an
attempt behaves exactly like one of them, the message can say which one it is.
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

from .words import Text


@dataclass(frozen=True)
class Verdict:
    """What `check` found: a state, and a sentence that helps. Notebooks show it as a line."""

    state: Literal["passed", "not yet", "not attempted"]
    message: str

    def __str__(self) -> str:
        sign = {"passed": "✓", "not yet": "✗", "not attempted": "○"}[self.state]
        return f"{sign} {self.state}: {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<pre role="status" style="white-space:pre-wrap">{html.escape(str(self))}</pre>'


class Exercise:
    """A function to write: `check(attempt)`, `hint()`, `solution()`.

    `reference` is the right function and returns a tuple named by `returns`; `instances` builds
    the arguments of the hidden cases anew for each call; `mistakes` maps a sentence to the wrong
    function that shows that mistake.

    >>> double = Exercise(lambda x: (2 * x,), ["y"], lambda: [(1.0,), (3.0,)],
    ...                   {"You squared it.": lambda x: (x * x,)}, hints=["Add x to itself."])
    >>> double.check(lambda x: (x + x,))
    ✓ passed: all 2 hidden cases agree.
    >>> double.check(lambda x: (x * x,)).message
    'You squared it.'
    """

    def __init__(
        self,
        reference: Callable[..., tuple[Any, ...]],
        returns: Sequence[str],
        instances: Callable[[], Sequence[tuple[Any, ...]]],
        mistakes: Mapping[str, Callable[..., Any]],
        hints: Sequence[str],
    ):
        self.reference, self.returns, self.instances = reference, tuple(returns), instances
        self.mistakes, self.hints = dict(mistakes), tuple(hints)
        self._hints_given = 0

    def check(self, attempt: Callable[..., Any]) -> Verdict:
        """Run `attempt` on the hidden cases; say "passed", or which mistake it holds."""
        if not callable(attempt):
            return Verdict(
                "not yet", f"got {type(attempt).__name__}; hand over the function itself"
            )
        if _does_nothing(attempt):
            return Verdict("not attempted", "fill in the body, run that cell, then this one again.")
        cases = self.instances()
        for number, arguments in enumerate(cases, start=1):
            problem = self._problem(attempt, arguments)
            if problem is not None:
                named = self._named_mistake(attempt)
                return Verdict("not yet", named or f"hidden case {number}: {problem}")
        return Verdict("passed", f"all {len(cases)} hidden cases agree.")

    def hint(self) -> Text:
        """Return the next hint; after the last one it stays."""
        number = min(self._hints_given, len(self.hints) - 1)
        self._hints_given += 1
        return Text(f"Hint {number + 1} of {len(self.hints)}: {self.hints[number]}")

    def solution(self) -> Text:
        """Return the source of one right answer."""
        return Text(textwrap.dedent(inspect.getsource(self.reference)))

    def _problem(self, attempt: Callable[..., Any], arguments: tuple[Any, ...]) -> str | None:
        """Say in one sentence how `attempt` differs from the reference on one case."""
        given = copy.deepcopy(arguments)
        try:
            with np.errstate(all="ignore"):
                got = attempt(*given)
        except Exception as error:
            return _own_lines(error, attempt)
        if not all(_same(a, b) for a, b in zip(arguments, given, strict=True) if not callable(a)):
            return (
                "your function changed the array it was given: x -= ... writes into it, "
                "while x = x - ... makes a new one."
            )
        if got is None:
            return f"nothing is returned: end with `return {', '.join(self.returns)}`."
        if not isinstance(got, tuple) or len(got) != len(self.returns):
            return f"expected `return {', '.join(self.returns)}`, got {type(got).__name__}."
        for name, mine, right in zip(self.returns, got, self.reference(*arguments), strict=True):
            problem = _difference(name, mine, right)
            if problem is not None:
                return problem
        return None

    def _named_mistake(self, attempt: Callable[..., Any]) -> str | None:
        mine = _results(attempt, self.instances())
        for sentence, wrong in self.mistakes.items():
            theirs = _results(wrong, self.instances())
            if mine is not None and theirs is not None and all(map(_same, mine, theirs)):
                return sentence
        return None


def _results(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]]) -> list[Any] | None:
    """What a function returns on all cases; None if it raises on any."""
    try:
        with np.errstate(all="ignore"):
            return [function(*arguments) for arguments in cases]
    except Exception:
        return None


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) or isinstance(b, tuple):
        both = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b)
        return both and all(map(_same, a, b))
    if a is None or b is None:
        return a is b
    return _difference("", a, b) is None


def _difference(name: str, got: Any, expected: Any) -> str | None:
    try:
        mine, right = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return f"{name} are not numbers of one shape: {got!r:.80}"
    if mine.shape != right.shape:
        return f"{name} has shape {mine.shape}, expected {right.shape}."
    if np.allclose(mine, right, rtol=1e-9, atol=1e-12, equal_nan=True):
        return None
    place = tuple(int(i) for i in np.argwhere(~np.isclose(mine, right, rtol=1e-9, atol=1e-12))[0])
    where = name + "".join(f"[{i}]" for i in place)
    return f"{where} is {mine[place]:.6g}, expected {right[place]:.6g}."


def _does_nothing(function: Callable[..., Any]) -> bool:
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
