"""What all panels share: controls, a stage, a sentence, a state that can be saved and replayed.

A panel is a plain object that shows itself in a notebook. It works the same without one: setting
`panel.controls["lr"].value` does what moving the slider does, and what goes wrong is raised there
as well as shown in the panel.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets

from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import codes
from tinygrad_landscape.panels.player import Player
from tinygrad_landscape.panels.run import BUDGET, PIECE, REST, Later, looping


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a panel's method show an error in the panel before it is raised, and run it alone.

    JupyterLab delivers what a hand does in a thread of its own (a subshell), while a cell or a
    later piece of work runs in the main one.
    """

    @functools.wraps(method)
    def careful(self: Any, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            try:
                return method(self, *args, **kwargs)
            except Exception as error:
                self.complain(str(error) or type(error).__name__)
                raise

    return careful


class Panel:
    """The base of every panel.

    A subclass makes `controls` and a `player`, calls `_open`, and answers `_begin`, `_work`,
    `_show`, `describe` and `_configuration`.

    To present one, take `style="projector"` and the keys: space plays and pauses, the arrows step,
    r resets, and 1 to 4 go to a telling value (in `Descent`, each regime) or a part of the way.

    Attributes:
        controls: ipywidgets by name; set their `.value`.
        player: the stage; `player.frame` is the moment shown.
        widget: everything together, for laying out beside other widgets.
    """

    controls: dict[str, Any]
    player: Player
    widget: ipywidgets.VBox
    _stale = False  # whether what stands still has changed; it is drawn anew when the hand rests
    _opens_playing = False  # on its page, where no hand has pressed Play yet
    _patience = float("inf")  # seconds of work before it is shown; the rest follows, in pieces

    # What a subclass answers ------------------------------------------------------------------

    def describe(self) -> str:
        """What is seen, in a sentence or two that contain the answer."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Take the controls' values and forget what was computed from older ones."""
        raise NotImplementedError

    def _work(self, seconds: float) -> bool:
        """Compute for at most `seconds`, at least one step; say whether everything is done."""
        raise NotImplementedError

    def _show(self) -> None:
        """Put on the stage what is computed so far."""
        raise NotImplementedError

    def _configuration(self) -> Any:
        """Plain data that tells this panel from others, for replay codes."""
        raise NotImplementedError

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        """For `to_html`: the controls that stay on the page, each with the values it has there."""
        raise ParameterError(
            f"a {type(self).__name__} panel needs Python behind it, so it cannot be written as a "
            "page; `panel.player.scene.save(path)` writes what it shows as a picture or a film"
        )

    def _live(self) -> dict[str, Any] | None:
        """For `to_html`: what `static/live.js` needs to walk from a dragged start, or None."""
        return None

    # Opening ----------------------------------------------------------------------------------

    def _open(self, row: Sequence[Any], more: Sequence[Any], stage: Any = None) -> None:
        """Lay out the first row, the stage (the player, or what holds it) and what folds out;
        listen; show the opening state."""
        self._later, self._done, self._deaf = Later(), False, False
        self._lock = threading.RLock()
        self._wanted: int | None = None  # the frame to show, None for the last one
        self._error = ipywidgets.HTML().add_class("tgl-error")
        self._code = ipywidgets.Text(
            description="replay code",
            continuous_update=False,
            tooltip="Copy it, or paste one and press Enter",
            style={"description_width": "initial"},
            layout={"width": "360px"},
        )
        fold = ipywidgets.VBox([*more, self._code]).add_class("tgl-more")
        button = ipywidgets.ToggleButton(description="More", tooltip="More controls")
        button.layout.width = "80px"
        button.observe(lambda change: shown(fold, change["new"]), "value")
        first = ipywidgets.HBox(
            [*row, button], layout={"align_items": "center", "flex_flow": "row wrap"}
        )
        parts = [first, stage or self.player, fold, self._error]
        scene = self.player.scene
        width = f"min(100%, {scene.size[0]}px)"
        self.widget = ipywidgets.VBox(parts, layout={"max_width": width})
        self.widget.add_class("tgl-panel").add_class(f"tgl-{scene.style.name}")
        shown(fold, False)
        shown(self._error, False)
        self._begin()
        self._done = self._work(self._patience)
        self._present()
        self._opening = self.state
        self._tell()
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self.player.observe(self._dragged, "start")
        self.player.observe(self._turned, "frame")
        self.player.observe(lambda _: self._soon(), ["dragging", "playing"])
        self.player.observe(lambda _: self.reset(), "resets")
        self._code.observe(self._entered, "value")
        if not self._done:
            self._soon()

    # State ------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Every control's value and the frame, as plain data."""
        values = {name: control.value for name, control in self.controls.items()}
        return values | {"frame": self.player.frame}

    @property
    def code(self) -> str:
        """The replay code of what is shown: `load` it on the same panel to see it again."""
        self.settle()
        return self._code.value

    @guarded
    def load(self, code: str | dict[str, Any]) -> None:
        """Show the state of a replay code, or of a dictionary such as `state`.

        Raises:
            ParameterError: if it is damaged, from a newer version, or of another panel.
        """
        given = dict(code) if isinstance(code, dict) else codes.read(code, self._configuration())
        unknown = set(given) - set(self._opening)
        if unknown:
            raise ParameterError(
                f"got {', '.join(sorted(unknown))}; this panel has {', '.join(self._opening)}"
            )
        state = self._opening | given
        frame = state.pop("frame")
        self.pause()
        self._deaf = True
        try:
            for name, value in state.items():
                self.controls[name].value = value
        finally:
            self._deaf = False
        self._react()
        self.settle()
        self._wanted = min(frame, self._last) if "frame" in given else None
        self._present()
        self._tell()

    def reset(self) -> None:
        """Go back to the opening state; the same walk is made again, exactly."""
        self.load({})
        self.player.revealed = False

    @guarded
    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the panel as one page under 1 MB that plays without Python and without a network.

        What its slider can show is computed now. The page opens on what the panel shows; its
        address then says which moment is seen, so that a link opens it, in an iframe too.

        Raises:
            ParameterError: if this panel cannot do without Python, or the page grew over 1 MB.

        >>> import pathlib, tempfile
        >>> from tinygrad_landscape.panels import Descent
        >>> page = pathlib.Path(tempfile.mkdtemp()) / "descent.html"
        >>> Descent(resolution=21, steps=20, lr_range=(0.1, 1.0)).to_html(page)
        >>> 1e5 < page.stat().st_size < 1e6
        True
        """
        from tinygrad_landscape.panels.pages import write

        write(self, path)

    # Time -------------------------------------------------------------------------------------

    @property
    def _last(self) -> int:
        return self.player.frames - 1

    def seek(self, frame: int) -> None:
        """Show moment `frame`, counted from 0; beyond the ends, the first or the last one."""
        self.settle()
        self.pause()
        self.player.revealed, self.player.resting = True, False
        self.player.frame = min(max(0, int(frame)), self._last)

    def step(self, by: int = 1) -> None:
        """Go `by` moments on (negative: back); from 0 if the end rests there untouched."""
        self.settle()
        self.seek((0 if by > 0 and self.player.resting else self.player.frame) + by)

    def play(self) -> None:
        """Let the browser turn the frames, from the beginning if the end is shown."""
        self.settle()
        if self.player.frame == self._last:
            self.player.frame = 0
        self.player.revealed, self.player.resting = True, False
        self.player.playing = True

    def pause(self) -> None:
        """Stop playing."""
        self.player.playing = False

    @guarded
    def settle(self) -> None:
        """Finish now what a moving hand left unfinished; reading the panel does so by itself."""
        self._later.cancel()
        if not self._done:
            self._done = self._work(float("inf"))
            self._present()
        self._tell()

    # Hearing ----------------------------------------------------------------------------------

    @guarded
    def _changed(self, _: Any) -> None:
        if not self._deaf:
            self._react()

    @guarded
    def _react(self) -> None:
        """A control moved: work within the budget, show it, and finish when the hand rests."""
        self._begin()
        self._done = self._work(BUDGET)
        self._present()
        self.complain("")
        self._soon()

    def _soon(self) -> None:
        self._later(REST, self._rest)

    @guarded
    def _rest(self) -> None:
        """The hand rests: one piece now and the next one later, so that a newer value gets in."""
        if not self._done:
            self._done = self._work(PIECE if looping() else float("inf"))
            self._present()
        if self._done:
            self._tell()
        else:
            self._later(0.0, self._rest)

    def _present(self) -> None:
        """Show; keep to the frame that was shown, or to the end if that was."""
        self._deaf, deaf = True, self._deaf
        try:
            self._show()
            if not self.player.playing:
                self.player.frame = self._wanted_frame()
                self.player.resting = self._wanted is None
        finally:
            self._deaf = deaf

    def _wanted_frame(self) -> int:
        return self._last if self._wanted is None else min(self._wanted, self._last)

    @guarded
    def _turned(self, change: Any) -> None:
        """Somebody turned to another frame."""
        if not self._deaf:
            at_end = self._done and change["new"] >= self._last
            self._wanted = None if at_end else change["new"]
            if self._wanted is not None and self.player.frame == self._last:
                # A piece shown meanwhile, in the other thread, has put the end in its place.
                self._deaf, self.player.frame = True, self._wanted_frame()
                self._deaf = self.player.resting = False
            self._soon()

    @guarded
    def _dragged(self, change: Any) -> None:
        self._moved(change)

    def _moved(self, change: Any) -> None:
        """The start was dragged; a panel that has one puts it into its controls."""

    def _put(self, **values: Any) -> None:
        """Set several controls, then react once (or not at all, if nothing changes)."""
        if any(self.controls[name].value != value for name, value in values.items()):
            self._deaf = True
            try:
                for name, value in values.items():
                    self.controls[name].value = value
            finally:
                self._deaf = False
            self._react()

    @guarded
    def _entered(self, change: Any) -> None:
        if not self._deaf and change["new"].strip():
            self.load(change["new"])

    # Saying -----------------------------------------------------------------------------------

    def _tell(self) -> None:
        """All is complete: draw what stands still anew, if it has changed, and write the code of
        this state into its field."""
        self._redraw()
        opening, now = self._opening, self.state
        changed = {name: value for name, value in now.items() if value != opening[name]}
        if now["frame"] == self._last or self.player.playing:
            changed.pop("frame", None)
        self._deaf = True
        self._code.value = codes.write(changed, self._configuration())
        self._deaf = False

    def _redraw(self) -> None:
        if self._stale:
            self._stale = False
            self.player.redraw()

    def complain(self, words: str) -> None:
        """Show an error in the panel, or take it away with an empty text."""
        sentence = escape(words[:1].upper() + words[1:])
        self._error.value = f'<div role="alert">{sentence}</div>' if words else ""
        shown(self._error, bool(words))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**options)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/plain": self.describe()}
        return (data, *rest) if rest else data

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.describe()})"


def shown(widget: Any, visible: bool) -> None:
    """Show a widget or take it out of the page."""
    widget.layout.display = None if visible else "none"
