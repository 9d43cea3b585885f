"""A short text, token by token, for figures that draw a cell for each of its tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.inputs import Inputs
from generator.readers import reader_of
from generator.spec import BuildError, TextChoice

if TYPE_CHECKING:
    from torch import Tensor

MOST = 64  # tokens: more would be too small to see
SIGNS = str.maketrans({" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍"})


@dataclass(frozen=True)
class ShortText:
    """ids: (tokens,). labels: how each is shown, with signs for white space. document: where the text is from."""

    ids: Tensor
    labels: tuple[str, ...]
    document: str


def short_text(inputs: Inputs, choice: TextChoice) -> ShortText:
    """The text by the tokens of the figure's model, and nothing of what comes before it.

    BuildError where it has no two tokens, or too many.
    """
    reader = reader_of(inputs.model)
    _, text, document = inputs.text(choice)
    ids = reader.tokens(text).ids
    most = min(MOST, reader.context or MOST)
    if not 2 <= len(ids) <= most:
        advice = "a longer one" if len(ids) < 2 else "a shorter `length`"
        raise BuildError(f"text: it has {len(ids)} tokens, and 2 to {most} are drawn; give it {advice}")
    return ShortText(ids, tuple(map(label, map(reader.token, ids.tolist()))), document)


def label(token: str) -> str:
    """A token with signs for its white space.

    >>> label(" the"), label("\\n")
    ('·the', '↵')
    """
    return token.translate(SIGNS) or "∅"
