"""Normalisation: layers that bring signals to mean 0 and variance 1 on their way.

The one idea: no running averages. What is subtracted and divided by is measured on the very samples
at hand (or on `reference=`), so the loss stays a function of θ and data alone, with a gradient that
knows about the statistics too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.errors import ParameterError, ShapeError
from .layers import Array, Inner, Layer, Parameter, Run, whole


def normalised(x: Array, sample: Array, axes: tuple[int, ...], eps: float) -> Array:
    """`x` shifted and scaled to mean 0 and variance 1, as measured on `sample` over `axes`."""
    mean = np.mean(sample, axis=axes, keepdims=True)
    apart = sample - mean
    variance = np.mean(apart * apart, axis=axes, keepdims=True)
    return (apart if sample is x else x - mean) / np.sqrt(variance + eps)


@dataclass(frozen=True, repr=False)
class LayerNorm(Layer):
    """Each sample by itself to mean 0, variance 1, then `· weight + bias` (Ba et al. 2016).

    x (..., N, *size); `size` is the shape of one sample, a number or a tuple (C, H, W); weight and
    bias have that shape too and start at 1 and 0. `eps` is added to the (biased) variance.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net = tl.Network(tl.LayerNorm(4))
    >>> y = net(net.init(), np.array([[1.0, 2.0, 3.0, 4.0]]))
    >>> print(np.round(y, 3))
    [[-1.342 -0.447  0.447  1.342]]
    """

    size: int | tuple[int, ...]
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.expects) or len(self.expects) not in (1, 3):
            raise ParameterError(
                f"LayerNorm: got size={self.size!r}, expected a whole number or (C, H, W)"
            )

    @property
    def expects(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.size,) if isinstance(self.size, int) else tuple(self.size)

    def parameters(self) -> tuple[Parameter, ...]:
        return norm_parameters(self.expects, (1, *self.expects))

    def __call__(self, x: Array, *parameters: Array) -> Array:
        weight, bias = parameters
        axes = tuple(range(-len(self.expects), 0))
        return normalised(x, x, axes, self.eps) * weight + bias


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """Each feature to mean 0, variance 1 over the batch, then `· weight + bias`
    (Ioffe & Szegedy 2015).

    x (..., N, features), or (..., N, C, H, W) with `image=True`, where each channel is one feature.
    The layer keeps no running averages. It uses the (biased) statistics of the very samples it is
    given, in training and in evaluation alike; or, when the network is called with `reference=`,
    those of the reference samples at the same θ. So the loss is a function of θ and data alone, and
    validation is done with `net(theta, x_validation, reference=x_train)`.
    weight starts at 1, bias at 0. `eps` is added to the variance.

    Raises:
        ShapeError: a batch of one value per feature, which has no spread.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net, train = tl.Network(tl.BatchNorm(1)), np.array([[0.0], [2.0]])
    >>> print(np.round(net(net.init(), train).T, 3))
    [[-1.  1.]]
    >>> print(np.round(net(net.init(), np.array([[3.0]]), reference=train), 3))
    [[2.]]
    """

    features: int
    image: bool = False
    eps: float = 1e-5

    def __post_init__(self) -> None:
        whole(self, "features")

    @property
    def expects(self) -> Inner:  # type: ignore[override]
        return (self.features, None, None) if self.image else (self.features,)

    def parameters(self) -> tuple[Parameter, ...]:
        aligned = (1, self.features, 1, 1) if self.image else (1, self.features)
        return norm_parameters((self.features,), aligned)

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return self.run(x, parameters, Run())

    def run(self, x: Array, parameters: tuple[Array, ...], how: Run) -> Array:
        weight, bias = parameters
        axes = (-4, -2, -1) if self.image else (-2,)
        index = (..., slice(how.reference)) + (slice(None),) * len(self.expects)
        sample = x[index] if how.reference else x
        if all(sample.shape[axis] == 1 for axis in axes):
            raise ShapeError(
                f"{self!r}: got one value per feature (shape {sample.shape}), expected a batch; "
                "call the network with reference= to use the statistics of other samples"
            )
        return normalised(x, sample, axes, self.eps) * weight + bias


def norm_parameters(shape: tuple[int, ...], aligned: tuple[int, ...]) -> tuple[Parameter, ...]:
    weight = Parameter("weight", shape, aligned, value=1.0)
    return weight, Parameter("bias", shape, aligned)
