"""Text: the standard library of the Python that runs. It needs no download, and every line has known structure.

Tests, tables and vendored packages are left out: they are not what a reader would call code.
"""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "lib2to3", "encodings", "pydoc_data", "turtledemo", "ensurepip", "__pycache__"}


def split_of(name: str) -> str:
    """Ten per cent of the files are for validation and ten for test, by their names, so that they stay there."""
    bucket = hashlib.sha256(name.encode()).digest()[0] % 10
    return {0: "validation", 1: "test"}.get(bucket, "train")


def files() -> list[tuple[str, Path]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    found = ((path.relative_to(root), path) for path in root.rglob("*.py"))
    return sorted((name.as_posix(), path) for name, path in found if not LEFT_OUT & set(name.parts))


def documents(split: str) -> list[tuple[str, str]]:
    return [(name, path.read_text("utf-8", errors="replace")) for name, path in files() if split_of(name) == split]
