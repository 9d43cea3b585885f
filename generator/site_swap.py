"""Shows a new build in place of the old one at once: it is written beside the site, and the two folders are exchanged.

The folder that was put aside is left as it is for a while, so that whoever is copying the site out of it gets a whole
build, and is then brought up to date, too, so that a server that was started inside it sees the new one. What begins
with a dot in the site is its author's: such files are in both folders at the time of the exchange, so that none is
ever missing. A folder such as .git cannot be in two places; where the site holds one it stays where it is, and the
entries of the site are exchanged one by one.

Exchanging needs Linux and a local file system. Where it is refused, as it is for a mount point, the site is written in
place, file by file. Two renames in its stead would leave a moment without any site, and so would a process that is
killed between them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from generator.folders import WRITING
from generator.lock import lock
from generator.site_folder import NO_JEKYLL, REPORT, in_order, is_page, take

REST = 2.0  # seconds that a folder which was put aside is left as it is
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux' fcntl.h and fs.h


def exchange(one: Path, other: Path) -> None:
    """Exchange what two paths name, in one step: at no time is either missing. OSError where that cannot be done.

    Linux' renameat2, which Python does not offer (https://man7.org/linux/man-pages/man2/rename.2.html).
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(one))
    if renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


class Swap:
    """The folder of a site, and beside it the one that the next build is written to."""

    def __init__(self, out: Path, content: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """BuildError where one of the folders holds what Whatfires did not write, or another process swaps them."""
        take(out, content)
        self.out = out.resolve()
        self.locks = [lock(self.out)]
        self.beside = self.out.with_name(f".{self.out.name}.next")
        self.clock = clock
        self.possible = False
        self.first = self.out.stat().st_ino
        self.put_aside = clock() - REST  # when the folder beside was
        self.behind = True  # whether it is not what is shown
        with suppress(OSError):  # nothing may be written beside the site
            take(self.beside, content)
            self.locks.append(lock(self.beside))
            if not self.out.is_mount() and can_exchange(self.beside):
                rescue_folders(self.beside, self.out)
                self.possible = True
            else:
                self.remove()

    def begin(self) -> Path:
        """The folder to write to. What is left half written there is not shown."""
        self.behind = True
        return self.beside if self.possible else self.out

    def rest(self) -> float:
        """Seconds for which what was put aside is still left as it is."""
        return max(0.0, self.put_aside + REST - self.clock()) if self.possible else 0.0

    def catch_up(self) -> None:
        """Bring the folder beside up to date with what is shown. Call it when `rest` is over."""
        if self.possible and self.behind:
            mirror(self.out, self.beside)
            self.behind = False

    def show(self) -> None:
        """Show what was written."""
        if not self.possible:
            return
        mirror_hidden(self.out, self.beside)
        staying = hidden_folders(self.out)
        if any(len(folder.parts) > 1 for folder in staying):
            mirror(self.beside, self.out)
            return
        if staying:
            exchange_entries(self.beside, self.out)
        else:
            try:
                exchange(self.out, self.beside)
            except OSError:  # such as of a folder that is mounted there
                mirror(self.beside, self.out)
                self.possible = False
                self.remove()
                return
            rescue_folders(self.beside, self.out)
            rescue_files(self.beside, self.out)
        self.put_aside, self.behind = self.clock(), True

    def close(self) -> None:
        """Show the folder that was shown at first, up to date, and remove the other; both after a rest."""
        if self.possible and self.out.stat().st_ino != self.first:
            time.sleep(self.rest())
            self.catch_up()
            self.show()
        if self.possible:
            time.sleep(self.rest())
            self.remove()
        while self.locks:
            os.close(self.locks.pop())

    def remove(self) -> None:
        """Remove the folder beside, unless it holds what is not ours."""
        rescue_folders(self.beside, self.out)
        if self.beside.exists() and not hidden_folders(self.beside):
            shutil.rmtree(self.beside)


def can_exchange(folder: Path) -> bool:
    """Whether two files of a folder can be exchanged: not on every system, nor on every file system."""
    trial = [folder / f"{WRITING}{number}" for number in range(2)]
    try:
        for path in trial:
            path.touch()
        exchange(*trial)
    except OSError:
        return False
    finally:
        for path in trial:
            path.unlink(missing_ok=True)
    return True


def exchange_entries(beside: Path, out: Path) -> None:
    """Exchange all that does not begin with a dot, one by one: what pages load, pages, the account."""
    names = {path.name for folder in (beside, out) for path in folder.iterdir() if not path.name.startswith(".")}

    def turn(name: str) -> tuple[bool, bool, bool, str]:
        gone = not (beside / name).exists()
        inside = [name] if not (beside / name).is_dir() else [path.name for path in (beside / name).rglob("*")]
        return gone, any(map(is_page, inside)), name == REPORT, name

    for gone, _, _, name in sorted(map(turn, names)):
        if gone:
            (out / name).rename(beside / name)
        elif not (out / name).exists():
            (beside / name).rename(out / name)
        else:
            try:
                exchange(beside / name, out / name)
            except OSError:  # such as of a folder that is mounted there
                copy = mirror if (beside / name).is_dir() else copy_whole
                copy(beside / name, out / name)


def mirror(source: Path, target: Path) -> None:
    """Make `target` what `source` is, in the order in which a site is written; what is equal is left alone."""
    names = {path.relative_to(source).as_posix() for path in files_below(source) if not path.name.startswith(WRITING)}
    for name in in_order(names):
        copy_whole(source / name, target / name)
    for path in files_below(target):
        if path.relative_to(target).as_posix() not in names:
            path.unlink()
    for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
        inside = folder.relative_to(target)
        hidden = any(part.startswith(".") for part in inside.parts)
        if not hidden and not (source / inside).is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def mirror_hidden(source: Path, target: Path) -> None:
    """Mirror the files whose names begin with a dot, which may have changed since all was mirrored."""
    for path in hidden_files(source):
        copy_whole(path, target / path.relative_to(source))
    for path in hidden_files(target):
        if not (source / path.relative_to(target)).exists() and path.name != NO_JEKYLL:
            path.unlink()


def rescue_folders(beside: Path, out: Path) -> None:
    """Bring hidden folders to the site: they came to be in the folder beside as the two were exchanged."""
    for folder in hidden_folders(beside):
        if not (out / folder).exists() and (out / folder).parent.is_dir():
            (beside / folder).rename(out / folder)


def rescue_files(beside: Path, out: Path) -> None:
    """Bring hidden files to the site that were written in the moment between their copy and the exchange."""
    for path in hidden_files(beside):
        there = out / path.relative_to(beside)
        if there.parent.is_dir():
            copy_whole(path, there)


def files_below(folder: Path) -> Iterator[Path]:
    """All files of a site, less those in hidden folders."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1]):
            yield path


def hidden_files(folder: Path) -> list[Path]:
    """Those whose names begin with a dot, less those in hidden folders, and half-written ones."""
    found = (path for path in files_below(folder) if path.name.startswith("."))
    return [path for path in found if not path.name.startswith(WRITING)]


def hidden_folders(folder: Path) -> list[Path]:
    """The folders whose names begin with a dot, relative to `folder`, less those inside of others."""
    found = (path.relative_to(folder) for path in sorted(folder.rglob(".*")) if path.is_dir())
    return [path for path in found if not any(part.startswith(".") for part in path.parts[:-1])]


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, unless the two are equal; it appears whole. Not synced: what is lost with the power is made anew."""
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=WRITING)
    os.close(handle)
    try:
        shutil.copyfile(source, temporary)
        Path(temporary).chmod(source.stat().st_mode & 0o777)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
