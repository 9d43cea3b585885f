"""One figure alone, its data made again in a fresh process, beside the site that it is a figure of: kind by kind."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from generator.chromium import ALONE, HEIGHT, WIDTH
from generator.cli import main
from generator.figures import KINDS
from tests.browser.axe import violations
from tests.conftest import ROOT, SITE_TOML, SmallSite

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
CONTROLLED = ("templates", "activation-text")  # one of pictures, and one that the browser draws
ROW = """
[models.course]
source = "char-rnn"
corpus = "tiny-corpus"
checkpoints = "checkpoints/course/*.safetensors"
train = { width = 8, embedding = 4, steps = 3, batch = 4, window = 16, keep = [2] }
"""
TIMELINE = """
```figure
id: timeline
kind: activation-text
model: course
checkpoint: all
units: [{index: 0}]
text: {literal: "def f(x): return 'a string'"}
```
"""
PROCESS = """
import json, sys
from contextlib import nullcontext
from generator import chromium
from generator.cli import main
with chromium.launched() as browser:
    chromium.launched = lambda: nullcontext(browser)
    for line in sys.stdin:
        try:
            main(json.loads(line), standalone_mode=False)
        except SystemExit as stop:
            assert not stop.code, line
"""


def post() -> str:
    """Every kind's example; two kinds also with a control, among text that starts them between two pixels."""
    parts = ["---\ntitle: Every kind\ndate: 2026-01-02\n---\n"]
    for kind, module in KINDS.items():
        example = import_module(module).EXAMPLE.strip()
        for more in ("", "-controlled") if kind in CONTROLLED else ("",):
            control = "\ncontrol: random-weights" * bool(more)
            parts.append(
                f"Words\nabout {kind}.\n\n```figure\nid: {kind}{more}\nkind: {kind}\n{example}{control}\n```\n"
            )
    return "\n".join([*parts, TIMELINE])


@dataclass(frozen=True)
class Both:
    """A site, and its figures alone, their data made again, in the folder `again`."""

    site: SmallSite
    again: Path

    def taken_away(self, id: str) -> dict[str, Path]:
        """The files of the site that a figure's page offers, by the names that it would save them under."""
        (figure,) = [part for part in self.site.read().split("<figure id=")[1:] if part.startswith(f'"{id}"')]
        links = re.findall(r'<a href="\.\./([^"]+)" download="([^"]+)">', figure)
        return {name: self.site.out / path for path, name in links}


def where(site: SmallSite) -> list[str]:
    return ["--content", str(site.content), "--store", str(site.store.folder)]


def commands(site: SmallSite, calls: Sequence[Sequence[str]]) -> None:
    """Calls of `whatfires` in one fresh process, with one browser; each fails the test if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS],
        input="".join(json.dumps([*call, *where(site)]) + "\n" for call in calls),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("report")
    site = SmallSite(folder, folder / "store")
    site.toml(SITE_TOML + ROW)
    main(["train", "course", *where(site)], standalone_mode=False)
    site.post(post())
    site.build()
    again = folder / "again"
    kept = {path: path.read_bytes() for path in site.store.folder.glob("*/*.npz")}
    made = [(["timeline", "--checkpoint", "2"], "timeline-2")]
    made += [([f"posts/a.html#{kind}"], kind) for kind in KINDS]
    made += [([f"a#{kind}-controlled", "--control"], f"{kind}-controlled-control") for kind in CONTROLLED]
    calls = [[*call, "--again", "--out", f"{again}/{name}.npz"] for call, name in made]
    calls += [[*call, "--out", f"{again}/{name}.png"] for call, name in made]
    pages = [[f"a#{id}", "--out", f"{again}/{id}-alone.html"] for id in (*KINDS, "templates-controlled", "timeline")]
    commands(site, [["figure", *call] for call in calls + pages])
    assert {path: path.read_bytes() for path in kept} == kept, "what is kept stays as it is"
    return Both(site, again)


@contextmanager
def opened(both: Both, browser: Browser) -> Iterator[Page]:
    """The page of the site."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto((both.site.out / "posts/a.html").as_uri())
    yield page
    page.close()


@pytest.fixture
def page(both: Both, browser: Browser) -> Iterator[Page]:
    with opened(both, browser) as page:
        yield page


@pytest.fixture(scope="module")
def untouched(both: Both, browser: Browser) -> Iterator[Page]:
    """The page for tests that look at it, and change nothing."""
    with opened(both, browser) as page:
        yield page


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


def drawn(content: Locator) -> np.ndarray[Any, Any]:
    """What a page of the site shows of a figure when all that is not in it is taken away."""
    found = content.element_handle()
    assert found is not None
    found.evaluate(ALONE)
    return pixels(found.screenshot())


def pictures_like(both: Both, id: str, name: str, browser: Browser, content: int = 0) -> int:
    """Compares the pictures that were made again as `name` with the site's, pixel by pixel; how many there are."""
    media = {file: path for file, path in both.taken_away(id).items() if re.fullmatch(rf"{name}(-.+)?\.webp", file)}
    media = {file: path for file, path in media.items() if name.endswith("-control") or "-control" not in file}
    again = {path.with_suffix(".webp").name: path for path in both.again.glob("*.png")}
    for file, path in media.items():
        np.testing.assert_array_equal(pixels(again[file].read_bytes()), pixels(path.read_bytes()))
    if not media:
        with opened(both, browser) as page:
            shown = drawn(page.locator(f"#{id} > .content").nth(content))
        np.testing.assert_array_equal(pixels((both.again / f"{name}.png").read_bytes()), shown)
    return len(media) or 1


@every_kind
def test_a_figure_alone_has_the_pixels_of_the_site(kind: str, both: Both, browser: Browser) -> None:
    assert pictures_like(both, kind, kind, browser) > 0


@pytest.mark.parametrize("kind", CONTROLLED)
def test_a_control_alone_has_the_pixels_of_the_site(kind: str, both: Both, browser: Browser) -> None:
    assert pictures_like(both, f"{kind}-controlled", f"{kind}-controlled-control", browser, 1) > 0


def test_a_timeline_alone_at_a_checkpoint_has_the_pixels_of_the_site(both: Both, page: Page) -> None:
    figure = page.locator("#timeline")
    figure.locator("input[type=range]").fill("0")
    shown = drawn(figure.locator(".step:not([hidden]) > .content"))

    np.testing.assert_array_equal(pixels((both.again / "timeline-2.png").read_bytes()), shown)


@pytest.mark.parametrize("id", [*sorted(KINDS), *(f"{kind}-controlled-control" for kind in CONTROLLED), "timeline-2"])
def test_data_made_again_are_those_of_the_site_to_the_byte(id: str, both: Both) -> None:
    site = both.taken_away(id.removesuffix("-control").removesuffix("-2"))[f"{id}.npz"]
    with zipfile.ZipFile(site) as there, zipfile.ZipFile(both.again / f"{id}.npz") as again:
        assert {"data.json", "measures.csv"} <= set(there.namelist())
        assert [again.read(name) for name in there.namelist()] == [there.read(name) for name in there.namelist()]


@pytest.fixture
def alone(both: Both, browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """Every kind's figure as a page alone, opened in turn; it says nothing and asks for no other file."""
    said: list[str] = []
    opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith("data:") else said.append(request.url))
    yield opened
    own = [url for url in said if url.endswith("-alone.html")]
    opened.close()

    assert said == own
    assert own


@every_kind
def test_a_page_alone_shows_the_figure_as_its_page_does_and_needs_no_other_file(
    kind: str, both: Both, untouched: Page, alone: Page
) -> None:
    alone.goto((both.again / f"{kind}-alone.html").as_uri())
    here, there = (one.locator(f"#{kind} > .content").first for one in (alone, untouched))
    alone.wait_for_function("() => !document.querySelector('[aria-busy]')")
    there.scroll_into_view_if_needed()
    untouched.wait_for_function("() => !document.querySelector('[aria-busy]')")

    assert here.aria_snapshot().replace("https://example.org/report/", "../") == there.aria_snapshot()
    assert here.evaluate("(it) => it.offsetWidth") == there.evaluate("(it) => it.offsetWidth")
    assert alone.evaluate("[...document.images].every((one) => one.loading === 'lazy' || one.naturalWidth > 0)")


def test_a_page_alone_shows_a_control_too_and_axe_finds_no_violation(both: Both, alone: Page) -> None:
    alone.goto((both.again / "templates-controlled-alone.html").as_uri())

    assert alone.locator("figure > .content").count() == 2
    assert violations(alone) == []


def test_a_page_alone_has_the_slider_of_a_timeline(alone: Page, both: Both) -> None:
    alone.goto((both.again / "timeline-alone.html").as_uri())
    alone.locator("input[type=range]").press("ArrowLeft")

    assert alone.locator(".step:visible").get_attribute("data-step") == "step 2"


def test_downloads_are_reached_and_taken_by_keyboard_from_a_file(both: Both, page: Page) -> None:
    figure = page.locator("#sample")
    figure.locator(".provenance summary").focus()
    page.keyboard.press("Enter")
    stops = []
    while page.evaluate("document.activeElement.tagName") != "A":
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.tagName"))
    with page.expect_download() as taken:
        page.keyboard.press("Enter")

    assert stops == ["PRE", "PRE", "A"], "the YAML, the command, the first download"
    assert violations(page, "#sample") == []
    assert Path(taken.value.path()).read_bytes() == both.taken_away("sample")["sample.npz"].read_bytes()
