"""How results are kept: read-only copies in memory, one `.npz` file on disk.

A file is plain arrays plus one JSON string that says what it is; nothing in it is ever executed. It
is written under a temporary name and moved into place, so an interrupted save leaves the older file
whole.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_landscape.engine.errors import ParameterError

PACKAGE = "tinygrad_landscape"


def read_only(values: ArrayLike, dtype: Any = None) -> NDArray[Any]:
    """Return a copy of `values` that cannot be written to; integers become float64 unless `dtype`
    says otherwise."""
    array = np.array(values, dtype=dtype)
    if dtype is None and array.dtype.kind in "iu":
        array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def save(
    path: str | os.PathLike[str],
    kind: str,
    version: int,
    arrays: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    """Write `arrays` and the JSON-able `facts` to `path` as a `kind` file of format `version`."""
    path = Path(path)
    header = json.dumps(
        {"kind": kind, "format": version, "package": PACKAGE, **facts}, ensure_ascii=False
    )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, json=np.array(header), **arrays)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(
    path: str | os.PathLike[str], kind: str, newest: int
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a `kind` file; return its arrays and facts. A foreign or newer file raises
    `ParameterError`."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop("json")))
        found = facts["package"], facts["kind"]
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise ParameterError(
            f"{os.fspath(path)} is not a file written by {PACKAGE}; save one with .save(path)"
        ) from error
    if found != (PACKAGE, kind):
        raise ParameterError(
            f"{os.fspath(path)} holds a {found[1]} of {found[0]}; expected a {kind} of {PACKAGE}"
        )
    if facts["format"] > newest:
        raise ParameterError(
            f"{os.fspath(path)} has format {facts['format']}, newer than {newest}; upgrade "
            f"{PACKAGE} to read it"
        )
    return arrays, facts
