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


def recurrent(model: Model) -> interp.recurrent.CharRNN:
    """The network of a character model; BuildError where the model is another."""
    if not model.symbols or not isinstance(model.network, interp.recurrent.CharRNN):
        raise BuildError(f"model {model.name} is no character model")
    return model.network


def activations(
    model: Model, texts: Sequence[str], progress: Progress = lambda done, total: None
) -> tuple[list[str], torch.Tensor]:
    """Names of all units, such as `cell 37`, and their activations on texts of one length.

    (texts, characters, units). BuildError where an activation is not a number.
    """
    indices = torch.tensor([model.encode(text) for text in texts])
    names, found = interp.recurrent.states(recurrent(model), indices, progress)
    # NaN spreads forward in time, so the last character tells of all.
    if not bool(found[:, -1].isfinite().all()):
        raise BuildError(
            f"model {model.name}: some activations are not numbers (NaN or infinite); was its training stable?"
        )
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


def selectivity(
    model: Model,
    documents: Sequence[Document],
    language: str,
    most: int,
    length: int,
    progress: Progress = lambda done, total: None,
) -> Selectivity:
    """Score every unit for every concept on excerpts of up to `most` documents, `length` characters each.

    An excerpt begins where a document's first top-level definition does: what stands above it (licences, long
    docstrings) is much the same everywhere. All excerpts are as long as the shortest, so the longest documents
    are taken.
    """
    readable = []
    for document in documents:
        found = interp.concepts.concepts(document.text, language)
        if found is not None and document.text:
            start = beginning(document.text, language)
            readable.append((document.text[start : start + length], start, document.text, found))
    readable = sorted(readable, key=lambda one: -len(one[0]))[:most]
    if not readable:
        raise BuildError(f"none of the {len(documents)} documents can be read as {language}")
    length = min(len(text) for text, *_ in readable)
    names = list(readable[0][3])
    units, values = activations(model, [text[:length] for text, *_ in readable], lambda done, total: progress(done, 2 * total))
    flags = np.concatenate(
        [np.stack([found[name][start : start + length] for name in names], axis=1) for _, start, _, found in readable]
    )
    columns = np.concatenate(
        [interp.concepts.position_in_line(whole)[start : start + length] for _, start, whole, _ in readable]
    )
    together = values.flatten(0, 1)  # (characters, units)
    areas = interp.selectivity.areas(
        together, torch.from_numpy(flags), lambda done, total: progress(total + done, 2 * total)
    )
    positions = interp.selectivity.correlations(together, torch.from_numpy(columns))
    return Selectivity(units, names, areas.numpy(), positions.numpy(), flags.mean(0), len(readable), len(flags))


def beginning(text: str, language: str) -> int:
    """Where the first top-level definition starts, or 0."""
    if language != "python":
        return 0
    starts = [at + 1 for word in ("\ndef ", "\nclass ") if (at := text.find(word)) >= 0]
    return min(starts, default=0)


def strength(areas: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area whichever way round the unit follows the concept, high or low: from 0.5; undefined ones 0.5."""
    return np.asarray(np.nan_to_num(np.maximum(areas, 1 - areas), nan=0.5), dtype=np.float32)
