"""Five panels on one page, four of them playing: the fifth still follows the hand, nothing queues.

Nothing is timed here (tests/benchmarks/latency.py does that); what is counted is how many values
the kernel hears of after the hand has stopped, with every key of a held slider still to come if
they queued.
"""

import pytest

from tests.browser.lab import Notebook, written

pytestmark = pytest.mark.browser

KEYS = 40
CELLS = (
    """
import time
import tinygrad_landscape as tl
panels = [tl.panels.Descent(), tl.panels.Fit(), tl.panels.Saddle(), tl.panels.Race(),
          tl.panels.Ravine(preset="momentum")]
for each in panels:
    each.player.speed = 2.0
heard = []
panels[0].controls["lr"].observe(lambda change: heard.append([1000 * time.time(), change["new"]]),
                                 "value")
panels[0]
""",
    *(f"panels[{k}]" for k in range(1, 5)),
)


@pytest.fixture(scope="module")
def notebook(page, address, folder):
    written(folder / "lessons" / "five_panels.ipynb", *CELLS)
    page.set_viewport_size({"width": 1400, "height": 4000})  # all five are on the screen
    opened = Notebook(page, address, "five_panels.ipynb")
    opened.run_all()
    page.wait_for_function("document.querySelectorAll('.tgl-panel .tgl-stage').length === 5")
    return opened


def test_a_slider_is_followed_while_four_other_panels_play(notebook, picture):
    page, panels = notebook.page, notebook.page.locator(".tgl-panel")
    stages = [panels.nth(k).locator(".tgl-stage") for k in range(5)]
    for k in range(1, 5):
        panels.nth(k).locator(".tgl-play").click()
    before = int(stages[0].get_attribute("data-paints"))
    panels.first.locator("[role=slider]").focus()
    for _ in range(KEYS):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(20)
    stopped = page.evaluate("Date.now()")
    assert [stage.get_attribute("data-playing") for stage in stages[1:]] == ["true"] * 4
    picture("five panels")
    panels.first.locator(".tgl-sentence", has_text="Learning rate 3.16 ").wait_for()
    heard = notebook.execute("answer = heard")
    late = [value for moment, value in heard if moment > stopped]
    assert heard[-1][1] == 3.16  # 40 notches up from 0.5
    assert len(late) <= 2  # one under way and the newest one; the rest was passed over, not queued
    assert int(stages[0].get_attribute("data-paints")) - before >= 2  # it followed on the way
    assert notebook.complaints == []
