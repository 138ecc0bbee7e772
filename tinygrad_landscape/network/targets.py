"""Does this target belong to that prediction? Asked by every loss, before it computes.

The one idea: NumPy would broadcast a target (N,) against a prediction (N, 1) to (N, N), and
training would go on quietly with nonsense. So each kind of loss has one door here: it gives back
prediction and target ready to subtract, or says what was got, what was expected, and what to type
instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.errors import ParameterError, ShapeError

Array = Any


def regression(name: str, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Prediction (..., N, out) and a target of the same last two axes."""
    prediction, target, _ = both(name, prediction, target)
    wanted = prediction.shape[-2:]
    if target.ndim > prediction.ndim or target.shape[-2:] != wanted:
        mend = "say target[:, None]" if (*target.shape, 1) == wanted else "make the two agree"
        raise ShapeError(
            f"{name}: got prediction {prediction.shape} and target {target.shape}, "
            f"expected target {wanted}; {mend}"
        )
    return prediction, alike(target, prediction)


def binary(name: str, prediction: Array, target: Array, soft: bool = False) -> tuple[Array, Array]:
    """Prediction (..., N, 1) and labels 0.0 or 1.0 of that shape; if `soft`, also between them."""
    prediction, target, labels = both(name, prediction, target)
    if prediction.shape[-1] != 1:
        raise ShapeError(
            f"{name}: got prediction {prediction.shape}, expected (..., N, 1): one score per "
            "sample; for several classes use cross_entropy"
        )
    refuse_misfit(name, prediction, target, labels)
    good: Any = True
    if labels:
        good = np.bitwise_or.reduce(target, axis=None) in (0, 1)
        target = target[..., None]
    elif type(target) is np.ndarray:
        good = np.all((target >= 0.0) & (target <= 1.0) if soft else target * target == target)
    if not good:
        raise ParameterError(
            f"{name}: got labels other than 0 and 1; "
            "for labels -1 and 1 say (target > 0).astype(int)"
        )
    return prediction, alike(target, prediction)


def categorical(name: str, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Prediction (..., N, K) and probabilities of that shape, which labels 0..K-1 may stand for."""
    prediction, target, labels = both(name, prediction, target)
    refuse_misfit(name, prediction, target, labels)
    if labels:
        classes = prediction.shape[-1]
        if target.min() < 0 or target.max() >= classes:
            raise ParameterError(
                f"{name}: got labels {target.min()}..{target.max()}, expected 0..{classes - 1}, "
                "one for each column of the prediction"
            )
        return prediction, np.eye(classes, dtype=prediction.dtype)[target.astype(np.intp)]
    if type(target) is np.ndarray:
        off = np.max(np.abs(np.sum(target, axis=-1) - 1.0))
        if target.min() < 0.0 or not off < 1e-5:
            raise ParameterError(
                f"{name}: got probabilities that are negative or do not sum to 1 in each row "
                f"(off by {off:.2g}); divide by target.sum(-1, keepdims=True)"
            )
    return prediction, alike(target, prediction)


def both(name: str, prediction: Array, target: Array) -> tuple[Array, Array, bool]:
    """Both as arrays or Tensors, and whether the target holds whole numbers."""
    prediction = prediction if hasattr(prediction, "shape") else np.asarray(prediction, np.float64)
    target = target if hasattr(target, "shape") else np.asarray(target)
    if prediction.ndim < 2:
        raise ShapeError(
            f"{name}: got prediction {prediction.shape}, expected (..., N, out); "
            "say prediction[:, None] for one output per sample"
        )
    if 0 in prediction.shape[-2:]:
        raise ShapeError(f"{name}: got an empty batch, prediction {prediction.shape}")
    return prediction, target, target.dtype.kind in "iub"


def refuse_misfit(name: str, prediction: Array, target: Array, labels: bool) -> None:
    """Labels must be (..., N), anything else must have the prediction's last two axes."""
    samples, columns = prediction.shape[-2:]
    wanted = (samples,) if labels else (samples, columns)
    if target.ndim <= prediction.ndim - labels and target.shape[-len(wanted) :] == wanted:
        return
    mend = "make the two agree"
    if labels and target.shape == (samples, 1):
        mend = "say target[:, 0]"
    elif target.shape == (samples,):
        mend = "say target.astype(int) for labels"
        mend += ", target[:, None] for probabilities" if columns == 1 else ""
    elif target.shape == (samples, 1):
        mend = "say target[:, 0].astype(int) for labels"
    raise ShapeError(
        f"{name}: got prediction {prediction.shape} and {target.dtype} target {target.shape}, "
        f"expected integers ({samples},) or floats ({samples}, {columns}); {mend}"
    )


def alike(target: Array, prediction: Array) -> Array:
    """The target in the prediction's precision: float32 stays float32."""
    return target if target.dtype == prediction.dtype else target.astype(prediction.dtype)
