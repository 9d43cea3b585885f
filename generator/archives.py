"""Folders and zips of files that somebody else made: what lies in them is listed and read, and nothing beside them.

A zip is read in place, never unpacked. What no data set needs is refused before anything is read: names and links that
lead out, two members of one name, members that lie upon each other (a few kilobytes can stand for petabytes: Fifield,
2019, https://www.usenix.org/conference/woot19/presentation/fifield), other packing than ZIP's own, passwords.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from generator.spec import BuildError
from generator.trust import links_out

MOST_BYTES = 100_000_000  # of one file, unpacked
MOST_MEMBERS = 5_000_000  # of one zip: four times ImageNet; their list alone then takes gigabytes
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others pack a thousand times as tight as images are
ENCRYPTED = 0x1  # of a member's flags

Readers = dict[str, Callable[[], bytes]]  # by path, with slashes


@contextmanager
def readers(path: Path) -> Iterator[Readers]:
    """What reads each file of a folder or a zip, which is open until the context is left.

    BuildError names what is refused.
    """
    if path.is_dir():
        yield {name: partial(read, path / name) for name in files_below(path)}
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise BuildError(f"{path} cannot be read as a zip: {error}") from error
    with archive:
        check(archive, path)
        members = [member for member in archive.infolist() if not member.is_dir()]
        yield {member.filename: partial(unpacked, archive, member) for member in members}


def files_below(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder. BuildError of a link that leads out; links to folders are not followed."""
    home = folder.resolve()
    for place, folders, files in os.walk(folder):
        inside = PurePosixPath(Path(place).relative_to(folder).as_posix())
        for name in [*folders, *files]:
            check_link(Path(place, name), folder, home)
        for name in files:
            if Path(place, name).is_file():  # neither a pipe nor a device
                yield str(inside / name)


def check_link(path: Path, folder: Path, home: Path) -> None:
    """BuildError of a link that leads out of a folder, which is `home` when resolved."""
    if links_out(path, home):
        raise BuildError(f"{path} is a link out of {folder}; it is refused: put the file itself there")


def read(path: Path) -> bytes:
    """A file, unless it is larger than any image."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BuildError(f"{path} has over {MOST_BYTES:,} bytes; at most {MOST_BYTES:,} are read")
    return content


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes. Asked for a number of them, zipfile inflates no more; asked for all, up to two gigabytes."""
    with archive.open(member) as file:
        return file.read(member.file_size + 1)


def check(archive: zipfile.ZipFile, path: Path) -> None:
    """BuildError of what is wrong with a zip, by its list of members."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BuildError(f"{path} has {len(members):,} members; at most {MOST_MEMBERS:,} are read")
    seen: set[str] = set()
    for member in members:
        if why := refusal(member, seen):
            raise BuildError(f"{path} has a member named {member.filename!r}, {why}; it is refused")
        seen.add(member.filename)
    packed = sum(member.compress_size for member in members)
    if packed > path.stat().st_size:
        raise BuildError(f"{path}: its members claim {packed:,} bytes of it, and lie upon each other; it is refused")


def refusal(member: zipfile.ZipInfo, seen: set[str]) -> str:
    """Why a member is not read, "" for one that is."""
    pure = PurePosixPath(member.filename.replace("\\", "/"))
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
        return "outside the archive"
    if member.filename in seen:
        return "as another is"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "which is a link"
    if member.flag_bits & ENCRYPTED:
        return "which has a password"
    if member.compress_type not in PACKINGS:
        return f"packed by method {member.compress_type}, neither stored nor deflated"
    if member.file_size > MOST_BYTES:
        return f"of {member.file_size:,} bytes, where at most {MOST_BYTES:,} are read"
    return ""
