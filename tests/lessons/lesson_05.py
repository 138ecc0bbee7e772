"""Lesson 5: the solutions of its exercises, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson05

SOLUTIONS = {
    "def weight_std(": "weight_std = lesson05.weight_std",
    "w1, w2 = ...": lesson05.symmetry.answer,
}


def measured() -> dict[str, float]:
    L, network = tl.formulas.three_valleys, lesson05.deep_network()[0]
    walk = tl.descend(
        L, np.array(lesson05.NEIGHBOURS), tl.optim.SGD(lr=lesson05.RATE), lesson05.STEPS
    )
    starts = np.stack(np.meshgrid(*[np.linspace(-4, 4, 51)] * 2, indexing="ij"), axis=-1)
    shares = 100 * tl.basins(L, starts, tl.optim.SGD(lr=lesson05.RATE), lesson05.STEPS).shares
    small, loud = (activations(network, scheme) for scheme in ("σ .01", "σ 1"))
    exponent = int(np.floor(np.log10(size(small[-1]))))
    slopes = gradients(network, "σ 1")
    he, glorot = (lesson05.sizes(tl.relu, lesson05.weight_std(100, 100, s)) for s in RULES)
    tanh = lesson05.sizes(np.tanh, lesson05.weight_std(100, 100, "glorot"))
    parted = [lesson05.steps_to_part(10.0**-k) for k in (2, 4, 6, 8)]
    return {
        "height of both neighbours": float(walk.losses[0].mean()),
        "loss in the worst valley": walk.losses[-1, 1],
        "share of A": shares[0],
        "share of B": shares[1],
        "share of C": shares[2],
        "digits of the last size": size(small[-1]) / 10.0**exponent,
        "ten": 10,
        "exponent of the last size": exponent,
        "flat units": 100 * float((np.abs(loud[-1]) > 0.99).mean()),
        "growth of the gradients": slopes[0] / slopes[-2],
        "ReLU, He, first": he[0],
        "ReLU, He, last": he[-1],
        "ReLU, Glorot, a layer": float((glorot[-1] / glorot[0]) ** (1 / 19)),
        "ReLU, Glorot, last": glorot[-1],
        "depth": len(tanh),
        "tanh, Glorot, last": tanh[-1],
        "the pass": float(lesson05.twins(lesson05.twins.saddles[0])),
        "steps to part": parted[0],
        "shortest delay": min(np.diff(parted)),
        "longest delay": max(np.diff(parted)),
        "minutes": sum(header("05_where_you_start")["minutes"].values()),
    }


RULES = ("he", "glorot")


def size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def start(landscape: tl.Landscape, name: str) -> np.ndarray:
    scheme, gain = lesson05.RANDOM[name]
    return landscape.network.init(0, scheme, gain=gain)


def activations(landscape: tl.Landscape, name: str) -> list[np.ndarray]:
    """Of every hidden layer, on the points of the landscape."""
    found = landscape.network.activations(start(landscape, name), landscape.data.x)
    return found[1:-1:2]


def gradients(landscape: tl.Landscape, name: str) -> list[float]:
    """The size of every weight matrix's gradient."""
    parts = landscape.network.unpack(landscape.gradient(start(landscape, name)))
    return [size(part) for key, part in parts.items() if key.endswith("weight")]
