"""Lesson 6, "Backprop, link by link": the price of a gradient, a tape to walk back, and depth.

A computation is a list of small steps over numbers. The learner walks that list backwards; what
they wrote then trains a network, beside the engine that does the same for arrays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..descent import descend, optim
from ..draw import Picture, style
from ..draw.picture import axes, caption_below
from ..draw.style import DASHES, MARKERS, PALETTE
from ..engine import Tensor, gradients
from ..landscape import Landscape, formulas
from ..network import Linear, Network, Tanh, data, losses
from ..panels.backprop import residual_neuron
from .engine_room import EngineRoom
from .exercises import Exercise
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .tape import Step, record
from .words import Text
from .worksheet import Map, Worksheet

__all__ = ["EngineRoom", "backprop", "depths", "exercise", "learn", "question", "quiz", "record"]

Array = np.ndarray[Any, Any]

# ---- the question: what does a gradient cost? ----

WIDTH, WIDER, TRIES = 16, 64, 30
CHOICES = {
    10: "as long as fewer than 10 evaluations",
    100: "as long as 10 to 100 evaluations",
    1000: "as long as some 338: one for each weight, and one more",
    np.inf: "much longer than that",
}


def question() -> Prediction:
    """Ask how long one backward pass takes, counted in evaluations of the loss."""
    size = counted(WIDTH).size
    return Prediction(
        f"A network has {size} weights. By nudging one weight after another, its gradient takes "
        f"{size + 1} evaluations of the loss. Backpropagation finds the same {size} numbers in one "
        "pass. How long does that pass take?",
        list(CHOICES.values()),
        measure_price,
        name="06 price",
    )


def counted(width: int) -> Landscape:
    """The loss of a 2-n-n-1 tanh network on 60 points of two half-moons."""
    net = Network(Linear(2, width), Tanh(), Linear(width, width), Tanh(), Linear(width, 1))
    return Landscape(net, losses.binary_cross_entropy, data.moons(60, seed=0))


def price(landscape: Landscape) -> float:
    """The time of loss and gradient together, in evaluations of the loss: the best of many tries.

    The shortest time is the one that other work on the computer disturbed least.
    """
    theta = np.zeros(landscape.size)
    alone = min(_seconds(lambda: landscape(theta)) for _ in range(TRIES))
    return min(_seconds(lambda: landscape.value_and_gradient(theta)) for _ in range(TRIES)) / alone


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def measure_price() -> Measured:
    """Time a backward pass of two networks, the second one with many more weights."""
    small, large = counted(WIDTH), counted(WIDER)
    ratio, larger = price(small), price(large)
    choice = next(words for most, words in CHOICES.items() if ratio < most)
    return Measured(
        choice,
        f"Loss and gradient together took as long as {ratio:.1f} evaluations of the loss. With "
        f"{large.size} weights instead of {small.size} it is {larger:.1f} evaluations, and "
        f"finite differences would need {large.size + 1}.",
    )


# ---- the exercise: walk the steps backwards ----


def backprop(steps: Sequence[Step], v: Sequence[float]) -> list[float]:
    """Return the gradient of the last number in v by every number in v."""
    g = [0.0] * len(v)
    g[-1] = 1.0
    for out, op, inputs in reversed(steps):
        if op == "+":
            a, b = inputs
            g[a] += g[out] * 1.0
            g[b] += g[out] * 1.0
        elif op == "*":
            a, b = inputs
            g[a] += g[out] * v[b]
            g[b] += g[out] * v[a]
        elif op == "tanh":
            (a,) = inputs
            g[a] += g[out] * (1.0 - v[out] ** 2)
    return g


FACTORS: dict[str, Callable[[Sequence[float], int, tuple[int, ...]], Sequence[float]]] = {
    "+": lambda v, out, inputs: (1.0, 1.0),
    "*": lambda v, out, inputs: (v[inputs[1]], v[inputs[0]]),
    "tanh": lambda v, out, inputs: (1.0 - v[out] ** 2,),
}


def _variant(
    order: Callable[[Sequence[Step]], Any] = reversed,
    seed: float = 1.0,
    meet: Callable[[float, float], float] = lambda old, new: old + new,
    link: Callable[[float, float], float] = lambda upstream, factor: upstream * factor,
    **factors: Callable[..., Sequence[float]],
) -> Callable[..., Any]:
    """A backward walk in which one thing is somebody's mistake."""
    table = FACTORS | {{"plus": "+", "times": "*"}.get(op, op): f for op, f in factors.items()}

    def walk(steps: Sequence[Step], v: Sequence[float]) -> list[float]:
        g = [0.0] * len(v)
        g[-1] = seed
        for out, op, inputs in order(steps):
            for a, factor in zip(inputs, table[op](v, out, inputs), strict=True):
                g[a] = meet(g[a], link(g[out], factor))
        return g

    return walk


MISTAKES: dict[str, Callable[..., Any]] = {
    "a number that is used twice keeps only one of its ways: say g[a] += ..., not g[a] = ..., for "
    "what comes back along several links adds up.": _variant(meet=lambda old, new: new),
    "everything is 0: the gradient of the last number by itself is 1, so start with g[-1] = "
    "1.0.": _variant(seed=0.0),
    "the steps are walked from first to last; the gradient starts at the end, so walk "
    "reversed(steps).": _variant(order=iter),
    "the local factors alone are used: multiply each by g[out], the gradient that has arrived "
    "so far.": _variant(link=lambda upstream, factor: factor),
    "where links follow each other the factors are added; along a path they multiply.": _variant(
        link=lambda upstream, factor: upstream + factor
    ),
    "in a product each number is given its own value; its local factor is the value of the "
    "other.": _variant(times=lambda v, out, inputs: (v[inputs[0]], v[inputs[1]])),
    "in a product both numbers are given the product itself; the local factor is the value of the "
    "other number.": _variant(times=lambda v, out, inputs: (v[out], v[out])),
    "the factors of + are taken to be the values; if one of two summands grows by 1, so does the "
    "sum, and the factor is 1.": _variant(plus=lambda v, out, inputs: [v[i] for i in inputs]),
    "the factor of tanh is 1 - (its result)²; you squared its input. The result is "
    "v[out].": _variant(tanh=lambda v, out, inputs: (1.0 - v[inputs[0]] ** 2,)),
    "the factor of tanh is 1 - (its result)²; v[out] is tanh already, and you took tanh "
    "again.": _variant(tanh=lambda v, out, inputs: (1.0 - np.tanh(v[out]) ** 2,)),
    "the square is missing: the factor of tanh is 1 - v[out]**2.": _variant(
        tanh=lambda v, out, inputs: (1.0 - v[out],)
    ),
    "only the inputs' gradients are returned; return g whole, one for each number in "
    "v.": lambda steps, v: backprop(steps, v)[: steps[0][0]],
}


def neuron(w: Any, b: Any) -> Any:
    """The computation of the panel, in +, * and tanh alone: (s + tanh(s) - 1)², s = 1.5·w + b."""
    s = w * 1.5 + b
    r = s + np.tanh(s) + (-1.0)
    return r * r


def _chain(x: Any, w: Any, c: Any) -> Any:
    for _ in range(3):
        x = np.tanh(w * x) + c * x
    return x * c


def _instances() -> Sequence[tuple[Any, ...]]:
    """Something plus itself, times itself, the panel's neuron, and a chain that uses all twice."""
    return [
        record(lambda a: a + a, 3.0),
        record(lambda a: (a * a) * np.tanh(a), 0.7),
        record(neuron, 0.8, -0.4),
        record(_chain, 0.9, -1.3, 0.4),
    ]


exercise = Exercise(
    backprop,
    ("g",),
    _instances,
    MISTAKES,
    hints=(
        "start with g = [0.0] * len(v), set g[-1] = 1.0, and loop: for out, op, inputs in "
        "reversed(steps).",
        "each input of a step gets g[out] times its local factor: 1 for +, the other number's "
        "value for *, and 1 - v[out]**2 for tanh.",
        "a number may be an input of several steps, or twice of one; so always g[a] += ..., never "
        "g[a] = ...",
    ),
    name="06 backprop",
)


# ---- what it is good for: a network of two weights learns ----

PAPER = (0.8, -0.4)  # the neuron of the worksheet, as the panel opens
START, RATE, STEPS = (1.0, -1.0), 0.8, 125


def _network(w1: Any, w2: Any) -> Any:
    """The loss of the three-valley network of lesson 0 (half the mean of squares), in numbers."""
    valley = formulas.three_valleys
    total: Any = 0.0
    for x, y in zip(valley.x, valley.y, strict=True):
        r = -1.5 * np.tanh(w1 * x + 1.5) + np.tanh(w2 * x + (-1.7)) + (-y)
        total = r * r + total
    return total * (0.5 / len(valley.x))


def learn(walker: Callable[..., Any] = backprop) -> Text:
    """Train a network with the reader's own backprop, and compare each gradient with the engine.

    While it is not right yet, ours is used and it is said.
    """
    note = ""
    if exercise.check(walker).state != "passed":
        walker, note = backprop, "(with our backprop, until yours passes its check)\n"
    theta, apart = np.array(START), 0.0
    lines = []
    for step in range(STEPS + 1):
        steps, v = record(_network, *theta)
        g = np.array(walker(steps, v)[:2])
        apart = max(apart, float(np.abs(g - formulas.three_valleys.gradient(theta)).max()))
        if step % 25 == 0:
            lines.append(
                f"step {step:3d}: w1 {theta[0]:6.3f}, w2 {theta[1]:6.3f}, loss {v[-1]:.3g}"
            )
        theta = theta - RATE * g
    head = f"{note}one tape of {len(steps)} small steps, walked backwards {STEPS + 1} times"
    tail = f"largest difference from the engine's gradient on the way: {apart:.0e}"
    return Text("\n".join([head, *lines, tail]))


# ---- depth: many factors in a row ----

DEPTH, UNITS = 30, 64
SCALES = (0.5, 1.0, 3.0)


def flow(scale: float, seed: int = 0) -> Array:
    """How large the gradient is at each of 31 places of a 30-layer tanh network, the last one 1.

    Weights are drawn with standard deviation scale / sqrt(width), and 60 inputs are random.
    """
    rng = np.random.default_rng(seed)
    h = Tensor(rng.normal(size=(60, UNITS)))
    signals = [h]
    for _ in range(DEPTH):
        h = np.tanh(h @ (rng.normal(size=(UNITS, UNITS)) * (scale / np.sqrt(UNITS))))
        signals.append(h)
    score = h @ (rng.normal(size=(UNITS, 1)) / np.sqrt(UNITS))
    loss = losses.binary_cross_entropy(score, np.arange(60) % 2)
    sizes = np.array([np.linalg.norm(g) for g in gradients(loss, signals)])
    return sizes / sizes[-1]


def depths(paper: str = "light") -> Picture:
    """Draw how the gradient shrinks or grows on its way back through 30 layers."""
    with style(paper):
        ax, own = axes(None, (7.4, 4.2))
        artists: dict[str, Any] = {}
        for k, scale in enumerate(SCALES):
            sizes, name = flow(scale), f"{scale:g}"
            label = f"{name}/√n: about x {sizes[0] ** (1 / DEPTH):.2f} per layer"
            (artists[name],) = ax.plot(
                np.arange(DEPTH + 1), sizes, color=PALETTE[k], dashes=DASHES[k] or (None, None),
                marker=MARKERS[k], markevery=5, label=label,
            )  # fmt: skip
        ax.set(yscale="log", xlabel="layer (the loss is at the right; the gradient travels left)",
               ylabel="size of the gradient (log)")  # fmt: skip
        ax.legend(title="weights drawn with size")
        caption = (
            f"{DEPTH} tanh layers of {UNITS} units at their start; the gradient of the loss by "
            "each layer's signal, 1 at the last layer."
        )
        artists["caption"] = caption_below(ax, caption, own)
    return Picture(ax, artists, caption, own)


# ---- the end ----


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="06")


QUESTIONS = (
    Question(
        "c = a · b with a = 3 and b = -2. From the loss, the gradient 5 has come back to c. Which "
        "gradient goes on to a, along this link?",
        {
            "15": "3 is a's own value; the local factor of a in a product is the other number.",
            "-10": "5 times the local factor -2: if a grows by 1, the product changes by b.",
            "-2": "That is the local factor alone. Along a path factors multiply, so 5 counts.",
            "3": "Factors along a path multiply, they are not added.",
        },
        "-10",
    ),
    Question(
        "One number is used by three later steps, and the gradients 2, 2 and -1 come back to it. "
        "What is its gradient?",
        {
            "-4": "Factors multiply along one path; these are three paths.",
            "1, their mean": "Nothing is averaged: move the number a little, and all three changes "
            "happen at once.",
            "3, their sum": "All three paths change the loss at once, so their parts add.",
            "-1, the last to arrive": "That is what g[a] = ... does, in place of g[a] += ...",
        },
        "3, their sum",
    ),
    Question(
        "What has changed in a network after one backward pass?",
        {
            "Its weights are better": "Not yet. The pass tells the slopes; a step of descent uses "
            "them.",
            "Nothing: its gradient is known now": "Backpropagation is a way to compute the "
            "gradient. Which way to go with it, and how far, is up to the descent.",
            "Its loss is smaller": "The loss changes when weights do, and none has moved.",
        },
        "Nothing: its gradient is known now",
    ),
)


def hillside() -> Landscape:
    """The loss of the panel's neuron over its two weights."""
    return Landscape.from_function(
        lambda p: residual_neuron(p[..., 0], p[..., 1]), names=("w", "b")
    )


def worksheet() -> Worksheet:
    """The panel's neuron, to be differentiated on paper, and its map to draw the arrow on."""
    _, v = record(neuron, *PAPER)
    s, bent, r, height = v[4], v[5], v[8], v[9]
    back = backprop(*record(neuron, *PAPER))
    straight, around = back[6], back[6] * (1.0 - bent**2)
    return Worksheet(
        "6 · Backprop, link by link",
        [
            Map(
                hillside(),
                (-0.5, 1.5, -1.5, 0.5),
                "The height is (s + tanh s - 1)² with s = 1.5·w + b. When you know the gradient at "
                "the cross, draw the arrow that points straight downhill.",
                start=PAPER,
                walk=descend(hillside(), np.array(PAPER), optim.SGD(lr=0.2), steps=1),
            )
        ],
        questions=[
            (
                f"w = {PAPER[0]}, b = {PAPER[1]}. Fill in: s, tanh s (0.664), r = s + tanh s - 1, "
                "and the height r².",
                f"s = {s:.3g}, tanh s = {bent:.3g}, r = {r:.3g}, r² = {height:.3g}.",
            ),
            (
                "Write the local factor on each link: r to r², tanh s to r, s to tanh s, s to r, "
                "w to s, b to s.",
                f"2r = {2 * r:.3g}, 1, 1 - (tanh s)² = {1 - bent**2:.3g}, 1, 1.5, 1.",
            ),
            (
                "Two ways lead from r² back to s. What comes along each, and what together?",
                f"{straight:.3g} straight, {around:.3g} by way of tanh, together {back[4]:.3g}.",
            ),
            (
                "What is the gradient by w, and by b? Which way is downhill?",
                f"{back[0]:.3g} and {back[1]:.3g}; downhill is the opposite, to the left and "
                "down, with more to the left.",
            ),
            (
                "b = a + a. What is the gradient of b by a, and why not 1?",
                "2: two links lead from a to b, each with factor 1, and they add.",
            ),
        ],
    )
