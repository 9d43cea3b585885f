"""Content -> jobs -> artifacts -> pages: the order of a build, and what a build does not do again."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator import known_code, standing
from generator.artifact import WRITING, Artifact, ArtifactStore, digest, file_digest, write_whole
from generator.callables import callable_digest
from generator.content import read_post
from generator.deferred import Deferred
from generator.figures import KINDS
from generator.inputs import Inputs
from generator.key import code_digest, versions
from generator.library import Library
from generator.progress import Display, Quiet
from generator.publish import feed, report, same_report
from generator.render import GENERATED, Site, Verdict, judged, measures_of, render_site, tag_path
from generator.runners import here
from generator.settings import line_of, read_settings
from generator.spec import (
    UNIT_PAGES,
    BuildError,
    BuildErrors,
    Claim,
    FigureOptions,
    FigureSpec,
    Job,
    Options,
    Place,
    Post,
    UnitPage,
    Value,
    nearest,
)
from generator.unit_pages import models_of, unit_pages

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

REPORT = "report.json"
CONTROL = 1001  # added to a figure's seed, so that its control starts as no other random network of the figure


@dataclass(frozen=True)
class Plan:
    """A site as its author asks for it: its posts, the pages of units, and every figure's job, by (page, figure id)."""

    library: Library
    site: Site
    posts: Sequence[Post]
    jobs: Mapping[tuple[str, str], Job]
    units: Sequence[UnitPage] = ()


@dataclass(frozen=True)
class Outcome:
    """What a build did."""

    computed: int
    reused: int
    written: int
    removed: int
    broken: tuple[str, ...]  # ids of claims that do not hold
    pages: int


def build(
    content: Path,
    out: Path,
    store: ArtifactStore,
    display: Display | None = None,
    drafts: bool = False,
    again: Sequence[str] = (),
) -> Outcome:
    """Bring `out` up to date with `content`. BuildErrors of all that is wrong; then `out` is as it was.

    Figures whose ids are in `again` are computed though their artifacts are kept.
    """
    display = display or Quiet()
    store.sweep()
    plan = with_units(make_plan(content, store, display, drafts), display)
    ids = {id for _, id in plan.jobs}
    for id in again:
        if id not in ids:
            raise BuildError(f"no figure {id!r}{nearest(id, ids)}")
    anew = {one.key for (_, id), job in plan.jobs.items() if id in again for one in job.all()}
    made_of = origin_of(plan, out)
    if made_of and not anew and (stands := standing.recall(store, made_of, out)):
        kept = {one.key for job in plan.jobs.values() for one in job.all()}
        return Outcome(0, len(kept), 0, 0, tuple(stands.broken), stands.pages)
    artifacts, missing = obtain(plan, plan.jobs.values(), store, display, anew)
    if missing:
        made_of = origin_of(plan, out)
    written, removed, broken, pages = write_site(plan, artifacts, missing, out)
    if made_of and made_of == origin_of(plan, out):  # not where a template was edited meanwhile
        standing.keep(store, made_of, out, broken, pages)
    return Outcome(len(missing), len(artifacts) - len(missing), written, removed, broken, pages)


def origin_of(plan: Plan, out: Path) -> str | None:
    """What tells the site that is planned for `out` from all others."""
    return standing.origin(plan.site, plan.posts, plan.units, plan.jobs, plan.library, out)


def with_units(plan: Plan, display: Display) -> Plan:
    """The plan and the pages of units that it asks for. What layers a model has is known once it was loaded."""
    train_quoted(plan, display)
    train(models_of(plan.posts, plan.library), plan.library, display)
    units = unit_pages(plan.posts, plan.library, Place(shown(plan.library.root / "site.toml")))
    jobs = {(page.path, page.figure.id): make_job(page.figure, plan.library) for page in units}
    return replace(plan, jobs={**plan.jobs, **jobs}, units=units)


def check_claims(plan: Plan, store: ArtifactStore, display: Display) -> list[Verdict]:
    """The verdict of every claim; only the figures that claims name are computed."""
    train_quoted(plan, display)
    named = {(post.path, claim.figure) for post in plan.posts for claim in post.claims}
    artifacts, _ = obtain(plan, [job for place, job in plan.jobs.items() if place in named], store, display)
    verdicts = []
    for post in plan.posts:
        for claim in post.claims:
            job = plan.jobs.get((post.path, claim.figure))
            measures = measures_of(job, artifacts) if job else plan.library.measures(claim.figure)
            verdicts.append(judged(claim, post.path, measures.get(claim.measure)))
    return verdicts


def obtain(
    plan: Plan, jobs: Iterable[Job], store: ArtifactStore, display: Display, anew: Set[str] = frozenset()
) -> tuple[dict[str, Artifact], set[str]]:
    """Artifacts of all jobs by key, and the keys of those that were computed now. BuildErrors of those that failed."""
    wanted: dict[str, Job] = {}
    for job in jobs:
        for one in job.all():
            wanted.setdefault(one.key, one)  # called as the first figure that asks for it
    artifacts = {key: artifact for key in wanted if key not in anew and (artifact := store.get(key)) is not None}
    missing = [job for key, job in wanted.items() if key not in artifacts]

    def compute(job: Job) -> Artifact:
        start = time.perf_counter()
        for error in unknown_names(job, plan.library):  # of a model that was trained only now
            raise error
        inputs = Inputs(plan.library, job.options.model, display.advance, job.random)
        artifact: Artifact = import_module(KINDS[job.kind]).compute(job.options, inputs)
        provenance = {
            "ingredients": job.ingredients,
            "seconds": round(time.perf_counter() - start, 1),
            "device": "cpu",
            # Not in the key, lest every machine compute anew; but sums in another order differ in their last digits.
            "threads": torch.get_num_threads(),
        }
        return replace(artifact, provenance=provenance)

    def save(job: Job, artifact: Artifact) -> None:
        store.put(job.key, artifact)
        # Read back, so that a page is the same whether its figures were computed now or yesterday.
        kept = store.get(job.key)
        assert kept is not None
        artifacts[job.key] = kept

    errors = here(missing, compute, save, display) if missing else []
    if errors:
        raise BuildErrors(errors)
    return artifacts, {job.key for job in missing}


def train_quoted(plan: Plan, display: Display) -> None:
    """Train the models whose measures prose and claims state, where that is not done yet."""
    quoted = {value.figure for post in plan.posts for value in post.values}
    quoted |= {claim.figure for post in plan.posts for claim in post.claims}
    train(quoted & set(plan.library.models), plan.library, display)


def train(models: Set[str], library: Library, display: Display) -> None:
    """Train those of the models that are not trained yet."""
    names = sorted(name for name in models if library.untaught(name))
    if names:
        display.begin(len(names))
    for name in names:
        start = time.perf_counter()
        display.start(name)
        library.model(name)
        display.finish(name, time.perf_counter() - start)


def same_paths(posts: Sequence[Post]) -> Iterable[BuildError]:
    """Posts and tags whose pages would overwrite each other, or a page that every site has."""
    taken = dict.fromkeys(GENERATED, "every site")
    for post in posts:
        if post.path.startswith(f"{UNIT_PAGES}/"):
            yield BuildError(f"its page {post.path} would lie among those of units; rename the folder", post.place)
        if post.path in taken:
            yield BuildError(f"its page {post.path} is also that of {taken[post.path]}; rename one", post.place)
        taken.setdefault(post.path, post.place.file)
    tags: dict[str, str] = {}
    for post in posts:
        for tag in post.tags:
            other = tags.setdefault(tag_path(tag), tag)
            if other != tag:
                yield BuildError(f"the tags {other!r} and {tag!r} would share a page; write them alike", post.place)


def make_plan(content: Path, store: ArtifactStore, display: Display, drafts: bool = False) -> Plan:
    """Read everything and name every artifact, without loading a model. BuildErrors of all mistakes together."""
    known_code.recall(store)
    toml = shown(content / "site.toml")
    settings = read_settings(content, toml)
    errors: list[BuildError] = []

    def training(what: str, done: int, total: int) -> None:
        display.advance(done, total, what)

    library = Library(settings, content, store, training)
    for error in library.errors:
        key = error.message.partition(":")[0]
        place = line_of((content / "site.toml").read_text("utf-8"), key, toml)
        errors.append(BuildError(error.message, place))
    posts = []
    for path in sorted([*content.glob("posts/**/*.md"), *content.glob("pages/**/*.md")]):
        try:
            post = read_post(path, content, shown(path))
        except BuildErrors as found:
            errors += found.errors
        except BuildError as found:
            errors.append(found)
        else:
            if drafts or not post.draft:
                posts.append(post)
    jobs: dict[tuple[str, str], Job] = {}
    resolved = []
    for post in posts:
        figures = []
        for spec in post.figures:
            try:
                spec = at_hand(spec, library)
                jobs[post.path, spec.id] = make_job(spec, library)
            except BuildError as error:
                errors.append(error if error.place else BuildError(f"figure {spec.id}: {error.message}", spec.place))
            figures.append(spec)
        resolved.append(replace(post, figures=tuple(figures)))
        errors += unknown_references(post, library)
    errors += same_paths(posts)
    if not posts and not errors:
        errors.append(BuildError(f"there is no post in {shown(content / 'posts')}; write one as NAME.md"))
    wanted = {job.key: job for job in jobs.values()}
    for job in wanted.values():
        if not store.has(job.key) and not (job.options.model and library.untaught(job.options.model)):
            errors += unknown_names(job, library)
    if errors:
        raise BuildErrors(errors)
    site = Site(settings.title, settings.description, settings.author, settings.base_url.rstrip("/"), settings.language)
    return Plan(library, replace(site, theme=str(content / settings.theme) if settings.theme else ""), resolved, jobs)


def shown(path: Path) -> str:
    """A path as messages show it: relative to where the build was started, if it lies below."""
    return os.path.relpath(path) if not os.path.relpath(path).startswith("..") else str(path)


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


def data_of(options: FigureOptions, library: Library) -> Iterable[tuple[str, str]]:
    """(option, data set) for all data that a figure reads, also to train networks of its own."""
    yield from names_in(options, "dataset")
    if options.varies_training and options.model in library.models:
        taught_on = library.taught_on(options.model)
        if taught_on is not None:
            yield "model", taught_on


def trainings(spec: FigureSpec, library: Library) -> list[dict[str, Any]]:
    """What decides each of the networks that a figure trains: its model's recipe with other values of a setting."""
    options: Any = spec.options
    key = "model"
    try:
        if not library.trains(options.model):
            raise BuildError(f"model {options.model} has no `train` recipe in site.toml, and so no settings to vary")
        found = []
        for number, value in enumerate(options.values):
            known = type(library.row(options.model).settings.train).model_fields
            key = f"values.{number}" if options.setting in known else "setting"
            found.append(library.fingerprint(library.variant(options.model, options.setting, value)))
        return found
    except BuildError as error:
        raise BuildError(f"figure {spec.id}: {error.message}", spec.at(key)) from error


def names_in(value: Any, field: str, path: str = "") -> Iterable[tuple[str, str]]:
    """(path, name) for every option called `field` that is set, at any depth."""
    if isinstance(value, Options):
        for key in type(value).model_fields:
            inner = getattr(value, key)
            here = f"{path}.{key}" if path else key
            if key == field and isinstance(inner, str):
                yield here, inner
            else:
                yield from names_in(inner, field, here)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from names_in(inner, field, f"{path}.{number}")


def make_job(spec: FigureSpec, library: Library) -> Job:
    """The key and all that it is made of. BuildError where the figure names a model that is not there."""
    model = spec.options.model
    if model in library.wrong:
        raise BuildError(f"figure {spec.id}: its model {model} is wrong in site.toml", spec.at("model"))
    if model is not None and model not in library.models:
        raise BuildError(f"figure {spec.id}: unknown model {model!r}{nearest(model, library.models)}", spec.at("model"))
    ingredients: dict[str, Any] = {
        "kind": spec.kind,
        "options": nameless(spec.options.model_dump(mode="json")),
        "code": code_digest(KINDS[spec.kind]),
        "versions": versions(),
    }
    if model is not None:
        ingredients["model"] = library.fingerprint(model)
    for number, name in enumerate(getattr(spec.options, "models", ())):
        if name not in library.models:
            place = spec.at(f"models.{number}" if f"models.{number}" in spec.lines else "models")
            raise BuildError(f"figure {spec.id}: unknown model {name!r}{nearest(name, library.models)}", place)
        ingredients.setdefault("models", {})[name] = {"of": library.fingerprint(name), "cards": library.cards(name)}
    before = library.before(model) if model is not None and spec.options.compares_checkpoints else None
    if before is not None:
        ingredients["earlier"] = before.digest()
    if spec.options.varies_training:
        ingredients["trained"] = trainings(spec, library)
    for field, name in data_of(spec.options, library):
        ingredients.setdefault("data", {})[field] = library.data_fingerprint(name)
    for field, name in names_in(spec.options, "file"):
        path = library.root / name
        if not path.is_file():
            raise BuildError(f"figure {spec.id}: no file {name!r} in {shown(library.root)}", spec.at(field))
        ingredients.setdefault("files", {})[field] = file_digest(path)
    for name, function in getattr(spec.options, "functions", {}).items():
        try:
            ingredients.setdefault("functions", {})[name] = callable_digest(f"concept {name}:", function)
        except BuildError as error:
            raise BuildError(f"figure {spec.id}: {error.message}", error.place or spec.at("functions")) from error
    job = Job(digest(ingredients), spec.kind, spec.options, ingredients, spec.place, spec.id, dict(spec.lines))
    if not spec.control:
        return job
    if model is None or "trained" in ingredients:
        reason = "reads no model" if model is None else "trains its networks itself"
        raise BuildError(f"figure {spec.id}: it {reason}, so there is no control", spec.at("control"))
    seed = spec.options.seed + CONTROL
    ingredients = {**ingredients, "weights": {"random": True, "seed": seed}}
    control = replace(
        job,
        key=digest(ingredients),
        ingredients=ingredients,
        place=spec.at("control"),
        id=f"{spec.id} (control)",
        random=seed,
    )
    return replace(job, control=control)


def nameless(options: Any) -> Any:
    """Options without the names of models and data sets: what these hold is told by their digests."""
    if isinstance(options, dict):
        return {key: nameless(value) for key, value in options.items() if key not in ("model", "dataset")}
    return [nameless(value) for value in options] if isinstance(options, list) else options


def unknown_references(post: Post, library: Library) -> Iterable[BuildError]:
    """Values, claims and cross-references that point to nothing."""
    figures = {figure.id for figure in post.figures}
    anchors = figures | {claim.id for claim in post.claims} | set(re.findall(r'\bid="([^"]+)"', post.body))
    for anchor, place in post.references:
        if anchor not in anchors:
            yield BuildError(f"[](#{anchor}) points to nothing{nearest(anchor, anchors)}", place)
    quoting: tuple[Value | Claim, ...] = (*post.values, *post.claims)
    for one in quoting:
        if one.figure not in figures and one.figure not in library.models:
            yield BuildError(
                f"no figure or model {one.figure!r}{nearest(one.figure, figures | set(library.models))}", one.place
            )


def unknown_names(job: Job, library: Library) -> Iterable[BuildError]:
    """Layers and classes that the figure names and its model has not: told before anything is computed.

    Loads the model, so it is asked only of figures that must be computed; a model that must be trained first
    is asked after that.
    """
    name = job.options.model
    asked = {key: getattr(job.options, key, None) for key in ("layer", "layers", "classes")}
    if name is None or not any(asked.values()) or job.options.varies_training:
        return  # of networks that the figure trains, it knows the classes best
    try:
        model = library.model(name)
    except BuildError as error:
        yield BuildError(f"figure {job.id}: {error.message}", error.place or job.at("model"))
        return
    for key, value in asked.items():
        known = model.classes if key == "classes" else model.layers()
        wanted = [value] if isinstance(value, str) else list(value or ())
        for number, one in enumerate(wanted):
            one = one if isinstance(one, str) else getattr(one, "layer", None)
            if isinstance(one, str) and one not in known:
                what = "class" if key == "classes" else "layer"
                place = job.at(f"{key}.{number}") if f"{key}.{number}" in job.lines else job.at(key)
                yield BuildError(f"figure {job.id}: unknown {what} {one!r} of model {name}{nearest(one, known)}", place)


def take(out: Path, content: Path) -> None:
    """Make the folder ours, so that a build that is killed while it writes can be gone on with.

    BuildError where it holds what Whatfires did not write: whatever no page refers to is removed from a site.
    """
    if content.resolve().is_relative_to(out.resolve()):
        raise BuildError(f"{shown(out)} holds the content; a site needs a folder of its own: choose another --out")
    try:
        ours = "schema" in (account := json.loads((out / REPORT).read_bytes())) and "pages" in account
    except (OSError, ValueError, TypeError):
        ours = False
    if not ours:
        if out.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
            raise BuildError(
                f"{shown(out)} holds files that Whatfires did not write; choose another --out, or empty it"
            )
        write_whole(out / REPORT, b'{"schema": 1, "pages": []}')


def write_site(
    plan: Plan, artifacts: Mapping[str, Artifact], computed: set[str], out: Path
) -> tuple[int, int, tuple[str, ...], int]:
    """Render everything and write what differs: (files written, files removed, broken claims, pages)."""
    take(out, plan.library.root)
    rendered = render_site(
        plan.site,
        plan.posts,
        plan.jobs,
        artifacts,
        plan.library.measures,
        lambda name: (out / name).exists(),
        plan.units,
    )
    files = dict(rendered.files)
    files["feed.xml"] = feed(plan.site, rendered.posts)
    account = report(plan.posts, plan.units, plan.jobs, artifacts, plan.library, computed, rendered)
    old = (out / REPORT).read_bytes() if (out / REPORT).exists() else b""
    files[REPORT] = old if same_report(old, account) else account
    written = 0
    for name, content in files.items():
        path = out / name
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, content)
            written += 1
    keep = set(files) | rendered.kept
    removed = 0
    for path in sorted(out.rglob("*"), reverse=True):
        inside = path.relative_to(out)
        if path.name.startswith(WRITING):
            path.unlink()
        elif any(part.startswith(".") for part in inside.parts):
            continue  # .git, .gitignore and their like are not ours
        elif path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif inside.as_posix() not in keep:
            path.unlink()
            removed += 1
    return written, removed, rendered.broken, rendered.pages
