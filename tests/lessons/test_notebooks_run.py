"""Every lesson runs as shipped and with its solutions, and every slider in it can be moved.

A callback's error ends in a widget's own output or in the panel and fails no cell; so a last cell
drives every control that is alive, and what they say is searched for errors.
"""

import json

import pytest

from tests.lessons.lessons import FOLDER, NAMES, beside

nbformat = pytest.importorskip("nbformat", reason="nbformat comes with JupyterLab")
nbclient = pytest.importorskip("nbclient", reason="nbclient comes with JupyterLab")

DRIVE = """
import json as _json, ipywidgets as _w
_moved, _errors = [], []
for _widget in list(_w.Widget.widgets.values()):
    if isinstance(_widget, _w.Output):
        _errors += [str(o) for o in _widget.outputs if o["output_type"] == "error"]
    if not isinstance(_widget, (_w.FloatSlider, _w.IntSlider, _w.FloatLogSlider)):
        continue
    _ends = [_widget.min, (_widget.min + _widget.max) / 2, _widget.max]
    if isinstance(_widget, _w.FloatLogSlider):
        _ends = [_widget.base**_end for _end in _ends]
    _before = _widget.value
    for _value in (*_ends, _before):
        try:
            _widget.value = type(_before)(_value)
        except Exception as _error:
            _errors.append(f"{_widget.description}: {_error!r}")
    _moved.append(_widget.description)
print(_json.dumps({"moved": _moved, "errors": _errors}))
"""


def run(name: str, replace: dict[str, str], last: str = DRIVE) -> list[dict]:
    """Run a lesson with some cells replaced and one appended; return the code cells."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    for begins, source in replace.items():
        cells = [cell for cell in notebook.cells if cell.source.startswith(begins)]
        assert len(cells) == 1, begins
        cells[0].source = source
    notebook.cells.append(nbformat.v4.new_code_cell(last))
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text(cell: dict) -> str:
    return "\n".join(
        str(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for output in cell["outputs"]
    )


def driven(cells: list[dict]) -> dict:
    said = [out["text"] for out in cells[-1]["outputs"] if out.get("name") == "stdout"]
    return json.loads("".join(said).splitlines()[-1])  # a warning on stderr is no answer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solved", [False, True], ids=["as shipped", "solved"])
@pytest.mark.usefixtures("fresh_progress")
def test_a_lesson_runs_and_its_controls_move(name, solved):
    cells = run(name, beside(name).SOLUTIONS if solved else {})
    found = driven(cells)
    assert found["errors"] == []
    assert found["moved"], "a lesson without a slider"
    verdicts = [text(cell) for cell in cells if ".check(" in cell.source]
    assert verdicts
    for verdict in verdicts:
        assert ("passed" if solved else "not attempted") in verdict


def test_a_planted_bug_in_a_callback_is_caught():
    bug = (
        "import ipywidgets\n"
        "slider = ipywidgets.FloatSlider(description='planted')\n"
        "slider.observe(lambda change: 1 / 0, names='value')"
    )
    cells = run("03_one_step_then_many", {"lesson03.quiz()": bug})
    assert any("planted" in error and "ZeroDivision" in error for error in driven(cells)["errors"])
