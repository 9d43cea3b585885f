"""Lists and search of a model of thousands of units, opened from files, with and without JavaScript, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from generator import unit_search
from tests.browser.axe import violations_in_both_schemes
from tests.wide_models import wide

UNITS = 1250
LIST, MODEL = "models/wide/first/page/2/index.html", "models/wide/index.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts of the search are as small as if there were ten times as many units."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_search.parts, "__defaults__", (unit_search.MOST // 10,))
        return wide({"first": UNITS, "last": 30}).write(tmp_path_factory.mktemp("wide"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def asked(page: Page) -> list[str]:
    """Fills with the names of scripts that the page asks for."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url.partition("assets/units/wide/")[2]))
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    return found


@pytest.mark.parametrize("name", [LIST, MODEL])
def test_a_unit_is_found_from_a_file_by_the_directory_and_one_part(page: Page, folder: Path, name: str) -> None:
    found = asked(page)
    page.goto((folder / name).as_uri())
    page.wait_for_load_state("load")

    assert not [one for one in found if one]  # nothing before a word is typed
    page.get_by_label("Number, label or concept").fill("1234")
    link = page.locator(".unit-results a")
    expect(link).to_have_text("channel 1234")
    scripts = [one for one in found if one]
    assert len(list((folder / "assets/units/wide").rglob("*.js"))) > 10
    assert len(scripts) == 2
    assert scripts[0] == "index.js"
    assert (folder / "assets/units/wide" / scripts[1]).stat().st_size <= unit_search.MOST // 10 + 40
    assert page.locator(".unit-search output").inner_text() == "1 unit"
    link.click()
    assert page.locator("h1").inner_text() == "Channel 1234"
    assert page.url.endswith("models/wide/first/1000-1999/1234/index.html")


def test_each_word_of_a_search_loads_one_part_and_the_same_none(page: Page, folder: Path) -> None:
    page.goto((folder / MODEL).as_uri())
    found = asked(page)
    box, said = page.get_by_label("Number, label or concept"), page.locator(".unit-search output")
    for word, text, parts in (
        ("77", "11 units", 2),  # 77, 770 to 779; with the directory
        ("77 dog", "2 units", 2),  # 771 and 776
        ("last 2", "11 units", 3),  # a layer's name narrows what is found
        ("elan", "256 units; the first 50 are shown", 4),
        ("Élan", "256 units; the first 50 are shown", 4),
        ("channel", "1,280 units; the first 50 are shown", 5),
        ("zebra", "256 units; the first 50 are shown", 6),
        ("nothing", "0 units", 6),
        ("", "", 6),
    ):
        box.fill(word)
        expect(said).to_have_text(text)
        assert len([one for one in found if one]) == parts, word
    box.fill("zebra")
    expect(page.locator(".unit-results li").first).to_contain_text("<b>zebra</b>")
    assert page.locator(".unit-results b").count() == 0


def test_an_index_that_is_not_there_is_told(page: Page, folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / MODEL
    alone.parent.mkdir(parents=True)
    alone.write_bytes((folder / MODEL).read_bytes())
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "units.js").write_bytes((folder / "assets" / "units.js").read_bytes())
    page.goto(alone.as_uri())
    page.get_by_label("Number, label or concept").fill("7")

    expect(page.locator(".unit-search output")).to_have_text("The index could not be loaded")


def test_the_pictures_of_a_page_of_a_list_are_one_request(page: Page, folder: Path) -> None:
    pictures: list[str] = []
    page.on("request", lambda request: pictures.append(request.url) if "/media/" in request.url else None)
    page.goto((folder / LIST).as_uri())
    page.wait_for_load_state("load")

    assert len(pictures) == 1
    assert page.locator(".unit-list svg").count() == 200
    assert page.locator(".unit-list li").first.get_by_role("link").inner_text().strip() == "channel 200"


def test_lists_are_read_without_javascript(browser: Browser, folder: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((folder / MODEL).as_uri())

        assert not page.get_by_label("Number, label or concept").is_visible()
        page.get_by_role("link", name="first").click()
        nav = page.get_by_role("navigation", name="Pages of this list", exact=True)
        nav.get_by_role("link", name="Next").click()
        nav.get_by_role("link", name="Page 7").click()
        assert page.locator(".unit-list li").count() == 50
        assert nav.get_by_role("link", name="Page 7").get_attribute("aria-current") == "page"
        page.get_by_role("link", name="channel 1249").click()
        assert page.locator("h1").inner_text() == "Channel 1249"
        page.get_by_role("link", name="← channel 1248").click()
        page.get_by_role("link", name="first", exact=True).click()
        assert page.locator("h1").inner_text() == "Units of wide, layer first, page 7 of 7"


def test_a_unit_is_found_and_opened_by_keyboard(page: Page, folder: Path) -> None:
    page.goto((folder / LIST).as_uri())
    page.get_by_label("Number, label or concept").focus()
    page.keyboard.type("1001 dog")
    expect(page.locator(".unit-results li")).to_have_count(1)
    page.keyboard.press("Enter")  # sends nothing anywhere
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.textContent") == "channel 1001"
    page.keyboard.press("Enter")
    page.wait_for_url("**/1001/index.html")


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_in_lists_and_search(browser: Browser, folder: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for name in (LIST, MODEL):
            page.goto((folder / name).as_uri())
            page.get_by_label("Number, label or concept").fill("12")
            expect(page.locator(".unit-results li").first).to_be_visible()

            assert violations_in_both_schemes(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
