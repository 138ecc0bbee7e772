"""Convolution and pooling: the same small function at every place of an image.

The one idea: `windows` lays all k x k patches of an image side by side; convolution then is one
matrix product with them, pooling one maximum or mean. `windows` is linear and its transpose is
`overlap_add`; each is the other's rule, so any order of derivative works. Images are (..., N, C, H,
W); in between, channels come first, (..., C, k·k, N, H, W), so that copies and products run over
long rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import primitive, rule
from ..engine.errors import ShapeError
from .layers import Array, Inner, Layer, Parameter, whole


@primitive
def windows(x: Any, *, kernel: int, stride: int, padding: int) -> Any:
    """All patches of x (..., N, C, H, W) as (..., C, k·k, N, rows, columns)."""
    x = x.swapaxes(-4, -3)
    if padding:
        height, width = x.shape[-2:]
        padded = np.zeros((*x.shape[:-2], height + 2 * padding, width + 2 * padding), x.dtype)
        padded[..., padding : padding + height, padding : padding + width] = x
        x = padded
    patches = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(-2, -1))
    patches = patches[..., ::stride, ::stride, :, :]  # (..., C, N, rows, columns, k, k)
    patches = np.moveaxis(patches, (-2, -1), (-5, -4))
    lead, (samples, rows, columns) = patches.shape[:-5], patches.shape[-3:]
    return np.ascontiguousarray(patches).reshape(*lead, kernel * kernel, samples, rows, columns)


@primitive
def overlap_add(
    patches: Any, *, size: tuple[int, int], kernel: int, stride: int, padding: int
) -> Any:
    """The transpose of `windows`: patches added up where they overlap, as images of `size`."""
    rows, columns = patches.shape[-2:]
    height, width = size
    lead, samples = patches.shape[:-4], patches.shape[-3]
    image = np.zeros((*lead, samples, height + 2 * padding, width + 2 * padding), patches.dtype)
    for place in range(kernel * kernel):
        top, left = divmod(place, kernel)
        image[
            ...,
            top : top + stride * (rows - 1) + 1 : stride,
            left : left + stride * (columns - 1) + 1 : stride,
        ] += patches[..., place, :, :, :]
    image = image[..., padding : padding + height, padding : padding + width]
    return image.swapaxes(-4, -3)


@rule(windows)
def _(g: Any, out: Any, x: Any, *, kernel: int, stride: int, padding: int) -> Any:
    size = x.shape[-2:]
    return (overlap_add(g, size=size, kernel=kernel, stride=stride, padding=padding),)


@rule(overlap_add)
def _(g: Any, out: Any, patches: Any, *, size: Any, kernel: int, stride: int, padding: int) -> Any:
    return (windows(g, kernel=kernel, stride=stride, padding=padding),)


def reach(layer: Layer, sizes: Inner, kernel: int, stride: int, padding: int) -> Inner:
    """Height and width after a window has passed over an image (rounded down)."""
    found = [None if s is None else (s + 2 * padding - kernel) // stride + 1 for s in sizes]
    if any(size is not None and size < 1 for size in found):
        raise ShapeError(
            f"{layer!r}: got images of {sizes[0]} x {sizes[1]}, smaller than its window; "
            "expected at least the kernel's size, padding included"
        )
    return tuple(found)


@dataclass(frozen=True, repr=False)
class Conv2d(Layer):
    """Cross-correlation with `outputs` filters of kernel x kernel pixels, as in PyTorch.

    x (..., N, inputs, H, W) → (..., N, outputs, H', W') with H' = (H + 2·padding - kernel) //
    stride + 1; zeros around the image. weight (outputs, inputs, kernel, kernel), bias (outputs,).

    Raises:
        ShapeError: an image smaller than the kernel.

    >>> import tinygrad_landscape as tl
    >>> net = tl.Network(tl.Conv2d(1, 8, 3, padding=1), tl.ReLU(), tl.MaxPool2d(2), input=(1, 8, 8))
    >>> theta, x = net.init(), tl.data.digits(image=True).x
    >>> net.unpack(theta)["0.weight"].shape, net(theta, x).shape
    ((8, 1, 3, 3), (1797, 8, 4, 4))
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        whole(self, "inputs", "outputs", "kernel", "stride")
        whole(self, "padding", least=0)

    @property
    def expects(self) -> Inner:  # type: ignore[override]
        return (self.inputs, None, None)

    def parameters(self) -> tuple[Parameter, ...]:
        area = self.kernel * self.kernel
        weight = (self.outputs, self.inputs, self.kernel, self.kernel)
        matrix = (self.outputs, self.inputs * area)
        fans = (self.inputs * area, self.outputs * area)
        return (
            Parameter("weight", weight, matrix, fans, (1, 2, 3)),
            Parameter("bias", (self.outputs,), (self.outputs, 1)),
        )

    def shape(self, inner: Inner) -> Inner:
        return (self.outputs, *reach(self, inner[-2:], self.kernel, self.stride, self.padding))

    def __call__(self, x: Array, *parameters: Array) -> Array:
        weight, bias = parameters  # as the matrix (..., outputs, inputs·k·k) and (..., outputs, 1)
        self.shape(x.shape[-3:])
        patches = windows(x, kernel=self.kernel, stride=self.stride, padding=self.padding)
        lead, place = patches.shape[:-5], patches.shape[-3:]
        columns = patches.reshape((*lead, weight.shape[-1], -1))
        y = weight @ columns + bias
        return y.reshape((*y.shape[:-1], *place)).swapaxes(-4, -3)


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """What both poolings share: a window of kernel x kernel that moves by `stride`."""

    kernel: int
    stride: int | None = None
    expects = (None, None, None)

    def __post_init__(self) -> None:
        whole(self, "kernel")
        if self.stride is not None:
            whole(self, "stride")

    def shape(self, inner: Inner) -> Inner:
        return (inner[0], *reach(self, inner[-2:], self.kernel, self.stride or self.kernel, 0))

    def patches(self, x: Array) -> Array:
        self.shape(x.shape[-3:])
        return windows(x, kernel=self.kernel, stride=self.stride or self.kernel, padding=0)


class MaxPool2d(Pool):
    """The largest value in each kernel x kernel window; by default windows do not overlap.

    x (..., N, C, H, W) → (..., N, C, H', W'); rows and columns that fill no window are dropped, as
    in PyTorch. Where several values are largest they share the gradient equally (PyTorch: the
    first).

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return np.max(self.patches(x), axis=-4).swapaxes(-4, -3)


class AvgPool2d(Pool):
    """The mean of each kernel x kernel window; by default windows do not overlap.

    x (..., N, C, H, W) → (..., N, C, H', W'), shapes as `MaxPool2d`.

    >>> import numpy as np, tinygrad_landscape as tl
    >>> tl.AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    def __call__(self, x: Array, *parameters: Array) -> Array:
        return np.mean(self.patches(x), axis=-4).swapaxes(-4, -3)
