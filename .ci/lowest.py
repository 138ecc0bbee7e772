"""Print the lowest versions that pyproject.toml declares, as pins for `pip install -c`."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
needs = project["dependencies"] + project["optional-dependencies"]["test"]
for need in needs:
    found = re.match(r"([\w.-]+)>=([\w.]+)", need)
    if found is None:
        sys.exit(f"{need!r} has no lower bound")
    print(f"{found[1]}=={found[2]}")
