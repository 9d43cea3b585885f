"""Mean and variance of every unit, piece after piece, in memory that does not grow with the text."""

from __future__ import annotations

import torch
from torch import Tensor


class Moments:
    """count: positions seen. mean: (units,), float64. By the update of Chan, Golub and LeVeque, 1979,
    http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf, which loses no digits to large means.
    """

    def __init__(self, units: int) -> None:
        self.count = 0
        self.mean = torch.zeros(units, dtype=torch.float64)
        self.squares = torch.zeros(units, dtype=torch.float64)  # of differences from the mean

    def add(self, activations: Tensor) -> None:
        """activations: (positions, units)."""
        count = len(activations)
        if not count:
            return
        mean = activations.mean(0)
        squares = (activations - mean).square_().sum(0)  # torch's own variance takes several times as long
        shift = mean.double() - self.mean
        together = self.count + count
        self.squares += squares.double() + shift**2 * (self.count * count / together)
        self.mean += shift * (count / together)
        self.count = together

    def variance(self) -> Tensor:
        """(units,), float64, of all positions; 0 where nothing was seen."""
        return self.squares / max(self.count, 1)
