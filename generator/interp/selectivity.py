"""How well units follow concepts: whether activation separates the positions where a concept holds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 32  # units ranked at a time: bounds the memory


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


def average_ranks(columns: Tensor) -> Tensor:
    """Ranks from 1 within each column, ties sharing the mean of theirs; (positions, units), float64."""
    ordered, order = columns.sort(dim=0)
    positions = torch.arange(1, len(columns) + 1, dtype=torch.float64)[:, None].expand(columns.shape)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = torch.where(new, positions, 0).cummax(0).values  # the first rank of each run of ties
    last_flags = torch.ones_like(new)
    last_flags[:-1] = new[1:]
    last = torch.where(last_flags, positions, torch.inf).flip(0).cummin(0).values.flip(0)
    ranks: Tensor = torch.empty_like(first).scatter_(0, order, (first + last) / 2)
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
