"""Planes through weight space: the ground a survey walks over.

A plane is an origin and two directions in R^P; every point on it is `origin + a*u + b*v`. The
constructors below differ only in how they choose the directions, and each says so, together with
what one unit along an axis means.
"""

import difflib
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError, ShapeError
from .checks import column, read_only, vector
from .directions import UNITS, random_direction

if TYPE_CHECKING:
    from ..landscape import Landscape

# The first two shares of variance of an endless random walk in very many dimensions: 6/pi^2 and a
# quarter of it (Antognini and Sohl-Dickstein 2018). A walk's PCA says something only where it
# differs from these.
RANDOM_WALK = (0.608, 0.152)


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane `origin + a*u + b*v` through weight space.

    `origin`, `u`, `v` have shape `(P,)`. `labels` name the two axes and `units` say what 1 along
    each means. `absolute` is what an axis should read at the origin: the weight's own value where
    an axis is a single weight, else 0. Raises `ShapeError` for unequal lengths, `ParameterError`
    for a zero direction or two parallel ones.

    >>> plane = Plane([1.0, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0])
    >>> plane.point(0.5, -1.0)
    array([1.5, 0. , 3. ])
    >>> plane.coordinates([1.5, 0.0, 7.0])
    array([ 0.5, -1. ])
    """

    origin: NDArray[Any]
    u: NDArray[Any]
    v: NDArray[Any]
    labels: tuple[str, str] = ("a", "b")
    units: tuple[str, str] = ("the length of u", "the length of v")
    absolute: tuple[float, float] = (0.0, 0.0)
    chosen: str = "two given directions"
    explained: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        origin = vector("origin", self.origin)
        u, v = vector("u", self.u, like=origin), vector("v", self.v, like=origin)
        lengths = np.linalg.norm(u), np.linalg.norm(v)
        for name, length in zip("uv", lengths, strict=True):
            if length == 0.0:
                raise ParameterError(
                    f"direction {name} is zero everywhere; a plane needs two directions that move "
                    f"the weights"
                )
        cosine = float(np.dot(u / lengths[0], v / lengths[1]))
        if abs(cosine) > 1.0 - 8.0 * float(np.finfo(origin.dtype).eps):
            raise ParameterError(
                f"u and v are parallel (cosine {cosine:.6f}) and span a line only; choose another "
                f"v, or a tl.Line"
            )
        for name, value in (("origin", origin), ("u", u), ("v", v)):
            object.__setattr__(self, name, read_only(value))

    # Where things are -----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """P, the number of weights."""
        return self.origin.size

    @property
    def frame(self) -> tuple[NDArray[Any], ...]:
        """Origin and directions."""
        return self.origin, self.u, self.v

    def point(self, a: Any, b: Any) -> Any:
        """Return the weights `(..., P)` at offsets `a`, `b` (numbers, arrays or Tensors that
        broadcast)."""
        return self.origin + column(a, self.origin) * self.u + column(b, self.origin) * self.v

    def coordinates(self, points: ArrayLike) -> NDArray[Any]:
        """Return the offsets `(..., 2)` of the plane's points nearest to `points` `(..., P)` (least
        squares)."""
        q, r = np.linalg.qr(np.stack([self.u, self.v], axis=-1))
        inside = self._offset(points) @ q
        b = inside[..., 1] / r[1, 1]
        return np.stack([(inside[..., 0] - r[0, 1] * b) / r[0, 0], b], axis=-1)

    def residual(self, points: ArrayLike) -> NDArray[Any]:
        """Return how much of `points` `(..., P)` the plane hides, `(...)` in 0..1: distance off the
        plane over distance from the origin (0 at the origin itself)."""
        offset = self._offset(points)
        q, _ = np.linalg.qr(np.stack([self.u, self.v], axis=-1))
        off = np.linalg.norm(offset - (offset @ q) @ q.T, axis=-1)
        away = np.linalg.norm(offset, axis=-1)
        return np.asarray(off / np.where(away == 0.0, 1.0, away))

    def _offset(self, points: ArrayLike) -> NDArray[Any]:
        points = np.asarray(points)
        if points.ndim == 0 or points.shape[-1] != self.size:
            raise ShapeError(
                f"got points of shape {points.shape}; expected (..., {self.size}), the size of "
                f"this plane's weights"
            )
        return points - self.origin

    def describe(self) -> str:
        """Say in a sentence or two which plane this is and how it is scaled."""
        (first, second), (unit, other) = self.labels, self.units
        text = f"Plane through {self.size} weights: {self.chosen}. One unit "
        text += (
            f"is {unit}." if unit == other else f"along {first} is {unit}, along {second} {other}."
        )
        cosine = np.dot(self.u, self.v) / (np.linalg.norm(self.u) * np.linalg.norm(self.v))
        if abs(cosine) > 1e-6:
            text += f" The directions are not perpendicular (cosine {cosine:.3f})."
        if self.explained is not None:
            text += (
                f" The axes hold {self.explained[0]:.1%} and {self.explained[1]:.1%} of the "
                f"walk's variance"
                f" (a long random walk: {RANDOM_WALK[0]:.1%} and {RANDOM_WALK[1]:.1%})."
            )
        return text

    def __repr__(self) -> str:
        return f"Plane({self.labels[0]} x {self.labels[1]}, {self.size} weights)"

    # Ways to choose one ---------------------------------------------------------------------------

    @classmethod
    def whole(cls, names: tuple[str, str] = ("x", "y"), dtype: Any = np.float64) -> "Plane":
        """The plane that is all of a two-weight landscape: a and b are the weights themselves.

        >>> Plane.whole().point(3.0, 2.0)
        array([3., 2.])
        """
        first, second = names
        one = np.eye(2, dtype=dtype)
        return cls(
            np.zeros(2, dtype),
            one[0],
            one[1],
            (first, second),
            ("1 of the weight itself",) * 2,
            chosen=f"{first} and {second}, the whole landscape",
        )

    @classmethod
    def of(cls, landscape: "Landscape", plane: "Plane | None") -> "Plane":
        """Return `plane`, or for None the whole of a two-weight landscape; check that it fits."""
        if plane is None:
            if landscape.size != 2:
                raise ParameterError(
                    f"a landscape of {landscape.size} weights needs a plane: pass a tl.Plane"
                )
            plane = cls.whole((landscape.names[0], landscape.names[1]))
        if not isinstance(plane, Plane):
            raise ParameterError(
                f"got a {type(plane).__name__} as plane; expected a tl.Plane, e.g. "
                f"tl.Plane.random(theta, 0) (along a line: tl.profile)"
            )
        if plane.size != landscape.size:
            raise ShapeError(
                f"got a plane through {plane.size} weights; this landscape has {landscape.size}"
            )
        return plane

    @classmethod
    def two_weights(
        cls, theta: ArrayLike, i: int | str, j: int | str, network: Any = None
    ) -> "Plane":
        """Let two single weights be the axes and hold all others at `theta` `(P,)`.

        `i`, `j` are indices, or names when `network=` (or a landscape) is given. a and b are
        offsets from theta; `absolute` holds the two weights' own values, which labelled axes show.

        >>> plane = Plane.two_weights([0.1, 0.2, 0.3], 0, 2)
        >>> plane.point(1.0, 0.0)
        array([1.1, 0.2, 0.3])
        """
        origin = vector("theta", theta)
        i, j = _index(i, origin.size, network), _index(j, origin.size, network)
        if i == j:
            raise ParameterError(f"got weight {i} twice; a plane needs two different weights")
        names = network.names if network is not None else None
        first, second = (str(names[k]) if names else f"theta[{k}]" for k in (i, j))
        u, v = np.zeros_like(origin), np.zeros_like(origin)
        u[i] = v[j] = 1.0
        own = float(origin[i]), float(origin[j])
        chosen = f"{first} and {second} move, all other weights are held"
        return cls(origin, u, v, (first, second), ("1 of the weight itself",) * 2, own, chosen)

    @classmethod
    def random(
        cls,
        theta: ArrayLike,
        seed: int,
        network: Any = None,
        normalize: str | None = "auto",
        biases: str = "frozen",
    ) -> "Plane":
        """Two random Gaussian directions around `theta` `(P,)`, scaled to the weights.

        `normalize="filter"` gives each neuron's part of a direction the norm of that neuron's
        weights, `"layer"` each layer's; both need `network=`. `"model"` scales the whole vector,
        None leaves it raw. "auto" is "filter" with a network and "model" without. `biases` (and
        norm parameters) are "frozen" or "scaled" like a layer.
        Source: Li et al. 2018, section 4.

        >>> plane = Plane.random([3.0, 0.0, 4.0], seed=0, normalize="model")
        >>> round(float(np.linalg.norm(plane.u)), 6)
        5.0
        """
        origin = vector("theta", theta)
        if normalize == "auto":
            normalize = "model" if network is None else "filter"
        children = np.random.SeedSequence(seed).spawn(2)
        u, v = (
            random_direction(origin, np.random.default_rng(s), network, normalize, biases)
            for s in children
        )
        chosen = f"two random directions (seed {seed}), " + (
            f"{normalize}-normalised" if normalize else "not normalised"
        )
        if normalize in ("filter", "layer"):
            chosen += f", biases {biases}"
        return cls(
            origin,
            u,
            v,
            ("random direction 1", "random direction 2"),
            (UNITS[normalize],) * 2,
            chosen=chosen,
        )

    @classmethod
    def principal(cls, walk: Any) -> "Plane":
        """The plane a walk mostly moves in: its first two principal components, through its end.

        `walk` is a Trajectory of one walker, or points `(R, P)`. Directions and `explained` (shares
        of variance) are those of the mean-centred points, as PCA is usually defined; the origin is
        the last point. Beware: a long random walk scores 61 % and 15 % (`RANDOM_WALK`). Source: Li
        et al. 2018, section 7.

        >>> plane = Plane.principal([[3.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> float(round(sum(plane.explained), 6)), plane.origin
        (1.0, array([0., 0., 0.]))
        """
        points = np.asarray(getattr(walk, "points", walk))
        if points.ndim != 2 or len(points) < 3:
            raise ShapeError(
                f"got a walk with points {points.shape}; expected (R, P) with R >= 3: choose one "
                f"walker, walk.points[:, k]"
            )
        if not np.isfinite(points).all():
            raise ParameterError(
                "the walk holds NaN or infinite points; survey the part before it diverged"
            )
        _, sizes, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        if len(sizes) < 2 or sizes[1] <= sizes[0] * 1e-12:
            raise ParameterError(
                "the walk is a straight line and has no second direction; use "
                "tl.Line.between(start, end)"
            )
        shares = sizes**2 / (sizes**2).sum()
        labels = ("1st principal direction", "2nd principal direction")
        u, v = (_oriented(d) for d in directions[:2])
        explained = float(shares[0]), float(shares[1])
        chosen = "principal components of a walk, through its end"
        return cls(points[-1], u, v, labels, (DISTANCE,) * 2, chosen=chosen, explained=explained)

    @classmethod
    def hessian(cls, landscape: "Landscape", theta: ArrayLike, which: str = "largest") -> "Plane":
        """The plane of the two eigenvectors at `theta` `(P,)` with the largest (or `"smallest"`, or
        `"both"`: one of each) curvature."""
        from .curvature import top_eigenpairs

        origin = vector("theta", theta)
        if which == "both":
            pairs = [
                top_eigenpairs(landscape, origin, which=end) for end in ("largest", "smallest")
            ]
        else:
            pairs = [top_eigenpairs(landscape, origin, k=2, which=which)]
        values, vectors = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        first, second = (f"eigenvector with curvature {value:.3g}" for value in values)
        u, v = (_oriented(d) for d in vectors)
        chosen = f"two eigenvectors of the Hessian ({which})"
        return cls(origin, u, v, (first, second), (DISTANCE,) * 2, chosen=chosen)

    @classmethod
    def through(cls, a: ArrayLike, b: ArrayLike, c: ArrayLike) -> "Plane":
        """The plane through three points `(P,)`: `a` is the origin, `b` lies on the first axis.

        The axes are perpendicular and of length 1 (Gram-Schmidt), so distances in the picture are
        distances in weight space. Source: Garipov et al. 2018, section 3.

        >>> a, b, c = [0.0, 0.0], [2.0, 0.0], [1.0, 3.0]
        >>> Plane.through(a, b, c).coordinates([a, b, c])
        array([[0., 0.],
               [2., 0.],
               [1., 3.]])
        """
        origin = vector("a", a)
        first, second = vector("b", b, like=origin) - origin, vector("c", c, like=origin) - origin
        plane = cls(origin, first, second)  # refuses equal points and three points on a line
        u = plane.u / np.linalg.norm(plane.u)
        v = second - np.dot(second, u) * u
        v = v / np.linalg.norm(v)
        return cls(
            origin,
            u,
            v - np.dot(v, u) * u,
            ("from a to b", "towards c"),
            (DISTANCE,) * 2,
            chosen="through three points",
        )

    @classmethod
    def gradient(cls, landscape: "Landscape", theta: ArrayLike, seed: int) -> "Plane":
        """The direction of steepest ascent at `theta` `(P,)` and a random direction perpendicular
        to it."""
        origin = vector("theta", theta)
        g = landscape.gradient(origin)
        if not np.any(g):
            raise ParameterError(
                "the gradient is zero here, so it has no direction; use Plane.hessian or "
                "Plane.random"
            )
        u = g / np.linalg.norm(g)
        v = np.random.default_rng(seed).standard_normal(origin.size).astype(origin.dtype)
        v -= np.dot(v, u) * u
        v /= np.linalg.norm(v)
        chosen = f"steepest ascent and a random perpendicular direction (seed {seed})"
        return cls(origin, u, v, ("uphill", "random direction"), (DISTANCE,) * 2, chosen=chosen)


DISTANCE = "a distance of 1 in weight space"


def _index(key: int | str, size: int, network: Any) -> int:
    if isinstance(key, str):
        if network is None:
            raise ParameterError(
                f"the weight name {key!r} needs network=; or give its index, 0..{size - 1}"
            )
        names = list(network.names)
        if key not in names:
            near = ", ".join(difflib.get_close_matches(key, names)) or ", ".join(names[:3])
            raise ParameterError(f"no weight is called {key!r}; the nearest names are {near}")
        return names.index(key)
    index = operator.index(key)
    if not -size <= index < size:
        raise ParameterError(f"got weight {index}; expected 0..{size - 1}")
    return index % size


def _oriented(direction: NDArray[Any]) -> NDArray[Any]:
    """Fix the free sign of an eigenvector: its largest entry is positive."""
    return np.asarray(direction * (1.0 if direction[np.argmax(np.abs(direction))] >= 0.0 else -1.0))
