"""Controls that several panels use: a slider never comes without a labelled number box.

ipywidgets' sliders carry no label that a screen reader could read, and no hand hits 2.62 on a
slider; the box beside it, tied to the same value, mends both.
"""

from __future__ import annotations

import math
from typing import Any

import ipywidgets

STEP = 0.02  # decades per key press on a log slider

LABEL = {"description_width": "initial"}


def rate(label: str, value: float, low: float, high: float) -> tuple[Any, Any]:
    """A log slider from `low` to `high` and the number box that shows and sets the same value."""
    slider = ipywidgets.FloatLogSlider(
        value=value,
        min=math.log10(low),
        max=math.log10(high),
        step=STEP,
        readout=False,
        layout={"flex": "1 1 120px", "min_width": "80px"},
    )
    box = ipywidgets.BoundedFloatText(
        value=value,
        min=low,
        max=high,
        step=10.0 ** math.floor(math.log10(value) - 1),
        description=label,
        style=LABEL,
        layout={"width": "190px"},
    )
    slider.observe(lambda change: box.set_trait("value", tidy(change["new"])), "value")
    box.observe(lambda change: follow(slider, change["new"]), "value")
    return slider, box


def tidy(value: float) -> float:
    """A value as a hand means it: on the slider's own notches three figures, else untouched.

    >>> tidy(10 ** -0.3), tidy(2.59807)
    (0.501, 2.59807)
    """
    notch = math.log10(value) / STEP
    return float(f"{value:.3g}") if abs(notch - round(notch)) < 1e-6 else value


def follow(slider: Any, value: float) -> None:
    """Move a slider to a typed value, unless it already stands for it."""
    if tidy(slider.value) != value:
        slider.value = value


def number(label: str, value: float, low: float, high: float, tooltip: str = "") -> Any:
    """A labelled number box."""
    unit = 10.0 ** math.floor(math.log10((high - low) / 200))
    return ipywidgets.BoundedFloatText(
        value=value, min=low, max=high, step=10 * unit, description=label, tooltip=tooltip,
        style=LABEL, layout={"width": "initial", "min_width": "150px"},
    )  # fmt: skip
