"""How the ground bends at one point: the Hessian, exact where it is small, probed where it is not.

A Hessian of P weights has P^2 entries, but its product with a vector costs about two gradients.
Lanczos, Hutchinson and stochastic Lanczos quadrature below ask for nothing else:
`landscape.linearize(theta)` keeps the graph of the gradient and every product is one backward pass
through it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError
from .checks import vector
from .results import Result

if TYPE_CHECKING:
    from ..landscape import Landscape

Array = NDArray[Any]
Product = Callable[[Array], Array]

SMALL = 64  # up to this many weights the whole Hessian is cheaper than probing it


@dataclass(frozen=True, eq=False)
class Spectrum(Result):
    """All eigenvalues `(P,)` of the Hessian at a point, smallest first."""

    eigenvalues: Array

    def describe(self) -> str:
        """Say how many directions bend which way."""
        values, bound = self.eigenvalues, 1e-3 * float(np.abs(self.eigenvalues).max())
        up, down = int((values > bound).sum()), int((values < -bound).sum())
        return (
            f"{values.size} eigenvalues from {values[0]:.4g} to {values[-1]:.4g}, "
            f"sum {values.sum():.4g}: {up} directions bend up, {down} down, "
            f"{values.size - up - down} less than 1/1000 of the strongest."
        )

    def __repr__(self) -> str:
        values = self.eigenvalues
        return f"Spectrum({values.size} eigenvalues, {values[0]:.4g} to {values[-1]:.4g})"


@dataclass(frozen=True, eq=False)
class Density(Result):
    """The spectrum of a large Hessian as `density` `(G,)` over `grid` `(G,)`, of integral 1.

    `nodes` and `weights` `(probes, steps)` are the quadrature behind it, `width` the standard
    deviation of the smoothing.
    """

    grid: Array
    density: Array
    nodes: Array
    weights: Array
    width: float
    size: int

    def describe(self) -> str:
        """Say where the eigenvalues are and how sharply the density sees them."""
        low, high = self.nodes.min(), self.nodes.max()
        return (
            f"Density of {self.size} eigenvalues between {low:.4g} and {high:.4g}, estimated from "
            f"{len(self.nodes)} random probes and smoothed with a Gaussian of width "
            f"{self.width:.3g}."
        )

    def __repr__(self) -> str:
        return f"Density({self.size} eigenvalues, {self.nodes.min():.4g} to {self.nodes.max():.4g})"


def top_eigenpairs(
    landscape: "Landscape",
    theta: ArrayLike,
    k: int = 1,
    which: str = "largest",
    tolerance: float = 1e-6,
    steps: int = 200,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Return k eigenvalues `(k,)` of the Hessian at theta `(P,)` and unit eigenvectors `(k, P)`.

    `which` is "largest" or "smallest", by value, the most extreme first. Above 64 weights by
    Lanczos with full re-orthogonalisation, until the error bound of every value is below
    `tolerance` times the largest; there an eigenvalue that occurs twice may be found once. Raises
    `ParameterError` when `steps` do not suffice.

    >>> from tinygrad_landscape.landscape import formulas
    >>> values, vectors = top_eigenpairs(formulas.quadratic(100.0), [0.0, 0.0])
    >>> values, abs(vectors)
    (array([100.]), array([[0., 1.]]))
    """
    theta = vector("theta", theta)
    if which not in ("largest", "smallest"):
        raise ParameterError(f"got which={which!r}; expected 'largest' or 'smallest'")
    if not 1 <= k <= theta.size:
        raise ParameterError(f"got k={k}; expected 1..{theta.size}, the number of weights")
    if theta.size <= SMALL:
        values, columns = np.linalg.eigh(landscape.hessian(theta))
        vectors = columns.T
    else:
        values, vectors = _lanczos_ends(
            landscape.linearize(theta), theta, k, which, tolerance, steps, seed
        )
    chosen = slice(None, -k - 1, -1) if which == "largest" else slice(k)
    return values[chosen], np.ascontiguousarray(vectors[chosen])


def trace(
    landscape: "Landscape",
    theta: ArrayLike,
    probes: int = 100,
    seed: int = 0,
    memory: float = 512e6,
) -> tuple[float, float]:
    """Estimate the trace of the Hessian at theta `(P,)`; return (value, standard error).

    Hutchinson's estimator: the mean of v'Hv over random sign vectors v, whose variance is twice the
    sum of the squared off-diagonal entries, so a diagonal Hessian is exact. Source: Hutchinson
    1990.

    >>> from tinygrad_landscape.landscape import formulas
    >>> trace(formulas.quadratic(100.0), [0.0, 0.0], probes=10)
    (101.0, 0.0)
    """
    theta = vector("theta", theta)
    if probes < 2:
        raise ParameterError(f"got probes={probes}; a standard error needs at least 2")
    v = _signs(probes, theta, seed)
    rows = landscape.points_at_once(theta.dtype, memory, passes=6)
    parts = [
        (v[i : i + rows] * landscape.hessian_vector(theta, v[i : i + rows])).sum(-1)
        for i in range(0, probes, rows)
    ]
    samples = np.concatenate(parts)
    return float(samples.mean()), float(samples.std(ddof=1) / probes**0.5)


def spectrum(landscape: "Landscape", theta: ArrayLike) -> Spectrum:
    """Return all eigenvalues of the Hessian at theta `(P,)`; for thousands of weights see
    `density`.

    >>> from tinygrad_landscape.landscape import formulas
    >>> spectrum(formulas.quadratic(100.0), [0.0, 0.0]).eigenvalues
    array([  1., 100.])
    """
    return Spectrum(np.linalg.eigvalsh(landscape.hessian(vector("theta", theta))))


def density(
    landscape: "Landscape",
    theta: ArrayLike,
    probes: int = 10,
    steps: int = 60,
    points: int = 1001,
    seed: int = 0,
) -> Density:
    """Estimate the density of the Hessian's eigenvalues at theta `(P,)`.

    Stochastic Lanczos quadrature, exact for moments up to 2*steps - 1 of each probe. The smoothing
    width is that of neighbouring Chebyshev-like nodes, range / ((steps - 1) sqrt(8 ln 3)). Source:
    Lin, Saad, Yang 2016; Ghorbani et al. 2019.
    """
    theta = vector("theta", theta)
    product = landscape.linearize(theta)
    steps = min(steps, theta.size)
    nodes, weights = np.zeros((2, probes, steps))
    for row, v in enumerate(_signs(probes, theta, seed)):
        diagonal, off, _ = lanczos(product, v, steps)
        ritz, vectors = np.linalg.eigh(_tridiagonal(diagonal, off))
        nodes[row, : len(ritz)], weights[row, : len(ritz)] = ritz, vectors[0] ** 2
        nodes[row, len(ritz) :] = ritz[0]  # of weight 0: the probe's Krylov space ended early
    low, high = float(nodes.min()), float(nodes.max())
    span = (high - low) or abs(high) or 1.0
    width = span / (max(steps - 1, 1) * (8.0 * np.log(3.0)) ** 0.5)
    margin = 0.05 * span + 4.0 * width
    grid = np.linspace(low - margin, high + margin, points)
    bells = np.exp(-0.5 * ((grid[:, None] - nodes.ravel()) / width) ** 2)
    smooth = bells @ weights.ravel() / (probes * width * (2.0 * np.pi) ** 0.5)
    return Density(grid, smooth, nodes, weights, float(width), theta.size)


def noise_scale(
    landscape: "Landscape", theta: ArrayLike, samples: int = 256, seed: int = 0
) -> float:
    """Return the gradient-noise scale at theta `(P,)`: the noise of one sample over the signal.

    The trace of the covariance of per-sample gradients, over the squared length of the gradient. It
    is the batch size at which the noise of a mini-batch gradient is as large as the gradient
    itself. At most `samples` samples are looked at, one gradient each. Source: McCandlish et al.
    2018, section 2.2.
    """
    theta = vector("theta", theta)
    if landscape.data is None:
        raise ParameterError("this landscape has no samples, so its gradient has no noise")
    n = len(landscape.data.x)
    chosen = np.random.default_rng(seed).permutation(n)[:samples]
    each = np.stack([landscape.gradient(theta, batch=[i]) for i in chosen])
    full = landscape.gradient(theta)
    return float(each.var(axis=0, ddof=1).sum() / (full**2).sum())


# Lanczos ------------------------------------------------------------------------------------------


def lanczos(
    product: Product,
    start: Array,
    steps: int,
    enough: Callable[[Array, Array], bool] | None = None,
) -> tuple[Array, Array, Array]:
    """Return a symmetric operator in the Krylov space of `start`: the diagonal `(m,)` and the
    off-diagonal `(m,)` of its tridiagonal matrix, and the orthonormal basis, the rows of `(m, P)`.

    The last off-diagonal entry is the length that was left over, 0 when the space is exhausted.
    Ends after `steps`, or when `enough(diagonal, off)` says so (asked every fifth step). Each new
    vector is orthogonalised twice against all before it; else copies of found eigenvalues return.
    """
    basis = np.zeros((steps, start.size), start.dtype)
    basis[0] = start / np.linalg.norm(start)
    diagonal, off = np.zeros((2, steps))
    rounding = 10.0 * float(np.finfo(start.dtype).eps)
    for m in range(steps):
        w = product(basis[m])
        diagonal[m] = np.dot(w, basis[m])
        for _ in range(2):
            w = w - (w @ basis[: m + 1].T) @ basis[: m + 1]
        off[m] = np.linalg.norm(w)
        done = slice(m + 1)
        if off[m] <= rounding * (np.abs(diagonal[done]).max() + off[:m].max(initial=0.0)):
            off[m] = 0.0
            break
        if m + 1 < steps:
            if enough is not None and m % 5 == 4 and enough(diagonal[done], off[done]):
                break
            basis[m + 1] = w / off[m]
    return diagonal[done], off[done], basis[done]


def _lanczos_ends(
    product: Product, theta: Array, k: int, which: str, tolerance: float, steps: int, seed: int
) -> tuple[Array, Array]:
    """Return Ritz values and vectors, the k at the wanted end of them converged."""
    ends = slice(-k, None) if which == "largest" else slice(k)
    tolerance = max(tolerance, 50.0 * float(np.finfo(theta.dtype).eps))

    def error(diagonal: Array, off: Array) -> float:
        values, vectors = np.linalg.eigh(_tridiagonal(diagonal, off))
        if len(values) < k:
            return np.inf
        return float(off[-1] * np.abs(vectors[-1, ends]).max() / (np.abs(values).max() or 1.0))

    start = np.random.default_rng(seed).standard_normal(theta.size).astype(theta.dtype)
    steps = min(steps, theta.size)
    diagonal, off, basis = lanczos(product, start, steps, lambda d, o: error(d, o) <= tolerance)
    left = error(diagonal, off)
    if left > tolerance and len(diagonal) < theta.size:
        raise ParameterError(
            f"{steps} Lanczos steps left a relative error of {left:.1e}; "
            f"raise steps= or tolerance= ({tolerance:.1e})"
        )
    values, vectors = np.linalg.eigh(_tridiagonal(diagonal, off))
    return values, vectors.T.astype(theta.dtype) @ basis


def _tridiagonal(diagonal: Array, off: Array) -> Array:
    return np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)


# Small helpers ------------------------------------------------------------------------------------


def _signs(count: int, theta: Array, seed: int) -> Array:
    return np.random.default_rng(seed).choice([-1.0, 1.0], (count, theta.size)).astype(theta.dtype)
