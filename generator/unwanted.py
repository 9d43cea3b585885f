"""What a store keeps that no build wants any more, told from what is wanted and removed; all, or what is too much.

Wanted is what the last builds of each content folder wanted (see `builds`), with all that was needed to compute it, and
the weights of the models that are in site.toml now, also those of a training that is under way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator import builds, code_lists
from generator.artifact import ArtifactStore
from generator.builds import Build
from generator.library import Library
from generator.lock import in_use
from generator.settings import read_settings
from generator.spec import BuildError, BuildErrors, counted, shown


@dataclass(frozen=True)
class Unwanted:
    """artifacts: the files to be removed. records: those of builds that are too long ago to count.

    kept: how many artifacts stay. excess: bytes by which the store is too large all the same.
    """

    artifacts: tuple[Path, ...]
    records: tuple[Path, ...]
    kept: int
    excess: int = 0

    @property
    def size(self) -> int:
        """Bytes of the artifacts."""
        return sum(map(size_of, self.artifacts))

    def remove(self) -> None:
        """The artifacts before the records, so that what is stopped midway can be gone on with."""
        for path in (*self.artifacts, *self.records):
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in self.artifacts}:
            if not any(folder.iterdir()):
                folder.rmdir()


def clean(content: Path, store: ArtifactStore, keep: int, under: int | None, dry: bool) -> Iterator[str]:
    """Remove what is unwanted, see below, and tell it; a `dry` run only tells.

    BuildErrors where site.toml is wrong, so that it is not known what its models want; BuildError where the store is in
    use, and where it stays larger than `under`.
    """
    toml = shown(content / "site.toml")
    library = Library(read_settings(content, toml), content, store)
    if library.errors:
        raise BuildErrors([BuildError(f"{toml}: {error.message}") for error in library.errors])
    with in_use(store.folder, alone=not dry, writing=not dry):
        found = unwanted(library, keep, under)
        count, size = len(found.artifacts), found.size
        if dry:
            yield from (f"{path} ({size_of(path):,} bytes)" for path in found.artifacts)
        else:
            found.remove()
    done = "would remove" if dry else "removed"
    yield f"{done} {counted(count, 'file')}, {size:,} bytes; {found.kept} are kept"
    if found.excess:
        raise BuildError(
            f"the store is {found.excess:,} bytes larger than --keep-under: what builds want stays; have fewer builds "
            "count by --keep, or allow for more"
        )


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where a build that is at work removed it meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def unwanted(library: Library, keep: int, under: int | None = None) -> Unwanted:
    """What nothing wants, where the last `keep` builds of each content folder count.

    under: bytes that the store may have; then only as much as that takes, and first what was wanted the longest ago.
    BuildError where the store knows of no finished build of this content folder, since then nothing would be wanted.
    """
    store, content = library.store, str(library.root.resolve())
    if "://" in store.address:
        reason = "other machines may want what this one does not know of; let the bucket's own rules remove what is old"
        raise BuildError(f"a store that machines share is not cleaned from one of them: {reason}")
    every = builds.by_content(store)
    if not any(build.finished for _, build in every.get(content, ())):
        raise BuildError(
            f"the store {shown(store.folder)} knows of no finished build of {shown(library.root)}, so it cannot tell "
            "what is wanted; run whatfires build first"
        )
    recent = [row for rows in every.values() for row in last(rows, keep)]
    wanted = {key for _, build in recent for key in keys_of(build)}
    for name in library.models:
        wanted |= builds.of_training(name, library)
    wanted = with_needs(wanted, store)
    found = sorted(path for path in store.folder.glob("[0-9a-f][0-9a-f]/*.npz") if path.parent.name == path.stem[:2])
    free = [path for path in found if path.stem not in wanted and not going_on(path.stem, library)]
    old = [row for rows in every.values() for row in rows if row not in recent]
    if under is None:
        return Unwanted(tuple(free), tuple(path for path, _ in old), len(found) - len(free))
    ages = ages_of(every.values(), store)
    # Files' times, which a clock may have told wrongly, decide among those alone that are as old by the builds.
    free.sort(key=lambda path: (-ages.get(path.stem, math.inf), path.stat().st_mtime, path.name))
    excess, artifacts = sum(size_of(path) for path in store.folder.rglob("*") if path.is_file()) - under, []
    for path in free:
        if excess > 0:
            artifacts.append(path)
            excess -= size_of(path)
    staying = {path.stem for path in free} - {path.stem for path in artifacts}
    records = tuple(path for path, build in old if staying.isdisjoint(keys_of(build)))
    excess -= sum(map(size_of, records))
    return Unwanted(tuple(artifacts), records, len(found) - len(artifacts), max(0, excess))


def keys_of(build: Build) -> Iterator[str]:
    """What a build wanted, and what it noted of its pages."""
    yield from build.wants
    if build.standing:
        yield build.standing


def ages_of(every: Iterable[list[tuple[Path, Build]]], store: ArtifactStore) -> dict[str, int]:
    """How many builds ago an artifact was wanted last, by its key, in the content folder where that is the fewest."""
    found: dict[str, int] = {}
    for rows in every:
        for age, (_, build) in enumerate(reversed(rows)):
            for key in with_needs(keys_of(build), store):
                found[key] = min(age, found.get(key, age))
    return found


def last(rows: list[tuple[Path, Build]], keep: int) -> list[tuple[Path, Build]]:
    """The last finished builds of a content folder, and those that were begun since the last of them."""
    finished = [row for row in rows if row[1].finished]
    chosen = finished[-keep:] if keep else []
    begun = rows[rows.index(finished[-1]) + 1 :] if finished else rows
    return chosen + begun


def with_needs(keys: Iterable[str], store: ArtifactStore) -> set[str]:
    """The keys, those of all that their artifacts needed to be computed, and of the lists of their code."""
    found: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        made = store.provenance(key)
        waiting += made.get("needs", ())
        found |= {code_lists.list_key(text) for text in code_lists.strings(made.get("ingredients", {}))}
    return found


def going_on(key: str, library: Library) -> bool:
    """Whether this is of an unfinished training of a model in site.toml whose data is not here to tell more."""
    name = library.store.provenance(key).get("unfinished")
    return name in library.models and not builds.of_training(name, library)
