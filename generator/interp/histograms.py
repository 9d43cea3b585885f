"""How often each unit is at each level where each concept holds: all that selectivity is computed from, in one pass.

A unit's activations are cut into 256 levels. Where n characters are read there are not n values to rank but 256
counts, added up piece after piece, so memory does not grow with the text. Concepts are counted by their pattern,
which of them hold together: twenty concepts have some hundred patterns in real text, and each activation is counted
once, not twenty times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 256
CELLS = 16_384  # equal steps between a unit's extremes, of which levels are made
PATTERNS = 256  # counted apart before they are added up by concept
CONCEPTS = 63  # bits of a pattern
ROWS = 32  # positions turned into columns at once: they stay in the processor's cache
NARROW = 1e-30  # a unit that varies less never changes: in float32 its range has no reciprocal
TOGETHER = 64  # units whose counts are added up at once: bounds the memory

Activations = NDArray[np.float32]
Levels = NDArray[np.uint8]
Patterns = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Scale:
    """Where the levels of each unit lie. low, steps: (units,), of its cells; table: (units, CELLS), their levels."""

    low: Activations
    steps: Activations
    table: Levels

    @classmethod
    def of(cls, activations: Activations) -> Scale:
        """From some activations, (positions, units), of a first pass; what lies beyond them later takes the last level.

        Half of the levels go by how often values occur and half by how large they are, so that neither an extreme
        value nor a unit that is almost always zero leaves the others in one level.
        """
        checked(activations)
        low, high = activations.min(0), activations.max(0)
        span = np.where(high - low > NARROW, high - low, 1)
        steps = ((CELLS - 1) / span).astype(np.float32)
        table = np.empty((activations.shape[1], CELLS), dtype=np.uint8)
        size = np.arange(CELLS) / CELLS
        for unit, column in enumerate(activations.T):
            counts = np.bincount(((column - low[unit]) * steps[unit]).astype(np.int64), minlength=CELLS)
            below = (np.cumsum(counts) - counts) / len(column)
            table[unit] = (LEVELS * (below + size) / 2).astype(np.uint8)
        return cls(low, steps, table)

    def levels(self, activations: Activations) -> Levels:
        """(units, positions), of (positions, units). ValueError where an activation is not a number."""
        checked(activations)
        cells = np.empty(activations.shape[::-1], dtype=np.int16)
        for start in range(0, len(activations), ROWS):
            rows = (activations[start : start + ROWS] - self.low) * self.steps
            cells[:, start : start + ROWS] = np.clip(rows, 0, CELLS - 1, out=rows).astype(np.int16).T
        found = np.empty(cells.shape, dtype=np.uint8)
        for unit, own in enumerate(cells):
            np.take(self.table[unit], own, out=found[unit], mode="clip")
        return found


def checked(activations: Activations) -> None:
    """ValueError where an activation is not a number."""
    if not np.isfinite(activations).all():
        raise ValueError("some activations are not numbers (NaN or infinite)")


def packed(flags: NDArray[np.bool_]) -> Patterns:
    """Which concepts hold, as the bits of a number, (positions,); of (positions, concepts), at most CONCEPTS.

    ValueError where there are more.
    """
    if flags.shape[1] > CONCEPTS:
        raise ValueError(f"{flags.shape[1]} concepts at once; at most {CONCEPTS} can be told apart")
    bits: Patterns = np.zeros(len(flags), dtype=np.int32 if flags.shape[1] < 32 else np.int64)
    for number, column in enumerate(flags.T):
        bits += column.astype(bits.dtype) << number
    return bits


def unpacked(patterns: Patterns, concepts: int) -> NDArray[np.bool_]:
    """(positions, concepts)."""
    return (patterns[:, None] >> np.arange(concepts) & 1).astype(bool)


class Histograms:
    """total: (units, LEVELS), characters at each level; holding: (units, concepts, LEVELS), those where one holds."""

    def __init__(self, units: int, concepts: int) -> None:
        self.concepts = concepts
        self.total = np.zeros((units, LEVELS), dtype=np.int64)
        self.holding = np.zeros((units, concepts, LEVELS), dtype=np.int64)
        self._known = np.zeros(0, dtype=np.int64)  # patterns counted apart
        self._counts = np.zeros((0, PATTERNS, LEVELS), dtype=np.int32)  # of all units from the first pattern on

    def add(self, levels: Levels, patterns: Patterns) -> None:
        """levels: (units, positions); patterns: (positions,), as `packed`."""
        new = np.setdiff1d(patterns, self._known)
        if len(self._known) + len(new) > PATTERNS:
            self.fold()
            new = np.unique(patterns)
        if len(new) > PATTERNS:
            for part in np.array_split(np.arange(len(patterns)), 2):
                self.add(levels[:, part], patterns[part])
            return
        if not len(self._counts):
            self._counts = np.zeros((len(self.total), PATTERNS, LEVELS), dtype=np.int32)
        self._known = np.concatenate([self._known, new])
        order = np.argsort(self._known)
        rows = order[np.searchsorted(self._known, patterns, sorter=order)] * LEVELS
        used = len(self._known)
        for unit, own in enumerate(levels):
            counts = np.bincount(rows + own, minlength=used * LEVELS)
            self._counts[unit, :used] += counts.reshape(used, LEVELS).astype(np.int32)

    def fold(self) -> Histograms:
        """Add up by concept what was counted by pattern; returns itself."""
        used = len(self._known)
        bits = unpacked(self._known, self.concepts).astype(np.float64).T  # (concepts, patterns)
        for start in range(0, len(self._counts), TOGETHER):
            units = slice(start, start + TOGETHER)
            counts = self._counts[units, :used].astype(np.float64)
            self.total[units] += counts.sum(1).astype(np.int64)
            self.holding[units] += (bits @ counts).astype(np.int64)  # whole numbers below 2^53
        self._known, self._counts = self._known[:0], self._counts[:0].copy()  # lets go of the memory
        return self
