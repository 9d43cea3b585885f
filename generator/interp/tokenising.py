"""Tokenizers of any make behind one face: text to ids and the characters that they stand for, and ids back to text.

A tokenizer that tells offsets is believed. Of another, each token is decoded and looked for in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .reading import Tokens

LONGEST = 8  # tokens that together stand for one character, such as the bytes of an emoji
UNKNOWN = "\ufffd"  # what a part of a character decodes to


@dataclass(frozen=True)
class Tokenizer:
    """encode: ids of a text, and their spans, (tokens, 2), or None where it knows none. decode: the text of ids.

    special: ids that stand for no text, such as that of [CLS]. size: of the vocabulary, None where it is not told.
    """

    encode: Callable[[str], tuple[Sequence[int], Sequence[tuple[int, int]] | Tensor | None]]
    decode: Callable[[Sequence[int]], str]
    special: frozenset[int] = frozenset()
    size: int | None = None

    def tokens(self, text: str) -> Tokens:
        """ids: (tokens,), spans: (tokens, 2)."""
        ids, spans = self.encode(text)
        if spans is None:
            spans = aligned(text, ids, self.decode, self.special)
        return Tokens(torch.tensor(list(ids), dtype=torch.long), torch.as_tensor(spans, dtype=torch.long).view(-1, 2))


def characters(symbols: str) -> Tokenizer:
    """A token for each character; the first symbol stands for all unknown ones, and is never written."""
    index = {symbol: number for number, symbol in enumerate(symbols)}

    def encode(text: str) -> tuple[list[int], Tensor]:
        starts = torch.arange(len(text))
        return [index.get(character, 0) for character in text], torch.stack([starts, starts + 1], 1)

    return Tokenizer(encode, lambda ids: "".join(symbols[number] for number in ids), frozenset([0]), len(symbols))


def adapted(own: Any) -> Tokenizer:
    """Of an object with `encode(text)` and `decode(ids)`, as those of tiktoken, sentencepiece and tokenizers are."""

    def encode(text: str) -> tuple[Sequence[int], Sequence[tuple[int, int]] | None]:
        found = own.encode(text)
        return (found.ids, found.offsets) if hasattr(found, "ids") else (list(found), None)

    sizes = (getattr(own, name, None) for name in ("n_vocab", "vocab_size", "get_vocab_size"))
    size = next((one() if callable(one) else one for one in sizes if one is not None), None)
    return Tokenizer(encode, lambda ids: str(own.decode(list(ids))), size=size)


def aligned(
    text: str, ids: Sequence[int], decode: Callable[[Sequence[int]], str], special: frozenset[int] = frozenset()
) -> list[tuple[int, int]]:
    """The span of each token, from what it decodes to; empty where that is not what the text goes on with.

    Tokens that are parts of a character share its span. Space before a token, which some tokenizers drop, is skipped,
    and so are `##` before a piece of a word, and capitals.
    """
    spans: list[tuple[int, int]] = []
    at = 0
    waiting: list[int] = []
    for number in ids:
        waiting.append(number)
        piece = "" if number in special else decode(waiting)
        if UNKNOWN in piece and len(waiting) < LONGEST:
            continue
        start, end = continued(text, at, piece)
        spans += [(start, end)] * len(waiting)
        waiting, at = [], end
    return spans + [(at, at)] * len(waiting)


def continued(text: str, at: int, piece: str) -> tuple[int, int]:
    """Where a piece stands that the text goes on with from `at`; an empty span there if it does not."""
    gap = at
    while text[gap : gap + 1].isspace():
        gap += 1
    for shown in (piece, piece.lstrip(), piece.removeprefix("##")):
        for start in (at, gap):
            if shown and text[start : start + len(shown)].casefold() == shown.casefold():
                return start, start + len(shown)
    return at, at
