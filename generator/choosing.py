"""Which units a figure of text shows: named by group and number, or found by the concept that they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from generator import census, interp
from generator.labelling import Corpus
from generator.model import Model
from generator.spec import BuildError, UnitChoice, nearest


@dataclass(frozen=True)
class Chosen:
    """A unit. concept: what it was found by, "" where it was named; area: its area under the ROC curve for that."""

    group: str
    number: int
    concept: str = ""
    area: float = 0.5

    @property
    def name(self) -> str:
        return interp.reading.unit_name(self.group, self.number)

    @property
    def label(self) -> str:
        """What its measures begin with."""
        return self.concept or self.name.replace(" ", "-")

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
    return [Chosen(*found.units[best], choice.concept, float(areas[best]))]
