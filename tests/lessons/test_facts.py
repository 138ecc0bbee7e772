"""Every number in a lesson's prose is measured here, or is named as chosen, in one facts file.

`facts.json` lists the phrases that hold numbers. A phrase under "measured" must agree, number by
number and to the digits printed, with what the code below finds; a phrase under "chosen" is a
decision or a formula. A digit in the prose that stands in neither is a failure.
"""

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import lesson03

LESSONS = Path(__file__).parents[2] / "lessons"
FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def notebook(name: str) -> dict:
    return json.loads((LESSONS / f"{name}.ipynb").read_text(encoding="utf-8"))


def prose(name: str) -> str:
    cells = [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


@cache
def measured_03() -> dict[str, float]:
    L, start = tl.formulas.one_neuron, np.array(lesson03.START)

    def heights(lr: float) -> np.ndarray:
        return tl.descend(L, start, tl.optim.SGD(lr=lr), steps=4).losses

    careful, bold = heights(lesson03.RATE), heights(lesson03.BOLD_RATE)
    curvature = np.linalg.eigvalsh(L.hessian(np.asarray(L.minima[0])))[-1]
    network, theta = lesson03.trained_network()
    saddle = np.asarray(L.saddles).ravel()
    assert np.allclose(L.gradient(saddle), 0.0) and not saddle.any()
    return {
        "start": careful[0],
        "after one careful step": careful[1],
        "after one bold step": bold[1],
        "after two bold steps": bold[2],
        "after three bold steps": bold[3],
        "after four bold steps": bold[4],
        "curvature of the valley": curvature,
        "two": 2,
        "limit in the valley": 2 / curvature,
        "saddle": float(saddle[0]),
        "weights of the trained network": network.size,
        "loss of the trained network": network(theta),
        "accuracy of the trained network": 100 * network.accuracy(theta),
        "weights held still": network.size - 2,
        "bold rate": lesson03.BOLD_RATE,
        "minutes": round(
            sum(notebook("03_one_step_then_many")["metadata"]["lesson"]["minutes"].values()), -1
        ),
    }


MEASURED = {"03_one_step_then_many": measured_03}


def agrees(printed: str, value: float) -> bool:
    digits = len(printed.partition(".")[2])
    return f"{value:.{digits}f}" == printed


def test_every_lesson_has_its_facts():
    assert set(FACTS) == set(MEASURED) == {path.stem for path in LESSONS.glob("*.ipynb")}


@pytest.mark.parametrize("name", FACTS)
def test_printed_numbers_are_the_measured_ones(name):
    values = MEASURED[name]()
    for phrase, sources in FACTS[name]["measured"].items():
        printed = NUMBER.findall(phrase)
        assert len(printed) == len(sources), phrase
        for digits, source in zip(printed, sources, strict=True):
            assert agrees(digits, values[source]), f"{phrase!r}: {source} is {values[source]}"
    used = {source for sources in FACTS[name]["measured"].values() for source in sources}
    assert used == set(values), "a measurement that no phrase quotes"


@pytest.mark.parametrize("name", FACTS)
def test_no_number_in_the_prose_is_left_over(name):
    rest = re.sub(r"^\d+\. ", "", prose(name), flags=re.MULTILINE)  # numbered lists
    for phrase in [*FACTS[name]["measured"], *FACTS[name]["chosen"]]:
        assert phrase in rest or phrase in prose(name), f"not in the lesson: {phrase!r}"
        rest = rest.replace(phrase, "")
    assert not NUMBER.findall(rest), NUMBER.findall(rest)


@pytest.mark.parametrize("name", FACTS)
def test_a_lesson_fits_its_three_quarters_of_an_hour(name):
    header = notebook(name)["metadata"]["lesson"]
    assert sum(header["minutes"].values()) <= 45
    for word in header["teaches"]:
        assert word in prose(name).lower()


def test_the_exercises_steepness_is_the_derivative_of_its_height():
    for f, g, x, _, _ in lesson03.exercise.instances():
        x = np.atleast_1d(np.asarray(x, dtype=float))
        call = f if x.size > 1 else lambda p, f=f: f(p[0])
        steps = 1e-6 * np.eye(x.size)
        slopes = [(call(x + step) - call(x - step)) / 2e-6 for step in steps]
        assert np.allclose(slopes, g(x), rtol=1e-6)


def test_on_a_parabola_the_height_falls_at_every_step_iff_lr_is_below_two_over_curvature():
    for curvature in (0.5, 4.0, 70.0):
        for lr in np.linspace(0.05, 4.0, 80) / curvature:
            _, heights = lesson03.gd(
                lambda x, c=curvature: 0.5 * c * x * x, lambda x, c=curvature: c * x, 1.0, lr, 30
            )
            falls = all(b < a or a < 1e-30 for a, b in pairwise(heights))
            assert falls == (lr < 2 / curvature * (1 - 1e-12)), (curvature, lr * curvature)


def test_the_parabola_cell_says_so_and_falls_back_when_the_exercise_was_skipped():
    lines = lesson03.parabola().splitlines()
    assert "2 / curvature = 0.5" in lines[0]
    for line in lines[1:]:
        assert ("NOT" in line) == (float(line.split()[1]) >= 0.5)
    assert lesson03.parabola(lambda f, g, x0, lr, n: None).startswith("(with our gd")
