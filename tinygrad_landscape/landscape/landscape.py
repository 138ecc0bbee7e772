"""The one idea: a network, a loss and data make a height over weight space.

`Landscape` is that function L(theta). Leading axes of theta are other points, so ten thousand
points are one call, and everything that walks, surveys or draws takes a `Landscape` and never asks
where it came from.
"""

import copy
import math
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine import Tensor, gradients
from ..engine.differentiate import ancestors
from ..engine.errors import NotPicklableError, ParameterError, ShapeError
from ..network import Data, Network

Array = NDArray[Any]
Batch = ArrayLike | None
Generator = np.random.Generator | None

LARGEST_HESSIAN = 2 * 10**9  # bytes; above this a Hessian is refused, whatever `memory` allows
CACHE = 2**21  # bytes of one forward pass over many points that a processor's cache still holds


class Landscape:
    """The height L(theta) of a network's loss on data, for theta of shape `(..., P)`.

    `loss(prediction, target)` is any of `tl.losses`, or your own; `data` a `Data` or a pair `(x,
    y)`. The height is loss + l1 * sum|theta| + l2 * sum theta^2 over all weights (so `l2` acts like
    a weight decay of 2 * l2).

    Every evaluation takes `batch=`, integer sample indices, and `rng=`, which switches dropout on;
    both are used once per call and shared by all leading points. Heights are float64, or float32
    where theta is float32.

    >>> import tinygrad_landscape as tl
    >>> net = tl.Network(tl.Linear(1, 1))
    >>> L = tl.Landscape(net, tl.losses.mean_squared_error, ([[0.0], [1.0]], [[1.0], [3.0]]))
    >>> float(L([2.0, 1.0]))
    0.0
    >>> L.gradient([[2.0, 1.0], [0.0, 0.0]])
    array([[ 0.,  0.],
           [-3., -4.]])
    """

    network: Network | None
    loss: Callable[..., Any] | None
    data: Data | None
    exact_curvature = True
    """Whether Hessian-vector products are exact (False: central differences of the gradient)."""

    def __init__(
        self,
        network: Network,
        loss: Callable[..., Any],
        data: Data | tuple[ArrayLike, ArrayLike],
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        for name, strength in (("l1", l1), ("l2", l2)):
            if not 0.0 <= strength < math.inf:
                raise ParameterError(f"got {name}={strength}; expected a finite number >= 0")
        self.network, self.loss, self.size = network, loss, network.size
        self.data = data if isinstance(data, Data) else _pair(data)
        self.l1, self.l2 = float(l1), float(l2)
        self._cast: dict[Any, tuple[Array, Array]] = {}
        self._sizes: dict[Any, int] = {}
        with np.errstate(all="ignore"):
            value = self(np.zeros(self.size), batch=[0, _highest_label(self.data.y)])
        if np.shape(value) != ():
            raise ShapeError(
                f"the loss gave shape {np.shape(value)} for one theta of shape ({self.size},); "
                f"expected one number: reduce over the sample and feature axes, as "
                f"np.mean(..., axis=(-2, -1)) does"
            )

    @classmethod
    def from_function(
        cls, f: Callable[[Any], Any], size: int = 2, names: Sequence[str] | None = None
    ) -> "Landscape":
        """Make a landscape of a function in plain NumPy, `(..., size)` to `(...)`.

        It is tried when built, on arrays and on Tensors: one that mixes up its points raises
        `ShapeError`, one that cannot be differentiated `NotDifferentiableError`. `names` default to
        x, y, z.

        >>> import tinygrad_landscape as tl
        >>> bowl = tl.Landscape.from_function(lambda p: p[..., 0] ** 2 + 10 * p[..., 1] ** 2)
        >>> bowl.gradient([1.0, 1.0])
        array([ 2., 20.])
        >>> bowl.hessian([1.0, 1.0])
        array([[ 2.,  0.],
               [ 0., 20.]])
        """
        from .sources import FunctionLandscape

        return FunctionLandscape(f, size, names)

    @classmethod
    def from_callables(
        cls,
        value: Callable[[Array], Any],
        gradient: Callable[[Array], Any] | None = None,
        hessian_vector: Callable[[Array, Array], Any] | None = None,
        *,
        size: int,
        names: Sequence[str] | None = None,
    ) -> "Landscape":
        """Make a landscape of anybody's model, given as functions of one point `(size,)`.

        `value(theta)` is a number, `gradient(theta)` and `hessian_vector(theta, v)` are `(size,)`.
        What is missing is made by central differences; without `hessian_vector`, `exact_curvature`
        is False. Leading axes are looped.

        The functions evaluate the model at theta and leave its own parameters alone: in PyTorch by
        `torch.func.functional_call`, in JAX by `jax.flatten_util.ravel_pytree`, in scikit-learn on
        a `copy.deepcopy`. Three recipes, ready to copy: tests/surveying/test_recipes.py.

        >>> import tinygrad_landscape as tl
        >>> L = tl.Landscape.from_callables(lambda t: float(t @ t), lambda t: 2 * t, size=3)
        >>> L([[0.0, 0.0, 0.0], [1.0, 2.0, 2.0]]), L.exact_curvature
        (array([0., 9.]), False)
        """
        from .sources import CallablesLandscape

        return CallablesLandscape(value, gradient, hessian_vector, size=size, names=names)

    # What it is --------------------------------------------------------------------------------

    @property
    def names(self) -> Sequence[str]:
        """One name per weight, in theta's order."""
        assert self.network is not None
        return self.network.names

    @property
    def stochastic(self) -> bool:
        """Whether the network makes use of an `rng` (it holds dropout)."""
        return self.network is not None and any(layer.stochastic for layer in self.network.layers)

    def on(self, data: Data | tuple[ArrayLike, ArrayLike]) -> "Landscape":
        """The same network and loss over other data: the validation landscape, say."""
        if self.network is None or self.loss is None:
            raise ParameterError(
                f"{self!r} has no data to exchange; only a network's landscape has"
            )
        return Landscape(self.network, self.loss, data, self.l1, self.l2)

    def restrict(self, plane: Any) -> "Landscape":
        """The landscape of a plane's two coordinates: `L.restrict(plane)(c) == L(plane.point(*c))`.

        Descent on it never leaves the plane, so its path truly lies on the surface drawn.
        """
        from .sources import RestrictedLandscape

        return RestrictedLandscape(self, plane)

    def describe(self) -> str:
        """Say in a sentence what the height is made of, penalties included."""
        assert self.data is not None
        text = f"{_spelled(self.loss)} on {len(self.data.x)} samples"
        for strength, sign in ((self.l1, "|θ|"), (self.l2, "θ²")):
            if strength:
                text += f" + {strength:g}·Σ{sign}"
        return f"Height of {self.size} weights: {text}."

    def __repr__(self) -> str:
        return f"Landscape(P={self.size}, {self.describe().partition(': ')[2][:-1]})"

    # Height, gradient, curvature ---------------------------------------------------------------

    def __call__(self, theta: Any, batch: Batch = None, rng: Generator = None) -> Any:
        """The height at theta `(..., P)`, shape `(...)`; a Tensor gives a differentiable Tensor."""
        value = self._objective(self.as_points(theta), batch, rng)
        return value if isinstance(value, Tensor) else value[()]

    def gradient(self, theta: Any, batch: Batch = None, rng: Generator = None) -> Any:
        """The gradient `(..., P)`; a Tensor gives a differentiable Tensor."""
        return self.value_and_gradient(theta, batch, rng)[1]

    def value_and_gradient(
        self, theta: Any, batch: Batch = None, rng: Generator = None
    ) -> tuple[Any, Any]:
        """Height `(...)` and gradient `(..., P)` from one forward and one backward pass."""
        recorded = isinstance(theta, Tensor)
        leaf = self.as_points(theta) if recorded else Tensor(self.as_points(theta))
        value = self._objective(leaf, batch, rng)
        seed = None if value.ndim == 0 else _ones(value)
        (gradient,) = gradients(value, [leaf], seed, create_graph=recorded)
        return (value, gradient) if recorded else (value.data[()], gradient)

    def hessian_vector(
        self, theta: Any, v: Any, batch: Batch = None, rng: Generator = None
    ) -> Array:
        """The Hessian at theta `(..., P)` times v `(..., P)`, exact (Pearlmutter 1994); they
        broadcast.

        Many products at one point: `linearize` keeps what they share.
        """
        theta, v = self.as_points(theta), self.as_points(v)
        shape = np.broadcast_shapes(theta.shape, v.shape)
        theta = np.broadcast_to(theta, shape)
        return self.linearize(theta, batch, rng)(v)

    def linearize(
        self, theta: Any, batch: Batch = None, rng: Generator = None
    ) -> Callable[[Any], Array]:
        """The Hessian at theta `(..., P)` as a function v -> Hv that keeps its graph between calls.

        >>> import tinygrad_landscape as tl
        >>> L = tl.Landscape.from_function(lambda p: (p**4).sum(-1) / 12)
        >>> H = L.linearize([1.0, 2.0])
        >>> H([1.0, 0.0]), H([0.0, 1.0])
        (array([1., 0.]), array([0., 4.]))
        """
        leaf = Tensor(self.as_points(theta))
        value = self._objective(leaf, batch, rng)
        (slope,) = gradients(value, [leaf], _ones(value), create_graph=True)

        def product(v: Any) -> Array:
            v = np.broadcast_to(np.asarray(v, leaf.dtype), leaf.shape)
            return gradients(slope, [leaf], v)[0]

        return product

    def hessian(
        self,
        theta: Any,
        batch: Batch = None,
        rng: Generator = None,
        memory: float = 512e6,
    ) -> Array:
        """The Hessian `(..., P, P)` at theta `(..., P)`: exact columns, many at a time.

        The work is done in pieces of at most `memory` bytes. A result above 2 GB raises
        `ParameterError`: use `hessian_vector` or `linearize` there.
        """
        theta = self.as_points(theta)
        size, points = self.size, theta.reshape(-1, self.size)
        if (needed := theta.size * size * theta.itemsize) > LARGEST_HESSIAN:
            raise ParameterError(
                f"a Hessian of shape {(*theta.shape, size)} takes {needed / 1e9:.1f} GB, above the "
                f"limit of 2 GB; use hessian_vector(theta, v), which never forms it"
            )
        columns = np.empty((len(points), size, size), theta.dtype)
        at_once = self.points_at_once(theta.dtype, memory, passes=6)
        if at_once < 16:  # big passes: share the recording of one point among all its columns
            for i, point in enumerate(points):
                product = self.linearize(point, batch, _replayed(rng))
                for k, unit in enumerate(np.eye(size, dtype=theta.dtype)):
                    columns[i, k] = product(unit)
        else:  # small passes: many points and columns in one
            flat = columns.reshape(-1, size)
            for start in range(0, len(flat), at_once):
                which = np.arange(start, min(start + at_once, len(flat)))
                units = np.zeros((len(which), size), theta.dtype)
                units[np.arange(len(which)), which % size] = 1.0
                flat[which] = self.linearize(points[which // size], batch, _replayed(rng))(units)
        columns = 0.5 * (columns + columns.mT)  # the rounding of the columns need not be symmetric
        return columns.reshape(*theta.shape, size)

    def accuracy(self, theta: Any, batch: Batch = None) -> Any:
        """The share of samples classified correctly at theta `(..., P)`, shape `(...)` in 0..1.

        Needs integer labels. One output is a logit (above 0 means label 1); of several the largest
        wins. Raises `ParameterError` for a regression.
        """
        theta = self.as_points(theta)
        if self.network is None or self.data is None:
            raise ParameterError(f"{self!r} has no labels; only a network's landscape has accuracy")
        x, y = self._samples(theta.dtype, batch)
        if y.dtype.kind not in "iu":
            raise ParameterError(
                "accuracy needs integer labels (N,), got float targets: this is a regression"
            )
        output = self.network(theta, x)
        if output.shape[-1] == 1:
            guess = output[..., 0] > 0.0
        else:
            guess = output.argmax(axis=-1)
        return (guess == y).mean(axis=-1, dtype=theta.dtype)[()]

    def points_at_once(
        self, dtype: Any, memory: float, passes: int = 3, samples: int | None = None
    ) -> int:
        """How many points one batched call should take, to stay fast and within `memory` bytes.

        `passes` is how often the values of a forward pass are held: 1 for a height, 3 with the
        gradient, 6 with curvature. `samples` is the size of a minibatch, None for all. Raises
        `ParameterError` where not even one point fits.
        """
        needed = passes * self._footprint(np.dtype(dtype), samples)
        if needed > memory:
            raise ParameterError(
                f"one point needs about {needed / 1e6:.0f} MB, more than "
                f"memory={memory / 1e6:.0f}e6; raise memory=, or use fewer samples (batch=)"
            )
        return int(max(1, min(memory, passes * CACHE) // needed))

    # How it is computed ------------------------------------------------------------------------

    def _objective(self, theta: Any, batch: Batch, rng: Generator) -> Any:
        """The height at theta, an array or a Tensor: the one thing other landscapes replace."""
        x, y = self._samples(theta.dtype, batch)
        value = self.loss(self.network(theta, x, rng=rng), y)  # type: ignore[misc]
        if self.l1:
            value = value + self.l1 * np.abs(theta).sum(-1)
        if self.l2:
            value = value + self.l2 * np.square(theta).sum(-1)
        return value

    def _samples(self, dtype: Any, batch: Batch) -> tuple[Array, Array]:
        """The samples of a batch in theta's dtype (labels stay integers), cast once."""
        if dtype not in self._cast:
            assert self.data is not None
            x, y = self.data
            y = y if y.dtype.kind in "iu" else y.astype(dtype, copy=False)
            self._cast[dtype] = x.astype(dtype, copy=False), y
        x, y = self._cast[dtype]
        if batch is None:
            return x, y
        batch = np.asarray(batch)
        if batch.ndim != 1 or not batch.size or batch.dtype.kind not in "iu":
            raise ParameterError(
                f"got a batch of shape {batch.shape} and dtype {batch.dtype}; expected at "
                f"least one integer sample index, shape (B,)"
            )
        return x[batch], y[batch]

    def as_points(self, theta: Any) -> Any:
        """Theta as a float array (or the Tensor it is), checked."""
        if type(theta) is not Tensor:
            theta = np.asarray(theta)
            if theta.dtype.kind in "iub":
                theta = theta.astype(np.float64)
            elif theta.dtype.kind != "f":
                raise ParameterError(f"got theta of dtype {theta.dtype}; expected real numbers")
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise ShapeError(
                f"got theta of shape {theta.shape}; expected (..., {self.size}): the last axis "
                f"holds the {self.size} weights"
            )
        return theta

    def _footprint(self, dtype: Any, samples: int | None) -> int:
        """Bytes that a forward pass at one point keeps, measured on its graph."""
        key = dtype, samples
        if key not in self._sizes:
            batch = None if samples is None else np.arange(samples)
            with np.errstate(all="ignore"):
                value = self._objective(Tensor(np.zeros(self.size, dtype)), batch, None)
            data = (part for node in ancestors(value) for part in _parts(node.data))
            self._sizes[key] = self.size * dtype.itemsize + sum(part.nbytes for part in data)
        return self._sizes[key]

    def __getstate__(self) -> dict[str, Any]:
        """What travels in a pickle; a function that cannot is refused here, by name."""
        for name, value in vars(self).items():
            if callable(value) and not isinstance(value, Landscape):
                try:
                    pickle.dumps(value)
                except Exception as error:
                    raise NotPicklableError(
                        f"the landscape's {name.lstrip('_')} {_spelled(value)} cannot travel to "
                        f"another process ({error}); define it with def at the top of a module"
                    ) from error
        return {**vars(self), "_cast": {}, "_sizes": {}}


def _pair(data: Any) -> Data:
    x, y = data
    return Data(np.asarray(x), np.asarray(y))


def _highest_label(y: Array) -> int:
    """A sample on which a label that the loss has no logit for is noticed."""
    return int(y.argmax()) if y.dtype.kind in "iu" else 0


def _ones(value: Any) -> Array:
    """The seed of a backward pass over many points: each height on its own."""
    return np.ones(value.shape, value.dtype)


def _parts(data: Any) -> tuple[Array, ...]:
    return data if isinstance(data, tuple) else (data,)


def _replayed(rng: Generator) -> Generator:
    """A copy of a generator, so that every piece of one call draws the same mask."""
    return copy.deepcopy(rng)


def _spelled(function: Any) -> str:
    """The name a reader would type, options of a `functools.partial` included."""
    options = ", ".join(f"{k}={v!r}" for k, v in getattr(function, "keywords", {}).items())
    function = getattr(function, "func", function)
    name = getattr(function, "__name__", type(function).__name__)
    return f"{name}({options})" if options else name
