"""A training step beside one written by hand in NumPy; goal: at most 2.5 times.

    python tests/benchmarks/training_step.py

The network is 2-16-16-1 with tanh on 200 moons, binary cross-entropy, plain gradient descent, in
float32 on one BLAS thread. The hand-written step has its buffers made beforehand and knows its
own gradient; ours is `value_and_gradient` and one subtraction. Both walk the same way (checked),
in interleaved rounds, so that a busy machine slows both. Then the cost of splitting a long theta.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

import tinygrad_landscape as tl

LR = 0.1


def by_hand(theta: np.ndarray, x: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """One step of gradient descent on `theta`, in place, with every buffer made beforehand."""
    y = labels.astype(np.float32)[:, None]
    n = len(x)
    cuts = np.cumsum([0, 32, 16, 256, 16, 16, 1])
    shapes = [(2, 16), (16,), (16, 16), (16,), (16, 1), (1,)]

    def views(flat: np.ndarray) -> list[np.ndarray]:
        return [flat[a:b].reshape(s) for a, b, s in zip(cuts[:-1], cuts[1:], shapes, strict=True)]

    g = np.empty_like(theta)
    w1, b1, w2, b2, w3, b3 = views(theta)
    gw1, gb1, gw2, gb2, gw3, gb3 = views(g)
    h1, h2, d1, d2, k1, k2 = (np.empty((n, 16), np.float32) for _ in range(6))
    z, e, p = (np.empty((n, 1), np.float32) for _ in range(3))
    ones = np.ones(n, np.float32)

    def step() -> float:
        np.matmul(x, w1, out=h1)
        np.add(h1, b1, out=h1)
        np.tanh(h1, out=h1)
        np.matmul(h1, w2, out=h2)
        np.add(h2, b2, out=h2)
        np.tanh(h2, out=h2)
        np.matmul(h2, w3, out=z)
        np.add(z, b3, out=z)
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)  # exp(-|z|), which never overflows
        loss = float((np.maximum(z, 0.0) - z * y + np.log1p(e)).sum()) / n
        np.divide(np.where(z > 0, np.float32(1.0), e), 1.0 + e, out=p)
        np.subtract(p, y, out=p)
        np.multiply(p, 1.0 / n, out=p)
        np.matmul(h2.T, p, out=gw3)
        np.matmul(ones, p, out=gb3)
        np.multiply(p, w3.T, out=d2)
        np.multiply(h2, h2, out=k2)
        np.subtract(1.0, k2, out=k2)
        np.multiply(d2, k2, out=d2)
        np.matmul(h1.T, d2, out=gw2)
        np.matmul(ones, d2, out=gb2)
        np.matmul(d2, w2.T, out=d1)
        np.multiply(h1, h1, out=k1)
        np.subtract(1.0, k1, out=k1)
        np.multiply(d1, k1, out=d1)
        np.matmul(x.T, d1, out=gw1)
        np.matmul(ones, d1, out=gb1)
        np.multiply(g, LR, out=g)
        np.subtract(theta, g, out=theta)
        return loss

    return step


def ours(landscape: tl.Landscape, theta: np.ndarray) -> Callable[[], float]:
    """The same step in our words."""

    def step() -> float:
        loss, gradient = landscape.value_and_gradient(theta)
        np.subtract(theta, LR * gradient, out=theta)
        return float(loss)

    return step


def timed(function: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def training_step(rounds: int = 60, repeats: int = 50) -> None:
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))
    moons = tl.data.moons(200, seed=0)
    landscape = tl.Landscape(net, tl.losses.binary_cross_entropy, moons)
    start = net.init(seed=0, dtype=np.float32)
    hand, mine = start.copy(), start.copy()
    steps = by_hand(hand, moons.x.astype(np.float32), moons.y), ours(landscape, mine)
    for _ in range(200):
        losses = [step() for step in steps]
    assert np.isclose(*losses, rtol=1e-3), losses
    assert np.allclose(hand, mine, atol=1e-4) and mine.dtype == np.float32
    times = np.array([[timed(step, repeats) for step in steps] for _ in range(rounds)])
    microseconds = 1e6 * np.median(times, axis=0)
    print(f"{'training step, 2-16-16-1':<30}{'median µs':>10}{'best µs':>10}")
    for name, middle, best in zip(
        ("by hand", "ours"), microseconds, 1e6 * times.min(0), strict=True
    ):
        print(f"{name:<30}{middle:>10.1f}{best:>10.1f}")
    ratio = median(times[:, 1] / times[:, 0])
    best = times[:, 1].min() / times[:, 0].min()
    print(f"\nmedian ratio: {ratio:.2f}   (goal: at most 2.5)   of the best: {best:.2f}\n")


def splitting(rounds: int = 20) -> None:
    """Cut 670,000 weights into arrays and gather the gradient, beside copies of theta.

    The cost should not grow with the number of arrays: each weight is touched once. Slicing theta
    once per array instead makes a gradient of theta's length for every slice.
    """
    wide = tl.Network(tl.Linear(784, 512), tl.Linear(512, 512), tl.Linear(512, 10))
    deep = tl.Network(*(tl.Linear(182, 182) for _ in range(20)))
    print(f"{'gradient through a split':<34}{'median µs':>10}{'copies':>10}")
    for net, name in ((wide, "split"), (deep, "split"), (deep, "sliced")):
        theta = net.init(seed=0, dtype=np.float32)

        def gathered(net: tl.Network = net, name: str = name, theta: np.ndarray = theta) -> object:
            t = tl.Tensor(theta)
            parts = (
                net.unpack(t).values()
                if name == "split"
                else [t[slot.start : slot.stop] for slot in net.layout]
            )
            return tl.gradients(sum(part.sum() for part in parts), [t])

        times = np.array([[timed(theta.copy, 5), timed(gathered, 2)] for _ in range(rounds)])
        copy, ours = 1e6 * np.median(times, axis=0)
        row = f"P = {net.size:,}, {len(net.layout)} arrays, {name}"
        print(f"{row:<34}{ours:>10.0f}{ours / copy:>10.1f}")


if __name__ == "__main__":
    training_step()
    splitting()
