"""The post "Measured beside others", made of all records in `content/benchmarks`: `make bench NAME=name` rewrites it.

It states no number itself: they are measures of its figures, so that a page is never behind its records, and each goal
is a claim, judged on every build like any other. A benchmark that misses its goal stays in, and its claim is shown as
broken: a site of ours that left it out would say more than was measured. That stops nothing: a build tells of a broken
claim and goes on, the workflow that publishes the report writes it into its summary, and only `whatfires check`, whose
purpose that is, exits with 1. What made a run fast but worse would be hidden by its ratio, so the least that its
quality should be is claimed, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from generator.records import Record, measure_name, read_record
from generator.spec import BuildError, shown
from generator.verdicts import escaped
from tests.benchmarks.harness import RECORDS

POST = Path("content", "posts", "measured.md")
TIMES = {"s": "times as long as", "ns": "times as long as"}  # of units that are no words themselves
TOP = """\
Here Whatfires stands beside other programs that do the same, or beside the least that the work can take. Both sides run in turn, each in a process of its own, with the same threads; each of their runs is a dot below. The ratio is the median of the other over that of Whatfires, and its spread is that of pairs of runs, one just after the other. Whether the goal was reached is a claim, and is judged on every build; so is the quality of what was made, since a fast result that is worse is none. What misses its goal stays here.

`make bench` lists all benchmarks. `make bench NAME={name}` runs one on your machine, and then writes this page anew from all that was measured; what they do is in `tests/benchmarks/`.

Measured on these machines; the load is how many processes wanted to run as the last run ended. Where that is far more than the threads, others were at work, and what was measured then is better measured again:
"""
SECTION = """\
## {heading}

What was done: {work}.

```figure
id: {id}
kind: measurements
file: {file}
caption: {caption}
```

By [](#{id}), {peer} takes `{{value:{format}}} {id}.ratio` {times} {subject}{spread}.
"""
SPREAD = ", in `{{value}} {id}.runs` pairs of runs from `{{value:{format}}} {id}.ratio.low` to `{{value:{format}}} {id}.ratio.high`"
CLAIM = """
```claim
id: {id}
figure: {figure}
expect: {expect}
text: {text}
```
"""


def write_post(root: Path) -> Path:
    """Write the post from the records below `root`. BuildError where one is damaged, or not of a benchmark."""
    records = []
    for path in sorted((root / RECORDS).glob("*.json")):
        record = read_record(path)
        if record.name != path.stem or record.date is None:
            raise BuildError(f"record {shown(path)}: it should have a date, and its file's name, {path.stem!r}")
        records.append(record)
    written = root / POST
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(markdown(records), "utf-8")
    return written


def markdown(records: Sequence[Record]) -> str:
    """The post. Its date is the newest of the records', so that the same records are the same post."""
    date = max(record.date.isoformat() for record in records if record.date)
    told = "What Whatfires takes beside others that do the same: each run, the ratio, its spread, and the machine."
    front = f'---\n# Written by make bench; what is edited here is lost.\ntitle: Measured beside others\ndate: {date}\ntags: [measurements]\ndescription: "{told}"\n---\n'
    parts = [front, TOP.format(name=records[0].name), "\n".join(machines(records)) + "\n", *map(section, records)]
    return "\n".join(parts)


def machines(records: Sequence[Record]) -> Iterator[str]:
    """A line of a list for each machine and day: what was measured there and then."""
    measured: dict[str, list[str]] = {}
    for record in records:
        told = {name: escaped(plain(value)) for name, value in record.machine.items()}
        parts = [told.get("processor"), *(f"{told[name]} {name}" for name in ("cores", "threads") if name in told)]
        where = ", ".join(part for part in (str(record.date), *parts, told.get("system")) if part)
        load = f" (load {record.machine['load']:.1f})" if isinstance(record.machine.get("load"), float) else ""
        measured.setdefault(where, []).append(f"[{title(record)}](#{record.name}){load}")
    for where, names in measured.items():
        yield f"- {', '.join(names)}: {where}"


def title(record: Record) -> str:
    """A benchmark's name in words."""
    return str(record.name).replace("-", " ").capitalize()


def section(record: Record) -> str:
    """One benchmark: what was done, its figure, what it says, and its claims."""
    id, times = str(record.name), TIMES.get(record.unit, f"times the {record.unit} of")
    caption = f"**{title(record)}.** {escaped(record.subject)} and {escaped(record.peer)}, run in turn."
    format = ",.0f" if max(record.ratios) >= 1000 else ".3g"
    text = SECTION.format(
        heading=f"{title(record)} beside {escaped(record.peer)}",
        work=escaped(record.work or title(record)).removesuffix("."),
        id=id,
        file=f"benchmarks/{id}.json",
        caption=json.dumps(caption, ensure_ascii=False),
        peer=escaped(record.peer),
        times=escaped(times),
        subject=escaped(record.subject),
        format=format,
        spread=SPREAD.format(id=id, format=format) if len(record.ratios) > 1 else "",
    )
    claims = []
    if record.goal is not None:
        goal = f"{record.peer} takes at least {plain(record.goal)} {times} {record.subject}"
        claims.append((f"{id}-goal", f"ratio >= {plain(record.goal)}", goal))
    for name, least in record.least.items():
        measure = measure_name(name)
        told = f"The quality {name} of {id} is at least {plain(least)}"
        claims.append(
            (f"{id}-{re.sub(r'[^a-z0-9]+', '-', measure.lower())}", f"quality.{measure} >= {plain(least)}", told)
        )
    return text + "".join(
        CLAIM.format(id=claim, figure=id, expect=expect, text=json.dumps(f"{told}.", ensure_ascii=False))
        for claim, expect, told in claims
    )


def plain(value: float | str) -> str:
    """A text, or a number that reads back as itself.

    >>> plain(10.0), plain(0.769), plain("AMD")
    ('10', '0.769', 'AMD')
    """
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
