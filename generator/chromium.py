"""What a browser draws of a page, as a picture: Chromium without a window, through Playwright.

Both are asked for only where a figure has no picture of its own: text, tables, SVG.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from generator.deferred import Deferred
from generator.spec import BuildError

if TYPE_CHECKING:
    from playwright import sync_api as playwright
else:
    playwright = Deferred("playwright.sync_api")

# Of the machine's own, before the one that Playwright brought. That which can open no window is there three times as
# soon.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1600, 900  # of the window, in pixels: a wide figure has all the width that the theme gives it
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
WITHOUT = "its page can be written without, as .html"
# How the edges of curves are smoothed depends on where on its page a thing lies, and on where it lay when it was first
# drawn. So all else is taken away, and the whole is drawn anew.
ALONE = """async (drawn) => {
  const frames = async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  };
  for (let one = drawn; one !== document.body; one = one.parentElement) one.parentElement.replaceChildren(one);
  await document.fonts.ready;
  while (drawn.getAttribute("aria-busy") === "true") await frames();
  document.documentElement.style.display = "none";
  await frames();
  document.documentElement.style.display = "";
  await frames();
}"""


def screenshot(page: bytes, selector: str) -> bytes:
    """PNG of what `selector` names in a page, in light colours, alone, once the page's scripts have settled.

    BuildError where Playwright or the browser is missing.
    """
    with opened(page, "a browser draws this figure", WITHOUT) as shown:
        drawn = shown.locator(selector)
        drawn.evaluate(ALONE)
        return drawn.screenshot(animations="disabled")


def printed(page: bytes) -> bytes:
    """A page, with all that it loads inside it, as PDF. BuildError where Playwright or the browser is missing."""
    with opened(page, "a browser prints the page", "it can be written without, by --single-file") as shown:
        load_pictures(shown)
        return shown.pdf(format="A4", print_background=False, prefer_css_page_size=True, outline=True, tagged=True)


def load_pictures(page: playwright.Page) -> None:
    """Load those, too, that else are when a reader comes near them, and wait until all are there."""
    page.evaluate("() => document.querySelectorAll('img').forEach((one) => (one.loading = 'eager'))")
    page.wait_for_function("() => [...document.images].every((one) => one.complete)")


def own() -> str | None:
    """The path of the Chromium that CHROMIUM names, else of the machine's own, if it has one."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[playwright.Browser]:
    """Chromium: `own`, else the one that Playwright brought."""
    with (
        playwright.sync_playwright() as driver,
        driver.chromium.launch(executable_path=own(), args=QUIET) as browser,
    ):
        yield browser


@contextmanager
def opened(page: bytes, why: str, without: str) -> Iterator[playwright.Page]:
    """A page in a window that nobody sees."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_bytes(page)
        try:
            with launched() as browser:
                shown = browser.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", reduced_motion="reduce"
                )
                shown.goto(path.as_uri())
                yield shown
        except ImportError as error:
            raise BuildError(f"{why}: pip install 'whatfires[browser]'; {without}") from error
        except playwright.Error as error:
            reason = error.message.strip().splitlines()[0]
            how = "install it, such as by `playwright install chromium`"
            raise BuildError(f"{why}, and Chromium did not ({reason}); {how}; {without}") from error
