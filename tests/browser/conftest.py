"""A served copy of the lessons and a page to open them in."""

import os
from pathlib import Path

import pytest

from tests.browser.lab import browsing, served


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the served lessons are, in `lessons`."""
    return tmp_path_factory.mktemp("learner")


@pytest.fixture(scope="session")
def address(browser, folder):
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser):
    with browsing() as page:
        yield page


@pytest.fixture(scope="module")
def picture(page, tmp_path_factory):
    """Take a screenshot by name; TGL_SCREENSHOTS names a folder to keep them in."""
    folder = Path(os.environ.get("TGL_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name, part=None: (part or page).screenshot(path=str(folder / f"{name}.png"))
