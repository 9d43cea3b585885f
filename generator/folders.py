"""What lies in folders: the files below one, and the packages that are installed in Python's own.

It loads next to nothing, for a build with nothing to do is over before anything else of ours is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

WRITING = ".writing-"  # the beginning of the names of files under way


def below(folder: Path, hidden: bool = False) -> Iterator[tuple[str, list[str], list[str]]]:
    """(its path in it, with a slash at the end unless it is "", its folders, its files) of a folder and all within.

    Links are followed, as the loader of templates follows them. Unless `hidden`, what begins with a dot is left out,
    as the writer leaves it alone, but for files half written. Folders that are taken from the list are not entered.
    """
    for place, folders, files in os.walk(folder, followlinks=True):
        if not hidden:
            folders[:] = [name for name in folders if not name.startswith(".")]
            files = [name for name in files if not name.startswith(".") or name.startswith(WRITING)]
        inside = os.path.relpath(place, folder)
        yield "" if inside == "." else f"{inside}/", folders, files


@cache
def installed() -> list[str]:
    """The packages that can be imported here, with their versions, as their installers name them."""
    places = [place for place in sys.path if place.endswith(("site-packages", "dist-packages"))]
    return sorted(one.name for place in places if Path(place).is_dir() for one in Path(place).glob("*-info"))
