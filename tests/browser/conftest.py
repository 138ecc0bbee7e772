"""A served copy of the lessons and a page to open them in.

Without a browser these tests are skipped, and say so; where `CI` or `TGL_REQUIRE_BROWSER` is set
a missing browser is a failure, so that the thread to the learner's screen is never cut unseen.
"""

import os
from pathlib import Path

import pytest

from tests.browser.lab import browsing, chromium, served


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    missing = None
    if chromium() is None:
        missing = "no Chromium found; on Debian `apt-get install chromium` brings it"
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing = "playwright is not installed; it comes with the `test` extra"
    if missing and (os.environ.get("CI") or os.environ.get("TGL_REQUIRE_BROWSER")):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    with served(tmp_path_factory.mktemp("learner")) as address:
        yield address


@pytest.fixture(scope="module")
def page():
    with browsing() as page:
        yield page


@pytest.fixture(scope="module")
def picture(page, tmp_path_factory):
    """Take a screenshot by name; TGL_SCREENSHOTS names a folder to keep them in."""
    folder = Path(os.environ.get("TGL_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: page.screenshot(path=str(folder / f"{name}.png"))
