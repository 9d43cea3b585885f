"""How well units follow concepts: whether activation separates the positions where a concept holds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 32  # units ranked at a time: bounds the memory
STEPS = 65_536  # into which the range of a unit is cut
SHORT = 4096  # positions up to which sorting is faster than so many steps


@torch.inference_mode()
def areas(
    activations: Tensor, concepts: Tensor, progress: Callable[[int, int], None] = lambda done, total: None
) -> Tensor:
    """Area under the ROC curve of every unit for every concept, (units, concepts).

    activations: (positions, units). concepts: (positions, concepts), Boolean. It is the probability that a
    position where the concept holds is more active than one where it does not, ties counting half (the
    Mann-Whitney statistic; Hanley and McNeil, 1982, https://doi.org/10.1148/radiology.143.1.7063747). Above
    0.5 the unit is high where the concept holds, below it is low there. NaN where the concept holds
    everywhere or nowhere.
    """
    holds = concepts.double()
    positive = holds.sum(0)  # (concepts,)
    negative = len(holds) - positive
    found = []
    for start in range(0, activations.shape[1], CHUNK):
        ranks = average_ranks(activations[:, start : start + CHUNK])  # (positions, units)
        excess = ranks.T @ holds - positive * (positive + 1) / 2  # (units, concepts)
        found.append(excess / (positive * negative))
        progress(min(start + CHUNK, activations.shape[1]), activations.shape[1])
    return torch.cat(found).float()


def area_errors(areas: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Standard error of areas under the ROC curve, (units, concepts), by Hanley and McNeil's formula.

    areas: (units, concepts). positive, negative: (concepts,), how many positions hold the concept or do not.
    1982, https://doi.org/10.1148/radiology.143.1.7063747, equation 2 with the exponential approximation.
    """
    areas = areas.double()
    above = areas / (2 - areas)  # that two positives both rank above one negative
    below = 2 * areas**2 / (1 + areas)  # that one positive ranks above two negatives
    squares = areas**2
    excess = areas - squares + (positive - 1) * (above - squares) + (negative - 1) * (below - squares)
    return (excess / (positive * negative)).clamp_min(0).sqrt()


def average_ranks(columns: Tensor) -> Tensor:
    """Ranks from 1 within each column, ties sharing the mean of theirs; (positions, units), float64.

    Of more than SHORT positions, values closer than a 65,536th of their column's range count as ties: then
    counting replaces sorting, which on a CPU is a hundred times slower.
    """
    if len(columns) <= SHORT:
        values = columns.T.contiguous()  # (units, positions)
        ordered = values.sort(1).values
        below, up_to = (torch.searchsorted(ordered, values, right=right) for right in (False, True))
        return (below + up_to + 1).T.double() / 2
    ranks = torch.empty(columns.shape, dtype=torch.float64)
    for unit, column in enumerate(columns.T.contiguous()):
        low, high = column.aminmax()
        steps = ((column - low) / (high - low).clamp_min(1e-30) * (STEPS - 1)).round().long()
        counts = steps.bincount(minlength=STEPS)
        ranks[:, unit] = (counts.cumsum(0) - (counts - 1) / 2)[steps]
    return ranks


@torch.inference_mode()
def correlations(activations: Tensor, quantity: Tensor) -> Tensor:
    """Spearman's rank correlation of every unit with a quantity, (units,); 0 where either never changes.

    activations: (positions, units). quantity: (positions,).
    """
    wanted = average_ranks(quantity[:, None].float())  # (positions, 1)
    wanted = wanted - wanted.mean()
    found = []
    for start in range(0, activations.shape[1], CHUNK):
        ranks = average_ranks(activations[:, start : start + CHUNK])
        ranks = ranks - ranks.mean(0)
        found.append((ranks * wanted).sum(0) / (ranks.norm(dim=0) * wanted.norm()).clamp_min(1e-12))
    return torch.cat(found).float()
