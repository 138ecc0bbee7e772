"""A training step beside one written by hand in NumPy; goal: at most 2.5 times.

    python tests/benchmarks/training_step.py

The network is 2-16-16-1 with tanh on 200 moons, binary cross-entropy, plain gradient descent, in
float32 on one BLAS thread. By hand there are two: as one writes it in NumPy, and with every buffer
made beforehand, which is as fast as NumPy goes. Ours is `value_and_gradient` and one subtraction.
All three walk the same way (checked), in interleaved rounds, so that a busy machine slows all.
Then the cost of splitting a long theta.
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
    """One step of gradient descent on `theta`, as one writes it."""
    y = labels.astype(np.float32)[:, None]
    n = len(x)

    def step() -> float:
        w1, b1 = theta[:32].reshape(2, 16), theta[32:48]
        w2, b2 = theta[48:304].reshape(16, 16), theta[304:320]
        w3, b3 = theta[320:336].reshape(16, 1), theta[336:]
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        z = h2 @ w3 + b3
        loss = np.mean(np.logaddexp(0.0, z) - y * z)
        dz = (1.0 / (1.0 + np.exp(-z)) - y) / n
        d2 = dz @ w3.T * (1.0 - h2 * h2)
        d1 = d2 @ w2.T * (1.0 - h1 * h1)
        parts = (x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ dz, dz.sum(0))
        np.subtract(theta, LR * np.concatenate([part.ravel() for part in parts]), out=theta)
        return float(loss)

    return step


def by_hand_in_place(theta: np.ndarray, x: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """The same step, in place, with every buffer made beforehand."""
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
    x = moons.x.astype(np.float32)
    walkers = [start.copy() for _ in range(3)]
    steps = {
        "ours": ours(landscape, walkers[0]),
        "by hand": by_hand(walkers[1], x, moons.y),
        "by hand, every buffer ready": by_hand_in_place(walkers[2], x, moons.y),
    }
    for _ in range(200):
        losses = [step() for step in steps.values()]
    assert np.allclose(losses, losses[0], rtol=1e-3), losses
    assert all(np.allclose(w, walkers[0], atol=1e-4) for w in walkers)
    assert all(w.dtype == np.float32 for w in walkers)
    times = np.array([[timed(s, repeats) for s in steps.values()] for _ in range(rounds)])
    ratios = times[:, :1] / times
    print(f"{'training step, 2-16-16-1':<30}{'median µs':>10}{'best µs':>10}{'ours is':>10}")
    for k, name in enumerate(steps):
        middle, best = 1e6 * median(times[:, k]), 1e6 * times[:, k].min()
        print(f"{name:<30}{middle:>10.1f}{best:>10.1f}{median(ratios[:, k]):>9.2f}x")
    print("\ngoal: ours is at most 2.5x the step written by hand\n")


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
