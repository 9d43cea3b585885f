"""`python -m tests.hostile "kept posts" 1000 0` reads so many inputs of one sort, and prints what became of them."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.hostile.attacks import ATTACKS, outcome

QUIET = {"deadline": None, "database": None, "phases": [Phase.generate], "suppress_health_check": list(HealthCheck)}


def main(name: str, count: int, number: int) -> dict[str, Any]:
    """How many were read and refused, seconds of the slowest, and its beginning."""
    became: Counter[str] = Counter()
    slowest = (0.0, "")

    with tempfile.TemporaryDirectory() as folder:

        @seed(number)
        @settings(max_examples=count, **QUIET)  # type: ignore[arg-type]
        @given(ATTACKS[name].inputs)
        def once(example: Any) -> None:
            nonlocal slowest
            what, took = outcome(ATTACKS[name], example, Path(folder))
            became[what] += 1
            slowest = max(slowest, (took, repr(example)[:200]))

        once()
    return {"outcomes": dict(became), "slowest": slowest[0], "input": slowest[1]}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201
