"""Blocks of code as they were coloured, kept with the post: to load what colours a language takes longer than the rest.

One file for each post, JSON, written whole; where it is damaged, the code is coloured again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from generator.artifact import digest
from generator.files import write_whole
from generator.sealing import opened, sealed


class CodeBlocks:
    """The blocks of one post. reader: digest of all that reads posts; file: where they are kept, if they are."""

    def __init__(self, file: Path | None = None, reader: str = "") -> None:
        self.file, self.reader = file, reader
        self.before: dict[str, str] = {}
        if file is not None:
            with suppress(Exception):  # new, or damaged, which shows as anything
                self.before = dict(json.loads(opened(file.read_bytes())))
        self.now: dict[str, str] = {}

    def coloured(self, asked: Any, colour: Callable[[], str]) -> str:
        """A block's HTML, made by `colour` where it is not kept; `asked`, which JSON can hold, is all it is made of."""
        key = digest([self.reader, asked])
        if key not in self.now:
            kept = self.before.get(key)
            self.now[key] = kept if isinstance(kept, str) else colour()
        return self.now[key]

    def keep(self) -> None:
        """Write what the post has now, and nothing else."""
        if self.file is not None and self.now != self.before:
            content = json.dumps(self.now, ensure_ascii=False).encode("utf-8", "replace")
            write_whole(self.file, sealed(content), lasting=False)
