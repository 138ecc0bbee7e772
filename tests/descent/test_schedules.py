"""Schedules: closed forms, exact ends, composition, and PyTorch's published formulas."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_landscape as tl

S = tl.schedules
ALL = [
    S.constant(0.5),
    S.step(10, 0.3),
    S.exponential(0.98),
    S.linear(50, end=0.1, start=0.7),
    S.cosine(50, floor=0.01),
    S.cosine_restarts(7, stretch=2, floor=0.05),
    S.cosine_restarts(7),
    S.one_cycle(50),
    S.triangular(9, low=0.3),
    S.warmup(5, S.cosine(45)),
    S.cosine(50) * S.step(10),
]


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_one_step_or_many_is_the_same(schedule):
    steps = np.arange(120)
    many = schedule(steps)
    assert many.shape == (120,) and many.dtype == np.float64
    one = [schedule(int(t)) for t in steps]
    assert all(type(v) is float for v in one)
    np.testing.assert_allclose(many, one, rtol=1e-14)
    assert (many >= 0.0).all() and (many <= 1.0).all()


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_pickle_and_equality(schedule):
    twin = pickle.loads(pickle.dumps(schedule))
    assert twin == schedule and repr(twin) == repr(schedule)


lengths, factors = st.integers(1, 10_000), st.floats(0.0, 1.0)


@given(n=lengths, floor=factors)
def test_cosine_is_exact_at_both_ends(n, floor):
    f = S.cosine(n, floor)
    assert f(0) == 1.0 and f(n) == floor and f(n + 1) == floor
    for t in range(0, n, max(1, n // 7)):  # torch.optim.lr_scheduler.CosineAnnealingLR
        wanted = floor + (1.0 - floor) * (1.0 + math.cos(math.pi * t / n)) / 2.0
        assert f(t) == pytest.approx(wanted, abs=1e-12)


@given(n=lengths, start=factors, end=factors)
def test_linear_is_exact_at_both_ends(n, start, end):
    f = S.linear(n, end, start)
    assert f(0) == start and f(n) == end and f(10 * n) == end
    assert f(n / 2) == pytest.approx((start + end) / 2)


@given(n=st.integers(2, 10_000), start=factors, end=factors)
def test_one_cycle_is_exact_at_its_ends_and_its_top(n, start, end):
    f = S.one_cycle(n, rise=0.5, start=start, end=end)
    assert f(0) == start and f(n / 2) == 1.0 and f(n) == end


@given(n=st.integers(1, 1000), start=factors, floor=factors)
def test_warmup_starts_and_hands_over_exactly(n, start, floor):
    f = S.warmup(n, S.cosine(100, floor), start)
    assert f(0) == start and f(n) == 1.0 and f(n + 100) == floor
    np.testing.assert_array_equal(f(np.arange(n, n + 50)), S.cosine(100, floor)(np.arange(50)))
    assert f(n / 2) == pytest.approx((start + 1.0) / 2.0)


@given(period=st.integers(1, 50), stretch=st.integers(1, 4), cycles=st.integers(1, 6))
def test_cosine_restarts_restart_exactly(period, stretch, cycles):
    f = S.cosine_restarts(period, stretch, floor=0.25)
    begin = 0
    for k in range(cycles):
        length = period * stretch**k
        assert f(begin) == 1.0
        if length > 1:
            within = (1.0 + math.cos(math.pi * (length - 1) / length)) / 2.0
            assert f(begin + length - 1) == pytest.approx(0.25 + 0.75 * within, abs=1e-12)
        begin += length


def test_step_and_exponential():
    assert S.step(3, 0.5)(np.arange(7)).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    np.testing.assert_allclose(S.exponential(0.9)(np.arange(5)), [0.9**k for k in range(5)])


def test_triangular_repeats():
    f = S.triangular(10, low=0.2)
    assert f(0) == f(10) == f(20) == 0.2 and f(5) == f(15) == 1.0
    assert f(2) == pytest.approx(0.52) and f(8) == pytest.approx(0.52)


def test_products_compose():
    f = 0.5 * S.cosine(10) * S.step(5, 0.1)
    assert f(5) == pytest.approx(0.5 * 0.5 * 0.1)
    assert (S.cosine(10) * (lambda t: 2.0 + 0 * t))(0) == 2.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: S.constant(-1.0),
        lambda: S.step(0),
        lambda: S.exponential(0.0),
        lambda: S.linear(0),
        lambda: S.cosine(0),
        lambda: S.cosine(10, floor=-0.1),
        lambda: S.cosine_restarts(5, stretch=0),
        lambda: S.one_cycle(100, rise=1.0),
        lambda: S.triangular(1),
        lambda: S.warmup(0),
        lambda: S.warmup(5, 0.1),
    ],
)
def test_nonsense_is_refused(make):
    with pytest.raises(tl.ParameterError, match="expected"):
        make()


BOWL = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))


def test_descend_multiplies_the_learning_rate():
    """On a bowl of curvature 1 each step multiplies by 1 - lr * factor."""
    f = S.warmup(3, S.cosine(7))
    walk = tl.descend(BOWL, [1.0, -2.0], tl.optim.SGD(0.3), steps=10, schedule=f)
    shrink = np.cumprod([1.0 - 0.3 * f(t) for t in range(10)])
    np.testing.assert_allclose(walk.points[1:, 0], shrink, rtol=1e-13)


def test_any_function_of_the_step_is_a_schedule():
    walk = tl.descend(
        BOWL, [1.0, 0.0], tl.optim.SGD(0.5), steps=3, schedule=lambda t: 1.0 / (t + 1)
    )
    assert walk.end[0] == pytest.approx(0.5 * (1 - 0.25) * (1 - 0.5 / 3))


@pytest.mark.parametrize("factor", [-0.1, math.nan, math.inf])
def test_a_schedule_that_gives_nonsense_is_refused(factor):
    with pytest.raises(tl.ParameterError, match="at step 0; expected a factor >= 0"):
        tl.descend(BOWL, [1.0, 0.0], tl.optim.SGD(0.5), steps=3, schedule=lambda t: factor)
