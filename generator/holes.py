"""Holes: what stands in a post's body where a figure, a claim, a number or a reference goes, until it is rendered.

Reading leaves them, as it computes nothing, and writing fills them.
"""

from __future__ import annotations

import re

from generator.elements import IN_A_LINE

BLOCK = r'<div class="hole" data-(?P<block>figure|claim)="(?P<id>[\w-]+)"></div>'
WITHIN = (  # a line; Markdown chooses the order of two attributes
    r'<data class="hole" value="(?P<value>[^" ]+) (?P<format>[^"]*)"></data>'
    r'|<a class="hole" href="#(?P<target>[^"]+)"></a>|<a href="#(?P<late>[^"]+)" class="hole"></a>'
)
HOLE = re.compile(f"{BLOCK}|{WITHIN}")
NOT_WORDS = re.compile(
    rf'(?P<hole>{WITHIN})|<small [^>]*class="side-note".*?</small>|<span class="card".*?</span>(?=</span>)'
    rf"|(?P<within></?(?:{'|'.join(sorted(IN_A_LINE - {'sup'}))})\b[^>]*>)|<[^>]+>",
    re.DOTALL,
)


def of_block(block: str, id: str) -> str:
    """Where the figure or the claim of this id goes.

    >>> HOLE.fullmatch(of_block("claim", "c"))["id"]
    'c'
    """
    return f'<div class="hole" data-{block}="{id}"></div>'


def words_of(body: str) -> str:
    """The words of a body, as HTML without tags; holes that stand in a line stay.

    >>> words_of('<p>A <b>&lt;b&gt;</b>, of <a class="hole" href="#f"></a>.</p><p>Next' + of_block("figure", "f"))
    'A &lt;b&gt;, of <a class="hole" href="#f"></a>. Next'
    """

    def left(match: re.Match[str]) -> str:
        return match["hole"] or ("" if match["within"] else " ")

    return " ".join(NOT_WORDS.sub(left, body).split())
