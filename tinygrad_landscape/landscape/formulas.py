"""Landscapes whose mountains are known: classic test functions, and networks small enough to map
completely.

Each is a `Landscape` that also knows its critical points: `minima`, `saddles`, `maxima` `(K,
size)`, lowest first, and `extent` (x0, x1, y0, y1), a frame that shows them. All points inside the
frame are listed unless a docstring says not. The four networks leave two weights free and fix the
rest; their points were found by Newton's method from a grid of starts, and the winding number of
the gradient around the frame confirms that none is missing.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.engine.errors import ParameterError

from .sources import FunctionLandscape

Array = NDArray[Any]
Pair = tuple[float, float]
Extent = tuple[float, float, float, float]
Predict = Callable[[Any, Array], Any]


class Formula(FunctionLandscape):
    """A landscape with known critical points.

    >>> himmelblau.minima[0], float(himmelblau(himmelblau.minima[0]))
    (array([3., 2.]), 0.0)
    """

    def __init__(
        self,
        f: Callable[[Any], Any],
        extent: Extent | None,
        minima: ArrayLike = (),
        saddles: ArrayLike = (),
        maxima: ArrayLike = (),
        names: tuple[str, ...] = ("x", "y"),
    ) -> None:
        super().__init__(f, len(names), names)
        self.extent = extent
        self.minima, self.saddles, self.maxima = (self._known(p) for p in (minima, saddles, maxima))

    def _known(self, points: ArrayLike) -> Array:
        """Return points `(K, size)`, lowest first, read-only."""
        known = np.asarray(points, np.float64).reshape(-1, self.size)
        known = known[np.argsort(self(known), kind="stable")]
        known.flags.writeable = False
        return known


class Fitted(Formula):
    """The height of a network with two free weights: half the mean squared error of `predict` on
    `x`, `y` `(N,)`.

    `predict(theta, x)` gives `(..., N)` for theta `(..., 2)`; `y` is what it predicts at `truth`.
    """

    def __init__(
        self,
        predict: Predict,
        x: Array,
        truth: Pair,
        extent: Extent,
        **known: Any,
    ) -> None:
        self.predict, self.x, self.truth = predict, x, truth
        self.y = predict(np.array(truth), x)
        super().__init__(partial(_half_squared_error, predict, x, self.y), extent, **known)


def _half_squared_error(predict: Predict, x: Array, y: Array, theta: Any) -> Any:
    x, y = x.astype(theta.dtype, copy=False), y.astype(theta.dtype, copy=False)
    return 0.5 * ((predict(theta, x) - y) ** 2).mean(-1)


# Bowls and ravines --------------------------------------------------------------------------------


def quadratic(condition: float, size: int = 2) -> Formula:
    """The bowl 1/2 * sum(lambda_i * x_i^2) with curvatures from 1 to `condition`, evenly spaced on
    a log scale.

    >>> quadratic(100.0).hessian([1.0, 1.0])
    array([[  1.,   0.],
           [  0., 100.]])
    """
    if not 1.0 <= condition < math.inf or size < 2:
        raise ParameterError(
            f"got condition={condition}, size={size}; expected condition >= 1 and size >= 2"
        )
    names = ("x", "y") if size == 2 else tuple(f"x{i}" for i in range(size))
    f = partial(_quadratic, np.geomspace(1.0, condition, size))
    return Formula(f, (-1.0, 1.0, -1.0, 1.0) if size == 2 else None, np.zeros(size), names=names)


def _quadratic(curvatures: Array, p: Any) -> Any:
    return 0.5 * (curvatures.astype(p.dtype, copy=False) * p * p).sum(-1)


def ravine(steepness: float = 25.0) -> Formula:
    """A winding ravine: 1/2 * x^2 + steepness/2 * (y - sin 2x)^2. Its floor bends, its only minimum
    is (0, 0).

    >>> float(ravine(25.0)([0.0, 1.0]))
    12.5
    """
    if not 0.0 < steepness < math.inf:
        raise ParameterError(f"got steepness={steepness}; expected a positive number")
    return Formula(partial(_ravine, float(steepness)), (-3.0, 3.0, -2.0, 2.0), (0.0, 0.0))


def _ravine(steepness: float, p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return 0.5 * x**2 + 0.5 * steepness * (y - np.sin(2.0 * x)) ** 2


def _rosenbrock(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return (1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2


def _booth(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return (x + 2.0 * y - 7.0) ** 2 + (2.0 * x + y - 5.0) ** 2


rosenbrock = Formula(_rosenbrock, (-2.0, 2.0, -1.0, 3.0), (1.0, 1.0))
"""Rosenbrock 1960: a long curved ravine; condition number 2508 at the minimum (1, 1)."""

booth = Formula(_booth, (-10.0, 10.0, -10.0, 10.0), (1.0, 3.0))
"""A tilted bowl with its minimum at (1, 3)."""

# Several valleys ----------------------------------------------------------------------------------


def _double_well(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return 0.25 * (x**2 - 1.0) ** 2 + 0.5 * y**2


def _himmelblau(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2


def _beale(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _six_hump_camel(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return (4.0 - 2.1 * x**2 + x**4 / 3.0) * x**2 + x * y + (4.0 * y**2 - 4.0) * y**2


def _styblinski_tang(p: Any) -> Any:
    return 0.5 * (p**4 - 16.0 * p**2 + 5.0 * p).sum(-1)


def _rastrigin(p: Any) -> Any:
    return 20.0 + (p**2 - 10.0 * np.cos(2.0 * math.pi * p)).sum(-1)


def _ackley(p: Any) -> Any:
    far = np.sqrt((p**2).mean(-1))
    return 20.0 + math.e - 20.0 * np.exp(-0.2 * far) - np.exp(np.cos(2.0 * math.pi * p).mean(-1))


def _monkey_saddle(p: Any) -> Any:
    x, y = p[..., 0], p[..., 1]
    return x**3 - 3.0 * x * y**2


def _pairs(first: ArrayLike, second: ArrayLike) -> Array:
    """All points with one coordinate of each list: the critical points of a sum of one-variable
    functions."""
    return np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)


def _wavy_zeros(start: Array) -> Array:
    """Newton's method on x + 10 pi sin(2 pi x), the derivative of Rastrigin's term, from each
    start."""
    x, tau = start, 2 * np.pi
    for _ in range(20):
        x = x - (x + 5 * tau * np.sin(tau * x)) / (1 + 5 * tau**2 * np.cos(tau * x))
    return x


def _both(points: list[Pair]) -> list[Pair]:
    """The points and their mirror images through the origin."""
    return points + [(-x, -y) for x, y in points]


double_well = Formula(_double_well, (-2.0, 2.0, -1.5, 1.5), [(-1.0, 0.0), (1.0, 0.0)], (0.0, 0.0))
"""Two equal valleys at (-1, 0) and (1, 0) with a saddle of height 1/4 between them."""

himmelblau = Formula(
    _himmelblau,
    (-5.0, 5.0, -5.0, 5.0),
    minima=[
        (3.0, 2.0),
        (-2.80511808695, 3.13131251825),
        (-3.77931025338, -3.28318599129),
        (3.58442834033, -1.84812652696),
    ],
    saddles=[
        (3.38515418361, 0.0738518798377),
        (0.0866775045554, 2.88425470117),
        (-3.07302575076, -0.081353044288),
        (-0.127961346731, -1.95371498024),
    ],
    maxima=(-0.270844590667, -0.92303855648),
)
"""Himmelblau 1972: four valleys of height 0, four saddles, one hilltop."""

beale = Formula(
    _beale,
    (-4.5, 4.5, -4.5, 4.5),
    (3.0, 0.5),
    saddles=[(0.0, 1.0), (0.100537937324, -2.64451358502)],
)
"""Beale 1958: a flat floor between sharp cliffs; minimum (3, 1/2)."""

six_hump_camel = Formula(
    _six_hump_camel,
    (-2.2, 2.2, -1.3, 1.3),
    minima=_both(
        [
            (0.0898420131003, -0.712656403021),
            (1.70360671497, -0.796083568673),
            (1.60710475292, 0.568651454884),
        ]
    ),
    saddles=[
        (0.0, 0.0),
        *_both(
            [
                (1.1092053368, -0.76826809251),
                (1.63806798419, 0.228674069044),
                (1.29607026717, 0.605084388039),
            ]
        ),
    ],
    maxima=_both([(1.23022987652, 0.162334584459)]),
)
"""Dixon and Szegö 1978: six valleys, two of them lowest (-1.031628)."""

_HOLLOWS, _RIDGE = (-2.90353402777, 2.74680277099), 0.15673125678
styblinski_tang = Formula(
    _styblinski_tang,
    (-5.0, 5.0, -5.0, 5.0),
    minima=_pairs(_HOLLOWS, _HOLLOWS),
    saddles=np.concatenate([_pairs(_HOLLOWS, _RIDGE), _pairs(_RIDGE, _HOLLOWS)]),
    maxima=(_RIDGE, _RIDGE),
)
"""Styblinski and Tang 1990: four valleys of four heights, the deepest -78.33."""

_DIPS, _CRESTS = _wavy_zeros(np.arange(-5.0, 6.0)), _wavy_zeros(np.arange(-4.5, 5.0))
rastrigin = Formula(
    _rastrigin,
    (-5.12, 5.12, -5.12, 5.12),
    minima=_pairs(_DIPS, _DIPS),
    saddles=np.concatenate([_pairs(_DIPS, _CRESTS), _pairs(_CRESTS, _DIPS)]),
    maxima=_pairs(_CRESTS, _CRESTS),
)
"""Rastrigin 1974: 11 x 11 valleys on a bowl; those beside the deepest lie at .994959, not at 1."""

ackley = Formula(_ackley, (-5.0, 5.0, -5.0, 5.0), (0.0, 0.0))
"""Ackley 1987: many shallow dips round a funnel whose tip (0, 0) is a cone; only the tip is
listed."""

monkey_saddle = Formula(_monkey_saddle, (-1.0, 1.0, -1.0, 1.0), saddles=(0.0, 0.0))
"""x^3 - 3xy^2: one degenerate saddle with three ways down, round which the gradient turns -2
times."""

# Networks small enough to know completely ---------------------------------------------------------


def chain(depth: int = 2) -> Formula:
    """The scalar linear network 1/2 * (w1 * w2 * ... - 1)^2.

    Its minima are not points but the whole surface w1*w2*... = 1; listed is the most balanced one,
    all ones, where the largest curvature equals the depth. The origin is a saddle, for depth >= 3
    one without any curvature.
    Source: Kawaguchi 2016.

    >>> chain(2).hessian([0.0, 0.0])
    array([[ 0., -1.],
           [-1.,  0.]])
    """
    if depth < 2:
        raise ParameterError(f"got depth={depth}; a chain needs at least two weights")
    names = tuple(f"w{i + 1}" for i in range(depth))
    extent = (-2.5, 2.5, -2.5, 2.5) if depth == 2 else None
    return Formula(_chain, extent, np.ones(depth), np.zeros(depth), names=names)


def _chain(w: Any) -> Any:
    return 0.5 * (w.prod(-1) - 1.0) ** 2


def _two_tanh(biases: Pair, outputs: Pair, w: Any, x: Array) -> Any:
    """A 1-2-1 tanh network with these hidden biases and output weights; its input weights are w."""
    bias, output = (np.array(pair, x.dtype)[:, None] for pair in (biases, outputs))
    return (output * np.tanh(w[..., None] * x + bias)).sum(-2)


def _one_neuron(w: Any, x: Array) -> Any:
    return w[..., 1:] * np.tanh(w[..., :1] * x)


def _sine_neuron(w: Any, x: Array) -> Any:
    return np.sin(w[..., :1] * x + w[..., 1:])


def _sine_copies(points: list[Pair], reach: float = 4.0) -> list[Pair]:
    """All twins of the points in the frame: (w, b + 2 pi) and (-w, pi - b) say the same."""
    twins = [p for w, b in points for p in ((w, b), (-w, math.pi - b))]
    twins = [(w, b + 2.0 * math.pi * k) for w, b in twins for k in range(-2, 3)]
    return sorted({(w, b) for w, b in twins if abs(b) <= reach})


_WEIGHTS = ("w1", "w2")

three_valleys = Fitted(
    partial(_two_tanh, (1.5, -1.7), (-1.5, 1.0)),
    np.linspace(-2.0, 2.0, 24),
    truth=(1.7, 2.3),
    extent=(-4.0, 4.0, -4.0, 4.0),
    minima=[(1.7, 2.3), (-1.22142873928, -2.6926042064), (0.495829593616, -2.2172502366)],
    saddles=[
        (0.314862686839, -2.3610227923),
        (0.998823806704, -1.1017392025),
        (-0.780317013246, 0.852693212559),
    ],
    maxima=(-0.0692593166053, 0.0669988710184),
    names=_WEIGHTS,
)
"""A 1-2-1 tanh network, its two input weights free: valleys of heights 0, .0886 and .5218."""

one_neuron = Fitted(
    _one_neuron,
    np.linspace(-3.0, 3.0, 50),
    truth=(1.2, 1.5),
    extent=(-3.0, 3.0, -3.0, 3.0),
    minima=_both([(1.2, 1.5)]),
    saddles=(0.0, 0.0),
    names=_WEIGHTS,
)
"""The complete network w2 * tanh(w1 * x): two valleys that are one function, a saddle at the
origin."""

sieve = Fitted(
    partial(_two_tanh, (-0.4, -1.5), (2.0, 1.5)),
    np.linspace(-2.0, 2.0, 24),
    truth=(1.8, 0.2),
    extent=(-1.0, 4.0, -2.0, 5.0),
    minima=[(1.8, 0.2), (0.197764473404, 2.76824955632)],
    saddles=(0.388958064255, 1.40406780677),
    names=_WEIGHTS,
)
"""A 1-2-1 tanh network with a flat valley (largest curvature .209) and a sharp ravine (4.83)."""

sine_neuron = Fitted(
    _sine_neuron,
    np.linspace(-3.0, 3.0, 30),
    truth=(2.0, 0.6),
    extent=(-4.0, 4.0, -4.0, 4.0),
    minima=_sine_copies(
        [(2.0, 0.6), (0.129967766035, 3.15082582836), (3.42969843628, 3.84405533295)]
    ),
    saddles=_sine_copies(
        [
            (1.00315774081, 1.46916210735),
            (3.01773466409, 2.37515991234),
            (1.00186857433, -1.03540021822),
            (2.99512549386, -0.760444888233),
            (0.40760108641, -0.839059098978),
            (0.423847914373, 0.88150321477),
        ]
    ),
    maxima=_sine_copies(
        [
            (3.4226840199, 1.01477878212),
            (0.650233823672, 0.0800618720808),
            (0.0, math.pi / 2.0),
            (0.0, -math.pi / 2.0),
            (1.93061758104, 3.67236624261),
        ]
    ),
    names=("w", "b"),
)
"""One neuron sin(w * x + b): nine valleys, three of them the same perfect function."""
