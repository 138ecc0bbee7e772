"""Curves show every recorded loss, tell runs apart twice, and mark where a walk fell."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.draw.ground import walk
from tinygrad_landscape import draw
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.surveying import Line, Profile

RUN = walk(np.ones((5, 2)), [4.0, 3.0, 2.0, 1.0, 0.5])
STEEP = walk(np.ones((5, 2)), [1.0, 0.1, 0.01, 1e-3, 1e-4])


def test_the_curve_is_the_recorded_losses():
    picture = draw.losses(RUN)
    assert np.allclose(picture["loss"].get_ydata(), RUN.losses)
    assert np.allclose(picture["loss"].get_xdata(), RUN.steps)


def test_log_height_only_where_losses_are_positive_and_wide():
    assert draw.losses(RUN).ax.get_yscale() == "linear"
    assert draw.losses(STEEP).ax.get_yscale() == "log"
    below = walk(np.ones((3, 2)), [1.0, 0.01, -1.0])
    assert draw.losses(below).ax.get_yscale() == "linear"
    assert "log height" in draw.losses(STEEP).describe()


def test_runs_differ_by_colour_line_and_marker():
    picture = draw.losses({"plain": RUN, "steep": STEEP})
    one, two = picture["plain"], picture["steep"]
    assert one.get_color() != two.get_color()
    assert one.get_marker() != two.get_marker()
    assert one._unscaled_dash_pattern != two._unscaled_dash_pattern
    assert [t.get_text() for t in picture.ax.get_legend().get_texts()] == ["plain", "steep"]


def test_many_walkers_are_drawn_without_a_legend():
    many = walk(np.ones((4, 30, 2)), np.ones((4, 30)))
    picture = draw.losses(many)
    assert len(picture) == 30 and picture.ax.get_legend() is None


def test_a_cross_marks_where_a_walk_fell():
    fallen = walk(np.ones((5, 2)), [1.0, 10.0, 1e5, np.nan, np.nan], fell=3)
    (mark,) = [line for line in draw.losses(fallen).ax.lines if line.get_marker() == "X"]
    assert (mark.get_xdata(), mark.get_ydata()) == ([2], [1e5])


def test_on_the_readers_axes():
    ax = Figure().add_subplot()
    assert draw.losses([RUN, STEEP], ax=ax).ax is ax


@pytest.mark.parametrize("nothing", [[], {}])
def test_no_walk_is_refused(nothing):
    with pytest.raises(ParameterError, match="no walk"):
        draw.losses(nothing)


def test_an_unknown_height_is_refused():
    with pytest.raises(ParameterError, match="auto, linear or log"):
        draw.losses(RUN, height="sqrt")


def test_a_profile_has_gaps_where_nothing_is_known():
    line = Line.between([0.0, 0.0], [1.0, 1.0])
    t = np.linspace(0.0, 1.0, 5)
    done = np.array([True, True, True, True, False])
    profile = Profile(t, {"loss": np.array([1.0, np.inf, 0.0, 2.0, 9.0])}, line, done)
    picture = draw.profile(profile)
    assert np.isnan(picture["profile"].get_ydata()).tolist() == [False, True, False, False, True]
    assert "from p at t = 0" in picture.describe()
