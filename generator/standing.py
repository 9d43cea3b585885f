"""Whether the site that stands in a folder is what a build would write there: then nothing is rendered.

What was written is kept in the store, under a digest of all that it was made of. A forgotten ingredient would leave
yesterday's page under today's date, so things are taken whole: all that was planned, the bytes of the figures'
artifacts, of all templates and of all our code, and what is told of the models.

That needs a plan, which of ten thousand figures takes seconds. So a build also tells what a `glance` must look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator import known_code
from generator.artifact import Artifact, ArtifactStore, digest
from generator.figures import KINDS
from generator.files import digests_below
from generator.glance import Grounds
from generator.jobs import files_of
from generator.kept_pages import common
from generator.key import code_digest
from generator.library import Library
from generator.plan import Plan
from generator.publish import model_row
from generator.settings import read_settings
from generator.spec import Job, Post, Site, UnitPage, shown
from generator.trust import leads_out


@dataclass(frozen=True)
class Standing:
    """A site as it was written: the digests of its files by path, and None for folders."""

    files: Mapping[str, str | None]
    broken: Sequence[str]  # ids of claims that do not hold
    pages: int


def origin(
    site: Site,
    posts: Sequence[Post],
    units: Sequence[UnitPage],
    jobs: Mapping[tuple[str, str], Job],
    library: Library,
    out: Path,
) -> str | None:
    """Digest of all that a site's files are made of, and of their place; None where a figure is yet to be computed.

    The place, because `report.json` says of which figures the build that first wrote it there computed them.
    """
    keys = {one.key for job in jobs.values() for one in job.all()}
    if not all(map(library.store.has, keys)):
        return None
    quoted = {name for post in posts for name in post.quoted} & set(library.models)
    named = {job.options.model for job in jobs.values()} | quoted
    made_of = {
        "place": str(out.resolve()),
        "plan": repr((site, posts, units, jobs)),
        "artifacts": {key: library.store.mark(key) for key in keys},
        "models": {name: model_row(name, library) for name in library.models if name in named},
        "courses": {name: repr(library.course(name)) for name in quoted},
        "common": common(site.theme),
    }
    return digest(made_of)


def of_text(plan: Plan) -> bool:
    """Whether a site has neither models nor data."""
    return not plan.library.models and not plan.library.datasets


def grounds(plan: Plan, keys: Iterable[str]) -> Grounds | None:
    """What a glance at a site must look at besides its folders; None where a glance cannot tell whether it stands.

    keys: what the build wanted of the store. A glance looks at none that others share, at no files outside of the
    content folder, and at no code that figures name: its author may have it anywhere.
    """
    library = plan.library
    if of_text(plan):
        return Grounds()
    every = [one for job in plan.jobs.values() for one in job.all()]
    if type(library.store) is not ArtifactStore or any("functions" in job.ingredients for job in every):
        return None
    if any(leads_out(name) for job in every for name, _ in files_of(job)):
        return None
    kinds = sorted({job.kind for job in every} - set(KINDS.ours))
    return Grounds(state_of(library, kinds), [str(library.store.path(key)) for key in keys], kinds)


def state_at(content: Path, store: Path, kinds: Sequence[str]) -> str:
    """What the models and data sets of a site are now, and some kinds of figures."""
    kept = ArtifactStore(store)
    known_code.recall(kept)
    return state_of(Library(read_settings(content, shown(content / "site.toml")), content, kept), kinds)


def state_of(library: Library, kinds: Sequence[str]) -> str:
    """What models and data sets are, by all that decides it, of models at all checkpoints; and the code of kinds."""

    def model(name: str) -> Any:
        series = [(one.name, one.digest(), one.card()) for one in library.series(name)]
        return library.fingerprint(name), series

    def dataset(name: str) -> Any:
        return library.missing(name) or library.data_fingerprint(name)

    found: dict[str, Any] = {f"kind {name}": code_digest(KINDS[name]) for name in kinds}
    for what, ask in ((library.models, model), (library.datasets, dataset)):
        for name in what:
            try:
                found[f"{what is library.models} {name}"] = ask(name)
            except Exception as error:  # a row that no figure needs may be wrong in any way
                found[f"{what is library.models} {name}"] = str(error)
    return digest([found, [str(error) for error in library.errors]])


def recall(store: ArtifactStore, made_of: str, out: Path, lingering: Set[str] = frozenset()) -> Standing | None:
    """The site in `out`, if it is, to the byte, what was written when that was made of the same; else None.

    Files that are known to linger there, though no page refers to them, are passed over.
    """
    kept = store.get(made_of, "what is known of the pages that stand")
    if kept is None or kept.data["files"] != shown_files(out, lingering):
        return None
    return Standing(**kept.data)


def shown_files(out: Path, lingering: Set[str]) -> dict[str, str | None]:
    """Digests of the files of a site by their paths in it, less those that linger."""
    return {name: digest for name, digest in digests_below(out, hidden=False).items() if name not in lingering}


def keep(
    store: ArtifactStore, made_of: str, out: Path, broken: Sequence[str], pages: int, lingering: Set[str] = frozenset()
) -> None:
    """Note what was written to `out`, less what lingers there."""
    standing = Standing(shown_files(out, lingering), broken, pages)
    store.put(made_of, Artifact(data=asdict(standing)))
