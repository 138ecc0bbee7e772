"""Replay codes come back as they went, and say in one sentence why they are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import codes

values = st.one_of(
    st.booleans(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)  # fmt: skip
states = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), values, max_size=5)
CODE = codes.write({"lr": 2.7, "frame": 3}, ["Descent", 2])


@given(states, st.lists(st.floats(allow_nan=False)))
def test_a_code_holds_its_state(state, configuration):
    code = codes.write(state, configuration)
    assert codes.read(code, configuration) == state
    assert codes.read(f"  {code}\n", configuration) == state


def test_a_code_can_be_copied_by_hand():
    assert CODE.startswith("TGL1.lr=2.7&frame=3.") and len(CODE) == 28
    assert len(codes.write({}, "x")) == 14


@pytest.mark.parametrize("place", range(5, len(CODE)))
@pytest.mark.parametrize("change", ["lost", "changed", "doubled"])
def test_one_wrong_letter_is_noticed(place, change):
    other = "a" if CODE[place] != "a" else "b"
    middle = {"lost": "", "changed": other, "doubled": CODE[place] * 2}[change]
    wrong = CODE[:place] + middle + CODE[place + 1 :]
    with pytest.raises(ParameterError):
        codes.read(wrong, ["Descent", 2])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CODE.replace("2.7", "2.8"), "damaged: a letter was lost or changed"),
        (CODE[:-3], "damaged"),
        (CODE.replace("TGL1", "TGL7"), "newer tinygrad_landscape"),
        ("hello", "no replay code"),
        ("", "no replay code"),
        (codes.write({"lr": 2.7}, ["Descent", 3]), "another panel"),
    ],
)
def test_every_refusal_says_why(code, words):
    with pytest.raises(ParameterError, match=words):
        codes.read(code, ["Descent", 2])
