"""The floors stand: imports go downwards only, and importing the package pays for NumPy alone."""

import json
import os
import pkgutil
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tinygrad_landscape"


def run_python(code: str, *arguments: str, folder: Path | None = None) -> str:
    """Run `code` in a fresh interpreter that sees this repository; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=folder or ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def submodules() -> list[str]:
    found = pkgutil.walk_packages([str(PACKAGE)], prefix="tinygrad_landscape.")
    return [module.name for module in found]


def test_each_floor_imports_only_from_floors_below(tmp_path):
    linter = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    code = linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, "import-linter found a broken contract; run `lint-imports` to read it"


def test_importing_the_package_pays_for_numpy_alone():
    heavy = run_python(
        "import sys, json, tinygrad_landscape;"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    forbidden = {"matplotlib", "PIL", "ipywidgets", "anywidget", "IPython", "tqdm", "scipy",
                 "pandas", "multiprocessing", "asyncio", "jupyterlab", "traitlets"}  # fmt: skip
    assert not forbidden & set(json.loads(heavy))


FINGERPRINT = """
import importlib, json, random, sys
order = sys.argv[1:]
def forget():
    for name in [n for n in sys.modules if n.split(".")[0] == "tinygrad_landscape"]:
        del sys.modules[name]
def meaning(thing):
    return f"{type(thing).__name__} {getattr(thing, '__module__', '')} " + str(
        getattr(thing, "__qualname__", getattr(thing, "__name__", "")))
for first in order:
    forget()
    importlib.import_module(first)
    tl = importlib.import_module("tinygrad_landscape")
    names = sorted({*tl.__all__} - {"draw", "panels", "classroom"})  # folders, and slow to load
    print(json.dumps([first, {name: meaning(getattr(tl, name)) for name in names}]))
"""


def test_public_names_mean_the_same_whichever_submodule_comes_first():
    order = submodules()
    random.Random(0).shuffle(order)
    lines = run_python(FINGERPRINT, "tinygrad_landscape", *order).splitlines()
    assert len(lines) == len(order) + 1
    (_, expected), *others = map(json.loads, lines)
    assert len(expected) > 10
    for first, names in others:
        assert names == expected, f"importing {first} first changes what a public name means"


def test_no_module_at_the_top_shares_a_name_with_a_public_function():
    import tinygrad_landscape as tl

    top = {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
    for name in top & set(dir(tl)):
        assert getattr(tl, name).__name__ == f"tinygrad_landscape.{name}", name
