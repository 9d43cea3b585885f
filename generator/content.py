"""A content file -> a Post: front matter, Markdown, and the blocks for figures and claims.

All mistakes of a file are found in one reading, each with its line. Nothing is computed or loaded here:
where a figure, a claim or a value goes, the body has a hole that `render` fills. What a file includes is read as
part of it, and told of by its own name and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from generator.blocks import read_block
from generator.code_blocks import CodeBlocks
from generator.converter import FRAME_IDS, Converter, Extras, extras_of
from generator.deferred import Deferred
from generator.figure_blocks import read_claim, read_figure
from generator.front_matter import FrontMatter
from generator.holes import words_of
from generator.includes import Line, expanded
from generator.reading import Reading, path_in_site
from generator.spec import TOLD, BuildError, BuildErrors, FigureSpec, Place, Post, nearest
from generator.typography import printed

if TYPE_CHECKING:
    from generator import citations, option_tables
else:
    citations = Deferred("generator.citations")  # most posts cite nothing
    option_tables = Deferred("generator.option_tables")

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
NOT_IN_ADDRESSES = set("?#%\\")
NO_HOLE = re.compile(r"<(?!/?data\b)[^>]+>")  # a tag that is neither end of a hole
ELEMENT_ID = re.compile(r"""<(\w+)(?:\s[^<>]*?)?\sid=["']?([^"'\s>]+)""")
HEADING = re.compile(r"h[1-6]")


def read_options(reading: Reading, source: str, line: int) -> str:
    """A table of what can be asked of a kind, a source or a block: what the guide is made of."""
    return option_tables.read_options(reading, source, line)  # which knows all kinds, and is loaded for the guide alone


def read_example(reading: Reading, source: str, line: int) -> str:
    """A figure below its own block, for pages that teach."""
    listing = f"~~~~yaml\n```figure\n{source.strip()}\n```\n~~~~"
    return converter_of("caption", extras_of("")).convert(reading, listing) + "\n" + read_figure(reading, source, line)


FENCES = {"figure": read_figure, "example": read_example, "claim": read_claim, "options": read_options}


def read_post(path: Path, root: Path, shown: str, code: CodeBlocks | None = None) -> Post:
    """Read one content file under the content folder `root`; `shown` is how it is called in messages.

    code: what is known of its blocks of code.

    BuildErrors of everything that is wrong with it.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BuildError(f"is not UTF-8 text ({error.reason} at byte {error.start})", Place(shown)) from error
    match = FRONT_MATTER.match(text)
    head = match[0] if match else ""
    errors: list[BuildError] = []
    above = [Line(line, Place(shown, number)) for number, line in enumerate(head.split("\n")[:-1], 1)]
    reads: set[str] = set()
    body_lines = expanded(text[len(head) :], len(above) + 1, shown, root, errors, reads)
    body_text = "".join(f"{line.text}\n" for line in body_lines)
    places = [line.place for line in (*above, *body_lines)]
    reading = Reading(path, shown, root, head + body_text, places, errors, reads, code=code or CodeBlocks())
    if bad := NOT_IN_ADDRESSES & set(path_in_site(path, root)):
        reading.wrong(f"its name has {' and '.join(sorted(bad))}, which links cannot have as it is; rename the file", 1)
    front = read_front_matter(reading, match)
    reading.caption = lambda text: caption(reading, text)
    converter = converter_of("body", extras_of(reading.text))
    body = converter.convert(reading, body_text)
    ids = ids_of(body)
    check_ids(reading, ids)
    if front is not None:
        check_front_matter(reading, front)
    figures, headings = reading.figures, converter.headings
    if reading.cited:
        id = "references" if "references" not in ids else "references-cited"
        body, figures = with_references(reading, body, id)
        headings = [*headings, {"id": id, "html": "References", "children": []}]
    if reading.errors:
        raise BuildErrors(reading.errors)
    assert front is not None
    return Post(
        path=path_in_site(path, root),
        body=body,
        text=words_of(body),
        place=Place(shown),
        contents=contents(headings) if len(headings) > 2 else "",
        figures=tuple(figures),
        claims=tuple(reading.claims),
        values=tuple(reading.values),
        references=tuple(reading.references),
        images=tuple(reading.images.values()),
        reads=tuple(sorted(reading.reads)),
        deprecations=tuple(reading.deprecations),
        **front.model_dump() | {"title": printed(front.title)},
    )


def read_front_matter(reading: Reading, match: re.Match[str] | None) -> FrontMatter | None:
    """What stands at the head, after which the reading goes on; None where that is wrong."""
    if match is None:
        reading.wrong("a content file starts with front matter: YAML between two lines of ---", 1)
        return None
    found = read_block(reading, FrontMatter, match[1], 1)
    reading.cursor = match.end()
    return found and found[0]


def check_front_matter(reading: Reading, front: FrontMatter) -> None:
    """A post has a date, a page has none, nothing is updated before it is there; its numbers and its picture are."""
    if not front.date and reading.path.relative_to(reading.root).parts[0] == "posts":
        reading.wrong("a post has a date, such as date: 2017-05-01; what has none is a page, in pages/", 1)
    if front.updated and front.updated < front.date:
        reading.wrong(f"updated: {front.updated} is before its date, {front.date}", reading.line_of("updated:"))
    line = reading.line_of("description:")
    if "{value" in TOLD.sub("", front.description):
        reading.wrong("description: a number is written like {value} figure-id.measure", line)
    for match in TOLD.finditer(front.description):
        reading.value(match, match[0].strip("`"), line)
    known = [one.id for one in reading.figures]
    if front.picture and front.picture not in known:
        hint = nearest(front.picture, known)
        reading.wrong(f"picture: no figure {front.picture!r}{hint}", reading.line_of("picture:"))


def ids_of(body: str) -> dict[str, str]:
    """What has an id in the page of a body, by the id, as messages call it; but for blocks, which are holes in it."""
    found = dict.fromkeys(FRAME_IDS, "the frame of the page")
    for tag, id in ELEMENT_ID.findall(body):
        found[id] = "a heading" if HEADING.fullmatch(tag) else f"an element <{tag}>"
    return found


def check_ids(reading: Reading, taken: Mapping[str, str]) -> None:
    """No two blocks have the same id, and none has that of an element of the page, as `ids_of` tells them."""
    blocks = [("figure", one.id, one.place) for one in reading.figures]
    for what, id, place in blocks + [("claim", one.id, one.place) for one in reading.claims]:
        if id in taken:
            reason = f"{taken[id]} has this id, too; call one of them otherwise"
            reading.errors.append(BuildError(f"{what} {id}: {reason}", place))
    lines: dict[str, list[int]] = {}
    for id, line in reading.ids:
        lines.setdefault(id, []).append(line)
    for id, (first, *more) in sorted((id, sorted(found)) for id, found in lines.items()):
        if not more:
            continue
        at, other = reading.place(first), reading.place(more[0])
        where = f"line {at.line}" if at.file == other.file else str(at)
        reason = "; its file is included twice" if at == other else f"; the first is at {where}"
        reading.wrong(f"two blocks have the id {id!r}{reason}", more[0])


def with_references(reading: Reading, body: str, id: str) -> tuple[str, list[FigureSpec]]:
    """The body and the figures with their citations numbered, and the list of what is cited below the body."""
    found = citations.cited(reading)
    if reading.errors:
        return body, reading.figures
    body, *captions = citations.numbered([body, *(figure.caption for figure in reading.figures)], found)
    figures = [replace(one, caption=text) for one, text in zip(reading.figures, captions, strict=True)]
    return body + found.listed(id), figures


def contents(tokens: Iterable[Mapping[str, Any]]) -> str:
    """The table of contents, from what Markdown's toc tells of the headings; their holes are in it, their links not."""
    rows = (
        f'<li><a href="#{token["id"]}">{NO_HOLE.sub("", token["html"])}</a>'
        f"{contents(token['children']) if token['children'] else ''}</li>"
        for token in tokens
    )
    return f"<ul>{''.join(rows)}</ul>"


@cache
def converter_of(what: Literal["body", "caption"], extras: Extras) -> Converter:
    """Made once, as that takes longer than to read a short post; captions are converted while a body is."""
    return Converter(FENCES, extras)


def caption(reading: Reading, text: str) -> str:
    """A caption's Markdown as HTML, without the paragraph around it if it is a single one."""
    html = converter_of("caption", extras_of(text)).convert(reading, text.strip())
    single = re.fullmatch(r"<p>(.*)</p>", html, re.DOTALL)
    return single[1] if single and "<p>" not in single[1] else html
