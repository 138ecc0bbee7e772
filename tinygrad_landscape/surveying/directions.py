"""Random directions through weight space, and what it means for one to have length 1.

A raw Gaussian direction moves a small weight as far as a large one, so a picture along it says more
about the size of the weights than about the loss. Filter normalisation gives each neuron's part of
the direction the norm of that neuron's own weights; then one step of 1 is as large as the weights
themselves, everywhere in the network.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError

UNITS = {
    "filter": "the norm of each neuron's own weights",
    "layer": "the norm of each layer's own weights",
    "model": "the norm of all weights together",
    None: "one standard deviation per weight",
}


def random_direction(
    theta: NDArray[Any], rng: np.random.Generator, network: Any, normalize: str | None, biases: str
) -> NDArray[Any]:
    """Return a Gaussian direction `(P,)` normalised to `theta`, in theta's dtype.

    `normalize` is one of the keys of `UNITS`. With "filter" and "layer" the slots of
    `network.layout` that hold no neuron (biases, norm parameters) stay put when `biases="frozen"`
    and take part like a layer when `"scaled"`.
    """
    if normalize not in UNITS:
        raise ParameterError(
            f"got normalize={normalize!r}; expected one of 'filter', 'layer', 'model', None"
        )
    if biases not in ("frozen", "scaled"):
        raise ParameterError(f"got biases={biases!r}; expected 'frozen' or 'scaled'")
    direction = rng.standard_normal(theta.size).astype(theta.dtype)
    if normalize is None:
        return direction
    if normalize == "model":
        return _rescaled(direction, theta, None)
    if network is None:
        raise ParameterError(
            f"normalize={normalize!r} needs the layers of the network; pass network= or "
            f"normalize='model'"
        )
    for slot in network.layout:
        part = slice(slot.start, slot.stop)
        if slot.filter_axes is None and biases == "frozen":
            direction[part] = 0.0
            continue
        axes = slot.filter_axes if normalize == "filter" else None
        d, w = direction[part].reshape(slot.shape), theta[part].reshape(slot.shape)
        direction[part] = _rescaled(d, w, axes).ravel()
    return direction


def _rescaled(d: NDArray[Any], w: NDArray[Any], axes: tuple[int, ...] | None) -> NDArray[Any]:
    """Give `d` the norm of `w` over `axes` (None: all of them)."""
    length = np.sqrt((d * d).sum(axis=axes, keepdims=True))
    wanted = np.sqrt((w * w).sum(axis=axes, keepdims=True))
    return np.asarray(d * (wanted / np.where(length > 0.0, length, 1.0)))
