"""One build at a time writes to a folder: the second says so and stops. A store many may use, and one cleans it alone.

The lock is the operating system's, on the folder itself, so it goes with the folder whatever that is called, and ends
with the process that holds it, however that ends. Windows has no locks of folders; there is none there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.spec import BuildError, shown

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if it is not there. BuildError where it is held already, or cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
        handle = lock(folder)
    except OSError as error:
        raise BuildError(f"cannot write to {shown(folder)}: {error.strerror or error}") from error
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def in_use(store: Path, alone: bool = False, writing: bool = True) -> Iterator[None]:
    """Use the folder of a store, beside others that do; while it is cleaned, that is waited for.

    alone: to clean it. BuildError where others use it, or where nothing can be written to it and `writing` is meant.
    """
    handle = None
    if sys.platform != "win32":
        try:
            store.mkdir(parents=True, exist_ok=True)
            handle = os.open(store, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError as error:
            if handle is not None:
                os.close(handle)
            raise BuildError(f"a build uses the store {shown(store)}; wait for it, then clean it") from error
        except OSError:  # read only, or a file system without locks
            pass
    try:
        if writing and not os.access(store, os.W_OK | os.X_OK):
            reason = "to read what it has, give it as --cache, beside a --store of your own"
            raise BuildError(f"the store {shown(store)} cannot be written to; {reason}")
        yield
    finally:
        if handle is not None:
            os.close(handle)


def lock(folder: Path) -> int:
    """A handle that holds a folder until it is closed. BuildError where another process holds it."""
    if sys.platform == "win32":
        return os.open(os.devnull, os.O_RDONLY)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        reason = f"another process builds or watches {shown(folder)}; wait for it or stop it, or choose another --out"
        raise BuildError(reason) from error
    except OSError:  # a file system without locks
        pass
    return handle
