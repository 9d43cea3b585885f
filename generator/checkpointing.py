"""Training a model for keeps: its checkpoints, each with its card, in a folder beside the report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from generator.artifact import ArtifactStore
from generator.library import Library
from generator.progress import Display
from generator.settings import read_settings
from generator.spec import BuildError, nearest, shown
from generator.weights import write_weights


def train(
    name: str, content: Path, store: ArtifactStore, display: Display, folder: Path | None = None
) -> Iterator[str]:
    """Train a model by its recipe, and write its checkpoints to the folder; what was written, as it is.

    folder: by default that of the model below `checkpoints` of the content. A training that was stopped goes on; what
    it needs for that is forgotten when the last checkpoint is written. BuildError where there is no such model, or it
    has no recipe.
    """
    toml, start = shown(content / "site.toml"), time.perf_counter()

    def report(what: str, done: int, total: int) -> None:
        display.advance(done, total, what)

    library = Library(read_settings(content, toml), content, store, report)
    if name not in library.models:
        raise BuildError(f"no model {name!r} in {toml}{nearest(name, library.models)}")
    display.begin(1)
    display.start(name)
    for trained in library.train(name):
        path = (folder or content / "checkpoints" / name) / f"step-{trained.step:06d}.safetensors"
        write_weights(path, trained.weights, library.card(name, trained, time.perf_counter() - start))
        yield f"wrote {shown(path)}: {', '.join(f'{measure} {value:g}' for measure, value in trained.measures.items())}"
    library.desk(name).clear()
    display.finish(name, time.perf_counter() - start)
