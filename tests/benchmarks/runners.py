"""Equal figures computed by one worker and by several, and what a job costs beside its work.

Each build is a process of its own, start-up and all. The work of a figure is one thread's: a class image of a small
network, grown for about a second. `make bench NAME=runners` writes `.bench/runners.json`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from generator import __version__
from tests.benchmarks.harness import ROOT, machine

WORK = "64 equal figures by 1 and 2 local workers, and by 1, 2 and 4 of Dask; what a job costs; 10,000 jobs planned"
FIGURES, TINY, MANY = 64, 200, 10_000
CREWS = {
    "here": ["--runner", "here"],
    "local, 1 worker": ["--runner", "local", "--workers", "1"],
    "local, 2 workers": ["--runner", "local", "--workers", "2"],
    "dask, 1 worker": ["--runner", "dask", "--workers", "1"],
    "dask, 2 workers": ["--runner", "dask", "--workers", "2"],
    "dask, 4 workers": ["--runner", "dask", "--workers", "4"],
}
TOML = """title = "Equal figures"

[models.net]
source = "python"
factory = "net:make"
height = 32
width = 32
classes = ["a", "b", "c", "d", "e"]
"""
NETWORK = """import torch
from torch import nn


def make():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 5))
"""
BLOCK = "```figure\nid: f{0}\nkind: class-image\nmodel: net\nclasses: [a]\nsize: {1}\nsteps: {2}\nseed: {0}\n```\n"


def write(folder: Path, count: int, size: int, steps: int) -> None:
    """A report of so many figures, a hundred in a post."""
    posts = folder / "content" / "posts"
    posts.mkdir(parents=True)
    (folder / "content" / "site.toml").write_text(TOML)
    (folder / "content" / "net.py").write_text(NETWORK)
    for first in range(0, count, 100):
        blocks = "\n".join(BLOCK.format(number, size, steps) for number in range(first, min(first + 100, count)))
        (posts / f"p{first:05}.md").write_text(f"---\ntitle: Post {first}\ndate: 2026-01-01\n---\n\n{blocks}")


def build(folder: Path, *options: str) -> float:
    """Seconds of one build, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "build.py"), "--threads", "1", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command} exited {done.returncode}: {done.stderr.decode()[-2000:]}")
    return time.perf_counter() - start


def seconds(count: int, size: int, steps: int, options: list[str]) -> float:
    """Of a build from nothing."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), count, size, steps)
        return build(Path(place), *options)


def planned(count: int) -> dict[str, float]:
    """Seconds in which so many jobs are planned, by a process that has what was read of the posts; and of no-ops."""
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from generator.plan import make_plan; from generator.artifact import ArtifactStore;"
        "from generator.progress import Quiet; store = ArtifactStore(Path('.whatfires/store'));"
        "make_plan(Path('content'), store, Quiet(), False, loading=False); start = time.perf_counter();"
        "plan = make_plan(Path('content'), store, Quiet(), False, loading=False);"
        "assert len(plan.jobs) == int(sys.argv[2]); print(time.perf_counter() - start)"
    )
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), count, 32, 1)
        command = [sys.executable, "-c", script, str(ROOT), str(count)]
        found = subprocess.run(command, cwd=place, capture_output=True, check=True, text=True)
    return {"planned": float(found.stdout)}


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None, runs: int = 3) -> dict[str, Any]:
    """Run all, write `.bench/runners.json` below `root`, and return what was written."""
    equal: dict[str, list[float]] = {name: [] for name in CREWS}
    for number in range(runs):
        for name, options in CREWS.items():
            say(f"{FIGURES} equal figures, {number + 1} of {runs}: {name}")
            equal[name].append(seconds(FIGURES, 96, 60, options))
    tiny: dict[str, dict[int, float]] = {}
    for name in ("here", "local, 1 worker", "dask, 1 worker"):
        say(f"tiny figures: {name}")
        tiny[name] = {count: seconds(count, 32, 1, CREWS[name]) for count in (20, 20 + TINY)}
    say(f"{MANY} jobs planned")
    report = {
        "name": "runners", "work": WORK, "machine": machine(), "versions": {"whatfires": __version__},
        "equal": equal, "tiny": tiny, "many": planned(MANY),
    }  # fmt: skip
    (root / ".bench" / "runners.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as two tables of Markdown."""
    middle = {name: statistics.median(times) for name, times in report["equal"].items()}
    found = [
        f"| {FIGURES} equal figures | seconds, median | speed-up over 1 worker | of its cores |",
        "| --- | --- | --- | --- |",
    ]
    for name, took in middle.items():
        runner, _, crew = name.partition(", ")
        alone = middle.get(f"{runner}, 1 worker", took)
        workers = min(int(crew.split()[0]) if crew else 1, os.cpu_count() or 1)
        found.append(f"| {name} | {took:.1f} | {alone / took:.2f} | {alone / took / workers:.0%} |")
    found += ["", "| tiny figures | ms for each |", "| --- | --- |"]
    for name, times in report["tiny"].items():
        few, more = sorted(times, key=int)
        found.append(f"| {name} | {1000 * (times[more] - times[few]) / (int(more) - int(few)):.1f} |")
    found += ["", f"{MANY:,} jobs planned in {report['many']['planned']:.2f} s."]
    return found
