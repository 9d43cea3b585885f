"""A coloured text in a real browser: with highlights and without, by keyboard, in print, copied, of any script."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page

from generator.artifact import ArtifactStore
from generator.pipeline import build
from tests.browser.axe import violations_in_both_schemes
from tests.conftest import SmallSite

HOSTILE = "</script> \"'&\tשלום, e\u0301 👩\u200d🔬 日本\r\n\n"
TEXT = HOSTILE + "def function(x):\n\treturn [x, 'a string']  # so far\n" * 80
# The level of every character that is painted, from highlights or from classes; null where none is.
LEVELS = """(pre) => {
  const levels = [];
  for (const block of pre.querySelectorAll(".block")) {
    const shown = block.classList.contains("painted") || !pre.classList.contains("switched");
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const own = node.parentElement === block ? null : Number(node.parentElement.className.match(/l(\\d+)/)[1]);
      const found = Array(node.length).fill(shown ? own : null);
      for (const [name, highlight] of window.Highlight ? CSS.highlights : [])
        for (const range of highlight)
          if (range.startContainer === node)
            found.fill(Number(name.replace("level-", "")), range.startOffset, range.endOffset);
      let offset = 0;
      for (const character of node.data) {
        levels.push(found[offset]);
        offset += character.length;
      }
    }
  }
  return levels;
}"""

ONE_OF_EACH_LEVEL = """() => {
  const seen = new Set();
  for (const one of document.querySelectorAll("#cells pre .block > *"))
    if (seen.has(one.className)) one.hidden = true;
    else seen.add(one.className);
  return seen.size;
}"""


@dataclass(frozen=True)
class Shown:
    """path: the page. levels: (units, characters), as the artifact of the figure has them."""

    path: Path
    levels: np.ndarray
    units: list[dict[str, Any]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A figure of 16 units, more than are shown as buttons."""
    folder = tmp_path_factory.mktemp("text")
    site = SmallSite(folder, folder / "store")
    site.figure(
        "id: cells\nkind: activation-text\nmodel: tiny-text\n"
        'units: [{group: cell, index: ":"}, {group: hidden, index: ":"}]\n'
        f"text: {{literal: {json.dumps(TEXT, ensure_ascii=True)}}}\ncaption: Cells.\n".replace(
            "\\ud83d\\udc69", "\\U0001F469"
        ).replace("\\ud83d\\udd2c", "\\U0001F52C")
    )
    store = ArtifactStore(folder / "store")
    build(site.content, site.out, store)
    (data,) = [
        found.data
        for path in folder.glob("store/*/*.npz")
        if "codes" in (found := store.get(path.stem)).data  # type: ignore[union-attr]
    ]
    levels = []
    for unit, packed in zip(data["units"], data["codes"], strict=True):
        differences = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
        codes = np.cumsum(differences, dtype=np.uint8).astype(int)
        levels.append((codes - 1 + unit["first"]).clip(0, 20))
    return Shown(site.out / "posts" / "a.html", np.array(levels), data["units"])


def opened(browser: Browser, shown: Shown, before: str = "", **context: Any) -> Iterator[Page]:
    page = browser.new_page(**context)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(before)
    page.goto(shown.path.as_uri())
    page.locator("[data-shown]").wait_for()
    yield page
    page.close()

    assert said == []


@pytest.fixture(params=["", "delete window.Highlight"], ids=["highlights", "elements"])
def page(request: pytest.FixtureRequest, browser: Browser, shown: Shown) -> Iterator[Page]:
    """With what colours the text: the browser's highlights, or elements where it has none."""
    yield from opened(browser, shown, request.param)


@pytest.fixture
def plain(browser: Browser, shown: Shown) -> Iterator[Page]:
    """As this browser is."""
    yield from opened(browser, shown)


def text_of(page: Page) -> Locator:
    return page.locator("#cells pre.text")


def choose(page: Page, number: int) -> None:
    page.get_by_role("combobox", name="Unit").select_option(index=number)
    page.locator(f"[data-shown='{number}']").wait_for()


def test_the_page_holds_the_text_and_the_colours_of_the_first_unit(page: Page, shown: Shown) -> None:
    assert text_of(page).evaluate("pre => pre.textContent") == TEXT
    assert text_of(page).evaluate(LEVELS) == shown.levels[0].tolist()


@pytest.mark.parametrize("number", [5, 15, 0])
def test_what_is_in_sight_has_the_colours_of_the_unit_that_is_chosen(page: Page, shown: Shown, number: int) -> None:
    choose(page, 3)
    choose(page, number)
    levels = text_of(page).evaluate(LEVELS)
    seen = [level is not None for level in levels]

    assert seen[0]
    assert not seen[-1], "what is out of sight is not painted"
    assert [level for level in levels if level is not None] == shown.levels[number][seen].tolist()
    assert text_of(page).evaluate("pre => pre.textContent") == TEXT


def test_what_comes_into_sight_is_painted_and_what_leaves_it_no_longer(page: Page, shown: Shown) -> None:
    choose(page, 7)
    for _ in range(100):
        # Blocks that come into sight get their own height, so the end moves away for a while.
        text_of(page).evaluate("pre => { pre.scrollTop = pre.scrollHeight; }")
        page.wait_for_timeout(50)
        levels = text_of(page).evaluate(LEVELS)
        if levels[0] is None and levels[-1] is not None:
            break

    assert levels[0] is None
    assert levels[-30:] == shown.levels[7][-30:].tolist()


def test_few_highlights_colour_a_text_without_more_elements(plain: Page) -> None:
    before = text_of(plain).evaluate("pre => pre.querySelectorAll('*').length")
    choose(plain, 2)

    assert plain.evaluate("CSS.highlights.size") == 21
    assert text_of(plain).evaluate("pre => pre.querySelectorAll('*').length") < before


def test_a_switch_changes_the_legend_the_passages_and_what_is_read_out(page: Page, shown: Shown) -> None:
    figure = page.locator("#cells")
    text_of(page).focus()
    page.keyboard.press("ArrowRight")
    choose(page, 9)
    unit = shown.units[9]

    def number(text: str) -> float:
        return float(text.replace("−", "-"))

    assert number(figure.locator(".scale-low").inner_text()) == pytest.approx(
        unit["low"], abs=10.0 ** -unit["decimals"]
    )
    assert number(figure.locator(".scale-high").inner_text()) == pytest.approx(
        unit["high"], abs=10.0 ** -unit["decimals"]
    )
    assert figure.locator(".showing .name").inner_text() == "hidden 1"
    assert text_of(page).get_attribute("aria-label") == "Text coloured by the activation of hidden 1"
    figure.locator("summary", has_text="hidden 1").click()
    assert [one.inner_text() for one in figure.locator(".passages mark").all()] == [
        TEXT[peak].replace("\n", "↵") for peak in unit["peaks"]
    ]
    assert figure.locator(".readout").inner_text().startswith("'/', line 1, column 2: hidden 1 ")


def test_arrows_move_through_characters_and_n_and_p_through_units(page: Page) -> None:
    readout = page.locator("#cells .readout")
    text_of(page).focus()
    emoji = TEXT.index("👩")
    for _ in range(emoji):
        page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith(f"'👩', line 1, column {emoji + 1}: cell 0 ")
    page.keyboard.press("End")
    assert readout.inner_text().startswith("newline, line 1, ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    assert readout.inner_text().startswith("'d', line 3, column 1: cell 0 ")
    page.keyboard.press("p")
    page.locator("[data-shown='15']").wait_for()
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.locator("[data-shown='1']").wait_for()
    assert readout.inner_text().startswith("'d', line 3, column 1: cell 1 ")
    assert page.get_by_role("combobox", name="Unit").input_value() == "cell 1"


def test_the_last_of_several_quick_switches_stays(page: Page, shown: Shown) -> None:
    text_of(page).focus()
    for _ in range(6):
        page.keyboard.press("n")
    page.locator("[data-shown='6']").wait_for()

    assert page.locator("#cells .showing .name").inner_text() == "cell 6"
    levels = text_of(page).evaluate(LEVELS)
    assert levels[:90] == shown.levels[6][:90].tolist()


def test_the_character_under_the_pointer_is_read_out(page: Page) -> None:
    box = text_of(page).evaluate(
        """(pre) => {
          const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
          while (!walker.nextNode().data.includes("日")) {}
          const range = document.createRange();
          const at = walker.currentNode.data.indexOf("日");
          range.setStart(walker.currentNode, at);
          range.setEnd(walker.currentNode, at + 1);
          const { left, top, width, height } = range.getBoundingClientRect();
          return [left + width * 0.8, top + height / 2];
        }"""
    )
    page.mouse.move(*box)

    assert page.locator("#cells .readout").inner_text().startswith("'日', line 1, ")


def test_what_is_copied_is_the_text_exactly(page: Page) -> None:
    choose(page, 4)
    page.get_by_label("Show tabs and line ends").check()
    copied = text_of(page).evaluate(
        """(pre) => {
          let copied = null;
          document.addEventListener("copy", (event) => (copied = event.clipboardData.getData("text/plain")));
          getSelection().selectAllChildren(pre);
          document.execCommand("copy");
          return copied;
        }"""
    )

    assert copied == TEXT


def test_tabs_and_line_ends_are_seen_on_request(plain: Page) -> None:
    def sign(name: str) -> str:
        return str(plain.evaluate(f"getComputedStyle(document.querySelector('pre.text .{name}'), '::before').content"))

    before = [sign("tab"), sign("end")]
    plain.get_by_label("Show tabs and line ends").check()

    assert before == ["none", "none"]
    assert [sign("tab"), sign("end"), sign("return")] == ['"⇥"', '"↵"', '"␍"']


def test_axe_finds_no_violation(plain: Page) -> None:
    choose(plain, 1)
    # axe would look at each of three thousand elements, which differ in their level alone.
    assert plain.evaluate(ONE_OF_EACH_LEVEL) > 5

    assert violations_in_both_schemes(plain) == []


def test_a_phone_is_wide_enough(browser: Browser, shown: Shown) -> None:
    for page in opened(browser, shown, viewport={"width": 390, "height": 844}):
        choose(page, 1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_the_first_unit_is_there(browser: Browser, shown: Shown) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(shown.path.as_uri())

    assert text_of(page).inner_text().startswith("</script>")
    assert page.locator("#cells .units").is_hidden()
    assert "15 more can be shown" in page.locator("#cells .others").inner_text()
    page.locator("#cells .passages summary").click()
    assert page.locator("#cells .passages mark").first.is_visible()
    context.close()


def test_where_a_browser_cannot_unpack_the_page_is_as_without_javascript(browser: Browser, shown: Shown) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(shown.path.as_uri())

    assert page.locator("#cells .units").is_hidden()
    assert text_of(page).locator("i").count() > 100
    page.close()


def test_paper_shows_the_whole_text_in_the_colours_of_the_chosen_unit(page: Page, shown: Shown) -> None:
    choose(page, 5)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert text_of(page).evaluate(LEVELS) == shown.levels[5].tolist()
    assert text_of(page).evaluate("pre => pre.scrollHeight <= pre.clientHeight + 1")
    assert page.locator("#cells .units").is_hidden()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    text_of(page).locator(".block:nth-last-child(2):not(.painted)").wait_for(state="attached")


def test_forced_colours_leave_the_levels_apart(browser: Browser, shown: Shown) -> None:
    for page in opened(browser, shown, forced_colors="active"):
        choose(page, 5)
        runs = text_of(page).evaluate(
            "pre => [...pre.querySelectorAll('.painted i')].map(i => [i.className, getComputedStyle(i).backgroundColor])"
        )

        assert len({colour for _, colour in runs}) == len({level for level, _ in runs}) > 5
