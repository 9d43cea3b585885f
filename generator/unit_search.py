"""Search over all units of a model, in parts of bounded size, of which a query loads one.

A unit is found by the beginnings of words: of its number, its label, the labels of what excites it, and the concept
that it follows. All units that have a word which begins alike lie in one part. Where they take more than MOST bytes,
that part holds the first of them, those that follow a concept best before others, and how many there are; each longer
beginning then has a part of its own. The directory lists the beginnings that have parts. Parts are scripts, which load
from a file, too; how they are read is units.js.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

MOST = 64_000  # bytes of a part
LONGEST = 40  # characters of a word that are told apart
WORD = re.compile(r"[^\W_]+")
AFTER = "\U0010ffff"  # no letter, and after all of them

Value = str | int | float
Row = list[Value]  # layer's number, unit, label, labels, concept, AUC; what is empty at the end is left out


Entry = tuple[str, bool, float, int]  # word, whether it is another than the unit's number, minus the AUC, unit


@dataclass(frozen=True)
class Found:
    """A unit that can be found. layer: the number of its layer in the model."""

    layer: int
    unit: int
    label: str
    labels: Sequence[str] = ()
    concept: str = ""
    score: float = 0.0

    def row(self) -> Row:
        whole: Row = [self.layer, self.unit, self.label, ", ".join(self.labels), self.concept, round(self.score, 3)]
        while not whole[-1]:
            whole.pop()
        return whole

    def words(self) -> set[str]:
        return {str(self.unit), *words(" ".join([self.label, *self.labels, self.concept]))}


@dataclass(frozen=True)
class Part:
    """The units that have a word which begins so; `rows` are all, or the first of `total`."""

    beginning: str
    rows: Sequence[str]  # JSON
    total: int


def words(text: str) -> list[str]:
    """Small letters without accents, and digits.

    >>> words("Élan_vital, 12")
    ['elan', 'vital', '12']
    """
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in apart if not unicodedata.category(letter).startswith("M")).lower()
    return [word[:LONGEST] for word in WORD.findall(plain)]


def parts(units: Sequence[Found], most: int = MOST) -> list[Part]:
    """All parts, in the order of their beginnings; one alone, which begins with nothing, where all fit into it."""
    entries = sorted(
        (word, word != str(unit.unit), -unit.score, number)
        for number, unit in enumerate(units)
        for word in unit.words()
    )
    rows = [json.dumps(unit.row(), ensure_ascii=False, separators=(",", ":")) for unit in units]
    rows = [row.encode("utf-8", "replace").decode() for row in rows]  # half a pair of surrogates is no text
    return sorted(divided(entries, rows, "", most), key=lambda part: part.beginning)


def divided(entries: Sequence[Entry], rows: Sequence[str], least: str, most: int) -> Iterator[Part]:
    """The part of these entries, sorted, which all begin with `least`, and where they are too many, those below it."""
    numbers = {number for *_, number in entries}
    if len(bounded(numbers, rows, most)) == len(numbers):
        yield Part(least, [rows[number] for number in sorted(numbers)], len(numbers))
        return
    beginning = os.path.commonprefix([entries[0][0], entries[-1][0]])  # noqa: RUF071  (by characters, as is meant)
    exact = [number for word, *_, number in entries if word == beginning]
    if beginning:  # nobody asks for all units
        others = numbers.difference(exact)
        ranked = (number for _, number in sorted({entry[2:] for entry in entries}) if number in others)
        yield Part(beginning, bounded(chain(exact, ranked), rows, most), len(numbers))
    start = len(exact)
    while start < len(entries):
        below = entries[start][0][: len(beginning) + 1]
        stop = bisect_left(entries, (below + AFTER, False, 0.0, 0), start)
        yield from divided(entries[start:stop], rows, below, most)
        start = stop


def bounded(numbers: Iterable[int], rows: Sequence[str], most: int) -> list[str]:
    """As many of the rows as fit."""
    found, size = [], 0
    for number in numbers:
        size += len(rows[number].encode()) + 1
        if size > most:
            break
        found.append(rows[number])
    return found


def directory(parts: Sequence[Part], layers: Sequence[tuple[str, str]]) -> bytes:
    """The script that says which parts there are, "+" after those that do not hold all, and what the layers are:
    (name, path of the folder of its pages).
    """
    told = {
        "layers": layers,
        "parts": [f"{part.beginning}{'+' if part.total > len(part.rows) else ''}" for part in parts],
    }
    return f"unitSearch.open({json.dumps(told, ensure_ascii=False, separators=(',', ':'))});\n".encode(
        "utf-8", "replace"
    )


def script(number: int, part: Part) -> bytes:
    """The script of a part, which has this number in the directory."""
    return f"unitSearch.take({number},{part.total},[{','.join(part.rows)}]);\n".encode("utf-8", "replace")
