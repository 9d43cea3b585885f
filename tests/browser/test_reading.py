"""What a reader meets: in a real browser, from files, with and without JavaScript, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.axe import violations_in_both_schemes

PAGES = [
    "index.html",
    "posts/images.html",
    "posts/text.html",
    "posts/controls.html",
    "posts/maps.html",
    "posts/training.html",
    "posts/courses.html",
    "claims.html",
    "posts/transformers.html",
    "about.html",
    "tags.html",
    "tags/both-kinds.html",
    "models/index.html",
    "models/m/index.html",
    "models/m/blocks.0/index.html",
    "models/m/blocks.0/3/index.html",
    "models/m/cell/index.html",
    "models/m/cell/4/index.html",
]


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
def test_a_page_opens_from_a_file_without_complaint_and_fits_a_phone(page: Page, site: Path, name: str) -> None:
    page.goto((site / name).as_uri())

    assert page.title()
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].every(image => image.loading === 'lazy' || image.naturalWidth > 0)")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(browser: Browser, site: Path, name: str) -> None:
    page = browser.new_page()
    page.goto((site / name).as_uri())
    found = violations_in_both_schemes(page)
    page.close()

    assert found == []


@pytest.mark.parametrize(("columns", "wide"), [(6, False), (12, True)])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_table_of_many_columns_is_wide_and_keeps_its_first_column_in_sight(
    browser: Browser, site: Path, width: int, columns: int, wide: bool
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto((site / "posts/text.html").as_uri())
    broad, moved, spilled = page.evaluate(
        """(columns) => {
            const row = (cell) => `<tr>${`<${cell}>unbreakable-words</${cell}>`.repeat(columns)}</tr>`;
            const prose = document.querySelector(".prose");
            prose.insertAdjacentHTML("beforeend", `<p>Text.</p><table>${row("th")}${row("td")}</table>`);
            const table = prose.lastElementChild;
            const text = table.previousElementSibling;
            table.scrollLeft = 100;
            const first = table.querySelector("td");
            return [
              table.offsetWidth > text.offsetWidth,
              first.getBoundingClientRect().left < table.getBoundingClientRect().left,
              document.documentElement.scrollWidth > innerWidth,
            ];
        }""",
        columns,
    )
    page.close()

    assert broad == (wide and width == 1280)
    assert moved == (not wide)
    assert not spilled


@pytest.mark.parametrize("links", range(2, 6))
@pytest.mark.parametrize("title", ["T", "A title that is as long as titles of reports are"])
def test_no_link_of_the_header_lies_below_the_toggle_of_colours(
    browser: Browser, site: Path, title: str, links: int
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((site / PAGES[0]).as_uri())
    boxes = page.evaluate(
        """([title, links]) => {
            document.querySelector(".site-title").textContent = title;
            [...document.querySelectorAll(".site-nav a")].slice(links).forEach((one) => one.closest("li").remove());
            const box = (one) => { const { left, right, top, bottom } = one.getBoundingClientRect(); return { left, right, top, bottom }; };
            return [document.querySelector(".theme-toggle"), ...document.querySelectorAll(".site-header a")].map(box);
        }""",
        [title, links],
    )
    page.close()
    toggle, *shown = boxes

    assert len(shown) > 1
    assert not [
        one
        for one in shown
        if one["left"] < toggle["right"] and toggle["left"] < one["right"]
        and one["top"] < toggle["bottom"] and toggle["top"] < one["bottom"]
    ]  # fmt: skip


def shown(page: Page, number: int = 0) -> object:
    """The unit that a content of the figure shows, and the colours of its line ends."""
    content = page.locator("#cells-again > .content, #cells > .content").nth(number)
    ends = content.locator("pre.text .end").evaluate_all("all => all.map(one => one.className)")
    return content.locator(".showing .name").inner_text(), ends


def test_units_are_switched_by_their_buttons(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    first = shown(page)
    page.get_by_label("hidden 2").check()
    page.locator("#cells [data-shown='1']").wait_for()
    second = shown(page)
    page.get_by_label("cell 1").check()
    page.locator("#cells [data-shown='0']").wait_for()

    assert first != second
    assert shown(page) == first


def test_the_units_of_a_control_are_switched_by_themselves(page: Page, site: Path) -> None:
    page.goto((site / "posts/controls.html").as_uri())
    first = [shown(page, 0), shown(page, 1)]
    page.locator("#cells-again > .control").get_by_label("hidden 2").check()
    page.locator("#cells-again > .control[data-shown='1']").wait_for()

    assert shown(page, 0) == first[0]
    assert shown(page, 1) != first[1]


def test_units_are_switched_by_keyboard(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    page.locator("#cells input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")
    page.locator("#cells [data-shown='1']").wait_for()

    assert page.locator("#cells .showing .name").inner_text() == "hidden 2"


def test_the_value_of_a_character_is_told_on_hover(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())
    page.locator("#cells pre.text i").nth(3).hover()

    # Levels of the first unit rise by 3: 9 / 10 - 1.
    assert page.locator("#cells .readout").inner_text() == "'x', line 1, column 4: cell 1 −0.10"


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
    assert page.locator("#atlas .list table").is_visible()
    page.locator("#atlas .proof summary").click()
    assert page.locator("#atlas .proof table").is_visible()
    context.close()


def test_hostile_text_is_text(page: Page, site: Path) -> None:
    page.goto((site / "posts/text.html").as_uri())

    assert "<script>alert(1)</script>" in (page.locator("#cells pre.text").text_content() or "").replace("\n", "")
    assert page.locator("#cells script:not([type^='application/'])").count() == 0


def test_everything_can_be_read_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "posts/text.html").as_uri())

    assert page.locator("#cells pre.text i").count() > 40
    assert page.locator("#census table.sortable").is_visible()
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


def test_contexts_are_text_whatever_they_hold_and_read_in_their_own_direction(page: Page, site: Path) -> None:
    page.goto((site / "models/m/cell/4/index.html").as_uri())
    passages = page.locator(".top-contexts bdi")

    assert passages.first.inner_text().startswith("if x == '<script>ale")
    assert passages.nth(1).evaluate("one => one.matches(':dir(rtl)')")
    assert passages.nth(1).inner_text() == "שלום עולם"
    assert page.locator(".top-contexts mark").count() == 4


def test_units_of_networks_that_read_are_found_by_their_tokens(page: Page, site: Path) -> None:
    page.goto((site / "models/m/index.html").as_uri())
    page.get_by_label("Number, label or concept").fill("space")

    assert page.locator(".unit-list li:visible").all_inner_texts()[0].startswith("cell 4")
    assert page.locator(".unit-list li:visible").count() == 2


def test_units_are_found_and_ordered_by_the_concept_that_they_follow(page: Page, site: Path) -> None:
    page.goto((site / "models/m/cell/index.html").as_uri())
    names = page.locator(".unit-list li:visible a")
    orders = []
    for value in ("concept", "number", "auc"):
        page.get_by_label("Order").select_option(value)
        orders.append([name.strip() for name in names.all_inner_texts()])
    page.get_by_label("Number, label or concept").fill("readable")

    assert orders == [["cell 7", "cell 4"], ["cell 4", "cell 7"], ["cell 7", "cell 4"]]
    assert [name.strip() for name in names.all_inner_texts()] == ["cell 7"]


def test_the_icons_of_a_grid_are_parts_of_one_picture(page: Page, site: Path) -> None:
    page.goto((site / "posts/images.html").as_uri())
    urls = set(page.locator("#grid image").evaluate_all("all => all.map(one => one.href.baseVal)"))

    assert page.locator("#grid svg").count() == 2
    assert len(urls) == 1
    assert page.locator("#grid .icons a").get_attribute("href") == "../models/m/blocks.0/3/index.html"
