"""A content file -> a Post: front matter, Markdown, and the blocks for figures and claims.

All mistakes of a file are found in one reading, each with its line. Nothing is computed or loaded here:
where a figure, a claim or a value goes, the body has a hole that `render` fills. What a file includes is read as
part of it, and told of by its own name and line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from pydantic import Field, StrictInt, field_validator

from generator.blocks import Reading, read_block, read_yaml, validated
from generator.claims import expectation
from generator.figures import KINDS
from generator.includes import Line, expanded
from generator.spec import (
    TOLD,
    BuildError,
    BuildErrors,
    Claim,
    FigureOptions,
    FigureSpec,
    Options,
    Place,
    Post,
    nearest,
)
from generator.typography import Typography

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
VALUE = re.compile(r"\{value(?::(?P<format>[^}]*))?\}\s+(?P<figure>[\w-]+)\.(?P<measure>\S+)")
NO_HOLE = re.compile(r"<(?!/?data\b)[^>]+>")  # a tag that is neither end of a hole
ID = re.compile(r"[a-z][a-z0-9-]*")


class FrontMatter(Options):
    """What stands between the two `---` lines of a content file."""

    title: str
    date: str = Field("", description="ISO 8601, such as 2017-05-01; a file in pages/ has none")
    description: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    draft: bool = False
    picture: str = Field("", description="the figure whose first picture stands for the post in lists")

    @field_validator("date", mode="before")
    @classmethod
    def _iso(cls, value: object) -> object:
        return date.fromisoformat(str(value)).isoformat() if value else ""


class FigureBlock(Options):
    """The keys that every figure block may have, whatever its kind; the rest are the kind's options."""

    id: str
    kind: str
    caption: str = ""
    wide: bool = False
    control: Literal["random-weights"] | None = None
    checkpoint: StrictInt | str | tuple[StrictInt | str, ...] = Field(
        "newest", description="newest, a step, a list of steps, or all: several make a timeline"
    )
    diff: tuple[StrictInt | str, StrictInt | str] | None = Field(
        None, description="two checkpoints side by side, and the units that changed most between them"
    )
    measures: tuple[str, ...] = Field((), description="those whose course over the checkpoints is drawn")
    otherwise: Mapping[str, Any] | None = None


class ClaimBlock(Options):
    """A claim block."""

    id: str
    figure: str
    expect: str = Field(description="auc >= 0.95, auc between 0.9 and 1, auc about 0.93 ± 0.01")
    text: str
    judge: Literal["value", "interval"] = Field(
        "value", description="interval: it holds only where all of the measure's 95 % interval is as expected"
    )
    history: bool = Field(False, description="judge it also at all earlier checkpoints of the figure's model")


BLOCK_KEYS = set(FigureBlock.model_fields)


def read_post(path: Path, root: Path, shown: str) -> Post:
    """Read one content file under the content folder `root`; `shown` is how it is called in messages.

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
    reading = Reading(path, shown, root, head + body_text, places, errors, reads)
    front = None
    if match is None:
        reading.wrong("a content file starts with front matter: YAML between two lines of ---", 1)
    else:
        front = read_block(reading, FrontMatter, match[1], 1)
        reading.cursor = match.end()
    site_path = path_in_site(path, root)
    converter = converter_of("body")
    body = converter.convert(reading, body_text)
    headings = set(re.findall(r'<h\d id="([^"]+)"', body))
    blocks = [("figure", one.id, one.place) for one in reading.figures]
    for what, id, place in blocks + [("claim", one.id, one.place) for one in reading.claims]:
        if id in headings:
            reason = "a heading has this id, too; call one of them otherwise"
            reading.errors.append(BuildError(f"{what} {id}: {reason}", place))
    for id in repeated([name for name, _ in reading.ids]):
        first, second, *_ = sorted(line for name, line in reading.ids if name == id)
        at, other = reading.place(first), reading.place(second)
        where = f"line {at.line}" if at.file == other.file else str(at)
        reason = "; its file is included twice" if at == other else f"; the first is at {where}"
        reading.wrong(f"two blocks have the id {id!r}{reason}", second)
    if front and "{value" in TOLD.sub("", front[0].description):
        line = reading.line_of("description:")
        reading.wrong("description: a number is written like {value} figure-id.measure", line)
    for match in TOLD.finditer(front[0].description) if front else ():
        reading.value(match, match[0].strip("`"), reading.line_of("description:"))
    known = [one.id for one in reading.figures]
    if front is not None and front[0].picture and front[0].picture not in known:
        hint = nearest(front[0].picture, known)
        reading.wrong(f"picture: no figure {front[0].picture!r}{hint}", reading.line_of("picture:"))
    if reading.errors:
        raise BuildErrors(reading.errors)
    assert front is not None
    return Post(
        path=site_path,
        body=body,
        words=len(re.sub(r"<[^>]+>", " ", body).split()),
        place=Place(shown),
        contents=contents(tokens) if len(tokens := converter.headings) > 2 else "",
        figures=tuple(reading.figures),
        claims=tuple(reading.claims),
        values=tuple(reading.values),
        references=tuple(reading.references),
        reads=tuple(sorted(reading.reads)),
        **front[0].model_dump(),
    )


def contents(tokens: Iterable[Mapping[str, Any]]) -> str:
    """The table of contents, from what Markdown's toc tells of the headings; their holes are in it, their links not."""
    rows = (
        f'<li><a href="#{token["id"]}">{NO_HOLE.sub("", token["html"])}</a>'
        f"{contents(token['children']) if token['children'] else ''}</li>"
        for token in tokens
    )
    return f"<ul>{''.join(rows)}</ul>"


def path_in_site(path: Path, root: Path) -> str:
    """Posts keep their folder, pages stand at the top: posts/a.md -> posts/a.html, pages/about.md -> about.html."""
    relative = path.relative_to(root).with_suffix(".html")
    return posixpath.join(*(relative.parts[1:] if relative.parts[0] == "pages" else relative.parts))


def repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


class Converter:
    """Markdown as posts are written in: fences for figures and claims, and the usual extensions."""

    def __init__(self) -> None:
        self.reading: Reading  # the file whose text is being converted
        self.markdown = Markdown(
            extensions=[
                "tables", "footnotes", "def_list", "attr_list", "admonition", "toc", Typography(),
                "pymdownx.superfences", "pymdownx.highlight", Holes(self),
            ],
            extension_configs={
                "toc": {"permalink": False, "toc_depth": "2-3"},
                "pymdownx.highlight": {"guess_lang": False},
                "pymdownx.superfences": {
                    "custom_fences": [self.fence("figure", read_figure), self.fence("claim", read_claim)]
                },
            },
            output_format="html",
        )  # fmt: skip
        # A list is looked up in a third of the time that their sorted registry takes, and that many times in each line.
        inline: Any = self.markdown.treeprocessors["inline"]
        inline.inlinePatterns = list(self.markdown.inlinePatterns)

    def fence(self, name: str, read: Callable[[Reading, str, int], str]) -> dict[str, Any]:
        def format(source: str, language: str, class_name: str, options: Any, md: Markdown, **more: Any) -> str:
            return read(self.reading, source, self.reading.line_of_block(name, source))

        return {"name": name, "class": name, "format": format}

    def convert(self, reading: Reading, text: str) -> str:
        self.reading = reading
        return self.markdown.reset().convert(text)

    @property
    def headings(self) -> list[Mapping[str, Any]]:
        """Those of the text that was converted last, as Markdown's toc tells of them."""
        return getattr(self.markdown, "toc_tokens", [])


@cache
def converter_of(what: Literal["body", "caption"]) -> Converter:
    """Made once, as that takes longer than to read a short post; captions are converted while a body is."""
    return Converter()


def read_figure(reading: Reading, source: str, line: int) -> str:
    """A figure block -> its hole in the body; what is wrong with it is noted in `reading`."""
    found = read_yaml(reading, source, line)
    if found is None:
        return ""
    values, lines = found
    common = {key: value for key, value in values.items() if key in BLOCK_KEYS}
    block = validated(reading, FigureBlock, common, lines, line)
    if block is None:
        return ""
    if not ID.fullmatch(block.id):
        reading.wrong(
            f"figure id {block.id!r} must be lower-case letters, digits and hyphens", lines.get(("id",), line)
        )
    if block.kind not in KINDS:
        reading.wrong(
            f"figure {block.id}: unknown kind {block.kind!r}{nearest(block.kind, KINDS)}", lines.get(("kind",), line)
        )
        return ""
    kind: type[FigureOptions] = import_module(KINDS[block.kind]).Options
    own = {key: value for key, value in values.items() if key not in BLOCK_KEYS}
    options = validated(reading, kind, own, lines, line, f"figure {block.id}: ", BLOCK_KEYS)
    otherwise = None
    if block.otherwise is not None:
        inner = {path[1:]: at for path, at in lines.items() if path[:1] == ("otherwise",) and len(path) > 1}
        otherwise = validated(
            reading, kind, {**own, **block.otherwise}, inner, lines[("otherwise",)], f"figure {block.id}: otherwise: "
        )
    if options is None or (block.otherwise is not None and otherwise is None):
        return ""
    reading.ids.append((block.id, line))
    reading.figures.append(
        FigureSpec(
            id=block.id,
            kind=block.kind,
            options=options,
            place=reading.place(line),
            caption=inline(reading, block.caption),
            source=source,
            lines={".".join(map(str, path)): reading.place(at).line for path, at in lines.items()},
            otherwise=otherwise,
            wide=block.wide,
            control=block.control is not None,
            checkpoint=block.checkpoint,
            diff=block.diff,
            measures=block.measures,
        )
    )
    return f'<div class="hole" data-figure="{block.id}"></div>'


def read_claim(reading: Reading, source: str, line: int) -> str:
    """A claim block -> its hole in the body."""
    found = read_block(reading, ClaimBlock, source, line)
    if found is None:
        return ""
    block, lines = found
    try:
        expect = expectation(block.expect)
    except ValueError as error:
        reading.wrong(f"claim {block.id}: expect {error}", lines.get(("expect",), line))
        return ""
    if not ID.fullmatch(block.id):
        reading.wrong(f"claim id {block.id!r} must be lower-case letters, digits and hyphens", lines.get(("id",), line))
        return ""
    at = lines.get(("figure",), line)
    reading.ids.append((block.id, at))
    reading.claims.append(
        Claim(
            id=block.id,
            figure=block.figure,
            expect=expect,
            text=block.text,
            place=reading.place(at),
            by_interval=block.judge == "interval",
            history=block.history,
        )
    )
    return f'<div class="hole" data-claim="{block.id}"></div>'


def inline(reading: Reading, text: str) -> str:
    """A caption's Markdown as HTML, without the paragraph around it if it is a single one."""
    html = converter_of("caption").convert(reading, text.strip())
    single = re.fullmatch(r"<p>(.*)</p>", html, re.DOTALL)
    return single[1] if single and "<p>" not in single[1] else html


class Holes(Extension):
    """Values and cross-references become holes, links to content files become links to their pages."""

    def __init__(self, converter: Converter) -> None:
        super().__init__()
        self.converter = converter

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(HolesProcessor(md, self.converter), "whatfires", 6)


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
        path, hash, fragment = target.partition("#")
        if path.endswith(".md") and "://" not in path:
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
