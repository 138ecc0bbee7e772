"""Where the lessons are, and the learner's own copy of them.

The lessons travel inside the wheel. A learner works on a copy in a folder of theirs: what is
missing there is copied, what is there is theirs and is never overwritten.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..engine.errors import ParameterError

DEFAULT_FOLDER = Path("~/tinygrad_landscape_lessons")


@dataclass(frozen=True)
class Copied:
    """What `copy_lessons` did: the folder, the names it copied, the names it left alone."""

    folder: Path
    copied: tuple[str, ...]
    kept: tuple[str, ...]

    def describe(self) -> str:
        """Say in one or two lines what was copied and what was kept.

        >>> Copied(Path("lessons"), ("03.ipynb",), ()).describe()
        'Lessons in lessons: copied 03.ipynb.'
        """
        parts = []
        if self.copied:
            parts.append("copied " + ", ".join(self.copied))
        if self.kept:
            parts.append("kept yours: " + ", ".join(self.kept))
        return f"Lessons in {self.folder}: " + "; ".join(parts) + "."


def shipped_lessons() -> Path:
    """Return the folder of the lessons as published, in the wheel or in the repository.

    >>> any(path.suffix == ".ipynb" for path in shipped_lessons().iterdir())
    True
    """
    package = Path(__file__).parents[1]
    for folder in (package / "lessons", package.parent / "lessons"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise FileNotFoundError(
        f"no lessons beside {package}: the installation is incomplete; install the package again"
    )


def copy_lessons(folder: str | Path) -> Copied:
    """Copy the lessons that `folder` lacks into it; never overwrite a file that is there.

    Raises ParameterError if `folder` is a file or may not be written to.
    """
    source, target = shipped_lessons(), Path(folder).expanduser().absolute()
    copied: list[str] = []
    kept: list[str] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source)
            if path.is_dir() or any(part.startswith((".", "__")) for part in name.parts):
                continue
            (kept if _already_there(path, target / name) else copied).append(name.as_posix())
    except (FileExistsError, NotADirectoryError):
        raise ParameterError(
            f"got {target}, which is or contains a file; expected a folder: name another with --dir"
        ) from None
    except PermissionError:
        raise ParameterError(
            f"got {target}, where you may not write; choose a folder of yours with --dir"
        ) from None
    return Copied(target, tuple(copied), tuple(kept))


def _already_there(source: Path, target: Path) -> bool:
    """Copy one file under a temporary name, then move it into place, unless the place is taken."""
    if target.exists():
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    temporary.write_bytes(source.read_bytes())
    os.replace(temporary, target)
    return False
