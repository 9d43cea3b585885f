"""Content -> jobs -> artifacts -> pages: the order of a build, and what a build does not do again."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from generator import builds, code_lists, standing
from generator.artifact import ArtifactStore, Course, Measures
from generator.at_hand import AtHand
from generator.builds import Build, wanted
from generator.claims import Verdict, judged
from generator.computing import Worksite
from generator.deferred import Deferred
from generator.glance import Grounds
from generator.jobs import files_of, make_job
from generator.library import Library
from generator.obtained import Obtained
from generator.plan import Plan, make_plan
from generator.progress import Display, Quiet
from generator.runners import ALONE, RUNNERS, Crew, Work
from generator.site_folder import write_site
from generator.spec import BuildError, BuildErrors, Changed, DiskFull, Job, Place, nearest, shown
from generator.themes import theme_folders
from generator.unchanged import drop_changed
from generator.weights import AS_THEY_ARE, Sight

if TYPE_CHECKING:
    import torch

    from generator import unit_pages
else:
    torch = Deferred("torch")
    unit_pages = Deferred("generator.unit_pages")  # a site of text alone does not need it


@dataclass(frozen=True)
class Outcome:
    """What a build did."""

    computed: int
    reused: int
    written: int
    removed: int
    broken: tuple[str, ...]  # ids of claims that do not hold
    pages: int
    gaps: tuple[str, ...] = ()  # checkpoints that are left out of timelines, and why
    deprecations: tuple[str, ...] = ()  # what is written in a way that goes, and what to write instead
    failed: Mapping[str, BuildError] = field(default_factory=dict)  # figures that the site marks as failed, by key
    lingering: frozenset[str] = frozenset()  # files that no page refers to any more, and that stay until the next build
    themes: tuple[str, ...] = ()  # the folders of its page templates
    grounds: Grounds | None = None  # what a glance at it must look at besides, None where a glance cannot tell

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is said of a site though it was built."""
        return tuple(f"warning: {one}" for one in (*self.gaps, *self.deprecations))

    @property
    def failures(self) -> tuple[str, ...]:
        """What is said of the figures that failed, each cause once."""
        return tuple(f"error: {error}" for error in BuildErrors(self.failed.values()).errors)


@dataclass(frozen=True)
class Stage:
    """What a build that is one of many is told.

    into: the folder that is written in place of `out`, which it will be shown as. sight: which checkpoints there are.
    spared: files of `out` that stay though no page refers to them; lingering: those that do so already. base_url: where
    the site will be published, if not where site.toml says. crew: who computes. keep_going: a site is written though
    figures failed, and shows them so. failed: figures that are known to, by key, and are not tried again. noted: it is
    told what a glance at the site must look at.
    """

    into: Path | None = None
    sight: Sight = AS_THEY_ARE
    spared: frozenset[str] = frozenset()
    lingering: frozenset[str] = frozenset()
    base_url: str | None = None
    crew: Crew = ALONE
    keep_going: bool = False
    failed: Mapping[str, BuildError] = field(default_factory=dict)
    noted: bool = False


def build(
    content: Path,
    out: Path,
    store: ArtifactStore,
    display: Display | None = None,
    drafts: bool = False,
    again: Sequence[str] = (),
    stage: Stage | None = None,
) -> Outcome:
    """Bring `out` up to date with `content`. BuildErrors of all that is wrong; then `out` is as it was.

    What is wrong with what is written is told before anything is computed; a figure that fails, after all others were.

    Figures whose ids are in `again` are computed though their artifacts are kept. `stage`: what is different where the
    build is one of many.
    """
    stage = stage or Stage()
    display = display or Quiet()
    store.sweep()
    failing: dict[str, BuildError] = {}  # models that could not be trained
    with store.noting() as needed:
        asked = make_plan(content, store, display, drafts, not stage.keep_going, stage.sight, stage.base_url)
        plan = with_units(asked, display, failing if stage.keep_going else None)

    def origin() -> str | None:
        return None if failing else origin_of(plan, out)

    this = Build(str(content.resolve()), wanted(plan, needed))
    builds.note(store, this)
    ids = {id for _, id in plan.jobs}
    for id in again:
        if id not in ids:
            raise BuildError(f"no figure {id!r}{nearest(id, ids)}")
    anew = {one.key for (_, id), job in plan.jobs.items() if id in again for one in job.all()}
    themes = tuple(theme_folders(plan.site.theme))
    made_of = origin()
    if made_of and not anew and (before := standing.recall(store, made_of, out, stage.lingering)):
        kept = {one.key for job in plan.jobs.values() for one in job.all()}
        builds.note(store, replace(this, standing=made_of, finished=True))
        return Outcome(
            computed=0,
            reused=len(kept),
            written=0,
            removed=0,
            broken=tuple(before.broken),
            pages=before.pages,
            deprecations=tuple(plan.deprecations),
            lingering=stage.lingering,
            themes=themes,
            grounds=standing.grounds(plan, this.wants) if stage.noted else None,
        )
    found = obtain(plan, plan.jobs.values(), store, display, anew, stage.crew, stage.failed)
    if not stage.keep_going:
        found.require(plan.jobs.values())
    found = replace(found, failed={**found.failed, **failing})
    gaps = found.gaps(plan.jobs.values())
    if found.computed:
        made_of = origin()
    into = stage.into or out
    done = write_site(plan, found, into, stage.spared)
    stands = made_of if made_of == origin() else None  # a template was edited meanwhile
    if stands:
        standing.keep(store, stands, into, done.broken, done.pages, done.lingering)
    builds.note(store, replace(this, standing=stands, finished=True))
    return Outcome(
        computed=len(found.computed),
        reused=len(found.artifacts) - len(found.computed),
        written=done.written,
        removed=done.removed,
        broken=done.broken,
        pages=done.pages,
        gaps=gaps,
        deprecations=tuple(plan.deprecations),
        failed={**found.failures(plan.jobs.values()), **failing},
        lingering=done.lingering,
        themes=themes,
        grounds=standing.grounds(plan, this.wants) if stage.noted and (stands or standing.of_text(plan)) else None,
    )


def origin_of(plan: Plan, out: Path) -> str | None:
    """What tells the site that is planned for `out` from all others; None for one of text alone, see `glance`."""
    if standing.of_text(plan):
        return None
    return standing.origin(plan.site, plan.posts, plan.units, plan.jobs, plan.library, out)


def with_units(plan: Plan, display: Display, failing: dict[str, BuildError] | None = None) -> Plan:
    """The plan and the pages of units that it asks for. What layers a model has is known once it was loaded.

    failing: as of `train`.
    """
    if not plan.library.models:
        return plan
    train_quoted(plan, display, failing)
    train(unit_pages.models_of(plan.posts, plan.library), plan.library, display, failing)
    return joined(plan)


def with_known_units(plan: Plan) -> Plan:
    """The same where no model need be trained for it; else the plan as it is, without pages of units."""
    models = unit_pages.models_of(plan.posts, plan.library) if plan.library.models else set()
    return plan if any(map(plan.library.untaught, models)) else joined(plan)


def joined(plan: Plan) -> Plan:
    """The plan and the pages of units that it asks for."""
    units = unit_pages.unit_pages(plan.posts, plan.library, Place(shown(plan.library.root / "site.toml")))
    jobs = {(page.path, page.figure.id): make_job(page.figure, plan.library) for page in units}
    return replace(plan, jobs={**plan.jobs, **jobs}, units=units)


def check_claims(plan: Plan, store: ArtifactStore, display: Display, crew: Crew = ALONE) -> list[Verdict]:
    """The verdict of every claim; only the figures that claims name are computed.

    A claim whose figure or model fails is unknown.
    """
    named = {(post.path, claim.figure) for post in plan.posts for claim in post.claims}
    found = obtain(plan, [job for place, job in plan.jobs.items() if place in named], store, display, crew=crew)
    verdicts = []
    for post in plan.posts:
        for claim in post.claims:
            job = plan.jobs.get((post.path, claim.figure))
            verdicts.append(
                judged(claim, post.path, found.course(job) if job else trained(claim.figure, plan, display))
            )
    return verdicts


def trained(model: str, plan: Plan, display: Display) -> Course:
    """What a model measures at its checkpoints; it is trained for that if it must be."""
    try:
        train({model}, plan.library, display)
        return plan.library.course(model)
    except BuildError as error:
        return [(None, Measures(failure=error.message))]


def obtain(
    plan: Plan,
    jobs: Iterable[Job],
    store: ArtifactStore,
    display: Display,
    anew: Set[str] = frozenset(),
    crew: Crew = ALONE,
    known: Mapping[str, BuildError] = MappingProxyType({}),
) -> Obtained:
    """The artifacts of all jobs, computed by the crew where they are not kept; those `known` to fail are not tried."""
    wanted: dict[str, Job] = {}
    for job in jobs:
        for one in job.all():
            wanted.setdefault(one.key, one)  # called as the first figure that asks for it
    artifacts = AtHand(store)
    for key, job in wanted.items():
        if key not in anew and (artifact := store.get(key, named(job))) is not None:
            artifacts.add(key, artifact)
    failed = {key: known[key] for key in wanted if key in known and key not in artifacts}
    missing = [job for key, job in wanted.items() if key not in artifacts and key not in failed]

    def keep(job: Job) -> None:
        code_lists.keep(store, job.ingredients)
        # Read back, so that a page is the same whether its figures were computed now or yesterday, here or elsewhere.
        kept = store.get(job.key, named(job))
        if kept is None:
            raise BuildError(f"{named(job)} was kept, and is not in the store {shown(store.folder)}")
        artifacts.add(job.key, kept)

    files = {name: digest for job in missing for name, digest in files_of(job)}
    try:
        with closing(run(missing, plan, store, display, crew, anew)) as ended:
            for job, error in ended if missing else ():
                if error is None:
                    keep(job)
                elif isinstance(error, DiskFull):
                    raise error
                else:
                    failed[job.key] = error
    except BaseException:  # such as Ctrl-C: what was computed so far stays, if it is what its keys say
        drop_changed(plan.library, store, files)
        raise
    changed = [*drop_changed(plan.library, store, files), *(one for one in failed.values() if isinstance(one, Changed))]
    if changed:
        raise BuildErrors(changed)
    return Obtained(artifacts, {job.key for job in missing} - set(failed), failed)


def named(job: Job) -> str:
    """What messages call what is kept of a figure."""
    return f"the artifact of figure {job.id}"


def run(
    jobs: Sequence[Job], plan: Plan, store: ArtifactStore, display: Display, crew: Crew, anew: Set[str]
) -> Generator[tuple[Job, BuildError | None]]:
    """Each job when it is done, and its error, if it failed."""
    library = plan.library
    if crew.threads:
        torch.set_num_threads(crew.threads)
    site = Worksite(
        library.root.resolve(), library.settings, store.address, store.cache, library.sight, crew.share(jobs)
    )
    runner = import_module(RUNNERS[crew.runner])
    yield from runner.run(jobs, Work(library, store, site, crew, anew), display)


def train_quoted(plan: Plan, display: Display, failing: dict[str, BuildError] | None = None) -> None:
    """Train the models whose measures prose and claims state, where that is not done yet."""
    quoted = {name for post in plan.posts for name in post.quoted}
    train(quoted & set(plan.library.models), plan.library, display, failing)


def train(models: Set[str], library: Library, display: Display, failing: dict[str, BuildError] | None = None) -> None:
    """Train those of the models that are not trained yet.

    BuildError where one cannot be; with `failing`, by model, it is noted there instead, and the others are trained.
    """
    untaught = []
    for name in sorted(models):
        with noted(name, failing):
            untaught += [name] if library.untaught(name) else []
    if untaught:
        display.begin(len(untaught))
    for name in untaught:
        start = time.perf_counter()
        display.start(name)
        with noted(name, failing):
            library.model(name)
        display.finish(name, time.perf_counter() - start, str((failing or {}).get(name, "")))


@contextmanager
def noted(name: str, failing: dict[str, BuildError] | None) -> Iterator[None]:
    """Note what is wrong with a model; where it is not to be noted, it is raised."""
    try:
        yield
    except BuildError as error:
        if failing is None:
            raise
        failing[name] = error
