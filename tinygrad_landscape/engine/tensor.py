"""A Tensor is a NumPy array that remembers how it was computed.

It *is* the node of the graph: its data, the function that made it, the arguments and the options.
Whatever NumPy does to a Tensor arrives here through NumPy's own protocols, is computed with plain
arrays, and is recorded. There are no closures and no back references, so nothing has to be
cleaned up. What is wrapped in Tensor is differentiable; constants are plain arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .calls import (
    ALIASES,
    COMPOSITES,
    CONSTANTS,
    RULES,
    Entry,
    named,
    normalise,
    refusal,
    rule,
    spelled,
    ufunc_call,
    unsupported,
)
from .errors import NotDifferentiableError

if TYPE_CHECKING:
    from .graph import Graph

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

_tick = itertools.count().__next__  # parents are older than children: this orders the graph


def _method(function: Function) -> Function:
    """A method that mirrors ndarray's, by way of the function of the same name."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call(function, (self, *args), kwargs)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = f"``np.{function.__name__}`` of this Tensor."
    return method


class Tensor(NDArrayOperatorsMixin):
    """An array whose use is recorded, so that gradients can flow back to it.

    Args:
        data: numbers, a list or an array. Integers become float64; float arrays keep their dtype.
            The data is copied.

    Attributes:
        data: the values, an ndarray.
        grad: after ``.backward()``, the gradient of a leaf (ndarray of the same shape), else None.
        function, arguments, options: how it was made; ``function`` is None for a leaf.

    Raises:
        TypeError: data that is not real numbers.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> t = tl.Tensor([1.0, 2.0])
    >>> y = (np.tanh(t) * 3).sum()
    >>> y.backward()
    >>> np.allclose(t.grad, 3 * (1 - np.tanh([1.0, 2.0]) ** 2))
    True
    """

    __slots__ = ("arguments", "data", "function", "grad", "options", "order")

    data: Array
    grad: Array | None
    function: Function | None
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    order: int

    def __init__(self, data: Any) -> None:
        array = np.array(data)
        if array.dtype.kind in "iub":
            array = array.astype(np.float64)
        if array.dtype.kind != "f":
            raise TypeError(f"a Tensor holds real numbers; got dtype {array.dtype}")
        self.data, self.grad, self.function, self.arguments = array, None, None, ()
        self.options, self.order = {}, _tick()

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Tensor is final; write a function of Tensors instead of a subclass")

    # ---- NumPy's protocols: everything that happens to a Tensor comes through these two doors ----

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and (entry := RULES.get(ufunc)):
            return record(entry, args, {})
        return call(*ufunc_call(ufunc, method, args, kwargs))

    def __array_function__(self, function: Function, types: Any, args: Any, kwargs: Any) -> Any:
        return call(function, args, kwargs)

    # ---- no silent cut: leaving the graph is said aloud, with .item() or .numpy() ----

    def _leave(self, *_: Any, **__: Any) -> NoReturn:
        raise NotDifferentiableError(
            "a Tensor does not turn into a plain number or array by itself, because its gradient "
            "would be lost silently; say t.item() or t.numpy(), and use np.exp, np.stack, ... "
            "(not math.exp, np.array) to stay differentiable"
        )

    __array__ = __float__ = __int__ = __index__ = __complex__ = _leave

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise NotDifferentiableError(
            "t[i] = value would change what the graph remembers; build a new Tensor instead, "
            "with np.where(mask, value, t) or np.concatenate([...])"
        )

    def __bool__(self) -> bool:
        return bool(self.data)

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (self.data,)  # copies and pickles are detached leaves

    def item(self) -> float:
        """The value of a Tensor with one element, as a Python float."""
        return float(self.data.item())

    def numpy(self) -> Array:
        """A copy of the values as a plain array, cut from the graph."""
        return self.data.copy()

    def detach(self) -> Tensor:
        """A new leaf with the same values."""
        return Tensor(self.data)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        return f"Tensor({text}{'' if self.data.dtype == float else f', dtype={self.data.dtype}'})"

    def __format__(self, spec: str) -> str:
        return format(self.data.item(), spec) if spec else repr(self)

    # ---- derivatives ----

    def backward(self, seed: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this Tensor to the ``.grad`` of every leaf it was computed from.

        Args:
            seed: the gradient of whatever comes after, of this Tensor's shape; 1 for a scalar.
            retain_graph: keep the graph, so that it can be used once more.

        Raises:
            ShapeError: no seed for a result with several elements, or one that does not fit.
            GraphReleasedError: the graph was used up by an earlier ``backward``.
        """
        from .differentiate import backward

        backward(self, seed, retain_graph)

    def graph(self, names: dict[str, Any] | None = None) -> Graph:
        """The computation behind this Tensor as data: values, gradients and local factors."""
        from .graph import build_graph

        return build_graph(self, names)

    # ---- the look and the methods of an ndarray ----

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def T(self) -> Tensor:
        return call(np.transpose, (self,), {})

    @property
    def mT(self) -> Tensor:
        return call(np.swapaxes, (self, -1, -2), {})

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self.data)))

    def __getitem__(self, index: Any) -> Tensor:
        return getitem(self, index=index)

    def astype(self, dtype: Any) -> Tensor:
        """The same values in another float dtype; the gradient comes back in this one."""
        return cast(self, dtype=np.dtype(dtype))

    def reshape(self, *shape: Any) -> Tensor:
        return call(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {})

    def transpose(self, *axes: Any) -> Tensor:
        axes_or_none = axes[0] if len(axes) == 1 else (axes or None)
        return call(np.transpose, (self, axes_or_none), {})

    def flatten(self) -> Tensor:
        return call(np.ravel, (self,), {})

    all = _method(np.all)
    any = _method(np.any)
    argmax = _method(np.argmax)
    argmin = _method(np.argmin)
    argsort = _method(np.argsort)
    clip = _method(np.clip)
    copy = _method(np.copy)
    cumsum = _method(np.cumsum)
    diagonal = _method(np.diagonal)
    dot = _method(np.dot)
    max = _method(np.max)
    mean = _method(np.mean)
    min = _method(np.min)
    nonzero = _method(np.nonzero)
    prod = _method(np.prod)
    ravel = _method(np.ravel)
    repeat = _method(np.repeat)
    round = _method(np.round)
    squeeze = _method(np.squeeze)
    std = _method(np.std)
    sum = _method(np.sum)
    swapaxes = _method(np.swapaxes)
    take = _method(np.take)
    trace = _method(np.trace)
    var = _method(np.var)


# ---- recording: the one place where nodes are made ----


def _node(
    data: Any, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Tensor:
    node = Tensor.__new__(Tensor)
    node.data, node.function, node.arguments, node.options = data, function, arguments, options
    node.grad, node.order = None, _tick()
    return node


def record(entry: Entry, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Compute a function with plain arrays and remember the call: one node for each result."""
    values = []
    for argument in arguments:
        kind = type(argument)
        if kind is list or kind is tuple:
            lists = (list, tuple)
            arrays = tuple(np.asarray(a) if type(a) in lists else a for a in arguments)
            return record(entry, arrays, options)
        values.append(argument.data if kind is Tensor else argument)
    data = entry.forward(*values, **options)
    if isinstance(data, tuple):
        source = _node(tuple(map(np.asarray, data)), entry.function, arguments, options)
        nodes = results(source)
        return data._make(nodes) if hasattr(data, "_make") else nodes
    if type(data) is not np.ndarray:
        data = np.asarray(data)
    if data.dtype.kind != "f":
        raise NotDifferentiableError(
            f"{spelled(entry.function)} answered with dtype {data.dtype}; only real floating-point "
            "numbers can be differentiated"
        )
    return _node(data, entry.function, arguments, options)


def result() -> None:
    """The function of a node that is one of several results of a call."""


def results(source: Tensor) -> tuple[Tensor, ...]:
    """A node for each result of a call that has several."""
    return tuple(_node(d, result, (source,), {"index": i}) for i, d in enumerate(source.data))


def call(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do with Tensors what ``function(*args, **kwargs)`` does with arrays, or say why not."""
    entry = RULES.get(function)
    if entry and len(args) <= entry.plain and not kwargs:
        return record(entry, args, kwargs)  # most calls look like this
    function = ALIASES.get(function, function)
    for name in ("out", "where"):
        if kwargs.get(name) is not None:
            raise unsupported(function, name)
    if entry := RULES.get(function):
        arguments, options = normalise(entry, args, kwargs)
        for name, value in options.items():
            if _holds_tensor(value):
                raise NotDifferentiableError(
                    f"{spelled(function)}({name}=...) is a setting, not an input: give it plain "
                    "values, such as t.numpy()"
                )
        return record(entry, arguments, options)
    if entry := COMPOSITES.get(function):
        if entry.variadic:
            return entry.body(*args, **kwargs)
        return entry.body(**named(entry, args, kwargs))
    if function in CONSTANTS:
        return function(*_plain(args), **_plain(kwargs))
    raise refusal(function)


def _holds_tensor(value: Any) -> bool:
    if type(value) in (tuple, list):
        return any(map(_holds_tensor, value))
    return type(value) is Tensor


def _plain(value: Any) -> Any:
    """The same structure with arrays in the place of Tensors."""
    if type(value) is Tensor:
        return value.data
    if type(value) in (tuple, list):
        return type(value)(map(_plain, value))
    return {k: _plain(v) for k, v in value.items()} if type(value) is dict else value


def primitive(function: F) -> F:
    """Let a function of arrays accept Tensors: it then records itself. Give it a rule, too.

    Positional parameters are tensors (or constants); keyword-only parameters are static options.
    A function that returns a tuple gives one Tensor per result; its rule gets tuples ``g, out``.
    """

    def recorded(*args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()) if kwargs else args:
            if type(argument) is Tensor:
                return call(recorded, args, kwargs)
        return function(*args, **kwargs)

    update_wrapper(recorded, function)
    recorded.forward = function  # type: ignore[attr-defined]
    return recorded  # type: ignore[return-value]


# ---- three primitives that the Tensor itself needs ----


@primitive
def getitem(x: Any, *, index: Any) -> Any:
    return x[index]


@rule(getitem)
def _(g: Any, out: Any, x: Any, *, index: Any) -> Any:
    return (scatter(g, index=index, shape=x.shape),)


@primitive
def scatter(g: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `g` added at an index, which may name an entry more than once."""
    zeros = np.zeros(shape, g.dtype)
    parts = index if type(index) is tuple else (index,)
    if any(hasattr(part, "__len__") and np.asarray(part).dtype != bool for part in parts):
        np.add.at(zeros, index, g)
    else:
        zeros[index] = g
    return zeros


@rule(scatter)
def _(g: Any, out: Any, x: Any, *, index: Any, shape: Any) -> Any:
    return (g[index],)


@primitive
def cast(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


@rule(cast)
def _(g: Any, out: Any, x: Any, *, dtype: Any) -> Any:
    return (g.astype(x.dtype),)
