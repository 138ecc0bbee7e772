"""float32 comes back as float32, at both orders, and is not float64 in between.

One np.float64 scalar in a rule would quietly double the memory and halve the speed of a network.
"""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients
from tinygrad_landscape.engine.differentiate import ancestors
from tinygrad_landscape.engine.tensor import cast

from .cases import CALLS

WIDENED = {np.float_power, cast}  # they answer in float64 by themselves


def both_orders(case, dtype):
    """A value, its gradients, and the gradients of those squared, each as a Tensor."""
    tensors = [Tensor(x.astype(dtype)) for x in case.arrays]
    out = case(*tensors)
    parts = out if isinstance(out, list | tuple) else [out]
    y = sum(np.square(part).sum() for part in parts)
    first = gradients(y, tensors, create_graph=True)
    second = gradients(sum(np.square(g).sum() for g in first), tensors, create_graph=True)
    return [y, *first, *second]


@pytest.mark.parametrize("case", [c for c in CALLS if c.function not in WIDENED], ids=str)
def test_float32_stays_through_every_step_at_both_orders(case):
    single, double = both_orders(case, np.float32), both_orders(case, np.float64)
    for s, d in zip(single, double):
        for node in ancestors(s):
            data = node.data if isinstance(node.data, tuple) else (node.data,)
            assert all(part.dtype == np.float32 for part in data), node.function
        scale = 1.0 + np.abs(d.data).max(initial=0.0)
        np.testing.assert_allclose(s.data, d.data, rtol=2e-3, atol=1e-3 * scale)


@pytest.mark.parametrize("data", [np.float64, np.int64])
def test_gradients_have_the_dtype_of_their_input_whatever_they_met(data):
    """float64 data makes a float64 loss, as NumPy says, but not a float64 gradient of float32."""
    weights = Tensor(np.ones(3, np.float32))
    loss = np.sum((weights * np.arange(3, dtype=data)) ** 2)
    assert loss.dtype == np.float64
    loss.backward()
    assert weights.grad.dtype == np.float32
    [g] = gradients(np.sum((weights * np.arange(3, dtype=data)) ** 2), [weights], create_graph=True)
    assert g.dtype == np.float32


def test_functions_of_functions_keep_the_dtype_of_their_argument():
    x, v = np.ones(3, np.float32), np.ones(3)
    f = lambda x: np.sum(np.tanh(x) ** 3) / 2  # noqa: E731
    value, gradient = tl.value_and_grad(f)(x)
    results = [value, gradient, tl.hvp(f)(x, v), tl.hessian(f)(x), tl.jacobian(np.tanh)(x)]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_a_seed_takes_the_dtype_of_the_result():
    x = Tensor(np.ones(3, np.float32))
    assert gradients(np.tanh(x), [x], seed=[1.0, 2.0, 3.0])[0].dtype == np.float32
