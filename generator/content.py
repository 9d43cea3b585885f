"""A content file -> a Post: front matter, Markdown, and the blocks for figures and claims.

All mistakes of a file are found in one reading, each with its line. Nothing is computed or loaded here:
where a figure, a claim or a value goes, the body has a hole that `render` fills. What a file includes is read as
part of it, and told of by its own name and line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar
from xml.etree.ElementTree import Element

import yaml
from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from pydantic import Field, ValidationError, field_validator

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
    Value,
    fields_at,
    nearest,
)

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
VALUE = re.compile(r"\{value(?::(?P<format>[^}]*))?\}\s+(?P<figure>[\w-]+)\.(?P<measure>\S+)")
NO_HOLE = re.compile(r"<(?!/?data\b)[^>]+>")  # a tag that is neither end of a hole
FORMAT = re.compile(r"[+]?,?((\.\d{1,2})?[efg%]?|d)±?")
ID = re.compile(r"[a-z][a-z0-9-]*")
MOST_YAML = 100_000  # characters of one block: more is an accident or an attack


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
    checkpoint: int | str | tuple[int | str, ...] = Field(
        "newest", description="newest, a step, a list of steps, or all: several make a timeline"
    )
    diff: tuple[int | str, int | str] | None = Field(
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


Block = TypeVar("Block", bound=Options)
Lines = Mapping[tuple[str | int, ...], int]  # of each key of a block, by its path
BLOCK_KEYS = set(FigureBlock.model_fields)


@dataclass
class Reading:
    """A file while it is read: what was found in it so far, and where the reading stands.

    text: with all that it includes; its lines are counted from 1, and `places` says where each was written.
    """

    path: Path
    shown: str
    root: Path
    text: str
    places: Sequence[Place]
    errors: list[BuildError] = field(default_factory=list)
    figures: list[FigureSpec] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    references: list[tuple[str, Place]] = field(default_factory=list)
    ids: list[tuple[str, int]] = field(default_factory=list)  # of figures and claims, and their lines
    cursor: int = 0  # blocks are met in the order in which they are written

    @cached_property
    def captions(self) -> Markdown:
        """What converts captions; made once, which takes longer than a caption."""
        return markdown_for(self, path_in_site(self.path, self.root))

    def place(self, line: int) -> Place:
        """Where a line of the text was written; a line beyond the last one counts as that."""
        return self.places[min(line, len(self.places)) - 1] if self.places else Place(self.shown)

    def wrong(self, message: str, line: int) -> None:
        self.errors.append(BuildError(message, self.place(line)))

    def line_of(self, needle: str, start: int = 0) -> int:
        """The line, from 1, where `needle` is first written after position `start`."""
        at = self.text.find(needle, start)
        return self.text.count("\n", 0, max(at, 0)) + 1

    def value(self, match: re.Match[str], text: str, line: int) -> bool:
        """Note a number that is written as `text`; whether its format is one."""
        if not FORMAT.fullmatch(match["format"] or ""):
            self.wrong(f"`{text}`: the format {match['format']!r} is not like .2f, .0% or .2f±", line)
            return False
        self.values.append(Value(match["figure"], match["measure"], match["format"] or "", self.place(line)))
        return True

    def line_of_block(self, name: str, source: str) -> int:
        """The line of a block's opening fence; superfences does not tell it."""
        first = next((line.strip() for line in source.splitlines() if line.strip()), "")
        for match in re.finditer(
            rf"^[ \t>]*(?:`{{3,}}|~{{3,}})\s*{name}\b.*\n(.*)$", self.text[self.cursor :], re.MULTILINE
        ):
            if match[1].strip(" \t>") == first or not first:
                line = self.text.count("\n", 0, self.cursor + match.start()) + 1
                self.cursor += match.end()
                return line
        return 1


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
    body_lines = expanded(text[len(head) :], len(above) + 1, shown, root, errors)
    body_text = "".join(f"{line.text}\n" for line in body_lines)
    places = [line.place for line in (*above, *body_lines)]
    reading = Reading(path, shown, root, head + body_text, places, errors)
    front = None
    if match is None:
        reading.wrong("a content file starts with front matter: YAML between two lines of ---", 1)
    else:
        front = read_block(reading, FrontMatter, match[1], 1)
        reading.cursor = match.end()
    site_path = path_in_site(path, root)
    converter = markdown_for(reading, site_path)
    body = converter.convert(body_text)
    headings = set(re.findall(r'<h\d id="([^"]+)"', body))
    for one in reading.figures:
        if one.id in headings:
            reading.errors.append(
                BuildError(f"figure {one.id}: a heading has this id, too; call one of them otherwise", one.place)
            )
    for id in repeated([name for name, _ in reading.ids]):
        first, second, *_ = sorted(line for name, line in reading.ids if name == id)
        at, other = reading.place(first), reading.place(second)
        where = f"line {at.line}" if at.file == other.file else str(at)
        reason = "; its file is included twice" if at == other else f"; the first is at {where}"
        reading.wrong(f"two blocks have the id {id!r}{reason}", second)
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
        place=Place(shown),
        contents=contents(tokens) if len(tokens := getattr(converter, "toc_tokens", [])) > 2 else "",
        figures=tuple(reading.figures),
        claims=tuple(reading.claims),
        values=tuple(reading.values),
        references=tuple(reading.references),
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


def markdown_for(reading: Reading, site_path: str) -> Markdown:
    """Markdown as posts are written in: fences for figures and claims, and the usual extensions."""

    def fence(name: str, read: Any) -> dict[str, Any]:
        def format(source: str, language: str, class_name: str, options: Any, md: Markdown, **more: Any) -> str:
            return str(read(reading, source, reading.line_of_block(name, source)))

        return {"name": name, "class": name, "format": format}

    return Markdown(
        extensions=[
            "tables", "footnotes", "def_list", "attr_list", "admonition", "smarty", "toc",
            "pymdownx.superfences", "pymdownx.highlight", Holes(reading, site_path),
        ],
        extension_configs={
            "toc": {"permalink": False, "toc_depth": "2-3"},
            "pymdownx.highlight": {"guess_lang": False},
            "pymdownx.superfences": {"custom_fences": [fence("figure", read_figure), fence("claim", read_claim)]},
        },
        output_format="html",
    )  # fmt: skip


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
    html = reading.captions.reset().convert(text.strip())
    single = re.fullmatch(r"<p>(.*)</p>", html, re.DOTALL)
    return single[1] if single and "<p>" not in single[1] else html


class PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            problem = "aliases (*name) are not read here; write the value again"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_event().start_mark)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)


def read_yaml(reading: Reading, source: str, line: int) -> tuple[dict[str, Any], Lines] | None:
    """A block's YAML as a mapping, and the line of each key; None, with a note of why, if it is none."""
    if len(source) > MOST_YAML:
        reading.wrong(f"the block has {len(source):,} characters; at most {MOST_YAML:,} are read", line)
        return None
    loader = PlainLoader(source)
    node = None
    try:
        node = loader.get_single_node()
        values = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reading.wrong(f"YAML: {getattr(error, 'problem', None) or error}", line + 1 + (mark.line if mark else 0))
        return None
    except ValueError as error:  # of values such as 2026-13-45, which is like a date and is none
        reading.wrong(f"YAML: {error}", line + 1 + line_of_bad_value(node))
        return None
    except RecursionError:
        reading.wrong("YAML: nested too deeply", line)
        return None
    finally:
        loader.dispose()
    if not isinstance(values, dict):
        reading.wrong("the block is not a list of `key: value` lines", line)
        return None
    lines: dict[tuple[str | int, ...], int] = {}
    for path, at in key_lines(node):
        if path in lines:
            reading.wrong(f"the key {path[-1]!r} is written twice", line + 1 + at)
            return None
        lines[path] = line + 1 + at
    return {str(key): value for key, value in values.items()}, lines


def line_of_bad_value(node: yaml.Node | None) -> int:
    """The line, from 0, of the first key of a mapping whose value cannot be made."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        try:
            PlainLoader("").construct_document(value)
        except ValueError:
            return int(key.start_mark.line)
    return 0


def read_block(reading: Reading, model: type[Block], source: str, line: int) -> tuple[Block, Lines] | None:
    """A block as `model`, and the line of each key; None, with a note of why, if it is not one."""
    found = read_yaml(reading, source, line)
    if found is None:
        return None
    block = validated(reading, model, *found, line)
    return None if block is None else (block, found[1])


def validated(
    reading: Reading,
    model: type[Block],
    values: Mapping[str, Any],
    lines: Lines,
    line: int,
    prefix: str = "",
    more_keys: set[str] = frozenset(),  # type: ignore[assignment]
) -> Block | None:
    """`values` as `model`; each mistake is noted with the line of its key and the nearest right word."""
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        for one in problem.errors():
            path = tuple(one["loc"])
            at = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), line)
            key = ".".join(map(str, path))
            if one["type"] == "extra_forbidden":
                known = set(fields_at(model, path[:-1])) | (more_keys if len(path) == 1 else set())
                message = f"unknown key {key!r}{nearest(path[-1], known)}"
            elif one["type"] == "missing":
                message = f"the key {key!r} is missing"
            else:
                given = "" if isinstance(one["input"], dict) else f", not {one['input']!r}"
                message = (
                    f"{key}: {one['msg'].removeprefix('Value error, ')}{given}"
                    if key
                    else one["msg"].removeprefix("Value error, ")
                )
            reading.wrong(prefix + message, at)
        return None


def key_lines(node: yaml.Node | None, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """The path and the line, from 0, of every key of a YAML mapping."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line
            yield from key_lines(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*path, number), value.start_mark.line
            yield from key_lines(value, (*path, number))


class Holes(Extension):
    """Values and cross-references become holes, links to content files become links to their pages."""

    def __init__(self, reading: Reading, site_path: str) -> None:
        super().__init__()
        self.reading, self.site_path = reading, site_path

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(HolesProcessor(md, self.reading, self.site_path), "whatfires", 6)


class HolesProcessor(Treeprocessor):
    """Runs after inline Markdown has become elements, and before the table of contents is made of them."""

    def __init__(self, md: Markdown, reading: Reading, site_path: str) -> None:
        super().__init__(md)
        self.reading, self.site_path = reading, site_path

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
            page = path_in_site(source, self.reading.root.resolve())
            anchor.set("href", posixpath.relpath(page, posixpath.dirname(self.site_path) or ".") + hash + fragment)
