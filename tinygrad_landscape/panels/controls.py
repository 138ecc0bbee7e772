"""Controls that several panels use: a slider never comes without a labelled number box.

The box holds the value and a label that a screen reader can read (ipywidgets' sliders have none);
the slider beside it moves in notches, and no hand needs to hit 2.62 on it.
"""

from __future__ import annotations

import math
from typing import Any

import ipywidgets

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
        style=LABEL,
        layout={"width": "190px"},
    )
    slider = ipywidgets.IntSlider(
        value=_notch(value),
        min=_notch(low),
        max=_notch(high),
        readout=False,
        tooltip=label,
        layout={"flex": "1 1 120px", "min_width": "80px"},
    )

    def slid(change: Any) -> None:
        if change["new"] != _notch(box.value):
            box.value = min(max(low, notched(change["new"])), high)

    slider.observe(slid, "value")
    box.observe(lambda change: slider.set_trait("value", _notch(change["new"])), "value")
    return box, slider


def notched(notch: int) -> float:
    """The value of a notch in three figures.

    >>> notched(0), notched(-15), notched(21)
    (1.0, 0.501, 2.63)
    """
    return float(f"{10.0 ** (notch / NOTCHES):.3g}")


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
        style=LABEL,
        layout={"width": "initial", "min_width": "150px"},
    )
