"""Figures at several checkpoints: the slider by keyboard and pointer, and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.goto((site / "posts/courses.html").as_uri())
    yield page
    page.close()


def visible(page: Page) -> list[str]:
    """The checkpoints that the timeline shows."""
    return [str(step.get_attribute("data-step")) for step in page.locator("#course .step").all() if step.is_visible()]


def test_the_newest_checkpoint_is_shown_first(page: Page) -> None:
    slider = page.locator("#course input[type=range]")

    assert visible(page) == ["step 400"]
    assert slider.get_attribute("aria-valuetext") == "step 400"
    assert page.locator("#course .slider output").inner_text() == "step 400"


def test_the_slider_is_moved_by_keyboard_and_marks_the_lines(page: Page) -> None:
    slider = page.locator("#course input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    earlier = visible(page)
    page.keyboard.press("Home")

    assert earlier == ["step 300"]
    assert visible(page) == ["step 100"]
    assert slider.get_attribute("aria-valuetext") == "step 100"
    assert page.locator("#course .here").evaluate_all("all => all.map(one => one.dataset.at)") == ["0", "0"]


def test_the_slider_is_named_for_a_screen_reader(page: Page) -> None:
    assert page.get_by_role("slider", name="Checkpoint").count() == 1


def test_the_slider_is_moved_by_touch(browser: Browser, site: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto((site / "posts/courses.html").as_uri())
    slider = page.locator("#course input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 3, box["y"] + box["height"] / 2)
    shown = visible(page)
    context.close()

    assert shown == ["step 100"]


def test_a_checkpoint_that_is_left_out_says_why(page: Page) -> None:
    page.locator("#course input[type=range]").fill("1")

    assert visible(page) == ["step 200"]
    assert page.locator("#course .gap").inner_text() == "Not shown: its weights have <other> shapes"


def test_a_unit_that_is_chosen_at_one_checkpoint_is_shown_at_all(page: Page) -> None:
    page.locator("#course .step:not([hidden])").get_by_label("hidden 2").check()
    page.locator("#course .step:not([hidden]) [data-shown='1']").wait_for()
    page.locator("#course input[type=range]").fill("0")
    page.locator("#course .step:not([hidden]) [data-shown='1']").wait_for()
    page.locator("#course .step:not([hidden]) pre.text").focus()
    page.keyboard.press("p")
    page.locator("#course .step:not([hidden]) [data-shown='0']").wait_for()

    assert page.locator("#course [data-shown='0']").count() == 3


def test_without_javascript_all_checkpoints_stand_in_a_row(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.goto((site / "posts/courses.html").as_uri())
    shown = visible(page)
    tops = page.locator("#course .step").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert shown == ["step 100", "step 200", "step 300", "step 400"]
    assert len(set(tops)) == 1
    assert wide <= 1000, "the row scrolls, not the page"


def test_two_checkpoints_side_by_side_have_no_slider(page: Page) -> None:
    steps = [step.bounding_box() for step in page.locator("#both .step").all()]

    assert page.locator("#both input[type=range]").count() == 0
    assert len({box["y"] for box in steps if box}) == 1
    assert len({box["x"] for box in steps if box}) == 2
