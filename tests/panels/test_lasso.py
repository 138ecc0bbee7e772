"""The lasso: turns of the gradient against points that are known, drawn and typed loops."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import Basins
from tinygrad_landscape.panels.lasso import along, area, read, rounds, simplified

P4 = tl.formulas.sine_neuron


@pytest.fixture(scope="module")
def opened():
    return Basins(preset="lasso", resolution=21)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def circle(x, y, r, count=80):
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)])


def test_the_frame_of_p4(panel):
    assert panel.turns == 4
    assert panel.inside == {"minimum": 9, "saddle": 15, "maximum": 10}
    assert panel.describe() == (
        "Along the loop the gradient turns 4 times. Inside are 9 minima, 15 saddles and 10 maxima: "
        "9 - 15 + 10 = 4."
    )


@pytest.mark.parametrize(
    ("centre", "counts"),
    [(P4.minima[0], (1, 0, 0)), (P4.maxima[0], (0, 0, 1)), (P4.saddles[0], (0, 1, 0)),
     ((3.9, 0.1), (0, 0, 0))],
)  # fmt: skip
def test_one_point_at_a_time(panel, centre, counts):
    panel.player.loop = circle(*centre, 0.08, 12).tolist()
    assert tuple(panel.inside.values()) == counts
    assert panel.turns == counts[0] - counts[1] + counts[2]


def test_random_loops_agree_with_the_points_inside(panel):
    rng = np.random.default_rng(0)
    for _ in range(12):
        loop = circle(*rng.uniform(-2.5, 2.5, 2), 1.0) + 0.0
        loop += rng.uniform(-0.05, 0.05, loop.shape)
        panel.player.loop = loop.tolist()
        counts = list(panel.inside.values())
        assert panel.turns == counts[0] - counts[1] + counts[2]
        assert len(read(panel.state["corners"])) <= 24


def test_the_way_ends_where_the_turns_say(panel):
    panel.player.loop = circle(0.0, 0.0, 2.2).tolist()
    turned = panel.player.scene.layers["turned"].data[:, 0]
    assert turned[0, 1] == 0.0 and turned[-1, 1] == pytest.approx(panel.turns, abs=1e-6)
    bottom, top = panel.player.scene.axes["turns"].get_ylim()
    assert bottom <= turned[:, 1].min() and turned[:, 1].max() <= top
    arrows = panel.player.scene.layers["arrow"].data[:, 0]
    slope = P4.gradient(arrows[50, :2])
    assert np.allclose(
        arrows[50, 2:] / np.linalg.norm(arrows[50, 2:]), slope / np.linalg.norm(slope)
    )


def test_the_direction_of_travel_does_not_matter(panel):
    there = circle(1.0, 0.5, 1.7)
    panel.player.loop = there.tolist()
    once = panel.turns, panel.inside
    panel.player.loop = there[::-1].tolist()
    assert (panel.turns, panel.inside) == once


def test_a_code_shows_the_same_again(panel):
    panel.player.loop = circle(1.0, 0.5, 1.7).tolist()
    code, sentence = panel.code, panel.describe()
    panel.reset()
    assert panel.turns == 4
    panel.load(code)
    assert panel.describe() == sentence


def test_degenerate_points_are_not_hidden():
    """Round a monkey saddle the gradient turns -2 times, which no count of kinds explains."""
    panel = Basins(tl.formulas.monkey_saddle, preset="lasso", resolution=11)
    assert panel.turns == -2 and panel.inside["saddle"] == 1
    assert "That is not -2: points that count -1 together are degenerate" in panel.describe()


def test_points_are_found_without_being_told():
    told = tl.Landscape.from_function(lambda p: P4(p), 2)
    panel = Basins(told, preset="lasso", extent=4.0, resolution=41)
    assert panel.inside == {"minimum": 9, "saddle": 15, "maximum": 10}


def test_a_loop_through_a_critical_point_is_refused_and_said(panel):
    with pytest.raises(ParameterError, match="move the loop a little"):
        panel.controls["corners"].value = "2 0.6, 3 0.6, 3 2"
    assert "ove the loop a little" in panel._error.value
    panel.controls["corners"].value = "2.1 0.6, 3 0.6, 3 2"
    assert panel._error.value == ""


@pytest.mark.parametrize("text", ["", "1 2, 3 4", "1 2, 3 4, 5", "a b, 1 2, 3 4", "0 0, 1 1, 2 2"])
def test_what_is_no_loop_is_refused(panel, text):
    with pytest.raises(ParameterError):
        panel.controls["corners"].value = text


# Loops --------------------------------------------------------------------------------------------


def test_drawn_loops_keep_their_shape_with_few_corners():
    loop = circle(0.0, 0.0, 1.0, 300)
    few = simplified(loop, 0.01)
    assert 8 <= len(few) <= 24 and area(few) == pytest.approx(np.pi, rel=0.03)
    square = along(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), 200)[:-1]
    assert len(simplified(square, 0.01)) <= 6 and area(simplified(square, 0.01)) == pytest.approx(1)


def test_rounds_of_a_loop_that_crosses_itself():
    eight = np.array([[-2.0, -1.0], [2.0, 1.0], [2.0, -1.0], [-2.0, 1.2]])
    times = rounds(eight, np.array([[-1.5, 0.0], [1.5, 0.0], [0.0, 3.0]]))
    assert sorted(times.tolist()) == [-1, 0, 1]
    twice = np.concatenate([circle(0.0, 0.0, 1.0), circle(0.0, 0.0, 2.0)])
    assert rounds(twice, np.array([[0.0, 0.0], [1.5, 0.0]])).tolist() == [2, 1]
