"""What `import tinygrad_landscape` costs beside `import numpy`; goal: at most 1.6 times.

    python tests/benchmarks/import_time.py

Fresh interpreters in turn, numpy and ours side by side, so that a busy machine slows both; the
ratio is the median over rounds, with the bare interpreter's start taken off both.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
ROUNDS = 25
NAMES = ("pass", "import numpy", "import tinygrad_landscape")


def seconds(statement: str) -> float:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], env=environment, cwd=ROOT, check=True)
    return time.perf_counter() - start


def main() -> None:
    for name in NAMES:
        seconds(name)  # fills the file cache and writes the bytecode
    rounds = [[seconds(name) for name in NAMES] for _ in range(ROUNDS)]
    print(f"{'statement':<30}{'median ms':>10}")
    for name, column in zip(NAMES, zip(*rounds, strict=True), strict=True):
        print(f"{name:<30}{1000 * median(column):>10.1f}")
    ratio = median((ours - bare) / (numpy - bare) for bare, numpy, ours in rounds)
    print(f"\nratio of the imports alone: {ratio:.2f}   (goal: at most 1.6)")


if __name__ == "__main__":
    main()
