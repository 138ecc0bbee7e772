"""The symmetries of a stack of linear layers: which weights belong to one hidden neuron.

A hidden neuron is its incoming weights, its bias and its outgoing weights. Swapping two neurons of
one layer, or turning the sign of one whose activation is odd, changes the weights and not the
function.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError
from ..network import (
    ELU,
    GELU,
    Dropout,
    Identity,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    SiLU,
    Sine,
    Softplus,
    Tanh,
)

if TYPE_CHECKING:
    from ..network import Network
    from ..network.layout import Slot

Array = NDArray[Any]

ODD = (Tanh, Sine, Identity)
ELEMENTWISE = (*ODD, ReLU, LeakyReLU, ELU, Sigmoid, Softplus, GELU, SiLU, Dropout)


@dataclass(frozen=True)
class HiddenLayer:
    """Where one hidden layer stands in theta: weights `(in, h)` and bias `(h,)` before it, weights
    `(h, out)` after."""

    incoming: "Slot"
    bias: "Slot | None"
    outgoing: "Slot"
    odd: bool

    def neurons(self, theta: Array, outgoing: bool = True) -> Array:
        """Return everything that belongs to each neuron, `(h, in + 1 + out)`, or only what comes
        in, `(h, in + 1)`."""
        parts = [_part(theta, self.incoming).T]
        if self.bias is not None:
            parts.append(_part(theta, self.bias)[:, None])
        if outgoing:
            parts.append(_part(theta, self.outgoing))
        return np.concatenate(parts, axis=1)

    def rearranged(self, theta: Array, order: Array, signs: Any) -> Array:
        """Return theta with neuron `order[k]`, times its sign, in place k."""
        new = theta.copy()
        signs = np.broadcast_to(np.asarray(signs, theta.dtype), order.shape)
        _part(new, self.incoming)[...] = _part(theta, self.incoming)[:, order] * signs
        _part(new, self.outgoing)[...] = _part(theta, self.outgoing)[order] * signs[:, None]
        if self.bias is not None:
            _part(new, self.bias)[...] = _part(theta, self.bias)[order] * signs
        return new


def hidden_layers(network: "Network") -> list[HiddenLayer]:
    """Return the hidden layers of a stack of Linear layers and elementwise activations.

    Raises `ParameterError` for other layers, whose symmetries are others.
    """
    for layer in network.layers:
        if type(layer) not in (Linear, *ELEMENTWISE):
            raise ParameterError(
                f"got a network with {layer!r}; twins are known for Linear layers and elementwise "
                f"activations"
            )
    slots = {slot.name: slot for slot in network.layout}
    places = [place for place, layer in enumerate(network.layers) if isinstance(layer, Linear)]
    found = []
    for here, after in pairwise(places):
        odd = all(isinstance(layer, (*ODD, Dropout)) for layer in network.layers[here + 1 : after])
        slot = slots[f"{here}.weight"], slots.get(f"{here}.bias"), slots[f"{after}.weight"]
        found.append(HiddenLayer(*slot, odd))
    return found


def _part(theta: Array, slot: "Slot") -> Array:
    return theta[slot.start : slot.stop].reshape(slot.shape)
