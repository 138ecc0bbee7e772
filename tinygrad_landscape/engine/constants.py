"""Functions whose result does not change smoothly with their input, and so has no gradient.

They answer with plain arrays. Standing in one table, they are constants on purpose: a function in
no table at all is refused, because a silent constant is a wrong gradient.
"""

from __future__ import annotations

import numpy as np

from .calls import CONSTANTS, composite

# fmt: off
CONSTANTS.update({
    # comparisons and logic
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and,
    np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite, np.isneginf,
    np.isposinf, np.signbit, np.all, np.any, np.allclose, np.isclose, np.array_equal,
    np.array_equiv, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj,
    # steps: flat wherever they have a slope
    np.sign, np.heaviside, np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix,
    np.floor_divide,
    # places and counts
    np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero,
    np.count_nonzero, np.searchsorted, np.digitize, np.lexsort, np.nanargmax, np.nanargmin,
    # shapes, types, blanks, text
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type,
    np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.array2string,
})
# fmt: on


@composite(np.full_like)
def _(a, fill_value):
    return fill_value * np.ones(np.shape(a), a.dtype)
