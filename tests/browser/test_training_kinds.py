"""Figures of a trained character model: what can be read, heard, reached by keyboard and seen on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

FIGURES = ["curve", "guesses", "gates", "ablation"]


def opened(browser: Browser, site: Path, width: int = 1280, scripts: bool = True) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 844}, java_script_enabled=scripts)
    page.goto((site / "posts/training.html").as_uri())
    return page


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    page = opened(browser, site)
    yield page
    page.close()


@pytest.fixture
def phone(browser: Browser, site: Path) -> Iterator[Page]:
    page = opened(browser, site, 390)
    yield page
    page.close()


def content(page: Page, figure: str) -> Locator:
    return page.locator(f"#{figure} > .content")


@pytest.mark.parametrize("figure", FIGURES)
def test_without_javascript_a_figure_says_the_same(page: Page, browser: Browser, site: Path, figure: str) -> None:
    plain = opened(browser, site, scripts=False)
    said = content(plain, figure).aria_snapshot()
    plain.close()

    assert len(said) > 100
    assert said == content(page, figure).aria_snapshot()


@pytest.mark.parametrize("figure", FIGURES)
def test_all_of_a_figure_lies_on_a_phone_or_in_a_box_that_scrolls(phone: Page, figure: str) -> None:
    beyond = content(phone, figure).evaluate(
        """(content) => [...content.querySelectorAll("*")]
          .filter((one) => !one.closest(".scroll, .guesses, .unseen, svg *"))
          .filter((one) => one.getBoundingClientRect().right > innerWidth)
          .map((one) => one.outerHTML)"""
    )

    assert beyond == []


def test_a_table_that_is_too_wide_for_a_phone_scrolls_by_keyboard(phone: Page) -> None:
    box = content(phone, "ablation").get_by_role("group", name="cell 1, chosen for inside-string")
    box.focus()
    phone.keyboard.press("ArrowRight")
    phone.wait_for_function("() => document.activeElement.scrollLeft > 0")

    assert box.get_attribute("tabindex") == "0"  # some browsers stop at no box by themselves
    assert phone.evaluate("scrollX") == 0


def test_a_curve_is_heard_as_its_last_losses_and_read_from_its_table(page: Page) -> None:
    curve = content(page, "curve")
    image = curve.get_by_role("img")
    rows = curve.get_by_role("row")

    assert "<m> ends at 1.250 after 1,000,000 characters; other ends at 1.250" in str(image.get_attribute("aria-label"))
    assert rows.nth(1).get_by_role("rowheader", name="<m>").count() == 1
    assert rows.nth(1).get_by_role("cell").all_inner_texts() == ["1,000,000", "1.250", "1.803", "1.200"]
    assert rows.last.inner_text().startswith("LSTM & more")


def test_lines_of_a_curve_differ_by_more_than_colour(page: Page) -> None:
    """What was measured on held-out text from what was just read, and both from other people's losses."""
    dashes = {
        name: content(page, "curve")
        .locator(f"svg {name}")
        .first.evaluate("one => getComputedStyle(one).strokeDasharray")
        for name in ("polyline.held-out", "polyline.training", "path.reference")
    }

    assert len(set(dashes.values())) == 3


def test_every_gate_is_a_picture_that_says_how_often_it_is_shut_and_open(page: Page) -> None:
    names = content(page, "gates").get_by_role("img").evaluate_all("all => all.map(one => one.ariaLabel)")

    assert len(names) == 6
    assert names[0].startswith("The input gate of layer 1: 2 units")
    assert all(name.endswith("On average it is shut at 25% and open at 50%.") for name in names)


def test_the_concept_that_a_unit_was_chosen_for_stands_out_by_weight_as_well(page: Page) -> None:
    rows = content(page, "ablation").get_by_role("table").first.locator("tbody tr")
    weights = rows.locator("th").evaluate_all("all => all.map(one => Number(getComputedStyle(one).fontWeight))")

    assert rows.locator("th").all_inner_texts() == ["everywhere", "inside-string"]
    assert weights[0] < weights[1]
    assert rows.nth(1).get_by_role("cell").all_inner_texts() == ["1.500", "+0.0400", "", "−0.0010 to +0.0020", "3 of 3"]


def test_guesses_are_a_table_of_a_row_for_each_character(page: Page) -> None:
    table = content(page, "guesses").get_by_role("table")
    table.scroll_into_view_if_needed()
    expect(table).to_contain_text("&", use_inner_text=True)  # lines out of sight have no layout, and so none
    rows = table.get_by_role("row")

    assert "Each character, and the 2 best guesses for the next one" in str(table.get_attribute("aria-label"))
    assert rows.count() == 5
    assert [" ".join(row.get_by_role("rowheader").all_inner_texts()) for row in rows.all()][:2] == ["&", "x"]
    assert table.get_by_role("row", name="space").get_by_role("rowheader").count() == 1
    assert table.get_by_role("cell", name="< 75%, it came").count() == 5
    assert table.get_by_role("cell", name="newline 10%").count() == 2


def test_a_guess_tells_its_probability_on_hover_and_the_right_one_has_a_frame(page: Page) -> None:
    cells = content(page, "guesses").get_by_role("cell")
    frames = cells.evaluate_all("all => all.map(one => getComputedStyle(one).outlineStyle)")

    assert cells.nth(0).get_attribute("title") == "<, 75%: it came"
    assert cells.nth(1).get_attribute("title") == "newline, 10%"
    assert frames[:2] == ["solid", "none"]


def test_a_long_text_of_guesses_scrolls_by_keyboard(page: Page) -> None:
    box = content(page, "guesses").get_by_role("table")
    box.evaluate("box => box.append(...Array.from({ length: 40 }, () => box.firstElementChild.cloneNode(true)))")
    box.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.activeElement.scrollTop > 0")

    assert box.evaluate("box => box.clientHeight < box.scrollHeight")
