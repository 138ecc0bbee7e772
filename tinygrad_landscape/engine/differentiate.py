"""Backpropagation, and everything that is a word or two away from it.

`sweep` walks the graph once, newest node first, and hands each node's gradient to the rule of the
function that made it. Fed arrays the rules compute; fed Tensors (``create_graph``) they record, so
that the gradient can be differentiated again: second derivatives are nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from types import FunctionType
from typing import Any

import numpy as np

from .calls import RULES
from .errors import GraphReleasedError, ShapeError
from .tensor import Array, Tensor, cast, result

Function = Callable[..., Any]
RELEASED = ("released",)


def ancestors(output: Tensor) -> list[Tensor]:
    """All nodes that a result was computed from, itself included, newest first."""
    found, waiting = {id(output): output}, [output]
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
    return sorted(found.values(), key=lambda node: node.order, reverse=True)


def sweep(
    nodes: list[Tensor], seed: Any, targets: Sequence[Tensor], create_graph: bool
) -> list[Any]:
    """The gradient of ``nodes[0]`` with respect to each target (None where there is no path)."""
    useful = {id(target) for target in targets}
    for node in reversed(nodes):
        if any(id(argument) in useful for argument in node.arguments if type(argument) is Tensor):
            useful.add(id(node))
    gradients: dict[int, Any] = {id(nodes[0]): seed}
    with np.errstate(all="ignore"):  # whatever overflows here, the forward pass has already said
        for node in nodes:
            g = gradients.get(id(node))
            if g is None or not node.arguments or id(node) not in useful:
                continue
            for argument, part in zip(node.arguments, pull(node, g, create_graph), strict=False):
                if part is None or type(argument) is not Tensor or id(argument) not in useful:
                    continue
                if type(part) is FunctionType:
                    part = part()
                    if part is None:
                        continue
                _add(gradients, argument, part)
    return [gradients.get(id(target)) for target in targets]


def pull(node: Tensor, g: Any, create_graph: bool) -> tuple[Any, ...]:
    """One node's rule: the gradient of its result, as gradients of its arguments."""
    if node.function is result:
        return ((node.options["index"], g),)
    out: Any = node if create_graph else node.data
    if type(node.data) is tuple:  # several results: gradients arrived for some of them
        g = tuple(np.zeros_like(d) if p is None else p for d, p in zip(node.data, g, strict=True))
        if create_graph:
            out = tuple(_result(node, i) for i in range(len(g)))
    if create_graph:
        arguments = node.arguments
    else:
        arguments = tuple(a.data if type(a) is Tensor else a for a in node.arguments)
    return RULES[node.function].body(g, out, *arguments, **node.options)  # type: ignore[index,no-any-return]


def _result(source: Tensor, index: int) -> Tensor:
    node = Tensor(source.data[index])
    node.function, node.arguments, node.options = result, (source,), {"index": index}
    return node


def _add(gradients: dict[int, Any], argument: Tensor, part: Any) -> None:
    """Gradients of a value that is used several times add up."""
    if type(part) is tuple:  # the gradient of one of several results
        index, g = part
        slots = gradients.setdefault(id(argument), [None] * len(argument.data))
        slots[index] = g if slots[index] is None else slots[index] + g
        return
    part = unbroadcast(part, argument.data.shape)
    before = gradients.get(id(argument))
    gradients[id(argument)] = part if before is None else before + part


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo NumPy's broadcasting: sum the gradient over the axes along which a value was repeated."""
    if g.shape == shape:
        return g
    if g.ndim > len(shape):
        g = np.sum(g, axis=tuple(range(g.ndim - len(shape))))
    offset = len(shape) - g.ndim
    repeated = tuple(i for i, n in enumerate(g.shape) if shape[i + offset] == 1 and n != 1)
    if repeated:
        g = np.sum(g, axis=repeated, keepdims=True)
    return g if g.shape == shape else np.broadcast_to(g, shape)


def _checked_seed(output: Any, seed: Any) -> Any:
    if type(output) is not Tensor:
        raise TypeError(
            f"gradients flow from a Tensor; got {type(output).__name__}, which does not depend on one"
        )
    if seed is None:
        if output.size != 1:
            raise ShapeError(
                f"only a single number has a gradient; got a result of shape {output.shape}. Reduce "
                "it, for instance with .sum() or .mean(), or pass seed= of that shape"
            )
        return np.ones(output.shape, output.dtype)
    seed = seed if type(seed) is Tensor else np.asarray(seed, dtype=output.dtype)
    if seed.shape != output.shape:
        raise ShapeError(
            f"seed has shape {seed.shape}; expected {output.shape}, the result's shape"
        )
    return seed


def _own(g: Any, target: Tensor) -> Array:
    """A gradient as an array that belongs to nobody else."""
    return np.zeros_like(target.data) if g is None else np.array(g, dtype=target.data.dtype)


def constant() -> None:
    """The function of a Tensor that depends on nothing: a leaf, but nobody's variable."""


def _own_tensor(g: Any, target: Tensor) -> Tensor:
    if type(g) is not Tensor:
        node = Tensor(_own(g, target))
        node.function = constant
        return node
    return g if g.dtype == target.dtype else cast(g, dtype=target.dtype)  # type: ignore[no-any-return]


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
    if type(xs) is Tensor or not all(type(x) is Tensor for x in xs):
        raise TypeError("xs must be a list of Tensors; for one Tensor say gradients(y, [x])")
    seed = _checked_seed(y, seed)
    found = sweep(ancestors(y), seed, xs, create_graph)
    own = _own_tensor if create_graph else _own
    return [own(g, x) for g, x in zip(found, xs, strict=True)]


def backward(y: Tensor, seed: Any, retain_graph: bool) -> None:
    """See `Tensor.backward`. Nothing is changed before everything is computed."""
    seed = _checked_seed(y, seed)
    nodes = ancestors(y)
    leaves = [node for node in nodes if node.function is None]
    for leaf, g in zip(leaves, sweep(nodes, seed, leaves, create_graph=False), strict=True):
        own = _own(g, leaf)
        leaf.grad = own if leaf.grad is None else leaf.grad + own
    if not retain_graph:
        for node in nodes:
            if node.arguments:
                node.arguments = RELEASED


# ---- functions in, functions out ----


def _fresh(x: Any) -> Tensor:
    """A node of its own to differentiate with respect to, so that nested derivatives never mix."""
    return +x if type(x) is Tensor else Tensor(x)


def _is_open(y: Tensor, x: Tensor) -> bool:
    """Whether a result also depends on Tensors from outside; then derivatives stay Tensors."""
    return any(node.function is None and node is not x for node in ancestors(y))


def _evaluate(f: Function, x: Any, args: Any, kwargs: Any) -> tuple[Tensor, Tensor, bool]:
    node = _fresh(x)
    y = f(node, *args, **kwargs)
    if type(y) is not Tensor:
        y = 0.0 * node.sum() + y  # a constant function: its derivatives are zero, not an error
    return node, y, _is_open(y, node)


def _handed(y: Tensor, is_open: bool) -> Any:
    return y if is_open else y.numpy()


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
        node, y, is_open = _evaluate(f, x, args, kwargs)
        [g] = gradients(y, [node], create_graph=is_open)
        return _handed(y, is_open), g

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
        node, y, is_open = _evaluate(f, x, args, kwargs)
        [g] = gradients(y, [node], create_graph=True)
        [hv] = gradients(g, [node], seed=v, create_graph=is_open or type(v) is Tensor)
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
        node, y, is_open = _evaluate(f, x, args, kwargs)
        seeds = np.eye(y.size, dtype=y.dtype).reshape((y.size, *y.shape))
        nodes = ancestors(y)
        own = _own_tensor if is_open else _own
        rows = [own(sweep(nodes, s, [node], is_open)[0], node) for s in seeds]
        if not rows:
            return np.zeros(y.shape + node.shape, node.dtype)
        return np.reshape(np.stack(rows), y.shape + node.shape)  # type: ignore[arg-type]

    return derivatives


def hessian(f: Function) -> Function:
    """The function that gives all second derivatives of `f`: shape ``x.shape + x.shape``.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f))
