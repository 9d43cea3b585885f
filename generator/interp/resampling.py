"""What a score is worth: its interval by resampling documents, and what the best of all units gets by chance.

Neighbouring characters are alike, so characters are never counted as independent: whole documents are drawn, and
whole documents' labels are exchanged. Positions are a sample, in the order of the text; `levels` are as in
`histograms`, (units, positions).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .histograms import LEVELS, Levels

Documents = NDArray[np.int64]  # (positions,), the document of each, in order

DRAWS = 400
ORDERS = 200  # of labels, for what chance gives
FEW = 6  # documents have less than a thousand orders; then labels are shifted within each as well
GROUPS = 64  # of documents that are drawn as one, at most: bounds the memory
STRETCHES = 16  # that few documents are cut into, so that there is something to draw
TOGETHER = 10  # orders at once: bounds the memory
UNITS = 64  # ranked at once: bounds the memory, too


def groups(documents: Documents) -> Documents:
    """What is drawn as one, (positions,): each document, several of very many, or a stretch of very few.

    Stretches as in the block bootstrap (Künsch, 1989, https://doi.org/10.1214/aos/1176347265).
    """
    numbers = np.unique(documents, return_inverse=True)[1].astype(np.int64)
    count = int(numbers[-1]) + 1
    if count >= STRETCHES // 2:
        return numbers * min(count, GROUPS) // count
    pieces = -(-STRETCHES // count)
    sizes = np.bincount(numbers)
    within = np.arange(len(numbers)) - (np.cumsum(sizes) - sizes)[numbers]
    return np.unique(numbers * pieces + within * pieces // sizes[numbers], return_inverse=True)[1].astype(np.int64)


def weights(count: int, seed: int) -> NDArray[np.float64]:
    """How often each of `count` groups is drawn, (DRAWS, count) (Efron, 1979, doi 10.1214/aos/1176344552)."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS).astype(np.float64)


def area_errors(
    levels: Iterable[Levels], holds: Iterable[NDArray[np.bool_]], documents: Documents, seed: int
) -> NDArray[np.float64]:
    """How far an area may be off, below and above it, (pairs, 2): 2.5 % and 97.5 % of what resampling gives.

    levels, holds: (positions,) of each pair, a unit and the concept that it is asked for. NaN where it is undefined.
    To be added to the area: the lower one is at most 0.
    """
    numbers = groups(documents)
    drawn = weights(int(numbers.max()) + 1, seed)
    start = numbers * 2 * LEVELS
    found = []
    for own, flags in zip(levels, holds, strict=True):
        counts = np.bincount(start + flags * LEVELS + own, minlength=drawn.shape[1] * 2 * LEVELS)
        tables = np.concatenate([np.ones((1, drawn.shape[1])), drawn]) @ counts.reshape(-1, 2 * LEVELS)
        others, holding = tables[:, :LEVELS], tables[:, LEVELS:]
        every = holding.sum(1) * others.sum(1)
        won = (holding * (np.cumsum(others, 1) - others / 2)).sum(1)
        area = np.divide(won, every, out=np.full_like(won, np.nan), where=every > 0)
        found.append(off(area))
    return np.array(found).reshape(-1, 2)


def mean_interval(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Ends of the 95 % interval of the mean of independent values, (count,), such as those of images."""
    low, high = np.quantile(weights(len(values), seed) @ values / len(values), [0.025, 0.975])
    return float(low), float(high)


def off(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the value, the first, to the ends of the interval of the others; NaN where it or all others are."""
    if np.isnan(values[0]) or np.isnan(values[1:]).all():
        return np.full(2, np.nan)
    return np.asarray(np.nanquantile(values[1:], [0.025, 0.975]) - values[0])


def ranks(levels: Levels) -> NDArray[np.float32]:
    """Of each position among all, -0.5 to 0.5, ties sharing the mean of theirs; (units, positions)."""
    found = np.empty(levels.shape, dtype=np.float32)
    for unit, own in enumerate(levels):
        counts = np.bincount(own, minlength=LEVELS)
        found[unit] = (((np.cumsum(counts) - counts / 2) / len(own)) - 0.5).astype(np.float32)[own]
    return found


def best_by_chance(
    levels: Levels, flags: NDArray[np.bool_], documents: Documents, seed: int, quantile: float = 0.95
) -> NDArray[np.float64]:
    """The area that the best of all units reaches by chance in one of twenty `trials`, (concepts,); at least 0.5.

    flags: (positions, concepts). NaN where the concept holds nowhere or everywhere.
    """
    found = []
    for won, labels in trials(ranks(levels), flags, documents, seed):
        positive = labels.sum(0, dtype=np.float64)  # (orders, concepts)
        every = positive * (len(labels) - positive)
        excess = won * len(labels)  # of ranks above their mean; the area is 0.5 + excess / every
        found.append(np.divide(excess, every, out=np.full_like(every, np.nan), where=every > 0))
    best = np.concatenate(found)
    defined = ~np.isnan(best).all(0)
    nulls = np.full(flags.shape[1], np.nan)
    nulls[defined] = 0.5 + np.nanquantile(best[:, defined], quantile, axis=0)
    return np.where(flags.all(0) | ~flags.any(0), np.nan, np.minimum(nulls, 1))


def best_correlation_by_chance(
    levels: Levels, quantities: NDArray[np.float64], documents: Documents, seed: int, quantile: float = 0.95
) -> NDArray[np.float64]:
    """The rank correlation, of either sign, that the best of all units reaches by chance in one of twenty `trials`.

    quantities: (positions, quantities). Returns (quantities,), at least 0; 0 where one never changes. Ranks stay
    those of all positions, as in `correlation_errors`.
    """
    wanted = np.stack([average_rank(column) - 0.5 for column in quantities.T], 1)
    mine = ranks(levels)
    mine /= np.maximum(np.sqrt(np.einsum("up,up->u", mine, mine)), 1e-9)[:, None]  # in place: it is large
    found = []
    for won, labels in trials(mine, wanted, documents, seed):
        spread = np.sqrt(len(labels)) * labels.std(0, dtype=np.float64)  # (orders, quantities)
        found.append(np.divide(won, spread, out=np.zeros_like(spread), where=spread > 1e-6))
    return np.asarray(np.minimum(np.quantile(np.concatenate(found), quantile, axis=0), 1))


def trials(
    ranked: NDArray[np.float32], labels: NDArray[np.generic], documents: Documents, seed: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    """The best of all units where its activations and the labels have lost each other: ORDERS times, some at once.

    ranked: (units, positions), of mean 0. labels: (positions, columns). Yields the largest absolute sum of rank times
    label of any unit, (orders, columns), and the labels, (positions, orders, columns). In each trial whole documents
    exchange their labels, repeated where those of the other are shorter, so that labels and activations keep their
    own runs; where there are few documents they are shifted within each, around its end, too. The best of all units
    is compared with the best of all units (maximum statistics, Westfall and Young, 1993; Nichols and Holmes, 2002,
    https://doi.org/10.1002/hbm.1058).
    """
    source = np.random.default_rng(seed)
    for _ in range(0, ORDERS, TOGETHER):
        given = np.stack([labels[exchanged(documents, source)] for _ in range(TOGETHER)], 1).astype(np.float32)
        sums = (ranked @ given.reshape(len(given), -1)).reshape(-1, *given.shape[1:])  # (units, orders, columns)
        yield np.abs(sums).max(0).astype(np.float64), given


def exchanged(documents: Documents, source: np.random.Generator) -> NDArray[np.int64]:
    """For each position the position whose label it gets, (positions,)."""
    numbers, starts, sizes = np.unique(documents, return_index=True, return_counts=True)
    others = source.permutation(len(numbers))
    shifts = source.integers(0, sizes) if len(numbers) < FEW else np.zeros(len(numbers), dtype=np.int64)
    parts = [
        starts[other] + (np.arange(size) + shifts[other]) % sizes[other]
        for other, size in zip(others, sizes, strict=True)
    ]
    return np.concatenate(parts)


def rank_correlations(levels: Levels, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's, of every unit with every quantity, (units, quantities); 0 where either never changes.

    quantities: (positions, quantities).
    """
    wanted = np.stack([average_rank(column) for column in quantities.T], 1)
    wanted = (wanted - wanted.mean(0)).astype(np.float32)
    found = []
    for start in range(0, len(levels), UNITS):
        mine = ranks(levels[start : start + UNITS])
        mine -= mine.mean(1, keepdims=True)
        sizes = np.linalg.norm(mine, axis=1)[:, None] * np.linalg.norm(wanted, axis=0)
        found.append(np.asarray((mine @ wanted) / np.maximum(sizes, 1e-9), dtype=np.float64))
    return np.concatenate(found)


def average_rank(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks within (0, 1), ties sharing the mean of theirs, (positions,)."""
    _, numbers, counts = np.unique(column, return_inverse=True, return_counts=True)
    return np.asarray(((np.cumsum(counts) - counts / 2) / len(column))[numbers])


def correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's, of two columns, (positions,) each; 0 where either never changes."""
    a, b = (average_rank(column) - average_rank(column).mean() for column in (first, second))
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9))


def correlation_errors(
    own: Levels, quantity: NDArray[np.float64], documents: Documents, seed: int
) -> NDArray[np.float64]:
    """How far the rank correlation of one unit may be off, (2,), as `area_errors`; the ranks stay those of all."""
    first, second = ranks(own[None])[0].astype(np.float64), average_rank(quantity) - 0.5
    numbers = groups(documents)
    drawn = weights(int(numbers.max()) + 1, seed)
    parts = (np.ones_like(first), first, second, first * second, first**2, second**2)
    sums = np.stack([np.bincount(numbers, part, minlength=drawn.shape[1]) for part in parts], 1)
    count, a, b, ab, aa, bb = (np.concatenate([np.ones((1, len(sums))), drawn]) @ sums).T
    spread = np.sqrt(np.maximum((aa - a * a / count) * (bb - b * b / count), 0))
    values = np.divide(ab - a * b / count, spread, out=np.full_like(spread, np.nan), where=spread > 1e-12)
    return off(values)


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Of 95 %, for a share of units, as if they were drawn from many like them.

    Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    z = 1.959964
    share = count / total
    middle, wide = share + z * z / (2 * total), z * np.sqrt(share * (1 - share) / total + z * z / (4 * total**2))
    return max(0.0, float((middle - wide) / (1 + z * z / total))), min(
        1.0, float((middle + wide) / (1 + z * z / total))
    )
