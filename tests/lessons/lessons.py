"""What the tests of lessons share: the notebooks as data, and what stands beside each lesson.

For lesson NN, `tests/lessons/lesson_NN.py` holds `SOLUTIONS`, what a learner who solved it has in
place of each starter cell, and `measured()`, the numbers that its prose quotes.
"""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[2] / "lessons"
NAMES = sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))


def notebook(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))


def header(name: str) -> dict:
    return notebook(name)["metadata"]["lesson"]


def prose(name: str) -> str:
    cells = [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def module(name: str) -> ModuleType:
    """The lesson's own module in the classroom."""
    return import_module(f"tinygrad_landscape.classroom.lesson{name[:2]}")


def beside(name: str) -> ModuleType:
    """The lesson's own module in the tests."""
    return import_module(f"tests.lessons.lesson_{name[:2]}")
