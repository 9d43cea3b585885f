"""Heads and lenses in a real browser: by mouse, by keyboard, and without JavaScript."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto((site / "posts/transformers.html").as_uri())
    yield opened
    context.close()


def test_another_head_is_drawn_by_keyboard(page: Page) -> None:
    heads = page.locator("#heads")
    assert heads.locator(".name").inner_text() == "1.0"
    heads.locator("input:checked").focus()
    page.keyboard.press("ArrowRight")

    assert heads.locator(".name").inner_text() == "1.1"
    assert heads.locator("tbody i").nth(3).get_attribute("class") == "level-17"


def test_a_weight_is_read_out_by_keyboard_and_by_pointer(page: Page) -> None:
    heads = page.locator("#heads")
    heads.locator(".weights").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert heads.locator(".readout").inner_text() == "↵ (3) looks at ·<b> (2): 0.36"
    assert heads.locator(".cursor").count() == 1

    heads.locator("tbody i").nth(2).hover()
    assert heads.locator(".readout").inner_text() == "[CLS] (1) looks at ↵ (3): not, it comes later"


def test_the_guesses_of_a_layer_are_read_out_by_keyboard_and_by_pointer(page: Page) -> None:
    lens = page.locator("#lens")
    lens.locator(".scroll").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert lens.locator(".readout").inner_text() == "After ·<b>, layer 0: ·<b> 0.70, a 0.20, ↵ 0.05"

    lens.locator("tbody td").first.hover()
    assert lens.locator(".readout").inner_text().startswith("After [CLS], layer 1: ")


def test_without_javascript_the_first_head_is_a_table_and_nothing_can_be_chosen(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "posts/transformers.html").as_uri())

    assert page.locator("#heads tbody tr").nth(2).locator(".most").inner_text() == "·<b> 0.36"
    assert page.locator("#heads input").first.is_hidden()
    assert page.locator("#heads .readout").is_hidden()
    context.close()
