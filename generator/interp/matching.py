"""Units of two networks compared by what they do on the same inputs: how alike they are, and which is whose partner.

After Li, Yosinski, Clune, Lipson and Hopcroft, "Convergent learning: do different neural networks learn the same
representations?", 2015, https://arxiv.org/abs/1511.07543, sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable

import lazy_loader
import torch
from torch import Tensor

scipy = lazy_loader.load("scipy")  # only the best pairs need it


def correlations(pairs: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Pearson's correlation of each unit of one network with each of the other, (units, other units), float64.

    And which units of each never change, (units,) and (other units,): these correlate with nothing. pairs: what both
    do at the same positions, (positions, units) and (positions, other units), piece after piece. ValueError where
    there is nothing, or an activation is not a number.
    """
    shifts: list[Tensor] = []
    count = 0
    for pair in pairs:
        first, second = (one.double() for one in pair)
        if not len(first):
            continue
        if not shifts:  # near the means, so that squares lose no digits
            shifts = [first.mean(0), second.mean(0)]
            sums = [torch.zeros_like(shift) for shift in shifts]
            squares = [torch.zeros_like(shift) for shift in shifts]
            products = first.new_zeros(len(shifts[0]), len(shifts[1]))
        first, second = first - shifts[0], second - shifts[1]
        count += len(first)
        products += first.T @ second
        for number, own in enumerate((first, second)):
            sums[number] += own.sum(0)
            squares[number] += (own**2).sum(0)
    if not count:
        raise ValueError("there is nothing to compare the units on")
    means = [total / count for total in sums]
    deviations = [(square / count - mean**2).clamp_min(0).sqrt() for square, mean in zip(squares, means, strict=True)]
    if not all(bool(one.isfinite().all()) for one in deviations):
        raise ValueError("some activations are not numbers")
    still = [one <= 1e-9 * one.max().clamp_min(1e-30) for one in deviations]
    scale = torch.outer(*deviations)
    found = (products / count - torch.outer(*means)) / torch.where(scale > 0, scale, 1)
    found[still[0]] = 0
    found[:, still[1]] = 0
    return found.clamp(-1, 1), still[0], still[1]


def partners(found: Tensor) -> tuple[Tensor, Tensor]:
    """One-to-one pairs of units whose correlations, whatever their sign, have the greatest sum: (pairs,) twice.

    The assignment problem: Kuhn, 1955, doi 10.1002/nav.3800020109.
    """
    rows, columns = scipy.optimize.linear_sum_assignment(found.abs().numpy(), maximize=True)
    return torch.from_numpy(rows), torch.from_numpy(columns)


def spread(maps: Tensor, most: int) -> Tensor:
    """Positions spread over maps, (batch, channels, height, width), `most` on a side: (positions, channels)."""
    steps = [max(1, -(-size // most)) for size in maps.shape[2:]]
    return maps[:, :, :: steps[0], :: steps[1]].movedim(1, -1).flatten(0, -2)
