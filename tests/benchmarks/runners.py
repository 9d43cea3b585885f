"""Equal figures computed by one worker and by several, and what a job costs beside its work.

Each build is a process of its own, start-up and all. The work of a figure is one thread's: a class image of a small
network, grown for about a second. What a job costs beside that is the time in which all are obtained, less the seconds
that the artifacts say they took, of many jobs more than few. `make bench NAME=runners` writes `.bench/runners.json`.
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
from generator.spec import counted
from tests.benchmarks.harness import ROOT, machine

WORK = "64 equal figures by 1 and 2 local workers, and by 1, 2 and 4 of Dask; what a job costs; 10,000 jobs planned"
FIGURES, STEPS, TINY, MANY = 64, 100, 200, 10_000
SAMPLE = 3  # figures that the estimate is made of
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


SCRIPT = """import json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from generator.artifact import ArtifactStore
from generator.estimate import estimate
from generator.pipeline import obtain
from generator.plan import make_plan
from generator.progress import Quiet
from generator.runners import Crew
import torch

def plan():
    return make_plan(Path("content"), store, Quiet(), loading=False)

if __name__ == "__main__":  # workers import this, too
    torch.set_num_threads(1)  # as workers have
    store = ArtifactStore(Path(".whatfires/store"))
    asked = plan()
    start = time.perf_counter()
    print(json.dumps({0}))
"""
PLANNED = "[len(plan().jobs), time.perf_counter() - start]"
BESIDE = """[
    jobs := list(asked.jobs.values()),
    obtain(asked, jobs[:1], store, Quiet()),  # loads what this process needs
    start := time.perf_counter(),
    obtain(asked, jobs[1:], store, Quiet(), crew=Crew({runner!r}, {workers}, 1)),
    time.perf_counter() - start - sum(store.provenance(job.key)["seconds"] for job in jobs[1:]),
][-1]"""
ESTIMATED = (
    "[found := estimate(asked, store, Quiet(), {sample}), {{count: found.seconds(count) for count in (1, 2)}}][1]"
)


def told(folder: Path, expression: str) -> Any:
    """What an expression is in a process of its own, of the report in a folder that is planned as `asked`."""
    script = folder / "script.py"
    script.write_text(SCRIPT.replace("{0}", expression))
    command = [sys.executable, str(script), str(ROOT)]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def planned(count: int) -> dict[str, float]:
    """Seconds in which so many jobs are planned, by a process that has what was read of the posts; and of no-ops."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), count, 32, 1)
        jobs, took = told(Path(place), PLANNED)
        assert jobs == count
        build(Path(place), *CREWS["local, 2 workers"])
        again = [build(Path(place)) for _ in range(4)]
    return {"planned": took, "again": statistics.median(again[1:])}  # the first reads once more what was young


def beside(count: int, crew: list[str]) -> float:
    """Seconds that so many tiny figures took beside their own work, with the start of the workers."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), count, 32, 1)
        _, runner, *workers = crew
        return float(told(Path(place), BESIDE.format(runner=runner, workers=int(workers[1]) if workers else 1)))


def estimated() -> dict[int, list[float]]:
    """By workers: the seconds that are estimated for the figures of a report but for a few, and those of the build."""
    found = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), FIGURES, 96, STEPS)
            guess = told(Path(place), ESTIMATED.format(sample=SAMPLE))[str(workers)]
            found[workers] = [guess, build(Path(place), *CREWS[f"local, {counted(workers, 'worker')}"])]
    return found


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None, runs: int = 3) -> dict[str, Any]:
    """Run all, write `.bench/runners.json` below `root`, and return what was written."""
    report: dict[str, Any] = {
        "name": "runners", "work": WORK, "machine": machine(), "versions": {"whatfires": __version__},
        "equal": {name: [] for name in CREWS}, "tiny": {}, "estimated": {}, "many": {},
    }  # fmt: skip

    def keep() -> None:
        """What was measured so far: all takes a quarter of an hour."""
        (root / ".bench" / "runners.json").write_text(json.dumps(report, indent=1) + "\n")

    for number in range(runs):
        for name, options in CREWS.items():
            say(f"{FIGURES} equal figures, {number + 1} of {runs}: {name}")
            report["equal"][name].append(seconds(FIGURES, 96, STEPS, options))
            keep()
    for name in ("here", "local, 1 worker", "dask, 1 worker"):
        say(f"tiny figures: {name}")
        report["tiny"][name] = {count: beside(count, CREWS[name]) for count in (20, 20 + TINY)}
        keep()
    say("the estimate")
    report["estimated"] = estimated()
    say(f"{MANY} jobs planned")
    report["many"] = planned(MANY)
    keep()
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
    found += ["", "| tiny figures | ms for each beside its work |", "| --- | --- |"]
    for name, times in report["tiny"].items():
        few, more = sorted(times, key=int)
        found.append(f"| {name} | {1000 * (times[more] - times[few]) / (int(more) - int(few)):.1f} |")
    found += ["", "| local workers | seconds estimated | seconds of the build |", "| --- | --- | --- |"]
    found += [f"| {count} | {guess:.1f} | {took:.1f} |" for count, (guess, took) in report["estimated"].items()]
    found += [
        "",
        f"{MANY:,} jobs planned in {report['many']['planned']:.2f} s; nothing to do {report['many']['again']:.2f} s.",
    ]
    return found
