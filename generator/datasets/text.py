"""Text: the author's own files. One file is split by position, a folder of files by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from generator.artifact import matching
from generator.data import Document
from generator.spec import BuildError, Options

SPLITS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
PART = 50_000  # characters of one document, where a single file is cut into several


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
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def load(settings: Settings, split: str, root: Path) -> list[Document]:
    """The first 80 % of the text are for training, the next 10 % for validation, the rest for test.

    Several files are split by the order of their names; a single one is cut into documents first.
    """
    if split not in SPLITS:
        raise BuildError(f"no split {split!r}; known: {', '.join(SPLITS)}")
    paths = files(settings, root)
    if len(paths) == 1:
        text = paths[0].read_text("utf-8", errors="replace")
        starts = within(split, range(0, len(text), PART))  # first, so that no more than these are held twice
        return [Document(f"{paths[0].name}@{start}", text[start : start + PART]) for start in starts]
    return [Document(path.name, path.read_text("utf-8", errors="replace")) for path in within(split, paths)]


def within(split: str, of: Sequence[Any]) -> Sequence[Any]:
    """Those of a split, by their order."""
    low, high = (round(share * len(of)) for share in SPLITS[split])
    return of[low:high]


def files(settings: Settings, root: Path) -> list[Path]:
    return matching(root, settings.path)
