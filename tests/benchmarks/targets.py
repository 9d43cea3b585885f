"""`python -m tests.benchmarks.targets NAME`: record what a peer's defaults reach, into `targets/NAME.json`.

An hour for feature-channels. It goes on where it was broken off, in `.bench/NAME/targets`.
"""

from __future__ import annotations

import json
import shutil
import sys

from tests.benchmarks import channels
from tests.benchmarks.harness import ROOT, Benchmark, child, machine, python, versions_of

RECORDED = {"feature-channels": channels.FEATURE_CHANNELS, "small-network": channels.SMALL_NETWORK}


def record(benchmark: Benchmark) -> None:
    """Every channel of every layer, over as many runs as that takes."""
    setting, side = benchmark.setting, benchmark.theirs
    folder = ROOT / ".bench" / benchmark.name / "targets"
    interpreter = python(side, ROOT, print)
    for number in range(len(setting["layers"][0]["channels"]) // setting["each_run"]):
        done, part = folder / str(number), folder / f"{number}.part"
        if not done.exists():
            child(side, interpreter, part, number, setting)
            shutil.move(part, done)
        print(f"{number + 1} done")  # noqa: T201
    reached = {}
    for done in sorted(folder.iterdir()):
        reached |= channels.evaluated(done, setting["layers"]) if done.is_dir() else {}
    report = {
        "peer": benchmark.peer,
        "versions": versions_of(side, interpreter),
        "machine": machine(),
        "activations": {name: round(reached[name], 6) for name in sorted(reached, key=order)},
    }
    channels.TARGETS.mkdir(exist_ok=True)
    (channels.TARGETS / f"{benchmark.name}.json").write_text(json.dumps(report, indent=1) + "\n")


def order(name: str) -> tuple[str, int]:
    layer, _, channel = name.rpartition(" ")
    return layer, int(channel)


if __name__ == "__main__":
    record(RECORDED[sys.argv[1]])
