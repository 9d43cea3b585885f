"""N-grams on texts small enough to count by hand."""

import numpy as np
import pytest

from generator.interp import ngrams
from generator.interp.ngrams import areas, decided, expected, shorter

CODE = {character: ord(character) + 1 for character in "ab"}


def keys(text: str, before: bool = False) -> np.ndarray:
    """At every character."""
    return ngrams.keys(text, np.arange(len(text)), before)


def test_a_key_is_the_last_characters_the_nearest_one_lowest() -> None:
    a, b = CODE["a"], CODE["b"]

    assert keys("ab").tolist() == [a, b | a << 21]
    assert keys("ab", before=True).tolist() == [0, a]
    assert shorter(keys("ab"), 1).tolist() == [a, b]


def test_an_ngram_leans_on_the_shorter_one_as_on_one_more_sighting() -> None:
    holds = np.array([[True], [False], [True]])
    one, two, _ = expected(keys("aab"), holds, keys("bb")[1:])

    # "b" was seen once, and it held; the mean of all is 2/3. "bb" was never seen.
    assert one[0, 0] == pytest.approx((1 + 2 / 3) / 2)
    assert two[0, 0] == one[0, 0]


def test_what_the_character_alone_decides_is_found() -> None:
    text = "a b\n c1\n"
    flags = np.array([[one == "\n", one.isdigit(), number > 3] for number, one in enumerate(text)])

    assert decided(keys(text), flags).tolist() == [True, True, False]


def test_a_bigram_tells_what_a_single_character_does_not() -> None:
    text = "abba" * 50  # after a b comes a b or an a; after ab always a b
    holds = np.array([text[number - 1 : number + 1] == "ab" for number in range(len(text))])[:, None]

    found = areas(keys(text), holds, keys(text), holds)[:, 0]

    assert found[0] < 0.9
    assert found[1] == pytest.approx(1)


def test_the_area_is_of_text_that_was_not_learnt_from() -> None:
    fitted, asked = np.array([[True], [False]]), np.array([[False], [True]])

    assert areas(keys("ab"), fitted, keys("ab"), asked)[0, 0] == 0
