"""The command `tinygrad-landscape`: open the lessons, or draw and print with no Jupyter at all.

One command for a learner's first minute. The lessons are copied to a folder of the learner's and
opened in JupyterLab; `draw` writes a surface with a walk on it, as a sign that all is well;
`worksheet` writes a lesson's sheet for the printer.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..engine.errors import TinygradLandscapeError
from . import progress
from .folder import DEFAULT_FOLDER, copy_lessons


def parser() -> argparse.ArgumentParser:
    """Return the command's argument parser; `tinygrad-landscape --help` prints it."""
    main = argparse.ArgumentParser(
        prog="tinygrad-landscape",
        description="Open the lessons on loss landscapes in JupyterLab, copied to a folder of "
        "yours. Files that are already there are yours and are never overwritten.",
    )
    main.add_argument(
        "--dir", type=Path, default=DEFAULT_FOLDER, help="your folder (default: %(default)s)"
    )
    main.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    main.add_argument(
        "--port", type=_port, help="JupyterLab's port (default: a free one near 8888)"
    )
    commands = main.add_subparsers(dest="command", metavar="draw | worksheet")
    draw = commands.add_parser("draw", help="write a picture of a loss surface; needs no Jupyter")
    draw.add_argument(
        "--out",
        type=Path,
        default=Path("landscape.png"),
        help="picture to write, .png .svg or .pdf (default: %(default)s)",
    )
    sheet = commands.add_parser("worksheet", help="write a lesson's worksheet as a PDF to print")
    sheet.add_argument("lesson", type=int, help="the lesson's number")
    sheet.add_argument("--out", type=Path, help="file to write (default: worksheet_NN.pdf)")
    sheet.add_argument("--key", action="store_true", help="with the answers, for the teacher")
    return main


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a port from 1 to 65535")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status (0, or 2 with one sentence on what to do)."""
    given = parser().parse_args(arguments)
    try:
        if given.command == "draw":
            return draw(given.out)
        if given.command == "worksheet":
            return worksheet(given.lesson, given.out, given.key)
        return serve(given.dir, given.port, open_browser=not given.no_browser)
    except (TinygradLandscapeError, OSError) as error:
        print(f"tinygrad-landscape: {error}", file=sys.stderr)
        return 2


def draw(path: Path) -> int:
    """Write the picture of the README: a real network's loss, and a walk down it."""
    from .postcard import postcard

    print(postcard(path))
    return 0


def worksheet(lesson: int, path: Path | None, key: bool) -> int:
    """Write the worksheet of a lesson, or its key, as a PDF."""
    from .worksheet import worksheet_of

    path = path or Path(f"worksheet_{lesson:02d}{'_key' if key else ''}.pdf")
    worksheet_of(lesson).save(path, key)
    print(f"{path}: to print on A4")
    return 0


def serve(folder: Path, port: int | None, open_browser: bool) -> int:
    """Copy the lessons to `folder` and serve them in JupyterLab until it is stopped."""
    copied = copy_lessons(folder)
    print(copied.describe(), flush=True)
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        print(
            "tinygrad-landscape: JupyterLab is not installed; `pip install jupyterlab` adds it",
            file=sys.stderr,
        )
        return 2
    os.environ.update(_surroundings())
    os.environ.setdefault(progress.VARIABLE, str(copied.folder / "progress.json"))
    LabApp.launch_instance(argv=_lab_arguments(copied.folder, port, open_browser))
    return 0


def _surroundings() -> dict[str, str]:
    """Our settings for JupyterLab, as defaults under the user's own, which stay untouched."""
    ours = str(Path(__file__).parent / "jupyter")
    theirs = os.environ.get("JUPYTER_CONFIG_PATH")
    surroundings = {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, [theirs, ours]))}
    # Small matrices are fastest on one thread, and a slider must not fight for the other cores.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        surroundings[name] = os.environ.get(name, "1")
    return surroundings


def _lab_arguments(folder: Path, port: int | None, open_browser: bool) -> list[str]:
    arguments = [f"--ServerApp.root_dir={folder}", "--LabApp.default_url=/lab/tree/README.md"]
    if port is not None:
        arguments += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not open_browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container root is the ordinary user; the server hears localhost only, with a token.
        arguments.append("--allow-root")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
