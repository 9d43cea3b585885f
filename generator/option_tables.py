"""Tables of options in pages: a fenced block `options` that names a kind, a source, a data set, or a block.

They are made from the options themselves, as `whatfires kinds` is, so that the guide cannot be out of date.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable

from generator import teaching
from generator.blocks import read_block
from generator.datasets import DATASETS
from generator.figure_blocks import ClaimBlock, FigureBlock
from generator.figures import KINDS
from generator.front_matter import FrontMatter
from generator.models import SOURCES
from generator.reading import Reading
from generator.settings import Settings
from generator.spec import Options, nearest
from generator.teaching import Option

BLOCKS: dict[str, type[Options]] = {
    "figure": FigureBlock, "claim": ClaimBlock, "front-matter": FrontMatter, "site": Settings,
}  # fmt: skip
TABLES = {"source": SOURCES, "dataset": DATASETS}


class OptionsBlock(Options):
    """One of the four."""

    kind: str = ""
    source: str = ""
    dataset: str = ""
    block: str = ""


def read_options(reading: Reading, source: str, line: int) -> str:
    """The table, or "" with a note of what is wrong."""
    found = read_block(reading, OptionsBlock, source, line)
    if found is None:
        return ""
    asked = {name: value for name, value in found[0].model_dump().items() if value}
    if len(asked) != 1:
        reading.wrong("options: name one of kind, source, dataset, block", line)
        return ""
    ((what, name),) = asked.items()
    known: Collection[str] = {"kind": set(KINDS), "block": set(BLOCKS), **TABLES}[what]
    if name not in known:
        reading.wrong(f"options: no {what} {name!r}{nearest(name, known)}", line)
        return ""
    if what == "kind":
        taught = teaching.kind(name)
        return table(taught.own, name) + table(taught.shared, f"{name}, of all kinds that have them")
    model = BLOCKS[name] if what == "block" else TABLES[what].module(name).Settings
    return table(teaching.options(model), name)


def told(about: str) -> str:
    """What an option says, as HTML.

    >>> told("see `whatfires kinds` & more")
    'see <code>whatfires kinds</code> &amp; more'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(about))


def table(rows: Iterable[Option], of: str) -> str:
    body = "".join(
        f'<tr><th scope="row"><code>{html.escape(row.name)}</code></th><td>{html.escape(row.values)}</td>'
        f"<td>{html.escape(row.default) or '<em>required</em>'}</td><td>{told(row.about)}</td></tr>"
        for row in rows
    )
    if not body:
        return ""
    columns = "".join(f'<th scope="col">{name}</th>' for name in ("Option", "Values", "Default", "What it says"))
    head = f"<thead><tr>{columns}</tr></thead>"
    caption = f"<caption>Options of {html.escape(of)}</caption>"
    named = f'tabindex="0" role="group" aria-label="Options of {html.escape(of)}"'
    return f'<div class="scroll wide" {named}><table class="options">{caption}{head}<tbody>{body}</tbody></table></div>'
