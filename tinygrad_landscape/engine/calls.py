"""The tables of what can be differentiated, and the one door through which every call goes.

A *rule* is keyed by the function it belongs to (``np.tanh``, our own ``relu``) and says what
happens to a gradient on its way back. A *composite* is a function written in terms of others. A
*constant* does not depend smoothly on its input and answers with plain arrays. Whatever is in none
of the three is refused. `normalise` turns any way of calling a function into (tensors, options).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .errors import NotDifferentiableError

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class Entry:
    """What a table knows of one function: how to compute it, its rule, how its calls are bound.

    Positional parameters are tensors, keyword-only ones are static options, ``*arrays`` takes any
    number of tensors. They are read off a primitive itself; for NumPy's functions, off the rule,
    whose parameters after ``g, out`` carry NumPy's own names.
    """

    def __init__(self, function: Function, body: Function, skip: int) -> None:
        self.function, self.body, self.skip = function, body, skip
        ours: Any = getattr(function, "forward", None)  # what `primitive` wraps
        first, code = (0, ours.__code__) if ours else (skip, body.__code__)
        names, positional = code.co_varnames, code.co_argcount
        keywords = positional + code.co_kwonlyargcount
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.tensors = [*names[first:positional], *names[keywords : keywords + self.variadic]]
        self.options = set(names[positional:keywords])
        # np.concatenate takes its arrays as one sequence, our own functions one by one
        self.packed = self.variadic and not ours
        self.forward = ours or (_packing(function) if self.packed else function)
        self.plain = 0 if self.packed else len(self.tensors)  # so many arguments need no binding
        self.known: dict[str, inspect.Parameter] | None = None

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The function's parameters by name and in its own order, looked up once."""
        if self.known is None:
            try:
                found = list(inspect.signature(self.function).parameters.values())
            except ValueError:  # written in C and silent about its signature: ours stands for it
                ours = list(inspect.signature(self.body).parameters.values())[self.skip :]
                found = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in ours]
            self.known = {p.name: p for p in found if p.kind is not p.VAR_KEYWORD}
        return self.known


def _packing(function: Function) -> Function:
    def forward(*arrays: Any, **options: Any) -> Any:
        return function(arrays, **options)

    return forward


RULES: dict[Function, Entry] = {}
COMPOSITES: dict[Function, Entry] = {}
CONSTANTS: set[Function] = set()
ALIASES: dict[Function, Function] = {}


def _enter(table: dict[Function, Entry], function: Function, entry: Entry) -> None:
    if any(function in known for known in (RULES, COMPOSITES, CONSTANTS, ALIASES)):
        raise ValueError(f"{spelled(function)} is registered already; a function has one meaning")
    table[function] = entry


def rule(*functions: Function) -> Callable[[F], F]:
    """Register how a gradient passes back through a function.

    A rule is called as ``rule(g, out, *tensors, **options)``: the gradient of the result, the
    result, and what the function was called with. It returns one gradient per tensor, or a
    function of no arguments that computes it, called only when that gradient is wanted, or None
    for no gradient at all. It is written in NumPy and changes nothing it is given: fed arrays it
    computes; fed Tensors it is recorded, and so differentiated again. Broadcasting is undone by
    the caller.

    Raises:
        ValueError: the function has a meaning already.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> @tl.primitive
    ... def cube(x):
    ...     return x * x * x
    >>> @tl.rule(cube)
    ... def _(g, out, x):
    ...     return (3.0 * g * x * x,)
    >>> float(tl.grad(tl.grad(cube))(2.0))
    12.0
    """

    def register(body: F) -> F:
        for function in functions:
            _enter(RULES, function, Entry(function, body, skip=2))
        return body

    return register


def composite(*functions: Function) -> Callable[[F], F]:
    """Register a NumPy function as a composition of others; its body takes NumPy's own names."""

    def register(body: F) -> F:
        for function in functions:
            _enter(COMPOSITES, function, Entry(function, body, skip=0))
        return body

    return register


def spelled(function: Function) -> str:
    """The name a reader would type: ``np.linalg.norm``, ``relu``."""
    name = getattr(function, "__name__", repr(function))
    module = getattr(function, "__module__", None) or ("numpy" if name in dir(np) else "")
    return f"np.{module[6:]}.{name}".replace("..", ".") if module.startswith("numpy") else name


WHY_NOT = {
    "out": "a result is always a new array (t += 1 is spelled t = t + 1)",
    "where": "select with np.where(mask, t, 0.0) or t[mask] first",
    "dtype": "say t.astype(dtype)",
    "initial": "combine with np.add, np.maximum, ... afterwards",
}


def unsupported(function: Function, name: str) -> NotDifferentiableError:
    """The error for an argument that a Tensor cannot be given together with."""
    why = WHY_NOT.get(name, "leave it out")
    return NotDifferentiableError(
        f"{spelled(function)}({name}=...) is not supported on a Tensor; {why}"
    )


def named(entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by parameter name; what is left at its default is left out."""
    parameters, known = entry.parameters(), {*entry.tensors, *entry.options}
    places = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    if len(args) > len(places):
        raise TypeError(f"{spelled(entry.function)} got {len(args)} positional arguments")
    given = dict(zip(places, args))
    if repeated := given.keys() & kwargs.keys():
        raise TypeError(f"{spelled(entry.function)} got {sorted(repeated)} twice")
    given.update(kwargs)
    for name in given.keys() - known:
        value = given.pop(name)
        default = parameters[name].default if name in parameters else inspect.Parameter.empty
        plain = value is None or isinstance(value, bool | int | str)
        if not (value is default or (plain and value == default)):
            raise unsupported(entry.function, name)
    return given


def normalise(
    entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Any way of calling a function with a rule, as (positional tensors, static options)."""
    positional = not entry.packed and (entry.variadic or len(args) <= len(entry.tensors))
    if positional and (not kwargs or kwargs.keys() <= entry.options):
        return args, kwargs  # most calls look like this already
    given = named(entry, args, kwargs)
    tensors: list[Any] = []
    for name in entry.tensors:
        if name not in given:
            break
        value = given.pop(name)
        tensors.extend(value) if entry.packed else tensors.append(value)
    if left := given.keys() & set(entry.tensors):
        raise TypeError(f"{spelled(entry.function)} got {sorted(left)} but not the one before")
    return tuple(tensors), given


REDUCTIONS: dict[tuple[str, Any], Function] = {
    ("reduce", np.add): np.sum,
    ("reduce", np.multiply): np.prod,
    ("reduce", np.maximum): np.max,
    ("reduce", np.minimum): np.min,
    ("accumulate", np.add): np.cumsum,
}


def ufunc_call(
    ufunc: np.ufunc, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Function, tuple[Any, ...], dict[str, Any]]:
    """What the ufunc protocol hands over, as a plain call: ``add.reduce(t)`` is ``sum(t, 0)``."""
    if method == "__call__":
        return ufunc, args, kwargs
    function = REDUCTIONS.get((method, ufunc))
    if function is None:
        raise NotDifferentiableError(
            f"np.{ufunc.__name__}.{method} has no rule for Tensors; "
            "use plain calls such as np.sum, np.prod, np.max, np.cumsum, np.outer"
        )
    order = ("axis", "dtype", "out", "keepdims", "initial", "where")
    return function, args[:1], {"axis": 0} | dict(zip(order, args[1:], strict=False)) | kwargs


HINTS = {
    "median percentile quantile partition": "np.sort and indexing",
    "append insert block dstack": "np.concatenate, np.stack",
    "delete compress extract": "indexing",
    "copyto put select choose piecewise": "np.where",
    "cumprod": "np.exp(np.cumsum(np.log(t)))",
    "cross kron": "np.einsum, np.outer",
    "trapezoid gradient": "np.sum, np.diff and slices",
    "pinv lstsq": "np.linalg.solve, np.linalg.inv",
    "svd eig eigh eigvals eigvalsh": "np.linalg.norm, np.trace, np.linalg.det, np.linalg.slogdet",
}


def refusal(function: Function) -> NotDifferentiableError:
    """The error for a function without a rule, naming the nearest functions that have one."""
    import difflib

    name = getattr(function, "__name__", "")
    near = next((hint for names, hint in HINTS.items() if name in names.split()), None)
    if near is None:
        known = {f.__name__: spelled(f) for f in (*RULES, *COMPOSITES)}
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        near = ", ".join(known[c] for c in close) or "the functions listed in tl.engine.RULES"
    return NotDifferentiableError(
        f"{spelled(function)} has no differentiation rule. Nearest alternatives: {near}. "
        "For a value without a gradient say t.numpy() first; for a rule of your own see tl.rule."
    )
