"""How soon a page can be used, how fast it switches and how evenly it scrolls, in headless Chromium.

Both sides measure with these lines, in environments of their own.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page, sync_playwright

from generator.chromium import own

PATIENCE = 180_000  # milliseconds, after which a page counts as one that does not open

# From the start of the navigation to the first frame in which the page is as wanted.
READY = """
window.usable = new Promise((resolve) => {
  const look = () => ((%s) ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look));
  look();
});
"""
# From the reader's act to the second frame after the page changed: the first shows it.
SWITCH = """
(number) => new Promise((resolve) => {
  let start = 0;
  const observer = new MutationObserver(() => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
  });
  observer.observe(%s, { subtree: true, childList: true, attributes: true });
  start = performance.now();
  (%s)(number);
})
"""
# Scrolls by `step` pixels a frame for so many milliseconds; the frames of a second.
SCROLL = """
([step, time]) => new Promise((resolve) => {
  const box = %s;
  let frames = 0;
  let start = 0;
  const scroll = (now) => {
    start ||= now;
    if (now - start >= time) return resolve((1000 * frames) / (now - start));
    frames += 1;
    box.scrollTop += step;
    requestAnimationFrame(scroll);
  };
  requestAnimationFrame(scroll);
})
"""


@dataclass(frozen=True)
class Handles:
    """JavaScript for a kind of page: whether it can be used, what changes, how to switch to a unit, what scrolls."""

    usable: str
    changing: str
    switch: str
    scroller: str


@dataclass(frozen=True)
class Use:
    """Seconds, and frames a second; what failed first, "" where nothing did."""

    ready: float = float("inf")
    switch: float = float("inf")
    frames: float = 0.0
    failed: str = ""

    def told(self) -> dict[str, Any]:
        """As JSON, which has no infinity."""
        return {name: None if value == float("inf") else value for name, value in asdict(self).items()}


def used(path: Path, handles: Handles, units: int, switches: int = 8) -> Use:
    """Open a page from its file, switch through some units and scroll for two seconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own(), args=["--no-sandbox", "--disable-gpu"])
        browser.new_page().goto("about:blank")  # warm
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.add_init_script(READY % handles.usable)
        found = Use()
        try:
            page.goto(path.as_uri(), wait_until="commit")
            found = Use(ready=ready(page))
            numbers = [1 + number * (units - 2) // switches for number in range(1, switches + 1)]
            page.locator("body").evaluate(f"() => {handles.scroller}.scrollIntoView()")
            times = [page.evaluate(SWITCH % (handles.changing, handles.switch), number) for number in numbers]
            frames = page.evaluate(SCROLL % handles.scroller, [60, 2000])
            found = Use(found.ready, statistics.median(times) / 1000, frames)
        except Error as error:
            found = Use(found.ready, failed=str(error).splitlines()[0])
        browser.close()
    return found


def ready(page: Page) -> float:
    """Seconds."""
    page.wait_for_function("window.usable")
    return float(page.evaluate("window.usable")) / 1000
