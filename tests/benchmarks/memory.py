"""Whether memory grows while a slider is moved: 1,000 updates of `Descent`, in kernel and browser.

    python tests/benchmarks/memory.py [updates]

In JupyterLab in headless Chromium the learning rate goes up and down by keys until the stage was
updated so many times. Every 100 keys the browser's heap is read after a garbage collection, and the
kernel's Python objects (tracemalloc) and resident memory after one of its own. Caches fill in the
beginning; what matters is the summary: growth for each update over the second half.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from tests.browser.lab import Notebook, browsing, served, written

SETUP = """
import gc, resource, tracemalloc
import tinygrad_landscape as tl
tracemalloc.start()
panel = tl.panels.Descent()
updates = []
panel.player.observe(lambda change: updates.append(1), "layers")

def memory():
    gc.collect()
    with open("/proc/self/statm") as pages:
        resident = int(pages.read().split()[1]) * resource.getpagesize()
    return [tracemalloc.get_traced_memory()[0], resident]
panel
"""


def main(updates: int = 1000) -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address:
        written(Path(folder) / "lessons" / "memory.ipynb", SETUP)
        with browsing() as page:
            opened = Notebook(page, address, "memory.ipynb")
            opened.run_all()
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable")
            slider = page.locator(".tgl-panel [role=slider]").first
            slider.focus()
            print(f"{'updates':>8}{'browser heap MB':>17}{'Python MB':>11}{'kernel RSS MB':>15}")
            rows: list[list[float]] = []
            while not rows or rows[-1][0] < updates:
                for key in ("ArrowRight", "ArrowLeft"):
                    for _ in range(50):
                        page.keyboard.press(key)
                        page.wait_for_timeout(30)
                page.wait_for_timeout(500)  # the walk is finished, the sentence said
                done, python, resident = opened.execute("answer = [len(updates), *memory()]")
                rows.append([done, heap(devtools), python, resident])
                row = zip(rows[-1][1:], (17, 11, 15), strict=True)
                print(f"{done:>8}" + "".join(f"{size / 1e6:>{wide}.2f}" for size, wide in row))
            assert opened.complaints == [], opened.complaints
    late = np.array(rows[(len(rows) - 1) // 2 :])
    print("\ngrowth for each update, second half")
    for name, column in zip(
        ("browser heap", "Python objects", "kernel RSS"), late.T[1:], strict=True
    ):
        print(f"{name:<16}{np.polyfit(late[:, 0], column, 1)[0]:>10.0f} bytes")


def heap(devtools) -> float:
    """Bytes on the page's JavaScript heap after a collection."""
    devtools.send("HeapProfiler.collectGarbage")
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
