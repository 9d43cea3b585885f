"""Which units a figure of text shows: named by group and number, or found by the concept that they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from generator import census, interp
from generator.artifact import Artifact, Measures
from generator.callables import callable_digest
from generator.concept_options import ConceptOptions
from generator.key import code_digest, versions
from generator.labelling import Corpus, corpus
from generator.model import Model
from generator.readers import reader_of
from generator.spec import BuildError, FigureOptions, UnitChoice, nearest

if TYPE_CHECKING:
    from generator.inputs import Inputs


@dataclass(frozen=True)
class Chosen:
    """A unit. concept: what it was found by, "" where it was named; area: its area under the ROC curve for that."""

    group: str
    number: int
    concept: str = ""
    area: float = 0.5
    rank: int = 1  # of all units, by how well they follow the concept
    among: str = ""  # the group that it was found in, where another unit of the figure was found by the same concept

    @property
    def name(self) -> str:
        return interp.reading.unit_name(self.group, self.number)

    @property
    def label(self) -> str:
        """What its measures begin with."""
        own = ".".join(filter(None, (self.concept or self.name.replace(" ", "-"), self.among.replace(" ", "-"))))
        return own if self.rank == 1 else f"{own}.{self.rank}"

    @property
    def high(self) -> bool:
        """Whether it is high where the concept holds."""
        return self.area >= 0.5

    @property
    def strength(self) -> float:
        """The area, whichever way round the unit follows the concept."""
        return max(self.area, 1 - self.area)


def search(
    model: Model, texts: Corpus, progress: Callable[[int, int], None] = lambda done, total: None
) -> census.Counted:
    """Every unit against every concept, on texts that nothing is then judged by."""
    return census.count(model, texts, census.scale_of(model, texts), progress)


def held_out(model: Model, texts: Corpus, shown: Sequence[Chosen], seed: int) -> Measures:
    """The area of each unit that was found by a concept, on texts that nothing was chosen by, and its interval.

    As LABEL.auc; none for a concept that holds nowhere or everywhere.
    """
    sought = [one for one in shown if one.concept in texts.concepts]
    found = Measures()
    if not sought:
        return found
    counted = search(model, texts)
    rows = [counted.units.index((one.group, one.number)) for one in sought]
    columns = [texts.concepts.index(one.concept) for one in sought]
    last = interp.histograms.LEVELS - 1
    own = counted.levels[rows]
    levels = (row if one.high else last - row for row, one in zip(own, sought, strict=True))
    holds = (counted.flags[:, column] for column in columns)
    off = interp.resampling.area_errors(levels, holds, counted.documents, seed)
    for one, row, column, (low, high) in zip(sought, rows, columns, off.tolist(), strict=True):
        area = float(counted.areas[row, column])
        area = area if one.high else 1 - area
        if np.isfinite([area, low, high]).all():
            found.values[f"{one.label}.auc"] = round(area, 4)
            ends = max(0.0, area + low), min(1.0, area + high)
            found.intervals[f"{one.label}.auc"] = (round(ends[0], 4), round(ends[1], 4))
    return found


def units(
    choices: Sequence[UnitChoice], options: ConceptOptions, inputs: Inputs, texts: Corpus | None = None
) -> list[Chosen]:
    """The units that a figure shows: those of a concept are found on the validation split of its data set.

    What was found is kept, for figures that ask for the same, such as those of a timeline. texts: of that split, where
    they are at hand. BuildError where there is no such unit.
    """
    groups = reader_of(inputs.model).groups
    if all(choice.concept is None for choice in choices):
        return [one for choice in choices for one in chosen(choice, groups, None)]
    dataset = getattr(options, "dataset", None)
    if dataset is None:
        raise BuildError("to find the unit of a concept, name the text data set to search: `dataset`")
    own = set(ConceptOptions.model_fields) - set(FigureOptions.model_fields)
    asked = {
        "what": "units of concepts",
        "units": [choice.model_dump(mode="json") for choice in choices],
        "options": options.model_dump(mode="json", include=own),
        "functions": {name: callable_digest(f"concept {name}:", one) for name, one in options.functions.items()},
        "model": inputs.library.fingerprint(inputs.chosen_in.name),
        "random": inputs.random,
        "data": inputs.library.data_fingerprint(dataset),
        "code": code_digest(__name__),
        "versions": versions(),
    }

    def make() -> Artifact:
        found = search(inputs.chosen_in, texts or read(options, inputs, dataset, "validation"), inputs.progress)
        return Artifact(data={"units": [asdict(one) for choice in choices for one in chosen(choice, groups, found)]})

    return told_apart([Chosen(**one) for one in inputs.kept(asked, make).data["units"]])


def told_apart(found: Sequence[Chosen]) -> list[Chosen]:
    """The same, with the group in the labels of those that would share one though they are other units."""
    units: dict[str, set[tuple[str, int]]] = {}
    for one in found:
        units.setdefault(one.label, set()).add((one.group, one.number))
    return [replace(one, among=one.group) if len(units[one.label]) > 1 else one for one in found]


def held_out_of(shown: Sequence[Chosen], options: ConceptOptions, inputs: Inputs) -> Measures:
    """`held_out` on the test split of the figure's data set, where that has one."""
    if not any(one.concept for one in shown):
        return Measures()
    dataset = str(getattr(options, "dataset", None))
    if not inputs.documents(dataset, "test"):
        return Measures()
    return held_out(inputs.model, read(options, inputs, dataset, "test"), shown, options.seed)


def read(options: ConceptOptions, inputs: Inputs, dataset: str, split: str) -> Corpus:
    """A split of a figure's data set, as much of it as its options say."""
    return corpus(inputs.documents(dataset, split), options.labelling(), options.documents, options.length)


def chosen(choice: UnitChoice, groups: Mapping[str, int], found: census.Counted | None) -> list[Chosen]:
    """The units of a choice, of a model with these groups. BuildError where there is none."""
    if choice.group is not None and choice.group not in groups:
        raise BuildError(f"the model has no units {choice.group!r}{nearest(choice.group, groups)}")
    if choice.concept is None or found is None:
        group = choice.group or next(iter(groups))
        numbers = choice.numbers(groups[group])
        if not numbers:
            raise BuildError(f"the model has no unit {choice.index} in {group}; it has 0 to {groups[group] - 1}")
        return [Chosen(group, number) for number in numbers]
    concepts = found.corpus.concepts
    if choice.concept not in concepts:
        raise BuildError(f"unknown concept {choice.concept!r}{nearest(choice.concept, concepts)}")
    areas = np.nan_to_num(found.areas[:, concepts.index(choice.concept)], nan=0.5)
    among = [place for place, (group, _) in enumerate(found.units) if choice.group in (None, group)]
    if choice.rank > len(among):
        raise BuildError(f"rank {choice.rank} of {choice.concept}: there are {len(among)} units")
    best = sorted(among, key=lambda place: -abs(areas[place] - 0.5))[choice.rank - 1]
    return [Chosen(*found.units[best], choice.concept, float(areas[best]), choice.rank)]
