"""Numbers that write down how they are used: the smallest autograd that can be read on a tape.

A computation becomes a list of steps, each `(out, operation, inputs)`: places in one list of
numbers. Whoever walks the steps backwards has the gradient; lesson 6 leaves that to the learner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Step = tuple[int, str, tuple[int, ...]]


class Number:
    """A number that writes every +, * and np.tanh it takes part in into a list of steps."""

    def __init__(self, place: int, tape: tuple[list[Step], list[float]]):
        self.place, self.tape = place, tape

    def __add__(self, other: Any) -> Number:
        return self._step("+", other, lambda a, b: a + b)

    def __mul__(self, other: Any) -> Number:
        return self._step("*", other, lambda a, b: a * b)

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self) -> Number:
        """What np.tanh asks of an object that is not an array."""
        steps, v = self.tape
        v.append(float(np.tanh(v[self.place])))
        steps.append((len(v) - 1, "tanh", (self.place,)))
        return Number(len(v) - 1, self.tape)

    def _step(self, op: str, other: Any, value: Callable[[float, float], float]) -> Number:
        steps, v = self.tape
        if not isinstance(other, Number):
            v.append(float(other))
            other = Number(len(v) - 1, self.tape)
        v.append(value(v[self.place], v[other.place]))
        steps.append((len(v) - 1, op, (self.place, other.place)))
        return Number(len(v) - 1, self.tape)


def record(f: Callable[..., Any], *inputs: float) -> tuple[tuple[Step, ...], list[float]]:
    """Write down how `f` computes its result from numbers, with +, * and np.tanh.

    Returns the steps `(out, operation, inputs)`, places in the list of numbers, and that list.

    >>> record(lambda a: a + a, 3.0)
    (((1, '+', (0, 0)),), [3.0, 6.0])
    """
    tape: tuple[list[Step], list[float]] = ([], list(map(float, inputs)))
    f(*(Number(place, tape) for place in range(len(inputs))))
    return tuple(tape[0]), tape[1]
