"""`descend`: walk downhill on a landscape, with one walker or many thousands at once.

Each step evaluates loss and gradient under all walkers, asks the optimizer for the next points, and
freezes the walkers that fell off. What is deterministic is evaluated once: the loss of a full-batch
step is also the recorded loss.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError, ShapeError
from ..landscape import Landscape
from .callbacks import StepRecord
from .ground import Ground, check_batch_size
from .hyper import columns, rates, shapes
from .optim import Optimizer
from .trajectory import Trajectory

Array = NDArray[Any]

FALL = 1e6  # a walker diverged when its loss is above this many times 1 + |its first loss|


def descend(
    landscape: Landscape,
    theta: Any,
    optimizer: Any,
    steps: int = 100,
    batch_size: int | None = None,
    seed: int | ArrayLike = 0,
    schedule: Callable[[int], float] | None = None,
    record_every: int = 1,
    callbacks: Sequence[Callable[[StepRecord], Any]] = (),
    progress: bool = False,
    memory: float = 512e6,
) -> Trajectory:
    """Walk downhill from theta `(..., P)` for a number of steps; give the `Trajectory`.

    - `optimizer`: one of `tl.optim`, or any object with its protocol. Its hyperparameters broadcast
      against theta's leading shape: lr `(50, 1)` and theta `(20, P)` walk `(50, 20)` walkers.
    - `batch_size`: samples per step, drawn by shuffling every epoch; None takes all of them.
    - `seed`: of minibatches and dropout masks, shared by all walkers; or one integer per walker.
    - `schedule`: a factor on the learning rate for each step (`tl.schedules`).
    - `record_every`: keep the start, every so many steps, and the end. A recorded point of a
      minibatch walk costs one evaluation of the full landscape.
    - `callbacks`: called with a `StepRecord` before each step; one that returns True ends the walk.
    - `progress`: show a bar. `memory`: the bytes the walk may use, its result included.

    A walker diverges when its loss or gradient is not finite, or its loss exceeds
    1e6 * (1 + |first loss|). It stays at its last finite point, its later losses are NaN, and the
    others go on. Ctrl-C gives the walk so far. The same seed gives the same walk, bit for bit.

    Raises `ParameterError` or `ShapeError` for arguments that make no sense, and for a walk that
    would not fit into `memory`, before it starts.

    >>> import tinygrad_landscape as tl
    >>> bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    >>> walk = tl.descend(bowl, [1.0, 0.0], tl.optim.SGD(lr=[[0.5], [3.0]]), steps=50)
    >>> walk.points.shape, walk.diverged
    ((51, 2, 1, 2), array([[False],
           [ True]]))
    """
    _check_whole(steps=(steps, 0), record_every=(record_every, 1))
    check_batch_size(landscape, batch_size)
    theta, lr, seeds = _start(landscape, theta, optimizer, seed)
    book = _Book(theta, steps, record_every, memory)
    curved = getattr(optimizer, "uses_curvature", False)
    ground = Ground(landscape, theta.dtype, batch_size, seeds, memory - book.nbytes, curved)
    walkers, rule = _Walkers(theta), _trusted(optimizer, theta.dtype)
    bar = _bar(steps) if progress else None
    ended = "interrupted"
    try:
        with np.errstate(all="ignore"):  # whatever overflows here is a walker that fell, and told
            ended = _walk(
                ground, walkers, book, rule, theta, lr, schedule, callbacks, bar, optimizer
            )
    except KeyboardInterrupt:
        if not book.rows:
            raise
    finally:
        if bar is not None:
            bar.close()
    return book.trajectory(walkers.fell_at, ended, _told(optimizer, batch_size, schedule))


def _walk(
    ground: Ground,
    walkers: "_Walkers",
    book: "_Book",
    rule: Any,
    theta: Array,
    lr_at_first: Any,
    schedule: Callable[[int], float] | None,
    callbacks: Sequence[Callable[[StepRecord], Any]],
    bar: Any,
    optimizer: Any,
) -> str:
    """Take the steps, entering them into the book; say how the walk ended."""
    lr, state, steps = lr_at_first, rule.init(theta), len(book.batch_losses)
    for t in range(steps + 1):
        recorded, last = t % book.every == 0 or t == steps, t == steps
        here = ground.full if last else ground.step(t)
        full = ground.full.value_and_gradient(theta) if recorded or ground.exact else None
        step = full if full and here is ground.full else here.value_and_gradient(theta)
        theta, loss, height, slope = walkers.look(t, theta, step, full)
        if recorded:
            book.enter(t, theta, height, slope)
        if schedule is not None:
            lr = lr_at_first * _factor(schedule, t)
        if callbacks:
            seen = (t, _sealed(theta), loss, step[1], height, slope, lr, walkers.alive)
            record = StepRecord(*seen, ground.landscape, optimizer)
            ending = [c for c in callbacks if c(record)]  # every callback sees every step
            if ending and not last:
                if not recorded:
                    full = full or ground.full.value_and_gradient(theta)
                    theta, _, height, slope = walkers.look(t, theta, full, full)
                    book.enter(t, theta, height, slope)
                return f"ended by {_named(ending[0])}"
        if last:
            break
        if not walkers.any_alive:
            book.rest(t, theta)
            break
        book.batch_losses[t] = loss
        walkers.previous = theta
        theta, state = rule.step(theta, step[1], state, lr, here)
        if walkers.any_fallen:
            theta = np.where(walkers.alive[..., None], theta, walkers.previous)
        if bar is not None:
            bar.update()
    return "finished"


class _Walkers:
    """Which walkers are still on the ground, and since when the others are not."""

    def __init__(self, theta: Array) -> None:
        lead = theta.shape[:-1]
        self.previous, self.limit = theta, np.full(lead, np.inf)
        self.alive, self.fell_at = np.ones(lead, bool), np.full(lead, -1)
        self.any_alive, self.any_fallen = True, False

    def look(self, t: int, theta: Array, step: Any, full: Any) -> tuple[Array, Any, Any, Any]:
        """Find who fell at step t and put them back.

        `step` and `full` are (loss, gradient) of the coming step and of the full landscape (or
        None). Gives theta, the step's loss, and the full landscape's loss and gradient norm.
        """
        both = [step] if full is None or full is step else [step, full]
        losses, norms = [loss for loss, _ in both], [_length(g) for _, g in both]
        if t == 0:
            self.limit = FALL * (1.0 + np.abs(losses[-1]))
        sound = self._sound(theta, losses, norms)
        if not _every(sound | ~self.alive):
            norms = [_safe_length(g) for _, g in both]
            fresh = self.alive & ~self._sound(theta, losses, norms)
            if fresh.any():
                self.fell_at = np.where(fresh, t, self.fell_at)
                theta = np.where(fresh[..., None], self.previous, theta)
                self.alive = self.alive & ~fresh
                self.any_alive, self.any_fallen = bool(self.alive.any()), True
        if self.any_fallen:
            losses = [np.where(self.alive, v, np.nan).astype(theta.dtype) for v in losses]
            norms = [np.where(self.alive, v, np.nan).astype(theta.dtype) for v in norms]
        known = (None, None) if full is None else (losses[-1], norms[-1])
        return theta, losses[0], *known

    def _sound(self, theta: Array, losses: list[Any], norms: list[Any]) -> Any:
        """Who stands at a finite point, with finite gradients and a finite, not too high loss."""
        sound = np.vecdot(theta, theta) < math.inf
        if not _every(sound):
            sound = _safe_length(theta) < math.inf
        for loss, norm in zip(losses, norms, strict=True):
            sound = sound & (loss <= self.limit) & (np.abs(loss) < math.inf) & (norm < math.inf)
        return sound


class _Book:
    """The recorded arrays, sized before the walk starts."""

    def __init__(self, theta: Array, steps: int, every: int, memory: float) -> None:
        lead, size = theta.shape[:-1], theta.itemsize
        rows = steps // every + 1 + (steps % every > 0)
        working = 8 * theta.nbytes  # gradient, optimizer state and temporaries
        walkers = math.prod(lead)
        self.nbytes = rows * (theta.nbytes + 2 * walkers * size) + steps * walkers * size + working
        if self.nbytes > memory:
            raise ParameterError(
                f"recording {rows} points of {walkers} walkers, {theta.shape[-1]} weights each, "
                f"takes about {self.nbytes / 1e6:.0f} MB, more than memory={memory / 1e6:.0f}e6; "
                f"raise record_every={every}, or memory="
            )
        self.rows, self.every = 0, every
        self.points = np.empty((rows, *theta.shape), theta.dtype)
        self.losses, self.gradient_norms = np.empty((2, rows, *lead), theta.dtype)
        self.batch_losses = np.empty((steps, *lead), theta.dtype)
        self.steps = np.minimum(np.arange(rows) * every, steps)

    def enter(self, t: int, theta: Array, loss: Any, norm: Any) -> None:
        row = self.rows
        self.points[row], self.losses[row], self.gradient_norms[row] = theta, loss, norm
        self.steps[row] = t
        self.rows = row + 1

    def rest(self, t: int, theta: Array) -> None:
        """Nobody moves any more: fill the book to its end."""
        self.points[self.rows :] = theta
        self.losses[self.rows :] = self.gradient_norms[self.rows :] = np.nan
        self.batch_losses[t:] = np.nan
        self.rows = len(self.points)

    def trajectory(self, fell_at: Array, ended: str, optimizer: str) -> Trajectory:
        rows, steps = self.rows, self.steps[: self.rows]
        kept = (self.points[:rows], self.losses[:rows], self.gradient_norms[:rows])
        fell_at = np.where(fell_at > steps[-1], -1, fell_at)  # interrupted before it was recorded
        arrays = (*kept, self.batch_losses[: steps[-1]], steps, fell_at)
        for array in arrays:
            array.flags.writeable = False  # ours alone: a Trajectory need not copy it
        return Trajectory(*arrays, ended, optimizer)


# Arguments -------------------------------------------------------------------------------------


def _start(landscape: Landscape, theta: Any, optimizer: Any, seed: Any) -> tuple[Array, Any, Array]:
    """Every walker's start `(..., P)`, the learning rates ready to multiply, a seed per walker."""
    missing = [name for name in ("lr", "init", "step") if not hasattr(optimizer, name)]
    if missing or isinstance(optimizer, type):
        raise ParameterError(
            f"got {optimizer!r} as optimizer; expected one of tl.optim, as tl.optim.SGD(lr=0.1), "
            f"or your own function f as tl.optim.Custom(f, lr=0.1)"
        )
    theta = landscape.as_points(np.asarray(theta))
    if not np.isfinite(theta).all():
        raise ParameterError("theta holds NaN or infinite weights; a walk starts at finite points")
    seeds = np.asarray(seed)
    if seeds.dtype.kind not in "iu" or (seeds < 0).any():
        raise ParameterError(f"got seed={seed!r}; expected an integer >= 0, or one per walker")
    parts = [theta.shape[:-1], seeds.shape, *shapes(optimizer), *shapes(optimizer.lr)]
    try:
        lead = np.broadcast_shapes(*parts)
    except ValueError:
        raise ShapeError(
            f"theta has leading shape {parts[0]}, the seed {parts[1]} and the hyperparameters "
            f"{parts[2:]}; these do not broadcast: give lr shape (50, 1) for 50 learning rates "
            f"times 20 starts (20, P)"
        ) from None
    theta = np.array(np.broadcast_to(theta, (*lead, landscape.size)))
    return theta, rates(optimizer.lr, landscape, theta.dtype), np.broadcast_to(seeds, lead)


def _check_whole(**values: tuple[Any, int]) -> None:
    for name, (value, least) in values.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise ParameterError(f"got {name}={value!r}; expected a whole number >= {least}")


def _factor(schedule: Callable[[int], float], t: int) -> float:
    factor = float(schedule(t))
    if not 0.0 <= factor < math.inf:
        raise ParameterError(f"the schedule gave {factor} at step {t}; expected a factor >= 0")
    return factor


# Small things ----------------------------------------------------------------------------------


class _Guarded:
    """Somebody else's optimizer: it gets copies, so that working in place does no harm."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def init(self, theta: Array) -> Any:
        return self.optimizer.init(theta.copy())

    def step(self, theta: Array, gradient: Array, state: Any, lr: Any, here: Any) -> Any:
        new, state = self.optimizer.step(theta.copy(), gradient.copy(), state, lr, here)
        if np.shape(new) != theta.shape:
            raise ShapeError(
                f"the optimizer's step gave theta of shape {np.shape(new)}; expected {theta.shape}"
            )
        return np.asarray(new, theta.dtype), state


def _trusted(optimizer: Any, dtype: Any) -> Any:
    ours = isinstance(optimizer, Optimizer)
    return columns(optimizer, dtype) if ours else _Guarded(optimizer)


def _length(x: Array) -> Any:
    return np.sqrt(np.vecdot(x, x))


def _safe_length(x: Array) -> Any:
    """The same, where the square may overflow."""
    scale = np.abs(x).max(axis=-1)
    return scale * _length(x / np.where(scale > 0.0, scale, 1.0)[..., None])


def _every(sound: Any) -> bool:
    return bool(sound.all() if sound.ndim else sound)


def _sealed(theta: Array) -> Array:
    view = theta.view()
    view.flags.writeable = False
    return view


def _named(callback: Any) -> str:
    return getattr(callback, "__name__", type(callback).__name__)


def _told(optimizer: Any, batch_size: int | None, schedule: Any) -> str:
    text = repr(optimizer)
    if batch_size is not None:
        text += f", batches of {batch_size}"
    return text if schedule is None else f"{text}, {_named(schedule)} schedule"


def _bar(steps: int) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=steps, desc="descend", unit="step")
