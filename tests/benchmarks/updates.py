"""How long the kernel works for one move of a control: every panel, every control, over its range.

    python -m tests.benchmarks.updates [Panel ...]

A slider's message is answered by one update, then the hand rests and the rest is worked off in
pieces. Both are timed in milliseconds of the clock and of the processor (a busy machine lengthens
the first); none may take longer than 100.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import ipywidgets
import numpy as np

from tinygrad_landscape import panels
from tinygrad_landscape.engine.errors import ParameterError

MOVES = 9
LIMIT = 100.0
PRESETS: dict[str, tuple[dict[str, Any], ...]] = {
    "Fit": ({}, {"preset": "network"}),
    "Ravine": ({}, {"preset": "momentum"}),
    "Losses": ({}, {"preset": "mistake"}),
    "Slice": ({}, {"plane": "random"}),
}
NAMES = ("Descent", "Fit", "Ravine", "Losses", "Slice", "Initialization", "Race", "Saddle",
         "Sieve", "TwinSurface", "Flatness", "Basins", "Sandbox")  # fmt: skip


def moves(control: Any) -> Iterator[Any]:
    """Values over a control's range, as a hand that drags would pass them."""
    if isinstance(control, (ipywidgets.BoundedFloatText, ipywidgets.BoundedIntText)):
        low, high = float(control.min), float(control.max)
        even = np.geomspace(low, high, MOVES) if low > 0.0 else np.linspace(low, high, MOVES)
        whole = isinstance(control, ipywidgets.BoundedIntText)
        for value in even.tolist():
            yield round(value) if whole else value
    elif isinstance(control, (ipywidgets.Checkbox, ipywidgets.ToggleButton)):
        yield from (not control.value, control.value)
    elif hasattr(control, "options"):
        yield from [pair[1] if isinstance(pair, tuple) else pair for pair in control.options][:4]


def timed(action: Callable[[], Any]) -> np.ndarray:
    """Milliseconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    action()
    return 1e3 * np.array([time.perf_counter() - clock, time.process_time() - processor])


async def measure(panel: Any) -> None:
    for name, control in panel.controls.items():
        updates, pieces, before = [], [], control.value
        work = panel._rest

        def rest(work: Any = work, pieces: list[Any] = pieces) -> None:
            pieces.append(timed(work))

        panel._rest = rest
        for value in moves(control):
            with suppress(ParameterError):  # the same weight twice, for example
                updates.append(timed(partial(control.set_trait, "value", value)))
            await asyncio.sleep(0.0)
        deadline = time.perf_counter() + 5.0
        while not panel._done and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)
        del panel._rest
        control.value = before
        panel.settle()
        if updates:
            worst = [np.max(each, axis=0) if each else np.zeros(2) for each in (updates, pieces)]
            mark = " <<" if max(each[1] for each in worst) > LIMIT else ""
            print(f"  {name:14s} update {worst[0][0]:6.0f} ({worst[0][1]:4.0f})   piece "
                  f"{worst[1][0]:6.0f} ({worst[1][1]:4.0f}){mark}", flush=True)  # fmt: skip


def main() -> None:
    print("worst of the moves of each control: milliseconds of the clock (of the processor)")
    for name in sys.argv[1:] or NAMES:
        for options in PRESETS.get(name, ({},)):
            panel = getattr(panels, name)(**options)
            panel.settle()
            print(name, *options.values())
            asyncio.run(measure(panel))


if __name__ == "__main__":
    main()
