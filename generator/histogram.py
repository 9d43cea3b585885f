"""A histogram as a drawing: bars and marks in units of its own, that a template prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 40
CHART = (320.0, 80.0)  # width and height of the drawing


def histogram(usual: NDArray[np.float64], synthetic: Sequence[float]) -> dict[str, Any]:
    """How many natural images have which activation, as a drawing of CHART; where the synthetic ones stand in it.

    The axis goes on for the synthetic images at most as far again as the natural ones lie apart; one that is farther
    stands at its end.
    """
    width, height = CHART
    low, high = float(usual.min()), float(usual.max())
    span = (high - low) or max(abs(high), 1.0)
    start = min([low, *(max(one, low - span) for one in synthetic)])
    end = max([low + span, *(min(one, high + span) for one in synthetic)])
    counts, _ = np.histogram(usual, bins=BINS, range=(start, end))
    tallest = int(counts.max())
    step = width / BINS
    bars = [
        {"x": round(number * step, 2), "height": round(max(1.0, height * count / tallest), 2)}
        for number, count in enumerate(counts.tolist())
        if count
    ]
    marks = [
        {
            "x": round(width * (min(max(one, start), end) - start) / (end - start), 2),
            "value": one,
            "beyond": not start <= one <= end,
        }
        for one in synthetic
    ]
    return {
        "width": width,
        "height": height,
        "step": round(step, 2),
        "bars": bars,
        "marks": marks,
        "low": start,
        "high": end,
        "tallest": tallest,
    }
