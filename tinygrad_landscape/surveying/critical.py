"""Finding the points where the ground is level, and saying which kind each is.

Newton's method on the gradient goes to minima, saddles and maxima alike. It is damped on the
squared length of the gradient (Levenberg and Marquardt), so it also arrives from far away; many
starts walk at once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..landscape.formulas import Fitted
from .results import Result

if TYPE_CHECKING:
    from ..landscape import Landscape

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class CriticalPoint(Result):
    """A point `(P,)` with zero gradient, its loss and the eigenvalues `(P,)` of the Hessian,
    smallest first.

    `kind` is "minimum", "maximum", "saddle" (eigenvalues clearly of both signs, `index` of them
    negative) or "degenerate" (one is too close to zero to decide). `twin` is the position in the
    list of an earlier point that is the same function with other weights, or None.
    """

    point: Array
    loss: float
    eigenvalues: Array
    kind: str
    twin: int | None = None
    index: int = 0

    def describe(self) -> str:
        """Say in a sentence what kind of point this is."""
        low, high = self.eigenvalues[0], self.eigenvalues[-1]
        kind = f"saddle with {self.index} ways down" if self.kind == "saddle" else self.kind
        text = f"{kind.capitalize()} of height {self.loss:.4g}"
        text += f", curvatures from {low:.4g} to {high:.4g}"
        return text + (f"; a copy of point {self.twin}." if self.twin is not None else ".")

    def __repr__(self) -> str:
        where = np.array2string(self.point, precision=4, threshold=6, separator=", ")
        return f"CriticalPoint({self.kind}, loss {self.loss:.4g}, at {where})"


def critical_points(
    landscape: "Landscape",
    starts: ArrayLike,
    steps: int = 200,
    tolerance: float = 1e-9,
    distance: float = 1e-4,
    flat: float = 1e-6,
) -> list[CriticalPoint]:
    """Find the points of zero gradient reached from `starts` `(S, P)`, each once, lowest first.

    tolerance: a point counts when its gradient is shorter than this times (1 + the largest
        eigenvalue).
    distance: two ends closer than this times (1 + |theta|) are one point.
    flat: an eigenvalue below this share of the largest is zero, and a point with one, that is no
        saddle, is degenerate.

    Starts that do not arrive are left out. The Hessian is formed, so this is for up to some
    hundreds of weights.

    >>> from tinygrad_landscape.landscape import formulas
    >>> starts = np.random.default_rng(0).uniform(-5.0, 5.0, (100, 2))
    >>> found = critical_points(formulas.himmelblau, starts)
    >>> [sum(p.kind == kind for p in found) for kind in ("minimum", "saddle", "maximum")]
    [4, 4, 1]
    """
    starts = np.array(np.atleast_2d(landscape.as_points(starts)))
    points = _arrived(landscape, starts, steps, tolerance)
    points = points[np.argsort(landscape(points), kind="stable")] if len(points) else points
    found: list[CriticalPoint] = []
    outputs: list[Array | None] = []
    for point in _distinct(points, distance):
        eigenvalues = np.linalg.eigvalsh(landscape.hessian(point))
        kind, index = classify(eigenvalues, flat)
        output = _function(landscape, point)
        twin = next((k for k, other in enumerate(outputs) if _same(output, other)), None)
        outputs.append(output if twin is None else None)
        found.append(CriticalPoint(point, float(landscape(point)), eigenvalues, kind, twin, index))
    return found


def classify(eigenvalues: ArrayLike, flat: float = 1e-6) -> tuple[str, int]:
    """Return the kind of a critical point from its eigenvalues, and how many are clearly negative.

    >>> classify([-1.0, 0.0, 2.0]), classify([0.0, 2.0])
    (('saddle', 1), ('degenerate', 0))
    """
    values = np.asarray(eigenvalues)
    zero = flat * np.abs(values).max()
    down, up = int((values < -zero).sum()), int((values > zero).sum())
    if down and up:
        return "saddle", down
    if down + up < values.size:
        return "degenerate", down
    return ("minimum" if up else "maximum"), down


def _arrived(landscape: "Landscape", theta: Array, steps: int, tolerance: float) -> Array:
    """Walk every start towards zero gradient; return those that got there."""
    damping = np.full(len(theta), 1e-3)
    gradient = landscape.gradient(theta)
    arrived = np.zeros(len(theta), bool)
    active = np.isfinite(gradient).all(axis=-1)
    for _ in range(steps):
        on = np.flatnonzero(active)
        if not len(on):
            break
        values, vectors = np.linalg.eigh(landscape.hessian(theta[on]))
        slope = (vectors.mT @ gradient[on][..., None])[..., 0]
        top = np.abs(values).max(axis=-1)
        mu = (damping[on] * np.maximum(top, 1e-12))[:, None] ** 2
        move = (vectors @ (values * slope / (values**2 + mu + 1e-300))[..., None])[..., 0]
        trial = theta[on] - move
        there = landscape.gradient(trial)
        before, after = (np.linalg.norm(g, axis=-1) for g in (gradient[on], there))
        better = after < before
        theta[on[better]], gradient[on[better]] = trial[better], there[better]
        damping[on] = np.where(better, np.maximum(damping[on] / 4.0, 1e-12), damping[on] * 4.0)
        level = np.minimum(before, after) <= tolerance * (1.0 + top)
        arrived[on] |= level
        # level points go on until rounding stops them: the last steps of Newton's method are nearly
        # free
        active[on] = (
            (~level | better) & (damping[on] < 1e8) & np.isfinite(gradient[on]).all(axis=-1)
        )
    return theta[arrived]


def _distinct(points: Array, distance: float) -> list[Array]:
    """Keep one of each group of points that lie together."""
    kept: list[Array] = []
    for point in points:
        near = distance * (1.0 + np.linalg.norm(point))
        if not kept or np.linalg.norm(np.stack(kept) - point, axis=-1).min() > near:
            kept.append(point)
    return kept


def _function(landscape: "Landscape", point: Array) -> Array | None:
    """Return what the network computes at a point on its data, if there is a network."""
    if landscape.network is not None and landscape.data is not None:
        return np.asarray(landscape.network(point, landscape.data.x)).ravel()
    if isinstance(landscape, Fitted):
        return np.asarray(landscape.predict(point, landscape.x)).ravel()
    return None


def _same(one: Array | None, other: Array | None) -> bool:
    return (
        one is not None and other is not None and bool(np.allclose(one, other, rtol=0.0, atol=1e-6))
    )
