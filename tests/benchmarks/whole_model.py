"""A page for each unit of a network of thousands: planned, written, and built again with nothing changed.

What is measured is the site, not the figures: four unit cards are computed, and those of all other units are these with
their pictures rolled, so that each has pixels of its own. Each step is a process of its own and says its peak memory.
`make bench NAME=whole-model` writes `.bench/whole-model.json`.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from generator import __version__
from generator.artifact import ArtifactStore
from generator.cli import main
from generator.pipeline import obtain, with_units
from generator.plan import Plan, make_plan
from generator.progress import Quiet
from tests.benchmarks.harness import ROOT, machine

UNITS, REAL = 10_000, 4
WORK = f"{UNITS:,} units of a network, each with a page: seconds to plan, write and write nothing again; bytes; files"
TOML = """title = "A whole model"
[models.wide]
source = "python"
factory = "nets:wide"
channels = 3
height = 64
width = 64
dataset = "digits"
units = ["first"]
[datasets.digits]
source = "digits"
"""
NETS = """from collections import OrderedDict

from torch import nn


def wide():
    return nn.Sequential(OrderedDict(first=nn.Conv2d(3, {units}, 7, stride=8), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()))
"""
POST = "---\ntitle: A post\ndate: 2026-01-01\n---\n\nWords.\n"


def write(folder: Path, units: int) -> None:
    (folder / "content" / "posts").mkdir(parents=True)
    (folder / "content" / "site.toml").write_text(TOML)
    (folder / "content" / "nets.py").write_text(NETS.format(units=units))
    (folder / "content" / "posts" / "a.md").write_text(POST)


def planned(folder: Path, store: ArtifactStore) -> Plan:
    return with_units(make_plan(folder / "content", store, Quiet()), Quiet())


def fill(folder: Path, store: ArtifactStore) -> dict[str, float]:
    """Compute the first cards, and keep all others with pictures of their own."""
    jobs = list(planned(folder, store).jobs.values())
    start = time.perf_counter()
    real = list(obtain(planned(folder, store), jobs[:REAL], store, Quiet()).artifacts.values())
    took = time.perf_counter() - start
    for number, job in enumerate(jobs[REAL:], REAL):
        made = real[number % REAL]
        arrays = {name: np.roll(array, (number % 61, number // 61), (0, 1)) for name, array in made.arrays.items()}
        for array in arrays.values():
            array[0, :3] = [number >> 16, number >> 8 & 255, number & 255]
        data = {**made.data, "unit": number, "label": f"channel {number}"}
        provenance = {**made.provenance, "ingredients": job.ingredients}
        store.put(job.key, replace(made, arrays=arrays, data=data, provenance=provenance))
    return {"seconds": took / REAL}


def plan(folder: Path, store: ArtifactStore) -> dict[str, float]:
    start = time.perf_counter()
    made = make_plan(folder / "content", store, Quiet())
    before = time.perf_counter()
    count = len(with_units(made, Quiet()).units)
    return {"units": count, "seconds": time.perf_counter() - before, "posts": before - start}


def written(folder: Path, store: ArtifactStore) -> dict[str, float]:
    """By the command, which says what it did before the benchmark does."""
    places = {"--content": folder / "content", "--out": folder / "site", "--store": store.folder}
    start = time.perf_counter()
    main(["build", *(str(one) for pair in places.items() for one in pair)], standalone_mode=False)
    return {"seconds": time.perf_counter() - start}


def retitled(folder: Path, store: ArtifactStore) -> dict[str, float]:
    """After an edit of a post, which no page of a unit shows."""
    path = folder / "content" / "posts" / "a.md"
    path.write_text(path.read_text() + "More.\n")
    return written(folder, store)


STEPS = {"fill": fill, "plan": plan, "written": written, "again": written, "edited": retitled}


def step(name: str, folder: Path) -> dict[str, float]:
    """One step in a process of its own; with its peak memory in bytes."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "tests.benchmarks.whole_model", name, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def sizes(site: Path) -> dict[str, int]:
    """Files, bytes, and the largest of what grows with a model: an index, a shard of its search, a folder."""
    files = {path.relative_to(site).as_posix(): path.stat().st_size for path in site.rglob("*") if path.is_file()}
    folders = Counter(path.parent for path in site.rglob("*"))

    def largest(pattern: str) -> int:
        return max((size for name, size in files.items() if re.fullmatch(pattern, name)), default=0)

    pages = [size for name, size in files.items() if re.fullmatch(r"models/wide/first/(.*/)?\d+/index.html", name) and "/page/" not in name]  # fmt: skip
    return {
        "files": len(files),
        "bytes": sum(files.values()),
        "pages": len(pages),
        "page": max(pages),
        "index": largest(r"models/wide/first/(page/.*)?index.html"),
        "model": files["models/wide/index.html"],
        "shards": sum(name.startswith("assets/units/") for name in files),
        "shard": largest(r"assets/units/.*\.js"),
        "report": files["report.json"],
        "folder": max(folders.values()),
    }


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None, units: int = UNITS) -> dict[str, Any]:
    """Run it, write `.bench/whole-model.json` below `root`, and return what was written."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, units)
        steps = {}
        for name in STEPS:
            steps[name] = step(name, folder)
            say(f"{name}: {steps[name]}")
        found = {
            "name": "whole-model",
            "work": WORK,
            "machine": machine(),
            "versions": {"whatfires": __version__},
            "steps": steps,
            "sizes": sizes(folder / "site"),
        }
    (root / ".bench" / "whole-model.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as two tables of Markdown."""
    found = ["| step | seconds | peak memory, MiB |", "| --- | --- | --- |"]
    found += [f"| {name} | {one['seconds']:.2f} | {one['peak'] / 2**20:.0f} |" for name, one in report["steps"].items()]
    found += ["", "| of the site | |", "| --- | --- |"]
    return found + [f"| {name} | {size:,} |" for name, size in report["sizes"].items()]


if __name__ == "__main__":
    _, name, place = sys.argv
    told = STEPS[name](Path(place), ArtifactStore(Path(place) / "store"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**told, "peak": peak}))  # noqa: T201
