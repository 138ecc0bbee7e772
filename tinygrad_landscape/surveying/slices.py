"""A network over a line or plane does not need all of its work at every cell.

Layers below the first one that moves give the same output everywhere: they are run once. In the
first that moves, every weight is an affine function of the coordinates, and so is its output: three
tables (origin, u, v) and one matrix product replace a pass through it. The layers above run with
the samples as last axis, where NumPy's loops are longest.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..landscape import Landscape
from ..network import Linear, Network
from .twins import ELEMENTWISE

if TYPE_CHECKING:
    from .line import Line
    from .plane import Plane

Array = NDArray[Any]

CACHE = 2**18  # bytes of one layer's output over a chunk of cells, a share of a core's own cache


class Slice:
    """One landscape over one line or plane; `at` gives it at some cells, `applies` says whether
    that is possible."""

    def __init__(self, ground: Landscape, site: "Plane | Line") -> None:
        assert ground.network is not None and ground.data is not None
        self.ground, network = ground, ground.network
        slots = {slot.name: slot for slot in network.layout}
        self.place = _first_moving(network, site)
        origin = site.frame[0]
        x = np.asarray(ground.data.x, origin.dtype)
        if self.place:
            x = network.activations(origin, x)[self.place - 1]
        self.samples = len(x)
        weight, bias = slots[f"{self.place}.weight"], slots.get(f"{self.place}.bias")
        self.tables = np.stack([_affine(x, part, weight, bias) for part in site.frame])
        self.above = [
            (layer, slots.get(f"{place}.weight"), slots.get(f"{place}.bias"))
            for place, layer in enumerate(network.layers)
            if place > self.place
        ]

    @property
    def cells_at_once(self) -> int:
        """How many cells a chunk should have to be fast."""
        widths = [weight.shape[1] for _, weight, _ in self.above if weight is not None]
        widest = max([self.tables.shape[1], *(self.samples * width for width in widths)])
        return max(1, CACHE // (widest * self.tables.itemsize))

    @property
    def pays(self) -> bool:
        """Whether it is faster than the whole network: it is not where every layer moves and one
        cell fills the cache."""
        return self.place > 0 or self.cells_at_once > 1

    @classmethod
    def applies(cls, ground: Landscape, site: "Plane | Line") -> bool:
        """Whether the first layer that moves is Linear, and all above are Linear or elementwise."""
        if type(ground) is not Landscape or type(ground.network) is not Network:
            return False  # a class derived from ours may compute anything
        layers = ground.network.layers[_first_moving(ground.network, site) :]
        return type(layers[0]) is Linear and all(
            type(one) in (Linear, *ELEMENTWISE) for one in layers
        )

    def at(self, where: Array, theta: Array) -> Landscape:
        """Return the landscape as it is at the cells `where` `(C, axes)` with weights `theta` `(C,
        P)`, and only there."""
        here = object.__new__(Landscape)
        vars(here).update(vars(self.ground))
        here.network = _Here(self._outputs(where, theta))  # type: ignore[assignment]
        return here

    def _outputs(self, where: Array, theta: Array) -> Array:
        """Return the network's output `(C, N, out)`."""
        cells = len(where)
        coordinates = np.concatenate([np.ones((cells, 1)), where], axis=1).astype(theta.dtype)
        x = (coordinates @ self.tables).reshape(cells, -1, self.samples)
        for layer, weight, bias in self.above:
            if weight is None:
                x = layer(x)
                continue
            x = theta[:, weight.start : weight.stop].reshape(cells, *weight.shape).mT @ x
            if bias is not None:
                x += theta[:, bias.start : bias.stop, None]
        return x.mT


class _Here:
    """What stands in for the network: its output at these cells, computed once for all metrics."""

    stochastic = False

    def __init__(self, output: Array) -> None:
        self.output = output

    def __call__(self, theta: Array, x: Array, rng: Any = None) -> Array:
        return self.output


def _first_moving(network: Any, site: "Plane | Line") -> int:
    """Return the first layer with a weight that some direction moves."""
    for slot in network.layout:
        if any(direction[slot.start : slot.stop].any() for direction in site.frame[1:]):
            return int(slot.name.partition(".")[0])
    raise AssertionError("a direction moves some weight")


def _affine(x: Array, theta: Array, weight: Any, bias: Any) -> Array:
    """Return one linear layer's output with the weights of `theta`, as a row `(out * N,)`."""
    table = x @ theta[weight.start : weight.stop].reshape(weight.shape)
    if bias is not None:
        table = table + theta[bias.start : bias.stop]
    return table.T.ravel()
