"""Rows of words as lines for a terminal, their cells below each other."""

from __future__ import annotations

from collections.abc import Container, Sequence


def columns(rows: Sequence[Sequence[str]], right: Container[int] = ()) -> list[str]:
    """One line for each row; the columns whose numbers are in `right` end below each other, others begin so.

    >>> columns([("a", "10"), ("bcd", "5")], right=[1])
    ['a    10', 'bcd   5']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
