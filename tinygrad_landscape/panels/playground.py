"""What the `Sandbox` is filled with: data, networks and optimizers by the names of its controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import optim
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import (
    GELU,
    Data,
    Linear,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Sine,
    Tanh,
    data,
    losses,
)
from tinygrad_landscape.panels import controls

SHAPES = ("moons", "circles", "spirals", "blobs", "xor")
BENDS = {"tanh": Tanh, "relu": ReLU, "gelu": GELU, "silu": SiLU, "sigmoid": Sigmoid, "sine": Sine}
SCHEMES = (
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal", "orthogonal",
    "normal", "zeros",
)  # fmt: skip
BETA = 0.9
OPTIMIZERS: dict[str, Callable[[float], Any]] = {
    "gradient descent": optim.SGD,
    "momentum 0.9": lambda lr: optim.SGD(lr, BETA),
    "Nesterov 0.9": lambda lr: optim.SGD(lr, BETA, nesterov=True),
    "RMSProp": optim.RMSProp,
    "Adam": optim.Adam,
    "Lion": optim.Lion,
}
BATCHES = ("all", 1, 4, 16, 32, 64)
HELD = 200  # validation samples


def network_controls(seed: int) -> dict[str, Any]:
    """The controls that choose data and network."""
    return {
        "data": controls.choice("data", SHAPES, "moons"),
        "samples": controls.count("samples", 80, 10, 1000),
        "noise": controls.number("noise", 0.25, 0.0, 1.0),
        "depth": controls.count("hidden layers", 2, 0, 6),
        "width": controls.count("units in each", 12, 1, 48),
        "activation": controls.choice("activation", tuple(BENDS), "tanh"),
        "scheme": controls.choice("first weights", SCHEMES, "glorot_uniform"),
        "l2": controls.number("l2", 0.0, 0.0, 1.0),
        "seed": controls.count("seed", seed, 0, 99999),
    }


def built(chosen: Mapping[str, Any]) -> tuple[Landscape, Landscape]:
    """The landscapes of training and validation data for the controls' values."""
    layers: list[Any] = []
    inputs = 2
    for _ in range(chosen["depth"]):
        layers += [Linear(inputs, chosen["width"]), BENDS[chosen["activation"]]()]
        inputs = chosen["width"]
    network = Network(*layers, Linear(inputs, 1))
    seed = chosen["seed"]
    seen, held = (
        _made(chosen["data"], count, chosen["noise"], each)
        for count, each in ((chosen["samples"], seed), (HELD, seed + 100000))
    )
    land = Landscape(network, losses.binary_cross_entropy, seen, l2=chosen["l2"])
    return land, Landscape(network, losses.binary_cross_entropy, held)


def _made(name: str, count: int, noise: float, seed: int) -> Data:
    options: dict[str, Any] = {"classes": 2} if name in ("blobs", "spirals") else {}
    return getattr(data, name)(count, noise=noise, seed=seed, **options)


def optimizer(name: str, lr: float) -> Any:
    """The optimizer of that name."""
    return OPTIMIZERS[name](lr)


def start(landscape: Landscape, scheme: str | None, seed: int) -> NDArray[Any]:
    """The first weights: drawn by the network's scheme, or anywhere in a formula's frame.

    Raises:
        ParameterError: for a landscape that has neither.
    """
    if landscape.network is not None:
        return np.asarray(landscape.network.init(seed=seed, scheme=scheme or "glorot_uniform"))
    extent = getattr(landscape, "extent", None)
    if extent is None or landscape.size != 2:
        raise ParameterError(
            f"{landscape!r} has no network to start and no frame to start in; pass theta="
        )
    x0, x1, y0, y1 = extent
    return np.random.default_rng(seed).uniform([x0, y0], [x1, y1])
