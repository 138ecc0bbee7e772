"""Optimizers, in order of increasing complexity: each is a small change to one before it.

An optimizer is an immutable description. It has a learning rate `lr`, `init(theta)` gives the state a walk starts
with, and `step(theta, gradient, state, lr, here)` answers with the next `(theta, state)`; `descend` keeps the state
and multiplies `lr` by the schedule. Any object with these three is an optimizer; `Custom` makes one of a function.

A hyperparameter is a number, or an array that broadcasts against the leading shape of theta: one value per walker.
`lr` may also be a mapping from layer to value. In the formulas below g is the gradient after `clip_norm` and
`weight_decay`, and the step is theta - lr * d.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError, ShapeError

Array = NDArray[Any]
Number = float | ArrayLike
Rate = Number | Mapping[str, Number]


class Here(Protocol):
    """The landscape as one step sees it: on that step's minibatch and dropout mask."""

    def __call__(self, theta: Array) -> Array:
        """Heights `(...)` at theta `(..., P)`."""

    def gradient(self, theta: Array) -> Array:
        """Gradients `(..., P)`."""

    def hessian(self, theta: Array) -> Array:
        """Hessians `(..., P, P)`."""


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: clipping, weight decay, and theta - lr * direction.

    `clip_norm` scales each walker's gradient down to at most this length; `weight_decay` then adds
    weight_decay * theta to it, unless the optimizer is `decoupled`, which shrinks theta itself.
    """

    weight_decay: Number = field(default=0.0, kw_only=True)
    clip_norm: Number | None = field(default=None, kw_only=True)

    decoupled = False
    uses_curvature = False

    def __post_init__(self) -> None:
        for name, value in vars(self).copy().items():
            if name in RANGES and value is not None:
                values = value if name == "betas" else (value,)
                checked = tuple(
                    _checked(f"{type(self).__name__}({name}=...)", name, v) for v in values
                )
                object.__setattr__(self, name, checked if name == "betas" else checked[0])

    def init(self, theta: Array) -> Any:
        """The state of a walk that starts at theta `(..., P)`."""
        return None

    def step(
        self, theta: Array, gradient: Array, state: Any, lr: Any, here: Here
    ) -> tuple[Array, Any]:
        """The next theta `(..., P)` and state; nothing passed in is changed."""
        theta, gradient = self._prepared(theta, gradient, lr)
        direction, state = self.direction(gradient, state)
        return theta - lr * direction, state

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        """The direction d `(..., P)` of a step and the next state."""
        raise NotImplementedError

    def _prepared(self, theta: Array, gradient: Array, lr: Any) -> tuple[Array, Array]:
        if self.clip_norm is not None:
            norm = np.sqrt(np.vecdot(gradient, gradient))[..., None]
            gradient = gradient * np.minimum(1.0, self.clip_norm / (norm + 1e-6))
        if type(self.weight_decay) is float and self.weight_decay == 0.0:
            return theta, gradient
        if self.decoupled:
            return theta * (1.0 - lr * self.weight_decay), gradient
        return theta, gradient + self.weight_decay * theta


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: d = g; with momentum the heavy ball, v <- momentum * v + (1 - dampening) * g, d = v.

    The first v is g itself; `nesterov` looks ahead: d = g + momentum * v. `dampening=momentum` gives the average of
    past gradients (EMA momentum). Source: Polyak 1964, Sutskever et al. 2013; as torch.optim.SGD.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, 4.0], tl.optim.SGD(lr=0.5), steps=2).end
    array([2., 1.])
    """

    lr: Rate = 1e-3
    momentum: Number = 0.0
    nesterov: bool = False
    dampening: Number = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not (
            np.all(np.asarray(self.momentum) > 0) and _is_zero(self.dampening)
        ):
            raise ParameterError("nesterov=True needs momentum > 0 and dampening 0")

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        if _is_zero(self.momentum):
            return g, None
        v = g if state is None else self.momentum * state + (1.0 - self.dampening) * g
        return (g + self.momentum * v if self.nesterov else v), v


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """A learning rate per weight that only shrinks: s <- s + g^2, d = g / (sqrt(s) + eps).

    Source: Duchi et al. 2011; as torch.optim.Adagrad.
    """

    lr: Rate = 1e-2
    eps: Number = field(default=1e-10, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta)

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        s = state + g * g
        return g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """AdaGrad that forgets: s <- alpha * s + (1 - alpha) * g^2, d = g / (sqrt(s) + eps).

    With momentum, v <- momentum * v + d is the direction. Source: Hinton 2012, lecture 6e; as torch.optim.RMSprop.
    """

    lr: Rate = 1e-2
    alpha: Number = 0.99
    momentum: Number = 0.0
    eps: Number = field(default=1e-8, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta), 0.0

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        s, v = state
        s = self.alpha * s + (1.0 - self.alpha) * g * g
        d = g / (np.sqrt(s) + self.eps)
        if _is_zero(self.momentum):
            return d, (s, v)
        v = self.momentum * v + d
        return v, (s, v)


@dataclass(frozen=True)
class Adam(Optimizer):
    """RMSProp with momentum, both unbiased: d = m^ / (sqrt(s^) + eps), m^ = m / (1 - b1^t), s^ = s / (1 - b2^t).

    Here m <- b1 * m + (1 - b1) * g, s <- b2 * s + (1 - b2) * g^2, and betas = (b1, b2).
    Source: Kingma and Ba 2015, algorithm 1; as torch.optim.Adam.
    """

    lr: Rate = 1e-3
    betas: tuple[Number, Number] = (0.9, 0.999)
    eps: Number = field(default=1e-8, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta), np.zeros_like(theta), 0

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        (b1, b2), (m, s, t) = self.betas, state
        t = t + 1
        m = b1 * m + (1.0 - b1) * g
        s = b2 * s + (1.0 - b2) * g * g
        d = (m / (1.0 - b1**t)) / (np.sqrt(s) / (1.0 - b2**t) ** 0.5 + self.eps)
        return d, (m, s, t)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with the weight decay taken out of the gradient: theta <- (1 - lr * weight_decay) * theta - lr * d.

    Source: Loshchilov and Hutter 2019, algorithm 2; as torch.optim.AdamW.
    """

    weight_decay: Number = field(default=1e-2, kw_only=True)
    decoupled = True


@dataclass(frozen=True)
class Lion(Optimizer):
    """Only the sign of the momentum counts: d = sign(b1 * m + (1 - b1) * g), m <- b2 * m + (1 - b2) * g.

    Weight decay is decoupled, as in AdamW. Source: Chen et al. 2023, algorithm 2.
    """

    lr: Rate = 1e-4
    betas: tuple[Number, Number] = (0.9, 0.99)
    decoupled = True

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta)

    def direction(self, g: Array, state: Any) -> tuple[Array, Any]:
        b1, b2 = self.betas
        return np.sign(b1 * state + (1.0 - b1) * g), b2 * state + (1.0 - b2) * g


@dataclass(frozen=True)
class SAM(Optimizer):
    """Any optimizer, fed the gradient of a worse place nearby: g(theta + rho * g / |g|).

    Two gradients a step, on the same minibatch. Source: Foret et al. 2021, equation 3.

    >>> import tinygrad_landscape as tl
    >>> tl.optim.SAM(tl.optim.SGD(lr=0.1), rho=0.1).lr
    0.1
    """

    base: Any = field(default_factory=lambda: SGD(lr=0.1))
    rho: Number = 0.05

    @property
    def lr(self) -> Rate:
        """The learning rate of the base optimizer."""
        return self.base.lr  # type: ignore[no-any-return]

    def init(self, theta: Array) -> Any:
        return self.base.init(theta)

    def step(
        self, theta: Array, gradient: Array, state: Any, lr: Any, here: Here
    ) -> tuple[Array, Any]:
        norm = np.sqrt(np.vecdot(gradient, gradient))[..., None]
        uphill = here.gradient(theta + self.rho * gradient / (norm + 1e-12))
        theta, uphill = self._prepared(theta, uphill, lr)
        return self.base.step(theta, uphill, state, lr, here)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Newton(Optimizer):
    """Steps by the exact Hessian H: d = (H + damping * I)^-1 g. Seeks saddles as gladly as minima.

    A walker whose damped Hessian is singular gets an infinite step, and so is flagged as diverged.
    Source: Nocedal and Wright 2006, section 3.4.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: p[..., 0] ** 2 + 100 * p[..., 1] ** 2)
    >>> tl.descend(bowl, [3.0, 1.0], tl.optim.Newton(damping=0.0), steps=1).end
    array([0., 0.])
    """

    damping: Number = 1e-3
    lr: Rate = 1.0
    uses_curvature = True

    def step(
        self, theta: Array, gradient: Array, state: Any, lr: Any, here: Here
    ) -> tuple[Array, Any]:
        theta, g = self._prepared(theta, gradient, lr)
        ridge = np.asarray(self.damping + self.weight_decay, theta.dtype)[..., None]
        H = here.hessian(theta) + ridge * np.eye(theta.shape[-1], dtype=theta.dtype)
        return theta - lr * _solved(H, g), None


@dataclass(frozen=True)
class Custom(Optimizer):
    """An optimizer of your own: `function(theta, gradient, state, lr)` gives the next `(theta, state)`.

    The state starts as `start` (None) and is yours to use; arrays handed in are copies. `lr`, schedules, clipping and
    weight decay work as everywhere.

    >>> import tinygrad_landscape as tl
    >>> def signs(theta, gradient, state, lr):
    ...     return theta - lr * np.sign(gradient), state
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [1.0, -2.0], tl.optim.Custom(signs, lr=0.25), steps=2).end
    array([ 0.5, -1.5])
    """

    function: Callable[[Array, Array, Any, Any], tuple[Array, Any]]
    lr: Rate = 1e-2
    start: Any = None

    def init(self, theta: Array) -> Any:
        return self.start

    def step(
        self, theta: Array, gradient: Array, state: Any, lr: Any, here: Here
    ) -> tuple[Array, Any]:
        old, gradient = self._prepared(theta, gradient, lr)
        answer = self.function(old.copy(), gradient.copy(), state, lr)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ParameterError(
                f"the optimizer's function gave {type(answer).__name__}; expected the pair "
                f"(theta, state): end with `return theta, state`"
            )
        new = np.asarray(answer[0])
        if new.shape != theta.shape:
            raise ShapeError(
                f"the optimizer's function gave theta of shape {new.shape}; expected {theta.shape}"
            )
        return new.astype(theta.dtype, copy=False), answer[1]


# Hyperparameters -------------------------------------------------------------------------------

# The values that make sense: (least, least itself allowed, greatest, greatest itself allowed).
RANGES = {
    "lr": (0.0, False, math.inf, False),
    "momentum": (0.0, True, 1.0, True),
    "dampening": (0.0, True, 1.0, True),
    "alpha": (0.0, True, 1.0, False),
    "betas": (0.0, True, 1.0, False),
    "eps": (0.0, True, math.inf, False),
    "rho": (0.0, True, math.inf, False),
    "damping": (0.0, True, math.inf, False),
    "weight_decay": (0.0, True, math.inf, False),
    "clip_norm": (0.0, False, math.inf, True),
}


def _checked(what: str, name: str, value: Any) -> Any:
    """A hyperparameter as a Python float, a read-only array or a dict of these."""
    if isinstance(value, Mapping) and name == "lr":
        return {str(k): _checked(f"{what[:-5]}{{{k!r}: ...}})", name, v) for k, v in value.items()}
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(math.nan)
    least, least_in, greatest, greatest_in = RANGES[name]
    low = array >= least if least_in else array > least
    high = array <= greatest if greatest_in else array < greatest
    if not np.all(low & high):
        above, below = (">=" if least_in else ">"), ("<=" if greatest_in else "<")
        raise ParameterError(
            f"{what}: got {value!r}; expected numbers {above} {least:g} and {below} {greatest:g}"
        )
    array.flags.writeable = False
    return float(array) if array.ndim == 0 else array


def _is_zero(value: Any) -> bool:
    return type(value) is float and value == 0.0


def _solved(H: Array, g: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(H, g[..., None])[..., 0])
    except np.linalg.LinAlgError:  # raised for all walkers when one Hessian is singular
        if H.ndim == 2:
            return np.full_like(g, np.inf)
        return np.stack([_solved(h, b) for h, b in zip(H, g, strict=True)])


def shapes(optimizer: Any) -> list[tuple[int, ...]]:
    """The leading shapes of all hyperparameters of an optimizer."""
    found: list[tuple[int, ...]] = []
    for value in _values(optimizer):
        if isinstance(value, Optimizer):
            found += shapes(value)
        elif isinstance(value, Mapping):
            found += [np.shape(v) for v in value.values()]
        elif isinstance(value, np.ndarray):
            found.append(value.shape)
    return found


def _values(optimizer: Any) -> list[Any]:
    if not isinstance(optimizer, Optimizer):
        return [optimizer.lr] if isinstance(optimizer.lr, np.ndarray | Mapping) else []
    values = [getattr(optimizer, f.name) for f in fields(optimizer) if f.name in (*RANGES, "base")]
    return [v for value in values for v in (value if isinstance(value, tuple) else (value,))]


def aligned(optimizer: Any, dtype: Any) -> Any:
    """The same optimizer with each array as a column `(..., 1)` in theta's dtype, ready to multiply."""

    def column(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.astype(dtype)[..., None]
        if isinstance(value, tuple):
            return tuple(map(column, value))
        return aligned(value, dtype) if isinstance(value, Optimizer) else value

    if not isinstance(optimizer, Optimizer):
        return optimizer
    twin = object.__new__(type(optimizer))
    for f in fields(optimizer):
        value = getattr(optimizer, f.name)
        object.__setattr__(twin, f.name, column(value) if f.name in (*RANGES, "base") else value)
    return twin
