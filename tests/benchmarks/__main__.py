"""`make bench` lists the benchmarks; `make bench NAME=name` runs one.

What it measured becomes a part of the report: `content/benchmarks/NAME.json`, and the post that shows all of these. Those
of RECORDS write `.bench/NAME.json`: they have another form, with several peers or none, and the guide has their tables.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from generator.spec import BuildError, nearest, shown
from tests.benchmarks import (
    channels,
    char_training,
    feature_dashboard,
    fuzz,
    grad_cam,
    maco,
    many_units,
    measured,
    memory,
    rebuild,
    recording,
    runners,
    selectivity,
    selectivity_scale,
    sites,
    soak,
    staleness,
    text_figure,
    whole_model,
)
from tests.benchmarks.harness import ROOT, Benchmark, lines, run

RECORDS = {
    "staleness": staleness,
    "sites": sites,
    "runners": runners,
    "fuzz": fuzz,
    "soak": soak,
    "whole-model": whole_model,
}  # of several peers or of none, and not of a ratio that would have a goal

BENCHMARKS: dict[str, Benchmark] = {
    "feature-channels": channels.FEATURE_CHANNELS,
    "unit-icons": channels.UNIT_ICONS,
    "maco": maco.DREAMLENS,
    "maco-horama": maco.HORAMA,
    "small-network": channels.SMALL_NETWORK,
    "grad-cam": grad_cam.BENCHMARK,
    "selectivity": selectivity.BENCHMARK,
    "text-figure": text_figure.BENCHMARK,
    "text-figure-large": text_figure.LARGE,
    "selectivity-scale": selectivity_scale.BENCHMARK,
    "char-training": char_training.SMALL,
    "char-training-large": char_training.LARGE,
    "recording": recording.BENCHMARK,
    "rebuild": rebuild.BENCHMARK,
    "memory": memory.BENCHMARK,
    "feature-dashboard": feature_dashboard.BENCHMARK,
    "units-per-minute": many_units.BENCHMARK,
}


def listing(benchmarks: Mapping[str, Benchmark]) -> list[str]:
    width = max(map(len, benchmarks))
    return [f"{name:{width}}  against {one.peer}, goal {one.goal:g}: {one.work}" for name, one in benchmarks.items()]


def main(arguments: Sequence[str], benchmarks: Mapping[str, Benchmark] = BENCHMARKS, root: Path = ROOT) -> int:
    if not arguments:
        print("\n".join([*listing(benchmarks), *(f"{name}: {one.WORK}" for name, one in RECORDS.items())]))  # noqa: T201
        return 0
    known = (*benchmarks, *RECORDS)
    for name in arguments:
        if name not in known:
            print(f"no benchmark {name!r}{nearest(name, known)}", file=sys.stderr)  # noqa: T201
            return 2
    for name in arguments:
        if name in RECORDS:
            (ROOT / ".bench").mkdir(exist_ok=True)
            found = RECORDS[name].record(say=lambda line: print(line, file=sys.stderr))  # noqa: T201
            print("\n".join(RECORDS[name].lines(found)))  # noqa: T201
            continue
        print("\n".join(lines(run(benchmarks[name], root, say=lambda line: print(line, file=sys.stderr)))))  # noqa: T201
        try:
            print(f"written: {shown(measured.write_post(root))}", file=sys.stderr)  # noqa: T201
        except BuildError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
