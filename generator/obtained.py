"""What computing the figures of a site gave: their artifacts, and why those are missing that are.

A timeline is shown without the checkpoints that cannot be; a figure that fails otherwise stops the build, unless that
is to go on and mark it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from generator.artifact import Artifact, Course, Measures
from generator.at_hand import AtHand
from generator.spec import BuildError, BuildErrors, Job, called

FIGURE = re.compile(r"figure [^:]+: ")  # how a message begins that names its figure, here the first that asked


@dataclass(frozen=True)
class Obtained:
    """artifacts: by key. computed: the keys of those that were computed now.

    failed: why others are missing, by key; and why models could not be trained, by name.
    """

    artifacts: AtHand
    computed: Set[str] = frozenset()
    failed: Mapping[str, BuildError] = field(default_factory=dict)

    def failures(self, jobs: Iterable[Job]) -> dict[str, BuildError]:
        """Why figures cannot be shown, by key, in the order of the pages; a timeline can be without a checkpoint."""
        needed = (one.key for job in jobs for one in parts(job).values())
        return {key: self.failed[key] for key in needed if key in self.failed}

    def require(self, jobs: Iterable[Job]) -> None:
        """BuildErrors of all that cannot be shown."""
        if failures := self.failures(jobs):
            raise BuildErrors(failures.values())

    def gaps(self, jobs: Iterable[Job]) -> tuple[str, ...]:
        """The checkpoints that are left out of timelines."""
        left_out = [one for job in jobs for one in job.earlier if one.key in self.failed]
        told = (f"{one.place}: left out of the timeline, {called(one.step)}: {self.why(one)}" for one in left_out)
        return tuple(dict.fromkeys(told))

    def why(self, job: Job) -> str:
        """Why a computation failed, without the name of its figure."""
        return FIGURE.sub("", self.failed[job.key].message, count=1)

    def account(self, job: Job) -> Artifact:
        """What computing measured, and how, without what it drew; an empty one of what failed."""
        return self.artifacts.accounts.get(job.key) or Artifact()

    def course(self, job: Job) -> Course:
        """What a figure measures at each of its checkpoints."""
        return [(one.step, self.measures(one)) for one in job.series()]

    def untrained(self, model: str) -> Course:
        """What is measured of a model that could not be trained; empty of any other."""
        return [(None, Measures(failure=self.failed[model].message))] if model in self.failed else []

    def measures(self, job: Job) -> Measures:
        """What one computation gave: its own, its control's as control.NAME, and its changes' as changes.NAME."""
        found = Measures(failure=next((self.why(one) for one in parts(job).values() if one.key in self.failed), ""))
        for prefix, one in parts(job).items():
            if part := self.artifacts.accounts.get(one.key):
                found.values.update({prefix + name: float(value) for name, value in part.measures.items()})
                found.intervals.update({prefix + name: ends for name, ends in part.intervals.items()})
        return found


def parts(job: Job) -> dict[str, Job]:
    """What a figure shows besides its earlier checkpoints, by what the names of its measures begin with."""
    every = {"": job, "control.": job.control, "changes.": job.changes}
    return {prefix: one for prefix, one in every.items() if one}
