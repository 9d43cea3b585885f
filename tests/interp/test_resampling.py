"""Intervals cover what they should, chance is what it should be, and neighbours are not taken for independent."""

import numpy as np
import pytest
from scipy import stats

from generator.interp.histograms import LEVELS
from generator.interp.resampling import (
    GROUPS,
    area_errors,
    average_rank,
    best_by_chance,
    best_correlation_by_chance,
    correlation,
    correlation_errors,
    exchanged,
    groups,
    rank_correlations,
    share_interval,
    weights,
)  # fmt: skip

DOCUMENTS = np.repeat(np.arange(40), 50)


def runs(source: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Levels and a concept that have nothing to do with each other, both the same for a whole document."""
    levels = source.integers(0, LEVELS, 40, dtype=np.uint8)[DOCUMENTS]
    return levels[None], (source.random(40) < 0.4)[DOCUMENTS][:, None]


def test_documents_are_drawn_whole_many_are_grouped_and_few_are_cut() -> None:
    assert groups(DOCUMENTS).tolist() == DOCUMENTS.tolist()
    assert len(np.unique(groups(np.repeat(np.arange(1000), 3)))) == GROUPS
    assert len(np.unique(groups(np.zeros(160, dtype=np.int64)))) == 16
    assert groups(np.array([0, 0, 1])).tolist() == [0, 1, 2]
    assert len(np.unique(groups(np.repeat(np.arange(8), 6)))) == 8
    assert len(np.unique(groups(np.repeat(np.arange(7), 6)))) == 7 * 3


def test_the_interval_of_an_area_covers_chance_where_documents_are_runs() -> None:
    """Were characters independent, 2,000 of them would give an interval of 0.03, and miss 0.5 nearly always."""
    source = np.random.default_rng(0)
    missed = 0
    for seed in range(50):
        levels, flags = runs(source)
        low, high = area_errors(levels, flags.T, DOCUMENTS, seed)[0]
        holds = flags[:, 0]
        area = stats.mannwhitneyu(levels[0][holds], levels[0][~holds]).statistic / (holds.sum() * (~holds).sum())
        missed += not area + low <= 0.5 <= area + high

    assert missed <= 8


def test_an_area_that_never_varies_has_an_interval_of_no_width() -> None:
    holds = np.arange(2000) % 2 == 0
    levels = np.where(holds, 200, 10).astype(np.uint8)

    assert area_errors(levels[None], holds[None], DOCUMENTS, 0).tolist() == [[0, 0]]


def test_a_concept_that_holds_nowhere_has_no_interval_and_no_chance() -> None:
    levels, flags = np.zeros((1, 2000), dtype=np.uint8), np.zeros((2000, 1), dtype=bool)

    assert np.isnan(area_errors(levels, flags.T, DOCUMENTS, 0)).all()
    assert np.isnan(best_by_chance(levels, flags, DOCUMENTS, 0)).all()


def test_chance_is_above_what_the_best_of_many_unrelated_units_reaches_in_nineteen_of_twenty() -> None:
    source = np.random.default_rng(1)
    above = 0
    for seed in range(20):
        levels = source.integers(0, LEVELS, (30, 40), dtype=np.uint8)[:, DOCUMENTS]
        flags = (source.random(40) < 0.4)[DOCUMENTS][:, None]
        holds = flags[:, 0]
        areas = [
            stats.mannwhitneyu(own[holds], own[~holds]).statistic / (holds.sum() * (~holds).sum()) for own in levels
        ]
        best = max(max(area, 1 - area) for area in areas)
        above += best > float(best_by_chance(levels, flags, DOCUMENTS, seed)[0])

    assert above <= 4


def test_chance_of_more_units_is_higher_and_of_independent_characters_near_one_half() -> None:
    source = np.random.default_rng(2)
    levels = source.integers(0, LEVELS, (200, 2000), dtype=np.uint8)
    flags = source.random((2000, 1)) < 0.3

    one, all_of_them = (float(best_by_chance(levels[:n], flags, DOCUMENTS, 0)[0]) for n in (1, 200))

    assert 0.5 < one < all_of_them < 0.57


def test_chance_of_a_quantity_is_above_what_the_best_of_many_unrelated_units_reaches_in_nineteen_of_twenty() -> None:
    """Quantity and units are the same for a whole document: were characters independent, chance would be below 0.1."""
    source = np.random.default_rng(6)
    above = 0
    for seed in range(20):
        levels = source.integers(0, LEVELS, (30, 40), dtype=np.uint8)[:, DOCUMENTS]
        quantity = source.random(40)[DOCUMENTS][:, None]
        best = np.abs(rank_correlations(levels, quantity)).max()
        above += best > float(best_correlation_by_chance(levels, quantity, DOCUMENTS, seed)[0])

    assert above <= 4


def test_chance_of_a_quantity_rises_with_the_units_and_stays_below_a_unit_that_follows_it() -> None:
    source = np.random.default_rng(7)
    quantity = source.random(2000)
    levels = source.integers(0, LEVELS, (200, 2000), dtype=np.uint8)
    levels[0] = quantity * 255

    one, all_of_them = (
        float(best_correlation_by_chance(levels[:n], quantity[:, None], DOCUMENTS, 0)[0]) for n in (1, 200)
    )

    assert 0 < one < all_of_them < 0.15
    assert rank_correlations(levels[:1], quantity[:, None])[0, 0] > 0.99


def test_a_quantity_that_never_changes_has_a_chance_of_nothing() -> None:
    levels = np.random.default_rng(8).integers(0, LEVELS, (3, 2000), dtype=np.uint8)

    assert best_correlation_by_chance(levels, np.ones((2000, 1)), DOCUMENTS, 0).tolist() == [0]


def test_a_quantity_of_a_single_document_is_tried_by_shifts() -> None:
    """A unit that has the rhythm of lines is level with chance, however many characters there are."""
    position = np.arange(4000) % 40
    levels = (position * 6).astype(np.uint8)[None]

    assert best_correlation_by_chance(levels, position[:, None], np.zeros(4000, dtype=np.int64), 0)[0] > 0.8


def test_labels_are_exchanged_between_whole_documents_and_repeated_where_shorter() -> None:
    documents = np.repeat(np.arange(8), [5, 3, 4, 2, 6, 5, 3, 4])
    found = exchanged(documents, np.random.default_rng(3))

    taken_from = [set(documents[found[documents == number]].tolist()) for number in range(8)]
    assert sorted(one for (one,) in taken_from) == list(range(8))
    assert taken_from != [{number} for number in range(8)]


def test_labels_of_a_single_document_are_shifted_around_its_end() -> None:
    found = exchanged(np.zeros(10, dtype=np.int64), np.random.default_rng(0))

    assert np.roll(np.arange(10), -found[0]).tolist() == found.tolist()


def test_rank_correlations_are_those_of_scipy() -> None:
    source = np.random.default_rng(4)
    levels = source.integers(0, LEVELS, (3, 500), dtype=np.uint8)
    quantity = levels[0].astype(float) + source.integers(0, 100, 500)

    found = rank_correlations(levels, quantity[:, None])[:, 0]

    for own, value in zip(levels, found, strict=True):
        assert value == pytest.approx(stats.spearmanr(own, quantity).statistic, abs=1e-5)
        assert correlation(own.astype(float), quantity) == pytest.approx(value, abs=1e-5)


def test_ranks_lie_within_zero_and_one_and_ties_share_theirs() -> None:
    assert average_rank(np.array([3.0, 1.0, 3.0])).tolist() == pytest.approx([2 / 3, 1 / 6, 2 / 3])


def test_the_interval_of_a_rank_correlation_holds_it_and_is_none_where_nothing_changes() -> None:
    source = np.random.default_rng(5)
    own = source.integers(0, LEVELS, 2000, dtype=np.uint8)

    low, high = correlation_errors(own, own + 200 * source.random(2000), DOCUMENTS, 0)

    assert -0.1 < low < 0 < high < 0.1
    assert np.isnan(correlation_errors(own, np.ones(2000), DOCUMENTS, 0)).all()


def test_the_interval_of_a_rank_correlation_is_that_of_the_texts_drawn_and_read_anew() -> None:
    source = np.random.default_rng(9)
    own = source.integers(0, LEVELS, 2000, dtype=np.uint8)
    quantity = own + 200 * source.random(2000)
    first, second = (average_rank(one.astype(float)) for one in (own, quantity))
    drawn = [
        np.corrcoef(*(np.repeat(one, often.astype(int)[DOCUMENTS]) for one in (first, second)))[0, 1]
        for often in weights(40, 0)
    ]

    expected = np.quantile(drawn, [0.025, 0.975]) - np.corrcoef(first, second)[0, 1]
    assert correlation_errors(own, quantity, DOCUMENTS, 0) == pytest.approx(expected, abs=1e-6)


def test_the_interval_of_a_share_is_the_one_of_wilson() -> None:
    assert share_interval(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert share_interval(0, 16)[0] == 0
    expected = stats.binomtest(45, 768).proportion_ci(method="wilson")
    assert share_interval(45, 768) == pytest.approx((expected.low, expected.high))
