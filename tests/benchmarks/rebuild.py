"""What a new checkpoint of one of three models costs: a whole build, beside the figures that depend on it, alone.

The site has figures of all three; the weights are those in content/checkpoints. Before either side is timed, all
figures were computed with the checkpoint before the newest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from generator.artifact import ArtifactStore
from generator.pipeline import build, obtain
from generator.plan import make_plan
from generator.progress import Quiet
from tests.benchmarks.child import Task, answer, task
from tests.benchmarks.harness import ROOT, Benchmark, Outcome, Side

WEIGHTS = ROOT / "content" / "checkpoints"
OLD, NEW = "step-004000", "step-008000"
TOML = """title = "Three models"

[datasets.python-stdlib]
source = "python-stdlib"
"""
ROW = """
[models.{0}]
source = "char-rnn"
checkpoints = "runs/{0}/*.safetensors"
"""
FIGURES = """---
title: {0}
date: 2026-01-01
---

```figure
id: written
kind: sample
model: {0}
length: 200
```

```figure
id: census
kind: unit-census
model: {0}
dataset: python-stdlib
documents: {1}
length: 1000
```

```figure
id: contexts
kind: top-contexts
model: {0}
dataset: python-stdlib
unit: {{group: cell, index: 3}}
documents: {1}
```
"""
MODELS = {"char-lstm": 40, "char-lstm-plain": 6, "war-and-peace": 6}  # and the documents that their figures read


def prepare(folder: Path) -> Path:
    """The site, built with an old checkpoint of the first model; then that has a new one."""
    content = folder / "content"
    (content / "posts").mkdir(parents=True)
    (content / "site.toml").write_text(TOML + "".join(map(ROW.format, MODELS)))
    for name, documents in MODELS.items():
        (content / "posts" / f"{name}.md").write_text(FIGURES.format(name, documents))
        runs = content / "runs" / name
        runs.mkdir(parents=True)
        for path in WEIGHTS.joinpath(name).iterdir():
            if name != "char-lstm" or path.stem == OLD:
                shutil.copy(path, runs)
    os.chdir(folder)
    command = [sys.executable, str(ROOT / "build.py")]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    for path in WEIGHTS.joinpath("char-lstm").glob(f"{NEW}.*"):
        shutil.copy(path, content / "runs" / "char-lstm")
    return content


def rebuild(given: Task) -> None:
    content = prepare(given.folder / "site")
    start = time.perf_counter()
    done = build(content, Path("site"), ArtifactStore(Path(".whatfires/store")), Quiet())
    answer(time.perf_counter() - start, computed=done.computed, kept=done.reused)


def alone(given: Task) -> None:
    """The sum of what the figures that depend on the new checkpoint take, one after another."""
    content = prepare(given.folder / "site")
    store = ArtifactStore(Path(".whatfires/store"))
    plan = make_plan(content, store, Quiet())
    total, computed = 0.0, 0
    for job in plan.jobs.values():
        start = time.perf_counter()
        if obtain(plan, [job], store, Quiet()).computed:
            total, computed = total + time.perf_counter() - start, computed + 1
    answer(total, computed=computed)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    computed, kept = (ours[-1].details[name] for name in ("computed", "kept"))
    return {"computed.as.alone": float(computed == theirs[-1].details["computed"]), "kept": float(kept)}


BENCHMARK = Benchmark(
    "rebuild",
    "a build after one new checkpoint of one of three models",
    "the figures that depend on it, alone",
    round(1 / 1.15, 3),
    Side("tests.benchmarks.rebuild"),
    Side("tests.benchmarks.rebuild_alone"),
    quality=quality,
    least={"computed.as.alone": 1},
)

if __name__ == "__main__":
    rebuild(task())
