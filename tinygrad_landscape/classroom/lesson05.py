"""Lesson 5, "Where you start": its question, its two exercises, its quiz, and its networks.

The one idea is that a walk can only end in the valley whose basin it begins in, and that a deep
network, whose basins nobody can see, is therefore started by two rules: units must differ, and the
scale of the weights must fit the number of inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..descent import descend, optim
from ..engine.functions import relu
from ..landscape import Landscape, formulas
from ..landscape.formulas import Fitted
from ..network import Linear, Network, Tanh, data, losses
from .exercises import Exercise, Finding
from .prediction import Measured, Prediction
from .quizzes import Question, Quiz
from .words import Text
from .worksheet import Map, Worksheet

RATE, STEPS = 0.8, 150  # of the hundred balls
NEIGHBOURS = (1.0, -1.0), (1.0, -1.2)
RANDOM = {"σ .01": ("normal", 0.01), "Glorot": ("glorot_normal", 1.0), "σ 1": ("normal", 1.0)}

# A guess ------------------------------------------------------------------------------------------

CHOICES = (
    "all of them",
    "about half of them",
    "only those of the last layer",
    "none of them",
)


def question() -> Prediction:
    """Ask how many weights of a deep network ever move if all of them start at zero."""
    size = deep_network()[0].size
    return Prediction(
        f"A deep network is to tell two half-moons apart: 8 hidden layers of 32 tanh units, {size} "
        "weights. The two kinds of points are equally many. To be fair to every weight, all of "
        "them start at exactly 0. How many have moved after 300 steps of gradient descent?",
        CHOICES,
        measure_zero_start,
        name="05 start at zero",
    )


def measure_zero_start() -> Measured:
    """Start the deep network at zero, walk 300 steps, and count the weights that have moved."""
    landscape = deep_network()[0]
    walk = descend(landscape, np.zeros(landscape.size), optim.SGD(lr=0.3), steps=300)
    moved = np.flatnonzero(walk.end)
    layers = {landscape.names[k].partition(".")[0] for k in moved.tolist()}
    if len(moved) in (0, landscape.size):
        choice = CHOICES[3] if not len(moved) else CHOICES[0]
    else:
        choice = CHOICES[2] if len(layers) == 1 else CHOICES[1]
    return Measured(
        choice,
        f"{len(moved)} of {landscape.size} weights moved, and the loss is "
        f"{float(walk.losses[-1]):.3f}, as it was at the start: what a coin would get.",
    )


@cache
def deep_network() -> tuple[Landscape, Landscape]:
    """Return the loss of a tanh network of depth 8 and width 32 on 120 points of two moons, and
    its loss on 40 others."""
    hidden = [layer for _ in range(7) for layer in (Linear(32, 32), Tanh())]
    net = Network(Linear(2, 32), Tanh(), *hidden, Linear(32, 1))
    train, _, unseen = data.moons(200, noise=0.15, seed=0).split(0.6, 0.2, seed=0)
    landscape = Landscape(net, losses.binary_cross_entropy, train)
    return landscape, landscape.on(unseen)


# Basins -------------------------------------------------------------------------------------------


def neighbours() -> Text:
    """Let two balls go that start a fifth of a unit apart; say where each of them ends."""
    walk = descend(formulas.three_valleys, np.array(NEIGHBOURS), optim.SGD(lr=RATE), steps=STEPS)
    return Text(
        "\n".join(
            f"from ({x:g}, {y:g}), height {before:.3f}:  to ({u:.2f}, {v:.2f}), height {after:.3f}"
            for (x, y), before, (u, v), after in zip(
                NEIGHBOURS, walk.losses[0], walk.end, walk.losses[-1], strict=True
            )
        )
    )


# How large ----------------------------------------------------------------------------------------


def weight_std(n_in: int, n_out: int, scheme: str) -> float:
    """Return the standard deviation of a layer's random weights, for "he" or "glorot"."""
    if scheme == "he":
        return math.sqrt(2 / n_in)
    return math.sqrt(2 / (n_in + n_out))


def _variant(he: Callable[..., float], glorot: Callable[..., float]) -> Callable[..., float]:
    """A `weight_std` with somebody's mistake in one scheme or in both."""
    return lambda n_in, n_out, scheme: (he if scheme == "he" else glorot)(n_in, n_out)


_HE, _GLOROT = (lambda i, o: math.sqrt(2 / i)), (lambda i, o: math.sqrt(2 / (i + o)))

MISTAKES: dict[str, Callable[..., Any]] = {
    "this is the variance; the standard deviation is its square root.": _variant(
        lambda i, o: 2 / i, lambda i, o: 2 / (i + o)
    ),
    "the number of outputs is used for He; it is the inputs that a unit adds up.": _variant(
        lambda i, o: math.sqrt(2 / o), _GLOROT
    ),
    "the 2 is missing for He: a ReLU cuts off half of the signal, and 2 makes up for it.": _variant(
        lambda i, o: math.sqrt(1 / i), _GLOROT
    ),
    "Glorot takes the mean of inputs and outputs, (n_in + n_out) / 2, not their sum.": _variant(
        _HE, lambda i, o: math.sqrt(1 / (i + o))
    ),
    "both schemes give the same: look at `scheme`, which is \"he\" or \"glorot\".": _variant(
        _HE, _HE
    ),
    "the two schemes are swapped.": _variant(_GLOROT, _HE),
    "this grows with the number of inputs; the more a unit adds up, the smaller each weight must "
    "be.": _variant(lambda i, o: math.sqrt(i / 2), lambda i, o: math.sqrt((i + o) / 2)),
    "the square root covers the 2 only: the number of inputs stands under it too.": _variant(
        lambda i, o: math.sqrt(2) / i, lambda i, o: math.sqrt(2) / (i + o)
    ),
}  # fmt: skip

exercise = Exercise(
    weight_std,
    ("std",),
    lambda: [(50, 200, "he"), (50, 200, "glorot"), (784, 10, "glorot"), (12, 3, "he")],
    MISTAKES,
    hints=(
        "the variance of a sum of n_in random numbers is n_in times that of one; so each weight "
        "gets a variance of about 1 / n_in.",
        "He: variance 2 / n_in. Glorot: variance 1 / mean, where the mean is (n_in + n_out) / 2.",
        "the standard deviation is the square root of the variance: math.sqrt.",
    ),
    name="05 weight std",
)


DEEP: tuple[tuple[str, Callable[[Any], Any], str | float], ...] = (
    ("tanh, Glorot", np.tanh, "glorot"),
    ("ReLU, He", relu, "he"),
    ("ReLU, Glorot", relu, "glorot"),
    ("tanh, 0.01 for every weight", np.tanh, 0.01),
)


def sizes(
    activation: Callable[[Any], Any], std: float, width: int = 100, depth: int = 20, seed: int = 0
) -> np.ndarray:
    """Send 200 random inputs through `depth` random layers; return the activations' root mean
    square after each, `(depth,)`."""
    rng = np.random.default_rng(seed)
    signal, found = rng.standard_normal((200, width)), []
    for _ in range(depth):
        signal = activation(signal @ (std * rng.standard_normal((width, width))))
        found.append(math.sqrt(float(np.mean(signal**2))))
    return np.array(found)


def through_layers(std: Callable[..., Any] = weight_std) -> Text:
    """Show how the size of a signal changes on its way through 20 layers of 100 units.

    `std` may be the reader's own `weight_std`; while it is not right yet, ours is used and it is
    said.
    """
    note = ""
    if exercise.check(std).state != "passed":
        std, note = weight_std, "(with our weight_std, until yours passes its check)\n"
    lines = [f"{note}size of the activations after layer      1         10         20"]
    for name, activation, scheme in DEEP:
        size = std(100, 100, scheme) if isinstance(scheme, str) else scheme
        found = sizes(activation, float(size))
        row = "".join(f"{found[k]:11.2g}" for k in (0, 9, 19))
        lines.append(f"{name:35s}{row}")
    return Text("\n".join(lines))


# Breaking a symmetry ------------------------------------------------------------------------------


def _twin_units(w: Any, x: np.ndarray) -> Any:
    return np.tanh(w[..., None] * x - 1.0).sum(-2)


twins = Fitted(
    _twin_units,
    np.linspace(-2.0, 2.0, 24),
    truth=(-1.0, 2.0),
    extent=(-4.0, 4.0, -4.0, 4.0),
    minima=[(-1.0, 2.0), (2.0, -1.0)],
    saddles=[(0.595433240953, 0.595433240953)],
    names=("w1", "w2"),
)
TWIN_RATE, TWIN_STEPS, LOW = 0.5, 60, 0.01
EQUAL = (
    "w1 and w2 are equal, so the two units are copies: they get the same gradient, take the same "
    "step, and stay copies for ever. The ball walks along the diagonal to the pass and stops there."
)
CLOSE = (
    "the two differ, but by too little: the ball first walks to the pass, where the ground is "
    f"nearly level, and has not left it after {TWIN_STEPS} steps."
)
OUTSIDE = "stay on the map: both weights lie between -4 and 4."


def judge_start(w1: float, w2: float) -> str:
    """Walk from (w1, w2) on the map of the twins; say what keeps the ball up, or ""."""
    if max(abs(w1), abs(w2)) > 4:
        return OUTSIDE
    if w1 == w2:
        return EQUAL
    walk = descend(twins, np.array([w1, w2], float), optim.SGD(lr=TWIN_RATE), steps=TWIN_STEPS)
    return "" if walk.losses[-1] < LOW else CLOSE


symmetry = Finding(
    judge_start,
    {EQUAL: (0.5, 0.5), CLOSE: (0.5, 0.5001), OUTSIDE: (0.0, 9.0)},
    hints=(
        "what must the two units not be, if each is to learn something of its own?",
        "stay away from the diagonal of the map, where w1 = w2.",
        "any two clearly different numbers will do, for example of opposite sign.",
    ),
    answer="w1, w2 = 0.3, -0.4",
    name="05 symmetry",
)


def steps_to_part(difference: float, base: float = 0.5, most: int = 400) -> int:
    """Count the steps until a ball that starts at (base + difference, base) is below 0.01; -1 if
    it is not after `most`."""
    start = np.array([base + difference, base])
    walk = descend(twins, start, optim.SGD(lr=TWIN_RATE), steps=most)
    low = np.flatnonzero(walk.losses < LOW)
    return int(low[0]) if len(low) else -1


def parting() -> Text:
    """Show how long two nearly equal units take to part, by how much they differ at the start."""
    lines = ["the two weights differ by    steps until the loss is below 0.01"]
    for difference in (1e-2, 1e-4, 1e-6, 1e-8, 0.0):
        steps = steps_to_part(difference)
        lines.append(f"{difference:<29g}{steps if steps >= 0 else 'never (400 steps tried)'}")
    return Text("\n".join(lines))


# Who learns ---------------------------------------------------------------------------------------

RATES = (0.03, 0.1, 0.3)


@cache
def trained(start: str, seeds: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    """Train the deep network for 300 steps from each seed, at each of three learning rates; return
    the lowest loss of the three and that walk's loss on unseen points, `(seeds, 2)`."""
    landscape, unseen = deep_network()
    assert landscape.network is not None
    scheme, gain = RANDOM[start]
    starts = np.stack([landscape.network.init(seed, scheme, gain=gain) for seed in seeds])
    walk = descend(
        landscape,
        np.repeat(starts[:, None], len(RATES), axis=1),
        optim.SGD(lr=np.array(RATES)),
        steps=300,
        record_every=300,
    )
    found = np.where(walk.diverged, np.inf, walk.losses[-1])
    best = found.argmin(axis=1)
    row = np.arange(len(seeds))
    return np.stack([found[row, best], unseen(walk.end[row, best])], axis=-1)


def learned() -> Text:
    """Show what the deep network learns from each start: 3 seeds, each at its best learning
    rate."""
    lines = [f"{'start':10s}{'loss, three seeds':24s}loss on unseen points"]
    for name in RANDOM:
        fit, fresh = trained(name).T
        lines.append(f"{name:10s}{_three(fit):24s}{_three(fresh)}")
    return Text("\n".join(lines))


def _three(numbers: np.ndarray) -> str:
    return "  ".join(f"{number:.3f}" for number in numbers)


# Paper --------------------------------------------------------------------------------------------


def worksheet() -> Worksheet:
    """Two blank maps: three valleys to divide among their starts, and the map of two copies."""
    three, two = formulas.three_valleys, twins
    return Worksheet(
        "5 · Where you start",
        [
            Map(
                three,
                three.extent,
                "A hundred balls roll downhill. Draw the lines that divide their starts by the "
                "valley they end in. Then draw the walk from the cross.",
                start=NEIGHBOURS[1],
                walk=descend(three, np.array(NEIGHBOURS[1]), optim.SGD(lr=RATE), steps=STEPS),
            ),
            Map(
                two,
                two.extent,
                "This map is its own mirror image. Draw the mirror. Then draw the walk from the "
                "cross, which lies on it.",
                start=(-2.0, -2.0),
                walk=descend(two, np.array([-2.0, -2.0]), optim.SGD(lr=TWIN_RATE), steps=STEPS),
            ),
        ],
        questions=[
            (
                "A unit adds up 400 inputs and feeds a ReLU. Which standard deviation does He "
                "give its weights?",
                "√(2 / 400) = 0.071.",
            ),
            (
                "Two hidden units start with the same weights. What does training do to them?",
                "The same to both: equal weights get equal gradients, so they stay equal.",
            ),
        ],
    )


def quiz() -> Quiz:
    """Ask the three questions at the lesson's end."""
    return Quiz(QUESTIONS, name="05")


QUESTIONS = (
    Question(
        "Two runs of the same network on the same data end at different losses. What is the "
        "plainest reason?",
        {
            "One of them has a bug": "It may, but nothing here says so: two starts in two basins "
            "are enough.",
            "They started in different basins": "The start decides which valley a walk can "
            "reach; another learning rate could move the border too.",
            "One was stopped too early": "That would be seen: its loss would still be falling.",
        },
        "They started in different basins",
    ),
    Question(
        "All hidden weights start at 0.5, every one of them. What goes wrong?",
        {
            "Nothing, as 0.5 is not 0": "Zero is not the trouble, being equal is: all units of a "
            "layer are copies and stay copies.",
            "0.5 is too large": "It may be, but a smaller number, the same for all, would not "
            "help.",
            "All units of a layer stay equal": "Equal units get equal gradients. However wide "
            "the layer is, it works as if it had one unit.",
        },
        "All units of a layer stay equal",
    ),
    Question(
        "A layer grows from 100 inputs to 400. What happens to He's standard deviation?",
        {
            "It becomes a quarter": "The variance does; the standard deviation is its square root.",
            "It becomes half": "The variance is 2 / n_in, a quarter of what it was; its square "
            "root is a half.",
            "It stays as it is": "Then the sum of four times as many terms would come out twice "
            "as large.",
        },
        "It becomes half",
    ),
)
