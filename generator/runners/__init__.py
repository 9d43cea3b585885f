"""Where figures are computed, by name. A runner is given jobs, and gives each back when it is done or has failed.

A runner's module has `run(jobs, work, display)`, which yields (job, error or None) in the order in which jobs end; by
then the artifact is in the store. So whatever stops it loses only what was under way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set, Sized
from dataclasses import dataclass
from itertools import chain

from generator.artifact import ArtifactStore
from generator.computing import Worksite
from generator.library import Library
from generator.machine import cores, gpus, memory
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


def largest(needs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Of each resource what the job needs that needs most of it."""
    found: dict[str, float] = {}
    for name, amount in chain.from_iterable(need.items() for need in needs):
        found[name] = max(amount, found.get(name, 0.0))
    return found


def capacity(needs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """What workers of this machine share: its GPUs and its memory, of other resources what the largest job needs.

    Never less than that, so that each job can be done; two that would need more together wait for each other.
    """
    there = {"GPU": gpus, "MEMORY": memory}
    return {name: max(amount, there[name]() if name in there else 0) for name, amount in largest(needs).items()}


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
