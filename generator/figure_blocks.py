"""The blocks of a post that ask for figures and claims: each is validated, noted, and leaves a hole in the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, StrictInt

from generator import holes
from generator.blocks import read_block, read_yaml, validated
from generator.claims import expectation
from generator.deprecation import keys_of
from generator.figures import KINDS
from generator.reading import Reading
from generator.spec import Claim, FigureOptions, FigureSpec, Layout, Options, nearest
from generator.trust import distrusted, refused_in_figure

ID = re.compile(r"[a-z][a-z0-9-]*")


class FigureBlock(Options):
    """The keys that every figure block may have, whatever its kind; the rest are the kind's options."""

    id: str = Field(description="the figure's anchor: what links, values and claims call it")
    kind: str = Field(description="what it shows; see `whatfires kinds`")
    caption: str = Field("", description="Markdown")
    place: Layout = Field(
        "text", description="where it stands: margin, beside the text; text; wide; screen, from edge to edge"
    )
    control: Literal["random-weights"] | None = Field(
        None, description="shown below: the same figure of the same network with random weights"
    )
    checkpoint: StrictInt | str | tuple[StrictInt | str, ...] = Field(
        "newest", description="newest, a step, a list of steps, or all: several make a timeline"
    )
    diff: tuple[StrictInt | str, StrictInt | str] | None = Field(
        None, description="two checkpoints side by side, and the units that changed most between them"
    )
    measures: tuple[str, ...] = Field((), description="those whose course over the checkpoints is drawn")
    otherwise: Mapping[str, Any] | None = Field(
        None, description="options in place of those above where a data set is not at hand"
    )


class ClaimBlock(Options):
    """A claim block."""

    id: str = Field(description="the claim's anchor")
    figure: str = Field(description="the figure, or the model, whose measure it is about")
    expect: str = Field(description="auc >= 0.95, auc between 0.9 and 1, auc about 0.93 ± 0.01")
    text: str = Field(description="what is claimed, in a sentence")
    judge: Literal["value", "interval"] = Field(
        "value", description="interval: it holds only where all of the measure's 95 % interval is as expected"
    )
    history: bool = Field(False, description="judge it also at all earlier checkpoints of the figure's model")


BLOCK_KEYS = keys_of(FigureBlock)


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
    kind: type[FigureOptions] = KINDS.module(block.kind).Options
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
    for key, message in [*refused_in_figure(options), *refused_in_figure(otherwise)] if distrusted() else ():
        at = next((lines[(top,)] for top in (key.partition(".")[0], "otherwise") if (top,) in lines), line)
        reading.wrong(f"figure {block.id}: {key}: {message}", at)
    reading.ids.append((block.id, line))
    reading.figures.append(
        FigureSpec(
            id=block.id,
            kind=block.kind,
            options=options,
            place=reading.place(line),
            caption=reading.caption(block.caption),
            source=source,
            lines={".".join(map(str, path)): reading.place(at).line for path, at in lines.items()},
            otherwise=otherwise,
            layout=block.place,
            control=block.control is not None,
            checkpoint=block.checkpoint,
            diff=block.diff,
            measures=block.measures,
        )
    )
    return holes.of_block("figure", block.id)


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
    return holes.of_block("claim", block.id)
