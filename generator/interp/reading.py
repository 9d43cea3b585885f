"""Reading text with a network: what each of its units does at every token, and what the network expects next.

A reader is a network and its tokens behind one face, so that a figure of text serves LSTMs, transformers and
dictionaries of features alike. Its units come in groups, such as `cell` or `mlp 3`; a unit is a group and a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Tokens:
    """A text as a network reads it.

    ids: (tokens,). spans: (tokens, 2), the characters that each token stands for, from and up to; none of them for
    a token such as [CLS], whose span is empty.
    """

    ids: Tensor
    spans: Tensor


@dataclass(frozen=True)
class Clamp:
    """Units of one group held at values while the network reads: numbers, values: (units,)."""

    group: str
    numbers: Tensor
    values: Tensor


@dataclass(frozen=True)
class Reading:
    """activations: (batch, time, units), group after group in the order asked for.

    state: where to read on from, once; None where the reader cannot, and must be given all tokens anew.

    logits: (batch, time, tokens of the vocabulary), of the token that comes next where the reader is causal; None
    where they were not asked for, or the network has none.
    """

    activations: Tensor
    logits: Tensor | None
    state: Any


class Reader(Protocol):
    """A network that reads text."""

    @property
    def groups(self) -> Mapping[str, int]:
        """How many units are in each."""

    @property
    def context(self) -> int | None:
        """Most tokens at once, with those that the state stands for; None where state carries on without end."""

    @property
    def causal(self) -> bool:
        """Whether a token's activations depend on nothing that comes after it."""

    def tokens(self, text: str) -> Tokens:
        """The text as the network reads it."""

    @property
    def special(self) -> frozenset[int]:
        """Tokens that stand for no text, such as [CLS], or for anything unknown; a network that writes never does."""

    def token(self, number: int) -> str:
        """What a token of the vocabulary stands for, as it is shown."""

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say, one after another."""

    def read(
        self,
        ids: Tensor,
        groups: Sequence[str],
        state: Any = None,
        *,
        lengths: Tensor | None = None,
        clamps: Sequence[Clamp] = (),
        logits: bool = False,
    ) -> Reading:
        """ids: (batch, time), filled up with any token beyond `lengths`, (batch,)."""


@dataclass(frozen=True)
class Piece:
    """Of some tokens, in any order: whose they are and where, (tokens,), and (tokens, units)."""

    documents: Tensor
    positions: Tensor
    activations: Tensor
    logits: Tensor | None = None


def units(reader: Reader) -> list[tuple[str, int]]:
    """Group and number of all units, in the order in which they are recorded."""
    return [(group, number) for group, count in reader.groups.items() for number in range(count)]


def unit_name(group: str, number: int) -> str:
    """`cell 37`, and of a numbered group `mlp 3.37`."""
    return f"{group}.{number}" if group[-1].isdigit() else f"{group} {number}"


@torch.inference_mode()
def record(
    reader: Reader,
    documents: Sequence[Tensor],
    groups: Sequence[str],
    *,
    batch: int = 64,
    window: int = 256,
    clamps: Sequence[Clamp] = (),
    logits: bool = False,
    progress: Progress = lambda done, total: None,
) -> Iterator[Piece]:
    """Every token's activations once, piece after piece, so that memory does not grow with the text.

    documents: the ids of each, (tokens,), of any integer type. Those of like lengths are read side by side. A reader
    that holds only so many tokens reads windows that overlap by half, and each token counts where it has more to go by.
    """
    total, done = sum(map(len, documents)), 0
    for rows, filled, lengths in batches(documents, batch):
        for piece in pieces(reader, filled, lengths, groups, window, clamps, logits):
            progress(done := done + len(piece.positions), total)
            yield Piece(rows[piece.documents], piece.positions, piece.activations, piece.logits)


def batches(documents: Sequence[Tensor], size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Documents of like lengths side by side, the longest first, `size` at once.

    Yields their numbers, (batch,), their ids, (batch, longest), filled up with zeros, and their lengths, (batch,).
    """
    order = sorted(range(len(documents)), key=lambda number: -len(documents[number]))
    for start in range(0, len(order), size):
        numbers = order[start : start + size]
        texts = [documents[number].long() for number in numbers]
        filled = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        yield torch.tensor(numbers), filled, torch.tensor([len(text) for text in texts])


def pieces(
    reader: Reader,
    filled: Tensor,
    lengths: Tensor,
    groups: Sequence[str],
    window: int,
    clamps: Sequence[Clamp],
    logits: bool,
) -> Iterator[Piece]:
    """Of one batch, (batch, longest), the longest rows first; `documents` are its rows."""
    state = None
    for one in windows(filled.shape[1], window, reader.context):
        alive = int((lengths > one.start).sum())
        read = reader.read(
            filled[:alive, one.start : one.end],
            groups,
            shortened(state, alive),
            lengths=(lengths[:alive] - one.start).clamp(max=one.end - one.start),
            clamps=clamps,
            logits=logits,
        )
        state = read.state if reader.context is None else None  # windows that overlap start anew
        positions = torch.arange(one.first, one.last)
        there = positions < lengths[:alive, None]  # (alive, time)
        counted = slice(one.first - one.start, one.last - one.start)
        # A copy of all activations takes longer than counting them: where every row is whole there is none.
        whole = bool(there.all())
        activations = read.activations[:, counted].flatten(0, 1) if whole else read.activations[:, counted][there]
        scores = None if read.logits is None else read.logits[:, counted][there]
        yield Piece(there.nonzero()[:, 0], positions.expand_as(there)[there], activations, scores)


@dataclass(frozen=True)
class Window:
    """Tokens that are read at once, from `start` to before `end`; those from `first` to before `last` count."""

    start: int
    end: int
    first: int
    last: int


def windows(length: int, most: int, context: int | None) -> Iterator[Window]:
    """Windows in which every token of a text counts once.

    context: where state does not carry on, the tokens that are read at once. Windows then overlap by half, and each
    token counts in the one where it has more on its shorter side. Else `most` at once, one window after another.

    >>> [(one.start, one.end, one.first, one.last) for one in windows(11, 0, context=8)]
    [(0, 8, 0, 6), (4, 11, 6, 11)]
    """
    if context is None:
        for start in range(0, length, most):
            end = min(start + most, length)
            yield Window(start, end, start, end)
        return
    stride = max(1, context // 2)
    overlap = context - stride
    for start in range(0, length, stride):
        if start and start + overlap >= length:
            return  # the window before reached the end
        end = min(start + context, length)
        first = start + overlap // 2 if start else 0
        yield Window(start, end, first, end if end == length else start + stride + overlap // 2)


def shortened(state: Any, batch: int) -> Any:
    """The state of the first `batch` rows; tensors are (batch, …), in whatever tuples and lists."""
    if isinstance(state, Tensor):
        return state[:batch]
    if isinstance(state, tuple | list):
        return type(state)(shortened(part, batch) for part in state)
    return state
