"""A content file while it is read: what was found in it so far, what is wrong with it, and where each was written."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator.code_blocks import CodeBlocks
from generator.spec import BuildError, Claim, FigureSpec, OwnImage, Place, Value

FORMAT = re.compile(r"[+]?,?((\.\d{1,2})?[efg%]?|d)±?")
VALUE = re.compile(r"\{value(?::(?P<format>[^}]*))?\}\s+(?P<figure>[\w-]+)\.(?P<measure>\S+)")


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
    reads: set[str] = field(default_factory=set)  # other files that it depends on, by their paths in the content folder
    caption: Callable[[str], str] = str  # what makes HTML of a caption's Markdown
    cited: list[str] = field(default_factory=list)  # keys of references, in the order in which they are met
    images: dict[str, OwnImage] = field(default_factory=dict)  # the author's own, by their paths in the content folder
    figures: list[FigureSpec] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    references: list[tuple[str, Place]] = field(default_factory=list)
    ids: list[tuple[str, int]] = field(default_factory=list)  # of figures and claims, and their lines
    deprecations: list[str] = field(default_factory=list)  # what is written in a way that goes, with its place
    code: CodeBlocks = field(default_factory=CodeBlocks)
    cursor: int = 0  # blocks are met in the order in which they are written

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
        fence = re.compile(rf"^[ \t>]*(?:`{{3,}}|~{{3,}})\s*{name}\b.*\n(.*)$", re.MULTILINE)
        for match in fence.finditer(self.text, self.cursor):
            if match[1].strip(" \t>") == first or not first:
                self.cursor = match.end()
                return self.text.count("\n", 0, match.start()) + 1
        return 1


def path_in_site(path: Path, root: Path) -> str:
    """Posts keep their folder, pages stand at the top: posts/a.md -> posts/a.html, pages/about.md -> about.html."""
    relative = path.relative_to(root).with_suffix(".html")
    return posixpath.join(*(relative.parts[1:] if relative.parts[0] == "pages" else relative.parts))
