"""How well units separate concepts, from histograms: area, best F1 and mutual information, all units at once.

holding: (units, concepts, levels), characters at each level where a concept holds; total: (units, levels), all of
them. Values that share a level are ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Scores = NDArray[np.float64]

GROUPS = 16  # of levels, for mutual information


def areas(holding: Counts, total: Counts) -> Scores:
    """Area under the ROC curve, (units, concepts); NaN where the concept holds nowhere or everywhere.

    The Mann-Whitney statistic, ties counting half (Hanley and McNeil, 1982,
    https://doi.org/10.1148/radiology.143.1.7063747).
    """
    others = total[:, None] - holding
    below = np.cumsum(others, 2) - others / 2
    every = holding.sum(2, dtype=np.float64) * others.sum(2, dtype=np.float64)
    won = (holding * below).sum(2)
    return np.asarray(np.divide(won, every, out=np.full_like(won, np.nan), where=every > 0))


def strength(areas: Scores) -> Scores:
    """The area whichever way round the unit follows the concept, from 0.5; undefined ones are 0.5."""
    return np.asarray(np.nan_to_num(np.maximum(areas, 1 - areas), nan=0.5))


def f1_curves(holding: Counts, total: Counts, high: NDArray[np.bool_]) -> Scores:
    """F1 of the rule "the concept holds from this level up", (units, concepts, levels); 0 where it finds nothing.

    high: (units, concepts); where it is false the rule is "up to this level". F1 is the harmonic mean of precision
    and recall (van Rijsbergen, 1979, Information Retrieval, chapter 7).
    """
    totals = np.broadcast_to(total[:, None], holding.shape)
    found, said = (
        np.where(high[..., None], np.cumsum(counts[..., ::-1], 2)[..., ::-1], np.cumsum(counts, 2))
        for counts in (holding, totals)
    )
    return np.asarray(2 * found / np.maximum(said + holding.sum(2)[..., None], 1))


def best_levels(holding: Counts, total: Counts, high: NDArray[np.bool_]) -> Counts:
    """The level of the best F1, (units, concepts): to be chosen on other text than it is judged by."""
    return np.asarray(f1_curves(holding, total, high).argmax(2))


def f1_at(holding: Counts, total: Counts, high: NDArray[np.bool_], levels: Counts) -> Scores:
    """F1 at chosen levels, (units, concepts)."""
    return np.asarray(np.take_along_axis(f1_curves(holding, total, high), levels[..., None], 2)[..., 0])


def all_positive_f1(share: Scores) -> Scores:
    """F1 of the rule "it always holds", of a concept that holds for this share of the characters."""
    return 2 * share / (1 + share)


def information(holding: Counts, total: Counts) -> Scores:
    """Bits that the unit's level tells of whether the concept holds, (units, concepts).

    Of levels in 16 groups, so that the estimate is too high by little: some 11 / characters bits (Panzeri and
    Treves, 1996, https://doi.org/10.1088/0954-898X/7/1/006).
    """
    shape = (*total.shape[:-1], GROUPS, -1)
    coarse = total.reshape(shape).sum(2)[:, None]  # (units, 1, groups)
    positive = holding.reshape(*holding.shape[:2], GROUPS, -1).sum(3)
    count = coarse.sum(2)
    return np.asarray(
        entropy(positive.sum(2) / count) - (entropy(positive / np.maximum(coarse, 1)) * coarse).sum(2) / count
    )


def entropy(share: Scores) -> Scores:
    """Of something that is so with probability `share`, in bits."""
    inside = np.clip(share, 1e-300, 1)
    outside = np.clip(1 - share, 1e-300, 1)
    return np.asarray(-(share * np.log2(inside) + (1 - share) * np.log2(outside)))
