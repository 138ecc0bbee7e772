"""Optimizers, in order of increasing complexity: each is a small change to one before it.

An optimizer is an immutable description. It has a learning rate `lr`; `init(theta)` gives the state
a walk starts with, and `step(theta, gradient, state, lr, here)` the next `(theta, state)`.
`descend` keeps the state and multiplies `lr` by the schedule; `here` is the landscape on this
step's samples (`here(theta)`, `here.gradient(theta)`, `here.hessian(theta)`). Any object with these
three is an optimizer; `Custom` makes one of a function.

A hyperparameter is a number, or an array that broadcasts against the leading shape of theta: one
value per walker. `lr` may also be a mapping from layer to value, `{"0": 0.1, "2": 0.01}`. In the
formulas below g is the gradient after `clip_norm` and `weight_decay`, and a step takes lr * d off
theta.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError, ShapeError
from .hyper import Number, Rate, checked, is_zero, spelled

Array = NDArray[Any]
Step = tuple[Array, Any]


@dataclass(frozen=True, repr=False)
class Optimizer:
    """What all optimizers share: clipping, weight decay, and theta - lr * d.

    `clip_norm` shortens each walker's gradient to at most this length (as PyTorch's
    clip_grad_norm_). Then `weight_decay` adds weight_decay * theta to it, unless the optimizer is
    `decoupled`: then it shrinks theta itself, by lr * weight_decay * theta.
    """

    weight_decay: Number = field(default=0.0, kw_only=True)
    clip_norm: Number | None = field(default=None, kw_only=True)

    decoupled = False
    uses_curvature = False

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, checked(self, f.name, getattr(self, f.name)))

    def init(self, theta: Array) -> Any:
        """The state of a walk that starts at theta `(..., P)`."""
        return None

    def step(self, theta: Array, gradient: Array, state: Any, lr: Any, here: Any) -> Step:
        """The next theta `(..., P)` and state; nothing passed in is changed."""
        theta, g = self._prepared(theta, gradient, lr)
        d, state = self.direction(g, state)
        return theta - lr * d, state

    def direction(self, g: Array, state: Any) -> Step:
        """The direction d `(..., P)` and the next state."""
        raise NotImplementedError

    def _prepared(self, theta: Array, g: Array, lr: Any) -> tuple[Array, Array]:
        if self.clip_norm is not None:
            g = g * np.minimum(1.0, self.clip_norm / (_length(g) + 1e-6))
        if is_zero(self.weight_decay):
            return theta, g
        if self.decoupled:
            return theta * (1.0 - lr * self.weight_decay), g
        return theta, g + self.weight_decay * theta

    def __repr__(self) -> str:
        told = [
            f"{f.name}={spelled(getattr(self, f.name))}"
            for f in sorted(fields(self), key=lambda f: bool(f.kw_only))
            if f.name == "lr" or spelled(getattr(self, f.name)) != spelled(f.default)
        ]
        return f"{type(self).__name__}({', '.join(told)})"


@dataclass(frozen=True, repr=False)
class SGD(Optimizer):
    """Gradient descent, d = g; with momentum the heavy ball, v ← momentum·v + (1 − dampening)·g, d
    = v.

    The first v is g itself. `nesterov` looks ahead, d = g + momentum·v. `dampening=momentum` makes
    v an average of past gradients (EMA momentum).
    Source: Polyak 1964; Sutskever et al. 2013, section 2; as torch.optim.SGD.

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
            np.all(np.asarray(self.momentum) > 0) and is_zero(self.dampening)
        ):
            raise ParameterError("nesterov=True needs momentum > 0 and dampening 0")

    def direction(self, g: Array, state: Any) -> Step:
        if is_zero(self.momentum):
            return g, None
        v = g if state is None else self.momentum * state + (1.0 - self.dampening) * g
        return (g + self.momentum * v if self.nesterov else v), v


@dataclass(frozen=True, repr=False)
class AdaGrad(Optimizer):
    """A learning rate per weight that only shrinks: s ← s + g², d = g / (√s + eps).

    Source: Duchi et al. 2011; as torch.optim.Adagrad.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, 4.0], tl.optim.AdaGrad(lr=0.5), steps=1).end
    array([7.5, 3.5])
    """

    lr: Rate = 1e-2
    eps: Number = field(default=1e-10, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta)

    def direction(self, g: Array, state: Any) -> Step:
        s = state + g * g
        return g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True, repr=False)
class RMSProp(Optimizer):
    """AdaGrad that forgets: s ← alpha·s + (1 − alpha)·g², d = g / (√s + eps).

    With `momentum`, v ← momentum·v + d is the direction.
    Source: Hinton 2012, lecture 6e; as torch.optim.RMSprop.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, 4.0], tl.optim.RMSProp(lr=0.5, alpha=0.75), steps=1).end
    array([7., 3.])
    """

    lr: Rate = 1e-2
    alpha: Number = 0.99
    momentum: Number = 0.0
    eps: Number = field(default=1e-8, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta), 0.0

    def direction(self, g: Array, state: Any) -> Step:
        s, v = state
        s = self.alpha * s + (1.0 - self.alpha) * g * g
        d = g / (np.sqrt(s) + self.eps)
        v = d if is_zero(self.momentum) else self.momentum * v + d
        return v, (s, v)


@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """RMSProp with momentum, both unbiased: d = m̂ / (√ŝ + eps), m̂ = m / (1 − b₁ᵗ), ŝ = s / (1 −
    b₂ᵗ).

    Here m ← b₁·m + (1 − b₁)·g, s ← b₂·s + (1 − b₂)·g², betas = (b₁, b₂), and t counts from 1.
    Source: Kingma and Ba 2015, algorithm 1; as torch.optim.Adam.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, 4.0], tl.optim.Adam(lr=0.5), steps=1).end
    array([7.5, 3.5])
    """

    lr: Rate = 1e-3
    betas: tuple[Number, Number] = (0.9, 0.999)
    eps: Number = field(default=1e-8, kw_only=True)

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta), np.zeros_like(theta), 0

    def direction(self, g: Array, state: Any) -> Step:
        (b1, b2), (m, s, t) = self.betas, state
        t = t + 1
        m = b1 * m + (1.0 - b1) * g
        s = b2 * s + (1.0 - b2) * g * g
        d = (m / (1.0 - b1**t)) / (np.sqrt(s) / (1.0 - b2**t) ** 0.5 + self.eps)
        return d, (m, s, t)


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with the weight decay kept out of the gradient: θ ← (1 − lr·weight_decay)·θ − lr·d.

    Source: Loshchilov and Hutter 2019, algorithm 2; as torch.optim.AdamW.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, 4.0], tl.optim.AdamW(lr=0.5, weight_decay=0.5), steps=1).end
    array([5.5, 2.5])
    """

    weight_decay: Number = field(default=1e-2, kw_only=True)
    decoupled = True


@dataclass(frozen=True, repr=False)
class Lion(Optimizer):
    """Only the sign of the momentum counts: d = sign(b₁·m + (1 − b₁)·g), then m ← b₂·m + (1 −
    b₂)·g.

    Weight decay is decoupled, as in AdamW. Source: Chen et al. 2023, algorithm 2.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [8.0, -4.0], tl.optim.Lion(lr=0.5), steps=2).end
    array([ 7., -3.])
    """

    lr: Rate = 1e-4
    betas: tuple[Number, Number] = (0.9, 0.99)
    decoupled = True

    def init(self, theta: Array) -> Any:
        return np.zeros_like(theta)

    def direction(self, g: Array, state: Any) -> Step:
        b1, b2 = self.betas
        return np.sign(b1 * state + (1.0 - b1) * g), b2 * state + (1.0 - b2) * g


@dataclass(frozen=True, repr=False)
class SAM(Optimizer):
    """Any optimizer, fed the gradient of a worse place nearby: g at θ + rho·g / ‖g‖.

    Two gradients a step, on the same minibatch. Source: Foret et al. 2021, section 2.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> sam = tl.optim.SAM(tl.optim.SGD(lr=0.5), rho=1.0)
    >>> tl.descend(bowl, [0.0, 4.0], sam, steps=1).end
    array([0. , 1.5])
    """

    base: Any = field(default_factory=lambda: SGD(lr=0.1))
    rho: Number = 0.05

    @property
    def lr(self) -> Rate:
        """The learning rate of the base optimizer."""
        return self.base.lr

    def init(self, theta: Array) -> Any:
        return self.base.init(theta)

    def step(self, theta: Array, gradient: Array, state: Any, lr: Any, here: Any) -> Step:
        uphill = here.gradient(theta + self.rho * gradient / (_length(gradient) + 1e-12))
        theta, uphill = self._prepared(theta, uphill, lr)
        return self.base.step(theta, uphill, state, lr, here)


@dataclass(frozen=True, repr=False)
class Newton(Optimizer):
    """Steps by the exact Hessian H: d = (H + damping·I)⁻¹ g. Seeks saddles as gladly as minima.

    A walker whose damped Hessian is singular takes an infinite step, and so counts as diverged.
    Source: Nocedal and Wright 2006, section 3.4.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: p[..., 0] ** 2 + 100 * p[..., 1] ** 2)
    >>> tl.descend(bowl, [3.0, 1.0], tl.optim.Newton(damping=0.0), steps=1).end
    array([0., 0.])
    """

    damping: Number = 1e-3
    lr: Rate = 1.0
    uses_curvature = True

    def step(self, theta: Array, gradient: Array, state: Any, lr: Any, here: Any) -> Step:
        theta, g = self._prepared(theta, gradient, lr)
        ridge = np.asarray(self.damping + self.weight_decay, theta.dtype)[..., None]
        H = here.hessian(theta) + ridge * np.eye(theta.shape[-1], dtype=theta.dtype)
        return theta - lr * _solved(H, g), None


@dataclass(frozen=True, repr=False)
class Custom(Optimizer):
    """An optimizer of your own: `function(theta, gradient, state, lr)` gives the next `(theta,
    state)`.

    The state starts as `start` and is yours to use; arrays handed in are copies. Learning rates,
    schedules, clipping and weight decay work as everywhere.

    >>> import tinygrad_landscape as tl
    >>> def signs(theta, gradient, state, lr):
    ...     return theta - lr * np.sign(gradient), state
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> tl.descend(bowl, [1.0, -2.0], tl.optim.Custom(signs, lr=0.25), steps=2).end
    array([ 0.5, -1.5])
    """

    function: Callable[[Array, Array, Any, Any], Step]
    lr: Rate = 1e-2
    start: Any = None

    def init(self, theta: Array) -> Any:
        return self.start

    def step(self, theta: Array, gradient: Array, state: Any, lr: Any, here: Any) -> Step:
        old, g = self._prepared(theta, gradient, lr)
        answer = self.function(old.copy(), g.copy(), state, lr)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ParameterError(
                f"the optimizer's function gave {type(answer).__name__}; expected the pair "
                f"(theta, state): end with `return theta, state`"
            )
        if np.shape(answer[0]) != theta.shape:
            raise ShapeError(
                f"the optimizer's function gave theta of shape {np.shape(answer[0])}; expected "
                f"{theta.shape}"
            )
        return np.asarray(answer[0], theta.dtype), answer[1]


def _length(g: Array) -> Array:
    """The length of each walker's gradient, `(..., 1)`."""
    return np.asarray(np.sqrt(np.vecdot(g, g)))[..., None]


def _solved(H: Array, g: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(H, g[..., None])[..., 0])
    except np.linalg.LinAlgError:  # raised for all walkers when one Hessian is singular
        if H.ndim == 2:
            return np.full_like(g, np.inf)
        return np.stack([_solved(h, b) for h, b in zip(H, g, strict=True)])
