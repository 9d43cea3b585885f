"""axe, which looks for what keeps people from reading a page, as all tests of pages ask it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# No style sheets of others are fetched again, and of what is in order nothing is told.
QUICK: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
COLOURS = ["color-contrast", "link-in-text-block"]  # rules that depend on the colours in which a page is read


@cache
def source() -> str:
    return str(Axe().axe_script)


def violations_in_both_schemes(page: Page) -> list[tuple[str, str]]:
    """Of a page in light colours, and then in dark ones of the rules that look at these; it is light again after it."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += violations(page, colours=True)
    page.emulate_media(color_scheme="light")
    return found


def violations(page: Page, within: str = "", colours: bool = False) -> list[tuple[str, str]]:
    """(rule, the first element) of each violation on a page, or in a part of it; `colours`: of rules on these alone."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(source())
    options = {**QUICK, "runOnly": COLOURS} if colours else QUICK
    found = page.evaluate(f"axe.run({json.dumps(within) if within else 'document'}, {json.dumps(options)})")
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
