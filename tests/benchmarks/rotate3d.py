"""How smoothly the 3-D view turns under a hand; goal: at least 30 frames a second with software GL.

    python tests/benchmarks/rotate3d.py [seconds]

A bare page in headless Chromium with SwiftShader, which does on the processor what a graphics card
would do: a 101 x 101 surface with a 200-step walk, 640 by 533 pixels. A pointer moves once in every
frame of the browser; what is counted is the view's own paints. The
second row is the canvas painter that stands in where WebGL is missing; the third is a page on which
the same pointer turns nothing, for what this machine can do at all.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import tinygrad_landscape as tl
from tests.browser.lab import browsing
from tests.panels.test_surface3d_in_browser import Seat
from tinygrad_landscape.panels.surface3d import Surface3d

TURN = """([selector, seconds]) => new Promise((done) => {
    const hills = document.querySelector(selector), box = hills.getBoundingClientRect();
    const root = hills.closest('.tgl-surface3d');
    hills.setPointerCapture = () => {};
    const send = (kind, x, y) => hills.dispatchEvent(new PointerEvent(kind, {
        pointerId: 7, button: kind === 'pointermove' ? -1 : 0, bubbles: true, cancelable: true,
        clientX: box.x + box.width / 2 + x, clientY: box.y + box.height / 2 + y}));
    send('pointerdown', 0, 0);
    const before = Number(root?.dataset.paints ?? 0), gaps = [];
    let begun = null, last = null;
    const frame = (now) => {
        if (begun === null) begun = now; else gaps.push(now - last);
        last = now;
        if (now - begun > 1000 * seconds) {
            send('pointerup', 0, 0);
            gaps.sort((a, b) => a - b);
            return done([(Number(root?.dataset.paints ?? 0) - before) / (now - begun) * 1000,
                         gaps.length / (now - begun) * 1000, gaps[Math.floor(0.95 * gaps.length)]]);
        }
        const t = (now - begun) / 1000;
        send('pointermove', 150 * Math.sin(2 * t), 30 * Math.sin(3 * t));
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})"""


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    landscape = tl.formulas.one_neuron
    surface = tl.survey(landscape, None, extent=3.0, resolution=101)
    walk = tl.descend(landscape, [0.3, 0.2], tl.optim.SGD(lr=0.5), steps=200)
    print(f"{'painter':<12}{'paints / s':>12}{'frames / s':>12}{'95% gap, ms':>14}")
    with browsing(800, 700) as page:
        rows = []
        for plain in (False, True):
            seat = Seat(page, Surface3d(surface, walk, plain=plain), wide=640)
            page.evaluate(TURN, [".tgl-hills", 1.0])  # shaders are compiled, the pace is found
            rows.append((seat.data("mode"), page.evaluate(TURN, [".tgl-hills", seconds])))
        page.goto("about:blank")
        rows.append(("(nothing)", page.evaluate(TURN, ["body", seconds])))
    for name, (paints, frames, gap) in rows:
        print(f"{name:<12}{paints:>12.0f}{frames:>12.0f}{gap:>14.0f}")
    print("\ngoal: at least 30 paints a second by webgl")


if __name__ == "__main__":
    main()
