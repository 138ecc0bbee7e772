"""Floor 0: a NumPy autograd engine to be read in one evening.

Read in this order: ``tensor.py`` (an array that remembers how it was computed), ``calls.py`` (the
tables), ``elementwise.py`` and its neighbours (the rules, a line of calculus each),
``differentiate.py`` (the walk backwards), and then ``functions.py``, ``check.py``, ``graph.py``.
"""

import numpy as np

from . import constants, elementwise, linear_algebra, reductions, shapes  # noqa: F401  (fill the tables)
from .calls import COMPOSITES, CONSTANTS, RULES, rule
from .check import check_gradients
from .differentiate import grad, gradients, hessian, hvp, jacobian, value_and_grad
from .errors import (
    GradientError,
    GraphReleasedError,
    NotDifferentiableError,
    NotPicklableError,
    ParameterError,
    ShapeError,
    TinygradLandscapeError,
    TraceError,
)
from .functions import (
    elu,
    gelu,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from .tensor import Tensor, primitive

# The C library of Linux hands freed memory back at once and then takes it again page by page, which
# doubles the time of work on arrays above 128 KB. Freeing one large array, never touched, raises
# that limit to 32 MB for the rest of the process.
np.empty(2**25 - 2**16, np.uint8)

__all__ = [
    "COMPOSITES", "CONSTANTS", "RULES", "GradientError", "GraphReleasedError",
    "NotDifferentiableError", "NotPicklableError", "ParameterError", "ShapeError", "Tensor",
    "TinygradLandscapeError", "TraceError", "check_gradients", "elu", "gelu", "grad", "gradients",
    "hessian", "hvp", "jacobian", "leaky_relu", "linear", "log_sigmoid", "log_softmax",
    "logsumexp", "primitive", "relu", "rule", "sigmoid", "silu", "softmax", "softplus",
    "value_and_grad",
]  # fmt: skip
