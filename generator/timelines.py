"""How measures change over the checkpoints of a model, as drawings: lines, and the marks of a claim.

Steps stand at equal distances, whatever lies between them, so that a place on the line is a place of the slider.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from generator.artifact import Measures
from generator.spec import nearest

MOST = 4  # lines, where none are asked for
WIDTH, HEIGHT = 240, 60  # of a drawing
MARGIN = 6  # around it
Point = tuple[float, float]


def lines(taken: Sequence[Measures], asked: Sequence[str], quoted: Sequence[str]) -> list[dict[str, Any]]:
    """A drawing for each measure that is asked for, or else for those that the post quotes, or else for the first.

    taken: the measures at each checkpoint, the newest last. ValueError where there is none of a name.
    """
    counts = Counter(name for one in taken for name in one.values)
    known = [name for name, count in counts.items() if count > 1]
    for name in asked:
        if name not in counts:
            raise ValueError(f"measures: there is none called {name!r}{nearest(name, counts)}")
    quoted = [name for one in quoted if (name := one.partition("@")[0]) in known]
    names = asked or list(dict.fromkeys(quoted))[:MOST] or changing(taken, known)[:MOST]
    return [line(name, taken) for name in names]


def changing(taken: Sequence[Measures], names: Sequence[str]) -> list[str]:
    """Those of the measures that are not the same everywhere."""
    return [name for name in names if len({one.values[name] for one in taken if name in one.values}) > 1]


def telling(low: float, high: float) -> str:
    """The format of three digits, or of as many as it takes to tell the two numbers apart.

    >>> telling(0.25, 0.5), telling(0.99997, 0.99998), telling(1, 1)
    ('.3g', '.5g', '.3g')
    """
    formats = [f".{digits}g" for digits in range(3, 8)]
    return next((one for one in formats if f"{low:{one}}" != f"{high:{one}}"), formats[0])


def line(name: str, taken: Sequence[Measures]) -> dict[str, Any]:
    """One drawing: its line, in pieces where a checkpoint is missing, the band of its intervals, and its ends."""
    values = [one.values.get(name) for one in taken]
    ends = [one.intervals.get(name) for one in taken]
    every = [value for value in values if value is not None] + [end for pair in ends if pair for end in pair]
    low, high = min(every), max(every)

    def place(number: int, value: float) -> Point:
        across = MARGIN + (WIDTH - 2 * MARGIN) * (number / (len(taken) - 1) if len(taken) > 1 else 0.5)
        down = (high - value) / (high - low) if high > low else 0.5
        return round(across, 1), round(MARGIN + (HEIGHT - 2 * MARGIN) * down, 1)

    pieces: list[list[tuple[int, float, float]]] = [[]]
    bands: list[list[tuple[Point, Point]]] = [[]]
    for number, (value, pair) in enumerate(zip(values, ends, strict=True)):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((number, *place(number, value)))
        if pair is None:
            bands.append([])
        else:
            bands[-1].append((place(number, pair[0]), place(number, pair[1])))
    return {
        "name": name,
        "taken": values,
        "intervals": ends,
        "low": low,
        "high": high,
        "format": telling(low, high),
        "size": [WIDTH, HEIGHT],
        "pieces": [piece for piece in pieces if piece],
        "bands": [[one for one, _ in band] + [one for _, one in reversed(band)] for band in bands if len(band) > 1],
    }
