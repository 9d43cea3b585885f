"""Small sites, small models, no network."""

from __future__ import annotations

import functools
import gc
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generator.artifact import ArtifactStore
from generator.calling import called
from generator.key import code_digest, read_module
from generator.pipeline import Outcome, build
from generator.plan import Plan
from generator.spec import Job
from tests.forked import be_ready

ROOT = Path(__file__).parent.parent
# The hundreds of processes that tests start would each compile all modules, where a shell says that none is kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Where a shell starts the tests in the background, Ctrl-C is ignored, and so it would be by what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# While all tests are collected, there is no rubbish to look for.
gc.disable()

# Two processes share the files out: these take longest, and are begun first, so that neither waits for the other's end.
LONGEST = ("test_faults", "test_one_figure", "test_dask", "test_reading", "test_watch", "test_damage", "test_plugins")

SITE_TOML = """
title = "Small <models>"
base_url = "https://example.org/report"

[models.tiny-text]
source = "char-rnn"
corpus = "tiny-corpus"
train = { width = 8, embedding = 4, steps = 3, batch = 4, window = 16 }

[models.second-text]
source = "char-rnn"
corpus = "tiny-corpus"
train = { width = 8, embedding = 4, steps = 3, batch = 4, window = 16, seed = 1 }

[models.tiny-linear]
source = "linear-svm"
dataset = "digits"
train = { steps = 200 }

[models.tiny-vision]
source = "python"
factory = "tests.nets:vision"
channels = 3
height = 32
width = 32
classes = ["a", "b", "c", "d", "e"]

[models.tiny-transformer]
source = "transformers"
pretrained = "tests:tiny-gpt2"

[datasets.tiny-corpus]
source = "text"
path = "texts/*.py"

[datasets.digits]
source = "digits"
"""

PYTHON = '''"""Text number {0}."""
import os


def function_{0}(first, second="two {0}"):
    # what it does
    value = [first, (second, {0})]
    return {{"Key": value, 'other': os.name}}


class Thing{0}:
    """A thing."""

    name = "thing {0}"
'''

RECORD = {
    "unit": "s", "ours": [1.0, 2.0, 4.0], "theirs": [4.0, 6.0, 8.0], "subject": "new sort", "peer": "old <sort>",
    "goal": 2, "quality": {"share.least": 0.95, "in 50 ms": 1}, "least": {"share.least": 0.9},
}  # fmt: skip

POST = """---
title: A post
date: 2026-01-02
tags: [small]
---

Words before [](#written), which has `{value} written.characters` characters.

```figure
id: written
kind: sample
model: tiny-text
length: 30
temperatures: [1.0]
caption: What it *writes*.
```
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order is random but for the longest files."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """What is loaded stays, and need not be looked through for rubbish again and again: a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails; those with a browser or a cluster talk to it on this machine."""
    if {"browser", "cluster", "bucket"} & set(request.fixturenames):
        return
    connect, local = socket.socket.connect, "served" in request.fixturenames

    def refuse(self: socket.socket, address: object) -> None:
        here = local and isinstance(address, tuple) and address[0] == "127.0.0.1"
        if self.family in (socket.AF_INET, socket.AF_INET6) and not here:
            raise AssertionError(f"the test reached for the network: {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def served() -> Iterator[Callable[[Path], str]]:
    """Serves folders by HTTP on this machine, and tells the address of each; a test with it may connect to those."""
    with ExitStack() as closing:

        def serve(folder: Path) -> str:
            handler = functools.partial(QuietHandler, directory=str(folder))
            server = closing.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            closing.callback(server.shutdown)
            return f"127.0.0.1:{server.server_port}"

        yield serve


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *given: object) -> None: ...


def job_called(plan: Plan, name: str) -> Job:
    """The job of the one figure that is called so."""
    (place,) = called(name, list(plan.jobs), plan.posts, plan.library.root)
    return plan.jobs[place]


def forget_code() -> None:
    """A process reads each source once; what was edited since is read again after this."""
    code_digest.cache_clear()
    read_module.cache_clear()


class SmallSite:
    """A report in a folder of its own, with ways to change it and to build it."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder, self.content, self.out = folder, folder / "content", folder / "site"
        self.store = ArtifactStore(store)
        (self.content / "posts").mkdir(parents=True)
        (self.content / "texts").mkdir()
        for number in range(10):
            (self.content / "texts" / f"text{number}.py").write_text(PYTHON.format(number) * 3)
        (self.content / "measured.json").write_text(json.dumps(RECORD))
        self.toml(SITE_TOML)
        self.post(POST)

    def toml(self, text: str) -> None:
        (self.content / "site.toml").write_text(text)

    def post(self, text: str, name: str = "a") -> Path:
        path = self.content / "posts" / f"{name}.md"
        path.write_text(text)
        return path

    def figure(self, body: str, more: str = "") -> Path:
        """The post, with one figure block of this YAML."""
        return self.post(f"---\ntitle: A post\ndate: 2026-01-02\n---\n\n```figure\n{body.strip()}\n```\n{more}")

    def build(self) -> Outcome:
        return build(self.content, self.out, self.store)

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.out).as_posix(): path.read_bytes() for path in self.out.rglob("*") if path.is_file()
        }

    def read(self, name: str = "posts/a.html") -> str:
        return (self.out / name).read_text()


@pytest.fixture
def small_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """A site with one figure; its store is its own."""
    monkeypatch.chdir(tmp_path)
    return SmallSite(tmp_path, tmp_path / "store")


@pytest.fixture(scope="session")
def loaded() -> None:
    """What is started here, also by what is tested, is forked from the same process as what tests start."""
    be_ready()


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that tests share which do not ask what was computed."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def quick_site(tmp_path: Path, shared_store: Path, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """A site whose figures may have been computed by another test."""
    monkeypatch.chdir(tmp_path)
    return SmallSite(tmp_path, shared_store)
