"""Where in a body of text the units of a group are most active, least, and in between: all units in one pass.

Documents are cut into passages of equal length, and of a unit a passage counts by the one position where the unit is
most active, or least, so that neighbours never fill a list. Passages that read alike around that position count once.
Memory grows with the units and with what is kept, never with the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .keeping import PRIME, Candidates, Kept, Places
from .reading import Piece, Progress, Reader, record
from .tallies import Tally

REACH = 12  # tokens on either side that must be alike for two positions to count as one


@dataclass(frozen=True)
class Wanted:
    """before, after: tokens shown on either side of a position; a passage is as long as they and it together.

    most, drawn, anywhere: how many places are kept of the highest and the lowest, of passages drawn at random, and of
    positions at random. A unit is active where it exceeds the threshold.
    """

    before: int = 40
    after: int = 40
    most: int = 24
    drawn: int = 48
    anywhere: int = 3
    threshold: float = 0.0
    seed: int = 0

    @property
    def span(self) -> int:
        """Tokens of a passage."""
        return self.before + 1 + self.after


@dataclass(frozen=True)
class Contexts:
    """highest, lowest: from the extreme. drawn: at random, of the passages in which the unit is active, by where it
    is most so. anywhere: positions at random, the same for all units. active: (units,), in how many passages; of
    `passages`.
    """

    highest: Places
    lowest: Places
    drawn: Places
    anywhere: Places
    active: Tensor
    passages: int
    tally: Tally


@torch.inference_mode()
def gather(
    reader: Reader,
    documents: Sequence[Tensor],
    group: str,
    like: Tensor,
    wanted: Wanted,
    *,
    batch: int = 64,
    window: int = 256,
    check: Callable[[Tensor], None] = lambda activations: None,
    progress: Progress = lambda done, total: None,
) -> Contexts:
    """Read documents, (tokens,) each, once; there is at least one token.

    like: (tokens of the vocabulary,), equal numbers where tokens count as alike. check: is called with all
    activations, and may raise.
    """
    search = Search(documents, reader.groups[group], like, wanted)
    for piece in record(reader, documents, [group], batch=batch, window=window, progress=progress):
        check(piece.activations)
        search.add(piece)
    return search.contexts()


@dataclass(frozen=True)
class Stretch:
    """What is at hand of one document: activations, (positions, units), from position `first` on."""

    document: int
    first: int
    activations: Tensor

    @property
    def end(self) -> int:
        """The position after the last."""
        return self.first + len(self.activations)

    def part(self, start: int, end: int) -> Tensor:
        """Activations from one position of the document to before another, (positions, units)."""
        return self.activations[start - self.first : end - self.first]

    def around(self, positions: Tensor, units: Tensor, wanted: Wanted) -> Tensor:
        """The activations of one unit around each position, (positions, span), NaN where the document ends."""
        index = positions[:, None] + torch.arange(-wanted.before, wanted.after + 1) - self.first
        inside = (index >= 0) & (index < len(self.activations))
        found = self.activations[index.clamp(0, len(self.activations) - 1), units[:, None]]
        return found.where(inside, torch.nan).half()


class Search:
    """A pass under way. A passage is looked at when all that is shown around it has been read."""

    def __init__(self, documents: Sequence[Tensor], units: int, like: Tensor, wanted: Wanted) -> None:
        self.documents, self.like, self.wanted = documents, like, wanted
        self.highest, self.lowest = Kept(units, wanted.most), Kept(units, wanted.most)
        self.drawn = Kept(units, wanted.drawn)
        self.anywhere: list[tuple[int, int, Tensor]] = []  # document, position, (units, span)
        self.tally = Tally(units, len(like), wanted.threshold)
        self.units, self.active = torch.arange(units), torch.zeros(units, dtype=torch.long)
        self.waiting: dict[int, Stretch] = {}
        self.done = [0] * len(documents)  # positions looked at
        source = torch.Generator().manual_seed(wanted.seed)
        lengths = torch.tensor([len(document) for document in documents])
        blocks = -(-lengths // wanted.span)
        self.passages = int(blocks.sum())
        # Drawn beforehand, so that they depend on nothing but the seed and the documents.
        self.chances = torch.split(torch.rand(self.passages, generator=source), blocks.tolist())
        self.starts = lengths.cumsum(0) - lengths
        self.chosen = torch.unique(torch.randint(int(lengths.sum()), (wanted.anywhere,), generator=source))

    def add(self, piece: Piece) -> None:
        """The next positions of some documents, one document after another."""
        stretches = list(self.stretches(piece))
        tokens = [self.documents[one.document][one.first : one.end] for one in stretches]
        self.tally.add(piece.activations, torch.cat(tokens).long() if tokens else piece.positions)
        for stretch in stretches:
            self.look(stretch)
        for kept in (self.highest, self.lowest, self.drawn):
            kept.settle()

    def stretches(self, piece: Piece) -> Iterator[Stretch]:
        """What a piece holds of each document: its positions follow one another there."""
        numbers, counts = torch.unique_consecutive(piece.documents, return_counts=True)
        ends = counts.cumsum(0)
        for number, start, end in zip(numbers.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True):
            yield Stretch(number, int(piece.positions[start]), piece.activations[start:end])

    def look(self, stretch: Stretch) -> None:
        """Look at the passages of a document that are whole now, and keep what the next ones need."""
        number, span = stretch.document, self.wanted.span
        if (old := self.waiting.pop(number, None)) is not None:
            stretch = Stretch(number, old.first, torch.cat([old.activations, stretch.activations]))
        start, length = self.done[number], len(self.documents[number])
        ready = length if stretch.end == length else max(start, (stretch.end - self.wanted.after) // span * span)
        for first in range(start, ready, span):
            self.passage(stretch, first, min(first + span, ready))
        places = self.chosen - self.starts[number]
        for position in places[(places >= start) & (places < ready)].tolist():
            around = stretch.around(torch.full_like(self.units, position), self.units, self.wanted)
            self.anywhere.append((number, position, around))
        self.done[number] = ready
        if stretch.end < length:
            first = max(stretch.first, ready - self.wanted.before)
            # A copy: what is left of the piece must not keep all of it.
            self.waiting[number] = Stretch(number, first, stretch.part(first, stretch.end).clone())

    def passage(self, stretch: Stretch, start: int, end: int) -> None:
        """Offer the highest and the lowest activation of every unit to what is kept."""
        own = stretch.part(start, end)
        (high, high_at), (low, low_at) = own.max(0), own.min(0)  # (units,)
        chance = self.chances[stretch.document][start // self.wanted.span]
        active = high > self.wanted.threshold
        self.active += active
        for kept, scores, values, at in (
            (self.highest, high, high, high_at),
            (self.lowest, -low, low, low_at),
            (self.drawn, chance.where(active, -torch.inf), high, high_at),
        ):
            units = (scores > kept.worst).nonzero()[:, 0]
            if not len(units):  # as of most passages of a long text
                continue
            positions = start + at[units]
            kept.add(
                Candidates(
                    units,
                    scores[units],
                    values[units],
                    torch.full_like(units, stretch.document),
                    positions,
                    alike(self.documents[stretch.document], positions, self.like),
                    stretch.around(positions, units, self.wanted),
                )
            )

    def contexts(self) -> Contexts:
        """What was found; all documents have been read."""
        highest, lowest, drawn = (one.places(self.wanted.span) for one in (self.highest, self.lowest, self.drawn))
        rows = sorted(self.anywhere, key=lambda row: row[:2])
        around = torch.stack([row[2] for row in rows], 1)  # (units, kept, span)
        documents, positions = torch.tensor([row[:2] for row in rows]).T.unsqueeze(1).expand(-1, len(self.units), -1)
        anywhere = Places(around[:, :, self.wanted.before].float(), documents, positions, around)
        return Contexts(highest, lowest, drawn, anywhere, self.active, self.passages, self.tally)


def alike(document: Tensor, positions: Tensor, like: Tensor) -> Tensor:
    """A number for the tokens around each position, (positions,), the same where they are alike."""
    index = positions[:, None] + torch.arange(-REACH, REACH + 1)
    inside = (index >= 0) & (index < len(document))
    numbers = (like[document[index.clamp(0, len(document) - 1)].long()] + 1).where(inside, 0)
    powers = torch.full((2 * REACH + 1,), PRIME).cumprod(0)  # integers wrap around, as a hash may
    return (numbers * powers).sum(1)
