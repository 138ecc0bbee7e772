"""What `pip install` brings: the wheel holds all it needs, and works in an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_carries_lessons_javascript_data_and_types(wheel):
    inside = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = Path("tinygrad_landscape")
    for path in ROOT.joinpath("tinygrad_landscape").rglob("*"):
        if path.is_file() and path.suffix in {".py", ".js", ".css", ".npz", ".json", ".typed"}:
            assert path.relative_to(ROOT) in inside, path
    for path in ROOT.joinpath("lessons").glob("*.ipynb"):
        assert package / "lessons" / path.name in inside
    assert not any(path.parts[0] in {"tests", "assets", ".ci"} for path in inside)
    assert any(path.name == "LICENSE" for path in inside)


def test_the_wheel_works_in_an_empty_folder(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    empty = tmp_path / "empty"
    empty.mkdir()
    program = (
        "import sys, tinygrad_landscape as tl\n"
        "from tinygrad_landscape.classroom import cli, folder\n"
        "assert tl.__file__.startswith(sys.argv[1]), tl.__file__\n"
        "assert str(folder.shipped_lessons()).startswith(sys.argv[1])\n"
        "print(folder.copy_lessons('mine').describe())\n"
        "sys.exit(cli.main(['draw', '--out', 'picture.png']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "installed")],
        cwd=empty,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (empty / "picture.png").exists() and list((empty / "mine").glob("*.ipynb"))
