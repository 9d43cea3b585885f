"""Where figures are computed.

A runner gets jobs and a function that computes one, and saves each artifact as soon as it has it, so
that whatever stops it loses only what was under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from generator.artifact import Artifact
from generator.model import advice
from generator.progress import Display
from generator.spec import BuildError, Job

Compute = Callable[[Job], Artifact]
Save = Callable[[Job, Artifact], None]


def here(jobs: Sequence[Job], compute: Compute, save: Save, display: Display) -> dict[str, BuildError]:
    """One after another in this process. A job that fails is told at the end, by its key; the others are computed."""
    errors = {}
    display.begin(len(jobs))
    for job in jobs:
        display.start(job.id)
        start, error = time.perf_counter(), None
        try:
            save(job, compute(job))
        except BuildError as problem:
            error = problem.of(f"figure {job.id}", job.place)
        except Exception as problem:  # the author's network may raise anything; the other figures go on
            error = BuildError(f"figure {job.id}: {type(problem).__name__}: {advice(problem)}", job.place)
            error.__cause__ = problem
        if error:
            errors[job.key] = error
        display.finish(job.id, time.perf_counter() - start, str(error or ""))
    return errors
