"""Graphs: boxes never overlap, steps show what has happened, and numbers are the engine's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.isotonic import IsotonicRegression

import tinygrad_landscape as tl
from tinygrad_landscape import draw
from tinygrad_landscape.draw.graph_layout import GAP, _spread, laid_out
from tinygrad_landscape.draw.graph_steps import Moment
from tinygrad_landscape.engine.errors import ParameterError


def neuron():
    """(w tanh(v x) - y)^2 with x = 2, y = 0.5: two leaves, three constants, one square."""
    v, w = tl.Tensor(0.5), tl.Tensor(-1.2)
    h = np.tanh(v * 2.0)
    r = w * h - 0.5
    return (r * r).graph(names={"v": v, "w": w, "h": h, "r": r})


def words(picture):
    return [text.get_text() for text in picture.ax.findobj(Text) if text.get_text()]


@st.composite
def computations(draw):
    """Nodes in order of computation, each using some earlier ones, one of them maybe twice."""
    count = draw(st.integers(1, 14))
    edges = []
    for target in range(1, count):
        for _ in range(draw(st.integers(0, 3))):
            edges.append((draw(st.integers(0, target - 1)), target))
    return count, edges


# Layout -------------------------------------------------------------------------------------------


@given(computations())
def test_every_arrow_goes_to_the_right_and_passes_every_column_between(computation):
    count, edges = computation
    layout = laid_out(count, edges)
    for (source, target), stops in zip(edges, layout.stops, strict=True):
        left, right = layout.places[source][0], layout.places[target][0]
        assert left < right
        assert [column for column, _ in stops] == list(range(left + 1, right))


@given(computations())
def test_no_two_boxes_overlap_and_all_lie_inside(computation):
    count, edges = computation
    layout = laid_out(count, edges)
    for column in range(layout.columns):
        rows = sorted(row for here, row in layout.places if here == column)
        assert (np.diff(rows) >= GAP - 1e-9).all()
    assert all(0 <= column < layout.columns for column, _ in layout.places)
    assert all(-1e-9 <= row <= layout.rows - 1 + 1e-9 for _, row in layout.places)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9))
def test_rows_are_spread_as_isotonic_regression_would(wanted):
    gaps = [1.0] * (len(wanted) - 1)
    offsets = np.arange(len(wanted))
    oracle = IsotonicRegression().fit_transform(offsets, np.array(wanted) - offsets) + offsets
    assert np.allclose(_spread(wanted, gaps), oracle, atol=1e-9)


def test_a_weight_stands_beside_its_first_use():
    graph = neuron()
    columns = {node.label: laid_out(len(graph.nodes), [(e.source, e.target) for e in graph.edges])
               .places[k][0] for k, node in enumerate(graph.nodes)}  # fmt: skip
    assert columns["w"] == columns["h"]  # both are used by the same multiplication


# Steps --------------------------------------------------------------------------------------------


@given(st.integers(0, 25))
def test_a_step_shows_the_first_nodes_and_then_the_first_edges(step):
    graph = neuron()
    moment = Moment.of(graph, step)
    carried = [k for k, edge in enumerate(graph.edges) if edge.contribution is not None]
    assert moment.nodes == min(step, len(graph.nodes))
    assert list(moment.travelled) == carried[: max(0, step - len(graph.nodes))]


def test_at_the_end_every_gradient_has_arrived():
    graph = neuron()
    arrived = Moment.of(graph, None).arrived
    assert set(arrived) == {k for k, n in enumerate(graph.nodes) if n.gradient is not None}
    for k, gradient in arrived.items():
        assert np.array_equal(gradient, graph.nodes[k].gradient)


def test_what_has_not_happened_is_faint_and_without_numbers():
    graph = neuron()
    picture = draw.graph(graph, step=3)
    faint = [picture[f"node {k}"].get_alpha() < 0.5 for k in range(len(graph.nodes))]
    assert faint == [False] * 3 + [True] * (len(graph.nodes) - 3)
    last = graph.nodes[-1]
    assert f"{last.value.item():.3g}" not in words(picture)[6:]
    assert not any(text.startswith(("gradient", "×")) for text in words(picture))


def test_going_back_shows_factor_and_contribution_on_the_edge():
    graph = neuron()
    picture = draw.graph(graph, step=len(graph.nodes) + 1)
    first = graph.edges[0]
    shown = f"× {first.factor.item():.3g}\n= {first.contribution.item():.3g}"
    assert [text for text in words(picture) if text.startswith("×")] == [shown]
    assert (
        picture["edge 0"].get_linestyle() != picture[f"edge {len(graph.edges) - 1}"].get_linestyle()
    )


def test_gradients_that_meet_are_added_and_the_words_say_so():
    a = tl.Tensor(3.0)
    graph = (a * a).graph(names={"a": a})
    assert draw.graph(graph, step=3).describe() == (
        "Step 3: the gradient 1 of multiply goes back to a, times 3, as 3."
    )
    last = draw.graph(graph, step=4)
    assert "added to what came before: 6. The way back is complete." in last.describe()
    assert "gradient 6" in words(last) and "gradient 3" in words(draw.graph(graph, step=3))


@pytest.mark.parametrize(
    "step, said",
    [
        (0, "nothing is computed yet"),
        (1, "Step 1: v is given, 0.5."),
        (3, "Step 3: the constant 2 is given."),
        (4, "Step 4: multiply of v, 2 is 1."),
        (5, "Step 5: tanh of multiply is 0.762."),
        (None, "Left to right: values."),
    ],
)
def test_every_step_is_told(step, said):
    assert said in draw.graph(neuron(), step=step).describe()


def test_a_step_beyond_the_end_shows_everything():
    graph = neuron()
    late = draw.graph(graph, step=1000)
    assert sorted(words(late))[:-1] != [] and "complete" in late.describe()
    shown = [text for text in words(late) if text.startswith("gradient")]
    assert len(shown) == sum(node.gradient is not None for node in graph.nodes)


# The picture --------------------------------------------------------------------------------------


def test_constants_are_dashed_and_carry_no_gradient():
    graph = neuron()
    picture = draw.graph(graph)
    for k, node in enumerate(graph.nodes):
        constant = node.gradient is None
        assert (picture[f"node {k}"].get_linestyle() != "-") == constant
    used = [k for k, edge in enumerate(graph.edges) if edge.contribution is None]
    assert used and all(picture[f"edge {k}"].get_linestyle() == "-" for k in used)


def test_a_whole_network_is_drawn_with_shapes_instead_of_numbers():
    net = tl.Network(tl.Linear(2, 3), tl.Tanh(), tl.Linear(3, 1))
    loss = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(20))
    theta = tl.Tensor(net.init(seed=0))
    picture = draw.graph(loss(theta, batch=[0]).graph(names={"theta": theta}))
    assert any("4 results" in text for text in words(picture))
    assert any(text.startswith("× Jacobian") for text in words(picture))
    picture._repr_png_()


def test_letters_shrink_to_fit_the_readers_axes():
    figure = Figure(figsize=(4, 2))
    small = draw.graph(neuron(), ax=figure.add_subplot())
    sizes = {text.get_fontsize() for text in small.ax.texts if text.get_text().startswith("×")}
    own = {text.get_fontsize() for text in draw.graph(neuron()).ax.texts
           if text.get_text().startswith("×")}  # fmt: skip
    assert max(sizes) < min(own)


def test_words_stay_inside_their_boxes():
    picture = draw.graph(neuron())
    picture.figure.draw_without_rendering()
    boxes = [artist for name, artist in picture.artists.items() if name.startswith("node")]
    frames = [box.get_window_extent() for box in boxes]
    for text in picture.ax.texts:
        if text.get_zorder() == 4 and text.get_text():
            area = text.get_window_extent()
            assert any(
                f.x0 <= area.x0 and area.x1 <= f.x1 and f.y0 <= area.y0 and area.y1 <= f.y1
                for f in frames
            ), text.get_text()


def test_too_many_nodes_and_negative_steps_are_refused():
    total = tl.Tensor(1.0)
    for _ in range(100):
        total = np.tanh(total)
    with pytest.raises(ParameterError, match=r"101 nodes; expected at most 80.*dot"):
        draw.graph(total.graph())
    with pytest.raises(ParameterError, match="step=-1"):
        draw.graph(neuron(), step=-1)
