"""Spans of tokens: told, or found by decoding."""

from types import SimpleNamespace

import pytest

from generator.interp.tokenising import adapted, aligned, characters

WORDS = {0: "[CLS]", 1: "the", 2: " cat", 3: "##s", 4: "Sat", 5: " "}


def words(ids):
    return "".join(WORDS[number] for number in ids)


def test_tokens_are_found_in_the_text_whatever_space_and_capitals_the_tokenizer_drops() -> None:
    assert aligned("The cats   sat", [0, 1, 2, 3, 4], words, frozenset([0])) == [
        (0, 0), (0, 3), (3, 7), (7, 8), (11, 14),
    ]  # fmt: skip


def test_a_token_that_is_not_in_the_text_has_an_empty_span_and_the_next_one_is_found() -> None:
    assert aligned("the sat", [1, 2, 4], words) == [(0, 3), (3, 3), (4, 7)]


def test_the_bytes_of_a_character_share_its_span() -> None:
    text = "a😀b"
    ids = list(text.encode())

    spans = aligned(text, ids, lambda some: bytes(some).decode("utf-8", errors="replace"))

    assert spans == [(0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (2, 3)]


def test_characters_are_their_own_tokens_and_unknown_ones_the_first_symbol() -> None:
    tokenizer = characters("?ab")

    tokens = tokenizer.tokens("bxa")

    assert tokens.ids.tolist() == [2, 0, 1]
    assert tokens.spans.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert tokenizer.decode([1, 2]) == "ab"


@pytest.mark.parametrize("text", ["", "ab"])
def test_a_tokenizer_of_ones_own_may_tell_offsets_or_only_ids(text: str) -> None:
    def encode(text):
        return SimpleNamespace(ids=[ord(one) for one in text], offsets=[(at, at + 1) for at in range(len(text))])

    def decode(ids):
        return "".join(map(chr, ids))

    telling = adapted(SimpleNamespace(encode=encode, decode=decode, vocab_size=128))
    silent = adapted(SimpleNamespace(encode=lambda text: encode(text).ids, decode=decode))

    assert telling.tokens(text).spans.tolist() == silent.tokens(text).spans.tolist() == [[n, n + 1] for n in range(len(text))]  # fmt: skip
    assert (telling.size, silent.size) == (128, None)
