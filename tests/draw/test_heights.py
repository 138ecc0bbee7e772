"""Heights become colours on a scale that can be undone, is chosen by rule, and is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_landscape.draw.heights import Heights
from tinygrad_landscape.engine.errors import ParameterError

heights = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30).map(np.array)


@given(heights, st.sampled_from(["linear", "sqrt", "log"]))
def test_inverse_undoes_forward_above_the_floor(values, name):
    scale = Heights.of(values, name)
    inside = np.linspace(max(scale.low, scale.base + scale.floor), scale.high, 11)
    back = scale.inverse(scale.forward(inside))
    assert np.allclose(back, inside, rtol=1e-9, atol=1e-9 * (scale.high - scale.low))


@given(heights, st.sampled_from(["auto", "linear", "sqrt", "log"]))
def test_levels_rise_strictly_and_reach_both_ends(values, name):
    scale = Heights.of(values, name)
    levels = scale.levels(33)
    assert (np.diff(levels) > 0).all()
    assert levels[0] == scale.low and levels[-1] == scale.high
    assert set(scale.ticks()) and len(set(scale.ticks())) == len(scale.ticks())


@given(heights, st.sampled_from(["sqrt", "log"]))
def test_levels_are_evenly_spaced_on_the_scale(values, name):
    scale = Heights.of(values, name)
    steps = np.diff(scale.forward(scale.levels(9)))
    assert np.allclose(steps, steps[-1], rtol=1e-6, atol=1e-6 * abs(steps).max())


@pytest.mark.parametrize(
    ("power", "expected"),
    [(1, "linear"), (4, "sqrt"), (9, "log")],
    ids=["plain", "walls", "cliffs"],
)
def test_auto_goes_by_how_steep_the_walls_are(power, expected):
    assert Heights.of(np.linspace(0.01, 1.0, 101) ** power).scale == expected


def test_infinity_and_nan_do_not_count():
    assert Heights.of(np.array([np.nan, 1.0, np.inf, 3.0])).high == 3.0
    assert Heights.of(np.array([np.nan])).describe()


def test_clipping_is_said():
    assert Heights.of(np.arange(10.0), "linear", clip=4.0).describe() == (
        "linear height, clipped at 4"
    )
    assert Heights.of(np.arange(10.0), "linear", clip=40.0).describe() == "linear height"


def test_a_log_scale_of_negative_heights_says_where_it_starts():
    assert Heights.of(np.array([-5.0, 1.0]), "log").describe() == "log height above -5"


def test_an_unknown_scale_is_refused():
    with pytest.raises(ParameterError, match="expected one of auto, linear, sqrt, log"):
        Heights.of(np.arange(3.0), "cubic")
