"""A hundred thousand hostile inputs, most of them checkpoint files: each is read, or refused by a BuildError.

`make bench NAME=fuzz` fails where anything else is raised, an input takes over five seconds, or something in one is
executed; else it writes `.bench/fuzz.json`. The inputs are those of tests/hostile, which the suite reads a few of.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generator import __version__
from tests.benchmarks.harness import ROOT, machine

COUNT = 110_000
PACKAGES = ("torch", "safetensors", "pyyaml", "markdown", "hypothesis")
WORK = "a hundred thousand hostile inputs, most of them checkpoint files; none may crash, hang or execute anything"


def hurt(name: str, count: int, folder: Path, seed: int) -> dict[str, Any]:
    """Read so many inputs of one sort; how many were read and refused, and the slowest."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415
    from hypothesis import seed as seeded  # noqa: PLC0415
