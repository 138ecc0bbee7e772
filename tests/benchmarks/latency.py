"""From a key on the learning-rate slider to changed pixels, in JupyterLab in a real Chromium.

    python tests/benchmarks/latency.py [rounds]

Side by side in one notebook: the `Descent` panel on its canvas, the same panel as an Image, and
`ipywidgets.interact` redrawing the same figure inline. First with a fixed walk that costs next to
nothing in every variant (goal: the canvas at least 8 times faster, the Image 4 times), then with
the walk of the lesson's own network (goal: 4 and 3 times). Rounds are interleaved, so that a busy
machine slows all; a ratio is the median over rounds.

Then the slider is dragged for three seconds by the pointer, and the lag is measured from the last
move to the sentence of the last value, in updates as long as the median above (goal: under two).
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.lab import Notebook, browsing, served, written

SETUP = """
import dataclasses, types, time
import numpy as np, ipywidgets, matplotlib.pyplot as plt
import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson03

bowl = tl.formulas.one_neuron
start, bottom, curvature = np.array([0.3, 0.2]), np.array([1.2, 1.5]), np.array([0.05, 0.77])
template = tl.descend(bowl, start, tl.optim.SGD(lr=0.5), steps=200)

def fixed_walk(lr):
    "A walk of 200 steps in closed form, with true heights."
    points = bottom + (start - bottom) * (1 - lr * curvature) ** np.arange(201)[:, None]
    return dataclasses.replace(template, points=points, losses=bowl(points))

class Fixed(tl.panels.Descent):
    "The panel as it is, but its walk costs next to nothing."
    def _begin(self):
        super()._begin()
        self._run = types.SimpleNamespace(walk=fixed_walk(self._lr), go=lambda seconds: True)

def inline(surface, walk_of):
    "What a notebook does without this project: draw the figure again, inline."
    def redraw(lr=0.5):
        walk = walk_of(lr)
        figure, (over, beside) = plt.subplots(
            1, 2, figsize=(10.0, 4.6), width_ratios=(1.2, 1.0), layout="constrained")
        tl.draw.contour(surface, walk, ax=over, caption=False)
        beside.semilogy(walk.losses)
        plt.show()
    slider = ipywidgets.FloatLogSlider(value=0.5, min=-3, max=1, step=0.02)
    return ipywidgets.interact(redraw, lr=slider)

L, theta = lesson03.trained_network()
plane = lesson03.two_weights()
inside = L.restrict(plane)

def network_walk(lr):
    return tl.descend(inside, np.array([-2.0, 2.0]), tl.optim.SGD(lr=lr), steps=200)

def milliseconds(walk_of):
    times = []
    for lr in np.linspace(0.2, 2.0, 20):
        begin = time.perf_counter(); walk_of(lr); times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))
"""
CELLS = {
    "fixed walk, canvas": "tl.panels.use('canvas'); Fixed()",
    "fixed walk, image": "tl.panels.use('image'); Fixed()",
    "fixed walk, interact": "inline(tl.survey(bowl, None, 3.0, resolution=101), fixed_walk);",
    "network, canvas": "tl.panels.use('canvas'); tl.panels.Descent(L, plane)",
    "network, image": "tl.panels.use('image'); tl.panels.Descent(L, plane)",
    "network, interact": "inline(tl.survey(L, plane, 3.0, resolution=51), network_walk);",
}
GOALS = {
    "fixed walk, canvas": 8, "fixed walk, image": 4, "network, canvas": 4, "network, image": 3,
}  # fmt: skip

# Resolves with the milliseconds from the next key to the frame after the picture has changed.
WATCH = """(area) => { window.changed = new Promise((resolve, reject) => {
    const small = document.createElement('canvas');
    small.width = 160; small.height = 74;
    const pen = small.getContext('2d', {willReadFrequently: true});
    let paints = null, last = null, pressed = 0;
    const look = () => {
        const stage = area.querySelector('.tgl-stage'), canvas = area.querySelector('canvas');
        if (canvas) {
            if (stage.dataset.paints !== paints) {
                paints = stage.dataset.paints;
                pen.clearRect(0, 0, 160, 74);
                pen.drawImage(canvas, 0, 0, 160, 74);
                last = pen.getImageData(0, 0, 160, 74).data.join();
            }
            return last;
        }
        const image = area.querySelector('img');
        return image && image.complete && image.naturalWidth ? image.src : null;
    };
    const before = look();
    document.addEventListener('keydown', () => { pressed = performance.now() },
                              {capture: true, once: true});
    const begun = performance.now();
    const frame = () => {
        const now = look();
        if (pressed && now !== null && now !== before)
            requestAnimationFrame(() => resolve(performance.now() - pressed));
        else if (performance.now() - begun > 20000) reject(new Error('no change in 20 s'));
        else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})}"""


# Notes when the pointer moved last, and when the sentence first spoke of each learning rate.
LISTEN = """(area) => {
    window.spoken = {};
    document.addEventListener('pointermove', () => { window.last = performance.now() }, true);
    new MutationObserver(() => {
        const words = area.querySelector('.tgl-sentence')?.textContent.match(/rate (\\S+)/);
        if (words) window.spoken[words[1]] ??= performance.now();
    }).observe(area, {childList: true, subtree: true, characterData: true});
}"""


def lag_after_drag(page, area) -> float:
    """Drag the slider of an output area for three seconds; milliseconds by which it comes late."""
    handle = area.locator("[role=slider]").first
    handle.scroll_into_view_if_needed()
    rail = area.locator(".noUi-base").first.bounding_box()
    at = handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    area.evaluate(LISTEN)
    page.mouse.move(x, y)
    page.mouse.down()
    begun = time.perf_counter()
    while time.perf_counter() < begun + 3.0:
        share = (time.perf_counter() - begun) / 3.0
        page.mouse.move(x + share * (rail["x"] + 0.9 * rail["width"] - x), y)
    page.wait_for_timeout(2500)
    page.mouse.up()
    return page.evaluate("Math.max(...Object.values(window.spoken)) - window.last")


def one_change(page, area, key: str) -> float:
    """Press a key on the slider of an output area; milliseconds until its picture has changed."""
    handle = area.locator("[role=slider]").first
    handle.scroll_into_view_if_needed()
    area.locator("canvas, img").first.scroll_into_view_if_needed()
    handle.focus()
    page.wait_for_timeout(400)  # whatever the last key began is finished
    area.evaluate(WATCH)
    page.keyboard.press(key)
    return page.evaluate("() => window.changed")


def main(rounds: int = 20) -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address:
        written(Path(folder) / "lessons" / "latency.ipynb", SETUP, *CELLS.values())
        with browsing(height=1200) as page:
            opened = Notebook(page, address, "latency.ipynb")
            opened.run_all()
            page.wait_for_timeout(3000)
            outputs = page.locator(".jp-CodeCell .jp-Cell-outputArea")
            areas = {name: outputs.nth(k) for k, name in enumerate(CELLS, start=1)}
            times: dict[str, list[float]] = {name: [] for name in CELLS}
            for turn in range(rounds + 1):
                for name, area in areas.items():
                    took = one_change(
                        page, area, "ArrowRight" if turn <= rounds // 2 else "ArrowLeft"
                    )
                    if turn:  # the first one warms up
                        times[name].append(took)
            lags = {name: lag_after_drag(page, areas[name]) for name in GOALS}
            walks = opened.execute(
                "answer = [milliseconds(fixed_walk), milliseconds(network_walk)]"
            )
            print(f"walks alone: fixed {walks[0]:.1f} ms, network {walks[1]:.1f} ms")
            assert opened.complaints == [], opened.complaints
    columns = f"{'median ms':>10}{'p95 ms':>8}{'interact is slower by':>24}"
    print(f"\n{'key to changed pixels':<24}{columns}")
    for name, taken in times.items():
        slower = zip(times[f"{name.split(',')[0]}, interact"], taken, strict=True)
        ratio = median(theirs / ours for theirs, ours in slower)
        goal = f"   (goal: {GOALS[name]})" if name in GOALS else ""
        p95 = quantiles(taken, n=20)[-1]
        print(f"{name:<24}{median(taken):>10.0f}{p95:>8.0f}{ratio:>22.1f} x{goal}")
    print(f"\n{'lag after a drag':<24}{'ms':>10}{'updates':>9}")
    for name, lag in lags.items():
        print(f"{name:<24}{lag:>10.0f}{lag / median(times[name]):>9.1f}   (goal: under 2)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
