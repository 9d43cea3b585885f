"""Straight quotes, hyphens and dots -> the marks that a printer sets: “ ” ‘ ’ – — …

Markdown's own `smarty` goes over each piece of text twenty times, once for each case, and took two fifths of the time
that reading a post takes. Here each text is read once, and those that hold nothing to set are not read at all.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from generator import elements

TO_SET = re.compile(r"""["']|-{2,}|\.{3,}""")
AS_WRITTEN = elements.AS_WRITTEN | {"pre", "script", "style", "math", "svg"}
INLINE = elements.IN_A_LINE - AS_WRITTEN
BEFORE_OPENING = set(" \t\n\r\u00a0([{<—–-/=")  # and another quote that opens
DECADE = re.compile(r"'\d\ds?\b")  # the '90s
LATER = "\x03"  # ends what stands for HTML that Markdown sets in later


class Typography(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # After inline Markdown has become elements, before headings give the table of contents its text.
        md.treeprocessors.register(Setter(md), "typography", 7)
        for mark in "\"'":
            if mark not in md.ESCAPED_CHARS:
                md.ESCAPED_CHARS.append(mark)


class Setter(Treeprocessor):
    """Goes through a document in the order of reading, and knows the character before each text."""

    def run(self, root: Element) -> None:
        self.walk(root, "")

    def walk(self, element: Element, before: str) -> str:
        """Set the text in an element; `before` is the last character before it, and the last in it is returned."""
        if element.tag in AS_WRITTEN:
            return element.text[-1:] if element.text else "x"
        if element.tag not in INLINE:
            before = ""
        element.text, before = self.set_in(element.text, before)
        for child in element:
            before = self.walk(child, before)
            if child.tag not in INLINE and child.tag not in AS_WRITTEN:
                before = ""
            child.tail, before = self.set_in(child.tail, before)
        return before

    def set_in(self, text: str | None, before: str) -> tuple[str | None, str]:
        if not text:
            return text, before
        if isinstance(text, AtomicString) or not TO_SET.search(text):
            return text, text[-1]
        return printed(text, before), text[-1]


def printed(text: str, before: str = "") -> str:
    """A text with its marks set; `before` is the character before it, "" at the beginning of a line.

    >>> printed('''"It's 'so'," -- the '90s...''')
    '“It’s ‘so’,” – the ’90s…'
    """

    def mark(match: re.Match[str]) -> str:
        found, start = match[0], match.start()
        if found[0] == ".":
            return "…" if len(found) == 3 else found
        if found[0] == "-":
            return {2: "–", 3: "—"}.get(len(found), found)
        last = text[start - 1] if start else before
        after = text[match.end() : match.end() + 1]
        opens = not last or last in BEFORE_OPENING or opened.get(start - 1, False)
        if last == LATER:
            opens = after.isalnum()
        if (last and after.isspace()) or (found == "'" and DECADE.match(text, start)):
            opens = False
        opened[start] = opens
        return ("“" if opens else "”") if found == '"' else ("‘" if opens else "’")

    opened: dict[int, bool] = {}  # which quotes open, by where they stand
    return TO_SET.sub(mark, text)
