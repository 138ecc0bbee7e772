"""The primer's derivatives, taken again: by finite differences and by the engine."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tests.lessons.lessons import FOLDER

TABLE = {
    r"| $x^n$ | $n\,x^{n-1}$ |": (lambda x: x**5, lambda x: 5 * x**4),
    "| $e^x$ | $e^x$ |": (np.exp, np.exp),
    r"| $\log x$ | $1/x$ |": (np.log, lambda x: 1 / x),
    r"| $\tanh x$ | $1 - \tanh^2 x$ |": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
}


@pytest.fixture(scope="module")
def text():
    return (FOLDER / "primer.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", TABLE)
def test_each_row_of_the_table(row, text):
    assert row in text and text.count("\n| $") == len(TABLE)
    f, slope = TABLE[row]
    for x in (0.3, 1.0, 2.5):
        assert (f(x + 1e-6) - f(x - 1e-6)) / 2e-6 == pytest.approx(slope(x), rel=1e-7)


def test_gradient_and_hessian_of_its_landscape(text):
    assert "L = w_1^2 + 3 w_1 w_2" in text and r"2 & 3 \\ 3 & 0" in text
    L = lambda w: w[0] ** 2 + 3 * w[0] * w[1]  # noqa: E731
    w = np.array([0.7, -1.2])
    assert np.allclose(tl.grad(L)(w), [2 * w[0] + 3 * w[1], 3 * w[0]])
    assert np.allclose(tl.hessian(L)(w), [[2, 3], [3, 0]])
    steps = 1e-6 * np.eye(2)
    assert np.allclose([(L(w + s) - L(w - s)) / 2e-6 for s in steps], tl.grad(L)(w))
