"""`Backprop`: every number on the stage is the right one at the right moment."""

import math
from functools import partial

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Backprop


@pytest.fixture(scope="module")
def panel():
    return Backprop()


def known(panel, name):
    """The number a text layer shows at each frame, NaN where it is blank."""
    return panel.player.scene.layers[name].data[:, 0, 0]


def test_the_gradients_are_those_of_calculus(panel):
    w, b, x = 0.8, -0.4, 1.5
    s = w * x + b
    upstream = 2.0 * (s + math.tanh(s) - 1.0)
    through = upstream * 1.0 + upstream * (1.0 - math.tanh(s) ** 2)  # two paths into s add
    assert np.isclose(panel.gradients["w"], through * x)
    assert np.isclose(panel.gradients["b"], through)
    assert f"w {through * x:.3g}" in panel.describe()


def test_a_gradient_by_finite_differences_costs_one_evaluation_per_weight_and_one(panel):
    count = panel.count
    assert (count.weights, count.evaluations) == (337, 338)
    assert count.difference < 1e-5 and count.ratio < 20.0 < count.evaluations
    assert "338 evaluations of the loss" in panel.describe()


def test_the_evaluations_are_really_made(monkeypatch):
    calls = []
    ask = tl.Landscape.__call__

    def counted(self, theta, **more):
        calls.append(np.shape(theta))
        return ask(self, theta, **more)

    monkeypatch.setattr(tl.Landscape, "__call__", counted)
    panel = Backprop(width=3)
    size = 2 * 3 + 3 + 3 * 3 + 3 + 3 + 1
    assert panel.count.weights == size and panel.count.evaluations == size + 1
    assert calls == [(size,)] * (size + 2)  # one more to see that loss and data fit together


def test_values_appear_forward_one_by_one(panel):
    for k, node in enumerate(panel.graph.nodes):
        shown = known(panel, f"value {k}")
        assert np.isnan(shown[: k + 1]).all() and (shown[k + 1 :] == node.value).all()


def test_gradients_travel_back_and_add_up(panel):
    nodes, edges = panel.graph.nodes, panel.graph.edges
    s = next(k for k in range(len(nodes)) if sum(edge.source == k for edge in edges) == 2)
    arriving = known(panel, f"gradient {s}")
    steps = [v for v in dict.fromkeys(arriving.tolist()) if not math.isnan(v)]
    flows = [e.contribution.item() for e in edges if e.source == s]
    assert len(steps) == 2 and steps[0] in flows and np.isclose(steps[1], sum(flows))
    assert np.isnan(arriving[: len(nodes) + 1]).all()  # nothing comes back before the end is known
    for k, edge in enumerate(edges):
        if edge.contribution is not None:
            factor, flow = known(panel, f"factor {k}")[-1], known(panel, f"flow {k}")[-1]
            assert np.isclose(flow, factor * nodes[edge.target].gradient)


def test_one_link_a_step_from_the_result_back(panel):
    edges = [k for k, e in enumerate(panel.graph.edges) if e.contribution is not None]
    forward = len(panel.graph.nodes)
    first = [int(np.flatnonzero(~np.isnan(known(panel, f"factor {k}")))[0]) for k in edges]
    assert first == list(range(forward + 1, forward + 1 + len(edges)))
    drawn = [panel.player.scene.layers[f"back {k}"].data[:, 0, 0] for k in edges]
    assert first == [int(np.flatnonzero(~np.isnan(line))[0]) for line in drawn]


def test_a_number_can_be_moved(panel):
    panel.controls["w"].value = -0.5
    assert known(panel, "value 0")[-1] == -0.5
    step = 1e-6
    f = lambda w: (w * 1.5 - 0.4 + math.tanh(w * 1.5 - 0.4) - 1.0) ** 2  # noqa: E731
    assert np.isclose(panel.gradients["w"], (f(-0.5 + step) - f(-0.5 - step)) / (2 * step))
    panel.reset()
    assert panel.state["w"] == 0.8


def test_the_sentence_follows_the_steps(panel):
    panel.seek(0)
    assert panel.describe().startswith("Step 0: nothing is computed yet")
    panel.step(3)
    assert panel.player.sentence == panel.describe() != ""
    panel.player.frame = panel.player.frames - 2  # as the browser's play does
    assert "goes back to" in panel.player.sentence
    panel.reset()
    assert panel.player.sentence.startswith("The result is 0.215")


def test_arrays_and_functions_of_the_reader():
    def loss(W, b):
        return tl.losses.mean_squared_error(np.ones((4, 2)) @ W + b, np.zeros((4, 1)))

    panel = Backprop(loss, {"W": [[0.5], [0.25]], "b": 0.1}, width=2)
    assert set(panel.controls) == {"b", "width"}
    assert np.allclose(panel.gradients["W"], 1.7) and "W (2, 1)" in panel.describe()
    assert panel.player.png()[1:4] == b"PNG"


def test_a_sum_of_a_number_with_itself():
    panel = Backprop(lambda a: a + a, {"a": 3.0}, width=1)
    assert panel.gradients["a"] == 2.0
    assert [v for v in known(panel, "gradient 0").tolist() if not math.isnan(v)] == [1.0, 2.0]


def test_state_code_and_reset(panel):
    panel.controls["b"].value = 1.25
    panel.controls["width"].value = 2
    panel.seek(6)
    code, words = panel.code, panel.describe()
    panel.reset()
    panel.load(code)
    assert (panel.code, panel.describe(), panel.count.weights) == (code, words, 15)
    panel.reset()
    assert panel.count.evaluations == 338


def test_a_form_that_changes_is_refused_in_the_panel():
    panel = Backprop(lambda a: a * a if a.item() > 0 else a + a + a, {"a": 1.0}, width=1)
    with pytest.raises(tl.ParameterError, match="another form"):
        panel.controls["a"].value = -1.0
    assert "another form" in panel._error.value
    panel.controls["a"].value = 0.5
    assert panel._error.value == "" and panel.gradients["a"] == 1.0


@pytest.mark.parametrize(
    "make, words",
    [
        (partial(Backprop, lambda a: a, {"b": 1.0}), "cannot be called with b"),
        (partial(Backprop, lambda a: 3.0, {"a": 1.0}), "one number that depends on its inputs"),
        (partial(Backprop, lambda a: a * 2.0, {"a": [1.0, 2.0]}), "one number"),
        (partial(Backprop, lambda a: sum([a] * 40), {"a": 1.0}), "expected at most 24"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(tl.ParameterError, match=words):
        make(width=1)
