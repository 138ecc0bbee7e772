"""Controls that several panels use: a slider never comes without a labelled number box.

The box holds the value and a label that a screen reader can read (ipywidgets' sliders have none);
the slider beside it moves in notches, and no hand needs to hit 2.62 on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ipywidgets

from tinygrad_landscape.engine.errors import ParameterError

NOTCHES = 50  # per decade of a log slider

LABEL = {"description_width": "initial"}


def rate(label: str, value: float, low: float, high: float) -> tuple[Any, Any]:
    """A number box from `low` to `high` and the log slider that moves it.

    The box is the control, with the exact value; the slider goes to the nearest notch. (ipywidgets'
    FloatLogSlider would snap a typed 2.62 to a notch and write that back.)
    """
    box = ipywidgets.BoundedFloatText(
        value=value,
        min=low,
        max=high,
        step=10.0 ** math.floor(math.log10(value) - 1),
        description=label,
        tooltip=f"{low:g} to {high:g}",
        style=LABEL,
        layout={"width": "190px"},
    )
    return box, _slider(box, _notch, notched)


def knob(label: str, value: float, low: float, high: float) -> tuple[Any, Any]:
    """A number box from `low` to `high` and the even slider that moves it, in 100 to 1000 steps."""
    box = number(label, value, low, high)
    box.layout.width = "190px"
    unit = 10.0 ** math.floor(math.log10((high - low) / 100))
    return box, _slider(box, lambda at: round(at / unit), lambda notch: round(notch * unit, 10))


def steps(label: str, value: int, stops: Sequence[int]) -> tuple[Any, Any]:
    """A box for a whole number between the ends of `stops`, and the slider that goes from one of
    them to the next."""
    box = count(label, value, stops[0], stops[-1])

    def nearest(at: float) -> int:
        return min(range(len(stops)), key=lambda k: abs(stops[k] - at))

    return box, _slider(box, nearest, lambda notch: stops[notch])


def _slider(box: Any, notch_of: Callable[[float], int], value_of: Callable[[int], float]) -> Any:
    """A slider whose notches stand for values of `box`; each follows the other."""
    slider = ipywidgets.IntSlider(
        value=notch_of(box.value),
        min=notch_of(box.min),
        max=notch_of(box.max),
        readout=False,
        tooltip=box.description,
        layout={"flex": "1 1 120px", "min_width": "80px"},
    )

    def slid(change: Any) -> None:
        if change["new"] != notch_of(box.value):
            box.value = min(max(box.min, value_of(change["new"])), box.max)

    slider.observe(slid, "value")
    box.observe(lambda change: slider.set_trait("value", notch_of(change["new"])), "value")
    return slider


def notched(notch: int) -> float:
    """The value of a notch in three figures.

    >>> notched(0), notched(-15), notched(21)
    (1.0, 0.501, 2.63)
    """
    return float(f"{10.0 ** (notch / NOTCHES):.3g}")


def notches(box: Any, every: int = 1) -> list[float]:
    """The values of the notches of a log slider's `box`, or of every second one, third one, ..."""
    found = range(_notch(box.min), _notch(box.max) + 1, every)
    return [min(max(box.min, notched(notch)), box.max) for notch in found]


def _notch(value: float) -> int:
    return round(math.log10(value) * NOTCHES)


def number(label: str, value: float, low: float, high: float) -> Any:
    """A labelled number box."""
    return ipywidgets.BoundedFloatText(
        value=value,
        min=low,
        max=high,
        step=10.0 ** math.floor(math.log10((high - low) / 20)),
        description=label,
        tooltip=f"{low:g} to {high:g}",
        style=LABEL,
        layout={"width": "initial", "min_width": "150px"},
    )


def places(
    labels: Sequence[str], at: Iterable[float], low: Iterable[float], high: Iterable[float]
) -> list[Any]:
    """A number box for each coordinate of a start."""
    ends = zip(labels, map(float, at), map(float, low), map(float, high), strict=True)
    return [number(f"start, {label}", value, a, b) for label, value, a, b in ends]


def count(label: str, value: int, low: int, high: int) -> Any:
    """A labelled box for a whole number."""
    if not low <= value <= high:
        raise ParameterError(f"got {value} for {label}; expected {low} to {high}")
    return ipywidgets.BoundedIntText(
        value=value, min=low, max=high, description=label, style=LABEL,
        tooltip=f"{low} to {high}",
        layout={"width": "initial", "min_width": "130px", "max_width": "170px"},
    )  # fmt: skip


def level(label: str, value: int, low: int, high: int) -> tuple[Any, Any]:
    """A box for a whole number and the slider that moves it one by one."""
    box = count(label, value, low, high)
    return box, _slider(box, int, int)


def choice(label: str, options: Sequence[Any], value: Any) -> Any:
    """A labelled list to choose from."""
    return ipywidgets.Dropdown(
        options=options, value=value, description=label, style=LABEL, tooltip=label,
        layout={"width": "initial", "max_width": "260px"},
    )  # fmt: skip


def fold(*widgets: Any) -> Any:
    """Controls that stand side by side as far as the width allows."""
    return ipywidgets.HBox(widgets, layout={"flex_flow": "row wrap", "grid_gap": "2px 14px"})


def hide(
    names: Sequence[str], controls: Mapping[str, Any], sliders: Mapping[str, Any] | None = None
) -> None:
    """Take controls out of the page by name, each with its slider if it has one.

    Raises:
        ParameterError: for a name that is none of the controls.
    """
    if isinstance(names, str) or set(names) - set(controls):
        raise ParameterError(f"got hide={names!r}; the controls are {', '.join(controls)}")
    for name in names:
        for widget in (controls[name], (sliders or {}).get(name)):
            if widget is not None:
                widget.layout.display = "none"
