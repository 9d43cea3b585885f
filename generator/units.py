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
) -> tuple[list[str], list[NDArray[np.float32]]]:
    """Names of all units, such as `cell 37`, and for each text their activations, (characters, units).

    A unit of a second layer is called `cell 1.37`. ValueError where an activation is not a number.
    """
    network = recurrent(model)
    longest = max(len(text) for text in texts)
    # Padded at the end, where it cannot change what comes before it.
    indices = torch.tensor([model.encode(text) + [0] * (longest - len(text)) for text in texts])
    states = interp.recurrent.states(network, indices, progress)
    if not all(bool(state.isfinite().all()) for state in states.values()):
        raise BuildError(
            f"model {model.name}: some activations are not numbers (NaN or infinite); was its training stable?"
        )
    names = [unit_name(state, number) for state, values in states.items() for number in range(values.shape[2])]
    together = torch.cat(list(states.values()), dim=2).numpy()  # (texts, characters, units)
    return names, [together[row, : len(text)] for row, text in enumerate(texts)]


def unit_name(state: str, number: int) -> str:
    """The name of a unit from its state (`cell0`) and number.

    >>> unit_name("cell0", 37), unit_name("hidden1", 4)
    ('cell 37', 'hidden 1.4')
    """
    kind, layer = state.rstrip("0123456789"), state.lstrip("abcdefghijklmnopqrstuvwxyz")
    return f"{kind} {number}" if layer == "0" else f"{kind} {layer}.{number}"


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

    An excerpt begins where a document's first top-level definition or paragraph does: what stands above it
    (licences, long docstrings) is much the same everywhere.
    """
    texts: list[str] = []
    masks, columns = [], []
    for document in documents:
        if len(texts) == most:
            break
        found = interp.concepts.concepts(document.text, language)
        if found is None:
            continue
        start = beginning(document.text, language)
        texts.append(document.text[start : start + length])
        masks.append(np.stack([mask[start : start + length] for mask in found.values()], axis=1))
        columns.append(interp.concepts.position_in_line(document.text)[start : start + length])
        names = list(found)
    if not texts:
        raise BuildError(f"none of the {len(documents)} documents can be read as {language}")
    units, values = activations(model, texts, lambda done, total: progress(done, 2 * total))
    flags = np.concatenate(masks)
    together = torch.from_numpy(np.concatenate(values))  # (characters, units)
    areas = interp.selectivity.areas(
        together,
        torch.from_numpy(flags),
        lambda done, total: progress(total + done, 2 * total),
    )
    positions = interp.selectivity.correlations(together, torch.from_numpy(np.concatenate(columns)))
    return Selectivity(units, names, areas.numpy(), positions.numpy(), flags.mean(0), len(texts), len(flags))


def beginning(text: str, language: str) -> int:
    """Where the first top-level definition starts, or 0."""
    if language != "python":
        return 0
    starts = [at + 1 for word in ("\ndef ", "\nclass ") if (at := text.find(word)) >= 0]
    return min(starts, default=0)


def strength(areas: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area whichever way round the unit follows the concept, high or low: from 0.5; undefined ones 0.5."""
    return np.asarray(np.nan_to_num(np.maximum(areas, 1 - areas), nan=0.5), dtype=np.float32)
