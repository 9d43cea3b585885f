"""Texts and what holds at each of their characters: concepts that are built in, the author's patterns and functions.

To keep them costs two or three bytes a character: its text, and the number of the pattern of concepts that hold there.
Quantities are kept for a sample of positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.callables import find_callable
from generator.data import Document
from generator.spec import BuildError

SAMPLE = 131_072  # positions that resampling works on, and quantities are known at; more are thinned out evenly


@dataclass(frozen=True)
class Labelling:
    """language: as `interp.concepts` knows them. patterns, functions: of the author, by concept."""

    language: str
    patterns: Mapping[str, str]
    functions: Mapping[str, str]

    def describe(self, concept: str) -> str:
        """Where a concept holds, in words."""
        if concept in self.patterns:
            return f"what {self.patterns[concept]} matches"
        if concept in self.functions:
            return f"where {self.functions[concept]} says so"
        return interp.concepts.DESCRIPTIONS[concept]

    def concepts(self, document: Document) -> dict[str, NDArray[np.bool_]] | None:
        """By name, (characters,); None if the document is not whole in the language. BuildError of a function."""
        found = interp.concepts.concepts(document.text, self.language)
        if found is None:
            return None
        for name, pattern in self.patterns.items():
            found[name] = interp.characters.matches(document.text, re.compile(pattern, re.MULTILINE))
        for name, function in self.functions.items():
            found[name] = told(name, function, document)
        return found


def told(concept: str, named: str, document: Document) -> NDArray[np.bool_]:
    """What the author's function says of a document, (characters,)."""
    function = find_callable(f"concept {concept}:", named)
    try:
        found = np.asarray(function(document.text))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise BuildError(f"concept {concept}: {named} failed on {document.name}: {reason}") from error
    if found.shape != (len(document.text),) or found.dtype != bool:
        raise BuildError(
            f"concept {concept}: {named} gave {found.dtype} of shape {found.shape} for {document.name}, "
            f"not a Boolean for each of its {len(document.text)} characters"
        )
    return found


@dataclass(frozen=True)
class Corpus:
    """Texts, one after the other, and what holds in them.

    patterns: (patterns,), those that occur, see `interp.histograms.packed`. codes: (characters of all texts,), the
    number of its pattern, in as few bytes as these need. quantities: (positions, quantities), at every `stride`-th
    character.
    """

    texts: Sequence[str]
    concepts: Sequence[str]
    patterns: interp.histograms.Patterns
    codes: NDArray[np.unsignedinteger[Any]]
    quantity_names: Sequence[str]
    quantities: NDArray[np.float64]
    stride: int

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each text begins, and where the last one ends, (texts + 1,)."""
        return np.concatenate([[0], np.cumsum([len(text) for text in self.texts])]).astype(np.int64)

    def keys(self, places: NDArray[np.int64], before: bool = False) -> NDArray[np.int64]:
        """Of the n-grams that end at these characters, in order, or just before them, (places,)."""
        bounds = np.searchsorted(places, self.starts)
        return np.concatenate(
            [
                interp.ngrams.keys(text, places[first:last] - start, before)
                for text, start, first, last in zip(self.texts, self.starts, bounds, bounds[1:], strict=False)
            ]
        )

    def flags(self, where: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Whether each concept holds at these characters, (positions, concepts)."""
        return np.asarray(interp.histograms.unpacked(self.patterns, len(self.concepts))[self.codes[where]])


def corpus(documents: Sequence[Document], labelling: Labelling, most: int, length: int) -> Corpus:
    """From up to `most` documents, the longest that can be read, up to `length` characters each.

    An excerpt begins where a document's first top-level definition does: what stands above it (licences, long
    docstrings) is much the same everywhere.
    """
    order = sorted((-len(document.text), document.name, number) for number, document in enumerate(documents))
    stride = max(1, -(-sum(min(length, -size) for size, *_ in order[:most]) // SAMPLE))
    numbered: dict[int, int] = {}  # patterns
    texts, codes, quantities, names, depths, read = [], [], [], [], [], 0
    for document, masks, amounts in readable((documents[number] for *_, number in order), labelling):
        start = beginning(document.text, labelling.language)
        text = document.text[start : start + length]
        names, depths = list(masks), list(amounts)
        texts.append(text)
        packed = interp.histograms.packed(np.stack([masks[name][start : start + length] for name in masks], 1))
        found, rows = np.unique(packed, return_inverse=True)
        own = np.array([numbered.setdefault(pattern, len(numbered)) for pattern in found.tolist()])
        codes.append(own.astype(np.min_scalar_type(len(numbered)))[rows])
        sampled = slice(start + -read % stride, start + len(text), stride)
        quantities.append(np.stack([amounts[name][sampled] for name in amounts], 1).astype(np.float64))
        read += len(text)
        if len(texts) == most:
            break
    if not texts:
        raise BuildError(f"none of the {len(documents)} documents can be read as {labelling.language}")
    patterns = np.array(list(numbered), dtype=packed.dtype)
    return Corpus(texts, names, patterns, np.concatenate(codes), depths, np.concatenate(quantities), stride)


def beginning(text: str, language: str) -> int:
    """Where the first top-level definition starts, or 0."""
    if language != "python":
        return 0
    starts = [at + 1 for word in ("\ndef ", "\nclass ") if (at := text.find(word)) >= 0]
    return min(starts, default=0)


def readable(
    documents: Iterable[Document], labelling: Labelling
) -> Iterator[tuple[Document, dict[str, NDArray[np.bool_]], dict[str, NDArray[np.int64]]]]:
    """The documents that have text and are whole in the language, in order; concepts and quantities."""
    for document in documents:
        masks = labelling.concepts(document) if document.text else None
        amounts = interp.concepts.quantities(document.text, labelling.language) if masks is not None else None
        if masks is not None and amounts is not None:
            yield document, masks, amounts
