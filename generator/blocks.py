"""A content file's blocks of YAML: each mistake with its line and the nearest right word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from yaml.reader import ReaderError

from generator.deprecation import deprecations
from generator.reading import Reading
from generator.spec import Options, fields_at, nearest, refusals

MOST_YAML = 100_000  # characters of one block: more is an accident or an attack
DEEPEST = 50  # lists and mappings in each other
MOST_BITS = 64  # of a whole number, as seeds have
Block = TypeVar("Block", bound=Options)
Lines = Mapping[tuple[str | int, ...], int]  # of each key of a block, by its path


class PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for gigabytes. Nor with tags: what a value is shows."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        problem = ""
        if isinstance(event, yaml.AliasEvent):
            problem = "aliases (*name) are not read here; write the value again"
        elif getattr(event, "tag", None) is not None:
            problem = "tags (!name) are not read here; write a text that begins with ! in quotes"
        elif self.depth == DEEPEST:
            problem = f"nested more than {DEEPEST} deep"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def whole_number(loader: PlainLoader, node: yaml.ScalarNode) -> int:
    value = loader.construct_yaml_int(node)
    if value.bit_length() > MOST_BITS:
        raise ValueError(f"a number of more than {MOST_BITS} bits")
    return int(value)


PlainLoader.add_constructor("tag:yaml.org,2002:int", whole_number)


def read_yaml(reading: Reading, source: str, line: int) -> tuple[dict[str, Any], Lines] | None:
    """A block's YAML as a mapping, and the line of each key; None, with a note of why, if it is none."""
    if len(source) > MOST_YAML:
        reading.wrong(f"the block has {len(source):,} characters; at most {MOST_YAML:,} are read", line)
        return None
    node = None
    try:
        loader = PlainLoader(source)
    except ReaderError as error:
        at = line + 1 + source.count("\n", 0, error.position)
        reading.wrong(f"YAML: the character {chr(error.character)!a} is not read; in quotes it may be escaped", at)
        return None
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
    """`values` as `model`; each mistake is noted with the line of its key and the nearest right word.

    What is deprecated is noted, too.
    """
    try:
        block = model.model_validate(values)
    except ValidationError as problem:
        for path, kind, message in refusals(problem, model):
            at = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), line)
            key = ".".join(map(str, path))
            if kind == "extra_forbidden":
                known = set(fields_at(model, path[:-1])) | (more_keys if len(path) == 1 else set())
                message = f"unknown key {key!r}{nearest(path[-1], known)}"
            elif kind == "missing":
                message = f"the key {key!r} is missing"
            elif key:
                message = f"{key}: {message}"
            reading.wrong(prefix + message, at)
        return None
    for path, message in deprecations(block, values):
        if path in lines:  # else it is of options around these, and told there
            reading.deprecations.append(f"{reading.place(lines[path])}: {prefix}{message}")
    return block


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
