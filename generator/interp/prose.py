"""Concepts of prose: quotes, sentences, capitalised words, numbers, brackets and addresses."""

from __future__ import annotations

import re

import numpy as np

from .characters import Counts, Mask, depths, matches, pairs, spans_mask

DESCRIPTIONS = {
    "inside-quotes": "inside double quotes, up to the end of the paragraph at most",
    "sentence-start": "the first letter of a sentence",
    "capitalised-word": "a letter of a word that begins with a capital",
    "number": "a character of a number, with its points and commas",
    "inside-brackets": "inside round, square or curly brackets that close in the same paragraph",
    "url": "a character of a web address",
}

# The text's start, a full stop or a blank line, then blanks and opening marks, then the letter itself.
SENTENCE = re.compile(r"(?:\A|[.!?][\"'”’)\]]*\s|\n[ \t]*\n)[\s\"'“‘(\[]*([^\W\d_])")
WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]]")
BRACKET = re.compile(r"[()\[\]{}]|\n[ \t]*\n")


def prose(text: str) -> dict[str, Mask]:
    """What the common concepts leave out, (characters,) each."""
    capitalised = (found.span() for found in WORD.finditer(text) if found[0][0].isupper())
    return {
        "inside-quotes": inside_quotes(text),
        "sentence-start": spans_mask(len(text), (found.span(1) for found in SENTENCE.finditer(text))),
        "capitalised-word": spans_mask(len(text), capitalised),
        "number": matches(text, NUMBER),
        "inside-brackets": bracket_depth(text) > 0,
        "url": matches(text, ADDRESS),
    }


def inside_quotes(text: str) -> Mask:
    """From an opening double quote to the character before the closing one; a blank line closes, too."""
    inside, before, found = False, "", []
    for character in text:
        if character in '"“”':
            inside = not inside if character == '"' else character == "“"
        elif character == before == "\n":
            inside = False
        found.append(inside)
        before = character
    return np.array(found, dtype=bool)


def bracket_depth(text: str) -> Counts:
    """In how many brackets each character is, (characters,)."""
    spans: list[tuple[int, int]] = []
    paragraph: list[tuple[int, str]] = []
    for found in BRACKET.finditer(text):
        if len(found[0]) == 1:
            paragraph.append((found.start(), found[0]))
        else:  # what a paragraph leaves open is no bracket: a list's "a)", a face
            spans += pairs(paragraph)
            paragraph = []
    return depths(len(text), spans + pairs(paragraph))
