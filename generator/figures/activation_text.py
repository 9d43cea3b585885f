"""A text of any length coloured by the activation of units after each character: red high, blue low.

The reader switches between units. After Karpathy, Johnson and Fei-Fei, "Visualizing and understanding
recurrent networks", 2015, https://arxiv.org/abs/1506.02078.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from generator import choosing, interp, readers
from generator.artifact import Artifact
from generator.choosing import Chosen
from generator.concept_options import ConceptOptions
from generator.model import Model
from generator.quantised import LEVELS, STEPS, Quantised, largest_error, quantised, scale_of
from generator.spec import BuildError, TextChoice, UnitChoice

if TYPE_CHECKING:
    from generator.inputs import Inputs

EXAMPLE = """\
model: tiny-text
units: [{group: cell, index: "0:2"}, {group: hidden, index: 1}]
text: {literal: "x = 'a <b>'"}
caption: Three units.
"""

MOST_UNITS = 256
BLOCK = 800  # characters, up to the next line end: what is laid out and painted at once
PEAKS = 3  # passages told in words
BEFORE, AFTER = 24, 16  # characters of a passage around its peak
ALONE = "\n\t\f\r"  # without ink, and shown as marks on request

Values = NDArray[np.float32]


class Options(ConceptOptions):
    model: str = Field(description="a model of site.toml that reads text")
    units: tuple[UnitChoice, ...] = Field(
        min_length=1, max_length=MOST_UNITS, description="units to switch between, up to 256 with those in ranges"
    )
    text: TextChoice = Field(description="the text that is coloured")
    scale: Literal["each", "shared"] = Field(
        "each", description="what the colours span: each unit's own activations, or those of all units alike"
    )
    dataset: str | None = Field(None, description="text data set whose validation split is searched for concepts")


def compute(options: Options, inputs: Inputs) -> Artifact:
    """The page carries each activation as a whole number, see generator/quantised.py, and the largest error of all."""
    context, text, document = inputs.text(options.text)
    shown = choosing.units(options.units, options, inputs)
    if len(shown) > MOST_UNITS:
        raise BuildError(f"units: {len(shown)} are chosen; a figure shows up to {MOST_UNITS}")
    judged = choosing.held_out_of(shown, options, inputs)
    values = recorded(inputs.model, context, text, shown, inputs.progress)
    there = np.isfinite(values[0])
    shared = scale_of(values[:, there]) if options.scale == "shared" else None
    kept = [quantised(own, shared or scale_of(own[there])) for own in values]
    errors = [largest_error(one, own) for one, own in zip(kept, values, strict=True)]
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # the only character that no page can hold
    measures: dict[str, float] = {"characters": len(text), "units": len(shown), "error": max(errors)}
    for unit, one in zip(shown, kept, strict=True):
        measures |= {f"{unit.label}.low": round(one.scale.low, 3), f"{unit.label}.high": round(one.scale.high, 3)}
    data = {
        "document": document,
        "scale": options.scale,
        "levels": LEVELS,
        "around": [BEFORE, AFTER],
        "units": [told(*each) for each in zip(shown, kept, errors, map(peaks, values), strict=True)],
        "codes": [one.packed() for one in kept],
        "blocks": blocks(text, kept[0].levels),
        "passages": [passage(text, peak, float(kept[0].values[peak])) for peak in peaks(values[0])],
    }
    return Artifact(data=data, measures={**judged.values, **measures}, intervals=judged.intervals)


def told(unit: Chosen, kept: Quantised, error: float, highest: list[int]) -> dict[str, Any]:
    """What the page is told of a unit beside its codes."""
    scale = kept.scale
    step = (scale.high - scale.low) / STEPS
    return {
        "name": shown_name(unit),
        "note": note(unit),
        "low": scale.low,
        "high": scale.high,
        "whole": scale.whole,
        "first": kept.first,
        "error": error,
        "decimals": int(np.clip(np.ceil(-np.log10(step)), 0, 9)) if step > 0 else 2,
        "peaks": highest,
    }


def shown_name(unit: Chosen) -> str:
    """One that is low for its concept is shown negated, so that red always says that the concept holds."""
    return unit.name if unit.high else f"−{unit.name}"


def note(unit: Chosen) -> str:
    """How well the unit follows the concept that it was found by; nothing of one that was named."""
    if not unit.concept:
        return ""
    turned = "" if unit.high else ", shown negated"
    return f"{unit.concept}, AUC {unit.strength:.2f} where it was searched{turned}"


def recorded(
    model: Model, context: str, text: str, shown: Sequence[Chosen], progress: Callable[[int, int], None]
) -> Values:
    """What the units do at each character, (units, characters), with their signs; NaN where no token stands for it.

    A token of several characters counts for all of them. BuildError where an activation is not a number.
    """
    reader = readers.reader_of(model)
    tokens = reader.tokens(context + text)
    groups = list(dict.fromkeys(one.group for one in shown))
    before = dict(zip(groups, np.cumsum([0, *(reader.groups[group] for group in groups)]).tolist(), strict=False))
    columns = [before[one.group] + one.number for one in shown]
    signs = np.array([1 if one.high else -1 for one in shown], dtype=np.float32)[:, None]
    found = np.full((len(shown), len(text)), np.nan, dtype=np.float32)
    for piece in interp.reading.record(reader, [tokens.ids], groups, progress=progress):
        own = piece.activations[:, columns].T  # (units, tokens)
        readers.check_numbers(model.name, own)
        spans = (tokens.spans[piece.positions].numpy() - len(context)).clip(0, len(text))  # (tokens, 2)
        lengths = spans[:, 1] - spans[:, 0]
        token = np.repeat(np.arange(len(spans)), lengths)
        characters = np.arange(len(token)) + np.repeat(spans[:, 0] - np.cumsum(lengths) + lengths, lengths)
        found[:, characters] = signs * own.numpy()[:, token]
    return found


def blocks(text: str, levels: NDArray[np.int64]) -> list[list[tuple[int, str]]]:
    """Runs of equal level, block after block of whole lines; a character without ink stands alone."""
    alone = np.array([character in ALONE for character in text], dtype=bool)
    changes = np.diff(levels, prepend=-2).astype(bool) | alone | np.roll(alone, 1)
    starts = [*np.flatnonzero(changes).tolist(), len(text)]
    found: list[list[tuple[int, str]]] = []
    opened = -1  # where the last block starts, or -1 before one does
    for start, stop in pairwise(starts):
        if opened < 0:
            opened = start
            found.append([])
        found[-1].append((int(levels[start]), text[start:stop]))
        if text[start] == "\n" and stop - opened >= BLOCK:
            opened = -1
    return found


def peaks(values: Values) -> list[int]:
    """Where a unit is highest, highest first, each a passage away from the others; none where it never changes."""
    left = np.nan_to_num(values, nan=-np.inf)
    lowest = values[np.isfinite(values)].min(initial=np.inf)
    found: list[int] = []
    while len(found) < PEAKS and left.max(initial=-np.inf) > lowest:
        found.append(int(left.argmax()))
        left[max(0, found[-1] - BEFORE - AFTER) : found[-1] + BEFORE + AFTER] = -np.inf
    return found


def passage(text: str, peak: int, value: float) -> dict[str, Any]:
    """The text around a peak, on one line."""
    before, after = text[max(0, peak - BEFORE) : peak], text[peak + 1 : peak + 1 + AFTER]
    words = {"before": before, "at": text[peak], "after": after}
    return {name: part.replace("\n", "↵") for name, part in words.items()} | {"value": value}
