"""Activations as small whole numbers, for pages that carry many of them: codes, their colours, their bytes.

A code is a step of colour, so that what is seen is exact, and what is read out is off by half a step at most. Codes
of neighbouring characters differ little: their differences are what is compressed.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 21  # steps of colour, from low to high; the middle one is light
STEPS = LEVELS - 1  # from low to high; codes go on with them beyond
WIDEST = 12  # times low to high: as far as all values may reach, so that 241 codes are enough
NOTHING = 0  # the code of a character that no token stands for


@dataclass(frozen=True)
class Scale:
    """What the ends of the colours mean: the lowest level is around `low` and below, the highest around `high`.

    whole: whether they are the smallest and largest value of all.
    """

    low: float
    high: float
    whole: bool


def scale_of(values: NDArray[np.floating[Any]]) -> Scale:
    """From the 2nd to the 98th percentile, so that a few extremes do not take the colours from all others.

    The whole range where those are less than a twelfth of it, as of a unit that is mostly silent.
    """
    if not values.size:
        return Scale(0.0, 0.0, True)
    smallest, largest = float(values.min()), float(values.max())
    low, high = (float(end) for end in np.percentile(values, [2, 98]))
    if (high - low) * WIDEST <= largest - smallest:
        return Scale(smallest, largest, True)
    return Scale(low, high, False)


@dataclass(frozen=True)
class Quantised:
    """codes: uint8, one for each character, 0 where it has no value. first: what code 1 counts from `scale.low`."""

    codes: NDArray[np.uint8]
    first: int
    scale: Scale

    @property
    def steps(self) -> NDArray[np.int64]:
        """Of each code, counted from `scale.low`."""
        return self.codes.astype(np.int64) - 1 + self.first

    @property
    def levels(self) -> NDArray[np.int64]:
        """0 to 20, and -1 where there is no value."""
        return np.where(self.codes == NOTHING, -1, self.steps.clip(0, STEPS))

    @property
    def values(self) -> NDArray[np.float64]:
        """The middle of each code; NaN where there is no value."""
        middles = self.scale.low + self.steps * (self.scale.high - self.scale.low) / STEPS
        return np.where(self.codes == NOTHING, np.nan, middles)

    def packed(self) -> str:
        """Differences of neighbouring codes, modulo 256, as zlib's bytes in base64."""
        differences = np.diff(self.codes, prepend=np.uint8(0)).astype(np.uint8)
        deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_FILTERED)  # few long repeats in noise
        return base64.b64encode(deflate.compress(differences.tobytes()) + deflate.flush()).decode()


def quantised(values: NDArray[np.floating[Any]], scale: Scale) -> Quantised:
    """values: one for each character, NaN where it has none; they lie within `WIDEST` times the scale."""
    there = np.isfinite(values)
    span = scale.high - scale.low
    if not span or not there.any():
        # A unit that never changes has the colour of the middle.
        return Quantised(there.astype(np.uint8), STEPS // 2, scale)
    steps = np.rint((values[there].astype(np.float64) - scale.low) / span * STEPS).astype(np.int64)
    codes = np.zeros(len(values), dtype=np.uint8)
    codes[there] = steps - steps.min() + 1
    return Quantised(codes, int(steps.min()), scale)


def largest_error(found: Quantised, values: NDArray[np.floating[Any]]) -> float:
    """Between values and what their codes say, in the unit of the values."""
    return float(np.nanmax(np.abs(found.values - values), initial=0.0))
