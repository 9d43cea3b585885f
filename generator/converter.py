"""Markdown as posts are written in -> HTML with holes where figures, claims, values and references go."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.extensions.admonition import AdmonitionExtension
from markdown.extensions.attr_list import AttrListExtension
from markdown.extensions.def_list import DefListExtension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.extensions.tables import TableExtension
from markdown.extensions.toc import TocExtension, slugify
from markdown.treeprocessors import Treeprocessor
from pymdownx.highlight import HighlightExtension
from pymdownx.superfences import SuperFencesCodeExtension, highlight_validator

from generator.bounds import Bounds
from generator.deferred import Deferred
from generator.reading import VALUE, Reading, path_in_site
from generator.side_notes import SideNotes
from generator.spec import nearest
from generator.trust import distrusted
from generator.typography import Typography

if TYPE_CHECKING:
    from generator import citations, grids, harmless, mathematics, own_images
else:
    # Most posts need none of these.
    citations, grids = Deferred("generator.citations"), Deferred("generator.grids")
    harmless = Deferred("generator.harmless")
    mathematics, own_images = Deferred("generator.mathematics"), Deferred("generator.own_images")

FRAME_IDS = {"main"}  # of what stands around a post in its page: nothing in its text may have one
IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".avif", ".bmp", ".tif", ".tiff"}
# Of our steps and of those of others that they rely on; where each stands its module says, by a number.
ORDER = (
    "inline",  # words become links, code and citations
    "attr_list",
    "mathematics",  # before typography, which leaves it as it is
    "typography",  # before headings are listed
    "holes",  # values, references and links, also in headings
    "toc",
    "side-notes",  # when notes have all that will be in them
)
Fence = Callable[[Reading, str, int], str]  # the file, a block's text, the line of its fence -> HTML


class Converter:
    """Markdown as posts are written in, with what `extras` need more: math, citations, grids of figures.

    Of a text's lines Markdown makes blocks, of these elements, and of the words in them more. Then all is gone through
    once for each of ORDER.
    """

    def __init__(self, fences: Mapping[str, Fence], extras: Extras) -> None:
        self.reading: Reading  # the file whose text is being converted
        more: list[Extension] = []
        if "math" in extras:
            more.append(mathematics.Mathematics(self.being_read))
        if "citations" in extras:
            more.append(citations.Citations(self.being_read))
        if "grid" in extras:
            more.append(grids.Grids())
        if "notes" in extras:
            more.append(SideNotes())
        if "harmless" in extras:
            more.append(harmless.Harmless(self.being_read))
        self.markdown = Markdown(
            extensions=[
                TableExtension(),
                FootnoteExtension(BACKLINK_TITLE="Back to the text"),
                DefListExtension(),
                AttrListExtension(),
                AdmonitionExtension(),
                TocExtension(slugify=heading_id, toc_depth="2-3"),
                Typography(),
                SuperFencesCodeExtension(custom_fences=[*starmap(self.fence, fences.items()), self.code()]),
                HighlightExtension(guess_lang=False),
                Holes(self),
                Bounds(self.being_read),
                *more,
            ],
            output_format="html",
        )
        # A list is looked up in a third of the time that their sorted registry takes, and that many times in each line.
        inline: Any = self.markdown.treeprocessors["inline"]
        inline.inlinePatterns = list(self.markdown.inlinePatterns)

    def being_read(self) -> Reading:
        return self.reading

    def fence(self, name: str, read: Fence) -> dict[str, Any]:
        def format(source: str, language: str, class_name: str, options: Any, md: Markdown, **more: Any) -> str:
            return read(self.reading, source, self.reading.line_of_block(name, source))

        return {"name": name, "class": name, "format": format}

    def code(self) -> dict[str, Any]:
        """All other fences: code, in the colours of its language."""

        def format(source: str, language: str, class_name: str, options: Any, md: Markdown, **more: Any) -> str:
            colours: Any = md.preprocessors["fenced_code_block"]
            return self.reading.code.coloured(
                [source, language, options, more], lambda: colours.highlight(source, language, options, md, **more)
            )

        return {"name": "*", "class": "", "format": format, "validator": highlight_validator}

    def convert(self, reading: Reading, text: str) -> str:
        self.reading = reading
        try:
            return self.markdown.reset().convert(text)
        except RecursionError:
            first = next((line for line in text.splitlines() if line.strip()), "")
            reading.wrong("the text from here on is nested too deeply", reading.line_of(first))
            return ""

    @property
    def headings(self) -> list[Mapping[str, Any]]:
        """Those of the text that was converted last, as Markdown's toc tells of them."""
        return getattr(self.markdown, "toc_tokens", [])


def heading_id(text: str, separator: str) -> str:
    """
    >>> heading_id("Main results", "-"), heading_id("Main", "-")
    ('main-results', 'main-section')
    """
    id = slugify(text, separator)
    return f"{id}{separator}section" if id in FRAME_IDS else id


Extras = frozenset[str]


def extras_of(text: str) -> Extras:
    """What a text may need: what is slow to load, or to look for, is loaded and looked for only then."""
    signs = {"math": ("$", "\\(", "\\["), "citations": ("[@",), "grid": ("/// grid",), "notes": ("[^",)}
    found = {name for name, marks in signs.items() if any(mark in text for mark in marks)}
    return frozenset({*found, "harmless"} if distrusted() else found)


class Holes(Extension):
    """Values and cross-references become holes, links to content files become links to their pages."""

    def __init__(self, converter: Converter) -> None:
        super().__init__()
        self.converter = converter

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(HolesProcessor(md, self.converter), "holes", 6)


class HolesProcessor(Treeprocessor):
    """Runs after inline Markdown has become elements, and before the table of contents is made of them."""

    def __init__(self, md: Markdown, converter: Converter) -> None:
        super().__init__(md)
        self.converter = converter

    @property
    def reading(self) -> Reading:
        return self.converter.reading

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag == "code":
                self.value(element)
            elif element.tag == "a":
                self.link(element)
            elif element.tag == "img":
                self.image(element)
            elif element.tag in ("td", "th") and (style := element.attrib.pop("style", "")):
                element.set("class", style.removeprefix("text-align: ").rstrip(";"))  # no page has styles in its text

    def value(self, code: Element) -> None:
        text = code.text or ""
        match = VALUE.fullmatch(text)
        if match is None:
            if text.startswith("{value"):
                line = self.reading.line_of(text)
                self.reading.wrong(
                    f"`{text}` is not like `{{value}} figure-id.measure` or `{{value:.2f}} figure-id.measure`", line
                )
            return
        if not self.reading.value(match, text, self.reading.line_of(text)):
            return
        code.tag, code.text = "data", ""
        # One attribute: Markdown chooses the order of several.
        code.attrib = {"class": "hole", "value": f"{match['figure']}.{match['measure']} {match['format'] or ''}"}

    def link(self, anchor: Element) -> None:
        target = anchor.get("href", "")
        if target.startswith("#") and not (anchor.text or len(anchor)):
            self.reading.references.append((target[1:], self.reading.place(self.reading.line_of(f"](#{target[1:]})"))))
            anchor.set("class", "hole")
        written, hash, fragment = target.partition("#")
        if written.endswith(".md") and "://" not in written:
            path = unquote(written)
            source = (self.reading.path.parent / path).resolve()
            if not source.is_file() or not source.is_relative_to(self.reading.root.resolve()):
                known = [one.name for one in self.reading.root.rglob("*.md")]
                line = self.reading.line_of(f"]({target}")
                self.reading.wrong(
                    f"link to {path}: there is no such content file{nearest(Path(path).name, known)}", line
                )
                return
            self.reading.reads.add(source.relative_to(self.reading.root.resolve()).as_posix())
            own = path_in_site(self.reading.path, self.reading.root)
            page = path_in_site(source, self.reading.root.resolve())
            anchor.set("href", posixpath.relpath(page, posixpath.dirname(own) or ".") + hash + fragment)

    def image(self, image: Element) -> None:
        """One of the author's own, beside the post, is carried into the site."""
        reading, source = self.reading, unquote(image.get("src", ""))
        line = reading.line_of(f"]({image.get('src', '')}")
        if source.startswith("data:"):
            return
        if "://" in source or source.startswith("//"):
            reading.wrong(f"image {source}: no page loads anything from elsewhere; save it beside the post", line)
            return
        if not image.get("alt", "").strip() and image.get("role") != "presentation":
            reading.wrong(
                f"image {source}: say in the brackets what it shows, ![like this]({source}), for those who cannot see "
                "it; or add {role=presentation} where it shows nothing",
                line,
            )
        root = reading.root.resolve()
        path = (reading.path.parent / source).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            where = reading.path.parent.resolve()
            known = [one.relative_to(where).as_posix() for one in where.rglob("*") if one.suffix.lower() in IMAGES]
            hint = nearest(source, known) if known else f" in {reading.path.parent.name}/"
            reading.wrong(f"image {source}: there is no such file{hint}", line)
            return
        name = path.relative_to(root).as_posix()
        reading.reads.add(name)
        try:
            own = reading.images.setdefault(name, own_images.looked_at(path, name))
        except ValueError as error:
            reading.wrong(f"image {source}: {error}", line)
            return
        up = "../" * path_in_site(reading.path, reading.root).count("/")
        file, width, height = own.files[-1]
        image.attrib |= {"src": up + file, "width": str(width), "height": str(height), "loading": "lazy"}
        if len(own.files) > 1:
            image.set("srcset", ", ".join(f"{up}{name} {width}w" for name, width, _ in own.files))
            image.set("sizes", own_images.SIZES)
