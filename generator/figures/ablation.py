"""Whether a unit matters: how much worse the model predicts when the unit is held still, concept by concept.

Losses are measured on the test split, where a concept holds; the value that a unit is held at, and the unit of a
concept, are found on the validation split. Beside each unit stand others of its group, drawn at random and held
still in the same way: a unit that matters does so more than they.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import choosing, interp, readers
from generator.artifact import Artifact
from generator.choosing import Chosen
from generator.concept_options import ConceptOptions
from generator.deferred import Deferred
from generator.labelling import Corpus
from generator.spec import BuildError, UnitChoice

if TYPE_CHECKING:
    import torch

    from generator.inputs import Inputs
else:
    torch = Deferred("torch")

EXAMPLE = """\
model: tiny-text
dataset: tiny-corpus
units: [{group: cell, index: 0}]
documents: 2
length: 200
controls: 3
caption: Does it matter?
"""

WIDTH = 120  # of the drawing of a row
LEAST = 20  # characters where a concept holds, below which nothing is said of it


class Options(ConceptOptions):
    model: str = Field(description="a model of site.toml that reads text and expects what comes next")
    dataset: str = Field(description="a text data set: units are searched on its validation split, measured on test")
    units: tuple[UnitChoice, ...] = Field(
        min_length=1, max_length=8, description="units that are held still, one by one"
    )
    to: Literal["mean", "zero"] = Field("mean", description="the value that they are held at")
    controls: int = Field(12, ge=1, le=100, description="other units of the same group, held still for comparison")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """Each rise is the mean of the loss with the unit held still, less that without, over the same characters."""
    reader = readers.reader_of(inputs.model)
    first, read = (choosing.read(options, inputs, options.dataset, split) for split in ("validation", "test"))
    chosen = choosing.units(options.units, options, inputs, first)
    groups = sorted({unit.group for unit in chosen})
    values = interp.ablation.means(reader, [reader.tokens(text).ids for text in first.texts], groups)
    others = {group: random_others(reader, group, chosen, options) for group in groups}
    tokens = [reader.tokens(text) for text in read.texts]
    ids = [one.ids for one in tokens]
    holds = at_tokens(tokens, read)  # (tokens, concepts)
    total, done = 1 + len(chosen) + sum(map(len, others.values())), 0

    def held(unit: Chosen | None) -> NDArray[np.float64]:
        """Losses, (tokens,), with a unit held still."""
        nonlocal done
        clamps = [] if unit is None else [clamp(unit, values, options.to)]
        try:
            found = interp.ablation.losses(reader, ids, clamps)
        except ValueError as error:
            raise BuildError(f"model {inputs.model.name}: {error}") from error
        inputs.progress(done := done + 1, total)
        return np.asarray(found.double().numpy())

    free = held(None)
    told = np.isfinite(free)  # all but the last tokens of documents
    if np.isnan(free).sum() > len(ids):
        raise BuildError(f"model {inputs.model.name}: some losses are not numbers; was its training stable?")
    holds = np.concatenate([np.ones_like(holds[:, :1]), holds], 1)[told]
    names = ["everywhere", *read.concepts]
    rises = {unit: rise(held(unit)[told] - free[told], holds) for group in groups for unit in others[group]}
    often = np.flatnonzero(holds.sum(0) >= LEAST)  # concepts of which something can be said
    rows: list[dict[str, Any]] = []
    measures: dict[str, float] = {"tokens": int(told.sum()), "loss": float(free[told].mean())}
    for unit in chosen:
        own = rise(held(unit)[told] - free[told], holds)
        control = np.stack([rises[other] for other in others[unit.group]])  # (controls, concepts)
        found = {names[number]: judged(own[number], control[:, number]) for number in often}
        measures |= {f"{unit.label}.{name}.{key}": value for name, one in found.items() for key, value in one.items()}
        value = float(values[unit.group][unit.number]) if options.to == "mean" else 0.0
        concepts = [
            {
                "name": names[number],
                "loss": round(float(free[told][holds[:, number]].mean()), 4),
                "sought": names[number] == unit.concept,
                **drawn(own[number], control[:, number]),
            }
            for number in often
        ]
        rows.append({"name": unit.name, "note": unit.concept, "value": round(value, 3), "rows": concepts})
    data = {
        "units": rows,
        "to": options.to,
        "controls": options.controls,
        "width": WIDTH,
        "tokens": int(told.sum()),
        "documents": len(ids),
        "least": LEAST,
    }
    return Artifact(data=data, measures=measures)


def random_others(
    reader: interp.reading.Reader, group: str, chosen: Sequence[Chosen], options: Options
) -> list[Chosen]:
    """Units of a group that were not chosen, drawn by the figure's seed."""
    taken = {unit.number for unit in chosen if unit.group == group}
    left = [number for number in range(reader.groups[group]) if number not in taken]
    if len(left) < options.controls:
        raise BuildError(f"controls: group {group} has only {len(left)} other units")
    drawn = np.random.default_rng(options.seed).choice(left, options.controls, replace=False)
    return [Chosen(group, int(number)) for number in sorted(drawn)]


def clamp(unit: Chosen, values: Mapping[str, torch.Tensor], to: str) -> interp.reading.Clamp:
    """The unit held still. values: means by group, (units,), for a unit that is held at its own."""
    value = values[unit.group][unit.number : unit.number + 1] if to == "mean" else torch.zeros(1)
    return interp.reading.Clamp(unit.group, torch.tensor([unit.number]), value)


def at_tokens(tokens: Sequence[interp.reading.Tokens], read: Corpus) -> NDArray[np.bool_]:
    """Where each concept holds at the last character of a token, (tokens of all texts, concepts)."""
    ends = [
        start + np.maximum(one.spans[:, 1].numpy() - 1, 0)
        for one, start in zip(tokens, read.starts.tolist(), strict=False)  # the last start is where all end
    ]
    return read.flags(np.concatenate(ends))


def rise(differences: NDArray[np.float64], holds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean difference where each concept holds, (concepts,); 0 where it holds nowhere."""
    return np.asarray(differences @ holds / np.maximum(holds.sum(0), 1))


def judged(own: float, control: NDArray[np.float64]) -> dict[str, float]:
    """The rise of a unit, the highest of its controls, and the share of these that it exceeds."""
    return {"rise": float(own), "control": float(control.max()), "beaten": float((control < own).mean())}


def drawn(own: float, control: NDArray[np.float64]) -> dict[str, Any]:
    """The rises of a unit and of its controls, and their places from 0 to WIDTH, with that of no rise at all."""
    low, high = min(own, 0.0, float(control.min())), max(own, 0.0, float(control.max()))

    def place(value: float) -> float:
        return round(3 + (WIDTH - 6) * (value - low) / max(high - low, 1e-12), 1)

    return {
        "rise": round(float(own), 5),
        "low": round(float(control.min()), 5),
        "high": round(float(control.max()), 5),
        "beaten": int((control < own).sum()),
        "place": place(float(own)),
        "controls": [place(float(one)) for one in control],
        "zero": place(0.0),
    }
