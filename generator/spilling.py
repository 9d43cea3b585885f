"""Files by their paths, kept in memory up to a limit and beyond it on disk: a site of many thousand pages is large."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, MutableMapping
from functools import cached_property
from typing import IO

from generator.files import FULL
from generator.spec import DiskFull

MOST = 256 * 2**20  # bytes in memory


class Files(MutableMapping[str, bytes]):
    """The contents of files. What does not fit lies in one file without a name, which ends with us, however we end.

    DiskFull where there is no room for it.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.size = most, 0
        self.near: dict[str, bytes] = {}
        self.far: dict[str, tuple[int, int]] = {}  # where a content begins, and its length

    @cached_property
    def disk(self) -> IO[bytes]:
        file = tempfile.TemporaryFile(prefix="whatfires-")  # noqa: SIM115  (closed when we are no longer needed)
        weakref.finalize(self, file.close)
        return file

    def __getitem__(self, name: str) -> bytes:
        if name in self.near:
            return self.near[name]
        start, length = self.far[name]
        self.disk.seek(start)
        return self.disk.read(length)

    def __setitem__(self, name: str, content: bytes) -> None:
        if name in self:
            del self[name]
        if self.size + len(content) <= self.most:
            self.near[name] = content
            self.size += len(content)
        else:
            try:
                self.far[name] = self.disk.seek(0, 2), len(content)
                self.disk.write(content)
                self.disk.flush()  # what does not fit is told now, and not when it is read
            except OSError as error:
                if error.errno not in FULL:
                    raise
                folder = tempfile.gettempdir()
                raise DiskFull(f"the disk of {folder}, where pages wait, is full; make room or set TMPDIR") from error

    def __delitem__(self, name: str) -> None:
        if name in self.near:
            self.size -= len(self.near.pop(name))
        else:
            del self.far[name]

    def __contains__(self, name: object) -> bool:
        return name in self.near or name in self.far

    def __iter__(self) -> Iterator[str]:
        yield from self.near
        yield from self.far

    def __len__(self) -> int:
        return len(self.near) + len(self.far)
