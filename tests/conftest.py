"""What every test shares: one BLAS thread, a picture backend without a window, one seed, and a
progress file that is nobody's.

Small matrices run fastest on one BLAS thread, and two threads on two busy cores can be a hundred
times slower; the variables must be set before NumPy is imported, so this stands at the very top.
"""

import os
import tempfile

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["TINYGRAD_LANDSCAPE_PROGRESS"] = f"{tempfile.mkdtemp()}/progress.json"

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "house",
    deadline=None,  # a busy machine is not a wrong result
    derandomize=True,  # the same run for everybody; widen with --hypothesis-seed
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("house")


@pytest.fixture
def fresh_progress(tmp_path, monkeypatch):
    """A progress file of the test's own, not there yet."""
    monkeypatch.setenv("TINYGRAD_LANDSCAPE_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"
