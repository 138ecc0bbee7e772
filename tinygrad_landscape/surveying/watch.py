"""Taking the vital signs of a run, step by step or from its record.

A `Watch` sees every step and takes a look at some of them: loss, validation loss, gradient, the
turn between successive steps, sharpness, units that no longer answer. Where the loss stands still
it also looks for a way down, straight ahead and sideways.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..descent.optim import SGD
from ..engine.errors import ParameterError, ShapeError
from ..landscape import Landscape
from ..network import Data, ReLU, Sigmoid, Tanh
from .curvature import SMALL, lanczos
from .pulse import COLUMNS, ROOM, STILL, Vitals, fall

if TYPE_CHECKING:
    from ..descent import Trajectory

Array = NDArray[Any]

LIMIT = 200  # looks kept; when there are more, every second one is forgotten
RAY = np.geomspace(1e-3, 1.0, 40)  # where a way down is looked for, beside the weights' length
LEVEL = 1e-3  # a slope that over the weights' length changes the loss by less is none
DEAF = 1e-3  # a unit whose slope is below this for every sample passes nothing on


def vitals(
    landscape: Landscape,
    walk: Trajectory,
    *,
    validation: Data | Landscape | None = None,
    optimizer: Any = None,
    every: int | None = None,
) -> Vitals:
    """Take the vital signs of a finished walk of one walker.

    - `validation`: data that were not trained on, or their landscape.
    - `optimizer`: the one that walked, so that its threshold of sharpness is known.
    - `every`: recorded points between looks; by default so many that there are about 100 looks.

    Successive steps are seen only in a walk of `record_every=1`; else bouncing cannot be told.

    >>> import tinygrad_landscape as tl
    >>> walk = tl.descend(tl.formulas.three_valleys, [0.0, 0.0], tl.optim.SGD(0.8), steps=200)
    >>> tl.vitals(tl.formulas.three_valleys, walk)
    Vitals(101 looks at 200 steps, without validation data, loss 1.246 to 4.969e-14)
    """
    watch = Watch(landscape, validation, optimizer, stride(len(walk)) if every is None else every)
    watch.follow(walk)
    watch.close()
    return watch.vitals


def stride(points: int) -> int:
    """Points between looks, so that a walk of so many points gets about 100 of them."""
    return max(1, round(points / 100))


def threshold(optimizer: Any, lr: Any = None) -> float:
    """The sharpness above which an optimizer swings up: 2/lr, with momentum (2 + 2β)/lr.

    Only for gradient descent in its variants on full batches; NaN for all others, whose threshold
    is one of *preconditioned* curvature. `lr` stands for the optimizer's own under a schedule.

    >>> from tinygrad_landscape.descent import optim
    >>> threshold(optim.SGD(0.5)), threshold(optim.SGD(0.5, momentum=0.9)), threshold(optim.Adam())
    (4.0, 7.6, nan)
    """
    if not isinstance(optimizer, SGD):
        return math.nan
    lr, beta = optimizer.lr if lr is None else lr, optimizer.momentum
    if isinstance(lr, dict) or np.size(lr) != 1 or np.size(beta) != 1:
        return math.nan
    reach = (2.0 + 2.0 * beta) / (1.0 + 2.0 * beta if optimizer.nesterov else 1.0)
    kept = 1.0 - optimizer.dampening if np.all(np.asarray(beta) > 0.0) else 1.0
    lr = np.asarray(lr, float) * kept
    return float(np.ravel(reach / lr - optimizer.weight_decay)[0]) if np.all(lr > 0.0) else math.inf


class Watch:
    """Sees one walk, step by step; `vitals` holds what it noted so far.

    Every `every`-th point gets a look, every `curved`-th look measures curvature too. A look costs
    a validation loss, one with curvature 6 Hessian-vector products more (up to 64 weights: the
    whole Hessian); that part can be left for `later`, when `bend` does it. At 200 looks every
    second one is forgotten, and `every` doubles. `points` holds the weights at the looks.

    >>> import tinygrad_landscape as tl
    >>> watch = Watch(tl.formulas.booth, every=1)
    >>> [watch.see(k, point) for k, point in enumerate([[0.0, 0.0], [1.0, 1.0]])]
    [True, True]
    >>> watch.vitals.losses
    array([74., 20.])
    """

    def __init__(
        self,
        landscape: Landscape,
        validation: Data | Landscape | None = None,
        optimizer: Any = None,
        every: int = 10,
        curved: int = 2,
        later: bool = False,
    ) -> None:
        if every < 1 or curved < 1:
            raise ParameterError(f"got every={every}, curved={curved}; expected whole numbers >= 1")
        self.landscape, self.optimizer = landscape, optimizer
        self.every, self.curved, self.later = every, curved, later
        held = validation if isinstance(validation, Landscape | None) else landscape.on(validation)
        self.validation: Landscape | None = held
        self.rows: dict[str, list[float]] = {name: [] for name in COLUMNS}
        self.points: list[Array] = []
        self.fell, self.seen = -1, 0
        self._last: Array | None = None
        self._move: tuple[Array, float] | None = None
        self._cosines: list[float] = []
        self._due: list[tuple[Any, ...]] = []  # looks whose curvature is still to be measured
        self._tops: dict[float, Array] = {}  # the sharpest direction, by step
        self._travelled = 0.0
        self._cliff: tuple[Any, ...] = ()  # the last learning rate and its threshold
        self._ends: tuple[float, float, Array, Array] | None = None
        self._newest: tuple[Any, ...] | None = None  # the last point, if it got no look
        labels = landscape.data is not None and landscape.data.y.dtype.kind in "iu"
        self._judged = landscape.network is not None and labels

    @property
    def vitals(self) -> Vitals:
        """All looks so far."""
        return Vitals(**{k: np.array(v) for k, v in self.rows.items()}, fell=self.fell)

    def __len__(self) -> int:
        return len(self.rows["steps"])

    def sharpest(self, look: int) -> Array:
        """The direction `(P,)` of largest curvature, as last measured at or before a look."""
        step = self.rows["steps"][look]
        return self._tops[max(known for known in self._tops if known <= step)]

    def follow(self, walk: Trajectory, until: Any = None) -> bool:
        """See the points of `walk` that are new, until `until()` says to stop; whether all are
        seen."""
        if walk.points.ndim != 2 or walk.points.shape[-1] != self.landscape.size:
            raise ShapeError(
                f"got a walk with points {walk.points.shape}; expected one walker through "
                f"{self.landscape.size} weights"
            )
        gaps = len(walk) > 1 and int(walk.steps[1] - walk.steps[0]) > 1
        while self.seen < len(walk):
            k = self.seen
            if not np.isfinite(walk.losses[k]):
                self.fell, self.seen = int(walk.diverged_at), len(walk)
                break
            looked = self.see(
                int(walk.steps[k]), walk.points[k], walk.losses[k], walk.gradient_norms[k],
                apart=gaps,
            )  # fmt: skip
            if looked and until is not None and until():
                break
        return self.seen >= len(walk)

    def see(
        self,
        step: int,
        theta: Any,
        loss: Any = None,
        gradient_norm: Any = None,
        lr: Any = None,
        *,
        apart: bool = False,
    ) -> bool:
        """See one point `(P,)`; say whether it got a look.

        What is not given is evaluated when it is needed. `apart` says that steps were left out
        since the last point, so that turns mean nothing.
        """
        theta = np.array(theta, float)
        if self._last is not None:
            self._turn(theta - self._last, apart)
        due = self.seen % self.every == 0
        self._newest = None if due else (step, theta, loss, gradient_norm, lr)
        if due:
            self._look(step, theta, loss, gradient_norm, lr)
        self.seen += 1
        self._last = theta
        return due

    def close(self) -> None:
        """Look at the last point too, if it got no look."""
        if self._newest is not None:
            self._look(*self._newest)
            self._newest = None

    def _turn(self, move: Array, apart: bool) -> None:
        length = math.sqrt(float(move @ move))
        if self._move is not None and not apart:
            before, size = self._move
            if length > 0.0 and size > 0.0:
                self._cosines.append(float(move @ before) / (length * size))
        self._move = (move, length)
        self._travelled += length

    def _look(self, step: int, theta: Array, loss: Any, norm: Any, lr: Any) -> None:
        land, note = self.landscape, dict.fromkeys(COLUMNS, math.nan)
        slope = None
        if loss is None or norm is None:
            loss, slope = land.value_and_gradient(theta)
            norm = np.linalg.norm(slope)
        note["steps"], note["losses"], note["gradient_norms"] = step, float(loss), float(norm)
        if self.validation is not None:
            note["validation_losses"] = float(self.validation(theta))
            if self._judged:
                note["validation_accuracies"] = float(self.validation.accuracy(theta))
        note["turns"] = float(np.mean(self._cosines)) if self._cosines else math.nan
        note["travelled"], self._cosines = self._travelled, []
        note["lengths"] = float(np.linalg.norm(theta))
        if not self._cliff or self._cliff[0] is not lr:
            self._cliff = (lr, threshold(self.optimizer, lr))
        note["thresholds"] = self._cliff[1]
        note["dead"] = dead_share(land, theta)
        for name, value in note.items():
            self.rows[name].append(value)
        self.points.append(theta)
        if (self.seen // self.every) % self.curved == 0:
            self._due.append((float(step), theta, float(loss), slope, self._last))
            if not self.later:
                self.bend()
        if len(self) > LIMIT:
            self.rows = {name: values[::2] for name, values in self.rows.items()}
            self.points, self.every = self.points[::2], 2 * self.every

    def bend(self, until: Any = None) -> bool:
        """Measure the curvature that is due, and where the loss stood still look for a way down;
        until `until()` says to stop. Say whether all is done."""
        while self._due:
            step, theta, loss, slope, before = self._due.pop(0)
            if step not in self.rows["steps"]:
                continue  # forgotten meanwhile
            look = self.rows["steps"].index(step)
            low, high, down, top = self._ends = spectrum_ends(self.landscape, theta, self._ends)
            self._tops[step] = top
            note = {"sharpness": high, "lowest": low}
            if fall(np.array(self.rows["losses"][: look + 1])) < STILL:
                note |= self._ways(theta, loss, slope, before, low, down)
            for name, value in note.items():
                self.rows[name][look] = value
            if until is not None and until():
                break
        return not self._due

    def _ways(
        self, theta: Array, loss: float, slope: Any, before: Any, low: float, down: Array
    ) -> dict[str, float]:
        land = self.landscape
        slope = land.gradient(theta) if slope is None else slope
        steep = math.sqrt(float(slope @ slope))
        far = RAY * (2.0 + np.linalg.norm(theta))
        ways = [-slope / (steep or 1.0), down, -down]
        heights = np.asarray(land(theta + far[:, None] * np.array(ways)[:, None]), float)
        heights = np.where(np.isfinite(heights), heights, np.inf)
        scale = abs(loss) or 1.0
        best = int(heights[0].argmin())
        note = {"ahead": (loss - float(heights[0, best])) / scale, "ahead_at": float(far[best])}
        if steep * (1.0 + np.linalg.norm(theta)) < LEVEL * scale:
            note["around"] = (loss - self._lowest_around(theta)) / scale
        if before is not None:
            note["between"] = float(land(0.5 * (theta + before)))
        lower = (heights[1:] < loss - ROOM * scale).any(axis=0)
        if low < 0.0 and lower.any():
            reach = float(far[int(lower.argmax())])
            bent = 0.5 * -low * reach**2
            note |= {"aside": reach, "swell": bent / max(ROOM * scale / 3.0, steep * reach)}
        return note

    def _lowest_around(self, theta: Array) -> float:
        """The lowest loss in 16 random directions, at four distances."""
        ways = np.random.default_rng(0).standard_normal((16, 1, theta.size))
        ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
        far = (2.0 + np.linalg.norm(theta)) * np.array([0.25, 0.5, 1.0, 2.0])[:, None]
        heights = np.asarray(self.landscape(theta + far * ways), float)
        return float(np.min(heights, where=np.isfinite(heights), initial=np.inf))


def spectrum_ends(
    landscape: Landscape, theta: Array, before: Any = None
) -> tuple[float, float, Array, Array]:
    """The lowest and highest eigenvalue of the Hessian at theta `(P,)` with unit vectors, to about
    1 %.

    `before`, an earlier answer from nearby, saves work: Lanczos begins with its vectors.
    """
    if theta.size <= SMALL:
        values, vectors = np.linalg.eigh(landscape.hessian(theta))
    else:
        noise = np.random.default_rng(0).standard_normal(theta.size) / theta.size**0.5
        start = noise if before is None else 0.3 * noise + before[2] + before[3]
        steps = min(theta.size, 20 if before is None else 6)
        diagonal, off, basis = lanczos(landscape.linearize(theta), start, steps)
        inner = np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
        values, mixed = np.linalg.eigh(inner)
        vectors = basis.T @ mixed
    return float(values[0]), float(values[-1]), vectors[:, 0], vectors[:, -1]


def dead_share(landscape: Landscape, theta: Array) -> float:
    """The share of units that pass no gradient on for any sample, in the layer with most of them;
    NaN without hidden layers of ReLU, Tanh or Sigmoid units."""
    if landscape.network is None or landscape.data is None:
        return math.nan
    layers = landscape.network.layers
    inner = [k for k, layer in enumerate(layers[:-1]) if isinstance(layer, ReLU | Tanh | Sigmoid)]
    if not inner:
        return math.nan
    outputs = landscape.network.activations(theta, landscape.data.x)
    shares = []
    for k in inner:
        slope = np.moveaxis(_slope(layers[k], np.asarray(outputs[k])), 1, -1)
        best = slope.reshape(-1, slope.shape[-1]).max(axis=0)
        shares.append(float((best < DEAF).mean()))
    return max(shares)


def _slope(layer: Any, output: Array) -> Array:
    """The slope of an activation, from what it put out."""
    if isinstance(layer, ReLU):
        return (output > 0.0).astype(float)
    if isinstance(layer, Tanh):
        return 1.0 - output**2
    return output * (1.0 - output)
