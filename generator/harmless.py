"""Markdown of an author who is not trusted: HTML of their own is refused, and so are links that run something.

What is let through is listed, and read off the HTML that comes out: attribute lists, TeX and BibTeX can make elements
too, and a browser reads no Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.inlinepatterns import HTML_RE, InlineProcessor
from markdown.postprocessors import Postprocessor

from generator.reading import Reading
from generator.trust import REFUSED

ELEMENTS = {
    "a", "abbr", "blockquote", "br", "caption", "cite", "code", "data", "dd", "del", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre",
    "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "annotation",
    "math", "menclose", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext",
    "mtr", "munder", "munderover", "none", "semantics",
}  # fmt: skip
ATTRIBUTES = {
    "alt", "class", "colspan", "dir", "height", "href", "id", "lang", "loading", "reversed", "role", "rowspan", "scope",
    "sizes", "src", "srcset", "start", "tabindex", "title", "value", "width", "accent", "accentunder", "alttext",
    "columnalign", "columnlines", "columnspacing", "columnspan", "depth", "display", "displaystyle", "encoding",
    "fence", "form", "frame", "framespacing", "largeop", "linebreak", "linethickness", "lspace", "mathbackground",
    "mathcolor", "mathsize", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowalign", "rowlines",
    "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset",
}  # fmt: skip
PREFIXES = ("aria-", "data-")
SCHEMES = {"http", "https", "mailto"}
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e]")  # by browsers, or by eyes, in an address


class Harmless(Extension):
    """`reading` gives the file whose text is being converted."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        super().__init__()
        self.reading = reading

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.inlinePatterns.register(Refusal(HTML_RE, md, self.reading), "html", 90)
        md.postprocessors.register(Check(md, self.reading), "harmless", -1)  # after all others


class Refusal(InlineProcessor):
    """HTML in the text: noted, and taken out."""

    def __init__(self, pattern: str, md: Markdown, reading: Callable[[], Reading]) -> None:
        super().__init__(pattern, md)
        self.reading = reading

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]
        if not m[0].startswith("</"):  # what it closes is told
            note(self.reading(), f"{' '.join(m[0].split())}: HTML of the author's own, {REFUSED}", m[0])
        return Element("span"), m.start(), m.end()


class Check(Postprocessor):
    """Notes what a text became that is refused."""

    def __init__(self, md: Markdown, reading: Callable[[], Reading]) -> None:
        super().__init__(md)
        self.reading = reading

    def run(self, text: str) -> str:
        for what, near in harm(text):
            note(self.reading(), f"{what}, {REFUSED}", near)
        return text


class Harm(HTMLParser):
    """Collects what is wrong with HTML: pairs of why, and of words that stand in the source near it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.found.append((f"an element {tag}", tag))
        for name, value in attrs:
            if name not in ATTRIBUTES and not name.startswith(PREFIXES):
                self.found.append((f"an attribute {name}", name))
            elif name in ("href", "src") and (scheme := scheme_of(value or "")) not in {"", *SCHEMES}:
                self.found.append((f"a link to {scheme}:…", scheme))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_decl(self, decl: str) -> None:
        self.found.append(("a declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.found.append(("a processing instruction", data))


def scheme_of(address: str) -> str:
    """What kind of address a browser takes it for, "" for one within the site.

    >>> scheme_of("java\\tscript:alert(1)"), scheme_of("posts/a.html#b:c")
    ('javascript', '')
    """
    match = SCHEME.match(IGNORED.sub("", address))
    return match[1].lower() if match else ""


def harm(html: str) -> list[tuple[str, str]]:
    """(what, words near it) of all that HTML holds and should not."""
    parser = Harm()
    parser.feed(html)
    parser.close()
    return parser.found


def note(reading: Reading, message: str, near: str) -> None:
    """Once, at the first line that has these words."""
    place = reading.place(reading.line_of(near) if near in reading.text else 1)
    if (message, place) not in [(error.message, error.place) for error in reading.errors]:
        reading.wrong(message, place.line)
