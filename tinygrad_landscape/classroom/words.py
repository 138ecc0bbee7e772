"""How words reach the learner: as a paragraph in a widget, or as plain text under a cell."""

from __future__ import annotations

import html


class Text(str):
    """A string that a notebook shows as it reads, without quotation marks.

    >>> Text("one line\\nand another")
    one line
    and another
    """

    __repr__ = str.__str__


def paragraph(text: str, strong: bool = False) -> str:
    """Return `text` as safe HTML that a screen reader announces when it changes.

    >>> paragraph("1 < 2")
    '<div role="status" style="line-height:1.5">1 &lt; 2</div>'
    """
    weight = ";font-weight:bold" if strong else ""
    return f'<div role="status" style="line-height:1.5{weight}">{html.escape(text)}</div>'
