"""What holds at a character by the characters up to it alone, in any text: lines, blanks, digits, capitals, depth.

All of it without a loop over characters: texts are long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

NEWLINE = 10
LATE = 50  # characters into a line
OPENING, CLOSING = "([{", ")]}"

DESCRIPTIONS = {
    "line-end": "the newline itself",
    "indentation": "white space before the first character of a line",
    "late-in-line": "fifty characters or more after the line's start",
    "digit": "a digit",
    "upper-case": "an upper-case letter",
}


def code_points(text: str) -> NDArray[np.uint32]:
    """(characters,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def common(text: str) -> dict[str, Mask]:
    """The concepts that every language has, (characters,) each."""
    return {
        "line-end": code_points(text) == NEWLINE,
        "indentation": indentation(text),
        "late-in-line": position_in_line(text) >= LATE,
        "digit": where(text, str.isdigit),
        "upper-case": where(text, str.isupper),
    }


def where(text: str, holds: Callable[[str], bool]) -> Mask:
    """Where a property of single characters holds, (characters,); asked once of each that occurs."""
    known, numbers = np.unique(code_points(text), return_inverse=True)
    return np.array([holds(chr(code)) for code in known], dtype=bool)[numbers]


def line_starts(text: str) -> Counts:
    """Where the line of each character began, (characters,)."""
    ends = code_points(text) == NEWLINE
    numbers = np.arange(len(text), dtype=np.int64)
    begun = np.where(np.concatenate([[False], ends[:-1]]) if len(text) else ends, numbers, 0)
    return np.maximum.accumulate(begun)


def position_in_line(text: str) -> Counts:
    """Characters since the line began, (characters,)."""
    return np.arange(len(text), dtype=np.int64) - line_starts(text)


def indentation(text: str) -> Mask:
    """Blanks with only blanks before them in their line, (characters,)."""
    blank = where(text, " \t".__contains__)
    others = np.concatenate([[0], np.cumsum(~blank)])  # before each character
    return np.asarray(blank & (others[:-1] == others[line_starts(text)]))


def indentation_depth(text: str) -> Counts:
    """How many blanks the line has begun with so far, (characters,)."""
    blanks = np.concatenate([[0], np.cumsum(indentation(text))])
    return np.asarray(blanks[1:] - blanks[line_starts(text)])


def matches(text: str, pattern: re.Pattern[str]) -> Mask:
    """The characters that a regular expression matches, (characters,)."""
    return spans_mask(len(text), (found.span() for found in pattern.finditer(text)))


def spans_mask(length: int, spans: Iterable[tuple[int, int]]) -> Mask:
    """The characters of any of the spans, each from and up to; (length,)."""
    return depths(length, spans) > 0


def depths(length: int, spans: Iterable[tuple[int, int]]) -> Counts:
    """In how many of the spans each character is, (length,)."""
    steps = np.zeros(length + 1, dtype=np.int64)
    for start, end in spans:
        steps[start] += 1
        steps[end] -= 1
    return np.cumsum(steps)[:length]


def pairs(brackets: Iterable[tuple[int, str]]) -> list[tuple[int, int]]:
    """From each opening bracket up to the one that closes it, of (place, bracket) in order; open ones are left out."""
    waiting: list[int] = []
    found = []
    for place, bracket in brackets:
        if bracket in OPENING:
            waiting.append(place)
        elif waiting:
            found.append((waiting.pop(), place))
    return found
