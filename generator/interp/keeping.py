"""Keeping, of many units at once, the few positions of a text that score highest, and letting go of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

PRIME = 1_000_003  # makes one number of two


@dataclass(frozen=True)
class Places:
    """Of each unit some positions in order: values, documents, positions: (units, kept), documents -1 where no more.

    around: (units, kept, span), its activations there in half precision, NaN beyond the ends of the document.
    """

    values: Tensor
    documents: Tensor
    positions: Tensor
    around: Tensor


@dataclass(frozen=True)
class Candidates:
    """Positions for any units, (candidates,). around: (candidates, span). alike: equal where the texts around are."""

    units: Tensor
    scores: Tensor
    values: Tensor
    documents: Tensor
    positions: Tensor
    alike: Tensor
    around: Tensor

    def of(self, chosen: Tensor) -> Candidates:
        """Those of them, by number or as a mask."""
        return Candidates(*(getattr(self, one.name)[chosen] for one in fields(self)))


class Kept:
    """Of each unit the `most` candidates of the highest scores; of those that are alike only the first.

    worst: (units,), the score that a new candidate must exceed.
    """

    def __init__(self, units: int, most: int) -> None:
        self.most = most
        self.worst = torch.full((units,), -torch.inf)
        self.candidates: list[Candidates] = []
        self.settled = 0  # of them: those among which the best were sought

    def add(self, candidates: Candidates) -> None:
        """Offer positions, which `settle` decides about."""
        self.candidates.append(candidates)

    def settle(self) -> None:
        """Let go of all that is not among the best."""
        if len(self.candidates) == self.settled:  # nothing is new
            return
        every = joined(self.candidates)
        # Numbers are moved about, and what they stand for once: it is large.
        chosen = every.scores.argsort(descending=True, stable=True)
        chosen = chosen[every.units[chosen].argsort(stable=True)]  # by unit, then from the best
        chosen = chosen[firsts((every.alike * PRIME + every.units)[chosen])]
        rank = ranks(every.units[chosen], len(self.worst))
        chosen, rank = chosen[rank < self.most], rank[rank < self.most]
        every = every.of(chosen)
        full = rank == self.most - 1
        self.worst[every.units[full]] = every.scores[full]
        self.candidates, self.settled = [every], 1

    def places(self, span: int) -> Places:
        """What was kept, from the best."""
        self.settle()
        shape = (len(self.worst), self.most)
        places = Places(
            torch.full(shape, torch.nan),
            torch.full(shape, -1),
            torch.full(shape, -1),
            torch.full((*shape, span), torch.nan, dtype=torch.half),
        )
        for every in self.candidates:
            rank = ranks(every.units, len(self.worst))
            for one in fields(places):
                getattr(places, one.name)[every.units, rank] = getattr(every, one.name)
        return places


def joined(parts: Sequence[Candidates]) -> Candidates:
    """All of them, one part after another."""
    return Candidates(*(torch.cat([getattr(part, one.name) for part in parts]) for one in fields(Candidates)))


def firsts(values: Tensor) -> Tensor:
    """Whether each value is the first of its like, (values,).

    >>> firsts(torch.tensor([3, 1, 3, 2, 1])).tolist()
    [True, True, False, True, False]
    """
    order = values.argsort(stable=True)
    changed = torch.ones(len(values), dtype=torch.bool)
    changed[1:] = values[order][1:] != values[order][:-1]
    return torch.empty_like(changed).scatter_(0, order, changed)


def ranks(groups: Tensor, count: int) -> Tensor:
    """The place of each member within its group; members of a group stand together, groups in order.

    >>> ranks(torch.tensor([0, 0, 2, 2, 2]), 3).tolist()
    [0, 1, 0, 1, 2]
    """
    sizes = groups.bincount(minlength=count)
    return torch.arange(len(groups)) - (sizes.cumsum(0) - sizes)[groups]
