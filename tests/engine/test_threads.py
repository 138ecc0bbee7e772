"""Graphs in different threads are independent; only the tables are shared."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import Tensor, gradients


@pytest.fixture
def impatient():
    """Threads change places a thousand times more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def work(seed):
    """First and second derivatives of a small network, its own or at a shared leaf."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, 3))

    def loss(weight):
        return np.mean(np.square(np.tanh(x @ weight) - np.sort(x @ weight, axis=0)))

    weight, v = rng.normal(size=(2, 3, 3))
    leaf = Tensor(weight)
    loss(leaf).backward()
    return leaf.grad, tl.hvp(loss)(weight, v), tl.grad(loss)(weight), loss(leaf).graph().text()


def test_threads_compute_what_a_loop_computes(impatient):
    alone = [work(seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(40)))
    for (*expected, text), (*got, same_text) in zip(alone, together):
        assert all(np.array_equal(a, b) for a, b in zip(expected, got))
        assert text == same_text


def test_a_leaf_may_be_shared_between_threads(impatient):
    shared = Tensor(np.arange(1.0, 4.0))

    def slope(power):
        return gradients((shared**power).sum(), [shared])[0]

    with ThreadPoolExecutor(8) as pool:
        for power, got in zip(range(1, 30), pool.map(slope, range(1, 30))):
            np.testing.assert_allclose(got, power * shared.data ** (power - 1))
    assert shared.grad is None


def test_each_thread_may_add_functions_of_its_own(impatient):
    def scaled(k):
        @tl.primitive
        def times(x):
            return k * x

        @tl.rule(times)
        def _(g, out, x):
            return (k * g,)

        return float(tl.grad(times)(1.0))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(scaled, range(50))) == [float(k) for k in range(50)]


def test_numpys_own_error_state_is_left_as_it_was():
    with np.errstate(all="raise"):
        x = Tensor(0.0)
        gradients(np.sqrt(x) + np.exp(x), [x])
        assert set(np.geterr().values()) == {"raise"}
        with pytest.raises(FloatingPointError):
            np.log(np.zeros(1))
