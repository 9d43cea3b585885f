"""Each concept on a line whose answer is seen at a glance: x marks where it holds."""

import pytest

from generator.interp.concepts import DESCRIPTIONS, concepts, knows, position_in_line, quantities

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


PROSE = [
    ("sentence-start", 'He. "She is," it. \n\nWe', "x....x..............x."),
    ("capitalised-word", "A Bee or c", "x.xxx....."),
    ("number", "in 1,024.5, or 3.", "...xxxxxxx.....x."),
    ("inside-brackets", "a (b [c]) d) :(\n\ne)", "..xxxxxx..........."[:19]),
    ("url", "see https://a.b/c?d=e. Or", "....xxxxxxxxxxxxxxxxx...."),
    ("line-end", "א\u0301\n", "..x"),
]


@pytest.mark.parametrize(("name", "text", "expected"), PROSE)
def test_a_concept_of_prose_holds_where_it_should(name: str, text: str, expected: str) -> None:
    found = concepts(text, "prose")

    assert found is not None
    assert "".join("x" if holds else "." for holds in found[name]) == expected


PYGMENTS = [
    ("c", "inside-string", 'f("a\\n", 1);', "..xxxx......"),
    ("c", "inside-comment", "x; /* a */\n", "...xxxxxxx."),
    ("c", "inside-brackets", "f(a[1]);", ".xxxxx.."),
    ("c", "keyword", "return x;", "xxxxxx..."),
    ("javascript", "inside-comment", "// a\nb", "xxxx.."),
]


@pytest.mark.parametrize(("language", "name", "text", "expected"), PYGMENTS)
def test_concepts_of_other_languages_come_from_the_tokens_of_pygments(
    language: str, name: str, text: str, expected: str
) -> None:
    found = concepts(text, language)

    assert found is not None
    assert "".join("x" if holds else "." for holds in found[name]) == expected


def test_languages_are_known_by_the_names_of_pygments() -> None:
    assert all(knows(language) for language in ("prose", "python", "c", "Rust", "js"))
    assert not knows("klingon")


def test_quantities_count_brackets_columns_and_blanks() -> None:
    found = quantities("f(a,\n  [b])\n", "python")

    assert found is not None
    assert found["bracket-depth"].tolist() == [0, 1, 1, 1, 1, 1, 1, 2, 2, 1, 0, 0]
    assert found["position-in-line"].tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6]
    assert found["indentation-depth"].tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("language", ["python", "prose", "c"])
def test_text_that_was_not_utf_8_is_read_with_its_replacements(language: str) -> None:
    text = b"# caf\xe9 \xff\nx = 1\n".decode("utf-8", errors="replace")
    found = concepts(text, language)

    assert found is not None
    assert {len(mask) for mask in found.values()} == {len(text)}


def test_a_lone_surrogate_does_not_stop_the_reading() -> None:
    assert concepts("a \ud800 b", "prose") is not None
