"""The table of a census, sorted by its headings, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((site / "posts/text.html").as_uri())
    yield page
    page.close()


def order(page: Page) -> list[str]:
    return page.locator("#census table.sortable .concept").all_inner_texts()


def test_a_heading_sorts_its_column_from_the_highest_and_again_from_the_lowest(page: Page) -> None:
    assert order(page) == ["inside-string", "digit", "never"]
    heading = page.locator("#census th", has_text="Untrained").first
    heading.get_by_role("button").click()

    assert order(page) == ["digit", "inside-string", "never"]
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").press("Enter")

    assert order(page) == ["inside-string", "digit", "never"]
    assert heading.get_attribute("aria-sort") == "ascending"


def test_names_sort_from_a_and_only_one_heading_is_marked(page: Page) -> None:
    page.locator("#census th", has_text="Bits").get_by_role("button").click()
    page.locator("#census th", has_text="Concept").get_by_role("button").click()

    assert order(page) == ["digit", "inside-string", "never"]
    assert page.locator("#census [aria-sort]").count() == 1


def test_on_a_phone_the_table_scrolls_and_the_page_does_not(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 390
