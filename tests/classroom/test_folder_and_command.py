"""The command copies lessons without ever overwriting, serves them, and draws without Jupyter."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tinygrad_landscape.classroom import cli
from tinygrad_landscape.classroom.folder import copy_lessons, shipped_lessons
from tinygrad_landscape.engine.errors import ParameterError

LESSON = "03_one_step_then_many.ipynb"
ROOT = Path(__file__).parents[2]


def test_lessons_are_copied_once_and_never_overwritten(tmp_path):
    folder = tmp_path / "new" / "lessons"
    first = copy_lessons(folder)
    assert LESSON in first.copied and first.kept == ()
    assert (folder / LESSON).read_bytes() == (shipped_lessons() / LESSON).read_bytes()

    (folder / LESSON).write_text("mine", encoding="utf-8")
    again = copy_lessons(folder)
    assert again.copied == () and LESSON in again.kept
    assert (folder / LESSON).read_text(encoding="utf-8") == "mine"
    assert "kept yours" in again.describe()
    there = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert sorted(there) == sorted(first.copied)


def test_a_folder_that_cannot_be_one_is_refused_in_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ParameterError, match="--dir"):
            copy_lessons(wrong)
    assert cli.main(["--dir", str(tmp_path / "file"), "--no-browser"]) == 2
    assert capsys.readouterr().err.startswith("tinygrad-landscape: got ")


def test_the_users_jupyter_settings_stay_first(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    ours = cli._surroundings()
    theirs_first, folder = ours["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert theirs_first == "theirs" and ours["OMP_NUM_THREADS"] == "3"
    overrides = Path(folder) / "labconfig" / "default_setting_overrides.json"
    assert "windowingMode" in overrides.read_text(encoding="utf-8")


def test_draw_writes_a_picture_where_it_is_told(tmp_path, capsys):
    assert cli.main(["draw", "--out", str(tmp_path / "picture.png")]) == 0
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "picture.png") in capsys.readouterr().out
    assert cli.main(["draw", "--out", str(tmp_path / "missing" / "picture.png")]) == 2
    assert cli.main(["draw", "--out", str(tmp_path / "picture.xyz")]) == 2
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--port", "x"], ["paint"]])
def test_wrong_arguments_are_refused(wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(wrong)
    assert stopped.value.code == 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(address: str, token: str) -> dict:
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_the_command_serves_the_lessons_from_an_empty_folder(tmp_path):
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    port = free_port()
    (tmp_path / "empty").mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_TOKEN": "secret",
        "HOME": str(tmp_path),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }
    arguments = ["--no-browser", "--port", str(port), "--dir", str(tmp_path / "lessons")]
    server = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_landscape.classroom.cli", *arguments],
        cwd=tmp_path / "empty",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        base, served, deadline = f"http://127.0.0.1:{port}", None, time.monotonic() + 60
        while served is None and time.monotonic() < deadline and server.poll() is None:
            try:
                served = fetch(f"{base}/api/contents", "secret")
            except OSError:
                time.sleep(0.2)
        assert served is not None, server.poll()
        assert LESSON in [entry["name"] for entry in served["content"]]
        settings = fetch(
            f"{base}/lab/api/settings/@jupyterlab/notebook-extension:tracker", "secret"
        )
        assert settings["schema"]["properties"]["windowingMode"]["default"] == "defer"
        assert not list((tmp_path / "config").rglob("*.jupyterlab-settings"))
    finally:
        server.terminate()
        output, _ = server.communicate(timeout=30)
    assert "copied" in output and "/lab/tree/README.md" in output
