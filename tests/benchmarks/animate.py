"""What `tl.draw.animate` costs beside matplotlib's FuncAnimation on the same 100 frames; goal: at
least 10 times faster.

    python tests/benchmarks/animate.py

Both draw the same figure (a 101 x 101 map, the walk, its loss curve, a readout) and write the same
number of frames at 100 dots per inch, once as GIF with Pillow and once as MP4 with ffmpeg. Building
the figure and the last frame's pause count for both.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

import tinygrad_landscape as tl
from tinygrad_landscape.draw.motion import walk_scene

FRAMES, FPS = 100, 20
ROUNDS = 3  # of ours, which is short; matplotlib's is long enough to be measured once


def matplotlibs(surface, walk, path: Path) -> None:
    """The same film by FuncAnimation: artists are changed, and every frame is drawn anew."""
    scene = walk_scene(surface, walk)
    over, beside = scene.axes.values()
    places, losses = walk.points, walk.losses
    look = {"marker": "o", "markersize": 3, "linewidth": 1.3}
    (cased,) = over.plot([], [], color="#10151c", **look | {"linewidth": 3.0})
    (path_line,) = over.plot([], [], color="#ffffff", **look)
    (ball,) = over.plot([], [], marker="o", markersize=9, color="#D55E00", linewidth=0)
    beside.plot(walk.steps, losses, color="#0072B2", alpha=0.3)
    (curve,) = beside.plot([], [], color="#0072B2")
    (cursor,) = beside.plot([], [], marker="o", markersize=8, color="#D55E00", linewidth=0)
    words = over.text(0.0, 1.02, "", transform=over.transAxes)

    def turn(k: int) -> None:
        for line in (cased, path_line):
            line.set_data(*places[: k + 1].T)
        ball.set_data(*places[k : k + 1].T)
        curve.set_data(walk.steps[: k + 1], losses[: k + 1])
        cursor.set_data(walk.steps[k : k + 1], losses[k : k + 1])
        words.set_text(f"step {k}   loss {losses[k]:.3g}")

    film = FuncAnimation(scene.figure, turn, frames=len(places), repeat=False)
    writer = PillowWriter(fps=FPS) if path.suffix == ".gif" else FFMpegWriter(fps=FPS)
    film.save(path, writer=writer, dpi=100)


def seconds(make, *arguments) -> float:
    start = time.perf_counter()
    make(*arguments)
    return time.perf_counter() - start


def main() -> None:
    landscape = tl.formulas.one_neuron
    surface = tl.survey(landscape, None, extent=3.0, resolution=101)
    walk = tl.descend(landscape, [0.3, 0.2], tl.optim.SGD(lr=0.5), steps=FRAMES - 1)

    def ours(path: Path) -> None:
        tl.draw.animate(surface, walk, path, fps=FPS)

    endings = [".gif", ".mp4"] if shutil.which("ffmpeg") else [".gif"]
    with tempfile.TemporaryDirectory() as folder:
        ours(Path(folder) / "warm.gif")
        print(f"{FRAMES} frames{'':>6}{'animate':>12}{'FuncAnimation':>16}{'ratio':>8}{'kB':>14}")
        for ending in endings:
            mine, theirs = Path(folder) / f"ours{ending}", Path(folder) / f"theirs{ending}"
            before = np.median([seconds(ours, mine) for _ in range(ROUNDS)])
            other = seconds(matplotlibs, surface, walk, theirs)
            after = np.median([seconds(ours, mine) for _ in range(ROUNDS)])
            own = (before + after) / 2
            sizes = f"{mine.stat().st_size / 1000:.0f} / {theirs.stat().st_size / 1000:.0f}"
            print(f"{ending:<16}{own:>10.2f} s{other:>14.1f} s{other / own:>8.1f}{sizes:>14}")
    print("\ngoal: a ratio of at least 10")


if __name__ == "__main__":
    main()
