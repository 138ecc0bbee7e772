"""Every number in a lesson's prose is measured here, or is named as chosen, in one facts file.

`facts.json` lists the phrases that hold numbers. A phrase under "measured" must agree, number by
number and to the digits printed, with what `measured()` beside the lesson finds; a phrase under
"chosen" is a decision or a formula. A digit in the prose that stands in neither is a failure.
"""

import json
import re
from pathlib import Path

import pytest

from tests.lessons.lessons import NAMES, beside, prose

FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
LINK = re.compile(r"\]\([^)]*\)")  # where a link leads is not prose


def agrees(printed: str, value: float) -> bool:
    digits = len(printed.partition(".")[2])
    return f"{value:.{digits}f}" == printed


def test_every_lesson_has_its_facts():
    assert set(FACTS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_printed_numbers_are_the_measured_ones(name):
    values = beside(name).measured()
    for phrase, sources in FACTS[name]["measured"].items():
        printed = NUMBER.findall(phrase)
        assert len(printed) == len(sources), phrase
        for digits, source in zip(printed, sources, strict=True):
            assert agrees(digits, values[source]), f"{phrase!r}: {source} is {values[source]}"
    used = {source for sources in FACTS[name]["measured"].values() for source in sources}
    assert used == set(values), "a measurement that no phrase quotes"


@pytest.mark.parametrize("name", NAMES)
def test_no_number_in_the_prose_is_left_over(name):
    text = LINK.sub("]", prose(name))
    rest = re.sub(r"^\d+\. ", "", text, flags=re.MULTILINE)  # numbered lists
    for phrase in [*FACTS[name]["measured"], *FACTS[name]["chosen"]]:
        assert phrase in text, f"not in the lesson: {phrase!r}"
        rest = rest.replace(phrase, "")
    assert not NUMBER.findall(rest), NUMBER.findall(rest)
