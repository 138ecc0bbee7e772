"""Bridges between minima: how high the straight way is, a curve that stays low, and whether two
minima are one.

Two trained networks look separated by a mountain. Often a bent path between them stays low
(`bezier`), and often half of the mountain is bookkeeping: hidden neurons can be swapped, and of odd
activations flipped in sign, without changing the function, so the other minimum has a twin much
nearer by (`align`).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..descent import descend, optim
from ..landscape import Landscape
from .assignment import assignment
from .checks import vector
from .line import Line
from .results import Result
from .survey import profile
from .twins import HiddenLayer, hidden_layers

if TYPE_CHECKING:
    from ..network import Network

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Curve(Result):
    """A quadratic Bezier curve from `p` over `control` to `q`, all `(P,)`: t -> (1-t)^2 p + 2t(1-t)
    control + t^2 q.

    `t` `(T,)` and `losses` `(T,)` are heights along it.
    """

    p: Array
    control: Array
    q: Array
    t: Array
    losses: Array

    def point(self, t: ArrayLike) -> Array:
        """Return the weights `(..., P)` at `t`.

        >>> zero, one = np.zeros(1), np.ones(1)
        >>> Curve(zero, one, zero, t=zero, losses=zero).point(0.5)
        array([0.5])
        """
        t = np.asarray(t, self.p.dtype)[..., None]
        return (1.0 - t) ** 2 * self.p + 2.0 * t * (1.0 - t) * self.control + t**2 * self.q

    def describe(self) -> str:
        """Say how high the way along the curve is."""
        ends, top = max(self.losses[0], self.losses[-1]), self.losses.max()
        return f"Curve whose highest point is {top:.4g}; its ends are at most {ends:.4g} high."

    def __repr__(self) -> str:
        return (
            f"Curve({self.p.size} weights, loss {self.losses.min():.4g} to {self.losses.max():.4g})"
        )


def barrier(landscape: Landscape, p: ArrayLike, q: ArrayLike, resolution: int = 31) -> float:
    """Return how far the straight way from `p` to `q` `(P,)` rises above the straight line between
    their losses.

    0 when it never does. Source: Entezari et al. 2022 (Frankle et al. 2020 subtract the mean of the
    two losses, which is the same for ends of equal height).

    >>> from tinygrad_landscape.landscape import formulas
    >>> barrier(formulas.double_well, [-1.0, 0.0], [1.0, 0.0])
    0.25
    """
    along = profile(landscape, Line.between(p, q), resolution)
    expected = (1.0 - along.t) * along.loss[0] + along.t * along.loss[-1]
    return float((along.loss - expected).max())


def bezier(
    landscape: Landscape,
    p: ArrayLike,
    q: ArrayLike,
    steps: int = 300,
    lr: float = 0.05,
    samples: int = 16,
    resolution: int = 61,
    seed: int = 0,
) -> Curve:
    """Bend a quadratic Bezier curve from `p` to `q` `(P,)` until it stays low: minimise the mean
    loss along it.

    Only its control point moves, by Adam; every step looks at `samples` points, one drawn at random
    from each of as many equal pieces of the curve. Source: Garipov et al. 2018, sections 3.2-3.3.

    >>> from tinygrad_landscape.landscape import formulas
    >>> curve = bezier(formulas.chain(2), [4.0, 0.25], [0.25, 4.0])
    >>> barrier(formulas.chain(2), curve.p, curve.q) > 5.0, bool(curve.losses.max() < 0.1)
    (True, True)
    """
    p = vector("p", p)
    q = vector("q", q, like=p)
    empty = np.zeros(0, p.dtype)
    straight = Curve(p, 0.5 * (p + q), q, empty, empty)
    control = _descended(landscape, straight, steps, lr, samples, seed)
    bent = replace(straight, control=control)
    t = np.linspace(0.0, 1.0, resolution)
    return replace(bent, t=t, losses=landscape(bent.point(t)))


def _descended(
    landscape: Landscape, curve: Curve, steps: int, lr: float, samples: int, seed: int
) -> Array:
    """Return the control point after Adam on the mean loss along the curve."""
    rng = np.random.default_rng(seed)

    def along(control: Array) -> tuple[Array, Array]:
        t = (np.arange(samples) + rng.random(samples)) / samples
        return t, replace(curve, control=control).point(t)

    def mean(control: Array) -> float:
        return float(landscape(along(control)[1]).mean())

    def slope(control: Array) -> Array:
        t, points = along(control)
        weight = (2.0 * t * (1.0 - t))[:, None].astype(control.dtype)
        return np.asarray((weight * landscape.gradient(points)).mean(axis=0))

    lifted = Landscape.from_callables(mean, slope, size=landscape.size)
    walk = descend(lifted, curve.control, optim.Adam(lr=lr), steps, record_every=max(1, steps))
    return walk.end


def align(network: "Network", p: ArrayLike, q: ArrayLike, sweeps: int = 20) -> Array:
    """Return the twin of `q` `(P,)` nearest to `p` `(P,)`: the same function, its hidden neurons in
    another order.

    Neurons of layers followed by an odd activation (Tanh, Sine) may also flip their sign. Each
    layer is matched exactly, an assignment problem; with one hidden layer the twin is the nearest
    of all. With more, layers are matched in turn until nothing changes, from q itself and from a
    first guess by incoming weights alone, and the nearer outcome is a near one. Source: Ainsworth
    et al. 2023, section 3.2; signs: Chen et al. 1993.

    >>> import tinygrad_landscape as tl
    >>> net = tl.Network(tl.Linear(1, 2), tl.Tanh(), tl.Linear(2, 1))
    >>> align(net, [1.0, 2.0, 0.0, 0.1, 3.0, 4.0, 0.5], [-2.0, 1.0, -0.1, 0.0, -4.0, 3.0, 0.5])
    array([1. , 2. , 0. , 0.1, 3. , 4. , 0.5])
    """
    p = vector("p", p)
    q = vector("q", q, like=p)
    layers = hidden_layers(network)
    guess = q
    for layer in layers:
        guess = _matched(layer, p, guess, outgoing=False)
    twins = [_settled(layers, p, start, sweeps) for start in (q, guess)]
    return np.array(min(twins, key=lambda twin: float(np.linalg.norm(twin - p))))


def _settled(layers: list[HiddenLayer], p: Array, q: Array, sweeps: int) -> Array:
    """Match one layer after the other until nothing changes."""
    for _ in range(sweeps):
        before = q
        for layer in layers:
            q = _matched(layer, p, q)
        if np.array_equal(before, q):
            break
    return q


def _matched(layer: HiddenLayer, p: Array, q: Array, outgoing: bool = True) -> Array:
    """Return q with the neurons of one layer in the order (and signs) nearest to p's."""
    # |mine - theirs|^2 is least where the product of the two is largest
    likeness = layer.neurons(p, outgoing) @ layer.neurons(q, outgoing).T
    order = assignment(-np.abs(likeness) if layer.odd else -likeness)
    flip = layer.odd & (likeness[np.arange(len(order)), order] < 0.0)
    return layer.rearranged(q, order, np.where(flip, -1.0, 1.0))
