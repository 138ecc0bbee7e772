"""A sheet to print: maps without a walk, room for answers; the key has both."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.classroom import cli
from tinygrad_landscape.classroom.worksheet import KEY, Map, Worksheet


@pytest.fixture(scope="module")
def sheet():
    L = tl.formulas.one_neuron
    walk = tl.descend(L, np.array([0.3, 0.2]), tl.optim.SGD(0.5), steps=4)
    maps = [Map(L, 3.0, f"Task {k}.", (0.3, 0.2), walk) for k in range(3)]
    return Worksheet(
        "99 · A title",
        maps,
        [
            (
                "Why is this line of words as long as it is, and not longer? " * 4,
                "Since the answer takes its room. " * 9,
            )
        ]
        * 9,
    )


def in_key_colour(figure):
    drawn = [line for ax in figure.axes for line in ax.lines] + list(figure.texts)
    return [artist for artist in drawn if artist.get_color() == KEY]


def test_the_key_alone_shows_walks_and_answers(sheet):
    blank, key = sheet.pages(), sheet.pages(key=True)
    assert len(blank) == len(key) >= 4  # two of maps, two of questions
    assert not any(map(in_key_colour, blank)) and all(map(in_key_colour, key))
    assert [len(page.axes) for page in blank[:2]] == [2, 1]


def test_nothing_leaves_the_paper_or_lies_on_another(sheet):
    for page in sheet.pages(key=True):
        page.canvas.draw()
        boxes = [text.get_window_extent() for text in page.texts if text.get_text()]
        width, height = page.get_size_inches() * page.dpi
        for box in boxes:
            assert min(box.x0, box.y0) > 0 and box.x1 < width and box.y1 < height
        for k, one in enumerate(boxes):
            assert not any(one.overlaps(other) for other in boxes[k + 1 :])


def test_the_command_writes_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["worksheet", "3"]) == 0
    assert cli.main(["worksheet", "3", "--key"]) == 0
    assert (tmp_path / "worksheet_03.pdf").stat().st_size < 300_000
    assert (tmp_path / "worksheet_03_key.pdf").exists()
    assert cli.main(["worksheet", "77"]) == 2
    assert cli.main(["worksheet", "3", "--out", "sheet.txt"]) == 2
    assert "expected a name ending in .pdf" in capsys.readouterr().err
