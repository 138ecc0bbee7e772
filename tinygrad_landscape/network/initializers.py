"""Initializers: where a walk starts.

The one idea: a scheme is a scale. Glorot, He and LeCun choose the standard deviation of a weight
from the number of its neuron's inputs and outputs (`fans`), so that signals neither die nor explode
with depth. Each scheme is a function `(rng, shape, fans, gain) → array`; leading axes of `shape`
are independent copies. `gain` multiplies the scale. Schemes are for weights; biases start at 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.errors import ParameterError, ShapeError
from .layers import Parameter

Fans = tuple[int, int]
Shape = tuple[int, ...]
Initializer = Callable[[np.random.Generator, Shape, Fans, float], np.ndarray]
Scheme = str | Initializer
Override = Scheme | tuple[Scheme, float]


def zeros(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """All 0. Hidden units then stay copies of one another: a symmetry that descent cannot break.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.initializers.zeros(np.random.default_rng(0), (3,), (3, 1))
    array([0., 0., 0.])
    """
    return np.zeros(shape)


def constant(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """All equal to `gain`.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.initializers.constant(np.random.default_rng(0), (3,), (3, 1), gain=0.5)
    array([0.5, 0.5, 0.5])
    """
    return np.full(shape, float(gain))


def uniform(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """Uniform in [-gain, gain): standard deviation gain / √3, whatever the layer.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.uniform(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.576
    """
    return gain * rng.uniform(-1.0, 1.0, shape)


def normal(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """Normal with standard deviation `gain`, whatever the layer.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.normal(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    1.002
    """
    return gain * rng.standard_normal(shape)


def glorot_uniform(
    rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0
) -> np.ndarray:
    """Uniform with standard deviation gain·√(2 / (in + out)) (Glorot & Bengio 2010, eq. 16):
    keeps the variance of signals and of gradients in a tanh network.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.glorot_uniform(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.063
    """
    return gain * math.sqrt(6.0 / sum(fans)) * rng.uniform(-1.0, 1.0, shape)


def glorot_normal(
    rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0
) -> np.ndarray:
    """Normal with standard deviation gain·√(2 / (in + out)) (Glorot & Bengio 2010, eq. 12).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.glorot_normal(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.063
    """
    return gain * math.sqrt(2.0 / sum(fans)) * rng.standard_normal(shape)


def he_uniform(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """Uniform with standard deviation gain·√(2 / in) (He et al. 2015).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.he_uniform(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.071
    """
    return gain * math.sqrt(6.0 / fans[0]) * rng.uniform(-1.0, 1.0, shape)


def he_normal(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """Normal with standard deviation gain·√(2 / in) (He et al. 2015, eq. 10): makes up for the
    half of a signal that a ReLU cuts off.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.he_normal(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.071
    """
    return gain * math.sqrt(2.0 / fans[0]) * rng.standard_normal(shape)


def lecun_normal(
    rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0
) -> np.ndarray:
    """Normal with standard deviation gain·√(1 / in) (LeCun et al. 1998, eq. 16).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.lecun_normal(np.random.default_rng(0), (400, 100), (400, 100))
    >>> print(f"{w.std():.3f}")
    0.050
    """
    return gain * math.sqrt(1.0 / fans[0]) * rng.standard_normal(shape)


def orthogonal(rng: np.random.Generator, shape: Shape, fans: Fans, gain: float = 1.0) -> np.ndarray:
    """gain · a random matrix whose rows or columns, whichever are fewer, are orthonormal
    (Saxe et al. 2014).

    A Conv2d weight (out, in, k, k) is taken as the matrix (out, in·k·k).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> w = tl.initializers.orthogonal(np.random.default_rng(0), (5, 2), (5, 2))
    >>> np.allclose(w.T @ w, np.eye(2))
    True
    """
    inner = 2 if shape[-2:] == fans else 4
    rows, columns = shape[-inner], math.prod(shape[1 - inner :])
    flat = rng.standard_normal((*shape[:-inner], max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(flat)
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]  # makes the draw uniform
    return gain * (q if rows >= columns else q.mT).reshape(shape)


SCHEMES: dict[str, Initializer] = {
    scheme.__name__: scheme
    for scheme in (
        zeros,
        constant,
        uniform,
        normal,
        glorot_uniform,
        glorot_normal,
        he_uniform,
        he_normal,
        lecun_normal,
        orthogonal,
    )
}


def draw(
    parameters: Sequence[Parameter],
    seed: Any,
    scheme: Scheme,
    count: int | None,
    dtype: np.dtype[Any],
    gain: float,
    layers: Mapping[str, Override],
) -> np.ndarray:
    """θ (P,) or (count, P): see `Network.init`."""
    if dtype.kind != "f":
        raise ParameterError(f"got dtype={dtype}, expected a floating-point type such as float32")
    if count is not None and count < 1:
        raise ParameterError(f"got count={count}, expected None or at least 1")
    everywhere = chosen(scheme, gain)
    overrides = {str(key): chosen_override(value, gain) for key, value in layers.items()}
    lead = () if count is None else (int(count),)
    unused, parts = set(overrides), [np.zeros((*lead, 0))]
    rngs = np.random.default_rng(seed).spawn(len(parameters))
    for parameter, rng in zip(parameters, rngs, strict=True):
        key = covering(parameter.name, overrides)
        unused.discard(key)
        how, scale = overrides.get(key, everywhere)
        shape = lead + parameter.shape
        own = key == parameter.name  # named itself, not by its layer
        if parameter.fans is not None or own:
            values = np.asarray(how(rng, shape, parameter.fans or (1, 1), scale))
        else:
            values = np.full(shape, parameter.value)
        if values.shape != shape:
            raise ShapeError(f"scheme {how!r} gave shape {values.shape}, expected {shape}")
        parts.append(values.reshape((*lead, -1)))
    if unused:
        raise ParameterError(
            f"layers={sorted(unused)}: no parameters of that name; "
            f"expected layers or arrays among {[p.name for p in parameters]}"
        )
    return np.concatenate(parts, axis=-1).astype(dtype)


def chosen(scheme: Scheme, gain: float) -> tuple[Initializer, float]:
    """The scheme's function and its gain, or an error that lists the schemes."""
    if not math.isfinite(gain):
        raise ParameterError(f"got gain={gain}, expected a finite number")
    if callable(scheme):
        return scheme, gain
    if scheme not in SCHEMES:
        from difflib import get_close_matches

        near = get_close_matches(str(scheme), SCHEMES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"got scheme={scheme!r}, expected one of {list(SCHEMES)}{hint}")
    return SCHEMES[scheme], gain


def chosen_override(value: Override, gain: float) -> tuple[Initializer, float]:
    return chosen(*value) if isinstance(value, tuple) else chosen(value, gain)


def covering(name: str, overrides: Mapping[str, Any]) -> str:
    """The longest key that is this array's name or a layer around it, "" if there is none."""
    parts = name.split(".")
    keys = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((key for key in keys if key in overrides), "")
