"""What one side of a benchmark is given, and how it answers: the only module that peers' environments share with ours.

The harness starts `python -m MODULE FOLDER RUN SETTING` and reads the last line of what it prints. A side times
its own work, so that starting Python, importing and warming up are left out.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """folder: empty, for what the side makes; run: counted from 0; setting: the same plain data for both sides."""

    folder: Path
    run: int
    setting: dict[str, Any]


def task() -> Task:
    folder, run, setting = sys.argv[1:]
    return Task(Path(folder), int(run), json.loads(setting))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak() -> float:
    """The most memory that this process has held, bytes."""
    kilo = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilo


def answer(value: float, **details: Any) -> None:
    """value: seconds, or bytes where the benchmark compares sizes; details: numbers that its verdict needs."""
    print(json.dumps({"value": value, "details": details}))  # noqa: T201
