"""A surface beside a loop of forward passes written by hand in NumPy; goal: at least 2.2 times
faster.

    python tests/benchmarks/surface.py

101 x 101 cells of the 2-16-16-1 tanh network on 200 moons, float32, one BLAS thread; then the same
with two chosen weights of the last layer, with two threads, and smaller and larger networks. Where
the PyPI package `loss-landscapes` (and torch) is installed it is timed too; goal: at least 4 times
faster.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import itertools
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

import tinygrad_landscape as tl

GOALS = {"loop": 2.2, "loss-landscapes": 4.0}
F32 = np.float32
POOL = ThreadPoolExecutor(2)


def by_hand(widths: tuple[int, ...], plane: Any, x: Any, y: Any, cells: int) -> Callable[[], Any]:
    """One forward pass per cell, in a Python loop."""
    x, y, grid = x.astype(F32), y[:, None].astype(F32), np.linspace(-1, 1, cells, dtype=F32)
    origin, u, v = (part.astype(F32) for part in plane.frame)
    shapes = list(itertools.pairwise(widths))

    def loss(theta: Any) -> Any:
        at, h = 0, x
        for k, (a, b) in enumerate(shapes):
            h = h @ theta[at : at + a * b].reshape(a, b) + theta[at + a * b :][:b]
            h = np.tanh(h) if k < len(shapes) - 1 else h
            at += a * b + b
        return (np.maximum(h, 0) - h * y + np.log1p(np.exp(-np.abs(h)))).mean()

    return lambda: np.array([loss(origin + a * u + b * v) for a in grid for b in grid])


def loss_landscapes(
    widths: tuple[int, ...], x: Any, y: Any, cells: int
) -> Callable[[], Any] | None:
    """The same amount of work with the package of that name, if it is here."""
    try:
        import loss_landscapes as package
        import torch
        from loss_landscapes.metrics import Loss
    except ImportError:
        return None
    torch.set_num_threads(1)
    layers: list[Any] = []
    for a, b in itertools.pairwise(widths):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    metric = Loss(
        torch.nn.BCEWithLogitsLoss(), torch.Tensor(x.copy()), torch.Tensor(y[:, None].copy())
    )
    return lambda: package.random_plane(model, metric, steps=cells, normalization="model")


def measured(widths: tuple[int, ...], samples: int, cells: int, rounds: int) -> dict[str, float]:
    """Times in interleaved rounds, as ratios to ours."""
    layers: list[Any] = [tl.Linear(widths[0], widths[1])]
    for a, b in itertools.pairwise(widths[1:]):
        layers += [tl.Tanh(), tl.Linear(a, b)]
    net, data = tl.Network(*layers), tl.data.moons(samples, noise=0.15, seed=0)
    L, theta = tl.Landscape(net, tl.losses.binary_cross_entropy, data), net.init(seed=0)
    plane = tl.Plane.random(theta, seed=0, network=net)
    last = tl.Plane.two_weights(theta, net.size - 2, net.size - 3)
    loop = by_hand(widths, plane, *data, cells)
    ours = lambda: tl.survey(L, plane, resolution=cells, dtype=F32)  # noqa: E731
    assert np.abs(ours().loss.ravel() - loop()).max() < 1e-5, "not the same surface"
    runs: dict[str, Callable[[], Any]] = {"ours": ours, "loop": loop}
    runs["two weights"] = lambda: tl.survey(L, last, resolution=cells, dtype=F32)
    runs["two threads"] = lambda: tl.survey(L, plane, resolution=cells, dtype=F32, executor=POOL)
    if other := loss_landscapes(widths, *data, cells):
        runs["loss-landscapes"] = other
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    ratio = {
        name: median(t / o for t, o in zip(times[name], times["ours"], strict=True))
        for name in runs
    }
    return {"ms": 1e3 * median(times["ours"]), **ratio}


def main() -> int:
    print("network         samples  cells   ours ms   time of others / ours")
    failed = False
    for widths, samples, cells, rounds in (
        ((2, 16, 16, 1), 200, 101, 5),
        ((2, 8, 1), 100, 51, 9),
        ((2, 32, 32, 1), 500, 31, 5),
        ((2, 128, 128, 1), 500, 11, 3),
    ):
        found = measured(widths, samples, cells, rounds)
        shown = "  ".join(f"{k} {r:.2f}" for k, r in found.items() if k not in ("ours", "ms"))
        name = "-".join(map(str, widths))
        print(f"{name:15} {samples:7}  {cells:4}² {found['ms']:9.1f}   {shown}")
        if widths == (2, 16, 16, 1):
            failed = any(found[k] < goal for k, goal in GOALS.items() if k in found)
    print("goal missed" if failed else "goals met", GOALS)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
