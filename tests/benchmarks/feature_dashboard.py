"""Dashboards of sparse features, in bytes: pages of units beside sae_vis's one file, with as many passages as long.

What the peer's page asks of other sites when it is opened is not counted in its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from generator.artifact import ArtifactStore, digest
from generator.at_hand import AtHand
from generator.data import Document
from generator.deferred import Deferred
from generator.figures import top_contexts
from generator.inputs import Inputs
from generator.model import Model
from generator.obtained import Obtained
from generator.render import render_site
from generator.spec import FigureSpec, Job, Place, Site, UnitChoice, UnitPage, unit_folder
from tests.benchmarks.child import Task, answer, task
from tests.benchmarks.dictionary import Dictionary, dictionary
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")
reading = Deferred("generator.interp.reading")

SITE = Site("Features", "", "", "", "en")
TOP, BETWEEN, AROUND = 20, 50, 5  # as many as the peer shows: 20, and 10 intervals of 5; tokens on either side


class Features:
    """The dictionary as a reader; a text is one of its sequences."""

    causal = True
    context: int | None = None

    def __init__(self, made: Dictionary) -> None:
        self.made = made
        self.groups = {"feature": made.encoder.shape[1]}
        self.sequences = {"".join(self.made.words[one] for one in row): row for row in made.ids}

    def tokens(self, text: str) -> Any:
        row = self.sequences[text]
        ends = torch.tensor([len(self.made.words[one]) for one in row]).cumsum(0)
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        return reading.Tokens(torch.from_numpy(row), torch.stack([starts, ends], 1))

    def token(self, number: int) -> str:
        return self.made.words[number]

    def read(self, ids: Any, groups: Sequence[str], state: Any = None, **options: Any) -> Any:
        embedding, places, encoder, bias = (
            torch.from_numpy(one) for one in (self.made.embedding, self.made.places, self.made.encoder, self.made.bias)
        )
        stream = embedding[ids.long()] + places[: ids.shape[1]]  # (batch, time, width); sequences are read whole
        return reading.Reading((stream @ encoder + bias).relu(), None, None)


@dataclass(frozen=True)
class Given(Inputs):
    """Inputs that hold the dictionary, whatever is asked for."""

    reader: Any = None
    texts: list[Document] = field(default_factory=list)

    @property
    def model(self) -> Model:
        return Model("m", torch.nn.Identity(), reader=self.reader)

    def documents(self, dataset: str, split: str = "test") -> list[Document]:
        return self.texts


def pages(given: Task) -> None:
    made = dictionary(**given.setting)
    reader = Features(made)
    texts = [Document(f"{number}.txt", text) for number, text in enumerate(reader.sequences)]
    library: Any = SimpleNamespace(
        store=ArtifactStore(given.folder / "store"), fingerprint=lambda name: {"benchmark": given.setting}
    )
    inputs = Given(library, "m", reader=reader, texts=texts)
    units, jobs, artifacts = [], {}, AtHand(library.store)
    passages = 0
    for number in range(reader.groups["feature"]):
        options = top_contexts.Options(
            model="m", unit=UnitChoice(group="feature", index=number), dataset="d", characters=10**9, before=AROUND, after=AROUND,
            top=TOP, bottom=0, random=0, quantiles=tuple(100 - 100 * (one + 0.5) / BETWEEN for one in range(BETWEEN)),
        )  # fmt: skip
        figure = FigureSpec(f"m-feature-{number}", "top-contexts", options, Place("site.toml"), layout="wide")
        path = f"{unit_folder('m', 'feature', number)}/index.html"
        units.append(UnitPage(path, "m", "feature", number, f"feature {number}", figure))
        job = Job(digest(number), figure.kind, options, {}, figure.place, figure.id)
        jobs[path, figure.id] = job
        artifacts.add(job.key, top_contexts.compute(options, inputs))
        passages += sum(len(one["passages"]) for one in artifacts[job.key].data["lists"])
    files = render_site(SITE, [], jobs, Obtained(artifacts), lambda name: [], lambda name: False, units).files
    for name, content in files.items():
        target = given.folder / "site" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    outside = sum(len(re.findall(rb"""(?:src|href)=["']https?:""", content)) for content in files.values())
    largest = max(len(files[unit.path]) for unit in units)
    answer(sum(map(len, files.values())), passages=passages, outside=outside, largest=largest)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """How many passages each shows, what each asks of other sites, and the size of our largest page of a unit."""
    mine, other = ours[-1].details, theirs[-1].details
    return {
        "passages": mine["passages"] / other["passages"],
        "self-contained": float(not mine["outside"]),
        "peer.outside": float(other["outside"]),
        "page.largest": float(mine["largest"]),
    }


BENCHMARK = Benchmark(
    "feature-dashboard",
    "dashboards of 128 sparse features on 70,000 tokens, bytes of all files",
    "sae_vis",
    5,
    Side("tests.benchmarks.feature_dashboard"),
    Side(
        "tests.benchmarks.peers.sae_vis_dashboard",
        "sae-vis",
        ("sae-vis==0.2.21", "transformers<5", "typeguard<5"),
        ("sae-vis", "transformer-lens", "torch"),
    ),
    {"tokens": 70_000, "features": 128, "length": 128, "vocabulary": 4000, "width": 64},
    runs=1,
    unit="bytes",
    quality=quality,
    least={"passages": 0.9, "self-contained": 1.0},
)

if __name__ == "__main__":
    pages(task())
