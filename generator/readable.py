"""Which units of a network are readable: above the best n-gram, the untrained network and chance, interval and all.

What is chosen (each unit's concept, whether it is high or low there) is chosen on one corpus and judged on another.
Baselines may choose on the judged corpus itself, which only makes them harder to beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generator import interp
from generator.census import Counted, Scores

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """One network on the corpus that is searched, and on the one that is judged."""

    searched: Counted
    judged: Counted

    @cached_property
    def high(self) -> Flags:
        """Whether a unit is high where a concept holds, (units, concepts); as it was when searched."""
        return np.asarray(self.searched.areas >= 0.5)

    @cached_property
    def held_out(self) -> Scores:
        """Areas as judged, turned where a unit was low when searched, (units, concepts)."""
        return np.where(self.high, self.judged.areas, 1 - self.judged.areas)

    @cached_property
    def f1(self) -> Scores:
        """As judged, of the threshold that was best when searched, (units, concepts)."""
        first, second = self.searched.histograms, self.judged.histograms
        levels = interp.separation.best_levels(first.holding, first.total, self.high)
        return interp.separation.f1_at(second.holding, second.total, self.high, levels)

    @cached_property
    def bits(self) -> Scores:
        """Mutual information as judged, (units, concepts)."""
        return interp.separation.information(self.judged.histograms.holding, self.judged.histograms.total)

    def intervals(self, units: Numbers, concepts: Numbers, seed: int) -> Scores:
        """Ends of the 95 % interval of each unit's held-out area for its concept, (pairs, 2)."""
        levels, last = self.judged.levels, interp.histograms.LEVELS - 1
        turned = (
            levels[unit] if self.high[unit, concept] else last - levels[unit]
            for unit, concept in zip(units, concepts, strict=True)
        )
        holds = (self.judged.flags[:, concept] for concept in concepts)
        off = interp.resampling.area_errors(turned, holds, self.judged.documents, seed)
        return np.clip(self.held_out[units, concepts][:, None] + off, 0, 1)


@dataclass(frozen=True)
class Bars:
    """What an area must be above, (concepts,) each: the best n-gram, the best untrained unit, chance.

    NaN where a concept holds nowhere or everywhere.
    """

    ngram: Scores
    untrained: Scores
    chance: Scores

    def highest(self) -> Scores:
        """The highest of the three, (concepts,)."""
        return np.maximum(np.maximum(self.ngram, self.untrained), self.chance)

    def without_network(self, other: Network, seed: int) -> Scores:
        """What units of another network must be above, less the comparison with untrained ones."""
        return np.maximum(self.ngram, other.judged.chance(seed))


@dataclass(frozen=True)
class Verdict:
    """concepts: (units,), what each follows; intervals: (units, 2); readable: (units,)."""

    concepts: Numbers
    intervals: Scores
    readable: Flags


def bars(trained: Network, untrained: Network, seed: int) -> Bars:
    """For the units of the trained network."""
    ceiling = interp.separation.strength(untrained.judged.areas).max(0)
    chance = trained.judged.chance(seed)
    return Bars(ngram_areas(trained), np.where(np.isnan(chance), np.nan, ceiling), chance)


def verdict(network: Network, untrained: Network, bar: Scores, seed: int) -> Verdict:
    """Each unit is judged for one concept: the one for which it was furthest above every untrained unit."""
    strength, ceiling = (interp.separation.strength(one.searched.areas) for one in (network, untrained))
    margin = np.where(np.isnan(network.searched.areas), -1, strength - ceiling.max(0))
    concepts = margin.argmax(1)
    intervals = network.intervals(np.arange(len(concepts)), concepts, seed)
    return Verdict(concepts, intervals, np.asarray(intervals[:, 0] > bar[concepts]))


def ngram_areas(network: Network) -> Scores:
    """Of the best 1-, 2- or 3-gram for each concept, (concepts,), fitted where units are searched.

    It ends at the current character; where that alone decides the concept, as with a digit, just before it.
    """
    corpora = network.searched.corpus, network.judged.corpus
    places = [one.read for one in (network.searched, network.judged)]
    first, second = (corpus.flags(where) for corpus, where in zip(corpora, places, strict=True))
    keys = [
        [corpus.keys(where, before) for corpus, where in zip(corpora, places, strict=True)] for before in (False, True)
    ]
    at, before = (interp.ngrams.areas(fitted, first, asked, second).max(0) for fitted, asked in keys)
    return np.asarray(np.where(interp.ngrams.decided(keys[0][0], first), before, at))


def ngram_correlations(network: Network) -> Scores:
    """The same for quantities: the best rank correlation of an n-gram, (quantities,), of the samples."""
    searched, judged = network.searched, network.judged
    fitted, asked = (one.corpus.keys(one.places) for one in (searched, judged))
    found = [
        [interp.resampling.correlation(*pair) for pair in zip(expected.T, judged.quantities.T, strict=True)]
        for expected in interp.ngrams.expected(fitted, searched.quantities, asked)
    ]
    return np.asarray(np.max(found, 0))
