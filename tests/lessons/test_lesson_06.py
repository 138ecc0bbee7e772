"""Lesson 6: its factors are derivatives, its price is small, and its engine room hurts nobody."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape import engine
from tinygrad_landscape.classroom import engine_room, lesson06
from tinygrad_landscape.panels.backprop import residual_neuron

ANSWERS = {
    "tanh": engine_room.tanh_rule,
    "matmul": engine_room.matmul_rule,
    "unbroadcast": engine_room.unbroadcast,
}


@pytest.fixture
def room():
    return lesson06.EngineRoom()


@pytest.mark.parametrize("op, f", [("+", np.add), ("*", np.multiply), ("tanh", np.tanh)])
def test_the_local_factors_in_the_prose_are_derivatives(op, f):
    inputs = [0.7, -1.3][: f.nin]
    v = [*inputs, float(f(*inputs))]
    factors = lesson06.FACTORS[op](v, f.nin, tuple(range(f.nin)))
    for k, factor in enumerate(factors):
        up, down = (inputs[:k] + [inputs[k] + h] + inputs[k + 1 :] for h in (1e-6, -1e-6))
        assert np.isclose(factor, (f(*up) - f(*down)) / 2e-6, rtol=1e-8)


@pytest.mark.parametrize("number", range(4))
def test_the_walk_back_finds_what_the_engine_finds(number):
    """Each hidden case once more, step by step, on the engine's own tape."""
    steps, v = lesson06.exercise.instances()[number]
    made = {out for out, _, _ in steps}
    nodes = {k: tl.Tensor(value) for k, value in enumerate(v) if k not in made}
    leaves = dict(nodes)
    for out, op, inputs in steps:
        does = {"+": np.add, "*": np.multiply, "tanh": np.tanh}[op]
        nodes[out] = does(*(nodes[k] for k in inputs))
        assert np.isclose(nodes[out].item(), v[out])
    g = lesson06.backprop(steps, v)
    found = tl.gradients(nodes[len(v) - 1], [leaves[k] for k in leaves])
    assert np.allclose([g[k] for k in leaves], found)


def test_the_written_neuron_is_the_panels():
    steps, v = lesson06.record(lesson06.neuron, 0.8, -0.4)
    w, b = tl.Tensor(0.8), tl.Tensor(-0.4)
    y = residual_neuron(w, b)
    assert np.isclose(v[-1], y.item())
    assert np.allclose(lesson06.backprop(steps, v)[:2], tl.gradients(y, [w, b]))


def test_a_backward_pass_is_far_cheaper_than_one_evaluation_per_weight():
    found = lesson06.measure_price()
    assert found.choice == "as long as fewer than 10 evaluations"
    assert "4417 weights instead of 337" in found.sentence and "4418" in found.sentence


def test_learning_falls_back_and_says_so_when_the_exercise_was_skipped():
    assert lesson06.learn(lambda steps, v: None).startswith("(with our backprop")
    said = lesson06.learn(lesson06.backprop)
    assert said.startswith("one tape") and float(said.split()[-1]) < 1e-14


def test_the_gradient_vanishes_or_grows_by_a_steady_factor():
    small, _, large = (np.log(lesson06.flow(scale)) for scale in lesson06.SCALES)
    for sizes, factor in ((small, 0.49), (large, 1.37)):
        steps = sizes[:-1] - sizes[1:]
        assert abs(np.exp(steps.mean()) - factor) < 0.01 and steps.std() < 0.2


def test_the_middle_network_follows_glorots_rule():
    n = lesson06.UNITS
    weights = tl.Network(tl.Linear(n, n)).init(seed=0, scheme="glorot_normal")[: n * n]
    assert np.isclose(weights.std(), lesson06.SCALES[1] / np.sqrt(n), rtol=0.05)


# ---- the engine room ----


@pytest.mark.parametrize("piece", ANSWERS)
def test_each_piece_passes_and_reports_both_errors(room, piece):
    verdict = getattr(room, piece).check(ANSWERS[piece])
    assert verdict.state == "passed" and "order 1" in verdict.message
    assert all(worst < 1e-9 for _, worst in getattr(room, piece).errors())
    assert f"{piece} yours" in repr(room)


@pytest.mark.parametrize("piece", ANSWERS)
def test_each_piece_names_its_mistakes_and_is_not_attempted_untouched(room, piece):
    task = getattr(room, piece)
    assert task.check(...).state == "not attempted" and len(task.hints) >= 2
    assert len(task.mistakes) >= 3 and len(task.instances()) >= 2
    for sentence, wrong in task.mistakes.items():
        assert task.check(wrong).message == sentence
    assert f"{piece} ours" in repr(room)


@pytest.mark.parametrize("piece", ANSWERS)
def test_the_readers_piece_is_what_the_copy_runs(room, piece):
    calls = []

    def spy(g, *more):
        calls.append(type(g))
        return ANSWERS[piece](g, *more)

    assert getattr(room, piece).check(spy).state == "passed"
    calls.clear()
    room.hessian()
    assert room.engine.Tensor in calls and np.ndarray in calls


def test_a_rule_right_at_the_first_order_only_is_caught_and_taken_out_again(room):
    cut = room.tanh.check(lambda g, out, x: g * (1.0 - np.array(out) ** 2))
    assert cut.state == "not yet" and "cannot be differentiated again" in cut.message
    assert "NotDifferentiableError" in cut.message
    assert "largest difference from the real engine: 0\n" in room.hessian()


def test_checking_again_replaces_and_the_real_engine_never_notices(room):
    before = {function: entry.body for function, entry in engine.RULES.items()}
    fitted = engine.differentiate.fitted
    for _ in range(2):
        for piece, answer in ANSWERS.items():
            assert getattr(room, piece).check(answer).state == "passed"
    assert room.hessian().startswith("in the copy: tanh yours, matmul yours, unbroadcast yours")
    assert {function: entry.body for function, entry in engine.RULES.items()} == before
    assert engine.differentiate.fitted is fitted
    assert room.engine.RULES[np.tanh].body is not before[np.tanh]
