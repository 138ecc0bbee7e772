"""Floor 2: the loss as a function of the weights.

A network with P weights is a point theta in R^P, and a loss gives every point a height L(theta).
`Landscape` is that function, with its gradient and its Hessian; everything above this floor asks
for nothing else. `formulas` holds the classic test functions, which are landscapes too.
"""

from . import formulas
from .landscape import Landscape

__all__ = ["Landscape", "formulas"]
