"""Whether what a store keeps is what computing gives: kept artifacts are made again and held against what was kept.

Nothing is written, neither to the store nor to the site. What several figures share is made again, too; the weights
that a build trained, and how the machine runs fastest, are taken as they are kept.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from generator.artifact import Artifact, ArtifactStore, Borrowed, packed, unpacked
from generator.calling import full_name
from generator.computing import computed
from generator.explain import differences, value
from generator.pipeline import with_known_units
from generator.plan import make_plan
from generator.progress import Display
from generator.runners.here import each
from generator.spec import BuildErrors, Job


@dataclass(frozen=True)
class Verified:
    """names: the figures that were made again. of: how many artifacts of the site are kept.

    differing: what differs from what was kept, by the figure, or the key of what several figures share.
    """

    names: tuple[str, ...]
    of: int
    seed: int
    differing: Mapping[str, tuple[str, ...]]

    def lines(self) -> Iterator[str]:
        """The same for people."""
        for name in self.names:
            yield f"{'differs' if name in self.differing else 'equal':9}{name}"
        for name, found in self.differing.items():
            yield "\n  ".join([f"{name}:", *found])
        end = f"{len(self.differing)} differ" if self.differing else "all are what was kept, to the bit"
        yield f"{len(self.names)} of {self.of} kept figures computed again (seed {self.seed}): {end}"


def verify(
    content: Path, kept: ArtifactStore, count: int | None, seed: int, display: Display, drafts: bool = False
) -> Verified:
    """Make `count` of the site's kept artifacts again, chosen by the seed; all of them if it is None.

    BuildErrors of those that fail.
    """
    store = Borrowed(kept)
    plan = with_known_units(make_plan(content, store, display, drafts, loading=False))
    names: dict[str, str] = {}
    jobs: dict[str, Job] = {}
    for place, job in plan.jobs.items():
        for one in job.all():
            if kept.get(one.key) is not None and one.key not in jobs:
                jobs[one.key] = one
                part = one.id.removeprefix(job.id)  # such as " (control)" or " at step 500"
                names[one.key] = full_name(place, plan.posts, plan.library.root) + part
    keys = sorted(jobs)
    chosen = keys if count is None else random.Random(seed).sample(keys, min(count, len(keys)))
    again = {key for one in chosen for key in kept.provenance(one).get("needs", ())}
    differing: dict[str, tuple[str, ...]] = {}

    def hold(job: Job) -> None:
        artifact = computed(job, plan.library, display.advance, again)
        before = kept.get(job.key)
        assert before is not None
        found = list(differs(before, unpacked(packed(artifact))))
        threads = [one.provenance.get("threads") for one in (before, artifact)]
        if found and threads[0] != threads[1]:
            found.append(f"it was computed with {threads[0]} threads, and now with {threads[1]}")
        if found:
            differing[names[job.key]] = tuple(found)

    ended = list(each([jobs[key] for key in chosen], hold, display))
    if errors := [error for _, error in ended if error is not None]:
        raise BuildErrors(errors)
    for key in sorted(store.own):
        before, now = kept.get(key), store.get(key)
        if before is not None and now is not None and (found := tuple(differs(before, now))):
            differing[f"{before.provenance.get('ingredients', {}).get('what', 'artifact')} {key[:7]}"] = found
    return Verified(tuple(names[key] for key in chosen), len(keys), seed, differing)


def differs(kept: Artifact, now: Artifact) -> Iterator[str]:
    """In words, what is not the same to the bit in two artifacts, but for how they were made."""
    for name in sorted({*kept.arrays, *now.arrays}):
        if name not in kept.arrays or name not in now.arrays:
            yield f"array {name}: only in what {'was kept' if name in kept.arrays else 'is computed now'}"
        else:
            yield from of_arrays(name, kept.arrays[name], now.arrays[name])
    for what in ("data", "measures", "intervals"):
        yield from of_values(what, getattr(kept, what), getattr(now, what))


def of_arrays(name: str, kept: np.ndarray[Any, Any], now: np.ndarray[Any, Any]) -> Iterator[str]:
    if (kept.dtype, kept.shape) != (now.dtype, now.shape):
        yield f"array {name}: {kept.dtype} {kept.shape} kept, {now.dtype} {now.shape} computed"
    elif kept.tobytes() != now.tobytes():
        if not np.issubdtype(kept.dtype, np.number) and kept.dtype != np.bool_:
            yield f"array {name}: {np.count_nonzero(kept != now)} of {kept.size} values"
            return
        apart = np.abs(kept.astype(np.complex128) - now.astype(np.complex128))
        largest = float(np.nanmax(apart)) if not np.isnan(apart).all() else math.nan
        count = np.count_nonzero((kept != now) & ~(np.isnan(apart) & (kept != kept) & (now != now)))
        yield f"array {name}: {count} of {kept.size} values, by at most {largest:.3g}"


def of_values(what: str, kept: Any, now: Any) -> Iterator[str]:
    """Of numbers the largest difference alone, and of all else the first."""
    numbers: list[tuple[float, str]] = []
    others: list[str] = []
    for path, one, other in differences(plain(kept), plain(now)):
        name = ".".join(path)
        if isinstance(one, int | float) and isinstance(other, int | float):
            numbers.append((abs(one - other), name))
        else:
            others.append(f"{name}: {value(one)} kept, {value(other)} computed")
    if numbers:
        largest, name = max(numbers)
        yield f"{what}: {len(numbers)} numbers, by at most {largest:.3g} ({name})"
    if others:
        more = f", and {len(others) - 1} others" if len(others) > 1 else ""
        yield f"{what}: {others[0]}{more}"


def plain(one: Any) -> Any:
    """As it is read back from JSON."""
    return json.loads(json.dumps(one))
