"""How results are kept on disk: one `.npz` of plain arrays and one JSON string that says what it
is.

Nothing in a file is ever executed. It is written under a temporary name and moved into place, so an
interrupted save leaves the older file whole.
"""

import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import ParameterError

PACKAGE = "tinygrad_landscape"


def save(
    path: str | os.PathLike[str],
    kind: str,
    version: int,
    arrays: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    """Write `arrays` and the JSON-able `facts` to `path`, as a `kind` file of format `version`."""
    path = Path(path)
    header = json.dumps(
        {"kind": kind, "format": version, "package": PACKAGE, **facts}, ensure_ascii=False
    )
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:  # not by `tempfile`, whose files nobody else may read
            np.savez_compressed(file, json=np.array(header), **arrays)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(
    path: str | os.PathLike[str], kind: str, newest: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a `kind` file: its arrays and its facts. Foreign and newer files raise
    `ParameterError`."""
    name = os.fspath(path)
    with open(path, "rb") as raw:
        content = io.BytesIO(raw.read())
    try:
        with np.load(content, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        facts = json.loads(str(arrays.pop("json")))
        found = facts["package"], facts["kind"], int(facts["format"])
    except Exception as error:  # a damaged archive can fail in every way there is
        raise ParameterError(
            f"{name} was not written by {PACKAGE}, or is damaged; expected a {kind} file"
        ) from error
    if found[:2] != (PACKAGE, kind):
        raise ParameterError(
            f"{name} holds a {found[1]} of {found[0]}; expected a {kind} of {PACKAGE}"
        )
    if found[2] > newest:
        raise ParameterError(
            f"{name} has format {found[2]}, this package reads up to {newest}; upgrade {PACKAGE}"
        )
    return arrays, facts
