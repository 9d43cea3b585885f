"""One build at a time writes to a folder: the second says so and stops.

The lock is the operating system's, on a hidden file of the folder, so it ends with the process that holds it, however
that ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.spec import BuildError, shown

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NAME = ".whatfires-lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if it is not there. BuildError where it is held already, or cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise BuildError(f"cannot write to {shown(folder)}: {error.strerror or error}") from error
    try:
        try:
            hold(handle)
        except OSError as error:
            raise BuildError(
                f"another build is writing to {shown(folder)}; wait for it, or choose another --out"
            ) from error
        yield
    finally:
        os.close(handle)


def hold(handle: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
