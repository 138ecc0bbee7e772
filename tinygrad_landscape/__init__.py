"""See a neural network's loss as mountains and valleys, and walk down it.

The one idea: a network with P weights is a *point* in R^P, a loss gives every point a *height*,
and training is a walk downhill. The engine is loaded at once; every other name in the table below
on its first use, so that ``import tinygrad_landscape`` pays for NumPy alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .engine import (
    GradientError,
    GraphReleasedError,
    NotDifferentiableError,
    NotPicklableError,
    ParameterError,
    ShapeError,
    Tensor,
    TinygradLandscapeError,
    TraceError,
    check_gradients,
    elu,
    gelu,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    logsumexp,
    primitive,
    relu,
    rule,
    sigmoid,
    silu,
    softmax,
    softplus,
    value_and_grad,
)

if TYPE_CHECKING:
    from . import classroom, draw, panels
    from .descent import Trajectory, callbacks, descend, optim, schedules
    from .engine.graph import Graph
    from .landscape import Landscape, formulas
    from .network import (
        ELU,
        GELU,
        AvgPool2d,
        BatchNorm,
        Conv2d,
        Data,
        Dropout,
        Flatten,
        Identity,
        LayerNorm,
        LeakyReLU,
        Linear,
        MaxPool2d,
        Network,
        ReLU,
        Residual,
        Sigmoid,
        SiLU,
        Sine,
        Softplus,
        Tanh,
        data,
        initializers,
        losses,
    )
    from .surveying import (
        BasinMap,
        CriticalPoint,
        Diagnosis,
        Line,
        Plane,
        Profile,
        Surface,
        TrainabilityMap,
        Vitals,
        basins,
        coarse_to_fine,
        connect,
        critical_points,
        curvature,
        diagnose,
        export,
        profile,
        sharpness,
        survey,
        trainability,
        vitals,
        winding_number,
    )

__version__ = "0.1.0"

_LAZY = {
    "network": """Network Linear Conv2d MaxPool2d AvgPool2d Flatten Dropout LayerNorm BatchNorm
        Residual Tanh ReLU LeakyReLU ELU Sigmoid Softplus GELU SiLU Sine Identity Data data losses
        initializers""",
    "landscape": "Landscape formulas",
    "descent": "descend Trajectory optim schedules callbacks",
    "surveying": """Plane Line Surface Profile survey profile curvature sharpness winding_number
        coarse_to_fine export critical_points CriticalPoint basins BasinMap trainability
        TrainabilityMap connect vitals Vitals diagnose Diagnosis""",
    "engine.graph": "Graph",
    "": "draw panels classroom",
}
_HOME = {name: folder for folder, names in _LAZY.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    folder = _HOME[name]
    if not folder:
        return import_module(f".{name}", __name__)
    value = getattr(import_module(f".{folder}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


# fmt: off
__all__ = [
    "AvgPool2d", "BasinMap", "BatchNorm", "Conv2d", "CriticalPoint", "Data", "Diagnosis",
    "Dropout", "ELU", "Flatten", "GELU", "GradientError", "Graph", "GraphReleasedError",
    "Identity", "Landscape", "LayerNorm", "LeakyReLU", "Line", "Linear", "MaxPool2d", "Network",
    "NotDifferentiableError", "NotPicklableError", "ParameterError", "Plane", "Profile", "ReLU",
    "Residual", "ShapeError", "SiLU", "Sigmoid", "Sine", "Softplus", "Surface", "Tanh",
    "Tensor", "TinygradLandscapeError", "TraceError", "TrainabilityMap", "Trajectory", "Vitals",
    "basins", "callbacks", "check_gradients", "classroom", "coarse_to_fine", "connect",
    "critical_points", "curvature", "data", "descend", "diagnose", "draw", "elu", "export",
    "formulas", "gelu", "grad", "gradients", "hessian", "hvp", "initializers", "jacobian",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "logsumexp", "losses", "optim",
    "panels", "primitive", "profile", "relu", "rule", "schedules", "sharpness", "sigmoid",
    "silu", "softmax", "softplus", "survey", "trainability", "value_and_grad", "vitals",
    "winding_number",
]
# fmt: on
