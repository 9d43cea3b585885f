"""Axes of drawings: round numbers to mark, on a linear or a logarithmic scale, and how they are written."""

from __future__ import annotations

import math

NICE = (1, 2, 2.5, 5, 10)  # steps between ticks, times a power of ten
TICKS = 6  # at most


def scale(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`, a few, evenly spaced.

    >>> scale(0, 49_000_000)
    [0.0, 10000000.0, 20000000.0, 30000000.0, 40000000.0, 50000000.0]
    >>> scale(1.03, 2.2)
    [1.0, 1.25, 1.5, 1.75, 2.0, 2.25]
    >>> scale(0, 3e-9)
    [0.0, 1e-09, 2e-09, 3e-09]
    """
    span = max(high - low, 1e-6 * max(abs(low), abs(high))) or 1e-6  # where all are alike, and where all are zero
    rough = span / (TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (power * nice for nice in (*NICE, 20)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < TICKS and last > first:
            break
    return [float(f"{number * step:.9g}") for number in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """1, 3 and 10 times powers of ten, from below `low` to above `high`, both from 1e-30 to 1e30.

    >>> decades(204_800, 65_536_000)
    [100000.0, 300000.0, 1000000.0, 3000000.0, 10000000.0, 30000000.0, 100000000.0]
    """
    marks = [float(f"{digit}e{power}") for power in range(-31, 32) for digit in (1, 3)]
    first = max(number for number, mark in enumerate(marks) if mark <= low)
    last = min(number for number, mark in enumerate(marks) if mark > high)
    return marks[first : last + 1]


def counted(number: float) -> str:
    """A number as an axis says it.

    >>> counted(0), counted(2500), counted(40_000_000)
    ('0', '2.5 k', '40 M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g} {letter}"
    return f"{number:g}"
