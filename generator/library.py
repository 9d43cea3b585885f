"""The models and data sets that site.toml names: validated, fingerprinted, and loaded on first use.

A model without a checkpoint is trained here, and its weights are kept in the store like any artifact.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from generator import interp
from generator.artifact import Artifact, ArtifactStore, Course, Measures, digest
from generator.callables import reach
from generator.datasets import DATASETS
from generator.deferred import Deferred
from generator.deprecation import deprecations
from generator.files import matching
from generator.key import code_digest, versions
from generator.machine import processor
from generator.model import Model
from generator.models import SOURCES
from generator.plugins import Table
from generator.settings import Settings
from generator.spec import BuildError, Changed, Job, Step, called, mistakes, nearest, shown
from generator.trust import distrusted, refused_in_row
from generator.weights import AS_THEY_ARE, Checkpoint, Desk, Sight, Trained, Weights, checkpoints

if TYPE_CHECKING:
    import torch

    from generator import data
else:
    torch, data = Deferred("torch"), Deferred("generator.data")

TOLD_OTHERWISE = {  # settings that decide nothing, or only which files are read, whose digests tell more
    "checkpoints", "train", "dataset", "corpus", "units", "pretrained", "revision", "download", "dictionaries",
    "resources",
}  # fmt: skip

FOUND_OTHERWISE = {"path", "masks", "folder", "download"}  # the same of data sets: their digest tells what was found

Report = Callable[[str, int, int], None]  # what is under way, how much of it is done, of how much


@dataclass(frozen=True)
class Row:
    """A model or a data set of site.toml, validated: its name, the module of its source, its settings."""

    name: str
    module: ModuleType
    settings: Any
    pinned: Path | None = None  # the checkpoint that is read, where it need not be the newest


class Library:
    """All models and data sets of a site, by name; `root` is the content folder, to which paths are relative."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        store: ArtifactStore,
        report: Report = lambda what, done, total: None,
        sight: Sight = AS_THEY_ARE,
    ) -> None:
        self.settings, self.root, self.store, self.report, self.sight = settings, root, store, report, sight
        self.opened: set[str] = set()  # data sets of which something was read
        reach(root)  # the author's modules, as they read now
        self.errors: list[BuildError] = []  # what is wrong with site.toml; a row that is wrong is in no table
        self.deprecations = [*settings.deprecations]  # keys of it that go, with what to write instead
        self.models = rows("model", settings.models, SOURCES, root, self.errors, self.deprecations)
        self.datasets = rows("data set", settings.datasets, DATASETS, root, self.errors, self.deprecations)
        for name, row in list(self.models.items()):
            for field in ("dataset", "corpus"):
                wanted = getattr(row.settings, field, None)
                if wanted is not None and wanted not in self.datasets:
                    hint = nearest(wanted, self.datasets)
                    self.errors.append(BuildError(f"models.{name}.{field}: no data set {wanted!r}{hint}"))
                    self.models.pop(name, None)
        self.wrong = set(settings.models) - set(self.models)
        self.variants: dict[str, Row] = {}  # models of another recipe than that of site.toml, or at other checkpoints
        # Per library, not per class: two sites of one process share nothing.
        # By the glob that names them. What comes while a build is at work waits for the next.
        self.checkpoints = cache(lambda pattern: checkpoints(root, pattern, sight))
        self.missing = cache(self._missing)
        self.dataset_digest = cache(self.digest_data)
        self.fingerprint = cache(self._fingerprint)
        self.weights_key = cache(self._weights_key)
        self.model = cache(self._model)
        self.untrained = cache(self._untrained)
        self.earlier = cache(self._earlier)
        self.read = cache(self._read)

    def row(self, name: str) -> Row:
        """The row of a model of site.toml, or of a variant of one."""
        return self.models.get(name) or self.variants[name]

    def variant(self, name: str, settings: Mapping[str, Any]) -> str:
        """The name of a model whose recipe is that of another, but for some settings; its checkpoints are not read.

        Its training is kept like that of any model. BuildError where the recipe has no such setting or value.
        """
        row = self.row(name)
        recipe = row.settings.train
        for setting in settings:
            if setting not in type(recipe).model_fields:
                hint = nearest(setting, type(recipe).model_fields)
                raise BuildError(f"the recipe of model {name} has no setting {setting!r}{hint}")
        try:
            changed = type(recipe).model_validate({**recipe.model_dump(), **settings})
        except ValidationError as problem:
            key, message = next(mistakes(problem, type(recipe)))
            raise BuildError(f"{key}: {message}") from problem
        varied = f"{name} with {', '.join(f'{setting} = {value}' for setting, value in settings.items())}"
        own = row.settings.model_copy(update={"train": changed, "checkpoints": None})
        self.variants[varied] = Row(varied, row.module, own)
        return varied

    def series(self, name: str) -> list[Checkpoint]:
        """The checkpoints that a model's row names, in order, up to the one that it is read from."""
        row = self.row(name)
        pattern = getattr(row.settings, "checkpoints", None) or ""
        found = self.checkpoints(pattern)
        if pattern and not found and (half := matching(self.root, pattern)):
            raise BuildError(
                f"model {name}: no checkpoint is whole yet; {shown(half[-1])} counts once it stays as it is"
            )
        if row.pinned is None:
            return found
        paths = [one.path for one in found]
        return found[: paths.index(row.pinned) + 1] if row.pinned in paths else []

    def checkpoint(self, name: str) -> Checkpoint | None:
        """The checkpoint that a model is read from: the newest, unless another is chosen; None where it has none."""
        return found[-1] if (found := self.series(name)) else None

    def before(self, name: str) -> Checkpoint | None:
        """The checkpoint before that one, None where there is none."""
        return found[-2] if len(found := self.series(name)) > 1 else None

    def at(self, name: str, step: Step) -> str:
        """The name of a model as it was at one of its checkpoints. BuildError where there is none, or more than one."""
        series = self.series(name)
        found = [one for one in series if one.name == step]
        if len(found) > 1:
            files = " and ".join(sorted(one.path.name for one in found))
            raise BuildError(f"model {name} has two checkpoints of {called(step)}, {files}; rename one")
        if not found:
            known = ", ".join(f"{one.name}" for one in series[:20])
            raise BuildError(
                f"model {name} has no checkpoint {step!r}; known: {known}"
                if series
                else f"model {name} has no checkpoints to choose from; name them in site.toml by `checkpoints`"
            )
        if found[0].path == series[-1].path:
            return name
        pinned = f"{name} at {called(step)}"
        self.variants[pinned] = replace(self.row(name), name=pinned, pinned=found[0].path)
        return pinned

    def needs(self, job: Job) -> Mapping[str, float]:
        """What a worker must have free for a job, by name: the most that one of its networks asks for."""
        names = {job.model, job.chooser, *getattr(job.options, "models", ())} - {None}
        needs: dict[str, float] = {}
        for name in names:
            for resource, amount in self.row(name).settings.resources.items():
                needs[resource] = max(amount, needs.get(resource, 0.0))
        return needs

    def outline(self, name: str) -> str:
        """What a model's checkpoint tells of its shapes without being loaded; "" where it has none, or tells none."""
        checkpoint = self.checkpoint(name)
        return checkpoint.outline if checkpoint is not None else ""

    def unlike(self, name: str, other: str) -> str:
        """How a model's weights differ in shape from those of another, "" where they do not."""
        shapes = [
            {key: tuple(one.shape) for key, one in self.model(each).network.state_dict().items()}
            for each in (name, other)
        ]
        for key in {**shapes[1], **shapes[0]}:
            own, wanted = (one.get(key) for one in shapes)
            if own != wanted:
                sizes = [" × ".join(map(str, one)) if one else "not there" for one in (own, wanted)]
                return f"its weights have other shapes than those of {other}: {key} is {sizes[0]}, there {sizes[1]}"
        return ""

    def _earlier(self, name: str) -> Model | None:
        row, checkpoint = self.row(name), self.before(name)
        if checkpoint is None:
            return None
        model: Model = row.module.load(name, row.settings, checkpoint.weights(), 0, self.root)
        return model

    def _missing(self, dataset: str) -> str:
        row = self.datasets[dataset]
        return str(row.module.missing(row.settings, self.root))

    def digest_data(self, dataset: str) -> str:
        """The digest of what a data set holds now; `dataset_digest` is that of when it was first asked for."""
        row = self.datasets[dataset]
        return str(row.module.digest(row.settings, self.root))

    def data_fingerprint(self, dataset: str) -> dict[str, Any]:
        """All that decides what a data set holds, and how it is split; JSON-able."""
        row = self.datasets[dataset]
        return {
            "digest": self.dataset_digest(dataset),
            "settings": row.settings.model_dump(mode="json", exclude=FOUND_OTHERWISE),
            "code": code_digest(row.module.__name__),
        }

    def _fingerprint(self, name: str) -> dict[str, Any]:
        """All that decides what the model computes; JSON-able, without loading it.

        With a checkpoint its bytes, else the recipe and the data that the training reads.
        """
        row = self.row(name)
        settings = row.settings.model_dump(mode="json", exclude=TOLD_OTHERWISE)
        print_of: dict[str, Any] = {
            "settings": settings,
            "code": code_digest(row.module.__name__),
            **row.module.fingerprint(row.settings, self.root),
        }
        checkpoint = self.checkpoint(name)
        if checkpoint is not None:
            print_of["checkpoint"] = checkpoint.digest()
        elif self.trains(name):
            print_of |= self.training_fingerprint(name)
        elif getattr(row.settings, "checkpoints", None):
            raise BuildError(
                f"model {name}: no checkpoint matches {row.settings.checkpoints!r} in {self.root}, "
                "and there is no `train` recipe to make one"
            )
        return print_of

    def training_fingerprint(self, name: str) -> dict[str, Any]:
        """All that decides what a training gives, besides its code: recipe, data, and libraries; JSON-able."""
        return {
            "recipe": self.row(name).settings.train.model_dump(mode="json"),
            "data": self.data_fingerprint(self.training_data(name)),
            "versions": versions(),
        }

    def digest(self, name: str) -> str:
        """The digest of the model's checkpoint, or of all that it is made of where there is none."""
        fingerprint = self.fingerprint(name)
        return str(fingerprint.get("checkpoint") or digest(fingerprint))

    def measures(self, name: str) -> Mapping[str, float]:
        """What the model's card states, or what was measured when it was trained here; nothing is trained for it."""
        checkpoint = self.checkpoint(name) if name in self.models or name in self.variants else None
        return measures_of(checkpoint.card()).values if checkpoint is not None else self.course(name)[-1][1].values

    def course(self, name: str) -> Course:
        """The same at each of its checkpoints, the newest last, with their names."""
        if name not in self.models and name not in self.variants:
            return [(None, Measures())]
        series = self.series(name)
        if series:
            return [(one.name, measures_of(one.card())) for one in series]
        artifact = self._weights(name) if self.trains(name) else None
        return [(None, Measures(dict(artifact.measures), dict(artifact.intervals)) if artifact else Measures())]

    def cards(self, name: str) -> list[dict[str, Any]]:
        """The cards of all its checkpoints that have one, the newest last; nothing is trained for it."""
        return [card for one in self.series(name) if (card := one.card())]

    def trainings(self, name: str) -> list[dict[str, Any]]:
        """What is told of the training that led to each checkpoint, or to the weights that the build trains."""
        cards = self.cards(name)
        if cards or not self.trains(name) or self.checkpoint(name) is not None:
            return cards
        self.model(name)
        artifact = self._weights(name)
        assert artifact is not None
        recipe = self.row(name).settings.train.model_dump(mode="json")
        return [{"recipe": recipe, "step": recipe["steps"], "measures": artifact.measures, **artifact.data["course"]}]

    def trains(self, name: str) -> bool:
        row = self.row(name)
        return hasattr(row.module, "train") and getattr(row.settings, "train", None) is not None

    def taught_on(self, name: str) -> str | None:
        """The data set that the model's row names for training; beside a corpus, `dataset` is for pages of units."""
        settings = self.row(name).settings
        return getattr(settings, "corpus", None) if hasattr(settings, "corpus") else getattr(settings, "dataset", None)

    def training_data(self, name: str) -> str:
        wanted = self.taught_on(name)
        if wanted is None:
            raise BuildError(f"model {name}: its `train` needs a data set; name one")
        if self.missing(wanted):
            raise BuildError(f"model {name} must be trained, but its data is not here: {self.missing(wanted)}")
        return str(wanted)

    def untaught(self, name: str) -> bool:
        """Whether using the model now means to train it first."""
        key = self.weights_key(name)
        return key is not None and not self.store.whole(key, self._called(name))

    def _weights_key(self, name: str) -> str | None:
        """What the weights that the build trains are kept under; None where it trains none."""
        return digest(self.fingerprint(name)) if self.checkpoint(name) is None and self.trains(name) else None

    def _model(self, name: str) -> Model:
        row = self.row(name)
        checkpoint = self.checkpoint(name)
        weights: Weights | None = None
        if checkpoint is not None:
            weights = checkpoint.weights()
        elif self.trains(name):
            weights = self._trained(name)
        model: Model = row.module.load(name, row.settings, weights, 0, self.root)
        files = row.module.fingerprint(row.settings, self.root)  # such as those of a folder of transformers
        if any(self.fingerprint(name)[key] != value for key, value in files.items()):
            raise Changed(f"model {name}: its files changed while the build was at work; build again")
        return model

    def _untrained(self, name: str, seed: int) -> Model:
        """The same architecture as the model, with the weights that its training starts from."""
        row = self.row(name)
        checkpoint = self.checkpoint(name)
        about = checkpoint.weights().about if checkpoint is not None else {}
        if checkpoint is None and self.trains(name):
            about = self._trained(name).about
        loaded = self.model(name)  # first: what a checkpoint says of its size is believed once its weights fit it
        model: Model = row.module.load(name, row.settings, Weights({}, about), seed, self.root)
        if model.image is not None:
            noise = interp.settling.noise(model.image.channels, model.image.height, model.image.width)
            interp.settling.settle(model.network, model.normalise(noise))
        pairs = zip(model.network.parameters(), loaded.network.parameters(), strict=True)
        if all(torch.equal(random, own) for random, own in pairs):  # such as a factory that reads its weights itself
            raise BuildError(
                f"model {name} has the same weights whatever the seed, so there are no random ones to compare it with; "
                f"source {row.settings.source} should get them from `checkpoints`"
            )
        return model

    def _weights(self, name: str) -> Artifact | None:
        """What is kept of the training of a model by its recipe."""
        return self.store.get(digest(self.fingerprint(name)), self._called(name))

    def _called(self, name: str) -> str:
        return f"what was kept of the training of model {name}"

    def _trained(self, name: str) -> Weights:
        """The weights that the recipe gives: from the store, or trained now and kept."""
        key = digest(self.fingerprint(name))
        artifact = self._weights(name)
        if artifact is None:
            start = time.perf_counter()
            *_, last = self.train(name)
            artifact = Artifact(
                {key: tensor.numpy() for key, tensor in last.weights.tensors.items()},
                {"about": dict(last.weights.about), "course": dict(last.course)},
                last.measures,
                {"ingredients": self.fingerprint(name), "seconds": round(time.perf_counter() - start, 1)},
                last.intervals,
            )
            self.store.put(key, artifact)
            self.desk(name).clear()
        tensors = {key: torch.from_numpy(array) for key, array in artifact.arrays.items()}
        return Weights(tensors, artifact.data["about"])

    def train(self, name: str) -> Iterator[Trained]:
        """Train a model by its recipe, whether or not there is a checkpoint: its checkpoints, the final one last.

        It goes on where it was stopped, if it was. Who has kept the final checkpoint clears the model's `desk`.
        """
        row = self.row(name)
        if not self.trains(name):
            raise BuildError(f"model {name} has no `train` recipe in site.toml")
        dataset = self.training_data(name)
        splits = {split: self.load(dataset, split) for split in row.module.SPLITS}
        try:
            yield from row.module.train(row.settings, splits, self.desk(name))
        except BuildError as error:
            raise error.of(f"model {name}", None) from error  # also a full disk is told as one, and stops the build

    def desk(self, name: str) -> Desk:
        """Where the training of a model tells how far it is, and keeps what it needs to go on."""
        asked = {**self.training_fingerprint(name), "code": code_digest(self.row(name).module.__name__)}

        def report(done: int, total: int, word: str) -> None:
            self.report(f"training {name}{', ' if word else ''}{word}", done, total)

        return Desk(report, self.store, digest({"unfinished": asked}), name)

    def card(self, name: str, trained: Trained, seconds: float) -> dict[str, Any]:
        """The training card of a checkpoint: all that is needed to make it again, and what it measured."""
        recipe = self.row(name).settings.train.model_dump(mode="json")
        dataset = self.training_data(name)
        return {
            "model": name,
            "source": self.row(name).settings.source,
            "step": trained.step,
            "recipe": recipe,
            "data": {"source": self.datasets[dataset].settings.source, "digest": self.dataset_digest(dataset)},
            "measures": dict(trained.measures),
            **({"intervals": dict(trained.intervals)} if trained.intervals else {}),
            "seconds": round(seconds, 1),
            "machine": f"{processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
            "versions": versions(),
            **trained.course,
        }

    def _read(self, dataset: str, split: str) -> Any:
        row = self.datasets[dataset]
        reason = self.missing(dataset)
        if reason:
            raise BuildError(f"data set {dataset}: {reason}")
        self.opened.add(dataset)
        return row.module.load(row.settings, split, self.root)

    def load(self, dataset: str, split: str, skip: bool = False) -> Any:
        """A split of a data set. Whoever can do with fewer images, and tells it, may `skip` those that are damaged."""
        found = self.read(dataset, split)
        if isinstance(found, data.Images) and found.skipped and not skip:
            raise BuildError(f"data set {dataset}: {found.skipped[0]}")
        return found

    def images(self, dataset: str, split: str, skip: bool = False) -> data.Images:
        images = self.load(dataset, split, skip)
        if not isinstance(images, data.Images):
            raise BuildError(f"data set {dataset} holds text, not images")
        return images

    def documents(self, dataset: str, split: str) -> Sequence[data.Document]:
        documents: data.Images | Sequence[data.Document] = self.load(dataset, split)
        if isinstance(documents, data.Images):
            raise BuildError(f"data set {dataset} holds images, not text")
        return documents


def rows(
    what: str,
    table: Mapping[str, Mapping[str, Any]],
    sources: Table,
    root: Path,
    errors: list[BuildError],
    going: list[str],
) -> dict[str, Row]:
    """Validate the rows of one table of site.toml; what is wrong goes to `errors`, what is deprecated to `going`."""
    good: dict[str, Row] = {}
    kind = "models" if what == "model" else "datasets"
    for name, settings in table.items():
        source = str(settings.get("source"))
        prefix = f"{kind}.{name}"
        if source not in sources:
            errors.append(BuildError(f"{prefix}.source: no source {source!r} of {what}s{nearest(source, sources)}"))
            continue
        module = sources.module(source)
        try:
            valid = module.Settings.model_validate(settings)
        except ValidationError as problem:
            errors += [BuildError(f"{prefix}.{key}: {message}") for key, message in mistakes(problem, module.Settings)]
            continue
        going += [message for _, message in deprecations(valid, settings, (kind, name))]
        refused = list(refused_in_row(valid, root)) if distrusted() else []
        errors += [BuildError(f"{prefix}.{key}: {message}") for key, message in refused]
        if not refused:
            good[name] = Row(name, module, valid)
    return good


def measures_of(card: Mapping[str, Any]) -> Measures:
    """What a training card states, of its numbers: a card may be another program's, or of a training that failed."""
    values, intervals = (card.get(name) for name in ("measures", "intervals"))
    return Measures(
        {name: float(one) for name, one in values.items() if is_number(one)} if isinstance(values, dict) else {},
        {name: (float(one[0]), float(one[1])) for name, one in intervals.items() if is_pair(one)}
        if isinstance(intervals, dict)
        else {},
    )


def is_number(one: Any) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)


def is_pair(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 2 and all(map(is_number, one))
