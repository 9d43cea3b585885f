"""A hundred thousand hostile inputs, most of them checkpoint files: each is read, or refused by a BuildError.

Fails where anything else is raised, an input takes over five seconds, or something in one is executed; else
`make bench NAME=fuzz` writes `.bench/fuzz.json`. The inputs are those of tests/hostile, of which the suite reads a few.
Every sort has a process of its own, so that one which ends its process is seen, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from generator import __version__
from tests.benchmarks.harness import ROOT, machine, versions_in

WORK = "100,000 hostile inputs, most of them checkpoint files: none may crash, hang or execute anything"
COUNT = 110_000  # somewhat more are made than that: a sort may have fewer than are asked for
LEAST = 100_000
NAMED = ("torch", "safetensors", "pyyaml", "markdown", "hypothesis")
SEED = 0
OUTCOMES = ("read", "not there", "BuildError")  # not there: what is found in a store, and is made again
LIST = "import json; from tests.hostile.attacks import ATTACKS; print(json.dumps({n: a.share for n, a in ATTACKS.items()}))"


def record(root: Path = ROOT, say: Callable[[str], None] = lambda line: None, count: int = COUNT) -> dict[str, Any]:
    """Run all, write `.bench/fuzz.json` below `root`, and return what was written. RuntimeError of what went wrong."""
    shares: dict[str, int] = json.loads(answer(["-c", LIST]))
    unit = count / sum(shares.values())
    start = time.perf_counter()

    def read(name: str) -> tuple[str, dict[str, Any]]:
        found = json.loads(answer(["-m", "tests.hostile", name, str(round(unit * shares[name])), str(SEED)]))
        say(f"{name}: {told(found)}")
        return name, found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sorts = dict(pool.map(read, shares))
    inputs = sum(sum(one["outcomes"].values()) for one in sorts.values())
    if inputs < LEAST * count // COUNT:
        raise RuntimeError(f"only {inputs:,} inputs were read")
    report = {
        "name": "fuzz", "work": WORK, "machine": machine(), "seed": SEED, "inputs": inputs,
        "versions": {"whatfires": __version__, **versions_in(Path(sys.executable), NAMED)},
        "seconds": time.perf_counter() - start, "sorts": sorts,
    }  # fmt: skip
    (root / ".bench" / "fuzz.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def answer(arguments: list[str]) -> str:
    """The last line that Python prints for these arguments, in a process of its own with one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{arguments} exited {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout.splitlines()[-1]


def told(sort: Mapping[str, Any]) -> str:
    outcomes = ", ".join(f"{count:,} {what}" for what, count in sorted(sort["outcomes"].items()))
    return f"{outcomes}; the slowest took {sort['slowest']:.2f} s"


def counts(sort: Mapping[str, Any]) -> str:
    return " | ".join(f"{sort['outcomes'].get(what, 0):,}" for what in OUTCOMES)


def lines(report: Mapping[str, Any]) -> list[str]:
    """The record as a table of Markdown."""
    rows = [f"| {name} | {counts(one)} | {one['slowest']:.2f} |" for name, one in report["sorts"].items()]
    total = f"{report['inputs']:,} inputs in {report['seconds']:.0f} s: no other outcome, and nothing executed."
    return [f"| sort | {' | '.join(OUTCOMES)} | slowest, s |", "| --- " * 5 + "|", *rows, "", total]
