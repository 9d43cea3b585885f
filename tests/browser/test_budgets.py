"""What a page may cost its reader: bytes, scripts, the time until it is there, and no jumps; and that it works below a path."""

import gzip
import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import golden
from tests.browser.axe import violations_in_both_schemes

PAGES = ("index.html", "archive.html", "posts/text.html", "posts/images.html", "posts/courses.html", "posts/maps.html")
MOST_BYTES, MOST_SCRIPT, MOST_SECONDS = 1_500_000, 20_000, 1.0
TRIALS = 8
COSTS = """() => new Promise((resolve) => {
  let shift = 0;
  let paint = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) shift += one.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) paint = Math.max(paint, one.startTime);
  }).observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => {
    const loaded = performance.getEntriesByType("resource").map((one) => one.encodedBodySize);
    const own = performance.getEntriesByType("navigation")[0].encodedBodySize;
    resolve({ shift, paint, bytes: loaded.reduce((sum, one) => sum + one, own) });
  }, 1500);
})"""


class Below(http.server.SimpleHTTPRequestHandler):
    """Serves a folder below /repo/, as GitHub Pages serves a project, with its page for what is not there."""

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/repo")) if path.startswith("/repo/") else "/nowhere"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        content = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The golden site, published below a path."""
    folder = tmp_path_factory.mktemp("below")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(golden, "SITE", replace(golden.SITE, base_url="https://me.example/repo"))
        for name, content in golden.rendered().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Below, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/repo"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_there_at_once_and_does_not_jump(page: Page, address: str, name: str) -> None:
    """On a processor that is four times as slow. Other work on this one delays a paint: the quickest of a few counts."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    paints: list[float] = []
    while not paints or (min(paints) > 1000 * MOST_SECONDS and len(paints) < TRIALS):
        page.goto(f"{address}/{name}")
        costs = page.evaluate(COSTS)
        paints.append(costs["paint"])

        assert costs["shift"] < 0.01  # Lighthouse calls 0.1 good
        assert costs["bytes"] < MOST_BYTES
    assert 0 < min(paints) < 1000 * MOST_SECONDS, paints


def test_the_scripts_of_a_page_are_few(site: Path) -> None:
    for path in (path for path in site.rglob("*.html") if path.name != "404.html"):
        names = re.findall(r'<script src="([^"]+)"', path.read_text("utf-8"))
        size = sum(
            len(gzip.compress((path.parent / name).read_bytes())) for name in names if "search-index" not in name
        )

        assert size < MOST_SCRIPT, path


def test_a_page_without_figures_to_use_has_only_the_script_of_all_pages(site: Path) -> None:
    for name in ("index.html", "archive.html", "tags.html", "about.html"):
        scripts = re.findall(r'<script src="([^"]+)"', (site / name).read_text("utf-8"))

        assert [Path(one).name for one in scripts] == ["theme.js"], name


@pytest.mark.parametrize("name", [*PAGES, "search.html", "tags.html", "claims.html", "models/index.html", "404.html"])
def test_a_page_works_below_a_path_and_asks_for_nothing_elsewhere(page: Page, address: str, name: str) -> None:
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/{name}")
    page.wait_for_load_state("networkidle")
    links = page.evaluate(
        "[...document.links].map((one) => one.href.split('#')[0]).filter((one) => one.startsWith(origin))"
    )

    assert not failed
    assert asked
    assert all(url.startswith((f"{address}/", "data:", "blob:")) for url in asked)
    assert all(link.startswith(f"{address}/") for link in links)
    for link in sorted(set(links))[:30]:
        assert page.request.get(link).status == 200, link


def test_what_is_not_there_is_told_at_any_depth(page: Page, address: str) -> None:
    response = page.goto(f"{address}/a/b/c.html")

    assert response is not None
    assert response.status == 404
    assert page.evaluate("document.styleSheets.length") == 1
    page.get_by_role("link", name="all posts", exact=True).click()
    assert page.url == f"{address}/archive.html"


def test_search_finds_words_from_a_file(page: Page, site: Path) -> None:
    page.goto((site / "search.html").as_uri())
    page.get_by_label("Words").fill("kinds figur")

    assert "of" in page.locator("output").inner_text()
    assert page.locator(".search-results li").count() > 0
    page.get_by_label("Words").fill("zzzz")
    assert page.locator("output").inner_text().startswith("0 of")


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_in_pages_that_no_author_writes(browser: Browser, site: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for name in ("archive.html", "search.html", "tags.html"):
            page.goto((site / name).as_uri())

            assert violations_in_both_schemes(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
