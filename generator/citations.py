"""`[@key]` and `[@one; @two, p. 3]` -> numbered citations, and the list of what is cited, from `references.bib`.

pybtex reads the file and writes each entry: it is the one kept reader of BibTeX that also knows the styles, decodes
TeX's accents, and tells the line of a mistake.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor
from pybtex.backends.html import Backend
from pybtex.database import Entry
from pybtex.database.input.bibtex import Parser
from pybtex.exceptions import PybtexError
from pybtex.style import template
from pybtex.style.formatting.unsrt import Style
from pybtex.utils import CaseInsensitiveDict

from generator.reading import Reading
from generator.spec import BuildError, Place, nearest, shown

FILE = "references.bib"  # of the content folder
MOST_TEXT = 2_000_000  # characters of it
MOST_MACRO = 1_000  # characters of an @string: one that is made of others could grow without end
NAME = r"[\w:.#$%&+?<>~/-]*\w"
CITATION = rf"\[(?P<cited>@{NAME}[^\[\]@;]*(;\s*@{NAME}[^\[\]@;]*)*)\]"
ONE = re.compile(rf"\s*@(?P<key>{NAME})(?:,\s*(?P<where>.*\S))?\s*")
MARK = re.compile(r'<cite class="cited(?P<again> again)?" title="(?P<keys>[^"]*)"></cite>')


class AsWritten(Style):  # type: ignore[misc]
    """pybtex's plain style, but for the capitals of titles: BibTeX takes them away unless they stand in braces."""

    def format_title(self, e: Entry, which_field: str, as_sentence: bool = True) -> Any:
        title = template.field(which_field)
        return template.sentence[title] if as_sentence else title


class Macros(CaseInsensitiveDict):  # type: ignore[misc]
    """What @string defines."""

    def __setitem__(self, name: str, text: str) -> None:
        if len(text) > MOST_MACRO:
            raise PybtexError(f"@string {name} has over {MOST_MACRO:,} characters")
        super().__setitem__(name, text)


@dataclass
class Source:
    """An entry that a post cites. number: in its list, from 1. anchor: what ids are made of. text: HTML.

    marks: how often it was cited so far.
    """

    number: int
    anchor: str
    text: str
    marks: int = 0


@dataclass
class Cited:
    """What a post cites, by key, in the order in which that is first cited."""

    sources: dict[str, Source] = field(default_factory=dict)
    anchors: set[str] = field(default_factory=set)

    def add(self, key: str, text: str) -> None:
        """Note that a key is cited, where it was not before."""
        if key in self.sources:
            return
        number, anchor = len(self.sources) + 1, re.sub(r"[^\w-]+", "-", key)
        if anchor in self.anchors:  # a:b after a-b; of itself none has a dot
            anchor += f".{number}"
        self.anchors.add(anchor)
        self.sources[key] = Source(number, anchor, text)

    def mark(self, match: re.Match[str]) -> str:
        """One citation: its number in brackets, and the entry on a card that is shown to who points there."""
        parts = []
        for one in html.unescape(match["keys"]).split(";"):
            key, _, where = one.partition(",")
            source, told = self.sources[key], f", {html.escape(where)}" if where else ""
            if match["again"]:  # in a note beside the text, whose twin below it is the one that is read and pointed at
                parts.append(f'<a href="#ref-{source.anchor}" tabindex="-1">{source.number}{told}</a>')
                continue
            source.marks += 1
            parts.append(
                f'<span class="citation"><a id="cite-{source.anchor}-{source.marks}" href="#ref-{source.anchor}">'
                f'{source.number}{told}</a><span class="card" aria-hidden="true">{inert(source.text)}</span></span>'
            )
        return f'<cite class="citations">[{"; ".join(parts)}]</cite>'

    def listed(self, id: str) -> str:
        """The list of references, whose heading has this id, with links back to where each is cited."""
        rows = []
        for source in self.sources.values():
            back = " ".join(
                f'<a class="back" href="#cite-{source.anchor}-{count}" aria-label="Back to citation {count}">↩</a>'
                for count in range(1, source.marks + 1)
            )
            rows.append(f'<li id="ref-{source.anchor}">{source.text} {back}</li>')
        heading = f'<h2 id="{id}">References</h2>'
        return f'<section class="references" aria-labelledby="{id}">{heading}<ol>{"".join(rows)}</ol></section>'


def inert(text: str) -> str:
    """An entry without its links: a card is hidden from readers of screens, and takes no focus."""
    return re.sub(r"</?a\b[^>]*>", "", text)


class Citations(Extension):
    """`reading` gives the file whose text is being converted."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        super().__init__()
        self.reading = reading

    def extendMarkdown(self, md: Markdown) -> None:
        # Before links and references, which begin with a bracket, too.
        md.inlinePatterns.register(CitationProcessor(CITATION, md, self.reading), "citation", 175)


class CitationProcessor(InlineProcessor):
    def __init__(self, pattern: str, md: Markdown, reading: Callable[[], Reading]) -> None:
        super().__init__(pattern, md)
        self.reading = reading

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]
        reading = self.reading()
        marks = []
        for part in m["cited"].split(";"):
            one = ONE.fullmatch(part)
            assert one is not None
            reading.cited.append(one["key"])
            marks.append(one["key"] + (f",{one['where']}" if one["where"] else ""))
        return Element("cite", {"class": "cited", "title": ";".join(marks)}), m.start(), m.end()


def cited(reading: Reading) -> Cited:
    """What the post cites, in the order in which that is written; what is wrong is noted in `reading`."""
    found = Cited()
    path = reading.root / FILE
    written: dict[str, int] = {}  # where each key stands first; captions and notes are converted in another order
    for match in re.finditer(f"@({NAME})", reading.text):
        written.setdefault(match[1], match.start())
    reading.reads.add(FILE)
    try:
        known = entries(path.read_text("utf-8"), shown(path)) if path.is_file() else {}
    except BuildError as error:
        reading.errors.append(error)
        return found
    for key in sorted(reading.cited, key=lambda key: written.get(key, 0)):
        if key not in known:
            where = f"in {shown(path)}" if path.is_file() else f": there is no {shown(path)}"
            reading.wrong(
                f"[@{key}]: no such reference {where}{nearest(key, known)}",
                reading.text.count("\n", 0, written.get(key, 0)) + 1,
            )
        else:
            found.add(key, known[key])
    return found


@cache
def entries(text: str, file: str) -> Mapping[str, str]:
    """Each entry of a BibTeX file as HTML, by key. BuildError, with its line, of what cannot be read."""
    if len(text) > MOST_TEXT:
        raise BuildError(f"it has {len(text):,} characters; at most {MOST_TEXT:,} are read", Place(file))
    parser, style, backend = Parser(), AsWritten(), Backend()
    parser.macros = Macros(parser.macros)
    try:
        found = parser.parse_string(text).entries
        for entry in found.values():
            check_type(entry, text, file)
        return {entry.key: linked(entry.text.render(backend)) for entry in style.format_entries(found.values())}
    except PybtexError as error:
        said = re.sub(r"^syntax error in line \d+: ", "", str(error))
        raise BuildError(said, Place(file, getattr(error, "lineno", None) or 1)) from error


def check_type(entry: Entry, text: str, file: str) -> None:
    """BuildError of an entry of a type that the style does not know."""
    known = [match[1] for name in dir(AsWritten) if (match := re.fullmatch("get_(.+)_template", name))]
    if entry.type not in known:
        at = re.search(rf"@\s*{re.escape(entry.original_type)}\s*[{{(]\s*{re.escape(entry.key)}\s*,", text)
        line = text.count("\n", 0, at.start()) + 1 if at else 1
        raise BuildError(f"{entry.key}: unknown type @{entry.type}{nearest(entry.type, known, 20)}", Place(file, line))


def linked(entry: str) -> str:
    """An entry whose links lead to the web, and nowhere else: files of references come from anywhere."""
    return re.sub(r'<a href="(?!https?://)[^"]*">(.*?)</a>', r"\1", entry)


def numbered(texts: Sequence[str], found: Cited) -> list[str]:
    """The texts of a post, its captions among them, with their citations in."""
    return [MARK.sub(found.mark, text) for text in texts]
