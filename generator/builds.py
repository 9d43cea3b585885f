"""What builds wanted of a store, so that what none wants any more can be told from what is kept for a reason.

A small file for each distinct build, in the store's folder `builds`, written whole: the keys of its figures, of the
weights that it trains, and of all that else its plan needs. What a figure needed to be computed stands in the figure's
own artifact. Builds of one content folder are numbered, so that the clock tells nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from generator.artifact import ArtifactStore, digest
from generator.files import write_whole
from generator.library import Library
from generator.plan import Plan
from generator.spec import BuildError, shown

FOLDER = "builds"
NAME = re.compile(r"(?P<site>[0-9a-f]{16})-(?P<number>\d+)-(?P<what>[0-9a-f]{16})\.json")


@dataclass(frozen=True)
class Build:
    """content: the folder, where it lay. wants: keys, sorted. standing: that of the site as it was written last.

    finished: whether it came to its end; one that was stopped will be gone on with.
    """

    content: str
    wants: tuple[str, ...]
    standing: str | None = None
    finished: bool = False


def note(store: ArtifactStore, build: Build) -> None:
    """Keep a build as the last one of its content folder; where it is that already, nothing is written."""
    site, what = digest(build.content)[:16], digest(build.wants)[:16]
    rows = [(number, path, other) for number, path, other in listed(store) if path.name.startswith(f"{site}-")]
    number, path, last = rows[-1] if rows else (0, None, None)
    if path is not None and last == what:
        before = read(path)
        if before == build or (before is not None and before.finished and not build.finished):
            return
    else:
        path = store.folder / FOLDER / f"{site}-{number + 1:06d}-{what}.json"
    write_whole(path, (json.dumps(asdict(build), indent=1) + "\n").encode())
    for _, older, other in rows if build.finished else ():
        if other == what and older != path:
            older.unlink(missing_ok=True)


def listed(store: ArtifactStore) -> list[tuple[int, Path, str]]:
    """(number, file, digest of what it wanted) of each build, those of one content folder in order."""
    names = [(NAME.fullmatch(path.name), path) for path in sorted((store.folder / FOLDER).glob("*.json"))]
    return sorted((int(match["number"]), path, match["what"]) for match, path in names if match)


def read(path: Path) -> Build | None:
    """None where the file is damaged: its name tells the digest of what was wanted."""
    try:
        found = json.loads(path.read_bytes())
        build = Build(found["content"], tuple(found["wants"]), found["standing"], found["finished"])
    except Exception:  # damage shows as anything
        return None
    return build if path.stem.endswith(digest(build.wants)[:16]) else None


def by_content(store: ArtifactStore) -> Mapping[str, list[tuple[Path, Build]]]:
    """The builds of each content folder, the last one last. BuildError where one is damaged."""
    found: dict[str, list[tuple[Path, Build]]] = {}
    for _, path, _ in listed(store):
        build = read(path)
        if build is None:
            raise BuildError(
                f"{shown(path)} is damaged, so what that build wanted is not known; build again, else remove it"
            )
        found.setdefault(build.content, []).append((path, build))
    return found


def wanted(plan: Plan, needed: Iterable[str]) -> tuple[str, ...]:
    """The keys that a build of this plan wants, besides those that its plan `needed`."""
    found = {one.key for job in plan.jobs.values() for one in job.all()} | set(needed)
    used = {job.options.model for job in plan.jobs.values() if job.options.model}
    used |= {name for job in plan.jobs.values() for name in getattr(job.options, "models", ())}
    used |= {name for post in plan.posts for name in post.quoted} & set(plan.library.models)
    for name in sorted(used | set(plan.library.variants)):
        if plan.library.checkpoint(name) is None:
            found |= of_training(name, plan.library)
    return tuple(sorted(found))


def of_training(name: str, library: Library) -> set[str]:
    """The keys of the weights that a build trains, and of a training that is under way; none where data is missing."""
    found: set[str] = set()
    if library.trains(name):
        with suppress(BuildError):
            found.add(library.desk(name).key)
            found |= {library.weights_key(name) or ""} - {""}
    return found
