"""One unit of a network that reads: the passages of a data set where it is most active, least, in between, at random.

The strongest alone make every unit look as if it knew one thing (Bolukbasi et al., 2021,
https://arxiv.org/abs/2104.07143), so others stand below them. All counts are of every token that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from generator import choosing, interp
from generator.artifact import Artifact
from generator.concept_options import ConceptOptions
from generator.data import Document
from generator.excerpts import Excerpt, Scale, excerpts
from generator.passages import Places, Unit, group_of, texts, unit
from generator.readers import reader_of
from generator.spec import UnitChoice

if TYPE_CHECKING:
    import torch

    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-text
unit: {group: cell, index: 3}
dataset: tiny-corpus
before: 12
after: 12
caption: Where one cell of a small network is active.
"""

SPARE = 3  # places kept for each that is shown, because some are left out as near copies
RARE = 5  # a token read less often says nothing
SIGNS = {" ": "space", "\n": "newline", "\t": "tab", "\f": "form feed", "\r": "carriage return"}  # not seen in a list
NEIGHBOURS = 4  # documents whose tokens are kept at hand: all of them would fill the memory
CHART = (320, 80)  # width and height of the histogram's drawing, in units of its own


class Options(ConceptOptions):
    model: str = Field(description="a model of site.toml that reads text")
    unit: UnitChoice = Field(
        description="the unit: `{group: cell, index: 3}`, or the one that follows a concept, `{concept: inside-string}`"
    )
    dataset: str = Field(description="a text data set of site.toml")
    split: str = Field("test", description="its split")
    characters: int = Field(
        200_000, ge=1, description="characters read at most: of longer data sets the beginning of every document"
    )
    top: int = Field(8, ge=1, le=64, description="passages where the unit is most active")
    bottom: int = Field(3, ge=0, le=64, description="passages where it is least active")
    quantiles: tuple[float, ...] = Field(
        (90, 75, 50, 25, 10),
        max_length=64,
        description="passages between: at which per cent of those where it is active",
    )
    random: int = Field(3, ge=0, le=64, description="places of the text at random, the same for all units of the group")
    before: int = Field(40, ge=0, le=400, description="tokens shown before the place")
    after: int = Field(40, ge=0, le=400, description="tokens shown after it")
    threshold: float = Field(0.0, description="the unit counts as active above it")

    @field_validator("unit")
    @classmethod
    def _is_one(cls, unit: UnitChoice) -> UnitChoice:
        if isinstance(unit.index, str):
            raise ValueError(f"one unit is shown, so give its number, not the range {unit.index!r}")
        return unit

    @model_validator(mode="after")
    def _between(self) -> Self:
        if not all(0 <= quantile <= 100 for quantile in self.quantiles):
            raise ValueError("quantiles: each is a per cent of the passages, from 0 to 100")
        return self


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The colours are those of one scale for all passages: the middle is 0 where the unit is of both signs or rests."""
    (chosen,) = choosing.units([options.unit], options, inputs)
    group = group_of(inputs.model, chosen.group)
    documents = texts(inputs, options.dataset, options.split, options.characters)
    wanted = interp.contexts.Wanted(
        options.before,
        options.after,
        SPARE * max(options.top, options.bottom),
        max(48, SPARE * len(options.quantiles)),
        max(1, options.random),
        options.threshold,
        options.seed,
    )
    found = unit(inputs, group, chosen.number, documents, wanted, inputs.progress)
    tokens = int(found.seen.sum())
    silent = found.most == found.least
    reader = reader_of(inputs.model)
    favourites = [] if silent else favourite_tokens(found, reader)
    scale = scale_of(found)
    lists, copies = ([], 0) if silent else passages(found, documents, reader, options, scale)
    data = {
        "group": group.name,
        "unit": chosen.number,
        "label": group.label(chosen.number),
        "sought": {"rank": options.unit.rank, "concept": chosen.concept, "auc": chosen.strength, "high": chosen.high}
        if chosen.concept
        else None,
        "silent": silent,
        "tokens": tokens,
        "documents": len(documents),
        "split": options.split,
        "threshold": options.threshold,
        "scale": {"low": found.least, "high": scale.centre + scale.reach, "first": scale.level(found.least)},
        "lists": lists,
        "copies": copies,
        "labels": favourites,
        "histogram": None if silent else histogram(found),
    }
    measures = {
        "tokens": tokens,
        "least": found.least,
        "most": found.most,
        "active": found.above / tokens,
        "passages": found.passages,
        "active-passages": found.active / found.passages,
        "copies": copies,
    }
    return Artifact(data=data, measures={name: float(value) for name, value in measures.items()})


def scale_of(found: Unit) -> Scale:
    """Around 0 where the unit is of both signs or rests there, else around the middle of its range."""
    centre = 0.0 if found.least <= 0 <= found.most else (found.least + found.most) / 2
    return Scale(centre, max(found.most - centre, centre - found.least, 1e-9))


def passages(
    found: Unit, documents: Sequence[Document], reader: interp.reading.Reader, options: Options, scale: Scale
) -> tuple[list[dict[str, Any]], int]:
    """The lists of passages from the most active down, and how many near copies were left out of them."""
    shown: list[Excerpt] = []
    copies = 0

    @lru_cache(NEIGHBOURS)
    def spans(document: int) -> torch.Tensor:
        return reader.tokens(documents[document].text).spans

    def fresh(places: Places, most: int) -> Iterator[Excerpt]:
        nonlocal copies
        taken = 0
        for one in excerpts(places, documents, spans, options.before, options.after):
            if taken == most:
                return
            if any(one.repeats(other) for other in shown):
                copies += 1
                continue
            shown.append(one)
            taken += 1
            yield one

    rows: list[tuple[str, float | None, Excerpt]] = []
    rows += [("highest", None, one) for one in fresh(found.highest, options.top)]
    order = np.argsort(-found.drawn.values, kind="stable")
    for quantile in sorted(options.quantiles, reverse=True):
        near = np.argsort(np.abs(np.arange(len(order)) - (1 - quantile / 100) * (len(order) - 1)), kind="stable")
        nearest = order[near][:SPARE]
        rows += [("between", quantile, one) for one in fresh(chosen(found.drawn, nearest), 1)]
    if found.least < 0 or found.least > options.threshold:  # at rest there is nothing to see
        low = list(fresh(found.lowest, options.bottom))
        rows += [("lowest", None, one) for one in reversed(low)]
    anywhere = excerpts(found.anywhere, documents, spans, options.before, options.after) if options.random else []
    rows += [("random", None, one) for one in anywhere]
    return [
        {"name": name, "passages": [one.row(scale, quantile) for _, quantile, one in members]}
        for name, members in groupby(rows, key=lambda row: row[0])
    ], copies


def chosen(places: Places, numbers: NDArray[np.int64]) -> Places:
    """Those of these numbers, in their order."""
    return Places(places.values[numbers], places.documents[numbers], places.positions[numbers], places.around[numbers])


def favourite_tokens(found: Unit, reader: interp.reading.Reader, most: int = 8) -> list[dict[str, Any]]:
    """The tokens with the highest mean activation, of those read at least RARE times if there are any."""
    often = np.flatnonzero(found.seen >= min(RARE, int(found.seen.max())))
    best = often[np.argsort(-found.means[often], kind="stable")][:most]
    return [
        {
            "label": SIGNS.get(token := reader.token(int(one)), token),
            "mean": round(float(found.means[one]), 4),
            "count": int(found.seen[one]),
        }
        for one in best
    ]


def histogram(found: Unit) -> dict[str, Any]:
    """How many tokens have which activation, as the outline of a drawing of CHART; heights are logarithms of counts."""
    width, height = CHART
    heights = np.log1p(found.counts)
    tops = np.round(height - height * heights / heights.max(), 1)
    step = width / len(tops)
    outline = "".join(f"V{top:g}h{step:g}" for top in tops.tolist())
    return {
        "width": width,
        "height": height,
        "outline": f"M0 {height}{outline}V{height}Z",
        "low": found.least,
        "high": found.most,
    }
