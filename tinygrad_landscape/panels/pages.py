"""A panel as one page: no kernel, no network, the same stage.

What its controls can show is computed beforehand over a grid of their values and packed into the
page beside the background, and the page's own JavaScript answers as the kernel would. Walks on the
four small networks of `formulas` are made in the page itself, so that their start can be dragged.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.surveying import Plane

if TYPE_CHECKING:
    from tinygrad_landscape.panels.panel import Panel

LIMIT = 1_000_000  # bytes
STATIC = Path(__file__).parent / "static"
SCRIPTS = ("paint.js", "stage.js", "live.js", "page.js")


def write(panel: Panel, path: str | os.PathLike[str]) -> None:
    """Write `panel` as a page to `path`; see `Panel.to_html`."""
    offered = {name: _with(list(values), panel.controls[name].value)
               for name, values in panel._baked().items()}  # fmt: skip
    panel.settle()
    player, live = panel.player, panel._live()
    spec = player.scene.spec() | player._roles | ({} if live else {"drag": None})
    fine = any(abs(b - a) < 1e-3 * max(abs(a), abs(b))
               for axes in spec["axes"] for a, b, _ in (axes["x"], axes["y"]))  # fmt: skip
    background = player.scene.background()
    numbers = _Numbers("<f8" if fine else "<f4")
    states = list(_states(panel, offered, numbers))
    if player.scene.background() != background:
        raise ParameterError("what stands still in this panel changes with its controls; a page "
                             "has one background")  # fmt: skip
    controls = [{"name": name, "label": panel.controls[name].description, "values": values}
                for name, values in offered.items()]  # fmt: skip
    opening = {
        "chosen": [values.index(panel.controls[name].value) for name, values in offered.items()],
        "frame": None if player.resting else player.frame,
    }
    baked = {
        "spec": spec, "label": player.label, "speed": player.speed, "controls": controls,
        "opening": opening, "live": live, "type": numbers.kind[1:], "states": states,
        "numbers": _text(numbers.packed()), "background": _text(_smaller(background)),
    }  # fmt: skip
    page = _page(panel, baked).encode()
    if len(page) > LIMIT:
        raise ParameterError(
            f"the page would have {len(page) / 1e6:.1f} MB, more than 1; take fewer steps"
        )
    with _moved_into_place(path) as draft:
        draft.write_bytes(page)


def live(landscape: Landscape, plane: Plane, steps: int) -> dict[str, Any] | None:
    """What `static/live.js` needs to walk on `landscape`, if it is a network it knows, drawn as it
    is; else None."""
    known = {formulas.one_neuron: "one", formulas.sine_neuron: "sine",
             formulas.three_valleys: "pair", formulas.sieve: "pair"}  # fmt: skip
    if landscape not in known or not isinstance(landscape, formulas.Fitted):
        return None
    if not (np.array_equal([plane.u, plane.v], np.eye(2)) and not plane.origin.any()):
        return None
    pair = landscape.predict.args if isinstance(landscape.predict, partial) else ()
    return {
        "network": known[landscape], "x": landscape.x.tolist(), "y": landscape.y.tolist(),
        "labels": list(plane.labels), "steps": steps, **dict(zip(("biases", "outputs"), pair)),
    }  # fmt: skip


class _Numbers:
    """The arrays of all states end to end, each kept once."""

    def __init__(self, kind: str) -> None:
        self.kind, self.blocks, self._places, self._end = kind, list[bytes](), dict[bytes, int](), 0

    def place(self, array: np.ndarray) -> list[int]:
        """Where an array begins, and its shape."""
        block = _rounded(np.ascontiguousarray(array, dtype=self.kind)).tobytes()
        mark = hashlib.sha256(block).digest()
        if mark not in self._places:
            self._places[mark], self._end = self._end, self._end + len(block)
            self.blocks.append(block)
        return [self._places[mark], *array.shape]

    def packed(self) -> bytes:
        """All blocks, compressed: the first bytes of every number, then the second ones, ..."""
        numbers = np.frombuffer(b"".join(self.blocks), np.uint8)
        planes = numbers.reshape(-1, np.dtype(self.kind).itemsize).T
        return zlib.compress(planes.tobytes(), 9)


def _rounded(array: np.ndarray) -> np.ndarray:
    """float32 rounded to 16 significant bits, far below a pixel and the three figures of a text."""
    if array.dtype != np.float32:
        return array
    return (array.view("<u4") + np.uint32(0x80)) & np.uint32(0xFFFFFF00)


def _smaller(png: bytes) -> bytes:
    """The same picture as a lossless WebP, less than half as large."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "WEBP", lossless=True)
    return file.getvalue()


def _states(panel: Panel, offered: dict[str, list[Any]], numbers: _Numbers) -> Iterator[Any]:
    """Move the controls through the grid, the last one fastest, and back where they were."""
    before, wanted, player = panel.state, panel._wanted, panel.player
    frame, resting = player.frame, player.resting
    before.pop("frame")
    with ExitStack() as quiet:  # a front end hears of the last state only, which is the first one
        for widget in (*panel.controls.values(), player):
            if hasattr(widget, "hold_sync"):
                quiet.enter_context(widget.hold_sync())
        try:
            for values in itertools.product(*offered.values()):
                _set(panel, dict(zip(offered, values, strict=True)))
                arrays = player.scene.arrays()
                yield {
                    "layers": {name: numbers.place(array) for name, array in arrays.items()},
                    "frames": player.frames, "start": list(player.start), "dial": player.dial,
                    "sentence": player.sentence, "honesty": player.honesty,
                }  # fmt: skip
        finally:
            panel._wanted = wanted
            _set(panel, before)
            player.frame, player.resting = frame, resting


def _set(panel: Panel, values: dict[str, Any]) -> None:
    """Show what a panel shows with these values of its controls."""
    panel._deaf = True
    try:
        for name, value in values.items():
            panel.controls[name].value = value
    finally:
        panel._deaf = False
    panel._begin()
    panel._done = panel._work(float("inf"))
    panel._present()


def _with(values: list[Any], now: Any) -> list[Any]:
    """The values of a control with the one it has now."""
    if now in values:
        return values
    if isinstance(now, str):
        return [now, *values]
    return sorted([*values, now])


def _page(panel: Panel, baked: dict[str, Any]) -> str:
    spec = baked["spec"]
    words = {
        "title": escape(type(panel).__name__), "sentence": escape(panel.player.sentence),
        "css": _read("stage.css"), "js": "\n".join(map(_read, SCRIPTS)),
        "paper": spec["paper"], "ink": spec["ink"], "scale": str(spec["scale"]),
        "width": str(spec["width"]),
        "baked": json.dumps(baked, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
    }  # fmt: skip
    pieces = _read("page.html").split("@@")
    return "".join(words[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@contextmanager
def _moved_into_place(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside `path`, moved there when all went well, else removed."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        draft.unlink()
        raise
