"""Shapes, axes and broadcasts that nobody thought of: hypothesis does.

The claim is `cases.agrees`: whatever the arguments, a function of Tensors gives NumPy's numbers, or
refuses where NumPy refuses, and its derivatives are right to order two.
"""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape.engine.calls import spelled

from .cases import BINARY, REDUCTIONS, UNARY, agrees, matrix, positive, real, rewind

shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
solid = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)
some = settings(max_examples=12)


@pytest.mark.parametrize("function", UNARY, ids=spelled)
@settings(max_examples=5)
@given(shape=shapes)
def test_functions_of_one_array(function, shape):
    rewind()
    agrees(function, UNARY[function](*shape))


@pytest.mark.parametrize("function", BINARY, ids=spelled)
@settings(max_examples=10)
@given(drawn=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_functions_of_two_arrays_that_broadcast(function, drawn):
    rewind()
    left, right = (make(*shape) for make, shape in zip(BINARY[function], drawn.input_shapes))
    agrees(function, left, right)


def axes(shape):
    """Valid ones, and now and then one that is not there."""
    valid = st.none() | hnp.valid_tuple_axes(len(shape))
    return valid | st.integers(-len(shape) - 1, len(shape)) if shape else valid


@pytest.mark.parametrize(
    "function", [*REDUCTIONS, tl.logsumexp, np.linalg.vector_norm], ids=spelled
)
@settings(max_examples=10)
@given(data=st.data(), keepdims=st.booleans(), shape=shapes)
def test_reductions_along_any_axes(function, data, keepdims, shape):
    axis = data.draw(axes(shape))
    taken = shape if axis is None else np.array(shape)[np.array(axis, int) % max(len(shape), 1)]
    flat = function in (np.std, np.linalg.vector_norm) and np.prod(taken) <= 1  # a corner, at once
    empty = function in (np.mean, np.var, np.std, tl.logsumexp) and 0 in shape  # NaN or -inf
    assume(not flat and not empty)
    rewind()
    agrees(lambda x: function(x, axis=axis, keepdims=keepdims), real(*shape))


@some
@given(data=st.data(), shape=solid)
def test_functions_along_one_axis(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rewind()
    x = real(*shape)
    for f in (np.cumsum, np.sort, np.flip, np.diff, tl.softmax, tl.log_softmax):
        agrees(lambda x, f=f: f(x, axis=axis), x)
    agrees(lambda x: np.concatenate([x, 2.0 * x, x], axis=axis), x)
    agrees(lambda x: np.stack([x, -x], axis=axis), x)
    agrees(lambda x: np.array_split(x, 2, axis=axis)[0], x)
    agrees(lambda x: np.roll(x, 2, axis=axis), x)
    agrees(lambda x: np.repeat(x, 2, axis=axis), x)
    agrees(lambda x: np.take(x, [0, -1, 0], axis=axis), x)
    agrees(lambda x: np.take_along_axis(x, np.argsort(x, axis=axis), axis=axis), x)
    agrees(lambda x: np.expand_dims(x, axis), x)
    agrees(lambda x: np.linalg.norm(x, axis=axis, ord=3), x)
    agrees(lambda x: np.average(x, axis=axis, weights=np.arange(1.0, 1 + x.shape[axis])), x)


@some
@given(data=st.data(), shape=solid)
def test_rearrangements(data, shape):
    n = len(shape)
    order = tuple(data.draw(st.permutations(range(n))))
    signed = tuple(a - n * data.draw(st.booleans()) for a in order)
    i, j = (data.draw(st.integers(-n, n - 1)) for _ in range(2))
    reps = data.draw(st.lists(st.integers(0, 2), max_size=4))
    widths = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=n, max_size=n)
    )
    rewind()
    x = real(*shape)
    agrees(lambda x: np.transpose(x, signed), x)
    agrees(lambda x: np.moveaxis(x, signed, range(n)), x)
    agrees(lambda x: np.moveaxis(x, i, j), x)
    agrees(lambda x: np.swapaxes(x, i, j), x)
    agrees(lambda x: np.reshape(x, (*shape[::-1], 1)), x)
    agrees(lambda x: np.reshape(x, (-1, shape[0])), x)
    agrees(np.squeeze, x)
    agrees(lambda x: np.squeeze(x, axis=i), x)
    agrees(lambda x: np.tile(x, reps), x)
    agrees(lambda x: np.pad(x, widths, constant_values=1.5), x)
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        agrees(lambda x, mode=mode: np.pad(x, widths, mode=mode), x)
    agrees(lambda x: np.roll(x, [1, -2], axis=[i, j]), x)
    agrees(lambda x: np.diagonal(x, 1, i, j), x)
    agrees(lambda x: np.trace(x, -1, i, j), x)
    agrees(lambda x: np.tril(x, i), x)
    agrees(lambda x: np.triu(x, j), x)


@some
@given(drawn=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3))
def test_choices_broadcast(drawn):
    rewind()
    x, low, high = (real(*shape) for shape in drawn.input_shapes)
    agrees(lambda x, y: np.where(low > 0, x, y), x, high)
    agrees(np.clip, x, low, high)
    agrees(lambda x: np.broadcast_to(x, drawn.result_shape), x)
    agrees(lambda x, y: np.broadcast_arrays(x, y)[1], x, low)


# ---- products ----


@pytest.mark.parametrize("function", [np.matmul, np.vecdot], ids=spelled)
@some
@given(data=st.data())
def test_products_broadcast_over_leading_axes(function, data):
    signature = function.signature
    drawn = data.draw(
        hnp.mutually_broadcastable_shapes(signature=signature, max_dims=2, min_side=1, max_side=3)
    )
    rewind()
    agrees(function, *(real(*shape) for shape in drawn.input_shapes))


@settings(max_examples=60)
@given(left=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3),
       right=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))  # fmt: skip
def test_products_refuse_what_numpy_refuses(left, right):
    rewind()
    a, b = real(*left), real(*right)
    for function in (np.matmul, np.dot, np.inner, np.vdot, np.outer, np.vecdot):
        agrees(function, a, b, order=1)
    for count in range(3):
        agrees(lambda a, b, n=count: np.tensordot(a, b, axes=n), a, b, order=1)


letters = st.text("ijk", max_size=3)


@settings(max_examples=60)
@given(terms=st.lists(letters, min_size=1, max_size=3), data=st.data())
def test_einstein_sums(terms, data):
    """Letters repeated within a term, summed alone, in any order; dots; sizes one that spread."""
    dots = data.draw(st.booleans())
    sizes = {"i": 2, "j": 3, "k": 2}
    used = sorted(set("".join(terms)))
    output = data.draw(st.none() | st.permutations(used).map("".join))
    if output is not None:
        output = output[: data.draw(st.integers(0, len(output)))]
    lead = [(2,) * data.draw(st.integers(0, 1)) if dots else () for _ in terms]
    ones = [data.draw(st.sampled_from(["", "", "i", "j"])) for _ in terms]  # sizes that spread
    arrays = [
        real(*n, *(1 if c in one else sizes[c] for c in term))
        for n, term, one in zip(lead, terms, ones)
    ]
    subscripts = ",".join(("..." if dots else "") + term for term in terms)
    if output is not None:
        subscripts += "->" + ("..." if dots else "") + output
    agrees(lambda *xs: np.einsum(subscripts, *xs), *arrays)
    if output is not None:
        spelled_out = [[..., *map("ijk".index, term)] if dots else [*map("ijk".index, term)]
                       for term in (*terms, output)]  # fmt: skip
        pairs = [lambda xs: [y for x, s in zip(xs, spelled_out) for y in (x, s)]]
        agrees(lambda *xs: np.einsum(*pairs[0](xs), spelled_out[-1]), *arrays)


@some
@given(batch=hnp.array_shapes(min_dims=0, max_dims=2, max_side=2), n=st.integers(1, 3))
def test_linear_algebra_over_batches(batch, n):
    rewind()
    a = matrix(*batch, n, n)
    agrees(np.linalg.inv, a)
    agrees(np.linalg.det, a)
    agrees(lambda a: np.linalg.slogdet(a)[1], a)
    agrees(np.linalg.solve, a, real(n))
    agrees(np.linalg.solve, a, real(n, 2))
    agrees(lambda a: np.linalg.cholesky(a @ a.mT), a)
    agrees(np.linalg.matrix_norm, a)
    agrees(np.linalg.trace, a)
    agrees(np.linalg.diagonal, a)


@some
@given(points=hnp.array_shapes(min_dims=0, max_dims=2, max_side=2), data=st.data())
def test_a_layer_takes_other_points_as_leading_axes(points, data):
    rewind()
    x, weight, bias = real(3, 2), real(*points, 2, 2), positive(*points, 2)
    if data.draw(st.booleans()):
        x = real(*points, 3, 2)
    agrees(tl.linear, x, weight, bias)
    agrees(lambda x, w: tl.linear(x, w), x, weight)
