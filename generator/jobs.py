"""What a figure asks to be computed, named by all that decides it: its own, its control, and at its checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from generator.artifact import digest
from generator.callables import callable_digest
from generator.figures import KINDS
from generator.files import file_digest
from generator.key import code_digest, versions
from generator.library import Library
from generator.spec import (
    BuildError,
    FigureOptions,
    FigureSpec,
    Job,
    Options,
    Step,
    UnitChoice,
    called,
    mistakes,
    nearest,
    options_in,
    shown,
)

CONTROL = 1001  # added to a figure's seed, so that its control starts as no other random network of the figure


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
            for settings in options.variants(value):
                found.append(library.fingerprint(library.variant(options.model, settings)))
        return found
    except BuildError as error:
        raise BuildError(f"figure {spec.id}: {error.message}", spec.at(key)) from error


def names_in(options: Options, field: str) -> Iterator[tuple[str, str]]:
    """(dotted key, name) for every option called `field` that is set, at any depth."""
    for key, value in options_in(options):
        if key.rpartition(".")[2] == field and isinstance(value, str):
            yield key, value


def files_of(job: Job) -> Iterator[tuple[str, str]]:
    """(name, digest) of every file of the content that a figure reads."""
    digests = job.ingredients.get("files", {})
    yield from ((name, digests[field]) for field, name in names_in(job.options, "file"))


def make_job(spec: FigureSpec, library: Library, history: bool = False) -> Job:
    """All that a figure asks to be computed. BuildError where it names a model or a checkpoint that is not there.

    history: also at all earlier checkpoints of its model, as a claim may ask for.
    """
    model = spec.options.model
    if model in library.wrong:
        raise BuildError(f"figure {spec.id}: its model {model} is wrong in site.toml", spec.at("model"))
    if model is not None and model not in library.models:
        raise BuildError(f"figure {spec.id}: unknown model {model!r}{nearest(model, library.models)}", spec.at("model"))
    names = wanted(spec, library, history)
    job = job_at(spec, library, names[-1][1], names[-1][1])
    if spec.control:
        job = with_control(job, spec)
    earlier = [
        replace(job_at(spec, library, row, names[-1][1]), step=step, id=f"{spec.id} at {called(step)}")
        for step, row in names[:-1]
    ]
    changes = None
    if spec.diff is not None:
        changes = replace(job_at(changes_of(spec, library), library, model, model), id=f"{spec.id} (changes)")
    return replace(job, step=names[-1][0], earlier=tuple(earlier), changes=changes)


def wanted(spec: FigureSpec, library: Library, history: bool) -> list[tuple[Step | None, str | None]]:
    """The checkpoints that a figure is computed at, with the library's names of the networks; the main one last."""
    model, steps, key = spec.options.model, spec.checkpoint, "checkpoint"
    if spec.diff is not None:
        if steps != "newest":
            raise BuildError(f"figure {spec.id}: give checkpoint or diff, not both", spec.at("diff"))
        steps, key = spec.diff, "diff"
    if steps == "newest" and not history:
        return [(None, model)]
    reason = no_one_network(spec.options) or ("names two itself" if names_two(spec.options) else "")
    if model is None or reason:
        raise BuildError(f"figure {spec.id}: it {reason}, so it is shown at no others", spec.at(key))
    try:
        every = [one.name for one in library.series(model)]
        if steps == "all" or (history and steps == "newest"):
            steps = tuple(every)
        elif history and not isinstance(steps, tuple) and steps in every:
            steps = tuple(every[: every.index(steps) + 1])
        named = steps if isinstance(steps, tuple) else (steps,)
        if not named and spec.checkpoint == ():
            raise BuildError("name at least one checkpoint")
        if len(set(named)) < len(named) and steps != tuple(every):
            raise BuildError("the same checkpoint twice; name each once")
        ordered = named if spec.diff else sorted(named, key=lambda one: every.index(one) if one in every else 0)
        found: list[tuple[Step | None, str | None]] = [(one, library.at(model, one)) for one in ordered]
    except BuildError as error:
        raise BuildError(f"figure {spec.id}: {error.message}", spec.at(key)) from error
    if not found:
        return [(None, model)]  # its weights are trained by the build, or need none
    return found


def changes_of(spec: FigureSpec, library: Library) -> FigureSpec:
    """The figure of the units that changed most between the two checkpoints that a figure shows side by side.

    They are compared on the figure's data set, or that of its model in site.toml.
    """
    model = str(spec.options.model)
    given = {key: getattr(spec.options, key, None) for key in ("model", "dataset", "layer", "seed")}
    given["dataset"] = given["dataset"] or getattr(library.row(model).settings, "dataset", None)
    kind = KINDS.module("unit-changes").Options
    try:
        chosen = kind(checkpoints=spec.diff, **{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        key, message = next(mistakes(error, kind))
        raise BuildError(f"figure {spec.id}: diff: {key}: {message}", spec.at("diff")) from error
    return replace(spec, kind="unit-changes", options=chosen, control=False)


def job_at(spec: FigureSpec, library: Library, model: str | None, chooser: str | None) -> Job:
    """One computation: its key, and all that it is made of."""
    ingredients: dict[str, Any] = {
        "kind": spec.kind,
        "options": nameless(spec.options.model_dump(mode="json")),
        "code": code_digest(KINDS[spec.kind]),
        "versions": versions(),
    }
    compared = names_two(spec.options)
    if model is not None and not compared:
        ingredients["model"] = library.fingerprint(model)
    if compared:
        try:
            ingredients["compared"] = [library.fingerprint(library.at(str(model), one)) for one in compared]
        except BuildError as error:
            raise BuildError(f"figure {spec.id}: {error.message}", spec.at("checkpoints")) from error
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
    if model != chooser and chooses(spec.options):
        ingredients["units of"] = library.fingerprint(str(chooser))
    if model != chooser and (wanted_shapes := library.outline(str(chooser))) != library.outline(str(model)):
        ingredients["beside shapes"] = wanted_shapes  # a timeline has no place for it, a figure of its own has
    return Job(
        digest(ingredients),
        spec.kind,
        spec.options,
        ingredients,
        spec.place,
        spec.id,
        dict(spec.lines),
        model=model,
        chooser=None if model == chooser else chooser,
    )


def with_control(job: Job, spec: FigureSpec) -> Job:
    """The job, and the same with random weights."""
    reason = no_one_network(spec.options) or ("compares two checkpoints" if names_two(spec.options) else "")
    if reason:
        raise BuildError(f"figure {spec.id}: it {reason}, so there is no control", spec.at("control"))
    seed = spec.options.seed + CONTROL
    ingredients = {**job.ingredients, "weights": {"random": True, "seed": seed}}
    control = replace(
        job,
        key=digest(ingredients),
        ingredients=ingredients,
        place=spec.at("control"),
        id=f"{spec.id} (control)",
        random=seed,
    )
    return replace(job, control=control)


def no_one_network(options: FigureOptions) -> str:
    """Why a figure is of no one network of site.toml, "" where it is."""
    if options.model is None:
        return "reads no model"
    return "trains its networks itself" if options.varies_training else ""


def names_two(options: FigureOptions) -> tuple[Step, ...]:
    """The two checkpoints that a figure compares, none where it is of one."""
    return getattr(options, "checkpoints", None) or ()


def chooses(options: FigureOptions) -> bool:
    """Whether a figure finds units by a concept that they follow."""
    return any(isinstance(one, UnitChoice) and one.concept is not None for _, one in options_in(options))


def nameless(options: Any) -> Any:
    """Options without the names of models and data sets: what these hold is told by their digests."""
    if isinstance(options, dict):
        return {key: nameless(value) for key, value in options.items() if key not in ("model", "dataset")}
    return [nameless(value) for value in options] if isinstance(options, list) else options
