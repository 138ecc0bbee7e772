"""Panels as axe-core judges them: in JupyterLab and as a page without a kernel, on every paper.

Nothing serious or critical may be ours. axe looks at names, roles, contrast and what else a machine
can tell; what it tells of ipywidgets' own parts stands in `THEIRS`.
"""

import pytest

import tinygrad_landscape as tl
from tests.browser.every import PANELS, styled
from tests.browser.hands import Hands
from tests.browser.lab import Notebook, written

pytestmark = pytest.mark.browser

STYLES = ("light", "dark", "projector")
# Between them, every kind of control and of layer; the other panels are made of the same parts.
LOOKED_AT = ("race", "sieve", "initialization", "basins lasso")
THEIRS: dict[str, str] = {}  # rule of axe -> why it cannot be mended from here


@pytest.fixture(scope="module")
def notebook(page, address, folder):
    written(folder / "lessons" / "accessibility.ipynb", "import tinygrad_landscape as tl")
    opened = Notebook(page, address, "accessibility.ipynb")
    opened.run_all()
    # JupyterLab's body has no height, so axe takes all in it for hidden and judges no contrast.
    page.add_style_tag(content="body { min-height: 100vh }")
    return opened


def violations(page, inside="html"):
    """What axe calls serious or critical: its rule, the element and the reason."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations", "passes"]}
    told = Axe().run(page, inside, options).response
    seen = [each for kind in ("violations", "passes") for each in told[kind]]
    contrasts = next(each["nodes"] for each in seen if each["id"] == "color-contrast")
    assert any(node["any"][0]["data"]["contrastRatio"] for node in contrasts)  # it has judged them
    found = told["violations"]
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in found
        if each["impact"] in ("serious", "critical") and each["id"] not in THEIRS
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("style", STYLES)
def test_panels_in_a_notebook(notebook, style, picture):
    for name in LOOKED_AT:
        hands = Hands(notebook, styled(PANELS[name], style))
        hands.unfold()
        hands.press("ArrowRight")  # what a veil hides is judged too
        hands.settle()
        assert violations(notebook.page, ".tgl-panel") == []
    hands = Hands(notebook, styled("Ravine()", style))
    slider = hands.panel.get_by_role("slider", name="condition number")
    slider.press("ArrowRight")
    box = hands.panel.get_by_role("spinbutton", name="condition number")
    told = "([slider, box]) => slider.getAttribute('aria-valuetext') === box.value"
    both = [slider.element_handle(), box.element_handle()]
    notebook.page.wait_for_function(told, arg=both)  # the number, not the notch
    assert float(box.input_value()) > 100.0
    notebook.execute("panel.complain('What went wrong'); answer = 0")
    hands.panel.locator("[role=alert]").wait_for()
    assert violations(notebook.page, ".tgl-panel") == []


@pytest.mark.parametrize("style", STYLES)
def test_a_page_without_a_kernel(page, style, tmp_path):
    tl.panels.Descent(resolution=11, steps=10, style=style).to_html(tmp_path / "page.html")
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    page.locator(".tgl-honesty summary").click()
    assert violations(page) == []
