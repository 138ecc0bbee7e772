"""Where the presets of `TwinSurface` get their two ends from: real training, each time anew.

A network with more weights than samples can fit anything, shuffled labels too. Trained on the
right labels after that, it fits them as well as a fresh one does, and is far worse on new data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import descend, optim
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.network import Data, Linear, Network, Tanh, data, losses
from tinygrad_landscape.surveying import Plane

LR, FITTED = 0.05, 0.02  # of Adam; a train loss this low counts as fitted
SHUFFLED, FREE = 1000, 500  # steps on shuffled labels, and of the walks with and without l2
PENALTY = 1e-3


def ends(seed: int) -> tuple[Landscape, Landscape, NDArray, NDArray, NDArray]:
    """Train and validation landscape, the fresh start, end A from there, and end B from what
    fitted shuffled labels (P7)."""
    net = Network(Linear(2, 64), Tanh(), Linear(64, 1))
    seen = data.moons(60, noise=0.15, seed=seed)
    train = Landscape(net, losses.binary_cross_entropy, seen)
    start = net.init(seed=seed)
    shuffled = Data(seen.x, np.random.default_rng(seed).permutation(seen.y))
    spoiled = _walked(train.on(shuffled), start, SHUFFLED)
    a, b = (_walked(train, theta, 1000, FITTED) for theta in (start, spoiled))
    return train, train.on(data.moons(300, noise=0.15, seed=seed + 100)), start, a, b


def _walked(landscape: Landscape, theta: NDArray, steps: int, enough: float = 0.0) -> NDArray:
    walk = descend(
        landscape, theta, optim.Adam(LR), steps, record_every=steps,
        callbacks=[lambda record: bool(record.batch_loss <= enough)],
    )  # fmt: skip
    return np.asarray(walk.end)


def _validation(seed: int) -> tuple[Any, ...]:
    train, held, start, a, b = ends(seed)
    plane = _plane(a, b, start, "towards the fresh start")
    reached = "a fresh start", "first fitted to shuffled labels"
    return (
        (train, held),
        ("train loss", "validation loss"),
        (a, b),
        reached,
        plane,
        _frame(plane, b),
    )


def _regularisation(seed: int) -> tuple[Any, ...]:
    train, held, _, _, spoiled = ends(seed)
    assert train.network is not None and train.data is not None and train.loss is not None
    after = Landscape(train.network, train.loss, train.data, l2=PENALTY)
    a, b = (_walked(one, spoiled, FREE) for one in (train, after))
    plane = _plane(a, b, spoiled, "towards where both began")
    reached = [
        f"trained {how} l2, validation loss {float(held(end)):.3f}"
        for how, end in (("without", a), ("with", b))
    ]
    names = "loss before", "loss after"
    return (train, after), names, (a, b), tuple(reached), plane, _frame(plane, b)


def _plane(a: NDArray, b: NDArray, third: NDArray, label: str) -> Plane:
    return replace(Plane.through(a, b, third), labels=("from A to B", label))


def _frame(plane: Plane, b: NDArray) -> tuple[float, ...]:
    """A square round A and B, half as wide again as they are apart."""
    far = float(plane.coordinates(b)[0])
    return -0.25 * far, 1.25 * far, -0.75 * far, 0.75 * far


PRESETS = {"validation": _validation, "regularisation": _regularisation}
