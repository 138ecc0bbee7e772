"""The tables: nothing in them goes untested, every test would notice a fault, nothing is redefined.

Faults are planted here by exchanging an entry of the table for the time of a test.
"""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.calls import (
    ALIASES,
    COMPOSITES,
    CONSTANTS,
    RULES,
    composite,
    rule,
    spelled,
)

from .cases import CALLS


def is_ours(function) -> bool:
    """Rather than a primitive of a network, or of a test."""
    home = getattr(function, "__module__", None) or "numpy"
    return home.startswith(("numpy", "tinygrad_landscape.engine"))


# looked up before any test, or example in a docstring, adds a rule of its own
RULED = [f for f in RULES if is_ours(f)]
COMPOSED = [f for f in COMPOSITES if is_ours(f)]
FIRST_CASE = {case.function: case for case in reversed(CALLS)}


def test_every_function_of_the_tables_has_a_case():
    missing = {spelled(f) for f in [*RULED, *COMPOSED]} - {spelled(f) for f in FIRST_CASE}
    assert not missing, "add a line to CALLS in tests/engine/cases.py"


def test_every_function_has_one_meaning():
    tables = [set(RULES), set(COMPOSITES), set(CONSTANTS), set(ALIASES)]
    assert sum(map(len, tables)) == len(set.union(*tables))
    assert all(f in RULES or f in COMPOSITES for f in ALIASES.values())


# ---- planted faults ----


def altered(body, change):
    """A rule whose gradients are all changed in the same way."""

    def planted(g, out, *tensors, **options):
        parts = body(g, out, *tensors, **options)
        parts = [part() if callable(part) else part for part in parts]
        return tuple(None if part is None else change(part) for part in parts)

    return planted


def squared(case):
    """Even a linear function has second derivatives, once it is squared."""
    return lambda *arrays: np.square(case.flat(*arrays))


@pytest.mark.parametrize("function", RULED, ids=spelled)
def test_a_rule_that_is_five_in_ten_thousand_off_is_noticed(function, monkeypatch):
    case = FIRST_CASE[function]
    monkeypatch.setattr(
        RULES[function], "body", altered(RULES[function].body, lambda g: 1.0005 * g)
    )
    with pytest.raises(tl.GradientError, match="order 1"):
        tl.check_gradients(squared(case), *case.arrays, order=1)


@pytest.mark.parametrize("function", RULED, ids=spelled)
def test_a_rule_that_is_wrong_at_order_two_only_is_noticed(function, monkeypatch):
    def one_in_a_thousand_too_steep(g):
        return g + 0.001 * (g - g.data) if type(g) is tl.Tensor else g

    case = FIRST_CASE[function]
    planted = altered(RULES[function].body, one_in_a_thousand_too_steep)
    monkeypatch.setattr(RULES[function], "body", planted)
    tl.check_gradients(squared(case), *case.arrays, order=1)
    with pytest.raises(tl.GradientError, match="order 2"):
        tl.check_gradients(squared(case), *case.arrays, order=2)


@pytest.mark.parametrize("function", COMPOSED, ids=spelled)
def test_the_case_of_a_composite_goes_through_its_composition(function, monkeypatch):
    class Reached(Exception):
        pass

    def body(*args, **kwargs):
        raise Reached

    case = FIRST_CASE[function]
    monkeypatch.setattr(COMPOSITES[function], "body", body)
    with pytest.raises(Reached):
        case(*map(tl.Tensor, case.arrays))


# ---- adding is allowed, changing is not ----


@pytest.mark.parametrize("function", [np.tanh, np.std, np.argmax, np.linalg.matmul], ids=spelled)
@pytest.mark.parametrize("register", [rule, composite], ids=["rule", "composite"])
def test_a_function_cannot_be_given_a_second_meaning(function, register):
    before = RULES.get(function), COMPOSITES.get(function)
    with pytest.raises(ValueError, match=rf"{function.__name__} is registered already"):

        @register(function)
        def _(g, out, x):
            return (g,)

    assert (RULES.get(function), COMPOSITES.get(function)) == before


def test_an_alias_answers_as_its_twin():
    t, u = tl.Tensor([[1.0, 2.0]]), tl.Tensor([[3.0], [4.0]])
    assert np.linalg.matmul(t, u).item() == 11.0
    assert np.linalg.tensordot(t, u, axes=1).item() == 11.0
    assert np.linalg.outer(t[0], u[:, 0]).data.tolist() == [[3.0, 4.0], [6.0, 8.0]]
    assert np.linalg.vecdot(t, u.T).item() == 11.0
    assert np.linalg.vecdot(t.T, u, axis=0).item() == 11.0


# ---- constants: every one of them, with the same answer as NumPy's, in plain arrays ----

X = np.array([[-1.5, 0.0, 2.5], [np.inf, 1.0, 1.0]])
UP = np.array([-1.0, 0.5, 2.0])
PAIRS = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and,
    np.logical_or, np.logical_xor, np.heaviside, np.floor_divide, np.allclose, np.isclose,
    np.array_equal, np.array_equiv, np.result_type, np.may_share_memory, np.shares_memory,
}  # fmt: skip
SPECIAL = {
    np.argpartition: (X, 1), np.searchsorted: (UP, X), np.digitize: (X, UP), np.lexsort: ((UP,),),
    np.can_cast: (X.dtype, "f4"), np.min_scalar_type: (X,), np.common_type: (X, UP),
}  # fmt: skip


@pytest.mark.parametrize("function", sorted(CONSTANTS, key=spelled), ids=spelled)
def test_a_constant_answers_as_for_arrays_and_never_with_a_tensor(function):
    args = SPECIAL.get(function, (X, UP) if function in PAIRS else (X,))
    boxed = [tl.Tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    if function is np.lexsort:
        boxed = [(tl.Tensor(UP),)]
    with np.errstate(invalid="ignore"):
        expected, got = function(*args), function(*boxed)
    if function is np.empty_like:
        expected = got = got.shape
    for e, g in zip(expected, got) if isinstance(expected, tuple) else [(expected, got)]:
        assert type(g) is type(e)
        np.testing.assert_array_equal(g, e)
