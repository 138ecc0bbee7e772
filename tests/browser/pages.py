"""Pages of panels, opened from the disk in Chromium with the network off."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


class Opened:
    """A page from the disk, and what it complains of."""

    def __init__(self, page, path, moment=""):
        self.page, self.complaints, self.asked = page, [], []
        page.goto("about:blank")
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)
        page.goto(f"{path.as_uri()}{moment}")
        page.wait_for_selector("html[data-ready]")
        self.settle()

    def _heard(self, message):
        self.complaints.append(message.text)

    def _failed(self, error):
        self.complaints.append(str(error))

    def _asked(self, request):
        self.asked.append(request.url.split(":")[0])

    def settle(self, milliseconds=0):
        self.page.evaluate(
            "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )
        self.page.wait_for_timeout(milliseconds)

    def data(self):
        return self.page.locator(".tgl-stage").evaluate("(e) => ({...e.dataset})")

    def sentence(self):
        return self.page.locator(".tgl-sentence").inner_text()

    def painted(self):
        return self.page.locator(".tgl-canvas").evaluate("(canvas) => canvas.toDataURL()")

    def moment(self):
        """What the address says, once it is written."""
        self.settle(180)
        return self.page.evaluate("location.hash")

    def again(self):
        """The page that the address now says, opened anew."""
        parts = urlsplit(self.page.url)
        return Opened(self.page, Path(unquote(parts.path)), f"#{parts.fragment}")

    def slide(self, place, name=None):
        """Move a control, the first one if no name is said, to the place of one of its values."""
        control = self.page.locator(f"[data-name={name}]" if name else ".tgl-baked input").first
        if control.evaluate("(e) => Boolean(e.closest('details:not([open])'))"):
            self.page.locator(".tgl-fold summary").click()
        if control.evaluate("(e) => e.tagName") == "SELECT":
            control.select_option(str(place))
        else:
            control.fill(str(place))
        self.settle()

    def drag(self, by):
        """Take the starting point by the hand."""
        handle = self.page.locator(".tgl-start").bounding_box()
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + by[0], y + by[1], steps=4)
        self.page.mouse.up()
        self.settle()

    def leave(self):
        assert self.complaints == []
        assert set(self.asked) <= {"file", "blob"}
        for event, listener in (("console", self._heard), ("pageerror", self._failed),
                                ("request", self._asked)):  # fmt: skip
            self.page.remove_listener(event, listener)
