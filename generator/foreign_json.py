"""JSON that another program, or a hand, may have written: whatever is wrong with it is a ValueError.

Python's own reader ends some of it otherwise, by RecursionError where lists lie in each other by the thousand.
"""

from __future__ import annotations

import json
from typing import Any


def from_json(content: str | bytes) -> Any:
    """What a JSON text says. ValueError, also where it is not UTF-8, nests too deeply, or has numbers without end.

    >>> from_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: nested too deeply
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def object_from_json(content: str | bytes) -> dict[str, Any]:
    """The same where it must be an object.

    >>> object_from_json("[1]")
    Traceback (most recent call last):
    ValueError: it is no JSON object
    """
    found = from_json(content)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found
