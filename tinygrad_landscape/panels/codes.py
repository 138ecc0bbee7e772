"""Replay codes: a panel's state in a short text that can be written on a blackboard.

A code is `TGL1.` + payload + `.` + checksum. The payload holds only what differs from the panel's
opening state, readably; the checksum's second half also covers the panel's configuration, so that a
code made on another panel is told apart from one that was copied wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tinygrad_landscape.engine.errors import ParameterError

VERSION = 1


def write(state: dict[str, Any], configuration: Any) -> str:
    """The code of `state` on a panel with this `configuration` (both plain JSON data).

    >>> write({"lr": 2.7, "frame": 3}, "a panel")
    'TGL1.lr=2.7&frame=3.3z6hjjmn'
    """
    payload = urlencode({name: _short(value) for name, value in state.items()})
    return f"TGL{VERSION}.{payload}.{_digest(payload)}{_digest(payload, configuration)}"


def read(code: str, configuration: Any) -> dict[str, Any]:
    """The state that `code` holds.

    Raises:
        ParameterError: with one sentence, for a code that is newer, damaged, or of another panel.

    >>> read(write({"lr": 2.7}, "a panel"), "a panel")
    {'lr': 2.7}
    """
    parts = re.fullmatch(r"TGL(\d+)\.(.*?)\.?([a-z2-7]*)", code.strip(), re.DOTALL)
    if parts is None:
        raise ParameterError(
            f"got {code!r}, which is no replay code; one begins with TGL{VERSION}."
        )
    version, payload, check = parts.groups()
    if int(version) > VERSION:
        raise ParameterError(
            f"this code was made by a newer tinygrad_landscape (TGL{version}); upgrade with "
            "`pip install --upgrade tinygrad-landscape`"
        )
    if len(check) != 8 or check[:4] != _digest(payload):
        raise ParameterError("this code is damaged: a letter was lost or changed; copy it again")
    if check[4:] != _digest(payload, configuration):
        raise ParameterError("this code belongs to another panel; open the one it was made on")
    try:
        return {name: json.loads(value) for name, value in parse_qsl(payload, strict_parsing=True)}
    except ValueError:
        if not payload:
            return {}
        raise ParameterError("this code is damaged: it holds no state; copy it again") from None


def _short(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, separators=(",", ":"))


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, separators=(",", ":"), sort_keys=True)
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:4].decode().lower()
