"""The list of public names and signatures is a promise; this test keeps it.

After a wanted change run `python tests/house/test_public_names.py` and read the difference: a
name that goes away must first warn (DeprecationWarning, naming its successor) for two minor
releases.
"""

import difflib
import inspect
import sys
from pathlib import Path
from types import ModuleType

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def signature(thing) -> str:
    """The parameters with their defaults; annotations are the type checker's business."""
    try:
        full = inspect.signature(thing)
    except (ValueError, TypeError):
        return ""
    bare = [p.replace(annotation=p.empty) for p in full.parameters.values()]
    for k, p in enumerate(bare):
        if callable(p.default) and p.default is not p.empty:
            bare[k] = p.replace(default=Named(p.default))
    return str(full.replace(parameters=bare, return_annotation=inspect.Signature.empty))


class Named:
    """A function or class as a default, shown by its name and not by its address."""

    def __init__(self, thing):
        self.thing = thing

    def __repr__(self):
        return getattr(self.thing, "__name__", repr(self.thing))


def members(name: str, thing) -> list[str]:
    if isinstance(thing, ModuleType):
        own = getattr(thing, "__all__", None) or [n for n in dir(thing) if belongs(thing, n)]
        return [line for n in sorted(own) for line in members(f"{name}.{n}", getattr(thing, n))]
    if inspect.isclass(thing):
        lines = [name + signature(thing)]
        for attribute in sorted(vars(thing)):
            if not attribute.startswith("_"):
                value = inspect.getattr_static(thing, attribute)
                value = getattr(value, "__func__", value)
                lines.append(f"{name}.{attribute}" + (signature(value) if callable(value) else ""))
        return lines
    if callable(thing):
        return [name + signature(thing)]
    return [name]


def belongs(module: ModuleType, name: str) -> bool:
    """Whether a public name of a module without `__all__` was made there or below."""
    home = getattr(getattr(module, name), "__module__", None)
    return not name.startswith("_") and str(home).startswith(module.__name__)


def public_names() -> str:
    import tinygrad_landscape as tl

    names = sorted(name for name in tl.__all__ if not name.startswith("_"))
    return "".join(
        f"{line}\n" for name in names for line in members(f"tl.{name}", getattr(tl, name))
    )


def test_public_names_and_signatures_are_kept():
    kept = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    changed = difflib.unified_diff(
        kept, public_names().splitlines(), "kept", "now", n=0, lineterm=""
    )
    assert "\n".join(changed) == ""


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    SNAPSHOT.write_text(public_names(), encoding="utf-8")
    print(f"wrote {SNAPSHOT}")
