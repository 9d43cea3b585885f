"""Levels keep the order of values; counts are those of each character; scores agree with scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, mutual_info_score, precision_recall_curve, roc_auc_score

from generator.interp import separation
from generator.interp.histograms import CONCEPTS, LEVELS, PATTERNS, Histograms, Scale, packed, unpacked

SOURCE = np.random.default_rng(0)


def counted(levels: np.ndarray, flags: np.ndarray, piece: int = 100) -> Histograms:
    found = Histograms(len(levels), flags.shape[1])
    patterns = packed(flags)
    for start in range(0, len(flags), piece):
        found.add(levels[:, start : start + piece], patterns[start : start + piece])
    return found.fold()


def test_levels_keep_the_order_of_values() -> None:
    values = np.sort(SOURCE.standard_normal((5000, 1)).astype(np.float32), 0)
    levels = Scale.of(values).levels(values)

    assert (np.diff(levels[0].astype(int)) >= 0).all()
    assert len(np.unique(levels)) > 200


def test_an_extreme_value_leaves_the_others_their_levels() -> None:
    values = np.concatenate([SOURCE.standard_normal(5000), [500]]).astype(np.float32)[:, None]

    assert len(np.unique(Scale.of(values).levels(values))) > 50


def test_a_unit_that_is_almost_always_zero_keeps_its_other_values_apart() -> None:
    values = np.zeros((5000, 1), dtype=np.float32)
    values[:20, 0] = np.arange(1, 21)

    assert len(np.unique(Scale.of(values).levels(values))) == 21


def test_values_beyond_the_first_pass_take_the_last_levels() -> None:
    scale = Scale.of(np.linspace(0, 1, 100, dtype=np.float32)[:, None])
    levels = scale.levels(np.array([[-1e9], [0.5], [1e9]], dtype=np.float32))[0]

    assert levels[0] < levels[1] < levels[2]
    assert levels[[0, 2]].tolist() == scale.levels(np.array([[0], [1]], dtype=np.float32))[0].tolist()


def test_a_unit_that_never_changes_has_one_level() -> None:
    values = np.full((10, 1), 3, dtype=np.float32)

    assert len(np.unique(Scale.of(values).levels(values))) == 1


def test_a_unit_whose_range_has_no_reciprocal_in_float32_has_one_level() -> None:
    activations = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    activations[:, 1] *= np.float32(1e-38)  # as of a GELU that is shut everywhere

    levels = Scale.of(activations).levels(activations)

    assert len(np.unique(levels[1])) == 1
    assert len(np.unique(levels[0])) > 50


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_activations_that_are_no_numbers_are_refused(wrong: float) -> None:
    values = np.array([[0.0], [wrong]], dtype=np.float32)

    with pytest.raises(ValueError, match="not numbers"):
        Scale.of(values)
    with pytest.raises(ValueError, match="not numbers"):
        Scale.of(values[:1]).levels(values)


def test_patterns_are_their_concepts() -> None:
    flags = SOURCE.random((50, 40)) < 0.5

    np.testing.assert_array_equal(unpacked(packed(flags), 40), flags)


@pytest.mark.parametrize("concepts", [2, 12])
def test_every_character_is_counted_once_however_many_patterns_there_are(concepts: int) -> None:
    flags = SOURCE.random((3000, concepts)) < 0.5  # 12 concepts: more patterns than are counted apart
    levels = SOURCE.integers(0, LEVELS, (2, 3000), dtype=np.uint8)
    found = counted(levels, flags, piece=700)

    assert concepts == 2 or len(np.unique(packed(flags))) > PATTERNS
    for unit in range(2):
        np.testing.assert_array_equal(found.total[unit], np.bincount(levels[unit], minlength=LEVELS))
        for concept in range(concepts):
            own = levels[unit][flags[:, concept]]
            np.testing.assert_array_equal(found.holding[unit, concept], np.bincount(own, minlength=LEVELS))


def test_scores_are_those_of_scikit_learn() -> None:
    values = SOURCE.standard_normal((2000, 3)).astype(np.float32)
    flags = values[:, [0]] + SOURCE.standard_normal((2000, 2)) > [0.5, 1.5]
    levels = Scale.of(values).levels(values)
    found = counted(levels, flags)
    areas = separation.areas(found.holding, found.total)
    high = areas >= 0.5
    best = separation.best_levels(found.holding, found.total, high)
    f1 = separation.f1_at(found.holding, found.total, high, best)
    bits = separation.information(found.holding, found.total)

    for unit in range(3):
        for concept in range(2):
            holds = flags[:, concept]
            assert areas[unit, concept] == pytest.approx(roc_auc_score(holds, levels[unit]))
            assert areas[unit, concept] == pytest.approx(roc_auc_score(holds, values[:, unit]), abs=1e-3)
            scores = levels[unit] if high[unit, concept] else LEVELS - 1 - levels[unit]
            precision, recall, _ = precision_recall_curve(holds, scores)
            expected = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).max()
            assert f1[unit, concept] == pytest.approx(expected)
            nats = mutual_info_score(holds, levels[unit] // (LEVELS // separation.GROUPS))
            assert bits[unit, concept] == pytest.approx(nats / np.log(2))


def test_always_saying_yes_has_the_f1_of_its_precision() -> None:
    holds = np.arange(100) < 30

    assert separation.all_positive_f1(np.array(0.3)) == pytest.approx(f1_score(holds, np.ones(100, dtype=bool)))


def test_a_concept_that_holds_nowhere_has_no_area_and_counts_as_chance() -> None:
    found = counted(np.zeros((1, 10), dtype=np.uint8), np.zeros((10, 1), dtype=bool))
    areas = separation.areas(found.holding, found.total)

    assert np.isnan(areas).all()
    assert separation.strength(areas) == 0.5
    assert separation.information(found.holding, found.total) == 0


def test_concepts_that_do_not_fit_into_a_pattern_are_refused() -> None:
    flags = np.eye(CONCEPTS, dtype=bool)

    np.testing.assert_array_equal(unpacked(packed(flags), CONCEPTS), flags)
    with pytest.raises(ValueError, match="64 concepts at once; at most 63"):
        packed(np.eye(64, dtype=bool))
