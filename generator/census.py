"""Every unit of a network that reads text against every concept, in one pass over the text.

What is chosen (a unit for a concept, whether it is high or low there, a threshold) is chosen on one corpus and
judged on another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.labelling import Corpus
from generator.model import Model
from generator.readers import reader_of
from generator.spec import BuildError

if TYPE_CHECKING:
    from torch import Tensor

Progress = Callable[[int, int], None]
Scores = NDArray[np.float64]

FIRST = 16_384  # characters of the first pass, from which levels are made
SIDE_BY_SIDE = 64  # documents read at once
NGRAMS = 4_194_304  # characters that they are counted at, and scored at: more say little new, and would fill the memory
EXCHANGED = 32_768  # positions of the sample that chance is tried on: fewer make it better, so a finding harder


@dataclass(frozen=True)
class Counted:
    """What one network did on one corpus.

    units: group and number of each. levels: (units, positions), and places: (positions,), the characters, of the
    sample. read: (characters,), up to NGRAMS of those that a token ends at.
    """

    corpus: Corpus
    units: list[tuple[str, int]]
    histograms: interp.histograms.Histograms
    levels: NDArray[np.uint8]
    places: NDArray[np.int64]
    read: NDArray[np.int64]

    @cached_property
    def areas(self) -> Scores:
        """(units, concepts)."""
        return interp.separation.areas(self.histograms.holding, self.histograms.total)

    @cached_property
    def shares(self) -> Scores:
        """Of the positions, by concept."""
        return np.asarray(self.histograms.holding[0].sum(1) / self.histograms.total[0].sum())

    @cached_property
    def flags(self) -> NDArray[np.bool_]:
        """(positions, concepts), of the sample."""
        return self.corpus.flags(self.places)

    @cached_property
    def documents(self) -> NDArray[np.int64]:
        """(positions,), of the sample."""
        return np.searchsorted(self.corpus.starts, self.places, side="right") - 1

    @cached_property
    def correlations(self) -> Scores:
        """With the quantities, (units, quantities), of the sample."""
        return interp.resampling.rank_correlations(self.levels, self.quantities)

    @cached_property
    def quantities(self) -> Scores:
        """(positions, quantities), of the sample."""
        return self.corpus.quantities[self.places // self.corpus.stride]

    @property
    def thin(self) -> slice:
        """Positions of the sample that chance is tried on."""
        return slice(None, None, -(-len(self.places) // EXCHANGED))

    def chance(self, seed: int) -> Scores:
        """What the best unit reaches by chance, (concepts,)."""
        levels, flags, documents = self.levels[:, self.thin], self.flags[self.thin], self.documents[self.thin]
        return interp.resampling.best_by_chance(levels, flags, documents, seed)

    def chance_correlations(self, seed: int) -> Scores:
        """The same for quantities: the rank correlation that the best unit reaches by chance, (quantities,)."""
        levels, wanted, documents = self.levels[:, self.thin], self.quantities[self.thin], self.documents[self.thin]
        return interp.resampling.best_correlation_by_chance(levels, wanted, documents, seed)


def scale_of(model: Model, corpus: Corpus) -> interp.histograms.Scale:
    """Levels of the network's units, from a first pass over the beginnings of the texts."""
    reader = reader_of(model)
    length = max(1, FIRST // len(corpus.texts))
    documents = [reader.tokens(text[:length]).ids for text in corpus.texts[:FIRST]]
    pieces = interp.reading.record(reader, documents, tuple(reader.groups))
    together = np.concatenate([piece.activations.float().cpu().numpy() for piece in pieces])
    try:
        return interp.histograms.Scale.of(together)
    except ValueError as error:
        raise unstable(model, error) from error


def count(
    model: Model, corpus: Corpus, scale: interp.histograms.Scale, progress: Progress = lambda done, total: None
) -> Counted:
    """Read the corpus once. A token stands at its last character, which is when the network has read it."""
    reader = reader_of(model)
    units = interp.reading.units(reader)
    histograms = interp.histograms.Histograms(len(units), len(corpus.concepts))
    total = len(corpus.codes)
    read = Marks(total, max(1, -(-total // NGRAMS)))
    sampled = Marks(total, corpus.stride)
    # One piece of memory, written once: pieces kept one by one would leave it in holes.
    sample = np.zeros((len(units), len(corpus.quantities)), dtype=np.uint8)
    done = 0
    order = sorted(range(len(corpus.texts)), key=lambda number: -len(corpus.texts[number]))
    for first in range(0, len(order), SIDE_BY_SIDE):
        numbers = order[first : first + SIDE_BY_SIDE]
        ids, ends = zip(*(read_as(reader, corpus, number) for number in numbers), strict=True)
        begun, at = np.cumsum([0, *map(len, ends)]), np.concatenate(ends)
        for piece in interp.reading.record(reader, ids, tuple(reader.groups)):
            place = at[begun[piece.documents.numpy()] + piece.positions.numpy()]
            there = place >= 0
            try:
                found = scale.levels(piece.activations.float().cpu().numpy()[there])
            except ValueError as error:
                raise unstable(model, error) from error
            place = place[there]
            histograms.add(found, corpus.patterns[corpus.codes[place]])
            read.add(place)
            inside = sampled.add(place)
            sample[:, place[inside] // corpus.stride] = found[:, inside]
            progress(done := done + len(place), total)
    levels = sample if sampled.made.all() else sample[:, sampled.made]
    return Counted(corpus, units, histograms.fold(), levels, sampled.places(), read.places())


def read_as(reader: interp.reading.Reader, corpus: Corpus, number: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Of a text: ids of its tokens, and the character of the corpus that each ends at, -1 where it has none."""
    tokens = reader.tokens(corpus.texts[number])
    starts, ends = tokens.spans.numpy().T
    return tokens.ids, np.where(ends > starts, ends - 1 + corpus.starts[number], -1)


class Marks:
    """Which of every `stride`-th character were met: what is kept of them does not grow with the text."""

    def __init__(self, characters: int, stride: int) -> None:
        self.stride = stride
        self.made = np.zeros(-(-characters // stride), dtype=bool)

    def add(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some characters are among them, (places,)."""
        inside = np.asarray(places % self.stride == 0)
        self.made[places[inside] // self.stride] = True
        return inside

    def places(self) -> NDArray[np.int64]:
        """The characters that were met, in order."""
        return np.flatnonzero(self.made) * self.stride


def unstable(model: Model, error: ValueError) -> BuildError:
    return BuildError(f"model {model.name}: {error}; was its training stable?")
