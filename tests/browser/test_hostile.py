"""Hostile texts wherever data are shown: no script of theirs runs, no request leaves, and readers see them as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page

from generator.artifact import ArtifactStore
from generator.pipeline import build
from generator.spec import CONTROL
from generator.weights import Weights, write_weights
from tests import nets
from tests.hostile.texts import RUN, TEXTS


def quoted(text: str) -> str:
    """A text as TOML and YAML both take it."""
    plain = (one if " " <= one <= "~" and one not in '"\\' else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(plain)}"'


def listed(texts: list[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


NAMES = [one for one in TEXTS if len(one.encode()) < 200 and not set(one) & set("/\0") and one.strip(". ") == one]
LABELS = [*TEXTS, *(f"plain {number}" for number in range(100 - len(TEXTS)))]
MODEL = f'"><img src=x onerror="{RUN}">'
MEASURE = "'onmouseover'{{7*7}}"  # as much as a claim can name
HEAD = "---\ntitle: {}\ndate: 2026-01-02\n---\n\n"
TOML = f"""
title = "Hostile"

[models.reader]
source = "char-rnn"
corpus = "corpus"
train = {{ width = 8, embedding = 4, steps = 2, batch = 2, window = 16 }}
dataset = "corpus"
units = ["hidden[0:2]"]

[models.tokens]
source = "transformers"
pretrained = "tests:tiny-gpt2"

[models.linear]
source = "linear-svm"
dataset = "pictures"
train = {{ steps = 2 }}

[models.{quoted(MODEL)}]
source = "python"
factory = "tests.nets:many_classes"
checkpoints = "checkpoints/*.safetensors"
height = 8
width = 8
classes = {listed(LABELS)}

[datasets.corpus]
source = "text"
path = "texts/*"

[datasets.pictures]
source = "image-folder"
path = "pictures"
size = 8
"""
FIGURES = {
    "text": [
        "kind: activation-text\nmodel: reader\nunits: [{index: 0}, {index: 1}]\ntext: {dataset: corpus, split: test, length: 6000}",
        "kind: top-contexts\nmodel: reader\nunit: {index: 0}\ndataset: corpus\nsplit: test",
        "kind: prediction-text\nmodel: reader\ntext: {literal: PART}",
        "kind: sample\nmodel: reader\nstart: LITERAL\ntemperatures: [1.0]\nlength: 20",
        "kind: unit-census\nmodel: reader\ndataset: corpus\ndocuments: 3\nlength: 200",
        "kind: training-curve\nmodels: [reader]\nreferences: [{name: TEXT, loss: 1.2, source: TEXT}]",
        "kind: measurements\nfile: measured.json",
    ],
    "tokens": [
        "kind: activation-text\nmodel: tokens\nunits: [{index: 0}]\ntext: {literal: LITERAL}",
        "kind: attention\nmodel: tokens\ntext: {literal: SHORT}",
        "kind: logit-lens\nmodel: tokens\ntext: {literal: SHORT}",
    ],
    "pictures": [
        "kind: templates\nmodel: linear",
        "kind: similarity\nmodel: linear\ndataset: pictures",
        "kind: scores\nmodel: linear\nimage: {dataset: pictures, index: 3}",
        "kind: class-image\nmodel: MODEL\nclasses: CLASSES\nsteps: 1\nsize: 16",
        "kind: dissection\nmodel: MODEL\nlayer: relu1\ndataset: pictures\nimages: 200",
        "kind: unit-card\nmodel: MODEL\nlayer: conv1\nunit: 3\ndataset: pictures\nimages: 60\nsteps: 1",
        "kind: activation-maps\nmodel: MODEL\nimage: {file: FILE}\nlayer: conv1\ncount: 2\nsize: 16",
        "kind: dream\nmodel: MODEL\nimage: {file: FILE}\nlayers: [conv1]\nsize: 16\noctaves: 1\nsteps: 1",
    ],
}
CLAIM = "```claim\nid: unknown\nfigure: MODEL\nexpect: MEASURE\ntext: It holds.\n```\n"


def write(folder: Path) -> None:
    """A report whose texts, labels and names are the hostile ones."""
    (folder / "posts").mkdir(parents=True)
    (folder / "texts").mkdir()
    (folder / "site.toml").write_text(TOML)
    for number, name in enumerate(NAMES):
        (folder / "texts" / f"{number:03} {name}").write_text("\n".join(TEXTS) + "\n", newline="")
    draw = np.random.default_rng(0)
    for split in ("train", "test"):
        for number, name in enumerate(NAMES):
            (label := folder / "pictures" / split / name).mkdir(parents=True)
            for copy in (f"{name}.png", "1.png", "2.png", "3.png"):
                Image.fromarray(draw.integers(0, 256, (8, 8, 3), np.uint8) // (1 + number % 3)).save(label / copy)
    torch.manual_seed(0)
    weights = Weights(nets.many_classes().state_dict())
    write_weights(
        folder / "checkpoints" / "step-1.safetensors", weights, {"measures": dict.fromkeys([*TEXTS, MEASURE], 0.5)}
    )
    short = [one for one in TEXTS if one and len(one) <= 100 and not CONTROL.search(one)]
    told = {name: short[number] for number, name in enumerate(("unit", "subject", "peer", "work", "name"), 14)}
    named = dict(zip(short[20:40], short[20:40], strict=True))
    record = {"ours": [1], "theirs": [2], **told, "machine": named, "quality": dict.fromkeys(named, 1)}
    record["versions"] = {"ours": named, "theirs": named}
    (folder / "measured.json").write_text(json.dumps(record))
    picture = f"pictures/test/{NAMES[0]}/{NAMES[0]}.png"
    filled = {
        "LITERAL": quoted("\n".join(TEXTS)), "PART": quoted("\n".join(TEXTS)[:900]), "SHORT": quoted(TEXTS[1][:30]), "TEXT": quoted(TEXTS[16]),
        "MODEL": quoted(MODEL), "CLASSES": listed(TEXTS[:6] + TEXTS[15:18]), "FILE": quoted(picture), "MEASURE": quoted(f"{MEASURE} >= 0.1"),
    }  # fmt: skip
    for post, bodies in FIGURES.items():
        blocks = [f"```figure\nid: f{number}\n{body}\n```\n" for number, body in enumerate(bodies)]
        text = HEAD.format(post) + "\n".join([*blocks, CLAIM if post == "pictures" else ""])
        for name, value in filled.items():
            text = text.replace(name, value)
        (folder / "posts" / f"{post}.md").write_text(text)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write(folder / "content")
    build(folder / "content", folder / "site", ArtifactStore(folder / "store"))
    return folder / "site"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which the test fails if anything hostile happened: a script, a dialog, a request, a violation."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    happened: list[str] = []
    context.expose_function("report_violation", lambda what: happened.append(f"violation {what}"))
    context.add_init_script(
        "addEventListener('securitypolicyviolation', event => report_violation(event.violatedDirective))"
    )
    opened = context.new_page()
    opened.on("console", lambda message: happened.append(message.text))
    opened.on("pageerror", lambda error: happened.append(str(error)))
    opened.on("dialog", lambda dialog: (happened.append(f"dialog {dialog.message}"), dialog.dismiss()))
    opened.on("popup", lambda popup: happened.append(f"popup {popup.url}"))
    opened.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else happened.append(request.url)
    )
    yield opened
    assert opened.evaluate("window.tripped") is None
    context.close()

    assert happened == []


def poke(page: Page) -> None:
    """Do what readers do: open all folds, point at and focus what answers to that, choose, press keys, search."""
    page.evaluate("""() => {
        for (const fold of document.querySelectorAll("details")) fold.open = true;
        const events = ["pointerover", "pointermove", "mouseover", "mouseenter", "click", "focusin"];
        for (const one of document.querySelectorAll("[tabindex], pre *, td, th, label, svg, img, figure *")) {
            if (one.closest("a")) continue;
            one.focus?.({preventScroll: true});
            for (const name of events.filter(name => name !== "click" || one.matches("input, label, summary"))) {
                one.dispatchEvent(new PointerEvent(name, {bubbles: true, cancelable: true}));
            }
        }
    }""")
    for key in ("Tab", "Tab", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)


def pages(report: Path) -> list[str]:
    """All but 404.html, whose links lead from the root of a server."""
    return sorted(path.relative_to(report).as_posix() for path in report.rglob("*.html") if path.name != "404.html")


def test_there_are_at_least_sixty_hostile_texts() -> None:
    assert len(set(TEXTS)) >= 60
    assert len(NAMES) >= 25


def test_nothing_hostile_runs_or_asks_for_anything_on_any_page(page: Page, report: Path) -> None:
    for name in pages(report):
        page.goto((report / name).as_uri())
        poke(page)

        assert page.evaluate("window.tripped") is None, name
        assert page.url.startswith("file:"), name


def plain(text: str) -> str:
    """A text without what pages show as signs or not at all: ends of lines, tabs, spaces, and no characters."""
    return "".join(one for one in text if one.isprintable() and one not in " ↵→·␣\ufffd")


def test_labels_are_shown_as_they_are(page: Page, report: Path) -> None:
    page.goto((report / "posts/pictures.html").as_uri())
    labels = page.locator("#f0 .cell strong").all_text_contents()

    assert sorted(map(plain, labels)) == sorted(map(plain, NAMES))


def test_a_text_is_shown_as_it_is(page: Page, report: Path) -> None:
    page.goto((report / "posts/text.html").as_uri())
    text = page.locator("#f0 pre.text").first.text_content() or ""

    assert plain("\n".join(TEXTS))[:3000] in plain(text)
    assert [one for one in TEXTS if plain(one) not in plain(text)] == []


def test_units_are_found_by_hostile_words(page: Page, report: Path) -> None:
    page.goto((report / "search.html").as_uri())
    for text in (TEXTS[0], TEXTS[15], TEXTS[57]):
        page.locator("input[type=search]").fill(text)
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)

        assert page.evaluate("window.tripped") is None
