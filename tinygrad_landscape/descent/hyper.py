"""Hyperparameters: a number, or one for each walker.

An array of them broadcasts against the leading shape of theta. Here they are checked, their shapes
collected, and made into columns `(..., 1)` that multiply `(..., P)`.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..engine.errors import ParameterError

Number = Any  # a float, or an array of floats, one per walker
Rate = Any  # the same, or a mapping from layer to it

# What makes sense: the least value, whether it is allowed itself, and the same for the greatest.
RANGES = {
    "lr": (0.0, False, math.inf, False),
    "momentum": (0.0, True, 1.0, True),
    "dampening": (0.0, True, 1.0, True),
    "alpha": (0.0, True, 1.0, False),
    "betas": (0.0, True, 1.0, False),
    "eps": (0.0, True, math.inf, False),
    "rho": (0.0, True, math.inf, False),
    "damping": (0.0, True, math.inf, False),
    "weight_decay": (0.0, True, math.inf, False),
    "clip_norm": (0.0, False, math.inf, True),
}


def checked(owner: Any, name: str, value: Any) -> Any:
    """A field of an optimizer, its numbers as Python floats or read-only arrays."""
    if name not in RANGES or (name == "clip_norm" and value is None):
        return value
    if name == "betas":
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise ParameterError(f"{type(owner).__name__}: got betas={value!r}; expected (b1, b2)")
        return tuple(_number(owner, name, v) for v in value)
    if name == "lr" and isinstance(value, Mapping):
        return {str(layer): _number(owner, name, v) for layer, v in value.items()}
    return _number(owner, name, value)


def _number(owner: Any, name: str, value: Any) -> Any:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array(math.nan)
    least, least_in, greatest, greatest_in = RANGES[name]
    high_enough = array >= least if least_in else array > least
    low_enough = array <= greatest if greatest_in else array < greatest
    if not np.all(high_enough & low_enough):
        above, below = (">=" if least_in else ">"), ("<=" if greatest_in else "<")
        raise ParameterError(
            f"{type(owner).__name__}: got {name}={value!r}; expected numbers {above} {least:g} and "
            f"{below} {greatest:g}"
        )
    array.flags.writeable = False
    return float(array) if array.ndim == 0 else array


def is_zero(value: Any) -> bool:
    """Whether a hyperparameter is off, for all walkers."""
    return type(value) is float and value == 0.0


def spelled(value: Any) -> str:
    """A hyperparameter in a few characters, an array by its range."""
    if isinstance(value, np.ndarray):
        return f"<{value.min():g} to {value.max():g}, shape {value.shape}>"
    if isinstance(value, tuple):
        return f"({', '.join(map(spelled, value))})"
    return getattr(value, "__name__", repr(value))


def shapes(value: Any) -> list[tuple[int, ...]]:
    """The leading shapes of all hyperparameters of an optimizer."""
    if isinstance(value, np.ndarray):
        return [value.shape]
    if is_dataclass(value):
        parts = [getattr(value, f.name) for f in fields(value)]
    elif isinstance(value, Mapping):
        parts = list(value.values())
    else:
        parts = list(value) if isinstance(value, tuple) else []
    return [shape for part in parts for shape in shapes(part)]


def columns(value: Any, dtype: Any) -> Any:
    """The same optimizer with each array of hyperparameters as a column in theta's dtype."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype)[..., None]
    if isinstance(value, tuple):
        return tuple(columns(v, dtype) for v in value)
    if not is_dataclass(value):
        return value
    twin = object.__new__(type(value))  # not replace(): a column is no longer what was checked
    for f in fields(value):
        object.__setattr__(twin, f.name, columns(getattr(value, f.name), dtype))
    return twin


def rates(lr: Any, landscape: Any, dtype: Any) -> Any:
    """The learning rate as a float, a column `(..., 1)` or, if given by layer, `(..., P)`."""
    if not isinstance(lr, Mapping):
        return np.asarray(lr, dtype)[..., None] if np.ndim(lr) else float(lr)
    if landscape.network is None:
        raise ParameterError(f"got lr by layer, but {landscape!r} has no layers; give one number")
    shape = np.broadcast_shapes(*(np.shape(v) for v in lr.values()))
    out, used = np.empty((*shape, landscape.size), dtype), set()
    for slot in landscape.network.layout:
        found = [key for key in lr if slot.name == key or slot.name.startswith(f"{key}.")]
        if not found:
            raise ParameterError(f"got lr for layers {list(lr)}; it lacks one for {slot.name!r}")
        out[..., slot.start : slot.stop] = np.asarray(lr[max(found, key=len)])[..., None]
        used.update(found)
    for key in lr:
        if key not in used:
            names = [slot.name for slot in landscape.network.layout]
            known = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
            near = difflib.get_close_matches(key, known + names, 3, 0.0)
            raise ParameterError(f"got lr for {key!r}, which is no layer; did you mean {near}?")
    return out
