"""How much memory figures of long texts take: contexts and a census of 100 MB, and an excerpt of a file of 1 GB.

Each run is another of the three, in a process of its own. The reader carries state and has 1,024 units, 512 hidden
and 512 cells; what they do is looked up by the last two characters, so that memory is measured and not an LSTM's
patience. The peer keeps every activation, as libraries do that plot afterwards, of a hundredth of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from generator import census, interp, labelling, machine
from generator.artifact import Artifact, ArtifactStore
from generator.data import Document, Documents
from generator.datasets import text
from generator.deferred import Deferred
from generator.figures import top_contexts
from generator.inputs import Inputs
from generator.labelling import Labelling
from generator.model import Model
from tests.benchmarks.child import Task, answer, peak, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")

SYMBOLS = "\n !\"'(),.0123456789?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WIDTH = 512  # of each group
LINES = ('She said, "Oh!" (so I heard).', "It rained for 40 days, and for 40 nights", "no", "    An indented line", "")


class Looked:
    """A reader whose units go by the character and the one before, which is its state."""

    causal, context, special = True, None, frozenset([0])

    def __init__(self) -> None:
        source = torch.Generator().manual_seed(0)
        self.groups = {"hidden": WIDTH, "cell": WIDTH}
        self.tables = {name: torch.randn(len(SYMBOLS) ** 2, WIDTH, generator=source) for name in self.groups}
        self.numbers = np.zeros(128, dtype=np.int64)
        self.numbers[[ord(one) for one in SYMBOLS]] = np.arange(len(SYMBOLS))

    def tokens(self, text: str) -> interp.reading.Tokens:
        starts = torch.arange(len(text))
        ids = torch.from_numpy(self.numbers[np.frombuffer(text.encode(), np.uint8)])
        return interp.reading.Tokens(ids, torch.stack([starts, starts + 1], 1))

    def token(self, number: int) -> str:
        return SYMBOLS[number]

    def text(self, ids: Sequence[int]) -> str:
        return "".join(map(self.token, ids))

    def read(self, ids: Any, groups: Sequence[str], state: Any = None, **more: Any) -> interp.reading.Reading:
        first = torch.zeros_like(ids[:, :1]) if state is None else state
        rows = ids * len(SYMBOLS) + torch.cat([first, ids[:, :-1]], 1)
        found = [self.tables[name][rows] for name in groups]
        return interp.reading.Reading(found[0] if len(found) == 1 else torch.cat(found, 2), None, ids[:, -1:])


@dataclass(frozen=True)
class Given(Inputs):
    """What a figure asks of its site: the reader above, and documents."""

    found: Sequence[Document] = ()

    @property
    def model(self) -> Model:
        return Model("looked-up", torch.nn.Identity(), reader=Looked())

    def documents(self, dataset: str, split: str = "test") -> Sequence[Document]:
        return self.found

    def kept(self, asked: Mapping[str, Any], make: Callable[[], Artifact]) -> Artifact:
        return make()


class Unnamed:
    """The library of no site, and a store in which nothing is kept."""

    store = ArtifactStore(Path("nowhere"))

    def fingerprint(self, name: str) -> str:
        return name


def lines(seed: int) -> Iterator[str]:
    source = np.random.default_rng(seed)
    while True:
        yield from (LINES[number] for number in source.integers(0, len(LINES), 1000))


def made(number: int) -> Document:
    """A document of text.PART characters."""
    found, length = [], 0
    for line in lines(number):
        found.append(line)
        length += len(line) + 1
        if length > text.PART:
            return Document(f"{number}", "\n".join(found)[: text.PART])
    raise AssertionError  # lines do not end


def written(path: Path, characters: int) -> None:
    with path.open("w") as file:
        for _ in range(0, characters, text.PART):
            file.write(made(0).text)


def documents(characters: int) -> Documents:
    return Documents([partial(made, number) for number in range(-(-characters // text.PART))])


def contexts(found: Sequence[Document], characters: int) -> float:
    """The figure of one cell: the most active of its passages."""
    options = top_contexts.Options(
        model="looked-up",
        unit={"group": "cell", "index": 3},
        dataset="made-up",
        split="test",
        characters=characters,
    )
    return top_contexts.compute(options, Given(Unnamed(), found=found)).measures["tokens"]  # type: ignore[arg-type]


def counted(given: Task) -> float:
    """All 1,024 units against all concepts of prose, in one pass."""
    characters = given.setting["characters"]
    model = Model("looked-up", torch.nn.Identity(), reader=Looked())
    read = labelling.corpus(documents(characters), Labelling("prose", {}, {}), characters, characters)
    found = census.count(model, read, census.scale_of(model, read))
    return float(found.histograms.total[0].sum()) if np.isfinite(found.areas).any() else 0.0


def of_a_file(given: Task) -> float:
    """The figure of one cell, on the beginnings of the parts of a large file, whose digest the site needs, too."""
    written(given.folder / "large.txt", given.setting["file"])
    settings = text.Settings(source="text", path="large.txt")
    text.digest(settings, given.folder)
    return contexts(text.load(settings, "test", given.folder), given.setting["excerpt"])


def measure(given: Task) -> None:
    machine.settle()  # as the command line does
    characters = given.setting["characters"]
    works = (lambda: contexts(documents(characters), characters), lambda: counted(given), lambda: of_a_file(given))
    told: list[float] = []
    spent = seconds(lambda: told.append(works[given.run]()))
    answer(peak(), tokens=told[0], seconds=spent)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    names = ("contexts", "census", "file")
    found = {}
    for name, one in zip(names, ours, strict=True):
        found[f"gigabytes below two.{name}"] = 2 - one.peak / 1e9
        found |= {f"{told}.{name}": one.details[told] for told in ("tokens", "seconds")}
    return found


SETTING = {"characters": 100_000_000, "file": 1_000_000_000, "excerpt": 200_000}
BENCHMARK = Benchmark(
    "memory",
    "100 MB of text: contexts of 512 units, a census of 1,024; an excerpt of a file of 1 GB; each in under 2 GB",
    "all activations of 1 MB kept",
    2,
    Side("tests.benchmarks.memory"),
    Side("tests.benchmarks.peers.kept_activations"),
    SETTING,
    unit="bytes",
    quality=quality,
    least={f"gigabytes below two.{name}": 0 for name in ("contexts", "census", "file")}
    | {"tokens.contexts": SETTING["characters"], "tokens.census": SETTING["characters"]},
)

if __name__ == "__main__":
    measure(task())
