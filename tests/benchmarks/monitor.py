"""What a `Monitor` costs a running walk: processor time with it over processor time without it.

A 2-16-1 network on 200 points in two moons, 2000 steps, validation data watched, the monitor's
defaults. The ratio is wanted below 1.5. The share of the pictures is told apart by a second monitor
that never draws.

    python tests/benchmarks/monitor.py [--steps 2000] [--rounds 7]
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import argparse
import time

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Monitor


def seconds(run):
    began = time.process_time()
    run()
    return time.process_time() - began


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--steps", type=int, default=2000)
    ask.add_argument("--rounds", type=int, default=7)
    asked = ask.parse_args()
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1))
    train, held = (tl.data.moons(200, noise=0.15, seed=seed) for seed in (0, 1))
    land, start = tl.Landscape(net, tl.losses.binary_cross_entropy, train), net.init(seed=0)
    drawing, silent = (Monitor(land, validation=held) for _ in range(2))
    silent._draw_now = lambda: None

    def walk(*callbacks):
        tl.descend(land, start, tl.optim.SGD(0.5), asked.steps, callbacks=callbacks)

    variants = {"plain": (), "watched": (silent,), "drawn": (drawing,)}
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(asked.rounds):  # in turn, so that a busy machine slows all alike
        for name, callbacks in variants.items():
            best[name] = min(best[name], seconds(lambda given=callbacks: walk(*given)))
    plain, watched, drawn = best["plain"], *(best[k] / best["plain"] for k in ("watched", "drawn"))
    print(f"{asked.steps} steps without a monitor: {plain * 1e6 / asked.steps:.0f} us a step")
    print(f"watched: {watched:.2f} times; watched and drawn: {drawn:.2f} times (best of "
          f"{asked.rounds})")  # fmt: skip


if __name__ == "__main__":
    main()
