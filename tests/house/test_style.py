"""One hand, one voice: the linter, the formatter and the type checker agree with every file."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Files that may be longer than a reader's hour, each with its reason.
LONG_FILES: dict[str, str] = {
    "tinygrad_landscape/landscape/landscape.py": "the class every floor speaks to, with examples",
    "tinygrad_landscape/panels/saddle.py": "one panel, read from top to bottom",
    "tinygrad_landscape/panels/sieve.py": "one panel, read from top to bottom",
    "tests/panels/test_descent.py": "the panel that is the model of the others, every control",
    "tests/panels/test_stage_in_browser.py": "one page, opened once for every key and gesture",
    "tests/surveying/test_survey.py": "one function in all its ways of being cut into pieces",
}


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_tool_is_content(command):
    if importlib.util.find_spec(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (it comes with the `test` extra)")
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"


def source_files() -> list[Path]:
    folders = [ROOT / "tinygrad_landscape", ROOT / "tests"]
    return [
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".js"}
    ]


def test_no_file_is_long_without_a_reason():
    long = {
        path.relative_to(ROOT).as_posix()
        for path in source_files()
        if len(path.read_text(encoding="utf-8").splitlines()) > 400
    }
    assert long == set(LONG_FILES), "split it, or name the reason in LONG_FILES"
    assert all(LONG_FILES.values())


def test_every_file_of_the_package_opens_with_its_idea():
    for path in (ROOT / "tinygrad_landscape").rglob("*.py"):
        assert path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""')), path


def test_the_package_says_it_is_typed():
    assert (ROOT / "tinygrad_landscape" / "py.typed").exists()
