"""Files: written whole or not at all, told apart by their digests, found by globs, swept away where half written."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from generator.folders import WRITING, below
from generator.spec import DiskFull, shown
from generator.stopping import interrupts_later

HOUR = 3600.0  # seconds after which a file that is half written is nobody's
SMALL = 2**18  # bytes, below which a file is read at once
FULL = {errno.ENOSPC, errno.EDQUOT}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:  # noqa: PTH123  (for small files Path.open takes longer than the digest)
        content = file.read(SMALL)
        if len(content) < SMALL:
            return hashlib.sha256(content).hexdigest()
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes, lasting: bool = True) -> None:
    """Write a file whole or not at all: under a name of its own, then renamed. Ctrl-C waits until it is.

    `lasting`: it is on the disk when this returns, though the machine lose its power; not for what costs little to make
    again, and is looked at before it is believed. DiskFull where there is no room for it.
    """
    try:
        with interrupts_later():
            write(path, content, lasting)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(full(path, len(content))) from error
        raise


def write(path: Path, content: bytes, lasting: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=WRITING)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def full(path: Path, size: int) -> str:
    """What is said of a disk that has no room for a file of so many bytes."""
    folder = next(one for one in path.absolute().parents if one.exists())
    disk = next(one for one in (folder, *folder.parents) if one.is_mount())
    free = shutil.disk_usage(folder).free
    return (
        f"the disk {disk} is full: {shown(path)} needs {size:,} bytes, and {free:,} are free; make room, such as by "
        "whatfires gc, and build again: it goes on from here"
    )


def matching(root: Path, pattern: str) -> list[Path]:
    """The files that a glob names, relative to `root` or absolute, by name."""
    names = glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207  (Path.glob refuses absolute patterns)
    return sorted(root / name for name in names if (root / name).is_file())


def digests_below(folder: Path, hidden: bool) -> dict[str, str | None]:
    """Digests of all files below a folder by their paths in it, and None for folders.

    hidden: as of `folders.below`.
    """
    found: dict[str, str | None] = {}
    for inside, folders, files in below(folder, hidden):
        found |= {f"{inside}{name}": None for name in folders}
        for within in (f"{inside}{name}" for name in files):
            path = folder / within
            found[within] = file_digest(path) if path.is_file() else None
    return found


def sweep(half_written: Iterable[Path]) -> None:
    """Remove the old ones of files that are half written; a young one may be another build's, at work now."""
    for path in half_written:
        with suppress(FileNotFoundError):  # which it has given its name meanwhile
            if time.time() - path.stat().st_mtime > HOUR:
                path.unlink()
