"""What a build would cost: seconds and bytes of the figures that are missing, from some that were computed.

The model. Figures of one kind and one model take alike, s seconds in the mean of the sample, but for the first of a
worker, which takes l more: it loads the network and its data. w workers, each like the one that was measured, share the
n figures of every group, and none ends before the longest figure:

    T(w) = sum of l + max(longest s, sum of n s / w)

What is not in it: the start of the workers, a shared store's answers, and workers that share the cores of one machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from rich.filesize import decimal

from generator import downloads
from generator.artifact import Artifact, ArtifactStore
from generator.columns import columns
from generator.images import is_picture, webp
from generator.natural import spread
from generator.pipeline import obtain
from generator.plan import Plan
from generator.progress import Display
from generator.spec import Job, counted

HEADINGS = ("kind", "model", "kept", "to compute", "seconds each", "in the store", "in the site")
READ = 25  # kept figures of a group that are looked at; more would tell little more


@dataclass(frozen=True)
class Group:
    """Figures of one kind and one model: how many are kept and missing, and what one of them takes.

    seconds: the mean, None where none was measured, and its standard error. first: how much more the first takes of
    each worker, where that was measured. stored, shown: bytes in the store, and of the pictures and data beside the
    pages.
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
            groups.setdefault((one.kind, one.model or ""), {}).setdefault(one.key, one.alone())
    kept, chosen = {}, []
    for place, jobs in groups.items():
        kept[place] = {key for key in jobs if store.has(key)}
        missing = [job for key, job in jobs.items() if key not in kept[place]]
        chosen += [missing[number] for number in spread(len(missing), max(0, sample - len(kept[place])))]
    computed = obtain(plan, chosen, store, display).computed
    now = [job.key for job in chosen if job.key in computed]
    return Estimate([measured(place, jobs, kept[place], now, store) for place, jobs in groups.items()])


def measured(
    place: tuple[str, str], jobs: Mapping[str, Job], kept: Set[str], now: Iterable[str], store: ArtifactStore
) -> Group:
    """A group by those of its figures that the store has: `kept` before, and computed `now`, the first one first."""
    own = [key for key in now if key in jobs]
    there = [*own, *(key for key in jobs if key in kept)]
    found = [read for number in spread(len(there), READ) if (read := store.read(there[number]))]
    seconds = [float(artifact.provenance.get("seconds", 0.0)) for _, artifact in found]
    first, alike = (seconds[0], seconds[1:]) if own and len(seconds) > 1 else (0.0, seconds)
    mean = statistics.fmean(alike) if alike else None
    return Group(
        *place,
        kept=len(there),
        missing=len(jobs) - len(there),
        seconds=mean,
        error=statistics.stdev(alike) / len(alike) ** 0.5 if len(alike) > 1 else 0.0,
        first=max(0.0, first - (mean or 0.0)),
        stored=statistics.fmean(len(content) for content, _ in found) if found else 0.0,
        shown=statistics.fmean(in_site(artifact) for _, artifact in found) if found else 0.0,
    )


def in_site(artifact: Artifact) -> int:
    """Bytes of an artifact's pictures and data as readers get them."""
    pictures = sum(len(webp(array)) for array in artifact.arrays.values() if is_picture(array))
    return pictures + len(downloads.as_npz(artifact, drawn=False))


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
    yield f"The store grows by about {decimal(int(store))}, the site by {decimal(int(site))} beside its pages."
    for one in found.unknown:
        yield f"Not measured, and not in it: {counted(one.missing, 'figure')} of {one.kind}, {one.model or 'no model'}."


def cells(group: Group) -> Sequence[str]:
    """One row of the table."""
    counts = group.kind, group.model or "-", f"{group.kept:,}", f"{group.missing:,}"
    if group.seconds is None:
        return (*counts, "?", "?", "?")
    each = f"{group.seconds:.3g}" + (f" ± {group.error:.2g}" if group.error else "")
    return (*counts, each, decimal(int(group.stored)), decimal(int(group.shown)))


def lasting(seconds: float) -> str:
    """A time as people say it.

    >>> lasting(4.2), lasting(300), lasting(40_000)
    ('4.2 s', '5 min', '11.1 h')
    """
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.{0 if seconds >= 10 else 1}f} s"
