"""What every test shares: one BLAS thread, a picture backend without a window, one seed, a browser,
and a progress file that is nobody's.

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

from tests.browser.lab import browsing, missing  # noqa: E402

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


@pytest.fixture(scope="session")
def browser():
    """Without a browser its tests are skipped, and say so.

    Where `CI` or `TGL_REQUIRE_BROWSER` is set a missing browser is a failure, so that the thread to
    the learner's screen is never cut unseen.
    """
    reason = missing()
    if reason and (os.environ.get("CI") or os.environ.get("TGL_REQUIRE_BROWSER")):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def browser_page(browser):
    """A page of a real Chromium with the network off: what is shown there asks for nothing."""
    with browsing(1000, 800) as page:
        page.context.set_offline(True)
        yield page
