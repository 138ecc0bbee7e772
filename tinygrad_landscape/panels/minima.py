"""Minima with their measures of sharpness, for the `Flatness` panel.

A measure is taken at the trained weights, beside the loss along the direction that bends most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.descent import descend, optim
from tinygrad_landscape.engine.errors import ParameterError, ShapeError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Linear, Network, ReLU, Tanh, data, losses
from tinygrad_landscape.surveying import curvature, sharpness

MEASURES = ("largest curvature", "trace", "epsilon-sharpness", "SAM-sharpness", "adaptive SAM")
ALPHAS = tuple(float(f"{10.0 ** (k / 20):.3g}") for k in range(-20, 21))
WIDTHS, SEEDS, ENOUGH = (4, 16, 64, 256), 3, 0.05
REACH = 1.5  # how far the valley is looked at, to both sides
EXACT = 128  # up to this many weights the trace is that of the whole Hessian


@dataclass(frozen=True, eq=False)
class Minimum:
    """Trained weights `(P,)` at `at`, an alpha or a width: their `loss`, the `MEASURES`, and the
    `valley` `(201, 2)`, distance and loss. `differs` is how far the answers are from those at
    alpha 1, `validation` the loss on new data."""

    at: float
    loss: float
    measures: tuple[float, ...]
    valley: NDArray
    size: int
    differs: float = 0.0
    validation: float = float("nan")


def measured(landscape: Landscape, theta: NDArray, at: float, **more: float) -> Minimum:
    """Take all measures at `theta` `(P,)`."""
    if landscape.size <= EXACT:
        values, columns = np.linalg.eigh(landscape.hessian(theta))
        largest, direction, trace = values[-1], columns[:, -1], values.sum()
    else:
        (largest,), (direction,) = curvature.top_eigenpairs(landscape, theta, tolerance=1e-3)
        trace = curvature.trace(landscape, theta)[0]
    away = np.linspace(-REACH, REACH, 201)
    direction = direction * (1.0 if direction[np.abs(direction).argmax()] > 0.0 else -1.0)
    valley = np.stack([away, landscape(theta + away[:, None] * direction)], axis=-1)
    measures = (
        float(largest),
        float(trace),
        sharpness.epsilon(landscape, theta),
        float(sharpness.sam(landscape, theta)),
        float(sharpness.adaptive_sam(landscape, theta)),
    )
    return Minimum(at, float(landscape(theta)), measures, valley, landscape.size, **more)


def relu(landscape: Landscape | None, theta: ArrayLike | None) -> tuple[Landscape, NDArray]:
    """The reader's ReLU network and its weights, checked, or a 2-12-1 one trained on two moons."""
    if landscape is None:
        net = Network(Linear(2, 12), ReLU(), Linear(12, 1))
        seen = data.moons(100, noise=0.15, seed=0)
        landscape = Landscape(net, losses.binary_cross_entropy, seen)
        walk = descend(landscape, net.init(seed=0), optim.Adam(0.02), 300, record_every=300)
        return landscape, np.asarray(walk.end)
    weights = np.array(theta, float)
    if landscape.network is None or landscape.data is None:
        raise ParameterError(f"{landscape!r} has no network whose layers could be rescaled")
    if weights.shape != (landscape.size,):
        raise ShapeError(f"got theta of shape {weights.shape}; expected ({landscape.size},)")
    if twin(landscape, weights, 3.0).differs > 1e-6:
        raise ParameterError(
            "this network answers otherwise after rescaling; only activations such as ReLU, with "
            "f(alpha x) = alpha f(x), have such twins"
        )
    return landscape, weights


def twin(landscape: Landscape, theta: NDArray, alpha: float) -> Minimum:
    """The twin of a ReLU network whose first layer is `alpha` times as large."""
    network, seen = landscape.network, landscape.data
    assert network is not None and seen is not None
    other = sharpness.relu_twin(network, theta, alpha)
    differs = np.abs(network(other, seen.x) - network(theta, seen.x)).max()
    return measured(landscape, other, alpha, differs=float(differs))


def widths() -> list[list[Minimum]]:
    """Minima of every width and seed, all trained until the train loss is ENOUGH."""
    seen, held = data.moons(100, noise=0.15, seed=0), data.moons(300, noise=0.15, seed=100)
    return [[_trained(n, seed, seen, held) for seed in range(SEEDS)] for n in WIDTHS]


def _trained(width: int, seed: int, seen: Any, held: Any) -> Minimum:
    net = Network(Linear(2, width), Tanh(), Linear(width, 1))
    landscape = Landscape(net, losses.binary_cross_entropy, seen)
    walk = descend(
        landscape, net.init(seed=seed), optim.Adam(0.02), 5000, record_every=5000,
        callbacks=[lambda record: bool(record.batch_loss <= ENOUGH)],
    )  # fmt: skip
    theta = np.asarray(walk.end)
    return measured(landscape, theta, width, validation=float(landscape.on(held)(theta)))
