"""The plain theme: a few kilobytes, no script of its own, and every figure can be read and used in it."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from generator.themes import ours
from tests import golden
from tests.browser.axe import violations_in_both_schemes

PAGES = ("index.html", "archive.html", "search.html", "posts/text.html", "posts/images.html", "claims.html")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(golden, "SITE", replace(golden.SITE, theme=str(ours() / "plain")))
        for name, content in golden.rendered().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def test_it_is_a_few_kilobytes() -> None:
    assert sum(path.stat().st_size for path in (ours() / "plain").iterdir()) < 6_000


def test_a_page_without_interactive_figures_has_no_script(plain: Path) -> None:
    for name in ("index.html", "archive.html", "about.html"):
        assert "<script src" not in (plain / name).read_text()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_has_a_violation_or_scrolls_sideways(browser: Browser, plain: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for name in PAGES:
            page.goto((plain / name).as_uri())

            assert violations_in_both_schemes(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
