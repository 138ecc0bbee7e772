"""The page that needs no installation is the page that today's code writes.

After a change of the stage run `python tests/house/test_assets.py`, open the page and look at it.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TASTE = ROOT / "assets" / "drop_a_hundred_balls.html"


def test_the_taste_page_plays_with_todays_code():
    from tinygrad_landscape.panels import pages

    text = TASTE.read_text(encoding="utf-8")
    for name in (*pages.SCRIPTS, "stage.css"):
        assert pages._read(name) in text, f"{name} has changed since the page was written"
    assert not re.search(r"""(src|href)=["']?(?!data:|#)""", text) and len(text) < pages.LIMIT


def test_it_says_what_the_panel_says():
    import tinygrad_landscape as tl

    first = tl.panels.Basins().describe().split(".")[0]
    assert first in TASTE.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import tinygrad_landscape as tl

    tl.panels.Basins().to_html(TASTE)
    print(f"wrote {TASTE}")
