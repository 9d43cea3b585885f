"""Concepts: Boolean properties of each character of a text, and quantities; of source code from its tokens.

A concept at a character is a fact about the text up to and including that character, since that is all that a
network has read; so a string holds from its first quote to the character before its last one. (What a text needs
its next characters for, such as whether letters will be a keyword, is asked of the whole token.)
"""

from __future__ import annotations

from pygments.lexers import find_lexer_class_by_name
from pygments.util import ClassNotFound

from . import characters, code
from . import prose as words
from .characters import Counts, Mask, depths, indentation_depth, position_in_line, spans_mask

DESCRIPTIONS = {**words.DESCRIPTIONS, **code.DESCRIPTIONS, **characters.DESCRIPTIONS}
QUANTITIES = {
    "position-in-line": "characters since the line began",
    "bracket-depth": "how many brackets are open",
    "indentation-depth": "blanks that the line has begun with so far",
}
__all__ = ["DESCRIPTIONS", "QUANTITIES", "concepts", "knows", "position_in_line", "quantities"]


def knows(language: str) -> bool:
    """Whether texts of a language can be read: `prose`, `python`, and by its name or alias whatever Pygments knows."""
    if language in ("prose", "python"):
        return True
    try:
        find_lexer_class_by_name(language)
    except ClassNotFound:
        return False
    return True


def concepts(text: str, language: str) -> dict[str, Mask] | None:
    """Every concept of a language at each character, (characters,), by name; None if the text is not whole in it."""
    if language == "prose":
        return words.prose(text) | characters.common(text)
    spans = code.spans(text, language)
    if spans is None:
        return None
    found = {
        name: spans_mask(len(text), ((start, end) for kind, start, end in spans if kind == name))
        for name in code.DESCRIPTIONS
    }
    return found | characters.common(text)


def quantities(text: str, language: str) -> dict[str, Counts] | None:
    """Every quantity at each character, (characters,), by name; None if the text is not whole in that language."""
    spans = [] if language == "prose" else code.spans(text, language)
    if spans is None:
        return None
    brackets = ((start, end) for kind, start, end in spans if kind == "inside-brackets")
    depth = words.bracket_depth(text) if language == "prose" else depths(len(text), brackets)
    return {
        "position-in-line": position_in_line(text),
        "bracket-depth": depth,
        "indentation-depth": indentation_depth(text),
    }
