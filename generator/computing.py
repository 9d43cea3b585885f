"""One figure computed: in this process, or in that of a worker, which is told what site it works for once."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.figures import KINDS
from generator.key import code_digest
from generator.library import Library, Report
from generator.model import advice
from generator.settings import Settings
from generator.spec import BuildError, Changed, Job, nearest
from generator.stopping import interrupts_told
from generator.stores import store_at
from generator.weights import Sight

if TYPE_CHECKING:
    import torch

    from generator import inputs
else:
    torch = Deferred("torch")
    inputs = Deferred("generator.inputs")  # a site of text alone does not need it

Advance = Callable[[int, int], None]


def computed(job: Job, library: Library, advance: Advance, again: set[str] | None = None) -> Artifact:
    """A figure's artifact, computed now; what it shares with others is kept, or made again if its key is in `again`."""
    start = time.perf_counter()
    for error in unknown_names(job, library):  # of a model that was trained only now
        raise error
    if job.chooser and job.model and (difference := library.unlike(job.model, job.chooser)):
        raise BuildError(difference)
    again = set() if again is None else again
    given = inputs.Inputs(library, job.model, advance, job.random, again, job.chooser)
    with library.store.noting() as needed:
        artifact: Artifact = KINDS.module(job.kind).compute(job.options, given)
    for name, value in artifact.measures.items():
        if not math.isfinite(value):
            raise BuildError(f"its measure {name} is no number but {value}; are all activations numbers?")
    provenance = {
        "ingredients": job.ingredients,
        "needs": sorted(needed),
        "seconds": round(time.perf_counter() - start, 3),
        "device": "cpu",
        # Not in the key, lest every machine compute anew; but sums in another order differ in their last digits.
        "threads": torch.get_num_threads(),
    }
    return replace(artifact, provenance=provenance)


def unknown_names(job: Job, library: Library) -> Iterable[BuildError]:
    """Layers and classes that the figure names and its model has not: told before anything is computed.

    Loads the model, so it is asked only of figures that must be computed; a model that must be trained first
    is asked after that.
    """
    name = job.model
    asked = {key: getattr(job.options, key, None) for key in ("layer", "layers", "classes")}
    if name is None or not any(asked.values()) or job.options.varies_training:
        return  # of networks that the figure trains, it knows the classes best
    try:
        model = library.model(name)
    except BuildError as error:
        yield error.of(f"figure {job.id}", job.at("model"))
        return
    for key, value in asked.items():
        known = model.classes if key == "classes" else model.layers()
        for number, one in enumerate([value] if isinstance(value, str) else list(value or ())):
            one = one if isinstance(one, str) else getattr(one, "layer", None)
            if key == "layer" and model.reader is not None and one in model.reader.groups:
                continue  # kinds for networks that read, too, call a group so
            if isinstance(one, str) and one not in known:
                what = "class" if key == "classes" else "layer"
                place = job.at(f"{key}.{number}") if f"{key}.{number}" in job.lines else job.at(key)
                yield BuildError(f"figure {job.id}: unknown {what} {one!r} of model {name}{nearest(one, known)}", place)


def attempt(job: Job, compute: Callable[[Job], object]) -> BuildError | None:
    """Compute a figure; why it failed, told of the figure, or None."""
    try:
        with interrupts_told():
            compute(job)
    except BuildError as problem:
        return problem.of(f"figure {job.id}", job.place)
    except Exception as problem:  # the author's network may raise anything; the other figures go on
        traceback.clear_frames(problem.__traceback__)  # what it held may be all the memory that there is
        error = BuildError(f"figure {job.id}: {type(problem).__name__}: {advice(problem)}", job.place)
        error.__cause__ = problem
        return error
    return None


@dataclass(frozen=True)
class Worksite:
    """All that a worker must know of a site, to compute its figures: it can be sent, and is small.

    content: the content folder, absolute. store: its address. cache: that of a store that is only read, "" for none.
    threads: that one worker may use.
    """

    content: Path
    settings: Settings
    store: str
    cache: str
    sight: Sight
    threads: int

    def library(self, report: Report) -> Library:
        """The models and data sets, in the process of a worker."""
        store = store_at(self.store, self.cache)
        store.tell = lambda line: None  # who asked is told of what is damaged, and says so
        return Library(self.settings, self.content, store, report, self.sight)


@dataclass(frozen=True)
class Done:
    """What a worker tells of a job: its artifact is in the store, unless there is an error.

    opened: data sets of which something was read. added: the keys of what was put into the store. damaged: what was
    found so in it, by key, as it is called.
    """

    error: BuildError | None
    seconds: float
    opened: frozenset[str]
    added: frozenset[str]
    damaged: Mapping[str, str] = field(default_factory=dict)


def done(job: Job, library: Library, advance: Advance) -> Done:
    """A job, done by a worker for a site whose library it has."""
    start = time.perf_counter()
    library.store.added.clear()

    def compute(job: Job) -> None:
        meet(job, library)
        library.store.put(job.key, computed(job, library, advance))

    error = attempt(job, compute)
    told = frozenset(library.opened), frozenset(library.store.added), dict(library.store.damaged)
    return Done(error, time.perf_counter() - start, *told)


def meet(job: Job, library: Library) -> None:
    """Know the networks that a job names, as who planned it did. Changed where code or weights are not what they were.

    A process of its own reads the author's code when it needs it, which may be after the site was planned.
    """
    for name in (job.model, job.chooser):
        if name is not None and name not in library.models and name not in library.variants and job.step is not None:
            library.at(str(job.options.model), job.step)
    for what, planned, now in differing(job, library):
        if planned != now:
            raise Changed(f"{what} changed while figures were computed; build again")


def differing(job: Job, library: Library) -> Iterator[tuple[str, object, object]]:
    """(what, as planned, as it is) of what a worker reads by itself."""
    asked = job.ingredients
    yield f"the code of {job.kind}", asked["code"], code_digest(KINDS[job.kind])
    if job.model is not None and "model" in asked:
        yield f"model {job.model}", asked["model"], library.fingerprint(job.model)
