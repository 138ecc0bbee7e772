"""JupyterLab and a real Chromium, as a learner has them, for tests and benchmarks to drive.

The server is the command `tinygrad-landscape` itself; the page is driven through the keyboard and
the pointer, and through JupyterLab's own commands where a learner would use its menu.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "learner"
ERROR = "[data-mime-type='application/vnd.jupyter.error']"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",  # WebGL in software, as on a machine without a graphics card
]


def chromium() -> str | None:
    """The system's own browser, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def missing() -> str | None:
    """What is not there, so that nothing can be shown in a browser, and how to get it."""
    if find_spec("playwright") is None:
        return "playwright is not installed; it comes with the `test` extra"
    if chromium() is None:
        return "no Chromium found; on Debian `apt-get install chromium` brings it"
    return None


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the lessons, copied below `folder`, by our own command; give the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "jupyter_lab_config.json").write_text(
        json.dumps({"LabApp": {"expose_app_in_browser": True}}), encoding="utf-8"
    )
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "JUPYTER_TOKEN": TOKEN,
        "TINYGRAD_LANDSCAPE_PROGRESS": str(folder / "progress.json"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    command = [sys.executable, "-m", "tinygrad_landscape.classroom.cli", "--no-browser"]
    command += ["--port", str(port), "--dir", str(folder / "lessons")]
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api/status?token={TOKEN}", server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def written(path: Path, *sources: str) -> None:
    """Write a notebook of code cells."""
    import nbformat

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


class Notebook:
    """One notebook in one page: open it, run it, touch what is in it."""

    def __init__(self, page: Any, address: str, name: str):
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.goto(f"{address}/lab/tree/{name}?token={TOKEN}&reset")
        self.ready()

    def ready(self) -> None:
        """Wait until the notebook is open and its kernel idle."""
        page = self.page
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function(
            """() => {
                const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
                const kernel = session?.session?.kernel;
                return session?.isReady && kernel?.connectionStatus === 'connected'
                    && kernel.status === 'idle';
            }""",
            timeout=60_000,
        )

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def run_all(self, timeout: float = 120_000) -> None:
        """Run every cell, as "Run all cells" in the menu does; raise what a cell raised."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self.page.wait_for_function(
            """(error) => document.querySelector(error) ||
                [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                    .every(prompt => /\\[\\d+\\]/.test(prompt.textContent))""",
            arg=ERROR,
            timeout=timeout,
        )
        for error in self.page.locator(ERROR).all():
            raise RuntimeError(error.inner_text())

    def show(self, source: str) -> None:
        """Put `source` into the first cell in place of what is there, and run it as by hand."""
        self.page.evaluate(
            """(source) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = 0;
                notebook.activeCell.model.sharedModel.setSource(source);
                window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            source,
        )
        self.execute("answer = 0")  # comes after the cell
        for error in self.page.locator(ERROR).all():
            raise RuntimeError(error.inner_text())

    def execute(self, code: str) -> Any:
        """Run code in the notebook's kernel, silently; return the value of its last expression.

        The kernel's answers travel as JSON, so values are plain numbers, strings and lists.
        """
        answer = self.page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({
                    code, silent: false, store_history: false,
                    user_expressions: {answer: '__import__("json").dumps(answer)'},
                });
                return (await future.done).content;
            }""",
            code,
        )
        if answer["status"] != "ok":
            raise RuntimeError("\n".join(answer["traceback"]))
        data = answer["user_expressions"]["answer"]
        if data["status"] != "ok":
            raise RuntimeError(f"{data['ename']}: {data['evalue']}")
        return json.loads(data["data"]["text/plain"][1:-1].encode().decode("unicode_escape"))

    def cell(self, source: str) -> Any:
        """The first code cell whose source contains `source`."""
        return (
            self.page.locator(".jp-CodeCell")
            .filter(has=self.page.locator(".cm-content", has_text=source))
            .first
        )

    def output_of(self, source: str) -> Any:
        """The output area of the code cell whose source contains `source`."""
        return self.cell(source).locator(".jp-Cell-outputArea")

    def run_cell(self, source: str, instead: str | None = None) -> None:
        """Run the cell that contains `source` by Shift+Enter, with `instead` typed in its place."""
        self.cell(source).locator(".cm-content").click()
        if instead is not None:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(instead)
        self.page.keyboard.press("Shift+Enter")


@contextmanager
def browsing(width: int = 1400, height: int = 1000) -> Iterator[Any]:
    """A page of a real, headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        try:
            yield page
        finally:
            browser.close()
