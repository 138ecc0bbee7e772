"""Losses: how far predictions are from the truth, as one number for each point θ.

The one idea: a loss is a belief about errors: a noise model (Gaussian, Laplace, Bernoulli, ...)
whose negative log likelihood it is, or a margin it wants kept. `loss(prediction, target)` takes a
prediction (..., N, out) and gives (...): it averages over samples and never over leading axes,
which are other points. Classifiers are scored from logits, never from probabilities, so nothing
overflows and no digit is lost, at ±1000 and to second order.

Options are keywords: `huber(p, t, delta=0.5)`; `functools.partial(huber, delta=0.5)` binds them and
pickles. A target whose shape does not fit is refused, because NumPy would broadcast (N,) against
(N, 1) to (N, N) and train on nonsense.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine import log_sigmoid, log_softmax, primitive, relu, rule, sigmoid, softmax, softplus
from ..engine.errors import ParameterError, ShapeError
from . import targets

Array = Any
LOG2 = math.log(2.0)

__all__ = [
    "mean_squared_error",
    "half_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "binary_cross_entropy",
    "hinge",
    "squared_hinge",
    "focal",
    "cross_entropy",
    "kl_divergence",
]


# --- regression: prediction (..., N, out), target (N, out) ---------------------------------------


def mean_squared_error(prediction: Array, target: Array) -> Array:
    """Mean over samples and outputs of r², r = prediction - target.

    Noise: Gaussian of constant width (r² is its negative log likelihood, scaled). Outlier: pulls in
    proportion to its distance (slope 2r, curvature 2 everywhere), so one far point can move the
    whole fit; the best constant is the mean. Corners: r = 0 gives 0 with slope 0; r = ±1000 gives
    1e6 with slope ±2000.

    prediction (..., N, out), target (N, out) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.mean_squared_error([[1.0], [3.0]], [[1.0], [1.0]]))
    2.0
    """
    prediction, target = targets.regression("mean_squared_error", prediction, target)
    samples, outputs = prediction.shape[-2:]
    return squared(prediction, target, scale=1.0 / (samples * outputs))


def half_squared_error(prediction: Array, target: Array) -> Array:
    """Mean over samples of ½ Σ r² over outputs: the convention in which curvature reads plainly.

    Noise: Gaussian of width 1, up to a constant. Outlier: as `mean_squared_error`, slope r,
    curvature 1. Corners: 0 at r = 0; 5e5 with slope ±1000 at r = ±1000.
    A missing ½ doubles every sharpness and halves every critical learning rate.

    prediction (..., N, out), target (N, out) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.half_squared_error([[1.0], [3.0]], [[1.0], [1.0]]))
    1.0
    """
    prediction, target = targets.regression("half_squared_error", prediction, target)
    return squared(prediction, target, scale=0.5 / prediction.shape[-2])


def mean_absolute_error(prediction: Array, target: Array) -> Array:
    """Mean over samples and outputs of |r|.

    Noise: Laplace. Outlier: pulls no harder than any other point (slope ±1); the best constant is
    the median. Corners: slope 0 at r = 0 by convention, so the descent never settles smoothly: with
    a fixed learning rate it keeps stepping over the kink. Curvature 0 everywhere.

    prediction (..., N, out), target (N, out) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.mean_absolute_error([[1.0], [3.0]], [[1.0], [1.0]]))
    1.0
    """
    prediction, target = targets.regression("mean_absolute_error", prediction, target)
    return np.mean(np.abs(prediction - target), axis=(-2, -1))


def huber(prediction: Array, target: Array, *, delta: float = 1.0) -> Array:
    """Mean of ½r² where |r| <= delta, of delta·(|r| - ½delta) beyond (Huber 1964).

    Noise: Gaussian in the middle, Laplace in the tails. Outlier: pulls with at most `delta`.
    Corners: value and slope are continuous at |r| = delta, the curvature falls from 1 to 0 there;
    r = ±1000 gives 999.5 with slope ±1 at delta = 1. Small delta approaches delta·|r|.

    prediction (..., N, out), target (N, out) → (...). Raises ParameterError unless delta > 0.

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.huber([[1.0], [4.0]], [[1.0], [1.0]], delta=1.0))
    1.25
    """
    if not delta > 0.0:
        raise ParameterError(f"huber: got delta={delta}, expected a number > 0")
    prediction, target = targets.regression("huber", prediction, target)
    r = prediction - target
    clipped = np.clip(r, -delta, delta)
    return np.mean(clipped * (r - 0.5 * clipped), axis=(-2, -1))


def log_cosh(prediction: Array, target: Array) -> Array:
    """Mean of log cosh r: a Huber loss without the corner.

    Noise: hyperbolic secant. Outlier: pulls with tanh r, at most 1. Corners: ½r² near 0, |r| - log
    2 far out (999.3069 at ±1000); slope tanh r, curvature 1 - tanh² r.

    prediction (..., N, out), target (N, out) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.log_cosh([[0.0], [1000.0]], [[0.0], [0.0]]))
    499.6534
    """
    prediction, target = targets.regression("log_cosh", prediction, target)
    return np.mean(log_of_cosh(prediction - target), axis=(-2, -1))


# --- two classes: prediction (..., N, 1), target integer (N,) in {0, 1} or float (N, 1) ----------


def binary_cross_entropy(prediction: Array, target: Array) -> Array:
    """Mean of -log p(target), p = sigmoid(prediction): the prediction is a logit.

    Noise: Bernoulli. A confident mistake costs in proportion to its confidence (1000 at a logit of
    1000 on the wrong side, slope 1), and never stops pulling; a confident hit costs exp(-|z|), so
    on separable data the weights grow forever. Corners: log 2 at 0, slope ±½, curvature ¼. A float
    target may be any probability between 0 and 1 (soft labels).

    prediction (..., N, 1), target integer (N,) in {0, 1} or float (N, 1) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.binary_cross_entropy([[1000.0], [1000.0]], [1, 0]))
    500.0
    """
    prediction, target = targets.binary("binary_cross_entropy", prediction, target, soft=True)
    return bernoulli(prediction, target)


def hinge(prediction: Array, target: Array) -> Array:
    """Mean of max(0, 1 - s·prediction), s = ±1 for class 1 and 0.

    No likelihood: a margin of 1 is wanted, and beyond it a point no longer counts. A confident
    mistake costs in proportion (1001 at 1000 on the wrong side, slope 1). Corners: slope 0 at the
    margin itself by convention; curvature 0 everywhere.

    prediction (..., N, 1), target integer (N,) in {0, 1} or float (N, 1) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.hinge([[2.0], [0.5]], [1, 0]))
    0.75
    """
    return np.mean(relu(1.0 - margin("hinge", prediction, target)), axis=(-2, -1))


def squared_hinge(prediction: Array, target: Array) -> Array:
    """Mean of max(0, 1 - s·prediction)², s = ±1: a hinge with a smooth corner.

    No likelihood, a margin. A confident mistake costs the square (1001² at 1000 on the wrong side)
    and pulls with slope 2·1001: mislabelled points dominate. Corners: slope 0 at the margin,
    curvature 2 inside it and 0 beyond.

    prediction (..., N, 1), target integer (N,) in {0, 1} or float (N, 1) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.squared_hinge([[2.0], [0.5]], [1, 0]))
    1.125
    """
    short = relu(1.0 - margin("squared_hinge", prediction, target))
    return np.mean(short * short, axis=(-2, -1))


def focal(prediction: Array, target: Array, *, gamma: float = 2.0) -> Array:
    """Mean of -(1 - p)^gamma · log p, p the true class's probability (Lin et al. 2017, eq. 4).

    No likelihood: cross-entropy with easy points weighted down. A confident mistake costs what it
    costs under cross-entropy (1000 at 1000 on the wrong side, slope 1); a confident hit next to
    nothing. Corners: ½^gamma · log 2 at a logit of 0; gamma = 0 is `binary_cross_entropy`. Not
    convex.

    prediction (..., N, 1), target integer (N,) in {0, 1} or float (N, 1) → (...). Raises
    ParameterError for gamma < 0.

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.focal([[0.0]], [1]))
    0.1733
    """
    if not gamma >= 0.0:
        raise ParameterError(f"focal: got gamma={gamma}, expected a number >= 0")
    z = margin("focal", prediction, target)
    return np.mean(np.exp(gamma * log_sigmoid(-z)) * softplus(-z), axis=(-2, -1))


def margin(name: str, prediction: Array, target: Array) -> Array:
    """s·prediction with s = ±1: how far each sample is on its right side."""
    prediction, target = targets.binary(name, prediction, target)
    return prediction * (2.0 * target - 1.0)


# --- K classes: prediction (..., N, K) -----------------------------------------------------------


def cross_entropy(prediction: Array, target: Array) -> Array:
    """Mean over samples of -log softmax(prediction)[target]: the predictions are logits.

    Noise: categorical. A confident mistake costs the distance to the winning logit (1000 at a lead
    of 1000, slope 1) and never stops pulling; a confident hit costs exp(-lead). Corners: log K at
    equal logits. Adding a number to all logits of a sample changes nothing: one flat direction per
    sample. Rows of a float target are the probabilities of the K classes (soft labels).

    prediction (..., N, K), target integer (N,) in 0..K-1 or float (N, K) → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.cross_entropy([[1000.0, 0.0], [1000.0, 0.0]], [0, 1]))
    500.0
    """
    prediction, target = targets.categorical("cross_entropy", prediction, target)
    return categorical(prediction, target)


def kl_divergence(prediction: Array, target: Array) -> Array:
    """Mean over samples of Σ t·(log t - log softmax(prediction)): nats lost by a wrong belief.

    Noise: categorical, with known probabilities t. Its gradient is that of `cross_entropy`; its
    value is 0 when prediction and target agree. 0·log 0 is 0. Corners and confident mistakes as
    `cross_entropy`.

    prediction (..., N, K) logits, target float (N, K), rows summing to 1 → (...).

    >>> import tinygrad_landscape as tl
    >>> print(tl.losses.kl_divergence([[0.0, 0.0]], [[0.5, 0.5]]))
    0.0
    """
    prediction, target, labels = targets.both("kl_divergence", prediction, target)
    if labels:
        raise ShapeError(
            "kl_divergence: got integer labels, expected probabilities (N, K); "
            "cross_entropy takes labels"
        )
    prediction, target = targets.categorical("kl_divergence", prediction, target)
    entropy = -np.sum(target * np.log(np.where(target > 0.0, target, 1.0)), axis=-1)
    return categorical(prediction, target) - np.mean(entropy, axis=-1)


# --- the fused pieces: one node each, their rules made of primitives ------------------------


@primitive
def squared(prediction: Array, target: Array, *, scale: float) -> Array:
    """scale · Σ (prediction - target)² over the last two axes."""
    r = prediction - target
    return scale * np.add.reduce(r * r, axis=(-2, -1))


@rule(squared)
def _(g: Array, out: Array, prediction: Array, target: Array, *, scale: float) -> Any:
    slope = (2.0 * scale) * g[..., None, None] * (prediction - target)
    return slope, lambda: -slope


@primitive
def bernoulli(z: Array, target: Array) -> Array:
    """Mean over samples of softplus(z) - target·z, exact also where the two nearly cancel."""
    terms = np.maximum(z, 0.0) - target * z + np.log1p(np.exp(-np.abs(z)))
    return np.add.reduce(terms, axis=(-2, -1)) * (1.0 / z.shape[-2])


@rule(bernoulli)
def _(g: Array, out: Array, z: Array, target: Array) -> Any:
    share = g[..., None, None] * (1.0 / z.shape[-2])
    return share * (sigmoid(z) - target), lambda: -share * z


@primitive
def categorical(z: Array, target: Array) -> Array:
    """Mean over samples of Σ target·(logsumexp(z) - z), each row of `target` summing to 1."""
    shifted = z - np.max(z, axis=-1, keepdims=True)
    surprise = np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)) - shifted
    return np.add.reduce(target * surprise, axis=(-2, -1)) * (1.0 / z.shape[-2])


@rule(categorical)
def _(g: Array, out: Array, z: Array, target: Array) -> Any:
    share = g[..., None, None] * (1.0 / z.shape[-2])
    return share * (softmax(z) - target), lambda: -share * log_softmax(z)


@primitive
def log_of_cosh(r: Array) -> Array:
    """log cosh r, to full precision at both ends."""
    size = np.abs(r)
    near = np.log1p(2.0 * np.sinh(0.5 * np.minimum(size, 1.0)) ** 2)
    far = size + np.log1p(np.exp(-2.0 * size)) - LOG2
    return np.where(size < 1.0, near, far)


@rule(log_of_cosh)
def _(g: Array, out: Array, r: Array) -> Any:
    return (g * np.tanh(r),)
