"""One figure after another, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from generator.computing import attempt, computed
from generator.progress import Display
from generator.runners import Work
from generator.spec import BuildError, Job


def run(jobs: Sequence[Job], work: Work, display: Display) -> Iterator[tuple[Job, BuildError | None]]:
    yield from each(jobs, lambda job: work.store.put(job.key, computed(job, work.library, display.advance)), display)


def each(
    jobs: Sequence[Job], compute: Callable[[Job], object], display: Display
) -> Iterator[tuple[Job, BuildError | None]]:
    """A job that fails is told, and the others are computed."""
    display.begin(len(jobs))
    for job in jobs:
        display.start(job.id)
        start = time.perf_counter()
        error = attempt(job, compute)
        display.finish(job.id, time.perf_counter() - start, str(error or ""))
        yield job, error
