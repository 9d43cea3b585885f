"""Two hundred rebuilds of `serve` while a report is written: whether memory and open files stay as they are.

Edits are drawn at random: words, captions, options that compute a figure anew, posts that come and go, a post that is
broken and then mended. A reader listens to the server's news, loads a page after each rebuild, and now and then opens
the page anew. `make bench NAME=soak` writes `.bench/soak.json`.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from generator import __version__
from tests.benchmarks.harness import ROOT, machine
from tests.benchmarks.runners import NETWORK, TOML

REBUILDS, POSTS = 200, 20
EARLY, LATE = slice(50, 100), slice(150, 200)  # what is compared
GROWTH = 0.05  # of the memory, above which it is not flat
PATIENCE = 120.0  # seconds in which an edit must be seen
ANEW = 20  # rebuilds after which the page is opened anew
WORK = f"{REBUILDS} rebuilds of `serve` with random edits: memory and open files early and late"
POST = """---
title: Post {number}
date: 2026-01-01
---

{words}

```figure
id: f{number}
kind: class-image
model: net
classes: [a]
size: 32
steps: 1
seed: {seed}
caption: {caption}
```

```python
x = {number}
```
"""


@dataclass
class Report:
    """The posts of a report as they are, and a hand that edits them."""

    folder: Path
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    broken: int | None = None
    made: int = 0

    def begin(self) -> None:
        (self.folder / "content" / "posts").mkdir(parents=True)
        (self.folder / "content" / "site.toml").write_text(TOML)
        (self.folder / "content" / "net.py").write_text(NETWORK)
        for _ in range(POSTS):
            self.add()

    def path(self, number: int) -> Path:
        return self.folder / "content" / "posts" / f"p{number}.md"

    def write(self, number: int) -> None:
        """Whole at once, as most editors do."""
        whole = self.folder / "edited"
        whole.write_text(POST.format(number=number, **self.posts[number]))
        whole.replace(self.path(number))

    def words(self) -> str:
        return " ".join(f"w{self.chance.randrange(10**6)}" for _ in range(40))

    def add(self) -> None:
        self.made += 1
        self.posts[self.made] = {"words": self.words(), "caption": self.words(), "seed": 0}
        self.write(self.made)

    def remove(self, number: int) -> None:
        del self.posts[number]
        self.path(number).unlink()

    def edit(self) -> str:
        """Make one edit; what it was."""
        if self.broken is not None:
            number, self.broken = self.broken, None
            self.write(number)
            return "mended"
        number = self.chance.choice(sorted(self.posts))
        what = self.chance.choices(["words", "caption", "option", "added", "removed", "broken"], [8, 4, 2, 2, 2, 2])[0]
        if what == "added":
            self.add()
        elif what == "removed" and len(self.posts) > POSTS // 2:
            self.remove(number)
        elif what == "broken":
            self.broken = number
            self.path(number).write_text(POST.format(number=number, **self.posts[number]).replace("steps", "stpes"))
        elif what == "option":
            self.posts[number]["seed"] += 1
            self.write(number)
        else:
            what = "caption" if what == "caption" else "words"
            self.posts[number][what] = self.words()
            self.write(number)
        return what


def news(port: int) -> Iterator[dict[str, Any]]:
    """What the server tells a page that listens."""
    connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
    connection.request("GET", "/-whatfires/news")
    answer = connection.getresponse()
    try:
        while line := answer.readline():
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))
    finally:
        connection.close()


def load(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
    connection.request("GET", f"/{name}")
    connection.getresponse().read()
    connection.close()


def sample(server: psutil.Process) -> dict[str, float]:
    """Of the server and the processes that stay beside it: bytes that are in memory, and open files; its threads."""
    found = [server, *server.children(recursive=True)]
    return {
        "server": server.memory_info().rss,
        "all": sum(one.memory_info().rss for one in found),
        "files": sum(one.num_fds() for one in found),
        "processes": len(found),
        "threads": server.num_threads(),
    }


def soaked(report: Report, say: Callable[[str], None], rebuilds: int) -> list[dict[str, Any]]:
    """A sample after each rebuild."""
    command = [sys.executable, "-c", "from generator.cli import main; main()", "serve", "--port", "8700"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    samples: list[dict[str, Any]] = []
    with subprocess.Popen(command, cwd=report.folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().partition("localhost:")[2].partition("/")[0])
            told = news(port)
            while next(told)["busy"]:
                pass
            while len(samples) < rebuilds:
                if len(samples) % ANEW == ANEW - 1:
                    told.close()
                    told = news(port)
                    next(told)
                start, what = time.perf_counter(), report.edit()
                next(told)
                took = time.perf_counter() - start
                load(port, "index.html")
                samples.append({"edit": what, "seconds": took, **sample(psutil.Process(process.pid))})
                if len(samples) % 20 == 0:
                    say(f"{len(samples)} rebuilds: {samples[-1]['all'] / 2**20:.0f} MiB, {samples[-1]['files']} files")
        finally:
            process.send_signal(signal.SIGINT)
    return samples


def record(
    root: Path = ROOT, say: Callable[[str], None] = lambda line: None, rebuilds: int = REBUILDS
) -> dict[str, Any]:
    """Run it, write `.bench/soak.json` below `root`, and return what was written."""
    with tempfile.TemporaryDirectory() as place:
        report = Report(Path(place))
        report.begin()
        samples = soaked(report, say, rebuilds)
    found = {
        "name": "soak",
        "work": WORK,
        "machine": machine(),
        "versions": {"whatfires": __version__},
        "samples": samples,
    }
    (root / ".bench" / "soak.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


def growth(samples: list[dict[str, Any]], what: str) -> tuple[float, float]:
    """The median early and late: a sample may meet a round that is at its end."""
    early, late = (statistics.median(one[what] for one in samples[part]) for part in (EARLY, LATE))
    return early, late


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as a table of Markdown."""
    samples = report["samples"]
    found = ["| | rebuilds 50–100, median | 150–200 | |", "| --- | --- | --- | --- |"]
    for what, called, unit in (
        ("server", "memory of the server, MiB", 2**20),
        ("all", "with the process that rounds are forked from, MiB", 2**20),
        ("files", "open files", 1),
        ("processes", "processes", 1),
        ("threads", "threads", 1),
        ("seconds", "from edit to told, seconds", 1),
    ):
        early, late = growth(samples, what)
        flat = late <= early * (1 + GROWTH * (unit > 1))
        verdict = "" if what == "seconds" else "flat" if flat else "grows"
        found.append(f"| {called} | {early / unit:.3g} | {late / unit:.3g} | {verdict} |")
    edits = sorted({one["edit"] for one in samples})
    counts = ", ".join(f"{sum(one['edit'] == edit for one in samples)} {edit}" for edit in edits)
    return [*found, "", f"{len(samples)} rebuilds: {counts}."]
