import base64
import zlib

import numpy as np
import pytest

from generator.quantised import LEVELS, Scale, largest_error, quantised, scale_of

NORMAL = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
HEAVY = np.random.default_rng(0).standard_t(1.5, 4000)


@pytest.mark.parametrize("values", [NORMAL, HEAVY, NORMAL * 1e-6 + 3])
def test_colours_are_those_of_the_values_themselves(values: np.ndarray) -> None:
    scale = scale_of(values)
    exact = (values.astype(np.float64) - scale.low) / (scale.high - scale.low) * (LEVELS - 1)

    np.testing.assert_array_equal(quantised(values, scale).levels, np.clip(np.rint(exact), 0, LEVELS - 1))


@pytest.mark.parametrize("values", [NORMAL, HEAVY])
def test_values_are_kept_to_half_a_step_of_colour(values: np.ndarray) -> None:
    scale = scale_of(values)
    found = quantised(values, scale)

    assert 0 < largest_error(found, values) <= (scale.high - scale.low) / (LEVELS - 1) / 2 * 1.0001


def test_eight_bits_are_enough_however_far_the_extremes() -> None:
    for furthest in (3, 23, 25, 1e6):
        codes = quantised(values := np.append(NORMAL, furthest * np.ones(9)), scale_of(values)).codes
        assert 1 <= codes.min() <= codes.max() <= 241


def test_a_few_extremes_do_not_take_the_colours_but_a_unit_that_is_mostly_silent_shows_when_it_is_not() -> None:
    silent = np.zeros(1000)
    silent[::100] = np.arange(10)

    assert not scale_of(NORMAL).whole
    assert scale_of(NORMAL).high < NORMAL.max()
    assert scale_of(silent) == Scale(0.0, 9.0, True)


def test_a_unit_that_never_changes_has_the_colour_of_the_middle() -> None:
    found = quantised(values := np.full(5, 0.3), scale_of(values))

    assert set(found.levels) == {10}
    assert largest_error(found, values) == 0


def test_a_character_without_a_token_has_neither_colour_nor_value() -> None:
    found = quantised(np.array([1.0, np.nan, 2.0]), Scale(1.0, 2.0, True))

    assert found.levels.tolist() == [0, -1, 20]
    assert np.isnan(found.values).tolist() == [False, True, False]
    assert largest_error(found, np.array([1.0, np.nan, 2.0])) == 0


def test_bytes_are_the_differences_of_codes() -> None:
    found = quantised(NORMAL, scale_of(NORMAL))
    differences = np.frombuffer(zlib.decompress(base64.b64decode(found.packed())), np.uint8)

    np.testing.assert_array_equal(np.cumsum(differences, dtype=np.uint8), found.codes)
