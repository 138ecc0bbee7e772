"""The list of public names and signatures is a promise; this test keeps it.

After a wanted change run `python tests/house/test_public_names.py` and read the difference: a
name that goes away must first warn (DeprecationWarning, naming its successor) for two minor
releases.
"""

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
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in full.parameters.values()]
    return str(full.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def members(name: str, thing) -> list[str]:
    if isinstance(thing, ModuleType):
        inside = getattr(thing, "__all__", [n for n in dir(thing) if not n.startswith("_")])
        own = [n for n in inside if belongs(thing, getattr(thing, n))]
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


def belongs(module: ModuleType, thing) -> bool:
    home = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    return home is None or str(home).startswith("tinygrad_landscape")


def public_names() -> str:
    import tinygrad_landscape as tl

    names = sorted(name for name in tl.__all__ if not name.startswith("_"))
    return "".join(
        f"{line}\n" for name in names for line in members(f"tl.{name}", getattr(tl, name))
    )


def test_public_names_and_signatures_are_kept():
    assert public_names().splitlines() == SNAPSHOT.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    SNAPSHOT.write_text(public_names(), encoding="utf-8")
    print(f"wrote {SNAPSHOT}")
