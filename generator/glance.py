"""Whether a site stands as it was written: told before anything that could write it is loaded.

A site is made of its content folder, its theme, our code, the packages that are installed, and of its models and data,
which may lie anywhere: these say what they are themselves, see `grounds`. So the digests of all these files, and of
those of the site, say whether there is anything to do. A file is read again only where its size, its times or its
number differ from those that it had when it was read last, as Git tells it:
https://git-scm.com/docs/racy-git
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from generator.folders import WRITING, below, installed

FOLDER = "glances"  # of the store
YOUNG = 2_000_000_000  # nanoseconds in which a file may be written twice at what its disk calls the same time
MOST = 2**28  # bytes that are read of a folder: a content folder may hold data sets of any size

Look = list[Any]  # what a file holds, then its size, times in nanoseconds and number; only the first of a young file


@dataclass(frozen=True)
class Grounds:
    """What a site is made of besides folders.

    state: what its models and data are, "" where it has none. kept: the files of the store that it needs, there or not.
    kinds: of its figures, those that installed packages add.
    """

    state: str = ""
    kept: Sequence[str] = ()
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Done:
    """What a build of the site said: how many pages and figures it has, and of what it warned."""

    pages: int
    figures: int
    warnings: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """A build, as the command line asks for it. shared: the addresses of stores other than the folder, "" for none."""

    content: Path
    out: Path
    store: Path
    drafts: bool
    base_url: str | None = None
    shared: str = ""

    @property
    def file(self) -> Path:
        """Where the last such build is kept."""
        places = [str(self.content.resolve()), str(self.out.resolve()), str(self.content), self.shared]
        name = json.dumps([*places, self.drafts, self.base_url])
        return self.store / FOLDER / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    @cached_property
    def before(self) -> Mapping[str, Any]:
        """The last such build; nothing where there is none that can be read."""
        with suppress(Exception):  # damage shows as anything
            return dict(json.loads(self.file.read_bytes()))
        return {}

    @cached_property
    def contents(self) -> dict[str, Look]:
        """The content folder, as it is when it is asked for first: before anything is read of it."""
        return self.looks(self.content)

    def looks(self, folder: Path, suffix: str = "") -> dict[str, Look]:
        """A folder as it is now."""
        return looks(folder, self.before.get("folders", {}).get(str(folder), {}), suffix)


def unchanged(asked: Asked, state: Callable[[Sequence[str]], str]) -> Done | None:
    """What was said of the site, if a build would find nothing to do; else None.

    state: given such kinds, what these and models and data are now.
    """
    with suppress(Exception):  # new, or damaged, which shows as anything
        before = asked.before
        if digests(asked.contents) != digests(before["folders"][str(asked.content)]):
            return None  # as after most edits; then nothing else need be looked at
        grounds = Grounds(before["state"], before["kept"], before["kinds"])
        now = glance(asked, asked.contents, before["themes"], grounds, Done(**before["done"]))
        same = known(now) == known(before) and grounds.state in ("", state(grounds.kinds))
        if same and now != before:
            write(asked, now)  # what was young is not any more
        return Done(**before["done"]) if same else None
    return None


def known(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same, of files only their digests."""
    folders = {name: digests(rows) for name, rows in row["folders"].items()}
    return {**row, "folders": folders, "files": digests(row["files"])}


def digests(rows: Mapping[str, Look]) -> dict[str, str]:
    return {name: row[0] for name, row in rows.items()}


def keep(asked: Asked, content: Mapping[str, Look], themes: Sequence[str], grounds: Grounds, done: Done) -> None:
    """Note what a build wrote, from the content as it was before."""
    with suppress(OSError):  # such as of a full disk: the next build looks closer
        write(asked, glance(asked, content, themes, grounds, done))


def write(asked: Asked, row: Mapping[str, Any]) -> None:
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    whole = asked.file.with_name(f"{WRITING}{os.getpid()}")
    whole.write_text(json.dumps(row), "utf-8")
    whole.replace(asked.file)


def glance(
    asked: Asked, content: Mapping[str, Look], themes: Sequence[str], grounds: Grounds, done: Done
) -> dict[str, Any]:
    """A site and all that it was made of, as JSON has it; what there is now, but for the content."""
    code = Path(__file__).parent
    folders = {
        str(code): asked.looks(code, ".py"),
        **{folder: asked.looks(Path(folder)) for folder in themes},
        str(asked.content): dict(content),
        str(asked.out): asked.looks(asked.out),
    }
    read = asked.before.get("files", {})
    return {
        "folders": folders,
        "files": {name: look(name, read.get(name))[0] for name in grounds.kept},
        "themes": list(themes),
        "python": sys.version,
        "packages": installed(),
        "done": asdict(done),
        **asdict(grounds),
    }


def looks(folder: Path, before: Mapping[str, Look], suffix: str) -> dict[str, Look]:
    """All files below a folder by their paths in it, less what is hidden; [""] for an empty folder.

    An unfinished file is told, so that the build that removes it is not taken for one with nothing to do.
    """
    found: dict[str, Look] = {}
    left = MOST
    for inside, folders, files in below(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        if not files and not folders:
            found[inside] = [""]
        for within in (f"{inside}{name}" for name in files if name.endswith(suffix)):
            found[within], read = look(f"{folder}/{within}", before.get(within), left)
            left -= read
    return found


def look(path: str, before: Look | None, most: int = MOST) -> tuple[Look, int]:
    """A file as it is now, and how many bytes were read for that; [""] where there is none.

    It is read unless it has not changed since `before`, or is larger than `most`; then it counts as another file.
    """
    now = time.time_ns()
    try:
        told = os.stat(path)  # noqa: PTH116  (a Path for each is slow)
    except FileNotFoundError:
        return [""], 0
    marks = [told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino]
    if before is not None and before[1:] == marks:
        return before, 0
    young = max(told.st_mtime_ns, told.st_ctime_ns) > now - YOUNG
    if told.st_size > most:
        holds, read = f"unread at {now}" if young else f"unread {marks}", 0
    else:
        with open(path, "rb") as file:  # noqa: PTH123
            holds, read = hashlib.sha256(file.read()).hexdigest(), told.st_size
    return [holds] if young else [holds, *marks], read
