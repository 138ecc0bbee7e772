"""Where every array stands in θ, and the one cut that hands them out.

The one idea: `split` turns θ (..., P) into views, one per array, and its rule puts their gradients
together again in one concatenation, so that it costs O(P) once, however many layers there are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..engine import primitive, rule
from .layers import Layer, Parameter


class Cuts(tuple[tuple[int, int, tuple[int, ...]], ...]):
    """Where θ is cut: (start, stop, shape) for each piece. One object, so one option of a node."""


class Slot(NamedTuple):
    """Where one array stands in θ: `theta[..., start:stop]` has shape `(..., *shape)`.

    `filter_axes` are the axes of `shape` that make one neuron's incoming weights: (0,) for Linear,
    (1, 2, 3) for Conv2d; None for biases and the parameters of normalisation.
    """

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]
    filter_axes: tuple[int, ...] | None


@primitive
def split(theta: Any, *, cuts: Cuts) -> Any:
    """θ (..., P) as one view (..., *shape) for each cut (start, stop, shape)."""
    if theta.ndim == 1:
        return tuple([theta[start:stop].reshape(shape) for start, stop, shape in cuts])
    lead = theta.shape[:-1]
    return tuple([theta[..., start:stop].reshape(lead + shape) for start, stop, shape in cuts])


@rule(split)
def _(g: Any, out: Any, theta: Any, *, cuts: Cuts) -> Any:
    if theta.ndim == 1:
        return (np.concatenate([part.ravel() for part in g]),)
    lead = theta.shape[:-1]
    parts = [
        part.reshape((*lead, stop - start)) for part, (start, stop, _) in zip(g, cuts, strict=True)
    ]
    return (np.concatenate(parts, axis=-1),)


def named_parameters(layers: tuple[Layer, ...]) -> tuple[Parameter, ...]:
    """All parameters, each with its layer's place before its name."""
    return tuple(
        parameter._replace(name=f"{place}.{parameter.name}")
        for place, layer in enumerate(layers)
        for parameter in layer.parameters()
    )
