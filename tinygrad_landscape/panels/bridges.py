"""Where the `Bridge` panel gets its two ends, and the ways between them.

Two runs from two seeds end far apart; so do a network and the same network with its hidden neurons
in another order. The straight way, the straight way to the aligned twin, and a bent way are three
answers to one question: is there a mountain between them?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import descend, optim
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Linear, Network, Tanh, data, losses
from tinygrad_landscape.surveying import Plane, connect
from tinygrad_landscape.surveying.twins import hidden_layers

WIDTH, POINTS, NEW = 16, 100, 300  # hidden neurons, training points, points of the validation data
LR, STEPS = 0.02, 400  # of Adam
UNIT = "the distance from A to B"
LABELS = ("from A (0) to B (1)", "aside, towards the bend")


@dataclass(frozen=True, eq=False)
class Ends:
    """Two minima `(P,)` of one landscape, how they were reached, and `twin`: `b` with its neurons
    in the order nearest to `a`'s, or None where the network has no known symmetry."""

    a: NDArray
    b: NDArray
    reached: str
    twin: NDArray | None

    @classmethod
    def of(cls, landscape: Landscape, a: NDArray, b: NDArray, reached: str) -> Ends:
        """The ends with B's twin."""
        twin = None
        if landscape.network is not None and symmetric(landscape.network):
            twin = connect.align(landscape.network, a, b)
        return cls(a, b, reached, twin)


def symmetric(network: Network) -> bool:
    """Whether it has hidden neurons whose order means nothing, as far as is known here."""
    try:
        return bool(hidden_layers(network))
    except ValueError:
        return False


def two_moons(seed: int) -> tuple[Landscape, Landscape, dict[str, Ends]]:
    """Train and validation landscape of a 2-16-1 tanh network on two moons, and two pairs of ends:
    two runs from different first weights, and one of them with its neurons in another order."""
    net = Network(Linear(2, WIDTH), Tanh(), Linear(WIDTH, 1))
    train = Landscape(net, losses.binary_cross_entropy, data.moons(POINTS, noise=0.15, seed=0))
    starts = np.stack([net.init(seed=2 * seed), net.init(seed=2 * seed + 1)])
    a, b = descend(train, starts, optim.Adam(LR), STEPS, record_every=STEPS).end
    rng = np.random.default_rng(seed)
    (layer,) = hidden_layers(net)
    copy = layer.rearranged(a, rng.permutation(WIDTH), rng.choice([-1.0, 1.0], WIDTH))
    pairs = {
        "two seeds": Ends.of(train, a, b, "two runs from different first weights"),
        "permuted copy": Ends.of(train, a, copy, "one network and a copy with its hidden neurons "
                                 "in another order, some with both signs turned"),
    }  # fmt: skip
    return train, train.on(data.moons(NEW, noise=0.15, seed=100)), pairs


def plane_of(a: NDArray, b: NDArray, control: NDArray) -> Plane:
    """The plane through both ends and the control point of the bend, in units of their distance."""
    u = b - a
    v = control - a - ((control - a) @ u) / (u @ u) * u
    if np.linalg.norm(v) < 1e-6 * np.linalg.norm(u):  # no bend: any way aside will do
        aside = np.random.default_rng(0).standard_normal(a.size)
        v = aside - (aside @ u) / (u @ u) * u
    v = v * np.linalg.norm(u) / np.linalg.norm(v)
    chosen = "through both ends and the bend that `tl.connect.bezier` found"
    return Plane(a, u, v, LABELS, (UNIT, UNIT), chosen=chosen)


def barrier(heights: NDArray, t: NDArray) -> tuple[float, int]:
    """How far heights `(T,)` rise above the straight line between the first and the last, and
    where; as `tl.connect.barrier`."""
    above = heights - ((1.0 - t) * heights[0] + t * heights[-1])
    at = int(np.nanargmax(above))
    return float(above[at]), at
