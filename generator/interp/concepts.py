"""Concepts: Boolean properties of each character of a text; of Python source from its tokens, never from a guess.

A concept at a character is a fact about the text up to and including that character, since that is all
that a network has read; so a string holds from its first quote to the character before its last one.
"""

from __future__ import annotations

import io
import keyword
import tokenize

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

LATE = 50  # characters into a line
OPENING, CLOSING = "([{", ")]}"
# From Python 3.12 an f-string is several tokens.
FSTRING_START = getattr(tokenize, "FSTRING_START", -1)
FSTRING_END = getattr(tokenize, "FSTRING_END", -1)


def concepts(text: str, language: str) -> dict[str, Mask] | None:
    """Every concept of a language (`python` or `prose`) at each character, (characters,), by name.

    None if the text is not whole in that language.
    """
    common = {
        "line-end": np.array([character == "\n" for character in text], dtype=bool),
        "indentation": indentation(text),
        "late-in-line": position_in_line(text) >= LATE,
        "digit": np.array([character.isdigit() for character in text], dtype=bool),
        "upper-case": np.array([character.isupper() for character in text], dtype=bool),
    }
    if language == "prose":
        return {"inside-quotes": inside_quotes(text), **common}
    spans = token_spans(text)
    if spans is None:
        return None
    masks = {name: np.zeros(len(text), dtype=bool) for name in DESCRIPTIONS if name not in (*common, "inside-quotes")}
    for name, start, end in spans:
        masks[name][start:end] = True
    return masks | common


DESCRIPTIONS = {
    "inside-quotes": "inside double quotes, up to the end of the paragraph at most",
    "inside-string": "inside a string that ends on its own line, the opening quote included",
    "inside-docstring": "inside a triple-quoted string",
    "inside-comment": "from # to the end of the line",
    "inside-brackets": "inside round, square or curly brackets",
    "keyword": "a letter of a keyword such as def, if or return",
    "line-end": "the newline itself",
    "indentation": "white space before the first character of a line",
    "late-in-line": "fifty characters or more after the line's start",
    "digit": "a digit",
    "upper-case": "an upper-case letter",
}


def position_in_line(text: str) -> NDArray[np.int64]:
    """Characters since the line began, (characters,)."""
    column, columns = 0, []
    for character in text:
        columns.append(column)
        column = 0 if character == "\n" else column + 1
    return np.array(columns, dtype=np.int64)


def indentation(text: str) -> Mask:
    """Blanks with only blanks before them in their line, (characters,)."""
    inside, found = True, []
    for character in text:
        found.append(inside and character in " \t")
        inside = character == "\n" or found[-1]
    return np.array(found, dtype=bool)


def inside_quotes(text: str) -> Mask:
    """From an opening double quote to the character before the closing one; a blank line closes, too."""
    inside, before, found = False, "", []
    for character in text:
        if character in '"“”':
            inside = not inside if character == '"' else character == "“"
        elif character == before == "\n":
            inside = False
        found.append(inside)
        before = character
    return np.array(found, dtype=bool)


def token_spans(text: str) -> list[tuple[str, int, int]] | None:
    """(concept, start, end) of strings, comments, brackets and keywords; None where Python cannot read the text."""
    starts = [0, *(number + 1 for number, character in enumerate(text) if character == "\n"), len(text)]
    spans: list[tuple[str, int, int]] = []
    brackets: list[int] = []
    formatted: list[tuple[int, int, str]] = []  # where f-strings that are still open began
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            start = starts[min(token.start[0], len(starts)) - 1] + token.start[1]
            end = start + len(token.string)
            if token.type == tokenize.STRING:
                spans += string_span(token.string, start, end, token.start[0] == token.end[0])
            elif token.type == FSTRING_START:
                formatted.append((start, token.start[0], token.string))
            elif token.type == FSTRING_END:
                first, line, prefix = formatted.pop()
                spans += string_span(prefix + text[first + len(prefix) : end], first, end, line == token.end[0])
            elif token.type == tokenize.COMMENT:
                spans.append(("inside-comment", start, end))
            elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
                spans.append(("keyword", start, end))
            elif token.type == tokenize.OP and token.string in OPENING:
                brackets.append(start)
            elif token.type == tokenize.OP and token.string in CLOSING and brackets:
                spans.append(("inside-brackets", brackets.pop(), start))
    except (tokenize.TokenError, SyntaxError):
        return None
    return spans


def string_span(literal: str, start: int, end: int, one_line: bool) -> list[tuple[str, int, int]]:
    """From the opening quote to the character before the closing one; none for a plain string over several lines."""
    body = literal.lstrip("rRbBuUfF")
    triple = body[:3] in ('"""', "'''")
    if not (triple or one_line):
        return []
    return [("inside-docstring" if triple else "inside-string", end - len(body), end - (3 if triple else 1))]
