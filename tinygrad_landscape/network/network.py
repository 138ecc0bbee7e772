"""A network is a function of one flat vector θ.

The one idea: layers own no numbers; θ (..., P) is cut into the arrays they ask for. So a direction,
a step or two chosen weights are plain vectors and indices, and leading axes of θ are other networks
of the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..engine.errors import ParameterError, ShapeError
from .initializers import Override, Scheme, draw
from .layers import Array, Inner, Layer, Run, checked, expected, fits, spans, step
from .layout import Cuts, Slot, named_parameters, split


class Network:
    """Layers in a row, as a function of θ and x.

    Args:
        layers: the layers, in order. Neighbours that do not fit are refused here.
        input: shape of one sample, `(2,)` or `(1, 8, 8)`; then the whole stack is checked and
            `print(net)` can show every shape. None: found out from the first layer that knows.

    Attributes:
        size: number of parameters P.
        layout: tuple of `Slot`, one per array, in θ's order.
        names: one name per parameter, `"0.weight[0,0]"`: layer, array, place.

    Raises:
        ShapeError: layers that do not fit one another or `input`.
        ParameterError: no layers, or something that is not a layer.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1))
    >>> net.size, net.names[0], net.names[-1]
    (65, '0.weight[0,0]', '2.bias[0]')
    >>> theta = net.init(seed=0)
    >>> net(theta, np.ones((5, 2))).shape
    (5, 1)
    >>> net(net.init(seed=0, count=7), np.ones((5, 2))).shape
    (7, 5, 1)
    """

    def __init__(self, *layers: Layer, input: int | tuple[int, ...] | None = None) -> None:
        self.layers = checked(layers, "Network")
        self.input = (input,) if isinstance(input, int) else tuple(input) if input else None
        self._shapes = self._walk(self.input or expected(self.layers))
        self._parameters = named_parameters(self.layers)
        ends = np.cumsum([0, *(int(np.prod(p.shape)) for p in self._parameters)]).tolist()
        self.size: int = ends[-1]
        self.layout = tuple(
            Slot(p.name, start, stop, p.shape, p.filter_axes)
            for p, (start, stop) in zip(self._parameters, pairwise(ends), strict=True)
        )
        self._cuts = Cuts(
            (slot.start, slot.stop, p.aligned)
            for slot, p in zip(self.layout, self._parameters, strict=True)
        )
        self._steps = tuple(
            (layer, start, stop)
            for layer, (start, stop) in zip(self.layers, spans(self.layers), strict=True)
        )
        self._axes = [2 if shape is None else len(shape) + 1 for shape in self._shapes]

    def _walk(self, inner: Inner | None) -> list[Inner | None]:
        """The sample shape before each layer, and after the last."""
        shapes = [inner]
        for place, layer in enumerate(self.layers):
            shapes.append(step(layer, shapes[-1], f"layer {place}"))
        return shapes

    # --- evaluating ---

    def __call__(
        self,
        theta: Array,
        x: Array,
        rng: np.random.Generator | None = None,
        reference: Array | None = None,
    ) -> Array:
        """Output (..., N, out) for parameters (..., P) and samples (..., N, features) or
        (..., N, C, H, W); leading axes broadcast.

        `rng` switches Dropout on. `reference` (M, ...) are samples whose statistics BatchNorm uses
        instead of those of `x`, all at the same θ.

        Raises:
            ShapeError: θ or x of another size than the network's.
        """
        if rng is not None or reference is not None:
            return self._run(theta, x, rng, reference)[-1]
        theta, x = self._inputs(theta, x)
        parts = split(theta, cuts=self._cuts)
        for layer, start, stop in self._steps:
            x = layer(x, *parts[start:stop])
        return x

    def activations(
        self,
        theta: Array,
        x: Array,
        rng: np.random.Generator | None = None,
        reference: Array | None = None,
    ) -> list[Array]:
        """The output of every layer, in order; the last is the network's own.

        >>> import numpy as np, tinygrad_landscape as tl
        >>> net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1))
        >>> [a.shape for a in net.activations(net.init(), np.ones((5, 2)))]
        [(5, 16), (5, 16), (5, 1)]
        """
        return self._run(theta, x, rng, reference)

    def _run(self, theta: Array, x: Array, rng: Any, reference: Array | None) -> list[Array]:
        theta, x = self._inputs(theta, x)
        first, axis = 0, -self._axes[0]
        if reference is not None:
            _, reference = self._inputs(theta, reference)
            first = reference.shape[axis]
            lead = np.broadcast_shapes(x.shape[:axis], reference.shape[:axis])
            both = [np.broadcast_to(a, lead + a.shape[axis:]) for a in (reference, x)]
            x = np.concatenate(both, axis=axis)
        parts, outputs = split(theta, cuts=self._cuts), []
        for place, (layer, start, stop) in enumerate(self._steps):
            x = layer.run(x, parts[start:stop], Run(rng, first, self._axes[place]))
            own = (..., slice(first, None)) + (slice(None),) * (self._axes[place + 1] - 1)
            outputs.append(x[own] if first else x)
        return outputs

    def _inputs(self, theta: Array, x: Array) -> tuple[Array, Array]:
        """θ and x as arrays or Tensors, refused when they cannot belong to this network."""
        theta = floating(theta)
        if not hasattr(x, "shape"):
            x = np.asarray(x)
        if x.dtype != theta.dtype and type(x) is np.ndarray:
            x = x.astype(theta.dtype)  # θ decides the precision
        self._fits(theta)
        inner = self._shapes[0]
        if x.ndim < self._axes[0] or (inner and not fits(inner, x.shape[1 - self._axes[0] :])):
            self._refuse(x)
        return theta, x

    def _fits(self, theta: Array) -> None:
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise ShapeError(
                f"got theta of shape {theta.shape}, expected (..., {self.size}): this network has "
                f"{self.size} parameters; net.init() makes such a vector"
            )

    def _refuse(self, x: Array) -> None:
        inner = self._shapes[0] or (None,)
        sizes = ", ".join("any" if size is None else str(size) for size in inner)
        mend = ""
        if x.ndim == len(inner) and fits(inner, x.shape):
            mend = "; for a single sample say x[None]"
        elif x.ndim == 1 and inner == (1,):
            mend = "; say x[:, None]"
        raise ShapeError(
            f"got x of shape {x.shape}, expected (..., N, {sizes}) for {self.layers[0]!r}{mend}"
        )

    # --- θ and its parts ---

    def init(
        self,
        seed: Any = 0,
        scheme: Scheme = "glorot_uniform",
        count: int | None = None,
        dtype: DTypeLike = np.float64,
        gain: float = 1.0,
        layers: Mapping[str, Override] | None = None,
    ) -> np.ndarray:
        """A starting point θ (P,), or `count` independent ones (count, P).

        Args:
            seed: a whole number, SeedSequence or Generator. Every array draws from its own child
                of it, so changing one layer leaves the others' start as it was, and the first of
                `count` points is the one that `count=None` gives.
            scheme: a name from `tl.initializers`, or a function `(rng, shape, fans, gain)`.
            gain: factor on the scheme's scale (for "constant" the value, for "normal" the standard
                deviation, for "uniform" the half-width).
            layers: other schemes for some layers or arrays: `{"2": "zeros", "0.weight": ("normal",
                0.01)}`: a scheme, or a scheme and its gain.

        Schemes are for weights. Biases start at 0, parameters of normalisation layers at 1 and 0,
        unless `layers` names the very array: `{"0.bias": "normal"}`.

        >>> import tinygrad_landscape as tl
        >>> net = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
        >>> theta = net.init(seed=1, scheme="he_normal", layers={"2": ("constant", 0.5)})
        >>> net.unpack(theta)["2.weight"].ravel()
        array([0.5, 0.5, 0.5])
        """
        return draw(self._parameters, seed, scheme, count, np.dtype(dtype), gain, layers or {})

    def unpack(self, theta: Array) -> dict[str, Array]:
        """The arrays in θ (..., P) by name, each (..., *shape); of an ndarray they are views.

        >>> import tinygrad_landscape as tl
        >>> net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1))
        >>> {name: w.shape for name, w in net.unpack(net.init(count=4)).items()}
        {'0.weight': (4, 2, 16), '0.bias': (4, 16), '2.weight': (4, 16, 1), '2.bias': (4, 1)}
        """
        theta = floating(theta)
        self._fits(theta)
        parts = split(theta, cuts=Cuts((s.start, s.stop, s.shape) for s in self.layout))
        return {slot.name: part for slot, part in zip(self.layout, parts, strict=True)}

    def pack(self, mapping: Mapping[str, Array]) -> Array:
        """θ (..., P) from arrays by name; leading axes broadcast. The opposite of `unpack`.

        Raises:
            ParameterError: a name that is missing or unknown.
            ShapeError: an array of another shape.

        >>> import numpy as np, tinygrad_landscape as tl
        >>> net = tl.Network(tl.Linear(1, 1))
        >>> net.pack({"0.weight": [[2.0]], "0.bias": [1.0]})
        array([2., 1.])
        """
        known = [slot.name for slot in self.layout]
        for name in mapping:
            if name not in known:
                raise ParameterError(f"no array is called {name!r}{nearest(str(name), known)}")
        arrays, leads = [], []
        for slot in self.layout:
            if slot.name not in mapping:
                raise ParameterError(f"{slot.name!r} is missing; expected all of {known}")
            array = floating(mapping[slot.name])
            inner = len(slot.shape)
            if array.ndim < inner or array.shape[array.ndim - inner :] != slot.shape:
                raise ShapeError(
                    f"{slot.name}: got shape {array.shape}, expected (..., "
                    f"{', '.join(map(str, slot.shape))})"
                )
            arrays.append(array)
            leads.append(array.shape[: array.ndim - inner])
        lead = np.broadcast_shapes(*leads)
        rows = [
            np.broadcast_to(array, lead + slot.shape).reshape((*lead, slot.stop - slot.start))
            for array, slot in zip(arrays, self.layout, strict=True)
        ]
        return np.concatenate(rows, axis=-1)

    @cached_property
    def names(self) -> list[str]:
        return [
            f"{slot.name}[{','.join(map(str, place))}]"
            for slot in self.layout
            for place in np.ndindex(slot.shape)
        ]

    def index(self, name: str) -> int:
        """Where the parameter of that name stands in θ.

        Raises:
            ParameterError: no such parameter; the nearest names are given.

        >>> import tinygrad_landscape as tl
        >>> tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 1)).index("0.weight[1,3]")
        19
        """
        try:
            return self._index[name.replace(" ", "")]
        except (KeyError, AttributeError):
            few = self.size <= 2000  # comparing with every name of a large network takes too long
            known = self.names if few else [slot.name for slot in self.layout]
            hint = nearest(str(name), known)
            raise ParameterError(f"no parameter is called {name!r}{hint}") from None

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @property
    def stochastic(self) -> bool:
        """Whether `rng=` makes a difference: somewhere there is a Dropout."""
        return any(layer.stochastic for layer in self.layers)

    # --- looking ---

    def __str__(self) -> str:
        counts = [sum(int(np.prod(p.shape)) for p in layer.parameters()) for layer in self.layers]
        rows = [("", "layer", "output", "parameters")]
        for place, (layer, shape) in enumerate(zip(self.layers, self._shapes[1:], strict=True)):
            sizes = (
                "..." if shape is None else ", ".join("?" if s is None else str(s) for s in shape)
            )
            rows.append((str(place), repr(layer), f"(N, {sizes})", f"{counts[place]:,}"))
        rows.append(("", "", "", f"{self.size:,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{a:>{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}"
            for a, b, c, d in rows
        ]
        rule_off = "-" * len(lines[0])
        return "\n".join([lines[0], rule_off, *lines[1:-1], rule_off, lines[-1]])

    def __repr__(self) -> str:
        inside = [*map(repr, self.layers)] + ([f"input={self.input}"] if self.input else [])
        return f"Network({', '.join(inside)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilt, (self.layers, self.input)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash((self.layers, self.input))


def floating(values: Array) -> Array:
    """Numbers as floats: lists and whole numbers become float64, everything else stays."""
    if not hasattr(values, "shape"):
        values = np.asarray(values)
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def rebuilt(layers: tuple[Layer, ...], input: tuple[int, ...] | None) -> Network:
    """A network from what its pickle holds."""
    return Network(*layers, input=input)


def nearest(name: str, known: list[str]) -> str:
    """The end of an error message about an unknown name."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.4)
    if close:
        return f"; did you mean {', '.join(close)}?"
    return f"; names look like {known[0]!r}" if known else "; there are no parameters"
