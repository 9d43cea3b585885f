"""Passages of text around a place, coloured by a unit's activation: what is shown of them, and which are copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from generator.data import Document
from generator.passages import Places, normal

if TYPE_CHECKING:
    from torch import Tensor

CENTRE = 10  # the level of colour that stands for the middle of the scale, of 0 to 20
COPY = 0.5  # share of runs of characters in common from which one passage is a copy of another
RUN = 5  # characters


@dataclass(frozen=True)
class Scale:
    """Colours of activations: 21 levels, CENTRE at `centre`, the ends `reach` away from it."""

    centre: float
    reach: float

    def level(self, value: float) -> int:
        return round(min(max((value - self.centre) / self.reach, -1.0), 1.0) * CENTRE) + CENTRE


@dataclass(frozen=True)
class Excerpt:
    """A passage: its characters before, at and after the place, each with the activation of its token."""

    value: float
    document: str
    place: int  # of its token's first character
    line: int
    pieces: tuple[tuple[str, float, bool], ...]  # text, activation, whether it is the place

    @cached_property
    def runs(self) -> set[str]:
        text = normal("".join(text for text, *_ in self.pieces))
        return {text[at : at + RUN] for at in range(max(1, len(text) - RUN + 1))}

    def repeats(self, other: Excerpt) -> bool:
        """Whether it overlaps the other, or is a near copy of it."""
        length = sum(len(text) for text, *_ in other.pieces)
        if self.document == other.document and abs(self.place - other.place) < length:
            return True
        mine, theirs = self.runs, other.runs
        return len(mine & theirs) >= COPY * min(len(mine), len(theirs))

    def row(self, scale: Scale, quantile: float | None) -> dict[str, Any]:
        """As the page prints it: runs of one colour, [text, level], the place by itself."""
        at = next(number for number, piece in enumerate(self.pieces) if piece[2])
        parts = [self.pieces[:at], self.pieces[at : at + 1], self.pieces[at + 1 :]]
        before, (peak,), after = (
            [
                ["".join(text for text, *_ in run), level]
                for level, run in groupby(part, key=lambda piece: scale.level(piece[1]))
            ]
            for part in parts
        )
        where = {"document": self.document, "line": self.line, "quantile": quantile}
        return {"value": round(self.value, 4), "before": before, "peak": peak, "after": after, **where}


def excerpts(
    places: Places, documents: Sequence[Document], spans: Callable[[int], Tensor], before: int, after: int
) -> Iterator[Excerpt]:
    """Those at some places. spans: of a document's tokens, (tokens, 2)."""
    rows = zip(places.values, places.documents, places.positions, places.around, strict=True)
    for value, number, position, around in rows:
        document = documents[number]
        first = max(0, position - before)
        own: list[list[int]] = spans(number)[first : position + after + 1].tolist()
        levels = around[first - position + before :][: len(own)].tolist()
        pieces = []
        for offset, ((start, end), activation) in enumerate(zip(own, levels, strict=True)):
            # What lies between tokens, such as a space, is shown with the token that follows it.
            begin = own[offset - 1][1] if offset and own[offset - 1][1] < start else start
            token = document.text[begin:end] if end > start else ""
            pieces.append((token, activation, first + offset == position))
        start = own[position - first][0]
        line = document.text.count("\n", 0, start) + 1
        yield Excerpt(float(value), document.name, start, line, tuple(pieces))
