"""Every Python block of the README runs, as printed, in the order of the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_python_blocks_run_and_print_what_they_say(tmp_path):
    assert len(blocks("python")) >= 3
    program = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^print\(.*\)  # (.*)$", program, flags=re.MULTILINE)
    assert done.stdout.splitlines() == said and len(said) == program.count("print(")


def test_the_commands_are_one_line_each_with_a_windows_twin():
    unix, windows = blocks("sh"), blocks("powershell")[0].splitlines()
    assert len(unix) == len(windows) == 2
    for ours, theirs in zip(unix, windows, strict=True):
        assert len(ours.splitlines()) == 1 and "venv .venv" in ours and "venv .venv" in theirs
        assert ours.split()[-1].split("/")[-1] == theirs.split()[-1].split("\\")[-1]


def test_links_and_pictures_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target


def test_the_floors_of_the_readme_are_the_folders():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    floors = re.findall(r"^\| (\d) \| `(\w+)/` \|", text, flags=re.MULTILINE)
    assert [name for _, name in floors] == [
        "classroom", "panels", "draw", "surveying", "descent", "landscape", "network", "engine",
    ]  # fmt: skip
    assert [int(number) for number, _ in floors] == list(range(7, -1, -1))
    assert all((ROOT / "tinygrad_landscape" / name / "__init__.py").exists() for _, name in floors)


def test_the_readme_names_every_panel():
    import tinygrad_landscape as tl

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| panel |") : text.index("## How the code")]
    named = re.findall(r"`([A-Z]\w+)`", "".join(re.findall(r"^\| `.*? \|", table, re.MULTILINE)))
    assert sorted(named) == sorted(set(tl.panels.__all__) - {"Stage", "Surface3d", "use"})
