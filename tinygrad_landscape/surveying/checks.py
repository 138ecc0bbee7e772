"""What every measurement asks of its arguments, and how every result keeps its arrays."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError, ShapeError


def read_only(values: ArrayLike, dtype: Any = None) -> NDArray[Any]:
    """Return a copy of `values` that cannot be written to; integers become float64, or `dtype`."""
    array = np.array(values, dtype=dtype)
    if dtype is None and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def vector(name: str, values: ArrayLike, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return one finite point `(P,)`, in the dtype and of the size of `like` when given."""
    point = np.asarray(values)
    if point.ndim != 1 or point.size == 0:
        raise ShapeError(f"got {name} of shape {point.shape}; expected one point of shape (P,)")
    if like is not None and point.size != like.size:
        raise ShapeError(f"got {name} with {point.size} weights; expected {like.size}")
    if point.dtype.kind not in "fiu" or not np.isfinite(point).all():
        raise ParameterError(f"{name} must hold finite real numbers")
    if like is not None:
        return point.astype(like.dtype)
    return point if point.dtype.kind == "f" else point.astype(np.float64)


def column(a: Any, like: NDArray[Any]) -> Any:
    """Return offsets with a last axis of 1; Tensors stay Tensors, arrays take the dtype of the
    weights."""
    if not hasattr(a, "backward"):
        a = np.asarray(a, dtype=like.dtype)
    return a[..., None]
