"""Two things measured in turn, such as one's own program and another: each run, the medians, and their ratio.

The runs are read from a record, a JSON file in the content folder. It says at least what was measured of both: `unit`,
such as s, ns, bytes or any other word, and the runs `ours` and `theirs`, positive numbers, as many of one as of the
other: the first of both is a pair, one measured just before the other, and so on. The ratio is the median of `theirs`
over that of `ours`; the ratios of the pairs tell how far it can be relied on.

The rest may be left out: `subject` and `peer`, what the two are called; `work`, what they did; `name`; `date`, as
2026-11-30; `goal`, what the ratio should be at least; `quality`, more numbers by their names, and `least`, what those
of these names should be at least; `peak`, of `ours` and `theirs`, the most bytes of memory; `machine`, what it was
measured on, texts and numbers by their names; `versions`, of `ours` and `theirs`, those of packages by their names. A
record that also tells its `ratio`, or whether the goal was `met`, must be right about it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from generator.artifact import Artifact
from generator.axes import counted, decades, scale
from generator.records import Record, measure_name, read_record
from generator.spec import FigureOptions

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
file: measured.json
caption: How long two sorts take.
"""

APART = 20  # the largest over the smallest, from where on an axis is logarithmic
MARKS = 7  # of a logarithmic axis that have room for their numbers on a phone
LITTLE = 0.1  # of what numbers are shown in: what is less is shown in something smaller
SIZES = {
    "s": {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9},
    "ns": {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1.0},
    "bytes": {"GiB": 2.0**30, "MiB": 2.0**20, "KiB": 2.0**10, "bytes": 1.0},
}  # of a unit: what its large and small numbers are shown in
WORDS = {"s": "seconds", "ms": "milliseconds", "µs": "microseconds", "ns": "nanoseconds"}


class Options(FigureOptions):
    file: str = Field(description="the record, a JSON file, relative to the content folder")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Places are in per cent of the width of the drawing, so that it has the width of the page and the text its own."""
    record = read_record(inputs.library.root / options.file)
    low, high = min(record.ratios), max(record.ratios)
    unit, size = shown_in(record.unit, min(*record.ours, *record.theirs))
    values = axis([value / size for value in (*record.ours, *record.theirs)])
    times = axis([low, high, *([] if record.goal is None else [record.goal])])
    goal = None
    if record.goal is not None:
        goal = {"value": record.goal, "at": place(times, record.goal), "met": record.fast_enough}
    data = {
        "work": record.work or "",
        "date": record.date.isoformat() if record.date else "",
        "machine": dict(record.machine),
        "unit": WORDS.get(unit, unit),
        "sides": [side(record, one, size, values) for one in ("ours", "theirs")],
        "axis": values,
        "ratio": {
            name: {"value": value, "at": place(times, value)}
            for name, value in (("median", record.found), ("low", low), ("high", high))
        },
        "pairs": list(record.ratios),
        "goal": goal,
        "times": times,
        "quality": [
            {"name": name, "value": value, "least": least, "met": least is None or value >= least}
            for name, value, least in ((name, value, record.least.get(name)) for name, value in record.quality.items())
        ],
    }
    measures = {"ratio": record.found, "ratio.low": low, "ratio.high": high, **record.medians, "runs": len(record.ours)}
    measures |= {} if record.goal is None else {"goal": record.goal}
    measures |= {f"quality.{measure_name(name)}": value for name, value in record.quality.items()}
    return Artifact(data=data, measures=measures)


def side(record: Record, name: str, size: float, axis: Mapping[str, Any]) -> dict[str, Any]:
    """One of the two as it is drawn. size: how many of the record's unit are one of what is shown."""
    runs = [value / size for value in getattr(record, name)]
    median = record.medians[name] / size
    return {
        "side": name,
        "name": {"ours": record.subject, "theirs": record.peer}[name],
        "runs": [{"value": value, "at": place(axis, value)} for value in runs],
        "median": {"value": median, "at": place(axis, median)},
        "least": min(runs),
        "most": max(runs),
        "peak": None if record.peak is None else getattr(record.peak, name) / 2**20,
        "versions": dict(getattr(record.versions, name)),
    }


def shown_in(unit: str, smallest: float) -> tuple[str, float]:
    """What numbers of a unit, the smallest of which is given, are easy to read in, and how many of the unit that is.

    >>> shown_in("s", 0.25), shown_in("s", 0.02), shown_in("bytes", 3 * 2**20), shown_in("words", 10)
    (('s', 1.0), ('ms', 0.001), ('MiB', 1048576.0), ('words', 1.0))
    """
    sizes = list(SIZES.get(unit, {unit: 1.0}).items())
    return next(((name, size) for name, size in sizes if smallest >= LITTLE * size), sizes[-1])


def axis(values: Sequence[float]) -> dict[str, Any]:
    """An axis for positive numbers: from zero, or logarithmic where the largest is more than APART times the smallest.

    >>> [tick["label"] for tick in axis([3, 8])["ticks"]], [tick["label"] for tick in axis([1, 40])["ticks"]]
    (['0', '2', '4', '6', '8'], ['1', '3', '10', '30', '100'])
    """
    logarithmic = max(values) > APART * min(values)
    ticks = decades(min(values), max(values)) if logarithmic else scale(0, max(values))
    found: dict[str, Any] = {"logarithmic": logarithmic, "first": ticks[0], "last": ticks[-1]}
    step = math.ceil(len(ticks) / MARKS)
    return found | {"ticks": [{"at": place(found, tick), "label": counted(tick)} for tick in ticks[::step]]}


def place(axis: Mapping[str, Any], value: float) -> float:
    """Where a number is on an axis, in per cent of its length."""
    first, last = float(axis["first"]), float(axis["last"])
    if axis["logarithmic"]:
        return round(100 * math.log(value / first) / math.log(last / first), 2)
    return round(100 * (value - first) / (last - first), 2)
