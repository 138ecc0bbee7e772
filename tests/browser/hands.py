"""Hands and eyes on one panel in JupyterLab: everything a learner can touch, and what is seen then.

What there is to touch is asked of the panel in the kernel; it is touched in the page, through the
very widgets a learner has: keys on sliders, numbers typed into boxes, options, buttons, pointer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.browser.lab import Notebook

PATIENCE = 30.0  # seconds until what a hand does must be seen

ASKED = """
def _asked(panel):
    told = []
    for name, each in panel.controls.items():
        one = {"name": name, "kind": type(each).__name__, "label": each.description}
        one["value"] = each.value if isinstance(each.value, (bool, int, float)) else str(each.value)
        for limit in ("min", "max"):
            one[limit] = getattr(each, limit, None)
        told.append(one)
    return told
def _roles(panel):
    spec = panel.player.spec
    home = {layer["name"]: spec["axes"][layer["axes"]]["box"] for layer in spec["layers"]}
    size = [spec["width"], spec["height"]]
    return {role: [home[spec[role]], size] for role in ("drag", "seek", "lasso") if spec[role]}
"""

# All that can be seen of a panel in one string: its picture's pixels hashed, and its words.
LOOK = """(panel) => {
    const hash = (source) => {
        if (!source.width && !source.naturalWidth) return 0;
        const still = document.createElement('canvas');
        still.width = (source.width || source.naturalWidth) / 2;
        still.height = (source.height || source.naturalHeight) / 2;
        const pen = still.getContext('2d', {willReadFrequently: true});
        pen.drawImage(source, 0, 0, still.width, still.height);
        const data = new Uint32Array(pen.getImageData(0, 0, still.width, still.height).data.buffer);
        let sum = 17;
        for (const each of data) sum = (Math.imul(sum, 31) + each) | 0;
        return sum;
    };
    const shown = [...panel.querySelectorAll('.tgl-canvas, .tgl-background')]
        .filter((each) => each.offsetParent).map(hash);
    const words = [...panel.querySelectorAll('.tgl-sentence, .tgl-readout, .tgl-table')]
        .filter((each) => each.offsetParent).map((each) => each.innerText);
    const turned = [...panel.querySelectorAll('.tgl-surface3d')]
        .filter((each) => each.offsetParent).map((each) => each.dataset.camera);
    return JSON.stringify([...shown, ...words, ...turned]);
}"""


class Hands:
    """One panel shown in a notebook's only cell."""

    def __init__(self, notebook: Notebook, code: str) -> None:
        self.notebook, self.page = notebook, notebook.page
        notebook.show(f"panel = {code}\npanel")
        self.panel = self.page.locator(".tgl-panel")
        self.picture = self.panel.locator(".tgl-picture").first
        self.picture.wait_for()
        self.page.wait_for_function(
            "() => Number(document.querySelector('.tgl-stage')?.dataset.paints) > 0"
        )
        self.settle()
        self.controls = notebook.execute(f"{ASKED}\nanswer = _asked(panel)")
        self.roles = notebook.execute("answer = _roles(panel)")
        self.rest()
        self.opening = self.look()

    # Seeing -------------------------------------------------------------------------------------

    def look(self) -> str:
        return self.panel.evaluate(LOOK)

    def settle(self) -> None:
        """Wait until the kernel has finished what hands began, and the page shows nothing newer."""
        before = ""
        while before != (before := self.look()):
            self.notebook.execute("getattr(panel, '_finish', panel.settle)(); answer = 0")
            self.page.wait_for_timeout(80)

    def rest(self) -> None:
        """Let a panel that opens moving come to its end."""
        if self.data()["playing"] == "true":
            self.press("End")
            self.settle()

    def changes(self, act: Callable[[], Any]) -> bool:
        """Whether what is seen changes after `act`."""
        before, late = self.look(), time.monotonic() + PATIENCE
        act()
        while self.look() == before:
            if time.monotonic() > late:
                return False
            self.page.wait_for_timeout(10)
        return True

    def visible(self, control: dict[str, Any]) -> bool:
        """Whether a control can be touched now."""
        return self.panel.get_by_text(control["label"], exact=True).first.is_visible()

    def line(self) -> float:
        """The height of a line of the sentence."""
        size = "(words) => parseFloat(getComputedStyle(words).lineHeight)"
        return self.panel.locator(".tgl-sentence").first.evaluate(size)

    def data(self) -> dict[str, str]:
        return self.panel.locator(".tgl-stage").first.evaluate("(stage) => ({...stage.dataset})")

    def page_is(self) -> dict[str, float]:
        """Where the page is scrolled to, and how high the panel is."""
        return self.panel.evaluate(
            """(panel) => { const outer = panel.closest('.jp-WindowedPanel-outer');
                return {top: outer.scrollTop, high: panel.offsetHeight}; }"""
        )

    def alerts(self) -> list[str]:
        """What is complained of: in the panel, under the cell, in the browser's console."""
        said = self.panel.locator(".tgl-error [role=alert]").all_inner_texts()
        under = self.page.locator(".jp-OutputArea-output[data-mime-type*='std']").all_inner_texts()
        return [*said, *under, *self.notebook.complaints]

    def back(self) -> bool:
        """Whether the kernel hears, before long, that every number is what it was at first."""
        numbers = {each["name"]: each["value"] for each in self.controls
                   if type(each["value"]) in (int, float)}  # fmt: skip
        asked = f"answer = {{name: panel.controls[name].value for name in {list(numbers)}}}"
        late = time.monotonic() + PATIENCE
        while self.notebook.execute(asked) != numbers:
            if time.monotonic() > late:
                return False
            self.page.wait_for_timeout(50)
        return True

    # Touching -----------------------------------------------------------------------------------

    def unfold(self) -> None:
        """Open "More"."""
        self.panel.locator(".jupyter-button", has_text="More").last.click()
        self.panel.locator(".tgl-more").wait_for()

    def moves(self, control: dict[str, Any]) -> Iterator[Callable[[], Any]]:
        """Bring a control to its ends, its middle and back: by keys, typing or a choice.

        No move asks for what is there already, so each must be seen.
        """
        kind, label, opening = control["kind"], control["label"], control["value"]
        box = self.box(label)
        if kind == "Checkbox":
            yield from (box.click, box.click)
        elif kind == "ToggleButton":
            button = self.panel.get_by_role("button", name=label, exact=True)
            yield from (button.click, button.click)
        elif kind == "ToggleButtons":
            buttons = self.labelled(label).locator("button")
            names = [name.strip() for name in buttons.all_inner_texts()]
            for k in changing(names.index(opening), spread(len(names))):
                yield buttons.nth(k).click
        elif kind == "Dropdown":
            opening = box.evaluate("(box) => box.selectedIndex")
            for k in changing(opening, spread(box.locator("option").count())):
                yield lambda k=k: box.select_option(index=k)
        elif kind == "Text":
            yield lambda: self.typed(label, "-1 -1, 1 -1, 0 1.5")
            yield lambda: self.typed(label, opening)
        else:
            low, high, slider = control["min"], control["max"], self.slider(label)
            middle = (low + high) // 2 if kind == "BoundedIntText" else 0.4 * low + 0.6 * high
            for value in changing(opening, [high, low, middle]):
                if slider.count() and value in (low, high):
                    key = "End" if value == high else "Home"
                    yield lambda key=key: slider.press(key)
                else:
                    yield lambda value=value: self.typed(label, f"{value:.12g}")

    def buttons(self) -> list[Callable[[], Any]]:
        """Press each button that is no control and not "More"."""
        known = {"More", *(control["label"] for control in self.controls)}
        alone = self.panel.locator("button.widget-button").filter(visible=True).all()
        return [button.click for button in alone if button.inner_text().strip() not in known]

    def labelled(self, label: str) -> Any:
        """The widget with this label."""
        return self.panel.locator(f"xpath=.//label[normalize-space()='{label}']/..")

    def box(self, label: str) -> Any:
        """What is typed into, chosen from or ticked."""
        named = self.panel.get_by_label(label, exact=True)
        return named.and_(self.page.locator("input, select"))

    def slider(self, label: str) -> Any:
        """The handle of the slider beside a number box."""
        beside = "xpath=following-sibling::*[1][contains(@class, 'widget-slider')]"
        return self.labelled(label).locator(beside).locator("[role=slider]")

    def typed(self, label: str, text: str) -> None:
        """Type into a box, once the kernel has answered all before; its echo would wipe it out."""
        self.notebook.execute("answer = 0")
        box = self.box(label)
        box.fill(text)
        box.press("Enter")

    def press(self, key: str) -> None:
        self.picture.focus()
        self.page.keyboard.press(key)

    def at(self, role: str, across: float, up: float) -> tuple[float, float]:
        """Page coordinates inside the axes of a role, as shares of their width and height."""
        (left, top, right, bottom), (width, _) = self.roles[role]
        box = self.picture.bounding_box()
        zoom = box["width"] / width
        x, y = left + across * (right - left), bottom - up * (bottom - top)
        return box["x"] + zoom * x, box["y"] + zoom * y

    def drag(self, *places: tuple[float, float]) -> None:
        """Press at the first place, go through the others, let go at the last."""
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up()

    def handle(self) -> tuple[float, float]:
        """The middle of the start's handle."""
        box = self.panel.locator(".tgl-start").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def spread(count: int) -> list[int]:
    """The last, the first and the middle of `count`."""
    return [count - 1, 0, count // 2]


def changing(opening: Any, way: list[Any]) -> list[Any]:
    """From `opening` along a way and back to it, without a step to where one stands.

    >>> changing(3, [3, 0, 1]), changing(0, [2, 0, 0])
    ([0, 1, 3], [2, 0])
    """
    steps = zip([opening, *way], [*way, opening])
    return [after for before, after in steps if after != before]
