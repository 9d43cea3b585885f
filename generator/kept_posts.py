"""Posts as they were read, kept in the store: one is read again only where something that it was read from differs.

What is kept of a post goes by the digest of its file, by how messages call that, and by what reads it: our code, and
the packages that are installed. Beside it stand the digests of the other files that it depends on. One file for each
content folder, JSON, written whole; where it is damaged, all posts are read.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from generator.artifact import digest, file_digest, write_whole
from generator.content import read_post
from generator.figures import KINDS
from generator.key import installed, package_digest
from generator.spec import BuildError, FigureOptions, Place, Post, shown

FOLDER = "posts"
MANY = 40  # files, below which starting processes takes longer than it saves


class KeptPosts:
    """The posts of a content folder, read or remembered."""

    def __init__(self, store: Path, content: Path) -> None:
        self.content = content
        self.path = store / FOLDER / f"{digest(str(content.resolve()))[:16]}.json"
        self.before: Mapping[str, Any] = {}
        with suppress(OSError, ValueError):
            self.before = json.loads(self.path.read_bytes())
        self.now: dict[str, Any] = {}

    @cached_property
    def reader(self) -> str:
        """Digest of all that reads a post."""
        return digest([package_digest(), sys.version, installed()])

    @cached_property
    def digests(self) -> dict[str, str]:
        """Of other files, each once in a build."""
        return {}

    def posts(self, paths: Sequence[Path]) -> list[Post | BuildError]:
        """Read content files, where they must be read; for each its post, or all that is wrong with it."""
        found: dict[Path, Post | BuildError | None] = {path: self.remembered(path) for path in paths}
        unread = [path for path, post in found.items() if post is None]
        for path, (own, post) in zip(unread, self.read(unread), strict=True):
            found[path] = post
            if isinstance(post, Post):
                self.remember(path, own, post)
        return [one for one in found.values() if one is not None]

    def key(self, path: Path, own: str) -> str:
        return digest([self.reader, shown(path), own])

    def remembered(self, path: Path) -> Post | None:
        name = path.relative_to(self.content).as_posix()
        row: Any = self.before.get(name)
        with suppress(OSError, ValueError, KeyError, TypeError):  # unreadable, which reading it tells; or damaged
            if row["key"] == self.key(path, file_digest(path)) and row["reads"] == self.digests_of(row["reads"]):
                post = as_post(row["post"])
                self.now[name] = row
                return post
        return None

    def read(self, paths: Sequence[Path]) -> Iterator[tuple[str, Post | BuildError]]:
        """Many files are read by as many processes as there are cores."""
        one = partial(read_one, self.content)
        if not paths:
            return
        yield one(paths[0])  # and with it, all that reading needs is loaded before the process is forked
        if len(paths) < MANY or not may_fork():
            yield from map(one, paths[1:])
            return
        with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0)), hold_interrupts) as pool:
            yield from pool.imap(one, paths[1:], chunksize=8)

    def remember(self, path: Path, own: str, post: Post) -> None:
        row = {"key": self.key(path, own), "reads": self.digests_of(post.reads), "post": as_row(post)}
        # Not one that was edited while it was read; nor one with a kind whose options do not say the same when they
        # are read back, for the keys of its figures would then differ.
        if file_digest(path) == own and (not post.figures or repr(as_post(as_read(row["post"]))) == repr(post)):
            self.now[path.relative_to(self.content).as_posix()] = row

    def digests_of(self, names: Any) -> dict[str, str]:
        """Digests of files of the content folder, "" for one that is not there."""
        for name in names:
            if name not in self.digests:
                path = self.content / name
                self.digests[name] = file_digest(path) if path.is_file() else ""
        return {name: self.digests[name] for name in names}

    def keep(self) -> None:
        """Write what is known now, if it is more or less than before."""
        if self.now != self.before:
            write_whole(self.path, json.dumps(self.now, ensure_ascii=False, separators=(",", ":")).encode())


def read_one(content: Path, path: Path) -> tuple[str, Post | BuildError]:
    """The digest of a content file, and its post or what is wrong with it."""
    try:
        own = file_digest(path)
        return own, read_post(path, content, shown(path))
    except OSError as error:
        return "", BuildError(f"cannot be read: {error.strerror or error}", Place(shown(path)))
    except BuildError as error:
        return own, error


def may_fork() -> bool:
    """Whether a copy of this process can go on by itself: not where another thread may hold a lock."""
    return hasattr(os, "fork") and hasattr(os, "sched_getaffinity") and threading.active_count() == 1


def hold_interrupts() -> None:
    """Ctrl-C is for the process that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


POST = TypeAdapter(Post)


def as_row(post: Post) -> dict[str, Any]:
    """A post as JSON-able data; see `as_post`."""
    # Not in the mode for JSON, which has no infinity; the module `json` writes and reads it.
    row: dict[str, Any] = POST.dump_python(post, serialize_as_any=True, exclude_unset=True)
    return row


def as_post(row: Mapping[str, Any]) -> Post:
    figures = [
        {
            **figure,
            "options": options(figure["kind"], figure["options"]),
            "otherwise": figure["otherwise"] and options(figure["kind"], figure["otherwise"]),
        }
        for figure in row["figures"]
    ]
    return POST.validate_python({**row, "figures": figures})


def as_read(row: Any) -> Any:
    """The same after it was written and read."""
    return json.loads(json.dumps(row))


def options(kind: str, values: Mapping[str, Any]) -> FigureOptions:
    found: FigureOptions = import_module(KINDS[kind]).Options.model_validate(values)
    return found
