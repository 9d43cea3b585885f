"""Counting what units do, piece after piece, in bounded memory: how often, how much, on what."""

from __future__ import annotations

import torch
from torch import Tensor

BINS = 512  # of a unit's histogram; an even number, because it widens by merging pairs
NARROW = 1e-6  # of a unit that has not changed yet, the width of all its bins


class Tally:
    """Of every unit: how often its activation was how high, and what it did on each token.

    counts: (units, BINS), from `low` up, (units,), in steps of `width`, (units,). least, most: (units,). above:
    (units,), how often it exceeded the threshold. sums: (tokens of the vocabulary, units). seen: (tokens of the
    vocabulary,), how often each was read.
    """

    def __init__(self, units: int, vocabulary: int, threshold: float = 0.0) -> None:
        self.threshold = threshold
        self.counts = torch.zeros(units, BINS, dtype=torch.long)
        self.low = self.width = torch.empty(0)
        self.least = torch.full((units,), torch.inf)
        self.most = torch.full((units,), -torch.inf)
        self.above = torch.zeros(units, dtype=torch.long)
        self.sums = torch.zeros(vocabulary, units, dtype=torch.double)
        self.seen = torch.zeros(vocabulary, dtype=torch.long)

    def add(self, activations: Tensor, tokens: Tensor) -> None:
        """activations: (positions, units). tokens: (positions,), which of the vocabulary was read there."""
        if not len(activations):
            return
        least, most = activations.amin(0), activations.amax(0)
        self.least, self.most = torch.minimum(self.least, least), torch.maximum(self.most, most)
        self.above += (activations > self.threshold).sum(0)
        self.seen += tokens.bincount(minlength=len(self.seen))
        self.sums.index_add_(0, tokens, activations.double())
        if not len(self.low):
            self.low = least.double()
            self.width = (most - least).double().clamp_min(NARROW) * (1 + 1e-6) / BINS
        self.widen()
        steps = ((activations - self.low) / self.width).long().clamp_(0, BINS - 1)  # (positions, units)
        steps += torch.arange(len(self.low)) * BINS
        self.counts += steps.flatten().bincount(minlength=self.counts.numel()).view_as(self.counts)

    def widen(self) -> None:
        """Merge pairs of bins, which makes room as wide again, until all that was seen has a bin."""
        while bool(
            (below := self.least < self.low).any() | (beyond := self.most >= self.low + BINS * self.width).any()
        ):
            short = below | beyond
            merged = self.counts[short].view(-1, BINS // 2, 2).sum(2)
            room = torch.zeros_like(merged)
            down = below[short][:, None]  # whether the room is made below
            self.counts[short] = torch.where(down, torch.cat([room, merged], 1), torch.cat([merged, room], 1))
            self.low = torch.where(below, self.low - BINS * self.width, self.low)
            self.width = torch.where(short, 2 * self.width, self.width)

    def histogram(self, bins: int) -> Tensor:
        """(units, bins), from the least activation to the most; what lies between is told by the middles of bins."""
        middles = self.low[:, None] + (torch.arange(BINS) + 0.5) * self.width[:, None]  # (units, BINS)
        span = (self.most - self.least).double().clamp_min(NARROW)[:, None]
        places = ((middles - self.least[:, None]) / span * bins).long().clamp(0, bins - 1)
        return torch.zeros(len(places), bins, dtype=torch.long).scatter_add_(1, places, self.counts)
