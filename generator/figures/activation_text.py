"""A text coloured by the activation of units after each character: red high, blue low.

The reader switches between units. After Karpathy, Johnson and Fei-Fei, "Visualizing and understanding
recurrent networks", 2015, https://arxiv.org/abs/1506.02078.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import units
from generator.artifact import Artifact
from generator.spec import BuildError, FigureOptions, TextChoice, UnitChoice, nearest

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-text
units: [{state: cell, index: 0}, {state: hidden, index: 1}]
text: {literal: "x = 'a <b>'"}
caption: Two units.
"""

LEVELS = 21  # steps of colour, from low to high; the middle one is light


class Options(FigureOptions):
    """Options of a coloured text."""

    model: str = Field(description="a text model of site.toml")
    units: tuple[UnitChoice, ...] = Field(min_length=1, max_length=24, description="units to switch between")
    text: TextChoice = Field(description="the text that is coloured")
    dataset: str | None = Field(None, description="text data set whose validation split is searched for concepts")
    language: Literal["python", "prose"] = Field("python", description="what the concepts are read from")
    documents: int = Field(20, ge=1, description="documents searched")
    length: int = Field(1600, ge=100, description="characters read of each")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The colours of a unit span the 2nd to the 98th percentile of its activations on this text.

    So every unit uses the whole scale, and the legend tells what the scale means for it.
    """
    context, text, document = inputs.text(options.text)
    names, read = units.activations(inputs.model, [context + text])
    values = read[0][len(context) :].numpy()  # (characters, units)
    searched = None
    if any(choice.concept is not None for choice in options.units):
        if options.dataset is None:
            raise BuildError("to find the unit of a concept, name the text data set to search: `dataset`")
        documents = inputs.documents(options.dataset, "validation")
        excerpts = units.excerpts(documents, options.language, options.documents, options.length)
        searched = units.selectivity(inputs.model, excerpts, inputs.progress)
    shown = []
    measures: dict[str, float] = {"characters": len(text)}
    for choice in options.units:
        number, sign, note = chosen(choice, names, searched)
        name = names[number] if sign > 0 else f"−{names[number]}"
        shown.append({"name": name, "note": note, **coloured(sign * values[:, number])})
        label = choice.concept or names[number].replace(" ", "-")
        measures[f"{label}.low"], measures[f"{label}.high"] = shown[-1]["low"], shown[-1]["high"]
    return Artifact(data={"document": document, "text": text, "units": shown}, measures=measures)


def chosen(choice: UnitChoice, names: list[str], searched: units.Selectivity | None) -> tuple[int, int, str]:
    """The number of the chosen unit among `names`, the sign it is shown with, and what is to be said of it.

    A unit that is low for its concept is shown negated, so that red always says that the concept holds.
    """
    if searched is None or choice.concept is None:
        place = f"{choice.layer}.{choice.index}" if choice.layer else str(choice.index)
        name = f"{choice.state or 'hidden'} {place}"
        if name not in names:
            raise BuildError(f"the model has no unit {name!r}; its units are {names[0]} to {names[-1]}")
        return names.index(name), 1, ""
    if choice.concept not in searched.concepts:
        raise BuildError(f"unknown concept {choice.concept!r}{nearest(choice.concept, searched.concepts)}")
    column = searched.areas[:, searched.concepts.index(choice.concept)]
    strength = units.strength(column)
    if choice.state is not None:
        strength = np.where([name.startswith(choice.state) for name in names], strength, 0)
    number = int(np.argsort(-strength, kind="stable")[choice.rank - 1])
    sign = 1 if column[number] >= 0.5 else -1
    turned = ", shown negated" if sign < 0 else ""
    return number, sign, f"{choice.concept}, AUC {strength[number]:.2f} where it was searched{turned}"


def coloured(values: NDArray[np.float32]) -> dict[str, Any]:
    """Levels 0 to 20 and the values themselves, for one unit."""
    low, high = (float(value) for value in np.percentile(values, [2, 98]))
    span = max(high - low, 1e-6)
    levels = np.clip(np.rint((values - low) / span * (LEVELS - 1)), 0, LEVELS - 1).astype(int)
    return {
        "low": round(low, 3),
        "high": round(high, 3),
        "levels": levels.tolist(),
        "values": [round(float(value), 2) for value in values],
    }
