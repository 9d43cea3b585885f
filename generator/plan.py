"""A site as its author asks for it: its posts, and the job of every figure.

Nothing is computed here; a model is loaded only to tell of a layer or class that it has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator import known_code, plugins
from generator.artifact import ArtifactStore, Borrowed
from generator.computing import unknown_names
from generator.jobs import data_of, make_job
from generator.kept_posts import KeptPosts
from generator.library import Library
from generator.progress import Display
from generator.render import GENERATED
from generator.settings import line_of, read_settings
from generator.slugs import tag_path
from generator.spec import (
    UNIT_PAGES,
    BuildError,
    BuildErrors,
    Claim,
    FigureSpec,
    Job,
    Post,
    Site,
    UnitPage,
    Value,
    nearest,
    shown,
)
from generator.themes import ours, shipped
from generator.trust import REFUSED, distrusted
from generator.weights import AS_THEY_ARE, Sight


@dataclass(frozen=True)
class Plan:
    """A site as its author asks for it: its posts, the pages of units, and every figure's job, by (page, figure id).

    deprecations: what is written in a way that goes, with file and line, and what to write instead.
    """

    library: Library
    site: Site
    posts: Sequence[Post]
    jobs: Mapping[tuple[str, str], Job]
    units: Sequence[UnitPage] = ()
    deprecations: Sequence[str] = ()


def make_plan(
    content: Path,
    store: ArtifactStore,
    display: Display,
    drafts: bool = False,
    loading: bool = True,
    sight: Sight = AS_THEY_ARE,
    base_url: str | None = None,
) -> Plan:
    """Read everything and name every artifact. BuildErrors of all mistakes together.

    base_url: where the site will be published, if not where site.toml says.
    A model is loaded only to tell of wrong names in a figure that must be computed, and not if `loading` is false.
    """
    toml = shown(content / "site.toml")
    settings = read_settings(content, toml)
    if settings.models or settings.datasets:  # nothing else has a key that our code is part of
        known_code.recall(store)
    errors: list[BuildError] = []

    def training(what: str, done: int, total: int) -> None:
        display.advance(done, total, what)

    library = Library(settings, content, store, training, sight)
    wrong = [error.message for error in library.errors]  # each begins with its key
    text = (content / "site.toml").read_text("utf-8") if wrong or library.deprecations else ""
    errors += [BuildError(message, line_of(text, message.partition(":")[0], toml)) for message in wrong]
    deprecations = [f"{line_of(text, one.partition(':')[0], toml)}: {one}" for one in library.deprecations]
    posts, kept = [], KeptPosts(store.folder, content)
    paths = sorted([*content.glob("posts/**/*.md"), *content.glob("pages/**/*.md")])
    for post in kept.posts(paths):
        if isinstance(post, BuildErrors):
            errors += post.errors
        elif isinstance(post, BuildError):
            errors.append(post)
        elif drafts or not post.draft:
            posts.append(post)
    if not isinstance(store, Borrowed):
        kept.keep(paths)
    jobs: dict[tuple[str, str], Job] = {}
    resolved = []
    for post in posts:
        figures = []
        told = {claim.figure for claim in post.claims if claim.history}
        for spec in post.figures:
            if spec.options.model in library.wrong:
                continue  # told where its row is
            try:
                spec = at_hand(spec, library)
                jobs[post.path, spec.id] = make_job(spec, library, spec.id in told)
            except BuildError as error:
                errors.append(error if error.place else error.of(f"figure {spec.id}", spec.place))
            figures.append(spec)
        resolved.append(replace(post, figures=tuple(figures)))
        errors += unknown_references(post, library)
    errors += same_paths(posts)
    if not posts and not errors:
        errors.append(BuildError(f"there is no post in {shown(content / 'posts')}; write one as NAME.md"))
    for job in jobs.values() if loading else ():
        errors += unknown_at_once(job, library, store)
    if errors:
        raise BuildErrors(errors)
    theme = theme_called(settings.theme, content, toml) if settings.theme else ""
    address = settings.base_url if base_url is None else base_url
    site = Site(settings.title, settings.description, settings.author, address.rstrip("/"), settings.language)
    deprecations += [one for post in posts for one in post.deprecations]
    return Plan(library, replace(site, theme=theme), resolved, jobs, deprecations=deprecations)


def theme_called(name: str, content: Path, toml: str) -> str:
    """The folder of a theme: one in the content folder, or one that comes with us. BuildError where there is none."""
    if (content / name).is_dir() and not distrusted():
        return str(content / name)
    if name in shipped():
        return str(ours() / name)
    if name in plugins.themes():
        return plugins.themes()[name]
    place = line_of((content / "site.toml").read_text("utf-8"), "theme", toml)
    if distrusted():
        known = " and ".join(shipped())
        raise BuildError(f"theme: {name!r} is none of ours, {REFUSED}: page templates run code; ours: {known}", place)
    near = [*shipped(), *plugins.themes(), *(path.name for path in content.iterdir() if path.is_dir())]
    raise BuildError(f"theme: there is no folder {name!r} in {shown(content)}{nearest(name, near)}", place)


def same_paths(posts: Sequence[Post]) -> Iterable[BuildError]:
    """Posts and tags whose pages would overwrite each other, or a page that every site has."""
    taken = dict.fromkeys(GENERATED, "every site")
    for post in posts:
        if post.path.startswith(f"{UNIT_PAGES}/"):
            yield BuildError(f"its page {post.path} would lie among those of units; rename the folder", post.place)
        place = post.path.casefold()  # some file systems do not tell capitals apart
        if place in taken:
            yield BuildError(f"its page {post.path} is also that of {taken[place]}; rename one", post.place)
        taken.setdefault(place, post.place.file)
    tags: dict[str, str] = {}
    for post in posts:
        for tag in post.tags:
            other = tags.setdefault(tag_path(tag), tag)
            if other != tag:
                yield BuildError(f"the tags {other!r} and {tag!r} would share a page; write them alike", post.place)


def at_hand(spec: FigureSpec, library: Library) -> FigureSpec:
    """The figure with its `otherwise` in force where the data that it asks for is not on this machine."""
    for field, name in data_of(spec.options, library):
        if name not in library.datasets:
            raise BuildError(f"figure {spec.id}: no data set {name!r}{nearest(name, library.datasets)}", spec.at(field))
        reason = library.missing(name)
        if reason and spec.otherwise is None:
            raise BuildError(
                f"figure {spec.id}: data set {name}: {reason} (or write `otherwise`, options for where it is not here)",
                spec.at(field),
            )
        if reason and spec.otherwise is not None:
            return at_hand(
                replace(
                    spec, options=spec.otherwise, otherwise=None, absent=f"data set {name} is not at hand ({reason})"
                ),
                library,
            )
    return spec


def unknown_references(post: Post, library: Library) -> Iterable[BuildError]:
    """Values, claims and cross-references that point to nothing."""
    figures = {figure.id for figure in post.figures}
    anchors = figures | {claim.id for claim in post.claims}
    if not anchors.issuperset(anchor for anchor, _ in post.references):
        anchors |= set(re.findall(r'\bid="([^"]+)"', post.body))
    for anchor, place in post.references:
        if anchor not in anchors:
            yield BuildError(f"[](#{anchor}) points to nothing{nearest(anchor, anchors)}", place)
    quoting: tuple[Value | Claim, ...] = (*post.values, *post.claims)
    for one in quoting:
        if one.figure not in figures and one.figure not in library.models:
            yield BuildError(
                f"no figure or model {one.figure!r}{nearest(one.figure, figures | set(library.models))}", one.place
            )


def unknown_at_once(job: Job, library: Library, store: ArtifactStore) -> Iterable[BuildError]:
    """Its `unknown_names`, where it must be computed and the model need not be trained first."""
    if not store.has(job.key) and not (job.options.model and library.untaught(job.options.model)):
        yield from unknown_names(job, library)
