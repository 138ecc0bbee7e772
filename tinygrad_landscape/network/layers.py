"""Layers: descriptions of functions whose weights live elsewhere.

The one idea: a layer owns no numbers. It says which parameters it needs (`parameters`), which shape
it takes and gives (`expects`, `shape`), and what it does with an input and its parameters
(`__call__`). The numbers are slices of one flat vector that a `Network` hands in, so any leading
axes on that vector are other points, and a layer never has to know how many there are.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..engine import linear
from ..engine.errors import ParameterError, ShapeError

Array = Any  # an ndarray, or a Tensor that answers to the same NumPy functions
Inner = tuple[int | None, ...]  # the shape of one sample; None where it is not known yet


class Parameter(NamedTuple):
    """One array a layer needs.

    `shape` is its own shape, `aligned` the one in which it meets a batch. `fans` are the numbers of
    inputs and outputs of one neuron, and `filter_axes` the axes of one neuron's weights; None for
    biases and the parameters of normalisation, which start at `value` whatever the scheme.
    """

    name: str
    shape: tuple[int, ...]
    aligned: tuple[int, ...]
    fans: tuple[int, int] | None = None
    filter_axes: tuple[int, ...] | None = None
    value: float = 0.0


class Run(NamedTuple):
    """What one pass through a network may need beside input and weights: see `Layer.run`."""

    rng: np.random.Generator | None = None
    reference: int = 0
    axes: int = 2


class Layer:
    """Base of all layers: an elementwise function without parameters unless it says otherwise.

    A layer of your own needs no more than `__call__`, in NumPy:

    >>> import numpy as np, tinygrad_landscape as tl
    >>> class Square(tl.network.Layer):
    ...     def __call__(self, x):
    ...         return x * x
    >>> tl.Network(tl.Linear(2, 1), Square())
    Network(Linear(2, 1), Square())
    """

    expects: Inner | None = None
    """The sample shape this layer insists on, None if any will do."""
    stochastic = False
    """Whether the layer draws from an rng when it is given one."""

    def parameters(self) -> tuple[Parameter, ...]:
        """The arrays this layer needs, in the order in which `__call__` takes them."""
        return ()

    def shape(self, inner: Inner) -> Inner:
        """The shape of one output sample, given that of one input sample."""
        return inner

    def __call__(self, x: Array, *parameters: Array) -> Array:
        """Output for input `x` of shape (..., N, *inner)."""
        raise NotImplementedError

    def run(self, x: Array, parameters: tuple[Array, ...], how: Run) -> Array:
        """As `__call__`, for layers that need randomness (`how.rng`), the number of trailing axes
        that belong to the samples (`how.axes`), or the first `how.reference` samples."""
        return self(x, *parameters)

    def __repr__(self) -> str:
        return described(self)


def described(layer: Any) -> str:
    """The call that makes this layer: `Linear(2, 16)`, options only where they were changed."""
    options = fields(layer) if is_dataclass(layer) else ()
    values = [(field, getattr(layer, field.name)) for field in options]
    needed = [repr(value) for field, value in values if field.default is MISSING]
    changed = [
        f"{field.name}={value!r}"
        for field, value in values
        if field.default is not MISSING and value != field.default
    ]
    return f"{type(layer).__name__}({', '.join(needed + changed)})"


def whole(owner: object, *names: str, least: int = 1) -> None:
    """Refuse options of a layer that are not whole numbers of at least `least`."""
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ParameterError(
                f"{type(owner).__name__}: got {name}={value!r}, expected a whole number >= {least}"
            )


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """Affine map `x @ weight + bias`.

    x (..., N, inputs) → (..., N, outputs); weight (inputs, outputs), bias (outputs,).

    >>> import tinygrad_landscape as tl
    >>> tl.Network(tl.Linear(2, 3)).size, tl.Network(tl.Linear(2, 3, bias=False)).size
    (9, 6)
    """

    inputs: int
    outputs: int
    bias: bool = True

    def __post_init__(self) -> None:
        whole(self, "inputs", "outputs")

    @property
    def expects(self) -> Inner:  # type: ignore[override]
        return (self.inputs,)

    def parameters(self) -> tuple[Parameter, ...]:
        shape = (self.inputs, self.outputs)
        weight = Parameter("weight", shape, shape, shape, (0,))
        bias = Parameter("bias", (self.outputs,), (self.outputs,))
        return (weight, bias) if self.bias else (weight,)

    def shape(self, inner: Inner) -> Inner:
        return (self.outputs,)

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return linear(x, *parameters)


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """Images as rows: x (..., N, C, H, W) → (..., N, C·H·W).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.Flatten()(np.ones((5, 1, 8, 8))).shape
    (5, 64)
    """

    expects = (None, None, None)

    def shape(self, inner: Inner) -> Inner:
        sizes = [size for size in inner if size is not None]
        return (int(np.prod(sizes)) if len(sizes) == len(inner) else None,)

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return x.reshape(*x.shape[:-3], -1)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Zeroes each entry with probability `p`, the rest times 1/(1-p) (Srivastava et al. 2014).

    Acts only when the network is called with `rng=`. The mask is drawn once per call from the shape
    of the samples and shared by all leading points, so that they are compared on equal terms.
    x (..., N, features) or (..., N, C, H, W), unchanged in shape; 0 <= p < 1.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net, x = tl.Network(tl.Dropout(0.5)), np.ones((1, 6))
    >>> net(np.empty(0), x)
    array([[1., 1., 1., 1., 1., 1.]])
    >>> net(np.empty(0), x, rng=np.random.default_rng(0))
    array([[2., 0., 0., 0., 2., 2.]])
    """

    p: float = 0.5
    stochastic = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.p < 1.0:
            raise ParameterError(f"Dropout: got p={self.p!r}, expected a probability 0 <= p < 1")

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return x

    def run(self, x: Array, parameters: tuple[Array, ...], how: Run) -> Array:
        if how.rng is None:
            return x
        kept = how.rng.random(x.shape[-how.axes :]) >= self.p
        return x * (kept / (1.0 - self.p)).astype(x.dtype)


class Residual(Layer):
    """Adds its input to what its layers make of it: `x + layers(x)` (He et al. 2016).

    The layers must give back the shape they take. Their parameters carry the place inside:
    "1.0.weight" is the weight of the first layer inside a Residual that is layer 1 of the network.

    Raises:
        ShapeError: the layers do not fit one another, or change the shape.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net = tl.Network(tl.Residual(tl.Linear(2, 2), tl.Tanh()))
    >>> net(net.init(scheme="zeros"), np.array([[3.0, 4.0]]))
    array([[3., 4.]])
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = checked(layers, "Residual")
        self.spans = spans(self.layers)
        shape = propagate(self.layers, self.expects, "Residual")
        if self.expects is not None and shape is not None and not fits(self.expects, shape):
            raise ShapeError(
                f"{self!r}: takes {self.expects} and gives {shape}, expected the same shape; "
                "end with a layer that leads back"
            )

    @property
    def expects(self) -> Inner | None:  # type: ignore[override]
        return expected(self.layers)

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        return any(layer.stochastic for layer in self.layers)

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(
            parameter._replace(name=f"{place}.{parameter.name}")
            for place, layer in enumerate(self.layers)
            for parameter in layer.parameters()
        )

    def shape(self, inner: Inner) -> Inner:
        shape = propagate(self.layers, inner, "Residual")
        if shape is None or not fits(inner, shape):
            raise ShapeError(f"{self!r}: got {inner} and gives {shape}, expected the same shape")
        return inner

    def __call__(self, x: Array, *parameters: Array) -> Array:
        y = x
        for layer, (start, stop) in zip(self.layers, self.spans, strict=True):
            y = layer(y, *parameters[start:stop])
        return x + y

    def run(self, x: Array, parameters: tuple[Array, ...], how: Run) -> Array:
        y = x
        for layer, (start, stop) in zip(self.layers, self.spans, strict=True):
            y = layer.run(y, parameters[start:stop], how)
        return x + y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Residual) and self.layers == other.layers

    def __hash__(self) -> int:
        return hash(self.layers)

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.layers))})"


# --- stacks of layers ---------------------------------------------------------------------------


def checked(layers: tuple[Any, ...], owner: str) -> tuple[Layer, ...]:
    """The layers themselves, or an error that says what else was found among them."""
    for place, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            hint = f"; write {layer.__name__}()" if isinstance(layer, type) else ""
            raise ParameterError(f"{owner}: got {layer!r} at place {place}, expected a layer{hint}")
    if not layers:
        raise ParameterError(f"{owner}: got no layers, expected at least one")
    return layers


def spans(layers: tuple[Layer, ...]) -> tuple[tuple[int, int], ...]:
    """For each layer, which of all the parameters are its own: (start, stop)."""
    ends = np.cumsum([0, *(len(layer.parameters()) for layer in layers)]).tolist()
    return tuple(pairwise(ends))


def fits(one: Inner, other: Inner) -> bool:
    """Whether two sample shapes may be the same, None standing for any size."""
    return len(one) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(one, other, strict=True)
    )


def expected(layers: tuple[Layer, ...]) -> Inner | None:
    """The sample shape a stack insists on: that of its first layer that changes or knows shapes."""
    return next((layer.expects for layer in layers if layer.expects is not None), None)


def propagate(layers: tuple[Layer, ...], inner: Inner | None, owner: str) -> Inner | None:
    """The sample shape after all layers; refuses the first layer that does not fit."""
    for place, layer in enumerate(layers):
        inner = step(layer, inner, f"{owner}: layer {place}")
    return inner


def step(layer: Layer, inner: Inner | None, where: str) -> Inner | None:
    """The sample shape after one layer; None as long as nothing is known."""
    wanted = layer.expects
    if inner is None:
        return None if wanted is None else layer.shape(wanted)
    if wanted is not None and not fits(wanted, inner):
        mend = "put Flatten() before it" if len(inner) > len(wanted) else "change one of the two"
        raise ShapeError(
            f"{where}, {layer!r}: got samples of shape {inner}, expected {wanted}; {mend}"
        )
    return layer.shape(inner)
