"""A text coloured by many cells, as a page in a browser, beside CircuitsVis.

Both sides show the same characters and activations, those of the committed character model: ours keeps them, and
the peer, which runs after it, reads them. Ours counts its page with the style sheet and script of the whole site.
"""

from __future__ import annotations

import statistics
import sysconfig
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from generator import machine
from generator.artifact import ArtifactStore
from generator.figures import activation_text
from generator.library import Library
from generator.pipeline import build
from generator.settings import read_settings
from tests.benchmarks.child import Task, answer, task
from tests.benchmarks.harness import ROOT, Benchmark, Outcome, Side
from tests.benchmarks.pages import Handles, used

SOURCE = "_pydecimal.py"  # of the standard library: 200,000 characters
SITE = """
title = "A text"
[models.cells]
source = "char-rnn"
checkpoints = "{root}/content/checkpoints/char-lstm/*.safetensors"
[datasets.text]
source = "text"
path = "texts/*.py"
"""
POST = """---
title: A text
date: 2026-01-01
---

```figure
id: text
kind: activation-text
model: cells
units: [{{group: cell, index: "0:{units}"}}]
text: {{dataset: text, length: {characters}}}
place: wide
caption: Cells.
```
"""
CONTENT = "document.querySelector('.activation-text .content')"
HANDLES = Handles(
    usable="document.querySelector('.activation-text .content[data-shown]')",
    changing=f"{CONTENT}.querySelector('pre.text')",
    switch=f"(number) => {{ const select = {CONTENT}.querySelector('select'); select.selectedIndex = number;"
    " select.dispatchEvent(new Event('change', {bubbles: true})); }",
    scroller="document.querySelector('pre.text')",
)


def show(given: Task) -> None:
    setting, content = given.setting, given.folder / "content"
    machine.settle()
    (content / "posts").mkdir(parents=True)
    (content / "texts").mkdir()
    (content / "site.toml").write_text(SITE.format(root=ROOT))
    (content / "posts" / "a.md").write_text(POST.format(**setting))
    text = (Path(sysconfig.get_path("stdlib")) / SOURCE).read_text()[: setting["characters"]]
    # A single document would be all training data: a corpus has a part for each split.
    for number in range(10):
        (content / "texts" / f"{number}.py").write_text(text)
    build(content, given.folder / "site", ArtifactStore(given.folder / "store"))
    library = Library(read_settings(content, "content"), content, ArtifactStore(given.folder / "store"))
    cells = [activation_text.Chosen("cell", number, "") for number in range(setting["units"])]
    values = activation_text.recorded(library.model("cells"), "", text, cells, lambda done, total: None)
    np.save(given.folder / "activations.npy", values.T)  # (characters, units)
    (given.folder / "text.txt").write_text(text)
    page = given.folder / "site" / "posts" / "a.html"
    assets = given.folder / "site" / "assets"
    size = sum(path.stat().st_size for path in (page, *assets.iterdir()))
    answer(size, **used(page, HANDLES, setting["units"]).told())


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """Seconds of both; how much sooner ours is ready; how many times its switch fits into the time it may take.

    What the peer did not manage has no number.
    """
    found: dict[str, float] = {"opened": float(not any(one.details["failed"] for one in ours))}
    for side, outcomes in (("ours", ours), ("theirs", theirs)):
        for name in ("ready", "switch", "frames"):
            managed = [one.details[name] for one in outcomes if one.details[name] is not None]
            if managed and not (name == "frames" and not any(managed)):
                found[f"{name}.{side}"] = statistics.median(managed)
    if "ready.theirs" in found:
        found["sooner"] = found["ready.theirs"] / found["ready.ours"]
    return found | {f"switches.in.{limit}.ms": limit / 1000 / found["switch.ours"] for limit in (50, 100)}


OURS = Side("tests.benchmarks.text_figure")
THEIRS = Side(
    "tests.benchmarks.peers.circuitsvis_tokens",
    "circuitsvis",
    ("circuitsvis==1.43.3", f"playwright=={version('playwright')}"),
    ("circuitsvis", "torch", "playwright"),
)
BENCHMARK = Benchmark(
    "text-figure",
    "a page of 10,000 characters coloured by 64 cells: bytes; seconds until it can be used, and of a switch",
    "CircuitsVis",
    25,
    OURS,
    THEIRS,
    {"characters": 10_000, "units": 64},
    unit="bytes",
    quality=quality,
    least={"opened": 1, "sooner": 10, "switches.in.50.ms": 1},
)
LARGE = Benchmark(
    "text-figure-large",
    "a page of 100,000 characters coloured by 256 cells: bytes; switches and scrolls",
    "CircuitsVis",
    1,
    OURS,
    THEIRS,
    {"characters": 100_000, "units": 256},
    runs=1,
    unit="bytes",
    quality=quality,
    least={"opened": 1, "switches.in.100.ms": 1, "frames.ours": 50},
)

if __name__ == "__main__":
    show(task())
