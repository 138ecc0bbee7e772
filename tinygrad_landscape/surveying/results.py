"""What all results have in common: their arrays are sealed, and one `.npz` file holds all of them.

A result is a frozen dataclass of arrays, numbers and text (and the plane or line it belongs to).
The file is the same thing written down field by field, so a result needs no code of its own for it.
"""

import dataclasses
import os
from typing import Any, ClassVar, Self

import numpy as np

from ..engine.errors import ParameterError
from ..landscape import files
from .checks import read_only
from .line import Line
from .plane import Plane

INSIDE = {"Plane": Plane, "Line": Line}


class Result:
    """Base of every result; it never computes."""

    FORMAT: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, field.name, _sealed(getattr(self, field.name)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to the `.npz` file `path`."""
        arrays: dict[str, Any] = {}
        facts = _written(self, "", arrays)
        files.save(path, type(self).__name__.lower(), self.FORMAT, arrays, {"fields": facts})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `.save` wrote; a foreign or newer file raises `ParameterError`."""
        arrays, facts = files.load(path, cls.__name__.lower(), cls.FORMAT)
        try:
            return cls(**_fields(facts["fields"], arrays))
        except (KeyError, TypeError, AttributeError) as error:
            raise ParameterError(f"{os.fspath(path)} is damaged: {error!r}") from error


def _sealed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return read_only(value, dtype=value.dtype)
    if isinstance(value, dict):
        return {key: _sealed(part) for key, part in value.items()}
    return value


def _written(owner: Any, prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON-able facts; its arrays go into `arrays`."""
    fields = dataclasses.fields(owner)
    return {f.name: _fact(getattr(owner, f.name), prefix + f.name, arrays) for f in fields}


def _fact(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        parts = enumerate(value.items())
        return {"dict": [[key, _fact(part, f"{name}.{i}", arrays)] for i, (key, part) in parts]}
    if isinstance(value, tuple):
        return {"tuple": [_fact(part, f"{name}.{i}", arrays) for i, part in enumerate(value)]}
    if type(value).__name__ in INSIDE:
        return {"inside": type(value).__name__, "fields": _written(value, f"{name}.", arrays)}
    return value


def _fields(facts: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(fact, arrays) for name, fact in facts.items()}


def _value(fact: Any, arrays: dict[str, Any]) -> Any:
    if not isinstance(fact, dict):
        return fact
    if "array" in fact:
        return arrays[fact["array"]]
    if "dict" in fact:
        return {key: _value(part, arrays) for key, part in fact["dict"]}
    if "tuple" in fact:
        return tuple(_value(part, arrays) for part in fact["tuple"])
    return INSIDE[fact["inside"]](**_fields(fact["fields"], arrays))
