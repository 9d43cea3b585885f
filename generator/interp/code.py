"""Concepts of source code, from its tokens and never from a guess: Python's by `tokenize`, others' by Pygments."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Operator, Punctuation, String, _TokenType

from .characters import CLOSING, OPENING, pairs

Span = tuple[str, int, int]  # concept, from, up to

DESCRIPTIONS = {
    "inside-string": "inside a string, in Python one that ends on its own line",
    "inside-docstring": "inside a triple-quoted string, or elsewhere documentation",
    "inside-comment": "inside a comment, from its mark to its end",
    "inside-brackets": "inside round, square or curly brackets",
    "keyword": "a letter of a keyword such as def, if or return",
}
# From Python 3.12 an f-string is several tokens.
FSTRING_START = getattr(tokenize, "FSTRING_START", -1)
FSTRING_END = getattr(tokenize, "FSTRING_END", -1)


def spans(text: str, language: str) -> list[Span] | None:
    """Of strings, comments, brackets and keywords; None where the text is not whole in that language."""
    return python_spans(text) if language == "python" else list(pygments_spans(text, get_lexer_by_name(language)))


def python_spans(text: str) -> list[Span] | None:
    """None where Python cannot read the text."""
    starts = [0, *(number + 1 for number, character in enumerate(text) if character == "\n"), len(text)]
    found: list[Span] = []
    brackets: list[tuple[int, str]] = []
    formatted: list[tuple[int, int, str]] = []  # where f-strings that are still open began
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            start = starts[min(token.start[0], len(starts)) - 1] + token.start[1]
            end = start + len(token.string)
            if token.type == tokenize.STRING:
                found += python_string(token.string, start, end, token.start[0] == token.end[0])
            elif token.type == FSTRING_START:
                formatted.append((start, token.start[0], token.string))
            elif token.type == FSTRING_END:
                first, line, prefix = formatted.pop()
                found += python_string(prefix + text[first + len(prefix) : end], first, end, line == token.end[0])
            elif token.type == tokenize.COMMENT:
                found.append(("inside-comment", start, end))
            elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
                found.append(("keyword", start, end))
            elif token.type == tokenize.OP and token.string in (*OPENING, *CLOSING):
                brackets.append((start, token.string))
    except (tokenize.TokenError, SyntaxError, UnicodeError):
        return None
    return found + [("inside-brackets", start, end) for start, end in pairs(brackets)]


def python_string(literal: str, start: int, end: int, one_line: bool) -> list[Span]:
    """From the opening quote to the character before the closing one; none for a plain string over several lines."""
    body = literal.lstrip("rRbBuUfF")
    triple = body[:3] in ('"""', "'''")
    if not (triple or one_line):
        return []
    return [("inside-docstring" if triple else "inside-string", end - len(body), end - (3 if triple else 1))]


def pygments_spans(text: str, lexer: Lexer) -> Iterator[Span]:
    """A lexer never refuses a text; what it cannot read is in no span."""
    open_string: Span | None = None  # tokens that touch are one string: quotes, escapes, what is between
    brackets: list[tuple[int, str]] = []
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        name, end = concept_of(kind), start + len(value)
        if name in ("inside-string", "inside-docstring"):
            if open_string and open_string[0] == name and open_string[2] == start:
                open_string = (name, open_string[1], end)
                continue
            yield from closed(open_string)
            open_string = (name, start, end)
            continue
        if name is not None:
            yield name, start, start + len(value.rstrip("\n"))
        elif within(kind, Punctuation) or within(kind, Operator):
            brackets += [(start + at, one) for at, one in enumerate(value) if one in OPENING + CLOSING]
    yield from closed(open_string)
    yield from (("inside-brackets", start, end) for start, end in pairs(brackets))


def closed(string: Span | None) -> list[Span]:
    """Up to the character before the closing quote."""
    return [] if string is None else [(string[0], string[1], string[2] - 1)]


def concept_of(kind: _TokenType) -> str | None:
    """What holds at a token of this kind, but for brackets; None where nothing does."""
    if within(kind, String):
        return "inside-docstring" if within(kind, String.Doc) else "inside-string"
    if within(kind, Comment):
        return None if within(kind, Comment.Preproc) or within(kind, Comment.PreprocFile) else "inside-comment"
    return "keyword" if within(kind, Keyword) else None


def within(kind: _TokenType, family: _TokenType) -> bool:
    """Whether a kind of token is of a family, as String.Escape is of String."""
    return kind[: len(family)] == family
