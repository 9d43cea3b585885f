"""Texts in addresses: how they are written there, and where the page of a tag lies."""

from __future__ import annotations

import re
from functools import cache


@cache
def tag_path(tag: str) -> str:
    return f"tags/{slug(tag)}.html"


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; a hex spelling where nothing of the text is ASCII.

    >>> slug("Image models"), slug("日")
    ('image-models', '65e5')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "-".join(f"{ord(one):x}" for one in text)
