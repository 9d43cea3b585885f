"""The units of a text model: their activations on texts, and which of them follow which concept.

Units are searched on one set of documents and measured on another, because the best of a thousand
units looks better on the text that chose it than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.data import Document
from generator.deferred import Deferred
from generator.model import Model
from generator.spec import BuildError

if TYPE_CHECKING:
    import torch
else:
    torch = Deferred("torch")

Progress = Callable[[int, int], None]


def reader_of(model: Model) -> interp.reading.Reader:
    """How the model reads text; BuildError where it reads none."""
    if model.reader is None:
        raise BuildError(f"model {model.name} reads no text")
    return model.reader


def recurrent(model: Model) -> interp.recurrent.Recurrent:
    """The reader of a character model; BuildError where the model is another."""
    if not isinstance(model.reader, interp.recurrent.Recurrent):
        raise BuildError(f"model {model.name} is no character model")
    return model.reader


def activations(
    model: Model, texts: Sequence[str], progress: Progress = lambda done, total: None
) -> tuple[list[str], list[torch.Tensor]]:
    """Names of all units, such as `cell 37`, and of each text their activations, (characters, units).

    BuildError where an activation is not a number, or a token is not one character.
    """
    reader = reader_of(model)
    names = interp.reading.unit_names(reader)
    documents = [reader.tokens(text).ids for text in texts]
    if any(len(ids) != len(text) for ids, text in zip(documents, texts, strict=True)):
        raise BuildError(f"model {model.name} reads tokens, and here each character must be one")
    # One piece of memory each, written once: text is long, and units are many.
    found = [torch.empty(len(ids), len(names)) for ids in documents]
    for piece in interp.reading.record(reader, documents, tuple(reader.groups), progress=progress):
        if not bool(piece.activations.isfinite().all()):
            raise BuildError(
                f"model {model.name}: some activations are not numbers (NaN or infinite); was its training stable?"
            )
        for number in set(piece.documents.tolist()):
            own = piece.documents == number
            found[number][piece.positions[own]] = piece.activations[own]
    return names, found


@dataclass(frozen=True)
class Selectivity:
    """areas: (units, concepts), area under the ROC curve, NaN where undefined. positions: (units,),
    Spearman's correlation with the position in the line. shares: of characters, by concept.
    """

    units: list[str]
    concepts: list[str]
    areas: NDArray[np.float32]
    positions: NDArray[np.float32]
    shares: NDArray[np.float64]
    documents: int
    characters: int


@dataclass(frozen=True)
class Excerpts:
    """Texts; where each concept holds, (characters of all texts, concepts); positions in the line."""

    texts: list[str]
    concepts: list[str]
    flags: NDArray[np.bool_]
    columns: NDArray[np.int64]


def excerpts(documents: Sequence[Document], language: str, most: int, length: int) -> Excerpts:
    """From up to `most` documents, the longest that can be read as `language`, up to `length` characters each.

    An excerpt begins where a document's first top-level definition does: what stands above it (licences, long
    docstrings) is much the same everywhere.
    """
    found: list[tuple[str, int, dict[str, NDArray[np.bool_]], NDArray[np.int64]]] = []
    for document in sorted(documents, key=lambda one: (-len(one.text), one.name)):
        if len(found) == most:
            break
        masks = interp.concepts.concepts(document.text, language)
        if masks is not None and document.text:
            start = beginning(document.text, language)
            columns = interp.concepts.position_in_line(document.text)
            found.append((document.text[start : start + length], start, masks, columns))
    if not found:
        raise BuildError(f"none of the {len(documents)} documents can be read as {language}")
    names = list(found[0][2])
    flags = [np.stack([masks[name][at : at + len(text)] for name in names], axis=1) for text, at, masks, _ in found]
    positions = [columns[at : at + len(text)] for text, at, _, columns in found]
    return Excerpts([text for text, *_ in found], names, np.concatenate(flags), np.concatenate(positions))


def selectivity(model: Model, read: Excerpts, progress: Progress = lambda done, total: None) -> Selectivity:
    """Score every unit for every concept on excerpts."""
    units, values = activations(model, read.texts, lambda done, total: progress(done, 2 * total))
    together = torch.cat(values)  # (characters, units), text after text
    areas = interp.selectivity.areas(
        together, torch.from_numpy(read.flags), lambda done, total: progress(total + done, 2 * total)
    )
    positions = interp.selectivity.correlations(together, torch.from_numpy(read.columns))
    return Selectivity(
        units, read.concepts, areas.numpy(), positions.numpy(), read.flags.mean(0), len(read.texts), len(read.flags)
    )


def beginning(text: str, language: str) -> int:
    """Where the first top-level definition starts, or 0."""
    if language != "python":
        return 0
    starts = [at + 1 for word in ("\ndef ", "\nclass ") if (at := text.find(word)) >= 0]
    return min(starts, default=0)


def strength(areas: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area whichever way round the unit follows the concept, high or low: from 0.5; undefined ones 0.5."""
    return np.asarray(np.nan_to_num(np.maximum(areas, 1 - areas), nan=0.5), dtype=np.float32)
