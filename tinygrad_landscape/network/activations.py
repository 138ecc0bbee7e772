"""Activations: the elementwise bends between linear layers.

The one idea: an activation is a named function without parameters. Its mathematics, stable at both
ends and to any order, is the engine's; here it becomes a layer that prints, compares and pickles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus
from .layers import Array, Layer


@dataclass(frozen=True, repr=False)
class Tanh(Layer):
    """tanh x: between -1 and 1, slope 1 at 0, flat on both sides.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Tanh()(np.array([0.0, 1000.0]))
    array([0., 1.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return np.tanh(x)


@dataclass(frozen=True, repr=False)
class ReLU(Layer):
    """max(x, 0), with slope 0 at x = 0.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return relu(x)


@dataclass(frozen=True, repr=False)
class LeakyReLU(Layer):
    """x above 0, `slope` · x below: no unit is ever quite dead (Maas et al. 2013).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.LeakyReLU()(np.array([-1.0, 0.0, 2.0]))
    array([-0.01,  0.  ,  2.  ])
    """

    slope: float = 0.01

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return leaky_relu(x, slope=self.slope)


@dataclass(frozen=True, repr=False)
class ELU(Layer):
    """x above 0, `alpha` · (exp x - 1) below (Clevert et al. 2016).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.ELU()(np.array([-1000.0, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """

    alpha: float = 1.0

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return elu(x, alpha=self.alpha)


@dataclass(frozen=True, repr=False)
class Sigmoid(Layer):
    """1 / (1 + exp(-x)): between 0 and 1, slope 1/4 at 0.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return sigmoid(x)


@dataclass(frozen=True, repr=False)
class Softplus(Layer):
    """log(1 + exp x): a smooth ReLU, log 2 at 0.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Softplus()(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return softplus(x)


@dataclass(frozen=True, repr=False)
class GELU(Layer):
    """x · Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.GELU()(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return gelu(x)


@dataclass(frozen=True, repr=False)
class SiLU(Layer):
    """x · sigmoid(x), also called swish (Elfwing et al. 2018).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.SiLU()(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return silu(x)


@dataclass(frozen=True, repr=False)
class Sine(Layer):
    """sin x: periodic, so its landscapes repeat and have many minima.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Sine()(np.array([0.0, np.pi / 2]))
    array([0., 1.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return np.sin(x)


@dataclass(frozen=True, repr=False)
class Identity(Layer):
    """x itself: a place holder, and what a linear network has for an activation.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Identity()(np.array([0.0, 1.0]))
    array([0., 1.])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return x
