"""The life of a graph: sums at reused nodes, release, memory, depth, and whose array is whose."""

import copy
import gc
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_landscape as tl
from tinygrad_landscape import GraphReleasedError, ShapeError, Tensor, gradients
from tinygrad_landscape.engine.calls import RULES

# ---- reuse: gradients of a value used several times add up ----


def test_a_reused_value_gets_the_sum_of_its_gradients():
    """Karpathy's counterexample to a walk without topological order."""
    a = Tensor(3.0)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad == 4.0


def test_a_value_used_at_different_depths_waits_for_all_of_them():
    """21 = 1 + 4 x 5; a walk in the order of discovery says 6."""
    x = Tensor(2.0)
    y = x * x
    z = y * y + y + x  # x^4 + x^2 + x: 4 x^3 + 2 x + 1 = 37
    z.backward()
    assert x.grad == 37.0


def test_paths_may_be_exponentially_many():
    x = Tensor(1.0)
    y = x
    for _ in range(60):
        y = y + y
    assert gradients(y, [x])[0] == 2.0**60


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("+*-"), st.integers(0, 9), st.integers(0, 9)), max_size=12)
)
def test_any_tangle_of_sums_and_products(steps):
    """Against forward differentiation: each value carries its two slopes along."""
    a, b = Tensor(0.9), Tensor(-1.1)
    values = [(a, 0.9, np.array([1.0, 0.0])), (b, -1.1, np.array([0.0, 1.0]))]
    for op, i, j in steps:
        (s, x, dx), (t, y, dy) = values[i % len(values)], values[j % len(values)]
        if op == "+":
            values.append((s + t, x + y, dx + dy))
        elif op == "-":
            values.append((s - t, x - y, dx - dy))
        else:
            values.append((s * t, x * y, dx * y + x * dy))
    y, value, slopes = values[-1]
    assert y.item() == pytest.approx(value)
    np.testing.assert_allclose(np.array(gradients(y, [a, b])), slopes, rtol=1e-12, atol=1e-12)


# ---- backward and its release ----


def test_leaves_accumulate_and_inner_nodes_store_nothing():
    x = Tensor([1.0, 2.0])
    inner = x**3
    inner.sum().backward()
    (x**3).sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 24.0])
    assert inner.grad is None


def test_setting_grad_to_none_starts_anew():
    """In engines that store inner gradients, the second round says 45."""
    x = Tensor(3.0)
    y = x**3
    y.backward(retain_graph=True)
    assert x.grad == 27.0
    x.grad = None
    y.backward()
    assert x.grad == 27.0


def test_grad_stays_an_array_also_for_a_single_number():
    x = Tensor(3.0)
    for times in (1, 2, 3):
        (x * 2.0).backward()
        assert type(x.grad) is np.ndarray and x.grad.shape == () and x.grad == 2.0 * times


def test_a_leaf_may_be_its_own_result():
    x = Tensor(3.0)
    x.backward()
    assert x.grad == 1.0


def test_backward_again_through_a_released_graph_is_refused():
    x = Tensor(3.0)
    y = x * 2.0
    y.backward()
    with pytest.raises(GraphReleasedError, match="retain_graph=True"):
        y.backward()
    assert x.grad == 2.0


USES = {
    "gradients": lambda h: gradients(h.sum(), [h]),
    "backward": lambda h: (h * 3.0).sum().backward(),
    "graph": lambda h: h.sum().graph(),
    "grad": lambda h: tl.grad(lambda t: (t * h).sum())(np.ones(2)),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_released_inner_node_is_refused_wherever_it_is_used(use):
    """Elsewhere `(h * 3).sum().backward()` silently leaves the leaf's gradient unchanged."""
    x = Tensor([1.0, 2.0])
    h = x * 2.0
    h.sum().backward()
    with pytest.raises(GraphReleasedError):
        use(h)
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])
    np.testing.assert_array_equal(h.data, [2.0, 4.0])  # its value is still there


def test_retained_graphs_can_be_used_again():
    x = Tensor(3.0)
    y = x**2
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    assert x.grad == 12.0 and gradients(y, [x]) == [6.0] and y.graph().nodes[0].gradient == 6.0


def test_gradients_and_graph_neither_release_nor_store():
    x = Tensor(3.0)
    y = x**2
    for _ in range(2):
        assert gradients(y, [x]) == [6.0]
        y.graph()
    assert x.grad is None


def test_gradients_by_inner_nodes_and_by_unused_ones():
    x, unused = Tensor([1.0, 2.0]), Tensor(np.ones((2, 2), np.float32))
    h = x**2
    y = (h * h).sum()
    by_h, by_x, by_nothing, by_itself = gradients(y, [h, x, unused, y])
    np.testing.assert_array_equal(by_h, [2.0, 8.0])
    np.testing.assert_array_equal(by_x, [4.0, 32.0])
    assert by_nothing.shape == (2, 2) and by_nothing.dtype == np.float32 and not by_nothing.any()
    assert by_itself == 1.0
    [zero] = gradients(y, [unused], create_graph=True)
    assert type(zero) is Tensor and not zero.data.any()
    assert gradients(y, []) == []


# ---- seeds are checked before anything changes ----


@pytest.mark.parametrize(
    "seed", [None, 1.0, np.ones(3), np.ones((2, 1)), Tensor(np.ones(3)), [1.0]]
)
def test_a_seed_that_does_not_fit_changes_nothing(seed):
    x = Tensor([1.0, 2.0])
    y = x * 3.0
    for attempt in (lambda: y.backward(seed), lambda: gradients(y, [x], seed=seed)):
        with pytest.raises(ShapeError, match=r"\(2,\)"):
            attempt()
    assert x.grad is None
    y.backward(np.ones(2))  # and the graph is still there
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])


def test_a_rule_that_fails_half_way_changes_nothing(monkeypatch):
    x, z = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    y = (np.tanh(x) + z).sum()

    def broken(g, out, x):
        raise ZeroDivisionError

    with monkeypatch.context() as planted, pytest.raises(ZeroDivisionError):
        planted.setattr(RULES[np.tanh], "body", broken)
        y.backward()
    assert x.grad is None and z.grad is None
    y.backward()
    assert x.grad is not None and z.grad is not None


@pytest.mark.parametrize(
    "seed", [[1.0, 2.0], (1, 2), np.array([1, 2]), Tensor([1.0, 2.0])], ids=repr
)
def test_seeds_weigh_the_entries_of_a_result(seed):
    x = Tensor([1.0, 2.0])
    np.testing.assert_array_equal(gradients(x**2, [x], seed=seed)[0], [2.0, 8.0])
    (x**2).backward(seed)
    np.testing.assert_array_equal(x.grad, [2.0, 8.0])
    [g] = gradients(x**2, [x], seed=seed, create_graph=True)
    np.testing.assert_array_equal(gradients(g, [x], seed=[1.0, 1.0])[0], [2.0, 4.0])


def test_a_tensor_seed_is_differentiated_too():
    x, v = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    [g] = gradients(x**2, [x], seed=v, create_graph=True)
    np.testing.assert_array_equal(gradients(g.sum(), [v])[0], [2.0, 4.0])


# ---- whose array is whose ----


def handed_out():
    """A seed that rules hand on unchanged, as views, and as broadcasts."""
    a, b, c, d = xs = [Tensor(np.ones((2, 2))) for _ in range(4)]
    return Tensor(np.ones((2, 2))), xs, a + b + d + np.flip(c.T.reshape(4)).reshape(2, 2) + a * 1.0


def share_nothing(arrays):
    return not any(np.shares_memory(x, y) for i, x in enumerate(arrays) for y in arrays[:i])


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_are_nobody_elses(create_graph):
    seed, xs, y = handed_out()
    found = gradients(y, [*xs, y], seed=seed, create_graph=create_graph)
    arrays = [g.data for g in found] if create_graph else found
    assert share_nothing([seed.data, y.data, *arrays, *(x.data for x in xs)])


def test_gradients_are_writeable():
    seed, xs, y = handed_out()
    found = gradients(y, xs, seed=seed.data)
    assert all(g.flags.writeable and g.flags.owndata for g in found)
    found[1][...] = 99.0
    np.testing.assert_array_equal(found[3], np.ones((2, 2)))
    np.testing.assert_array_equal(seed.data, np.ones((2, 2)))


def test_gradients_of_a_sum_are_writeable():
    x = Tensor(np.ones((2, 3)))
    x.sum().backward()
    x.grad += 1.0
    np.testing.assert_array_equal(x.grad, np.full((2, 3), 2.0))
    assert tl.grad(np.sum)(np.ones(3)).flags.writeable


def test_a_gradient_handed_out_earlier_does_not_change_later():
    x = Tensor([1.0, 2.0])
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    np.testing.assert_array_equal(first, [1.0, 1.0])
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_values_of_functions_are_the_callers_own():
    x = np.ones(2)
    value, _ = tl.value_and_grad(lambda t: t[0])(x)
    value += 5.0
    assert x[0] == 1.0
    t = Tensor(x)
    t.numpy()[0] = 7.0
    assert t.data[0] == 1.0 and not np.shares_memory(t.detach().data, t.data)


def test_read_only_input_is_welcome():
    x = np.ones(3)
    x.flags.writeable = False
    np.testing.assert_array_equal(tl.grad(lambda x: np.sum(x**2))(x), [2.0, 2.0, 2.0])


# ---- copies ----


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t)), Tensor.detach]
)
def test_copies_are_detached_leaves(twin):
    x = Tensor(np.float32([1.0, 2.0]))
    y = x * 2.0
    z = twin(y)
    assert type(z) is Tensor and z.function is None and z.dtype == np.float32
    assert not np.shares_memory(z.data, y.data)
    np.testing.assert_array_equal(z.data, y.data)
    (z * 3.0).sum().backward()
    assert x.grad is None and z.grad is not None


def test_equality_compares_values_and_hash_is_identity():
    a, b = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert (a == b).all() and len({a, b}) == 2 and {a: "a"}[a] == "a"


# ---- memory ----


def train_a_little():
    rng = np.random.default_rng(0)
    weight, x = Tensor(rng.normal(size=(3, 3))), rng.normal(size=(5, 3))
    for _ in range(10):
        y = np.concatenate([np.tanh(x @ weight), np.sort(np.maximum(x, 0.1) @ weight)])
        loss = (np.einsum("ij,ij->", y, y) + np.prod(y[0]) + y.std()) ** 1.5
        loss.backward()
        [g] = gradients((np.tanh(weight @ weight) ** 2).sum(), [weight], create_graph=True)
        gradients((g**2).sum(), [weight])
        tl.hvp(lambda w: np.sum(np.tanh(w) ** 2))(weight.data, weight.data)
        loss = y = g = None


def tensors_alive():
    return sum(type(thing) is Tensor for thing in gc.get_objects())


def test_the_cyclic_collector_finds_nothing():
    train_a_little()  # what is looked up once is looked up now
    gc.collect()
    gc.disable()
    try:
        before = tensors_alive()
        train_a_little()
        assert tensors_alive() == before
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_backward_lets_go_of_the_inner_nodes():
    gc.collect()
    before = tensors_alive()
    x = Tensor(np.ones(3))
    y = (np.tanh(np.tanh(x) * 2.0) + 1.0).sum()
    assert tensors_alive() - before == 6
    y.backward()
    assert tensors_alive() - before == 2
    assert y.item() == pytest.approx(3 * (np.tanh(2 * np.tanh(1.0)) + 1.0))


def test_a_sweep_holds_the_gradients_it_needs_and_no_more():
    """Along a chain of 40 steps, gradients of inner nodes are dropped as soon as they are used."""
    size = 100_000
    x = Tensor(np.full(size, 0.5))
    y = x
    for _ in range(40):
        y = np.tanh(y)
    y = y.sum()
    tracemalloc.start()
    try:
        gradients(y, [x])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 8 * size


# ---- depth ----


def test_a_graph_may_be_a_hundred_thousand_deep():
    """Built, differentiated, and forgotten without recursion."""
    depth = 100_000
    x = Tensor(1.0)
    y = x
    for _ in range(depth):
        y = y * 0.99999
    assert gradients(y, [x])[0] == pytest.approx(0.99999**depth)
    y.backward()
    assert x.grad == pytest.approx(0.99999**depth)


def test_a_deep_graph_has_second_derivatives_too():
    x = Tensor(1.0)
    y = x * x
    for _ in range(20_000):
        y = y * 1.0
    [slope] = gradients(y, [x], create_graph=True)
    assert gradients(slope, [x])[0] == 2.0
