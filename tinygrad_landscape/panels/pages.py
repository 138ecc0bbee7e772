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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.surveying import Plane

if TYPE_CHECKING:
    from tinygrad_landscape.draw import Scene
    from tinygrad_landscape.panels.panel import Panel

LIMIT = 1_000_000  # bytes
LONG = 32  # items in a row that is kept by itself
BITS = {"heights": 10}  # significant ones of a number in a kind of layer; 16 elsewhere
STATIC = Path(__file__).parent / "static"
SCRIPTS = ("paint.js", "stage.js", "page.js")


def write(panel: Panel, path: str | os.PathLike[str]) -> None:
    """Write `panel` as a page to `path`; see `Panel.to_html`."""
    offered = {name: _with(list(values), panel.controls[name].value)
               for name, values in panel._baked().items()}  # fmt: skip
    panel.settle()
    player, live = panel.player, panel._live()
    axes = player.scene.spec()["axes"]
    fine = any(abs(b - a) < 1e-3 * max(abs(a), abs(b))
               for each in axes for a, b, _ in (each["x"], each["y"]))  # fmt: skip
    numbers, grounds = _Numbers("<f8" if fine else "<f4"), _Grounds()
    whole = live is not None and live["whole"]
    states = _states(panel, {} if whole else offered, numbers, grounds, whole)
    hands = live["hands"] if live else _moved_by(states, offered)
    roles = {role: player._roles[role] if hand in hands else None
             for role, hand in (("drag", "start"), ("lasso", "loop"))}  # fmt: skip
    controls = [{"name": name, "label": panel.controls[name].description, "values": values}
                for name, values in offered.items()]  # fmt: skip
    opening = {
        "chosen": [values.index(panel.controls[name].value) for name, values in offered.items()],
        "frame": None if player.resting else player.frame, "playing": panel._opens_playing,
    }  # fmt: skip
    baked = {
        "grounds": grounds.packed(player._roles | roles), "label": player.label,
        "speed": player.speed, "controls": controls, "opening": opening, "live": live,
        "type": numbers.kind[1:], "numbers": _text(numbers.packed()), "states": states,
        "words": list(numbers.words),
    }  # fmt: skip
    page = _page(panel, baked).encode()
    if len(page) > LIMIT:
        raise ParameterError(
            f"the page would have {len(page) / 1e6:.1f} MB, more than 1; take fewer steps"
        )
    with _moved_into_place(path) as draft:
        draft.write_bytes(page)


def live(
    kind: str, landscape: Landscape, plane: Plane, steps: int = 0, *,
    hands: tuple[str, ...] = ("start",), whole: bool = True,
    packed: Mapping[str, np.ndarray] = MappingProxyType({}), **more: Any,
) -> dict[str, Any] | None:  # fmt: skip
    """What `static/live.js` needs to walk on `landscape`, if it is a network it knows, drawn as it
    is; else None.

    `kind` names the panel's own file beside it, `more` is what that needs. `hands` is what may be
    dragged or drawn, `packed` are arrays of bytes; without `whole` the page walks only once a hand
    has moved something, and shows what is baked until then.
    """
    known = {formulas.one_neuron: "one", formulas.sine_neuron: "sine",
             formulas.three_valleys: "pair", formulas.sieve: "pair"}  # fmt: skip
    if landscape not in known or not isinstance(landscape, formulas.Fitted):
        return None
    if not (np.array_equal([plane.u, plane.v], np.eye(2)) and not plane.origin.any()):
        return None
    pair = landscape.predict.args if isinstance(landscape.predict, partial) else ()
    texts = {name: _text(zlib.compress(array.tobytes(), 9)) for name, array in packed.items()}
    return {
        "kind": kind, "hands": hands, "whole": whole, "network": known[landscape],
        "x": landscape.x.tolist(), "y": landscape.y.tolist(), "labels": list(plane.labels),
        "steps": steps, "packed": texts, **dict(zip(("biases", "outputs"), pair)), **more,
    }  # fmt: skip


def _moved_by(states: list[Any], offered: dict[str, list[Any]]) -> tuple[str, ...]:
    """What a hand may drag where the page cannot walk: a start that is baked at several places,
    other than by choosing a word."""
    words = [tuple(value for value in values if isinstance(value, str))
             for values in itertools.product(*offered.values())]  # fmt: skip
    places = {(chosen, *state["start"]) for chosen, state in zip(words, states, strict=True)}
    return ("start",) if len(places) > len(set(words)) else ()


class _Grounds:
    """What stands still, each picture once: most panels have one, some one for every plane."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[int, dict[str, Any]]] = {}
        self._last: tuple[int, int] = (-1, -1)

    def place(self, scene: Scene) -> int:
        """The number of what stands still in a scene now."""
        if scene.redrawn != self._last[0]:
            place = self._seen.setdefault(scene.background(), (len(self._seen), scene.spec()))[0]
            self._last = scene.redrawn, place
        return self._last[1]

    def packed(self, roles: dict[str, Any]) -> list[dict[str, Any]]:
        """Every picture with its spec."""
        return [{"spec": spec | roles, "background": _text(_smaller(png))}
                for png, (_, spec) in self._seen.items()]  # fmt: skip


class _Numbers:
    """The arrays of all states end to end, each kept once."""

    def __init__(self, kind: str) -> None:
        self.kind, self.blocks, self._places, self._end = kind, list[bytes](), dict[bytes, int](), 0
        self.words: dict[str, int] = {}

    def place(self, array: np.ndarray, bits: int) -> list[Any]:
        """Where an array of so many significant bits begins, and its shape; where every row does if
        they are long, for another array may have most of them."""
        if len(array) > 1 and array.shape[1] >= LONG:
            return [[self._place(row, bits) for row in array], *array.shape]
        return [self._place(array, bits), *array.shape]

    def _place(self, array: np.ndarray, bits: int) -> int:
        with np.errstate(over="ignore"):  # what fell off further than float32 reaches is too far
            block = _rounded(np.ascontiguousarray(array, dtype=self.kind), bits).tobytes()
        mark = hashlib.sha256(block).digest()
        if mark not in self._places:
            self._places[mark], self._end = self._end, self._end + len(block)
            self.blocks.append(block)
        return self._places[mark]

    def said(self, words: str) -> int:
        """The number of a text that many states have."""
        return self.words.setdefault(words, len(self.words))

    def packed(self) -> bytes:
        """All blocks, compressed: the first bytes of every number, then the second ones, ..."""
        numbers = np.frombuffer(b"".join(self.blocks), np.uint8)
        planes = numbers.reshape(-1, np.dtype(self.kind).itemsize).T
        return zlib.compress(planes.tobytes(), 9)


def _rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """float32 rounded to so many significant bits: 16 are far below a pixel and the three figures
    of a text, and 10 a sixtieth of a band of colour."""
    if array.dtype != np.float32:
        return array
    cut = np.uint32(1 << (24 - bits))
    return (array.view("<u4") + cut // np.uint32(2)) & ~(cut - np.uint32(1))


def _smaller(png: bytes) -> bytes:
    """The same picture as a lossless WebP, less than half as large."""
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "WEBP", lossless=True)
    return file.getvalue()


def _states(
    panel: Panel, offered: dict[str, list[Any]], numbers: _Numbers, grounds: _Grounds, whole: bool
) -> list[dict[str, Any]]:
    """Move the controls through the grid and back where they were; the states, the last control's
    value changing fastest.

    What moves is left out if the page makes the whole of it itself.
    """
    before, wanted, player = panel.state, panel._wanted, panel.player
    frame, resting, revealed = player.frame, player.resting, player.revealed
    before.pop("frame")
    made, words = {}, [name for name, values in offered.items() if isinstance(values[0], str)]
    slowly = words + [name for name in offered if name not in words]  # words may change the ground
    with ExitStack() as quiet:  # a front end hears of the last state only, which is the first one
        for widget in (*panel.controls.values(), player):
            if hasattr(widget, "hold_sync"):
                quiet.enter_context(widget.hold_sync())
        try:
            player.revealed = False
            for values in itertools.product(*(offered[name] for name in slowly)):
                chosen = dict(zip(slowly, values, strict=True))
                _set(panel, chosen)
                layers = player.scene.layers.items()
                made[tuple(chosen[name] for name in offered)] = {
                    "ground": grounds.place(player.scene),
                    "layers": {name: numbers.place(layer.data, BITS.get(layer.kind, 16))
                               for name, layer in layers if not (whole and layer.follow)},
                    "frames": player.frames, "start": list(player.start), "dial": player.dial,
                    "sentence": player.sentence, "told": _told(panel),
                    "honesty": numbers.said(player.honesty),
                }  # fmt: skip
        finally:
            panel._wanted = wanted
            _set(panel, before)
            player.frame, player.resting, player.revealed = frame, resting, revealed
    return [made[values] for values in itertools.product(*offered.values())]


def _told(panel: Panel) -> str | None:
    """What the panel says once the veils are lifted, if that is more than it says now."""
    told = panel.describe()
    return None if told == panel.player.sentence else told


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
    panel._redraw()


def _with(values: list[Any], now: Any) -> list[Any]:
    """The values of a control with the one it has now."""
    if now in values:
        return values
    if isinstance(now, str):
        return [now, *values]
    return sorted([*values, now])


def _page(panel: Panel, baked: dict[str, Any]) -> str:
    spec = baked["grounds"][0]["spec"]
    live = baked["live"]
    own = ("live.js", f"live_{live['kind']}.js") if live else ()
    scripts = (*SCRIPTS[:-1], *own, SCRIPTS[-1])
    words = {
        "title": escape(type(panel).__name__), "sentence": escape(panel.player.sentence),
        "css": _read("stage.css"), "js": "\n".join(map(_read, scripts)),
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
