"""What a build would cost: seconds and bytes of the figures that are missing, from some that were computed.

The model. Figures of one kind and one model take alike, s seconds in the mean of the sample, but for the first of a
worker, which takes l more: it loads the network and its data. w workers, each like the one that was measured, share the
n figures of every group, and none ends before the longest figure:

    T(w) = sum of l + max(longest s, sum of n s / w)

What is not in it: the start of the workers, a shared store's answers, and workers that share the cores of one machine.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from generator import downloads
from generator.artifact import Artifact, ArtifactStore
from generator.columns import columns
from generator.images import is_picture, webp
from generator.pipeline import obtain
from generator.plan import Plan
from generator.progress import Display
from generator.spec import Job, counted

One = TypeVar("One")

READ = 25  # kept figures of a group that are looked at; more would tell little more


@dataclass(frozen=True)
class Group:
    """Figures of one kind and one model: how many are kept and missing, and what one of them takes.

    seconds: the mean, None where none was measured, and its standard error. first: how much more the first takes of
    each worker, where that was measured. stored, shown: bytes in the store, and of
    the pictures and data beside the pages.
    """

    kind: str
    model: str
    kept: int
    missing: int
    seconds: float | None
    error: float
    first: float
    stored: float
    shown: float


@dataclass(frozen=True)
class Estimate:
    """What is missing of a site, by groups of figures."""

    groups: Sequence[Group]

    @property
    def missing(self) -> int:
        return sum(group.missing for group in self.groups)

    @property
    def work(self) -> float:
        """Seconds of one worker that has all at hand."""
        return sum(group.missing * (group.seconds or 0) for group in self.groups)

    @property
    def unknown(self) -> list[Group]:
        """Groups of which no figure was measured: what they take is not in the estimate."""
        return [group for group in self.groups if group.missing and group.seconds is None]

    def seconds(self, workers: int) -> float:
        """T(w) of the module's model."""
        missing = [group for group in self.groups if group.missing]
        longest = max((group.seconds or 0 for group in missing), default=0.0)
        return sum(group.first for group in missing) + max(longest, self.work / workers)

    def bytes(self) -> tuple[float, float]:
        """What the missing figures add to the store, and to the site."""
        rows = [group for group in self.groups if group.seconds is not None]
        return sum(one.missing * one.stored for one in rows), sum(one.missing * one.shown for one in rows)


def estimate(plan: Plan, store: ArtifactStore, display: Display, sample: int) -> Estimate:
    """What is missing of a site, and what it takes by up to `sample` figures of each group, computed now and kept.

    Figures that are kept already count as the sample. A figure that fails is told by the build, and not counted.
    """
    groups: dict[tuple[str, str], dict[str, Job]] = {}
    for job in plan.jobs.values():
        for one in job.all():
            groups.setdefault((one.kind, one.model or ""), {}).setdefault(one.key, one)
    kept = {place: [key for key in jobs if store.has(key)] for place, jobs in groups.items()}
    chosen = []
    for place, jobs in groups.items():
        missing = [job for key, job in jobs.items() if key not in set(kept[place])]
        chosen += spread(missing, min(len(missing), max(0, sample - len(kept[place]))))
    computed = obtain(plan, chosen, store, display).computed
    now = [job.key for job in chosen if job.key in computed]
    return Estimate([measured(place, jobs, kept[place], now, store) for place, jobs in groups.items()])


def measured(
    place: tuple[str, str], jobs: Mapping[str, Job], kept: Sequence[str], now: Iterable[str], store: ArtifactStore
) -> Group:
    """A group by those of its figures that the store has: `kept` before, and computed `now`, the first one first."""
    now = [key for key in now if key in jobs]
    there = [*kept, *now]
    found = [(artifact, len(store.content(key))) for key in spread(there, READ) if (artifact := store.get(key))]
    alike = there if len(there) == 1 else [key for key in spread(there, READ) if key not in now[:1]]
    took = [seconds_of(key, store) for key in alike]
    mean = statistics.fmean(took) if took else None
    spare = statistics.stdev(took) / len(took) ** 0.5 if len(took) > 1 else 0.0
    first = seconds_of(now[0], store) if now else 0.0
    return Group(
        *place,
        kept=len(there),
        missing=len(jobs) - len(there),
        seconds=mean,
        error=spare,
        first=max(0.0, first - (mean or 0.0)),
        stored=statistics.fmean(size for _, size in found) if found else 0.0,
        shown=statistics.fmean(in_site(artifact) for artifact, _ in found) if found else 0.0,
    )


def in_site(artifact: Artifact) -> int:
    """Bytes of an artifact's pictures and data as readers get them."""
    pictures = sum(len(webp(array)) for array in artifact.arrays.values() if is_picture(array))
    return pictures + len(downloads.as_npz(artifact, drawn=False))


def seconds_of(key: str, store: ArtifactStore) -> float:
    """What a figure took when it was computed."""
    return float(store.provenance(key).get("seconds", 0.0))


HEADINGS = ("kind", "model", "kept", "to compute", "seconds each", "in the store", "in the site")


def lines_of(found: Estimate, workers: Iterable[int]) -> Iterator[str]:
    """The estimate as a table, and what it comes to on so many workers."""
    rows = sorted(found.groups, key=lambda one: -one.missing * (one.seconds or 0))
    yield from columns([HEADINGS, *map(cells, rows)], right=range(2, len(HEADINGS)))
    yield ""
    if not found.missing:
        yield "Nothing is to be computed."
        return
    for count in workers:
        yield f"{counted(found.missing, 'figure')} on {counted(count, 'worker')}: about {lasting(found.seconds(count))}"
    store, site = found.bytes()
    yield f"The store grows by about {sized(store)}, the site by {sized(site)} beside its pages."
    for one in found.unknown:
        yield f"Not measured, and not in it: {counted(one.missing, 'figure')} of {one.kind}, {one.model or 'no model'}."


def cells(group: Group) -> Sequence[str]:
    """One row of the table."""
    counts = group.kind, group.model or "-", f"{group.kept:,}", f"{group.missing:,}"
    if group.seconds is None:
        return (*counts, "?", "?", "?")
    each = f"{group.seconds:.3g}" + (f" ± {group.error:.2g}" if group.error else "")
    return (*counts, each, sized(group.stored), sized(group.shown))


def sized(size: float) -> str:
    """Bytes, to three digits.

    >>> sized(512), sized(51_234), sized(2.5e9)
    ('512 B', '51.2 kB', '2.5 GB')
    """
    power = min(4, max(0, math.floor(math.log10(max(size, 1)) / 3)))
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def lasting(seconds: float) -> str:
    """A time as people say it.

    >>> lasting(4.2), lasting(300), lasting(40_000)
    ('4.2 s', '5 min', '11.1 h')
    """
    for size, unit in ((172_800, "d"), (7200, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / {'d': 86_400, 'h': 3600, 'min': 60}[unit]:.3g} {unit}"
    return f"{seconds:.{0 if seconds >= 10 else 1}f} s"


def spread(things: Sequence[One], count: int) -> list[One]:
    """So many of them, at equal distances; all, where there are no more.

    >>> spread("abcdefgh", 3)
    ['a', 'c', 'f']
    """
    count = min(count, len(things))
    return [things[number * len(things) // count] for number in range(count)]
