"""Quotes, dashes and dots are set as a printer sets them, whatever inline Markdown stands around them."""

import html

import pytest
from markdown import Markdown

from generator.typography import Typography


@pytest.mark.parametrize(
    ("written", "set_in"),
    [
        ('He said "yes" and "no".', "He said “yes” and “no”."),
        ("It's the '90s, and the 1990's.", "It’s the ’90s, and the 1990’s."),
        ("\"'So it is,' she said.\"", "“‘So it is,’ she said.”"),
        ("Pages 3--7 --- all of them... and more.", "Pages 3–7 — all of them… and more."),
        ('"*Dreams*" and *"dreams"*', "“<em>Dreams</em>” and <em>“dreams”</em>"),
        ('("in brackets")', "(“in brackets”)"),
        ("the cell's `\"quoted\" -- code...`'s", 'the cell’s <code>"quoted" -- code...</code>’s'),
        (r"a \"straight\" one", 'a "straight" one'),
        ('<span>"raw"</span>', "<span>“raw”</span>"),
        ("a -> b, ---- and ....", "a -> b, ---- and ...."),
    ],
)
def test_marks_are_set_by_what_stands_beside_them(written: str, set_in: str) -> None:
    assert html.unescape(Markdown(extensions=[Typography()]).convert(written)) == f"<p>{set_in}</p>"


def test_a_quote_opens_at_the_start_of_each_block() -> None:
    found = Markdown(extensions=[Typography()]).convert('One\n\n"Two"\n\n- "three"\n\n## "Four"')

    assert html.unescape(found).count("“") == 3
