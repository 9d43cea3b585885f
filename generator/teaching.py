"""What an author can ask for, told from the options themselves: by the command line, by the guide, and as JSON Schema.

There is one source, the pydantic model of each kind, source and block, so that none of the three can be out of date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from generator.datasets import DATASETS
from generator.figure_blocks import ClaimBlock, FigureBlock
from generator.figures import KINDS
from generator.front_matter import FrontMatter
from generator.models import SOURCES
from generator.settings import Settings
from generator.spec import BuildError, FigureOptions, Options, SyntheticOptions, nearest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHARED = {*FigureOptions.model_fields, *SyntheticOptions.model_fields}  # options that mean the same in every kind
SCHEMAS = ("figure", "claim", "front-matter", "site")


@dataclass(frozen=True)
class Option:
    """One thing that can be said: its name, what values it takes, its default ("" where it must be said), and why."""

    name: str
    values: str
    default: str
    about: str


@dataclass(frozen=True)
class Kind:
    """A kind of figures, as it is taught."""

    name: str
    summary: str
    more: str
    own: tuple[Option, ...]
    shared: tuple[Option, ...]
    example: str  # YAML, as a figure block has it


def kind(name: str) -> Kind:
    module = KINDS.module(name)
    summary, _, more = (module.__doc__ or "").strip().partition("\n\n")
    every = list(options(module.Options))
    return Kind(
        name,
        " ".join(summary.split()),
        more.strip(),
        tuple(one for one in every if one.name not in SHARED),
        tuple(one for one in every if one.name in SHARED),
        f"id: example\nkind: {name}\n{module.EXAMPLE.strip()}",
    )


def lines_of_kinds() -> Iterator[str]:
    """All kinds, for a terminal."""
    yield from (f"{name:18}{kind(name).summary}" for name in KINDS)
    yield "\nwhatfires kinds KIND tells all that can be asked of one."


def lines_of(name: str) -> Iterator[str]:
    """All that can be asked of a kind, for a terminal. BuildError where there is no such kind."""
    if name not in KINDS:
        raise BuildError(f"no kind {name!r}{nearest(name, KINDS)}")
    taught = kind(name)
    yield f"{taught.summary}\n" + (f"\n{taught.more}\n" if taught.more else "")
    for heading, rows in (("Options", taught.own), ("Options of all kinds that have them", taught.shared)):
        if rows:
            yield f"{heading}:"
        for row in rows:
            default = f"default {row.default}" if row.default else "required"
            yield f"  {click.style(row.name, bold=True)}: {row.values} ({default})"
            if row.about:
                yield click.wrap_text(row.about, 100, "      ", "      ")
    yield f"\n```figure\n{taught.example}\n```"


def options(model: type[Options]) -> Iterator[Option]:
    """The options of a block, a kind, or a row of site.toml."""
    schema = model.model_json_schema()
    for name, row in schema["properties"].items():
        default = "" if name in schema.get("required", ()) else written(row.get("default"))
        yield Option(name, values_of(row, schema.get("$defs", {})), default, row.get("description", ""))


def written(value: Any) -> str:
    """A default as an author would write it.

    >>> written(None), written(True), written([1, 2]), written("text")
    ('none', 'true', '[1, 2]', 'text')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return str(value).replace("'", "")
    return str(value) if value != "" else "none"


def values_of(row: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """What values a property of a JSON Schema takes, in words.

    >>> values_of({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, {})
    'whole number, from 1'
    """
    if "$ref" in row:
        return values_of(defs[row["$ref"].rpartition("/")[2]], defs)
    if "const" in row:
        return str(row["const"])
    if "enum" in row:
        return ", ".join(map(str, row["enum"]))
    for among in ("anyOf", "oneOf"):
        if among in row:
            told = dict.fromkeys(values_of(one, defs) for one in row[among] if one.get("type") != "null")
            return " or ".join(told)
    if row.get("type") == "array":
        items: Mapping[str, Any] = row.get("items") or next(iter(row.get("prefixItems", [])), {})
        return f"list of {values_of(items, defs)}" if items else "list"
    if "properties" in row:
        return f"{{{', '.join(row['properties'])}}}"
    name = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
    found = name.get(str(row.get("type", "")), "mapping" if row.get("type") == "object" else "anything")
    low, high = row.get("minimum", row.get("exclusiveMinimum")), row.get("maximum", row.get("exclusiveMaximum"))
    bounds = " ".join(f"{word} {bound}" for word, bound in (("from", low), ("to", high)) if bound is not None)
    return f"{found}, {bounds}" if bounds else found


def schema(what: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a block of a post, of its front matter, or of site.toml; see SCHEMAS."""
    if what == "figure":
        found = chosen({name: KINDS.module(name).Options for name in KINDS}, "kind", FigureBlock)
    elif what == "claim":
        found = ClaimBlock.model_json_schema()
    elif what == "front-matter":
        found = FrontMatter.model_json_schema()
    else:
        found = Settings.model_json_schema()
        for table, sources in (("models", SOURCES), ("datasets", DATASETS)):
            rows = chosen({name: sources.module(name).Settings for name in sources}, "source")
            found.setdefault("$defs", {}).update(rows.pop("$defs", {}))
            found["properties"][table] = {"type": "object", "additionalProperties": rows}
    return {**found, "$schema": DIALECT, "title": f"Whatfires: {what}"}


def chosen(models: Mapping[str, type[Options]], key: str, common: type[Options] | None = None) -> dict[str, Any]:
    """The schema of a mapping whose `key` says which of several models it is like; `common` are keys of all of them."""
    base = common.model_json_schema() if common else {"properties": {}}
    defs: dict[str, Any] = dict(base.pop("$defs", {}))
    cases = []
    for name, model in models.items():
        own = named_apart(model.model_json_schema(), name)
        defs |= own.pop("$defs", {})
        properties = {**base["properties"], **own["properties"], key: {"const": name}}
        required = sorted({*base.get("required", ()), *own.get("required", ()), key})
        case = {"properties": properties, "required": required, "additionalProperties": False}
        cases.append({"if": {"properties": {key: {"const": name}}}, "then": case})
    return {
        "type": "object",
        "properties": {key: {"enum": list(models)}},
        "required": [key],
        "allOf": cases,
        "$defs": defs,
    }


def named_apart(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema whose definitions have names of their own, to stand beside others."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: renamed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [renamed(one) for one in value]
        if isinstance(value, str) and value.startswith("#/$defs/"):
            return re.sub(r"^#/\$defs/", f"#/$defs/{name}.", value)
        return value

    found: dict[str, Any] = renamed(schema)
    if "$defs" in found:
        found["$defs"] = {f"{name}.{key}": value for key, value in found["$defs"].items()}
    return found
