"""How a walk goes, in one word, and how that word changes with the learning rate.

From one start, every learning rate of a slider's range is walked at once: few rates first, then all
of the slider's notches, then many between two neighbours that do not agree. What lies between two
neighbours that agree is taken to agree with them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape
from tinygrad_landscape.panels.controls import NOTCHES, notched
from tinygrad_landscape.panels.run import Run
from tinygrad_landscape.surveying import critical_points, curvature

WORDS = ("creeps", "converges", "bounces", "diverges", "rests")
COARSE = 5  # every so manyeth notch is walked first
BETWEEN = 15  # rates put between two neighbours that differ, at the end
SEAMS = 24  # so many such pairs at most
FEW = 10  # weights whose whole Hessian is cheap
LEVEL = 1e-3  # a curvature below 0 by less than this share of the largest is taken for 0


def regime(walk: Trajectory) -> str:
    """How a walk of one walker goes: "creeps", "converges", "bounces", "diverges" or "rests".

    >>> import tinygrad_landscape as tl
    >>> regime(tl.descend(tl.formulas.quadratic(10), [1.0, 1.0], tl.optim.SGD(0.1), steps=50))
    'converges'
    """
    return WORDS[int(judged(walk))]


def judged(walk: Trajectory) -> NDArray[np.intp]:
    """How each walker of a walk goes, as places in WORDS, judged by its losses and gradients.

    "diverges" as `descend` says; "rests" where the ground is level at the start; "bounces" when
    over the last fifth the loss no longer falls and successive steps point against each other;
    "converges" when the gradient has fallen to a thousandth of its largest, or the last fifth
    brought less than a hundredth of the whole descent; else "creeps".
    """
    losses, norms = walk.losses, walk.gradient_norms
    late = min(len(walk), max(4, math.ceil(len(walk) / 5)))
    half = max(1, late // 2)
    steps = np.diff(walk.points[-late:], axis=0)
    against = np.sum(steps[1:] * steps[:-1], axis=-1) < 0.0
    turning = against.mean(axis=0) > 0.5 if len(against) else np.zeros(losses.shape[1:], bool)
    with np.errstate(invalid="ignore"):
        older, newer = losses[-late:][:half].mean(axis=0), losses[-half:].mean(axis=0)
        fall, drop = losses[-late] - losses[-1], losses[0] - losses[-1]
        found = [
            (walk.diverged, "diverges"),
            (norms[0] <= 1e-12 * (1.0 + np.abs(losses[0])), "rests"),
            (norms[-1] <= 1e-3 * norms.max(axis=0), "converges"),
            (turning & (newer >= older * (1.0 - 1e-3)), "bounces"),
            ((fall >= 0.0) & (fall < 0.01 * drop), "converges"),
        ]
    codes = [np.asarray(WORDS.index(word)) for _, word in found]
    return np.select([np.asarray(holds) for holds, _ in found], codes, WORDS.index("creeps"))


class Sweep:
    """The walks from one start at every learning rate from `low` to `high`.

    Args:
        landscape, theta, steps: as for `descend`, with one start `(P,)`.
        optimizer: a function from learning rates `(N,)` to an optimizer.
        closer: walk the slider's other notches and the seams, too, after the coarse ones.

    Attributes:
        rates: learning rates walked so far, rising, `(N,)`.
        codes: how each goes, as places in WORDS, `(N,)`.
        ends: where each ends, `(N, P)`.
        finished: whether nothing is left to be walked.
    """

    def __init__(
        self, landscape: Landscape, theta: NDArray, optimizer: Callable[[Any], Any],
        low: float, high: float, steps: int, closer: bool = True,
    ) -> None:  # fmt: skip
        self._landscape, self._theta, self._steps = landscape, np.asarray(theta, float), steps
        self._optimizer, self._closer = optimizer, closer
        first, last = (math.log10(end) * NOTCHES for end in (low, high))
        inner = map(notched, range(math.ceil(first), math.floor(last) + 1))
        self._notches = np.unique([low, *(rate for rate in inner if low < rate < high), high])
        self.rates, self.codes = np.empty(0), np.empty(0, np.intp)
        self.ends = np.empty((0, self._theta.size))
        self.finished = False
        self._rounds = self._plan()
        self._run: Run | None = None

    def go(self, seconds: float = np.inf) -> bool:
        """Walk on for about `seconds`; say whether everything is walked."""
        late = time.perf_counter() + seconds
        while not self.finished:
            if self._run is None:
                self._open(next(self._rounds, np.empty(0)))
            elif self._run.go(late - time.perf_counter()):
                self._keep(self._run.walk)
            if time.perf_counter() > late:
                break
        return self.finished

    def bands(self) -> NDArray[np.float64]:
        """The range cut into its regimes, `(bands, 4)`: from, to, place in WORDS, and a telling
        learning rate in the widest band of each regime (NaN in the others)."""
        if not len(self.rates):
            return np.empty((0, 4))
        seams = np.flatnonzero(np.diff(self.codes)) + 1
        between = np.sqrt(self.rates[seams - 1] * self.rates[seams])
        sides = np.concatenate([self.rates[:1], between, self.rates[-1:]])
        kinds = self.codes[np.concatenate([[0], seams])]
        wide = np.log(sides[1:] / sides[:-1])
        telling = np.full(len(kinds), np.nan)
        for kind in set(kinds.tolist()):
            k = int(np.argmax(np.where(kinds == kind, wide, -1.0)))
            inside = self.rates[(self.codes == kind) & (self.rates >= sides[k])
                                & (self.rates <= sides[k + 1])]  # fmt: skip
            middle = 0.5 * np.log(sides[k] * sides[k + 1])
            telling[k] = inside[np.argmin(np.abs(np.log(inside) - middle))]
        return np.column_stack([sides[:-1], sides[1:], kinds, telling])

    def minimum(self, lr: float) -> NDArray | None:
        """Where the walk ends whose learning rate is nearest to `lr` among those that converge."""
        among = np.flatnonzero(self.codes == WORDS.index("converges"))
        if not len(among):
            return None
        return np.asarray(self.ends[among[np.argmin(np.abs(np.log(self.rates[among] / lr)))]])

    def _plan(self) -> Iterator[NDArray]:
        """The rates of each round, which depend on what the rounds before have found."""
        coarse = np.union1d(self._notches[::COARSE], self._notches[-1:])
        yield coarse
        if not self._closer or (self.codes == WORDS.index("rests")).all():
            return
        yield np.setdiff1d(self._notches, coarse)
        parts = np.linspace(0.0, 1.0, BETWEEN + 2)[1:-1]
        pairs = np.flatnonzero(np.diff(self.codes))[:SEAMS]
        fine = np.exp([np.log(self.rates[k]) + parts * np.log(self.rates[k + 1] / self.rates[k])
                       for k in pairs])  # fmt: skip
        yield np.array([float(f"{rate:.4g}") for rate in fine.ravel()])

    def _open(self, rates: NDArray) -> None:
        if not len(rates):
            self.finished = True
            return
        crowd = np.broadcast_to(self._theta, (len(rates), self._theta.size))
        self._run = Run(self._landscape, crowd, self._optimizer(rates), self._steps)
        self._new = rates

    def _keep(self, walk: Trajectory) -> None:
        rates = np.concatenate([self.rates, self._new])
        self.rates, first = np.unique(rates, return_index=True)
        self.codes = np.concatenate([self.codes, judged(walk)])[first]
        self.ends = np.concatenate([self.ends, walk.end])[first]
        self._run = None


def check_takes_many(optimizer: Callable[[Any], Any], rates: tuple[float, float]) -> None:
    """Refuse a function from learning rate to optimizer that takes no array of them."""
    try:
        optimizer(np.array(rates))
    except Exception as error:
        raise ParameterError(
            f"got an optimizer that takes one learning rate only ({error}); the strip walks them "
            "all at once: let it take an array, or leave the strip away with strip=False"
        ) from error


def sharpest(landscape: Landscape, theta: NDArray) -> float:
    """The largest curvature λmax at the minimum near `theta`, NaN at a saddle; of many weights at
    `theta` itself."""
    if landscape.size > FEW:
        return float(curvature.top_eigenpairs(landscape, theta)[0][0])
    found = [p for p in critical_points(landscape, [theta]) if p.kind == "minimum"]
    if found:
        return float(found[0].eigenvalues.max())
    bent = np.linalg.eigvalsh(landscape.hessian(theta))
    return float(bent[-1]) if bent[0] > -LEVEL * bent[-1] else math.nan


def cliff_factor(optimizer: Any) -> float:
    """How large lr * λmax may be on a parabola: 2 for gradient descent, 2 + 2β with heavy-ball
    momentum β, NaN for other optimizers."""
    momentum = getattr(optimizer, "momentum", 0.0)
    if np.ndim(momentum) or repr(optimizer) != repr(optim.SGD(optimizer.lr, momentum=momentum)):
        return math.nan
    return 2.0 + 2.0 * float(momentum)


def story(walk: Trajectory, lr: float, place: str) -> str:
    """A sentence on a walk of one walker that ends at `place`, its regime first."""
    word, last = regime(walk), len(walk) - 1
    first_loss, loss = float(walk.losses[0]), float(walk.losses[-1])
    text = f"Learning rate {said(lr)} {word}: "
    if word == "diverges":
        fell = int(walk.diverged_at)
        return text + (
            f"the loss grows from {said(first_loss)} until the walk leaves the ground at step "
            f"{fell}, last seen at loss {said(float(walk.losses[fell - 1]))}."
        )
    if word == "rests":
        return text + f"the ground at {place} is level, so no step moves; loss {said(loss)}."
    if word == "bounces":
        return text + (
            f"the walk hops from side to side and comes no lower; after {last} steps it is at "
            f"{place}, loss {said(loss)}."
        )
    if word == "creeps":
        way = "fallen" if loss < first_loss else "risen"
        still = ", still falling" if last and loss < walk.losses[-2] else ""
        return text + (
            f"after {last} steps the loss has {way} from {said(first_loss)} to {said(loss)}"
            f"{still}, at {place}."
        )
    goal = loss + 0.01 * (first_loss - loss)
    soon = int(np.argmax(walk.losses <= goal))
    return text + (
        f"the walk ends at {place}, loss {said(loss)}; "
        f"99 % of the way down was done by step {soon}."
    )
