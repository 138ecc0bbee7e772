"""Backpropagation, and everything that is a word or two away from it.

`sweep` walks the graph once, newest node first, and hands each node's gradient to the rule of the
function that made it. Fed arrays the rules compute; fed Tensors (``create_graph``) they record, so
that the gradient can be differentiated again: second derivatives are nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any

import numpy as np

from .calls import RULES, spelled
from .errors import GraphReleasedError, ShapeError
from .tensor import Tensor, result, results

Function = Callable[..., Any]
RELEASED = ("released",)
_order = attrgetter("order")


def ancestors(y: Tensor) -> list[Tensor]:
    """All nodes that a result was computed from, itself included, newest first."""
    if type(y) is not Tensor:
        raise TypeError(f"gradients flow from a Tensor; got {type(y).__name__}, a constant")
    found, waiting = {id(y): y}, [y]
    while waiting:
        node = waiting.pop()
        if node.arguments is RELEASED:
            raise GraphReleasedError(
                "this graph was released by an earlier backward(); compute the result again, or "
                "say backward(retain_graph=True) the first time"
            )
        for argument in node.arguments:
            if type(argument) is Tensor and id(argument) not in found:
                found[id(argument)] = argument
                waiting.append(argument)
    return sorted(found.values(), key=_order, reverse=True)


def sweep(
    nodes: list[Tensor], seed: Any, targets: Sequence[Tensor], create_graph: bool
) -> list[Any]:
    """The gradient of ``nodes[0]``, of which `nodes` are the ancestors, by each target.

    Gradients wait at the node they belong to until all later nodes have added their part: that is
    what the order is for. Only nodes on a path to a target take part.
    """
    wanted = {id(target) for target in targets}
    useful = _useful(nodes, wanted)
    waiting = {id(nodes[0]): checked_seed(nodes[0], seed, create_graph)}
    with np.errstate(all="ignore"):  # whatever overflows here, the forward pass has already said
        for node in nodes:
            key = id(node)
            g = waiting.get(key) if key in wanted else waiting.pop(key, None)
            if g is None or not node.arguments:
                continue
            if node.function is result:  # waits for its siblings at the call they came from
                add(waiting, node.arguments[0], (node.options["index"], g))
                continue
            for argument, part in zip(node.arguments, pull(node, g, create_graph)):
                if id(argument) in useful and part is not None:
                    add(waiting, argument, part() if callable(part) else part)
        return [_own(waiting.get(id(target)), target, create_graph) for target in targets]


def _useful(nodes: list[Tensor], wanted: set[int]) -> set[int]:
    """The nodes on a path to a wanted one; all of them, where every leaf is wanted."""
    if wanted.issuperset([id(node) for node in nodes if not node.arguments]):
        return {id(node) for node in nodes}
    useful = set(wanted)
    for node in reversed(nodes):
        for argument in node.arguments:
            if id(argument) in useful:
                useful.add(id(node))
                break
    return useful


def pull(node: Tensor, g: Any, create_graph: bool) -> tuple[Any, ...]:
    """One node's rule: the gradient of its result, as gradients of its arguments."""
    function: Any = node.function
    out: Any = node.data
    arguments = node.arguments
    if function is result:
        return ((node.options["index"], g),)
    if type(out) is tuple:  # several results: gradients arrived for some of them
        g = tuple(np.zeros_like(d) if p is None else p for d, p in zip(out, g))
        if create_graph:
            out = results(node)
    elif create_graph:
        out = node
    if not create_graph:
        arguments = tuple([a.data if type(a) is Tensor else a for a in arguments])
    parts = RULES[function].body(g, out, *arguments, **node.options)
    if type(parts) is not tuple or len(parts) < len(arguments):
        raise TypeError(
            f"the rule of {spelled(function)} must return a tuple with one gradient for each of "
            f"its {len(arguments)} arguments (None for no gradient); got {type(parts).__name__}"
        )
    return parts


def add(waiting: dict[int, Any], argument: Tensor, part: Any) -> None:
    """Gradients of a value that is used several times add up."""
    key, x = id(argument), argument.data
    if type(part) is tuple:  # the gradient of one of several results
        index, g = part
        slots = waiting.setdefault(key, [None] * len(x))
        slots[index] = g if slots[index] is None else slots[index] + g
        return
    if part.shape != x.shape or part.dtype != x.dtype:
        part = fitted(part, x)
    waiting[key] = waiting[key] + part if key in waiting else part


def fitted(g: Any, x: Any) -> Any:
    """Undo what NumPy did to a value to make it fit: repeat it along axes, raise its precision."""
    shape, dtype = x.shape, x.dtype
    if g.shape != shape:
        if g.ndim > len(shape):
            g = g.sum(axis=tuple(range(g.ndim - len(shape))))
        offset = len(shape) - g.ndim
        repeated = tuple(i for i, n in enumerate(g.shape) if shape[i + offset] == 1 and n != 1)
        if repeated:
            g = g.sum(axis=repeated, keepdims=True)
        if g.shape != shape:
            g = np.broadcast_to(g, shape)
    return g if g.dtype == dtype else g.astype(dtype)


def checked_seed(y: Tensor, seed: Any = None, create_graph: bool = False) -> Any:
    """The gradient that a sweep starts with, of y's shape."""
    if seed is None:
        if y.size != 1:
            raise ShapeError(
                f"only a single number has a gradient; got a result of shape {y.shape}. Reduce it, "
                "for instance with .sum() or .mean(), or pass seed= of that shape"
            )
        return np.ones(y.shape, y.dtype)
    if type(seed) is not Tensor:
        seed = np.asarray(seed, dtype=y.dtype)
    if seed.shape != y.shape:
        raise ShapeError(f"seed has shape {seed.shape}; expected {y.shape}, the result's shape")
    return seed if create_graph or type(seed) is not Tensor else seed.data


def constant() -> None:
    """The function of a Tensor that depends on nothing, and yet is nobody's variable."""


def _constant(data: Any) -> Tensor:
    node = Tensor(data)
    node.function = constant
    return node


def _own(g: Any, target: Tensor, create_graph: bool) -> Any:
    """A gradient that belongs to nobody else; zeros where there is no path."""
    if type(g) is Tensor:
        return +g
    g = np.zeros_like(target.data) if g is None else g
    return _constant(g) if create_graph else np.array(g)


def gradients(
    y: Tensor, xs: Sequence[Tensor], seed: Any = None, create_graph: bool = False
) -> list[Any]:
    """The gradient of `y` with respect to each of `xs`; the primitive under everything else.

    Args:
        y: a Tensor; a single number, unless `seed` is given.
        xs: Tensors, leaves or not. One that `y` does not depend on gets zeros.
        seed: gradient of whatever comes after `y`, of y's shape.
        create_graph: answer with Tensors, which can be differentiated again.

    Returns:
        A list: arrays of the shape and dtype of each x that nobody else holds, or Tensors.

    Raises:
        ShapeError: no seed for a result with several elements, or one that does not fit.
        GraphReleasedError: the graph was used up by ``y.backward()``.

    >>> import tinygrad_landscape as tl
    >>> x = tl.Tensor(3.0)
    >>> [slope] = tl.gradients(x**3, [x], create_graph=True)
    >>> tl.gradients(slope, [x])
    [array(18.)]
    """
    if isinstance(xs, Tensor) or {type(x) for x in xs} - {Tensor}:
        raise TypeError("xs must be a list of Tensors; for one Tensor say gradients(y, [x])")
    return sweep(ancestors(y), seed, xs, create_graph)


def backward(y: Tensor, seed: Any, retain_graph: bool) -> None:
    """See `Tensor.backward`. Nothing is changed before everything is computed."""
    nodes = ancestors(y)
    leaves = [node for node in nodes if node.function is None]
    for leaf, g in zip(leaves, sweep(nodes, seed, leaves, create_graph=False)):
        leaf.grad = g if leaf.grad is None else np.asarray(leaf.grad + g)
    if not retain_graph:
        for node in nodes:
            if node.arguments:
                node.arguments = RELEASED


# ---- functions in, functions out ----


def _evaluate(f: Function, x: Any, args: Any, kwargs: Any) -> tuple[Tensor, list[Tensor], bool]:
    """`f` at a node of its own, so that nested derivatives never mix, and the graph behind it.

    The graph is open if it reaches Tensors from outside; then derivatives must stay Tensors, too.
    """
    node = +x if type(x) is Tensor else Tensor(x)
    y = f(node, *args, **kwargs)
    node.function = node.function or constant  # nobody's variable from here on
    nodes = ancestors(y if type(y) is Tensor else _constant(y))
    return node, nodes, type(x) is Tensor or any(other.function is None for other in nodes)


def value_and_grad(f: Function) -> Function:
    """The function that gives `f`'s value and its gradient with respect to the first argument.

    Array in, arrays out; Tensor in (or a Tensor used inside `f`), differentiable Tensors out.

    Raises:
        ShapeError: `f` does not answer with a single number (say `jacobian`).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """

    @wraps(f)
    def value_and_gradient(x: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        node, nodes, is_open = _evaluate(f, x, args, kwargs)
        [g] = sweep(nodes, None, [node], is_open)
        return nodes[0] if is_open else nodes[0].numpy(), g

    return value_and_gradient


def grad(f: Function) -> Function:
    """The function that gives the gradient of `f` with respect to its first argument.

    Array in, array out; Tensor in (or a Tensor used inside `f`), differentiable Tensor out.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.grad(np.sin)(0.0)
    array(1.)
    >>> tl.grad(tl.grad(tl.grad(np.sin)))(0.0)
    array(-1.)
    """

    @wraps(f)
    def gradient(x: Any, *args: Any, **kwargs: Any) -> Any:
        return value_and_grad(f)(x, *args, **kwargs)[1]

    return gradient


def hvp(f: Function) -> Function:
    """The function ``(x, v) -> H v`` with the Hessian of `f` at `x`, exact and without forming H.

    One gradient sweep that is recorded, and one sweep through the recording (Pearlmutter 1994).

    Raises:
        ShapeError: `v` is not of x's shape, or `f` does not answer with a single number.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.hvp(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """

    @wraps(f)
    def product(x: Any, v: Any, *args: Any, **kwargs: Any) -> Any:
        node, nodes, is_open = _evaluate(f, x, args, kwargs)
        [g] = sweep(nodes, None, [node], create_graph=True)
        [hv] = sweep(ancestors(g), v, [node], create_graph=is_open or type(v) is Tensor)
        return hv

    return product


def jacobian(f: Function) -> Function:
    """The function that gives all derivatives of `f`: shape ``f(x).shape + x.shape``.

    One sweep per element of the result.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @wraps(f)
    def derivatives(x: Any, *args: Any, **kwargs: Any) -> Any:
        node, nodes, is_open = _evaluate(f, x, args, kwargs)
        y = nodes[0]
        seeds = np.eye(y.size, dtype=y.dtype).reshape((y.size, *y.shape))
        rows = [sweep(nodes, seed, [node], is_open)[0] for seed in seeds]
        if not rows:
            return np.zeros(y.shape + node.shape, node.dtype)
        return np.reshape(np.stack(rows), y.shape + node.shape)

    return derivatives


def hessian(f: Function) -> Function:
    """The function that gives all second derivatives of `f`: shape ``x.shape + x.shape``.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f))
