"""A widget on a bare page: its own JavaScript and a model of a few lines, no Jupyter, no kernel.

The page's model records what the widget writes, as a notebook's would; the page's
`tell(model, changes)` sets traits as the kernel would. Bytes travel in base64.
"""

from __future__ import annotations

import base64
import json
from typing import Any

MODEL = """
class Model {
  constructor(state) { this.state = state; this.heard = {}; this.sent = []; this.changed = {}; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = this.changed[name] = value;
    for (const react of this.heard[`change:${name}`] || []) react();
  }
  save_changes() { this.sent.push(this.changed); this.changed = {}; }
  on(name, react) { (this.heard[name] ||= []).push(react); }
  off(name, react) { this.heard[name] = (this.heard[name] || []).filter((r) => r !== react); }
}
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const unpack = (value) => {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("base64" in value) return bytes(value.base64);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each)]));
};
window.errors = [];
window.addEventListener("error", (e) => window.errors.push(e.message));
window.addEventListener("unhandledrejection", (e) => window.errors.push(String(e.reason)));
window.outer = [];
document.addEventListener("keydown", (e) => window.outer.push(e.key));
window.tell = (to, changes) => {
  Object.assign(to.state, unpack(changes));
  for (const name of Object.keys(changes)) {
    for (const react of to.heard[`change:${name}`] || []) react();
  }
};
window.source = await import(URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" })));
window.model = new Model(unpack(STATE));
"""
SHOW = """
window.leave = source.default.render({ model, el: document.querySelector("#cell") });
window.ready = true;
"""


def packed(value: Any) -> Any:
    """Traits as plain JSON."""
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {name: packed(each) for name, each in value.items()}
    return [packed(each) for each in value] if isinstance(value, list | tuple) else value


def seated(page: Any, widget: Any, wide: int, before: str = "", css: str = "", **more: Any) -> None:
    """Show `widget` on a new page, `wide` pixels; `before` runs once the model is there."""
    state = {k: v for k, v in widget.get_state().items() if not k.startswith("_") and k != "layout"}
    source, state = json.dumps(widget._esm), json.dumps(packed(state | more))
    script = f"const SOURCE = {source}; const STATE = {state};{MODEL}{before}{SHOW}"
    page.goto("about:blank")
    page.set_content(
        f'<style>{widget._css}{css}</style><div id="cell" style="width:{wide}px"></div>'
        f"<script type=module>{script}</script>"
    )
    page.wait_for_function("window.ready")
    settled(page)


def settled(page: Any) -> None:
    """Wait until no paint is pending."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
