"""Text: the author's own files. One file is split by position, a folder of files by name.

Files may be larger than memory: what is asked for is read, and no more.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import Field

from generator.archives import check_link
from generator.data import Document, Documents
from generator.files import matching
from generator.spec import BuildError, Options, nearest

SPLITS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
PART = 50_000  # characters of one document, where a file is cut into several
LONG = 10_000_000  # bytes of a file beyond which it is cut, though it is not the only one
BLOCK = 2**20  # bytes read at once


class Settings(Options):
    """A row of site.toml."""

    source: Literal["text"]
    path: str = Field(description="a file, or a glob of files, relative to the content folder")


def missing(settings: Settings, root: Path) -> str:
    return "" if files(settings, root) else f"no file matches {settings.path} in {root}"


def digest(settings: Settings, root: Path) -> str:
    """Over the names and bytes of all files."""
    total = hashlib.sha256()
    for path in files(settings, root):
        total.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                total.update(block)
        total.update(b"\0")
    return total.hexdigest()


def load(settings: Settings, split: str, root: Path) -> Documents:
    """The first 80 % of the text are for training, the next 10 % for validation, the rest for test.

    Several files are split by the order of their names; a single one is cut into documents first.
    """
    if split not in SPLITS:
        raise BuildError(f"texts have no split {split!r}{nearest(split, SPLITS)}")
    paths = files(settings, root)
    if len(paths) == 1:
        return Documents(within(split, parts(paths[0])))
    return Documents([one for path in within(split, paths) for one in documents(path)])


def documents(path: Path) -> Sequence[Callable[[], Document]]:
    """Of a file among others: one, or several of a long file."""
    return parts(path) if path.stat().st_size > LONG else [partial(whole, path)]


def whole(path: Path) -> Document:
    return Document(path.name, path.read_text("utf-8", errors="replace"))


def parts(path: Path) -> Sequence[Callable[[], Document]]:
    """Documents of PART characters, which together are the file. It is read once, to find where they begin."""
    found: list[Callable[[], Document]] = []
    with opened(path) as file:
        at = file.tell()
        while file.read(PART):
            found.append(partial(part, path, len(found) * PART, at))
            at = file.tell()
    return found


def part(path: Path, start: int, at: int) -> Document:
    """start: its first character's number. at: where that is, as the file's own `tell` says."""
    with opened(path) as file:
        file.seek(at)
        return Document(f"{path.name}@{start}", file.read(PART))


def opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")


def within(split: str, of: Sequence[Any]) -> Sequence[Any]:
    """Those of a split, by their order."""
    low, high = (round(share * len(of)) for share in SPLITS[split])
    return of[low:high]


def files(settings: Settings, root: Path) -> list[Path]:
    """BuildError where a pattern finds a link that leads out of the folder that it names: who made it is not asked."""
    found = matching(root, settings.path)
    folder = root.joinpath(*takewhile(lambda part: not glob.has_magic(part), Path(settings.path).parts))
    for path in found if glob.has_magic(settings.path) else ():
        check_link(path, folder, folder.resolve())
    return found
