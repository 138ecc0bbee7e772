"""The engine room of lesson 6: a second engine, loaded from the same files, to be rewritten.

The one idea: the copy has tables of its own, so a learner's rule can be put into it, tried to the
second order, and put in again, while the engine that everything else runs on never notices.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .. import engine as original
from .exercises import Exercise, Verdict
from .words import Text

Array = np.ndarray[Any, Any]
Rule = Callable[..., Any]

_copies = itertools.count(1)


def working_copy() -> ModuleType:
    """Load the engine once more, under a name of its own: other Tensors, other tables of rules.

    >>> from tinygrad_landscape import engine
    >>> copy = working_copy()
    >>> copy.Tensor is engine.Tensor, copy.RULES is engine.RULES
    (False, False)
    >>> copy.RULES.keys() >= {np.tanh, np.matmul}
    True
    """
    name = f"engine_copy_{next(_copies)}"
    [home] = original.__path__
    spec = importlib.util.spec_from_file_location(
        name, original.__file__, submodule_search_locations=[home]
    )
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Piece(Exercise):
    """One piece of the engine to write: right as numbers first, then to the second order.

    `install` puts a rule into the copy, `probe(function, arrays)` is what exercises it there.
    """

    def __init__(
        self,
        copy: ModuleType,
        install: Callable[[Rule], None],
        probe: tuple[Callable[..., Any], Sequence[Array]],
        reference: Rule,
        **options: Any,
    ):
        super().__init__(reference, **options)
        self.copy, self.install, self.probe, self.yours = copy, install, probe, False

    def _judged(self, attempt: Any) -> Verdict:
        """Compare with the hidden cases, install it in the copy, and check it to second order."""
        verdict = super()._judged(attempt)
        if verdict.state != "passed":
            return verdict
        f, arrays = self.probe
        self.install(attempt)
        try:
            self.copy.check_gradients(f, *arrays, order=2)
        except Exception as error:
            self.install(self.reference)
            self.yours = False
            return Verdict(
                "not yet",
                "the first derivative is right, but the rule cannot be differentiated again: "
                f"{type(error).__name__}: {error}",
            )
        self.yours = True
        errors = ", ".join(f"order {order}: {worst:.0e}" for order, worst in self.errors())
        return Verdict("passed", f"it is in the copy now. Largest error, {errors}.")

    def errors(self) -> list[tuple[int, float]]:
        """The largest disagreement with finite differences, at each order."""
        f, arrays = self.probe
        worst: dict[int, float] = {}
        for order, _, got, expected in self.copy.check.derivatives(f, *arrays, order=2):
            worst[order] = max(worst.get(order, 0.0), float(np.abs(got - expected).max()))
        return list(worst.items())


# ---- the three pieces, as we would write them, and as they go wrong ----


def tanh_rule(g: Any, out: Any, x: Any) -> Any:
    """Return the gradient of x, where out = np.tanh(x) and g is the gradient of out."""
    return g * (1.0 - out * out)


def matmul_rule(g: Any, out: Any, a: Any, b: Any) -> Any:
    """Return the gradients of two matrices a and b, where out = a @ b."""
    return g @ b.T, a.T @ g


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Return g, summed so that it has the shape of the array that broadcasting had stretched."""
    added = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(added)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=stretched, keepdims=True)


def _mean(g: Array, shape: tuple[int, ...]) -> Array:
    return unbroadcast(g, shape) * (np.prod(shape) / g.size)


def _first(g: Array, shape: tuple[int, ...]) -> Array:
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, n) for n in shape)]


def _leading_only(g: Array, shape: tuple[int, ...]) -> Array:
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


def _reshaped(g: Array, shape: tuple[int, ...]) -> Array:
    return np.resize(g, shape)


TANH_MISTAKES: dict[str, Rule] = {
    "g is missing: a rule hands on g times the local factor.": lambda g, out, x: 1.0 - out * out,
    "out is tanh(x) already, and you took tanh of it again.": lambda g, out, x: (
        g * (1.0 - np.tanh(out) ** 2)
    ),
    "x is squared where out should be: the factor is 1 - out².": lambda g, out, x: (
        g * (1.0 - x * x)
    ),
    "the square is missing: the factor is 1 - out².": lambda g, out, x: g * (1.0 - out),
}
MATMUL_MISTAKES: dict[str, Rule] = {
    "the two gradients are swapped: return that of a first, then that of b.": lambda g, out, a, b: (
        a.T @ g,
        g @ b.T,
    ),
    "g is missing: it stands in both products.": lambda g, out, a, b: (
        np.ones_like(g) @ b.T,
        a.T @ np.ones_like(g),
    ),
    "the gradient of b has its factors the wrong way round: (g.T @ a) is its "
    "transpose.": lambda g, out, a, b: (g @ b.T, g.T @ a),
    "the gradient of a has its factors the wrong way round: (b @ g.T) is its "
    "transpose.": lambda g, out, a, b: (b @ g.T, a.T @ g),
}
SUM_MISTAKES: dict[str, Rule] = {
    "the copies' gradients are averaged: what comes back along several links adds up, so sum "
    "them.": _mean,
    "only one of the copies is kept: all of them changed the result, so sum over them.": _first,
    "only the axes in front are summed; an axis of length 1 was stretched, too.": _leading_only,
    "the numbers are put into the shape without being added: sum over the axes that were "
    "stretched.": _reshaped,
}


class EngineRoom:
    """A copy of the engine in which three pieces are to be written: tanh, matmul, unbroadcast.

    Each of the three has `check(yours)`, `hint()` and `solution()`; until yours passes, ours works.

    >>> room = EngineRoom()
    >>> room.matmul.check(lambda g, out, a, b: (g @ b.T, a.T @ g)).state
    'passed'
    >>> print(room.hessian().splitlines()[0])
    in the copy: tanh ours, matmul yours, unbroadcast ours
    """

    def __init__(self) -> None:
        self.engine = copy = working_copy()
        draw = np.random.default_rng(6).normal
        self.tanh = Piece(
            copy,
            self._rule(np.tanh, lambda rule: lambda g, out, x: (rule(g, out, x),)),
            (lambda x: np.tanh(x) * x, [draw(size=4)]),
            tanh_rule,
            returns=("gx",),
            instances=lambda: [(g, np.tanh(x), x) for g, x in (
                (np.array([1.0, -2.0]), np.array([0.3, -1.2])), (np.array(3.0), np.array(0.5)))],
            mistakes=TANH_MISTAKES,
            hints=("the slope of tanh is 1 - tanh², and out is the tanh.",
                   "return g * (1 - out * out)."),
            name="06 tanh rule",
        )  # fmt: skip
        a, b, g = draw(size=(2, 3)), draw(size=(3, 4)), draw(size=(2, 4))
        c, d, h = draw(size=(3, 3)), draw(size=(3, 3)), draw(size=(3, 3))
        self.matmul = Piece(
            copy,
            self._rule(np.matmul, lambda rule: rule),
            (np.matmul, [a, b]),
            matmul_rule,
            returns=("ga", "gb"),
            instances=lambda: [(g, a @ b, a, b), (h, c @ d, c, d)],
            mistakes=MATMUL_MISTAKES,
            hints=("look at the shapes: a is (n, k), b is (k, m), so g is (n, m). Which product of "
                   "g and b has the shape of a?",
                   "out[i, j] sums a[i, k] b[k, j]; so a[i, k] gets the sum over j of g[i, j] "
                   "b[k, j], and that is g @ b.T.",
                   "return g @ b.T, a.T @ g."),
            name="06 matmul rule",
        )  # fmt: skip
        shapes = ((4,), (3, 1), (1, 4), (2, 3, 4), (2, 1, 1), ())
        big = draw(size=(2, 3, 4))
        self.unbroadcast = Piece(
            copy,
            self._fitting,
            (lambda x, y, z: (x * y + z) * z, [draw(size=(3, 1)), draw(size=4), draw(size=())]),
            unbroadcast,
            returns=("g",),
            instances=lambda: [(big, shape) for shape in shapes],
            mistakes=SUM_MISTAKES,
            hints=("an axis was stretched if it is new (shape is shorter than g.shape; new axes "
                   "stand in front) or if its length in shape is 1.",
                   "first g = g.sum(axis=tuple(range(g.ndim - len(shape)))); now both have the "
                   "same number of axes.",
                   "then sum over every axis i with shape[i] == 1, with keepdims=True."),
            name="06 unbroadcast",
        )  # fmt: skip

    def _rule(self, function: Any, wrap: Callable[[Rule], Rule]) -> Callable[[Rule], None]:
        def install(rule: Rule) -> None:
            wrapped = wrap(rule)
            self.engine.RULES[function].body = lambda g, out, *xs, **_: wrapped(g, out, *xs)

        return install

    def _fitting(self, shrink: Rule) -> None:
        """Put `shrink` where the copy undoes broadcasting; the rest of that place is types."""
        module, ours = self.engine.differentiate, original.differentiate.fitted

        def fitted(g: Any, x: Any) -> Any:
            stretched = g.shape != x.shape and np.broadcast_shapes(g.shape, x.shape) == g.shape
            return ours(shrink(g, x.shape) if stretched else g, x)

        module.fitted = fitted

    def __repr__(self) -> str:
        whose = ", ".join(
            f"{name} {'yours' if getattr(self, name).yours else 'ours'}"
            for name in ("tanh", "matmul", "unbroadcast")
        )
        return f"in the copy: {whose}"

    def hessian(self) -> Text:
        """All second derivatives of a small network's loss, by the copy and by the engine."""
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))

        def loss(theta: Any) -> Any:
            hidden = np.tanh(x @ theta[:6].reshape(2, 3) + theta[6:9])
            return np.mean(np.square(hidden @ theta[9:].reshape(3, 1) - y))

        theta = rng.normal(size=12)
        by_copy, by_engine = self.engine.hessian(loss)(theta), original.hessian(loss)(theta)
        curvatures, apart = np.linalg.eigvalsh(by_copy), np.abs(by_copy - by_engine).max()
        return Text(
            f"{self!r}\n"
            f"{theta.size} x {theta.size} second derivatives of a small network's loss\n"
            f"largest difference from the real engine: {apart:.2g}\n"
            f"curvatures from {curvatures[0]:.3g} to {curvatures[-1]:.3g}"
        )
