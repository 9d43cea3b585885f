"""Text: the standard library of the Python that runs. It needs no download, and every line has known structure.

Tables and vendored packages are left out: they are not what a reader would call code. So are tests and example
programs, unless a training asks for them; they are four times as long as all the rest.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from pathlib import Path
from typing import Literal

from pydantic import Field

from generator.data import Document
from generator.spec import BuildError, Options, nearest

LEFT_OUT = {"site-packages", "dist-packages", "__pycache__", "ensurepip", "encodings", "pydoc_data"}
SPLITS = ("train", "validation", "test")
TESTS = {"test", "tests", "idlelib", "lib2to3", "turtledemo"}


class Settings(Options):
    """A row of site.toml."""

    source: Literal["python-stdlib"]
    tests: bool = Field(
        False, description="whether the training split also holds tests and example programs; none of them is held out"
    )


def missing(settings: Settings, root: Path) -> str:
    return "" if files(settings.tests) else "this Python carries its standard library without its source"


def digest(settings: Settings, root: Path) -> str:
    """Over the names and bytes of all files."""
    total = hashlib.sha256()
    for name, path in files(settings.tests):
        total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def load(settings: Settings, split: str, root: Path) -> list[Document]:
    """The documents of a split: train, validation or test; the largest first, so that short files do not lead."""
    if split not in SPLITS:
        raise BuildError(f"the standard library has no split {split!r}{nearest(split, SPLITS)}")
    texts = [
        Document(name, path.read_text("utf-8", errors="replace"))
        for name, path in files(settings.tests)
        if split_of(name) == split
    ]
    return sorted(texts, key=lambda one: (-len(one.text), one.name))


def split_of(name: str) -> str:
    """Ten per cent of the library are for validation and ten for test, by their names, so that they stay there."""
    if TESTS & set(name.split("/")):
        return "train"
    bucket = hashlib.sha256(name.encode()).digest()[0] % 10
    return {0: "validation", 1: "test"}.get(bucket, "train")


def files(tests: bool) -> list[tuple[str, Path]]:
    """With or without tests: names relative to the library's folder, and paths; sorted by name."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name for name in folders if name not in LEFT_OUT and (tests or name not in TESTS)
        ]  # site-packages may hold a hundred thousand files
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted((path.relative_to(root).as_posix(), path) for path in found)
