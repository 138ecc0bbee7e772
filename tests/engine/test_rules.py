"""Every rule, in every kind of call: the value is NumPy's, and the derivatives are right."""

import numpy as np
import pytest

import tinygrad_landscape as tl

from .cases import CALLS


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_value_is_numpys(case):
    """The same numbers, shapes and dtypes as for plain arrays; nothing passed in is changed."""
    arrays = case.arrays
    before = [x.copy() for x in arrays]
    expected, got = case(*arrays), case(*map(tl.Tensor, arrays))
    several = isinstance(expected, list | tuple)
    for e, g in zip(expected, got, strict=True) if several else [(expected, got)]:
        assert type(g) is tl.Tensor and g.shape == np.shape(e) and g.dtype == np.asarray(e).dtype
        np.testing.assert_allclose(g.numpy(), e, rtol=1e-13, atol=1e-14)
    assert all(np.array_equal(x, b) for x, b in zip(arrays, before))


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_derivatives_are_right_to_order_three(case):
    tl.check_gradients(case.flat, *case.arrays, order=3, rtol=2e-6, atol=2e-7)
