"""Included files: a line `--8<-- "path"` in a post stands for the text of another file of the content folder.

The syntax is that of pymdownx.snippets, which MkDocs has made known. Its lines are put in before Markdown runs, and of
each it is noted where it was written, so that a mistake is told with the file that its author must open; snippets
itself keeps no such note. What stands between the fences of code is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.spec import BuildError, Place, nearest, shown

MARKER = re.compile(r"[ \t]*-+8<-+(?![\w-])")  # what begins such a line
INCLUDE = re.compile(r"""(?P<space>[ \t]*)-+8<-+[ \t]+(?P<quote>["'])(?P<path>[^"'\r\n]+)(?P=quote)[ \t]*""")
ESCAPED = re.compile(r"(?P<space>[ \t]*);(?P<rest>;*-+8<-+.*)")  # a line that shows the syntax
FENCE = re.compile(r"[ \t>]*(?P<fence>`{3,}|~{3,})(?P<rest>.*)")
FRONT_MATTER = re.compile(r"---[ \t]*\n")
MOST_LINES = 1_000_000  # of a post with all that it includes


@dataclass(frozen=True)
class Line:
    """A line of text, without its end, and where it was written."""

    text: str
    place: Place


def expanded(text: str, first: int, file: str, root: Path, errors: list[BuildError], reads: set[str]) -> list[Line]:
    """The lines of a post's body with those of all files that it includes, and where each was written.

    `first` is the number of the body's first line in `file`, which is the post as messages call it; paths are relative
    to the content folder `root`. What is wrong is appended to `errors`, and such a line is left out; the paths of what
    was included go into `reads`.
    """
    found: list[Line] = []
    for line in lines_of(text, file, first, root, (), errors, reads):
        found.append(line)
        if len(found) > MOST_LINES:
            errors.append(BuildError(f"with all that it includes it has over {MOST_LINES:,} lines", line.place))
            break
    return found


def lines_of(
    text: str,
    file: str,
    first: int,
    root: Path,
    above: tuple[Path, ...],
    errors: list[BuildError],
    reads: set[str],
) -> Iterator[Line]:
    """Those of one file; `above` are the included files that lead to it, itself the last."""
    fence, opened = "", 0  # of the code that is under way
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), first):
        place = Place(file, number)
        match = FENCE.match(line)
        if match is not None and not fence and "`" not in match["rest"]:
            fence, opened = match["fence"], number
        elif match is not None and fence and not match["rest"].strip() and closes(match["fence"], fence):
            fence = ""
        elif not fence and MARKER.match(line):
            yield from included(line, place, root, above, errors, reads)
            continue
        elif not fence and (escaped := ESCAPED.fullmatch(line)):
            line = escaped["space"] + escaped["rest"]
        yield Line(line, place)
    if fence and above:
        errors.append(
            BuildError("this fence is not closed in its file, and would run on into others", Place(file, opened))
        )


def closes(fence: str, opened: str) -> bool:
    """Whether one fence ends another: of the same sign, and as long or longer."""
    return fence[0] == opened[0] and len(fence) >= len(opened)


def included(
    line: str, place: Place, root: Path, above: tuple[Path, ...], errors: list[BuildError], reads: set[str]
) -> Iterator[Line]:
    """The lines that an include stands for, as far in as it stands itself; none where it is wrong."""
    match = INCLUDE.fullmatch(line)
    if match is None:
        errors.append(BuildError(f'{line.strip()!r} is not like --8<-- "parts/setup.md"', place))
        return
    name, home = match["path"], root.resolve()
    path = (home / name).resolve()
    if not path.is_relative_to(home):
        errors.append(BuildError(f"include {name!r}: it lies outside the content folder {shown(root)}", place))
        return
    if not path.is_file():
        errors.append(BuildError(f"include {name!r}: no such file in {shown(root)}{hint(name, home)}", place))
        return
    if path in above:
        circle = " → ".join(one.relative_to(home).as_posix() for one in (*above[above.index(path) :], path))
        errors.append(BuildError(f"include {name!r}: it includes itself ({circle})", place))
        return
    reads.add(path.relative_to(home).as_posix())
    file = shown(root / path.relative_to(home))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text ({error.reason} at byte {error.start})"
        errors.append(BuildError(message, Place(file)))
        return
    if FRONT_MATTER.match(text):
        errors.append(BuildError(f"include {name!r}: it has front matter, and so is a post of its own", place))
        return
    for one in lines_of(text, file, 1, root, (*above, path), errors, reads):
        yield Line(match["space"] + one.text if one.text else "", one.place)


def hint(name: str, home: Path) -> str:
    """The nearest of the files that could be meant: all of the same suffix, by their paths."""
    suffix = Path(name).suffix or ".md"
    return nearest(name, [path.relative_to(home).as_posix() for path in home.rglob(f"*{suffix}")])
