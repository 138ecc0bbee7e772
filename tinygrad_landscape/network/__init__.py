"""Networks, losses and data: what a loss surface is made of.

The one idea: a network is a function of one flat vector θ. Layers say which slices of it they need
(`layers`, `activations`, `normalization`, `convolution`), `Network` cuts it (`layout`) and feeds
them, `initializers` choose where θ starts, `losses` score the output, `data` gives something to
fit.
"""

from . import data, initializers, losses
from .activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Sine,
    Softplus,
    Tanh,
)
from .convolution import AvgPool2d, Conv2d, MaxPool2d
from .data import Data
from .layers import Dropout, Flatten, Layer, Linear, Residual
from .layout import Slot
from .network import Network
from .normalization import BatchNorm, LayerNorm

__all__ = [
    "Network",
    "Slot",
    "Layer",
    "Linear",
    "Conv2d",
    "MaxPool2d",
    "AvgPool2d",
    "Flatten",
    "Dropout",
    "LayerNorm",
    "BatchNorm",
    "Residual",
    "Tanh",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "Sigmoid",
    "Softplus",
    "GELU",
    "SiLU",
    "Sine",
    "Identity",
    "losses",
    "data",
    "Data",
    "initializers",
]
