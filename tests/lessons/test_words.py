"""Words: each is explained before it is used, every link leads somewhere, and all are spelled."""

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.lessons.lessons import FOLDER, NAMES, header, notebook, prose

ROOT = FOLDER.parent
LINK = re.compile(r"\[([^\]]*)\]\(([^)]+)\)")
PAGES = sorted(FOLDER.rglob("*.md"))


def terms() -> list[str]:
    text = (FOLDER / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^### (.+)$", text, flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The headings as both JupyterLab and GitHub name them, which agree on plain lower case."""
    return {line.replace(" ", "-") for line in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


def running_text(name: str) -> str:
    """A lesson's prose without its headings and formulas, in which words count as used."""
    text = re.sub(r"^#.*$", "", prose(name), flags=re.MULTILINE)
    return re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", "", text, flags=re.DOTALL)


def test_the_glossary_is_in_order_and_says_something():
    text = (FOLDER / "glossary.md").read_text(encoding="utf-8")
    assert terms() == sorted(set(terms())) == [term.lower() for term in terms()]
    for part in re.split(r"^### .+$", text, flags=re.MULTILINE)[1:]:
        assert len(part.split()) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_a_lessons_words_stand_in_the_glossary_and_are_linked_at_first_use(name):
    text = running_text(name)
    links = [(m.start(), m.end(), m[2]) for m in LINK.finditer(text)]
    for term in header(name)["teaches"] + header(name)["needs"]:
        assert term in terms(), f"{term!r} is not in the glossary"
        first = re.search(rf"\b{re.escape(term)}", text, flags=re.IGNORECASE)
        assert first, f"{term!r} is never used"
        here = [to for start, end, to in links if start <= first.start() < end]
        around = text[max(0, first.start() - 40) : first.end() + 40]
        assert here == [f"glossary.md#{term.replace(' ', '-')}"], f"{term!r} in {around!r}"


@pytest.mark.parametrize("page", [*PAGES, *NAMES, "progress"], ids=str)
def test_every_link_leads_somewhere(page):
    path = FOLDER / f"{page}.ipynb" if isinstance(page, str) else page
    if isinstance(page, str):
        cells = notebook(page)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    else:
        text = page.read_text(encoding="utf-8")
    for _, to in LINK.findall(text):
        assert "://" not in to, f"{to}: lessons work offline"
        file, _, heading = to.partition("#")
        target = path.parent / file
        assert target.exists(), to
        assert not heading or heading in anchors(target.read_text(encoding="utf-8")), to


def test_the_landing_page_names_every_lesson():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        facts = header(name)
        minutes = sum(facts["minutes"].values())
        assert f"[{facts['title']}]({name}.ipynb)" in text
        row = next(line for line in text.splitlines() if f"[{facts['title']}]" in line)
        assert row.startswith(f"| {facts['number']} |") and row.endswith(f"| {minutes} |")


def test_words_are_spelled():
    if importlib.util.find_spec("codespell_lib") is None:
        pytest.skip("codespell is not installed (it comes with the `test` extra)")
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "lessons", "README.md", "tinygrad_landscape"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
