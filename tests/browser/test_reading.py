"""What a reader meets: in a real browser, from files, with and without JavaScript, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PAGES = [
    "index.html",
    "posts/images.html",
    "posts/text.html",
    "posts/controls.html",
    "posts/transformers.html",
    "about.html",
    "tags.html",
    "tags/both-kinds.html",
    "models/index.html",
    "models/m/index.html",
    "models/m/blocks.0/index.html",
    "models/m/blocks.0/3/index.html",
]
SCHEMES = ["light", "dark"]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test if it says anything on the console or asks for anything beyond its files."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url)
    )
    yield opened
    context.close()

    assert said == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_file_without_complaint(page: Page, site: Path, name: str) -> None:
    page.goto((site / name).as_uri())

    assert page.title()
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].every(image => image.loading === 'lazy' || image.naturalWidth > 0)")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(browser: Browser, site: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((site / name).as_uri())
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert width <= 390


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(browser: Browser, site: Path, name: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto((site / name).as_uri())
    found = Axe().run(page, options={"preload": False}).response["violations"]
    page.close()

    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def colours(page: Page) -> list[str]:
    return [str(name) for name in page.locator("#cells pre span").evaluate_all("all => all.map(one => one.className)")]


def test_units_are_switched(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    first = colours(page)
    page.get_by_label("hidden 2").check()
    second = colours(page)
    page.get_by_label("cell 1").check()

    assert first != second
    assert colours(page) == first


def test_the_units_of_a_control_are_switched_by_themselves(page: Page, site: Path) -> None:
    page.goto((site / "posts/controls.html").as_uri())
    contents = page.locator("#cells-again > .content")

    def colours_of(number: int) -> object:
        return contents.nth(number).locator("pre span").evaluate_all("all => all.map(one => one.className)")

    first = [colours_of(0), colours_of(1)]
    contents.nth(1).get_by_label("hidden 2").check()

    assert colours_of(0) == first[0]
    assert colours_of(1) != first[1]


def test_units_are_switched_by_keyboard(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    first = colours(page)
    page.locator("#cells input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")

    assert colours(page) != first


def test_the_value_of_a_character_is_told_on_hover_and_by_arrow_keys(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    readout = page.locator("#cells [aria-live]")
    page.locator("#cells pre span").nth(3).hover()
    hovered = readout.inner_text()
    page.locator("#cells pre.text").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")

    assert re.search(r"[-−]0\.10?", hovered)  # levels of the first unit rise by 3: 9 / 10 - 1
    assert readout.inner_text() != hovered


def test_arrow_keys_go_from_cell_to_cell_of_an_atlas(page: Page, site: Path) -> None:
    page.goto((site / "posts/images.html").as_uri())
    cells = page.locator("#atlas [role=img]")
    stops = page.locator("#atlas [role=img][tabindex='0']").count()
    cells.first.focus()
    page.keyboard.press("ArrowUp")  # nothing lies there
    page.keyboard.press("ArrowRight")

    assert stops == 1
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == cells.nth(1).get_attribute(
        "aria-label"
    )


def test_every_cell_of_an_atlas_is_a_stop_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "posts/images.html").as_uri())

    assert page.locator("#atlas [role=img][tabindex='0']").count() == page.locator("#atlas [role=img]").count() == 2
    page.get_by_text("All 2 cells as a table").click()
    assert page.locator("#atlas table").is_visible()
    context.close()


def test_hostile_text_is_text(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())

    assert "<script>alert(1)</script>" in page.locator("#cells pre.text").inner_text().replace("\n", "")
    assert page.locator("#cells script:not([type='application/json'])").count() == 0


def test_everything_can_be_read_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "posts/text.html").as_uri())
    coloured = page.locator("#cells pre span[class^=level-]")

    assert coloured.count() > 40
    assert coloured.first.get_attribute("title")
    assert page.locator("#census table").is_visible()
    page.get_by_text("How this was made").first.click()
    assert page.locator("#written details pre").first.is_visible()
    context.close()


def test_the_colour_scheme_can_be_chosen_and_is_remembered(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("header button").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()

    assert before != after
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_claims_show_what_became_of_them(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())

    assert page.locator("[data-kind=claim]").evaluate_all("all => all.map(one => one.dataset.status)") == [
        "holds",
        "broken",
    ]


def test_units_are_found_by_number_and_by_label(page: Page, site: Path) -> None:
    page.goto((site / "models/m/blocks.0/index.html").as_uri())
    shown = page.locator(".unit-list li:visible")
    box = page.get_by_label("Number or label")
    box.fill("3")

    assert shown.all_inner_texts()[0].startswith("channel 3")
    assert shown.count() == 1
    box.fill("DOG")
    assert shown.count() == 2
    box.fill("zebra")
    assert shown.count() == 0
    assert page.locator("output").inner_text() == "0 of 2"


def test_units_are_a_plain_list_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "models/m/blocks.0/index.html").as_uri())

    assert page.locator(".unit-list li:visible").count() == 2
    assert not page.get_by_label("Number or label").is_visible()
    page.get_by_role("link", name="channel 3").click()
    assert page.locator("h1").inner_text() == "Channel 3"
    context.close()


def test_the_icons_of_a_grid_are_parts_of_one_picture(page: Page, site: Path) -> None:
    page.goto((site / "posts/images.html").as_uri())
    urls = set(page.locator("#grid image").evaluate_all("all => all.map(one => one.href.baseVal)"))

    assert page.locator("#grid svg").count() == 2
    assert len(urls) == 1
    assert page.locator("#grid .icons a").get_attribute("href") == "../models/m/blocks.0/3/index.html"
