"""Lines through points of which one is odd, and what a loss says about a single point.

Everything is measured: the lowest place of a loss over all lines is closed in on, and its pull on a
point is differentiated, so a loss of the reader's own can be asked the same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from ..engine import grad
from ..network import Data, data, losses
from ..panels.losses import CLASSES, REGRESSION
from ..panels.sights import two_classes
from .words import Text

Array = np.ndarray[Any, Any]
Loss = Callable[..., Any]

FAR = 10.0  # the input to which the last point is moved aside
MISTAKE = 6.0  # where the last point of class 0 is put, deep among class 1
WINDOW = 8.0  # slopes and intercepts between which a lowest place is searched
SCORED: dict[str, Loss] = CLASSES | {"focal": losses.focal}


# ---- lines, and where a loss wants them ----


def points(outlier: float = 0.0, at: float | None = None) -> Data:
    """The 20 points of the panel; the last one `outlier` above its place, or at another input."""
    x, y = data.line(20, noise=0.25, seed=0)
    x, y = x.copy(), y.copy()
    y[-1] += outlier
    if at is not None:
        x[-1] = at
    return Data(x, y)


def line(loss: Loss, given: Data) -> Array:
    """The lowest place (w, b) of a loss over all lines w·x + b.

    These losses are convex in the line, so the best b for each w is closed in on, and the best w
    around that; no slope is needed, so kinks do no harm.
    """
    x, y = given

    def height(w: Array, b: Array) -> Array:
        return np.asarray(loss((w[..., None] * x[:, 0] + b[..., None])[..., None], y))

    def level(w: Array) -> Array:
        return closed_in(lambda b: height(w, b), np.full(w.shape, -WINDOW))

    w = closed_in(lambda w: height(w, level(w)), np.full((), -WINDOW))
    return np.array([w, level(w)])


def closed_in(height: Callable[[Array], Array], low: Array) -> Array:
    """Where convex functions of one number are lowest, between `low` and -`low`, many at once."""
    high, share = -low, np.linspace(0.0, 1.0, 17).reshape(-1, *(1,) * low.ndim)
    for _ in range(14):  # each look leaves an eighth
        grid = low + (high - low) * share
        best = height(grid).argmin(axis=0)[None]
        low, high = (
            np.take_along_axis(grid, np.clip(best + side, 0, 16), axis=0)[0] for side in (-1, 1)
        )
    return (low + high) / 2


def shift(loss: Loss, outlier: float) -> float:
    """How far the outlier moves the lowest place in the (w, b) plane."""
    return float(np.linalg.norm(line(loss, points(outlier)) - home(loss)))


@cache
def home(loss: Loss) -> Array:
    """The lowest place while every point is where it belongs."""
    return line(loss, points())


# ---- tables ----


def shifts() -> Text:
    """How far each lowest place moves, for ever larger outliers."""
    sizes = (0.5, 1.0, 2.0, 4.0, 6.0, 12.0)
    rows = [f"{'outlier':<10}" + "".join(f"{size:>8g}" for size in sizes)]
    for name, loss in REGRESSION.items():
        rows.append(f"{name:<10}" + "".join(f"{shift(loss, size):>8.3f}" for size in sizes))
    return Text("\n".join(rows))


def lever() -> Text:
    """The slopes of the best lines when the last point is moved aside instead of up."""
    rows = [f"{'slope of the best line':<24}{'at home':>10}{f'at x = {FAR:g}':>12}"]
    for name, loss in REGRESSION.items():
        before, after = home(loss)[0], line(loss, points(at=FAR))[0]
        rows.append(f"{name:<24}{before:>10.3f}{after:>12.3f}")
    return Text("\n".join(rows))


def mistake() -> Text:
    """What a confident mistake does to slope and border of three classifiers."""
    before, after = two_classes(), misplaced()
    rows = [f"{'':<16}{'steepness w':>18}{'border at x':>20}"]
    for name, loss in CLASSES.items():
        (w0, b0), (w1, b1) = line(loss, before), line(loss, after)
        steep, border = f"{w0:.2f} -> {w1:.2f}", f"{-b0 / w0:.2f} -> {-b1 / w1:.2f}"
        rows.append(f"{name:<16}{steep:>18}{border:>20}")
    return Text("\n".join(rows))


def misplaced() -> Data:
    """The two classes of the panel with the last point of class 0 deep among class 1."""
    x, y = two_classes()
    x = x.copy()
    x[np.flatnonzero(y == 0)[-1]] = MISTAKE
    return Data(x, y)


def one_point(loss: Loss, margin: Any, label: int = 1) -> Any:
    """The loss of one point of class 1 (or 0) whose score is `margin`; Tensors welcome."""
    return loss(np.reshape(margin, (1, 1)), np.array([label]))


def pull(loss: Loss, margin: float) -> float:
    """How hard a point of class 1 pulls its own score up: minus the slope of its loss."""
    return 0.0 - float(grad(partial(one_point, loss))(margin))


def pulls() -> Text:
    """The pulls of a point of class 1 on its own score, from hopeless to safe."""
    margins = (-1000.0, -10.0, -1.0, 0.0, 2.0, 10.0)
    rows = [f"{'pull at score':<16}" + "".join(f"{margin:>10g}" for margin in margins)]
    for name, loss in CLASSES.items():
        forces = (pull(loss, margin) for margin in margins)
        rows.append(f"{name:<16}" + "".join(f"{force:>10.4g}" for force in forces))
    return Text("\n".join(rows))


def together(loss: Loss, score: float) -> float:
    """exp(-loss) summed over both labels: 1 at every score, if these are probabilities."""
    return float(sum(np.exp(-one_point(loss, score, label)) for label in (0, 1)))


def probabilities() -> Text:
    """exp(-loss) of the two labels together, over scores: constant for a likelihood only."""
    scores = (-3.0, -1.0, 0.0, 1.0, 3.0)
    rows = [f"{'score':<16}" + "".join(f"{score:>8g}" for score in scores)]
    for name, loss in SCORED.items():
        rows.append(f"{name:<16}" + "".join(f"{together(loss, score):>8.3f}" for score in scores))
    return Text("\n".join(rows))
