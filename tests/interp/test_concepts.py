"""Each concept on a line whose answer is seen at a glance: x marks where it holds."""

import pytest

from generator.interp.concepts import DESCRIPTIONS, concepts, position_in_line

CASES = [
    ("inside-string", 'f("a b", x)\n', "..xxxx......"),
    ("inside-string", "f(b'a', x)\n", "...xx......"),
    ("inside-string", 'f(f"a{b}c")\n', "...xxxxxx..."),
    ("inside-docstring", '"""a\nb"""\n', "xxxxxx...."),
    ("inside-comment", "x  # a\ny\n", "...xxx..."),
    ("inside-brackets", "f(a, [b])\n", ".xxxxxxx.."),
    ("keyword", "return x\n", "xxxxxx..."),
    ("line-end", "a\nb\n", ".x.x"),
    ("indentation", "if a:\n  b = 1\n", "......xx......"),
    ("digit", "a1 = 23\n", ".x...xx."),
    ("upper-case", "aB = C\n", ".x...x."),
]


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_a_concept_holds_where_it_should(name: str, text: str, expected: str) -> None:
    found = concepts(text, "python")

    assert found is not None
    assert "".join("x" if holds else "." for holds in found[name]) == expected


def test_quotes_of_prose_open_and_close_and_a_blank_line_closes_them() -> None:
    found = concepts('He said: "No." Then "she\n\nleft.', "prose")

    assert found is not None
    assert "".join("x" if holds else "." for holds in found["inside-quotes"]) == ".........xxxx......." + "xxxxx......"


def test_text_that_is_no_python_has_no_concepts_of_python() -> None:
    assert concepts('"""never closed', "python") is None


def test_a_form_feed_is_no_line_end() -> None:
    found = concepts("a\x0c\n# b\n", "python")

    assert found is not None
    assert found["inside-comment"].tolist() == [False] * 3 + [True] * 3 + [False]


@pytest.mark.parametrize("language", ["python", "prose"])
def test_every_concept_has_a_description_and_a_value_for_each_character(language: str) -> None:
    for text in ("", "x = 1\n"):
        found = concepts(text, language)

        assert found is not None
        assert set(found) <= set(DESCRIPTIONS)
        assert {len(mask) for mask in found.values()} == {len(text)}


def test_position_in_line_starts_anew_after_each_newline() -> None:
    assert position_in_line("ab\nc").tolist() == [0, 1, 2, 0]


def test_curly_quotes_open_and_close_by_themselves() -> None:
    found = concepts("a “b “c” d” e", "prose")

    assert found is not None
    assert "".join("x" if holds else "." for holds in found["inside-quotes"]) == "..xxxxx......"
