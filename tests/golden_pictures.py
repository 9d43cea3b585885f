"""Two versions of a site as pictures: those of its pages that look otherwise, each beside what it was.

A diff of HTML and styles does not show what a reader will see. Pages are drawn wide and light, and narrow and dark.
"""

from __future__ import annotations

import shutil
from html import escape
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from generator.chromium import load_pictures

LOOKS = {"wide": (1280, "light"), "narrow": (390, "dark")}  # width of the window in pixels, and colours
HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>What changes</title>
<style>body {font: 16px sans-serif} img {width: 100%; border: 1px solid #888} div {display: flex; gap: 1rem}
figure {margin: 0; flex: 1; min-width: 0}</style>
"""


def drawn(browser: Browser, page: Path, look: str) -> bytes:
    """PNG of a page from its head to its foot; nothing of a page that is not there."""
    if not page.exists():
        return b""
    width, colours = LOOKS[look]
    window = {"width": width, "height": 900}
    opened = browser.new_page(viewport=window, color_scheme=colours, reduced_motion="reduce", bypass_csp=True)
    opened.goto(page.as_uri())
    # Pictures and parts far below are drawn when they are reached; here all are.
    opened.add_style_tag(content="* {content-visibility: visible !important}")
    load_pictures(opened)
    picture = opened.screenshot(full_page=True, animations="disabled")
    opened.close()
    return picture


def otherwise(browser: Browser, *pages: Path, look: str) -> list[bytes]:
    """Pictures of two versions of a page, if they differ; drawn again, as edges of form controls vary a little."""
    for _ in range(3):
        pictures = [drawn(browser, page, look) for page in pages]
        if pictures[0] == pictures[1]:
            return []
    return pictures


def compare(browser: Browser, before: Path, after: Path, out: Path) -> list[str]:
    """Pages of `after` and `before` that look otherwise, by name; out/index.html shows them."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    names = sorted({path.relative_to(site).as_posix() for site in (before, after) for path in site.rglob("*.html")})
    changed, rows = [], []
    for name, look in product(names, LOOKS):
        pictures = otherwise(browser, before / name, after / name, look=look)
        if not pictures:
            continue
        changed.append(name)
        files = [f"{name.replace('/', '-')}-{look}-{when}.png" for when in ("before", "after")]
        for file, picture in zip(files, pictures, strict=True):
            (out / file).write_bytes(picture)
        shown = "".join(f'<figure><img src="{escape(file)}" alt=""></figure>' for file in files)
        rows.append(f"<h2>{escape(name)}, {look}</h2><div>{shown}</div>\n")
    (out / "index.html").write_text(HEAD + "".join(rows))
    return list(dict.fromkeys(changed))
