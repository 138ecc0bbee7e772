"""Rules of functions that act on each element: one line of calculus each.

Formulas are chosen so that they hold at both derivative orders and at the corners, where these
conventions are used throughout the engine:

==================================  ===========================================================
corner                              convention
==================================  ===========================================================
``|x|`` and relu at 0               slope 0
``maximum``, ``max`` with ties      the gradient is shared equally
``clip`` on a bound                 slope 1 for the value, 0 for the bound
``sqrt``, ``cbrt``, ``x**p`` with   0 where the slope is infinite, so that norms and standard
0 < p < 1, norm, std at 0           deviations have the gradient 0 at 0
``x**0``, ``x**1``, ``x**2`` at 0   slopes 0, 1, 0 (curvatures 0, 0, 2)
``0**y``                            slope 0 in ``y``
``hypot``, ``arctan2`` at (0, 0)    slope 0, curvature 0
``prod`` with zeros                 the product of the others, without dividing
``where`` with a NaN branch         the branch not chosen gets the gradient 0, and passes it on
                                    as 0 times its own slope; make that slope finite (choose the
                                    argument with a first ``where``) if it is not
==================================  ===========================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .calls import composite, rule
from .tensor import Tensor, primitive

LN2, LN10 = math.log(2.0), math.log(10.0)


def _divisor(x):
    """`x` with infinity in the place of 0: what is divided by it there is 0, at every order."""
    return np.where(x == 0, math.inf, x)


# ---- functions of one number: the slope at x, where the value is y ----

SLOPES: dict[Any, Callable[[Any, Any], Any]] = {
    np.negative: lambda x, y: -1.0,
    np.positive: lambda x, y: 1.0,
    np.absolute: lambda x, y: np.sign(x),
    np.fabs: lambda x, y: np.sign(x),
    np.square: lambda x, y: 2.0 * x,
    np.reciprocal: lambda x, y: -y * y,
    np.sqrt: lambda x, y: 0.5 / _divisor(y),
    np.cbrt: lambda x, y: 1.0 / (3.0 * np.square(_divisor(y))),
    np.exp: lambda x, y: y,
    np.exp2: lambda x, y: y * LN2,
    np.expm1: lambda x, y: np.exp(x),
    np.log: lambda x, y: 1.0 / x,
    np.log2: lambda x, y: 1.0 / (x * LN2),
    np.log10: lambda x, y: 1.0 / (x * LN10),
    np.log1p: lambda x, y: 1.0 / (1.0 + x),
    np.sin: lambda x, y: np.cos(x),
    np.cos: lambda x, y: -np.sin(x),
    np.tan: lambda x, y: 1.0 + y * y,
    np.arcsin: lambda x, y: 1.0 / np.sqrt((1.0 - x) * (1.0 + x)),
    np.arccos: lambda x, y: -1.0 / np.sqrt((1.0 - x) * (1.0 + x)),
    np.arctan: lambda x, y: 1.0 / (1.0 + x * x),
    np.sinh: lambda x, y: np.cosh(x),
    np.cosh: lambda x, y: np.sinh(x),
    np.tanh: lambda x, y: 1.0 - y * y,
    np.arcsinh: lambda x, y: 1.0 / np.hypot(x, 1.0),
    np.arccosh: lambda x, y: 1.0 / np.sqrt((x - 1.0) * (x + 1.0)),
    np.arctanh: lambda x, y: 1.0 / ((1.0 - x) * (1.0 + x)),
    np.deg2rad: lambda x, y: math.pi / 180.0,
    np.radians: lambda x, y: math.pi / 180.0,
    np.rad2deg: lambda x, y: 180.0 / math.pi,
    np.degrees: lambda x, y: 180.0 / math.pi,
}


def _scaled(slope):
    def body(g, out, x):
        return (g * slope(x, out),)

    return body


for _function, _slope in SLOPES.items():
    rule(_function)(_scaled(_slope))


# ---- functions of two numbers ----


@rule(np.add)
def _(g, out, x1, x2):
    return g, g


@rule(np.subtract)
def _(g, out, x1, x2):
    return g, lambda: -g


@rule(np.multiply)
def _(g, out, x1, x2):
    return lambda: g * x2, lambda: g * x1


@rule(np.divide)
def _(g, out, x1, x2):
    return lambda: g / x2, lambda: -g * out / x2


@rule(np.remainder)
def _(g, out, x1, x2):
    return g, lambda: -g * np.floor_divide(x1, x2)


@rule(np.fmod)
def _(g, out, x1, x2):
    return g, lambda: -g * np.trunc(x1 / x2)


@rule(np.power, np.float_power)
def _(g, out, x1, x2):
    def base():
        steep = (x1 == 0) & (x2 > 0) & (x2 < 1)
        return g * x2 * np.where(steep, math.inf, x1) ** (x2 - (x2 != 0))

    return base, lambda: g * out * np.log(np.where(x1 == 0, 1.0, x1).astype(out.dtype))


@rule(np.hypot)
def _(g, out, x1, x2):
    radius = _divisor(out)
    return lambda: g * (x1 / radius), lambda: g * (x2 / radius)


@rule(np.arctan2)
def _(g, out, x1, x2):
    radius = _divisor(np.hypot(x1, x2))
    return lambda: g * (x2 / radius / radius), lambda: -g * (x1 / radius / radius)


@rule(np.logaddexp)
def _(g, out, x1, x2):
    return lambda: g * np.exp(x1 - out), lambda: g * np.exp(x2 - out)


@rule(np.logaddexp2)
def _(g, out, x1, x2):
    return lambda: g * np.exp2(x1 - out), lambda: g * np.exp2(x2 - out)


# ---- choosing: masks are read off the values and are constants ----


@rule(np.maximum, np.fmax, np.minimum, np.fmin)
def _(g, out, x1, x2):
    g = np.where(x1 == x2, 0.5 * g, g)
    return lambda: g * (x1 == out), lambda: g * (x2 == out)


@primitive
def clamp(x: Any, low: Any, high: Any) -> Any:
    return np.clip(x, low, high)


@rule(clamp)
def _(g, out, x, low, high):
    above = (x > high) | (low > high)  # as np.clip, whose upper bound wins over the lower
    below = (x < low) & np.logical_not(above)
    return lambda: g * ~(above | below), lambda: g * below, lambda: g * above


@composite(np.clip)
def _(a, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return clamp(a, -math.inf if low is None else low, math.inf if high is None else high)


@primitive
def select(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y)


@rule(select)
def _(g, out, condition, x, y):
    return None, lambda: select(condition, g, 0.0), lambda: select(condition, 0.0, g)


@composite(np.where)
def _(condition, x=None, y=None):
    if x is None:
        return np.nonzero(condition)
    chosen = condition.data if type(condition) is Tensor else condition
    return select(chosen, x, y)


@rule(np.nan_to_num)
def _(g, out, x, *, copy=True, nan=0.0, posinf=None, neginf=None):
    return (g * np.isfinite(x),)
