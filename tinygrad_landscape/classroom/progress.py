"""What a learner has guessed, built and answered, kept in one small file of theirs.

The file is plain JSON, `progress.json` in the folder of the lessons, and it never leaves the
machine. One that cannot be read is set aside under another name, so that nothing is lost.

    {"package": "tinygrad_landscape", "kind": "progress", "format": 1,
     "predictions": {"03 bold step": {"answer": "...", "confidence": "a guess", "at": "..."}},
     "exercises": {"03 gd": {"state": "passed", "tries": 2, "hints": 1, "at": "..."}},
     "quizzes": {"03": {"1": {"answer": "Nothing", "right": true}, "at": "..."}}}

The name of a lesson's number opens every key; times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from .folder import DEFAULT_FOLDER

VARIABLE = "TINYGRAD_LANDSCAPE_PROGRESS"  # the file's path, if it shall lie elsewhere
KINDS = ("predictions", "exercises", "quizzes")
HEADER: dict[str, Any] = {"package": "tinygrad_landscape", "kind": "progress", "format": 1}

Kind = Literal["predictions", "exercises", "quizzes"]


def path() -> Path:
    """The file: what the environment variable TINYGRAD_LANDSCAPE_PROGRESS says, or `progress.json`
    in the default folder of the lessons."""
    return Path(os.environ.get(VARIABLE) or DEFAULT_FOLDER.expanduser() / "progress.json")


def everything() -> dict[str, dict[str, Any]]:
    """All that is kept, by kind and name; empty where there is no file.

    A file of another program, of a newer format, or a damaged one is set aside with a warning.
    """
    empty: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        if {name: found[name] for name in HEADER} != HEADER:
            raise ValueError("it is no progress file of this version")
        kept = {kind: dict(found.get(kind, {})) for kind in KINDS}
        if not all(isinstance(entry, dict) for each in kept.values() for entry in each.values()):
            raise ValueError("its entries are not what they should be")
    except FileNotFoundError:
        return empty
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        _set_aside(error)
        return empty
    except OSError as error:
        warnings.warn(f"your progress is not read: {error}", stacklevel=2)
        return empty
    return kept


def entry(kind: Kind, name: str | None) -> dict[str, Any]:
    """What is kept under one name; empty if nothing is, or for no name."""
    return {} if name is None else everything()[kind].get(name, {})


def keep(kind: Kind, name: str | None, facts: Mapping[str, Any]) -> None:
    """Add `facts` to what is kept under `name`; do nothing for no name."""
    if name is None:
        return
    kept = everything()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept[kind][name] = {**kept[kind].get(name, {}), **facts, "at": now}
    _write(kept)


def forget(lesson: str) -> None:
    """Drop what is kept of one lesson, such as "03", so that it can be begun anew."""
    kept = everything()
    _write({
        kind: {name: facts for name, facts in each.items() if name.split()[0] != lesson}
        for kind, each in kept.items()
    })  # fmt: skip


def _write(kept: dict[str, dict[str, Any]]) -> None:
    """Write under a temporary name and move it into place; a lesson goes on if that fails."""
    file = path()
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(HEADER | kept, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        warnings.warn(f"your progress is not kept: {error}", stacklevel=2)


def _set_aside(error: Exception) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    aside = path().with_name(f"{path().stem}-set-aside-{stamp}-{secrets.token_hex(2)}.json")
    try:
        os.replace(path(), aside)
    except OSError:
        return  # somebody else moved it first
    warnings.warn(f"{path()} could not be read ({error}); it lies in {aside.name} now, and a new "
                  "one is begun", stacklevel=3)  # fmt: skip
