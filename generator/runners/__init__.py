"""Where figures are computed, by name. A runner is given jobs, and gives each back when it is done or has failed.

A runner's module has `run(jobs, work, display)`, which yields (job, error or None) in the order in which jobs end; by
then the artifact is in the store. So whatever stops it loses only what was under way.
"""

from __future__ import annotations

from collections.abc import Set, Sized
from dataclasses import dataclass

from generator.artifact import ArtifactStore
from generator.computing import Worksite
from generator.library import Library
from generator.machine import cores
from generator.spec import Job

RUNNERS = {
    "here": "generator.runners.here",
    "local": "generator.runners.local",
    "dask": "generator.runners.dask",
}


@dataclass(frozen=True)
class Crew:
    """How many workers there are, and what they may use.

    workers: processes, 0 for as many as there are cores. threads: of each, 0 for a fair share. scheduler: address of
    one of Dask's, "" for workers of this machine.
    """

    runner: str = "here"
    workers: int = 0
    threads: int = 0
    scheduler: str = ""

    def share(self, jobs: Sized) -> int:
        """The threads of each worker."""
        workers = min(self.workers or cores(), len(jobs)) if self.runner != "here" else 1
        return self.threads or max(1, cores() // max(workers, 1))


ALONE = Crew()


@dataclass(frozen=True)
class Work:
    """The site that figures are computed for: its library here, and what workers elsewhere are told of it.

    anew: keys of what is computed though it is kept.
    """

    library: Library
    store: ArtifactStore
    site: Worksite
    crew: Crew
    anew: Set[str] = frozenset()

    def finished(self, job: Job) -> bool:
        """Whether a job whose worker died had been done by then."""
        return job.key not in self.anew and self.store.whole(job.key)
