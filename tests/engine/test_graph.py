"""The graph as data: along a path the local factors multiply, where paths meet the flows add."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients
from tinygrad_landscape.engine.graph import LARGEST_FACTOR


def slope_by_paths(graph, start):
    """Chain rule, as on a blackboard: products along each path, summed over all paths."""
    last = len(graph.nodes) - 1

    def onwards(place):
        if place == last:
            return 1.0
        return sum(float(e.factor) * onwards(e.target) for e in graph.edges if e.source == place)

    return onwards(start)


UNARY = [
    np.tanh,
    np.exp,
    np.sin,
    np.square,
    np.arctan,
    tl.relu,
    tl.sigmoid,
    tl.softplus,
    np.negative,
]
BINARY = [np.add, np.subtract, np.multiply, np.maximum, np.hypot, np.logaddexp]
steps = st.lists(
    st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=7,
)


@settings(max_examples=60)
@given(steps, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_products_of_factors_summed_over_paths_are_the_gradient(steps, a, b):
    values = [Tensor(a), Tensor(b)]
    for function, i, j in steps:
        inputs = [values[i % len(values)], values[j % len(values)]][: 1 + (function in BINARY)]
        values.append(function(*inputs))
    y = values[-1]
    graph = y.graph(names={"a": values[0], "b": values[1]})
    expected = dict(zip("ab", gradients(y, values[:2])))
    for place, node in enumerate(graph.nodes):
        if node.label in expected:
            assert float(node.gradient) == pytest.approx(
                float(expected[node.label]), rel=1e-12, abs=1e-12
            )
            assert slope_by_paths(graph, place) == pytest.approx(
                float(node.gradient), rel=1e-9, abs=1e-9
            )


def network():
    rng = np.random.default_rng(0)
    x, weight, bias = (
        rng.normal(size=(4, 3)),
        Tensor(rng.normal(size=(3, 2))),
        Tensor(rng.normal(size=2)),
    )
    hidden = np.tanh(x @ weight + bias)
    parts = np.split(np.concatenate([hidden, np.sort(hidden, axis=0) ** 2]), 2)
    return (
        weight,
        bias,
        (parts[0] * np.linalg.norm(parts[1])).mean() + np.linalg.slogdet(weight.T @ weight)[1],
    )


def test_every_node_has_the_gradient_of_the_result_by_it():
    weight, bias, y = network()
    graph = y.graph(names={"weight": weight, "bias": bias})
    found = {node.label: node.gradient for node in graph.nodes}
    for name, g in zip(["weight", "bias"], gradients(y, [weight, bias])):
        np.testing.assert_allclose(found[name], g, rtol=1e-12)


def test_flows_are_factors_times_gradients_and_sum_to_the_gradient():
    """For arrays: multiply element by element, or contract with the Jacobian."""
    graph = network()[-1].graph()
    arrived = {}
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        if edge.contribution is None:
            assert source.gradient is None  # a constant
            continue
        arrived[edge.source] = arrived.get(edge.source, 0.0) + edge.contribution
        if edge.factor is None or source.value is None or target.value is None:
            continue  # one call with several results stands between
        if edge.factor.shape == target.value.shape + source.value.shape:
            flow = np.tensordot(target.gradient, edge.factor, axes=target.gradient.ndim)
            np.testing.assert_allclose(edge.contribution, flow, rtol=1e-12, atol=1e-12)
        else:  # the sum undoes broadcasting
            assert edge.factor.shape == target.value.shape
            flow = (edge.factor * target.gradient).sum()
            assert edge.contribution.sum() == pytest.approx(flow, abs=1e-12)
    for place, node in enumerate(graph.nodes[:-1]):
        if node.gradient is not None:
            np.testing.assert_allclose(arrived[place], node.gradient, rtol=1e-12, atol=1e-12)


def test_factors_are_jacobians_where_a_node_is_more_than_its_elements():
    x, a = Tensor([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    of_sum, _, of_matmul = (a @ x).sum().graph().edges
    np.testing.assert_array_equal(of_sum.factor, np.ones(3))
    np.testing.assert_array_equal(of_matmul.factor, a)


def test_nodes_stand_in_the_order_of_computation_and_edges_in_that_of_the_way_back():
    a, b = Tensor(2.0), Tensor(-3.0)
    graph = np.tanh(a * b + 1.0).graph(names={"a": a, "b": b})
    assert [n.label for n in graph.nodes] == ["a", "b", "multiply 2", "1", "add 4", "tanh 5"]
    assert [n.operation for n in graph.nodes] == ["", "", "multiply", "", "add", "tanh"]
    assert [(e.source, e.target) for e in graph.edges] == [(4, 5), (2, 4), (3, 4), (0, 2), (1, 2)]
    assert [n.value.item() for n in graph.nodes[:5]] == [2.0, -3.0, -6.0, 1.0, -5.0]
    slope = 1.0 - np.tanh(-5.0) ** 2
    assert [float(e.factor) for e in graph.edges if e.factor is not None] == [slope, 1.0, -3.0, 2.0]
    assert graph.nodes[3].gradient is None and graph.edges[2].contribution is None  # a constant


def test_a_value_used_twice_has_two_edges():
    a = Tensor(3.0)
    graph = (a * a).graph()
    assert [(e.source, e.target, float(e.contribution)) for e in graph.edges] == [(0, 1, 3.0)] * 2
    assert graph.nodes[0].gradient == 6.0


def test_text():
    a, b = Tensor(2.0), Tensor(-3.0)
    text = (a * b + 1.0).graph(names={"a": a, "b": b}).text()
    assert text.splitlines() == [
        "a = 2                    gradient -3",
        "b = -3                   gradient 2",
        "multiply(a, b) = -6      gradient 1",
        "  back to a: 1 x -3 = -3",
        "  back to b: 1 x 2 = 2",
        "add(multiply 2, 1) = -5  gradient 1",
        "  back to multiply 2: 1 x 1 = 1",
    ]


def test_dot():
    a = Tensor(2.0)
    dot = (a * 3.0).graph(names={'"a"': a}).dot()
    assert dot.splitlines() == [
        "digraph backprop {",
        "  rankdir=LR;",
        "  node [shape=box, fontname=Helvetica];",
        r'  n0 [label="\"a\"\n2\ngradient 3"];',
        r'  n1 [label="3\n3\n", style=dashed];',
        r'  n2 [label="multiply 2\n6\ngradient 1"];',
        '  n0 -> n2 [label="x 3"];',
        '  n1 -> n2 [label=""];',
        "}",
    ]


def test_a_graph_is_frozen_and_shares_nothing():
    x = Tensor([1.0, 2.0])
    graph = (x * 2.0).sum().graph()
    with pytest.raises(AttributeError):
        graph.nodes = ()
    for array in [n.value for n in graph.nodes] + [
        e.factor for e in graph.edges if e.factor is not None
    ]:
        assert not array.flags.writeable and not np.shares_memory(array, x.data)


def test_a_graph_does_its_own_sweep():
    x = Tensor(2.0)
    y = x**2
    y.graph()
    assert x.grad is None
    y.backward()
    assert x.grad == 4.0


def test_a_large_jacobian_is_left_out():
    x = Tensor(np.ones(101))
    edges = np.cumsum(x).sum().graph().edges
    assert x.size**2 > LARGEST_FACTOR
    assert edges[-1].factor is None and edges[-1].contribution.shape == (101,)


def test_several_results_an_absent_bias_and_a_rule_without_a_gradient():
    @tl.primitive
    def keep_first(x, y):
        return x * y

    @tl.rule(keep_first)
    def _(g, out, x, y):
        return g * y, None

    x, y = Tensor([[2.0, 0.0], [0.0, 3.0]]), Tensor([[1.0, 1.0]])
    graph = np.linalg.slogdet(x).logabsdet.graph()
    assert [n.value is None for n in graph.nodes] == [False, True, False]
    np.testing.assert_allclose(graph.nodes[0].gradient, [[0.5, 0.0], [0.0, 1 / 3]])
    assert tl.linear(y, x, None).sum().graph().nodes[-1].value == 5.0
    graph = keep_first(y, y * 2.0).sum().graph()
    np.testing.assert_array_equal(graph.nodes[0].gradient, [[2.0, 2.0]])


def test_a_leaf_alone_is_a_graph():
    graph = Tensor(2.0).graph()
    assert len(graph.nodes) == 1 and graph.nodes[0].gradient == 1.0 and not graph.edges
