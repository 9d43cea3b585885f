"""TeX between dollars -> MathML, which browsers draw and screen readers speak without any script.

In a line it is written `$x^2$` or `\\(x^2\\)`, by itself `$$…$$` or `\\[…\\]`; arithmatex finds it, so that "$5 and $6"
stays text. latex2mathml lets a command that it does not know through as text: here that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from xml.etree.ElementTree import Element, fromstring

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from pymdownx.arithmatex import ArithmatexExtension

from generator.reading import Reading

COMMAND = re.compile(r"\\([A-Za-z]+|.)")
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
ENDS = {"\\(": "\\)", "\\[": "\\]"}


class Mathematics(Extension):
    """`reading` gives the file whose text is being converted."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        super().__init__()
        self.reading = reading

    def extendMarkdown(self, md: Markdown) -> None:
        ArithmatexExtension(generic=True).extendMarkdown(md)
        # Before typography, which leaves mathematics as it is.
        md.treeprocessors.register(Formulas(md, self.reading), "mathematics", 8)


class Formulas(Treeprocessor):
    def __init__(self, md: Markdown, reading: Callable[[], Reading]) -> None:
        super().__init__(md)
        self.reading = reading

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.get("class") == "arithmatex":
                self.set_in(element)

    def set_in(self, element: Element) -> None:
        tex = (element.text or "").strip()
        tex = tex[2:-2].strip() if ENDS.get(tex[:2]) == tex[-2:] else tex
        reading = self.reading()
        try:
            math = mathml(tex, display=element.tag == "div")
        except ValueError as error:
            reading.wrong(f"math: {error}", reading.line_of(tex.split("\n")[0]))
            return
        element.text = None
        element.set("class", "math")
        element.append(math)


def mathml(tex: str, display: bool = False) -> Element:
    """TeX as an element of MathML, with the TeX itself as its alternative text. ValueError where it cannot be read."""
    try:
        written = convert(tex, display="block" if display else "inline")
        math = fromstring(written.replace(NAMESPACE, ""))
    except Exception as error:  # latex2mathml has a dozen of its own, which share no base
        reason = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        raise ValueError(f"{tex!r} cannot be read as TeX ({reason})") from error
    for unknown in filter(None, (COMMAND.search(unescape(text)) for text in math.itertext())):
        raise ValueError(f"{unknown[0]} in {tex!r} is a command that latex2mathml does not know")
    math.set("alttext", tex)
    return math
