"""Looks at files that others write: which of them are whole, and which have changed since a build.

Files are polled. Events of the system, as the library watchfiles tells them, would be cheaper, but there are none of
what another machine writes to a shared file system, which is where training runs write their checkpoints; and a file
that is still being written has to be looked at again anyway. A look at a hundred files takes some three milliseconds.

A checkpoint is whole when it holds all that its own header or directory tells of, and is the same in its size, its
times and its digest in two looks. One that is written in place again and again is read into memory as soon as it is
whole, and a build gets that copy of it, whatever becomes of the file meanwhile. Should it never lie still for two
looks, a copy counts that is whole in itself and that the file equals a blink later.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from generator.files import file_digest
from generator.weights import card_beside

PATIENCE = 4.0  # seconds for which a file that is being written anew is waited for
BLINK = 0.2  # seconds between two readings of a file that never lies still

Mark = tuple[int, int, int, int]  # size, times of the last changes of content and of state in ns, inode


def mark_of(path: Path) -> Mark | None:
    """What changes when a file is written; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def lacking(file: IO[bytes], suffix: str) -> str:
    """What of a file of weights is not there yet; "" where it is whole, or where its format does not tell.

    safetensors: 8 bytes with the length of a header, a header with the offsets of all tensors, the tensors
    (https://huggingface.co/docs/safetensors). PyTorch: a zip, whose directory is its end.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if suffix == ".safetensors":
        try:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 0 < length <= size - 8 else None
            rows = [row for name, row in header.items() if name != "__metadata__"] if header is not None else None
            wanted = None if rows is None else 8 + length + max((row["data_offsets"][1] for row in rows), default=0)
        except Exception:  # damage shows as anything
            wanted = None
        if wanted is None:
            return "its header is not whole"
        return "" if size == wanted else f"it holds {size:,} of {wanted:,} bytes"
    if not b"PK".startswith(file.read(2)):
        return ""
    try:
        with zipfile.ZipFile(file):
            return ""
    except Exception:  # damage shows as anything
        return "the end of its zip is not there"


def holds_together(content: bytes, suffix: str) -> bool:
    """Whether the bytes of a file of weights are all there, of one writing, as far as its format tells.

    A zip has check sums. What is neither a zip nor safetensors could be the beginning of something, and does not.
    """
    if lacking(io.BytesIO(content), suffix):
        return False
    if suffix == ".safetensors":
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    except Exception:  # as above
        return False


@dataclass(frozen=True)
class Held:
    """A checkpoint as it was whole: its mark, its digest, and a copy where the file is written again and again."""

    mark: Mark
    digest: str
    content: bytes | None = None
    card: bytes | None = None


@dataclass(frozen=True)
class WholeOnes:
    """The checkpoints that a build sees: those that were whole, and are as they were. A `Sight` of `weights`."""

    held: Mapping[Path, Held]

    def sees(self, path: Path) -> bool:
        one = self.held.get(path)
        return one is not None and (one.content is not None or mark_of(path) == one.mark)

    def digest(self, path: Path) -> str:
        return self.held[path].digest

    def content(self, path: Path) -> bytes:
        kept = self.held[path].content
        return path.read_bytes() if kept is None else kept

    def card(self, path: Path) -> bytes | None:
        one = self.held[path]
        return card_beside(path) if one.content is None else one.card


@dataclass
class Seen:
    """What looks at a checkpoint have told so far."""

    mark: Mark
    since: float  # when it was first seen, or last whole
    digest: str = ""  # at the first look at which it lay still, until it changes
    lacks: str = ""
    rewritten: bool = False  # whether it was whole before
    held: Held | None = None


@dataclass
class Looks:
    """All files that are looked at, as they were at the last look.

    plain: the mark of a file that a build reads as it is, None where it is gone, and whether that was so at two looks.
    """

    clock: Callable[[], float] = time.monotonic
    checkpoints: dict[Path, Seen] = field(default_factory=dict)
    plain: dict[Path, tuple[Mark | None, bool]] = field(default_factory=dict)

    def look(self, plain: Iterable[Path], checkpoints: Iterable[Path]) -> None:
        """Look at all of these, and at those that were there before."""
        wanted = set(checkpoints)
        for path in {*plain, *self.plain} - wanted:
            mark = mark_of(path)
            before = self.plain.get(path, (None, False))
            if mark is None and before == (None, True):
                del self.plain[path]
            else:
                self.plain[path] = (mark, mark == before[0] and path in self.plain)
        for path in wanted & self.plain.keys():
            del self.plain[path]
        for path in self.checkpoints.keys() - wanted:
            del self.checkpoints[path]
        for path in wanted:
            try:
                self.look_at(path)
            except OSError:  # removed between two questions about it, or not for us to read
                self.checkpoints.pop(path, None)

    def look_at(self, path: Path) -> None:
        """Look at a checkpoint. OSError where it vanishes meanwhile."""
        mark, seen, now = mark_of(path), self.checkpoints.get(path), self.clock()
        if mark is None:
            self.checkpoints.pop(path, None)
        elif seen is None:
            self.checkpoints[path] = Seen(mark, now)
        elif mark != seen.mark:
            if seen.held is not None and seen.held.mark == seen.mark:
                seen.rewritten, seen.since = True, now
                if seen.held.content is None:
                    seen.held = None
            seen.mark, seen.digest = mark, ""
            if now - seen.since > PATIENCE:
                self.catch(path, seen)
        elif seen.held is None or seen.held.mark != mark:
            self.look_again(path, seen)

    def look_again(self, path: Path, seen: Seen) -> None:
        """Look at a checkpoint that is as it was at the last look."""
        with path.open("rb") as file:
            seen.lacks = lacking(file, path.suffix)
        if seen.lacks:
            return
        content = path.read_bytes() if seen.rewritten else None
        digest = file_digest(path) if content is None else hashlib.sha256(content).hexdigest()
        if digest == seen.digest and mark_of(path) == seen.mark:
            seen.held, seen.since = Held(seen.mark, digest, content, card_beside(path)), self.clock()
        seen.digest = digest

    def catch(self, path: Path, seen: Seen) -> None:
        """Copy a checkpoint that never lies still, if it is whole just now."""
        with path.open("rb") as file:
            if lacking(file, path.suffix):
                return
        content = path.read_bytes()
        if not holds_together(content, path.suffix):
            return
        time.sleep(BLINK)
        digest = hashlib.sha256(content).hexdigest()
        if file_digest(path) == digest and mark_of(path) == seen.mark:
            seen.held = Held(seen.mark, digest, content, card_beside(path))
            seen.rewritten, seen.since = True, self.clock()

    def sight(self) -> WholeOnes:
        """The checkpoints that a build may see."""
        return WholeOnes({path: seen.held for path, seen in self.checkpoints.items() if seen.held is not None})

    def state(self, before: Mapping[Path, object]) -> dict[Path, object]:
        """What tells files apart from what they were; of one that is being written, what was told `before`."""
        found: dict[Path, object] = {}
        for path, (mark, settled) in self.plain.items():
            if not settled and path in before:
                found[path] = before[path]
            elif settled and mark is not None:
                found[path] = mark
        return found | {path: one.held.digest for path, one in self.checkpoints.items() if one.held is not None}

    def unsettled(self) -> bool:
        """Whether a file is being written that a build reads as it is, or a checkpoint is soon whole (again)."""
        soon = any(one.held is None and (one.digest or one.rewritten) for one in self.checkpoints.values())
        return soon or not all(settled for _, settled in self.plain.values())
