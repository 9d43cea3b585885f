"""A figure in a notebook's frame, as browsers show the HTML of an output."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

import generator
from generator.chromium import ALONE
from tests.browser.test_one_figure import pixels
from tests.conftest import SmallSite
from tests.test_remaking import TEMPLATES

CELL = '<!doctype html><body style="margin: 0; background: {}"><div style="width: {}px">{}</div></body>'


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="light")
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    opened.close()
    assert said == []


def test_a_notebook_shows_the_pixels_of_the_page_in_a_frame_as_high_as_the_figure(
    quick_site: SmallSite, page: Page
) -> None:
    quick_site.figure(TEMPLATES)
    quick_site.build()
    page.set_content(CELL.format("#fdfcf9", 1280, generator.show("t", store=quick_site.store.folder)._repr_html_()))
    inside = page.frame_locator("iframe")
    inside.locator("#t").wait_for()
    page.wait_for_function("() => document.querySelector('iframe').style.height !== '32rem'")
    frame, figure = page.locator("iframe").bounding_box(), inside.locator("#t").bounding_box()
    assert frame is not None
    assert figure is not None
    assert figure["y"] + figure["height"] <= frame["height"] + frame["y"] <= figure["y"] + figure["height"] + 20

    def drawn() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        content = (page.frame_locator("iframe") if page.locator("iframe").count() else page).locator("#t > .content")
        handle = content.first.element_handle()
        assert handle is not None
        handle.evaluate(ALONE)
        return pixels(handle.screenshot())

    notebook = drawn()
    page.goto((quick_site.out / "posts/a.html").as_uri())

    np.testing.assert_array_equal(notebook, drawn())


@pytest.mark.parametrize(("background", "theme"), [("#fff", "light"), ("transparent", "light"), ("#111", "dark")])
def test_a_figure_is_as_dark_as_the_notebook(quick_site: SmallSite, page: Page, background: str, theme: str) -> None:
    html = generator.show(TEMPLATES, store=quick_site.store.folder)._repr_html_()
    page.set_content(CELL.format(background, 700, html))
    page.frame_locator("iframe").locator("#t").wait_for()

    assert page.frame_locator("iframe").locator("html").get_attribute("data-theme") == theme
