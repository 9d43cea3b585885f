"""Posts as they were read, kept in the store: one is read again only where something that it was read from differs.

What is kept of a post goes by the digest of its file, by how messages call that, and by what reads it: our code, and
the packages that are installed. Beside it stand the digests of the other files that it depends on. One file for each
post, JSON, written whole; where it is damaged, the post is read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cached_property
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.artifact import digest
from generator.code_blocks import CodeBlocks
from generator.content import read_post
from generator.deferred import Deferred
from generator.figures import KINDS
from generator.files import file_digest, sweep, write_whole
from generator.folders import WRITING, installed
from generator.key import package_digest
from generator.machine import cores
from generator.sealing import opened, sealed
from generator.spec import (
    BuildError,
    Claim,
    Expectation,
    FigureOptions,
    FigureSpec,
    OwnImage,
    Place,
    Post,
    Value,
    shown,
)
from generator.trust import distrusted

if TYPE_CHECKING:
    import multiprocessing
    from concurrent.futures import process as processes
else:
    # Seldom are many posts read.
    multiprocessing, processes = Deferred("multiprocessing"), Deferred("concurrent.futures.process")

FOLDER = "posts"
CODE = "%code"  # no path holds it: "/" is written so
MANY = 40  # files, below which starting processes takes longer than it saves


class KeptPosts:
    """The posts of a content folder, read or remembered."""

    def __init__(self, store: Path, content: Path) -> None:
        self.content, self.shown = content, shown(content)
        self.folder = store / FOLDER / digest(str(content.resolve()))[:16]
        self.digests: dict[str, str] = {}  # of other files, each once in a build
        self.unkept: dict[Path, str] = {}  # what is to be written

    @cached_property
    def reader(self) -> str:
        """Digest of all that reads a post."""
        return digest([package_digest(), sys.version, installed()])

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
        return f"{own} {self.reader} {self.shown} {path}{' untrusted' * distrusted()}"

    def file(self, path: Path, what: str = "") -> Path:
        """Where what is known of a post is kept."""
        return self.folder / f"{path.relative_to(self.content).as_posix().replace('/', '%')}{what}.json"

    def remembered(self, path: Path) -> Post | None:
        with suppress(Exception):  # new, unreadable, which reading it tells, or damaged, which shows as anything
            row = json.loads(opened(self.file(path).read_bytes()))
            if row["key"] == self.key(path, file_digest(path)) and row["reads"] == self.digests_of(row["reads"]):
                return as_post(row["post"])
        return None

    def read(self, paths: Sequence[Path]) -> Iterator[tuple[str, Post | BuildError]]:
        """Many files are read by as many processes as there are cores."""
        tasks = [(self.content, path, self.file(path, CODE), self.reader) for path in paths]
        # With the first, all that reading needs is loaded before the process is forked.
        alone = tasks[:1] if len(paths) > MANY and may_fork() else tasks
        yield from starmap(read_one, alone)
        if len(tasks) == len(alone):
            return
        pool = processes.ProcessPoolExecutor(cores(), multiprocessing.get_context("fork"), hold_interrupts)
        try:
            yield from pool.map(read_one, *zip(*tasks[1:], strict=True), chunksize=8)
        except processes.BrokenProcessPool as error:
            reason = "a process that read posts was killed, as where memory runs out; build again"
            raise BuildError(reason) from error
        finally:
            pool.shutdown(cancel_futures=True)

    def remember(self, path: Path, own: str, post: Post) -> None:
        row = {"key": self.key(path, own), "reads": self.digests_of(post.reads), "post": post}
        content = json.dumps(row, default=as_plain, ensure_ascii=False)
        # Not one that was edited while it was read; nor one with a kind whose options do not say the same when they
        # are read back, for the keys of its figures would then differ.
        again = as_post(json.loads(content)["post"]) if post.figures else post
        if file_digest(path) == own and repr(again) == repr(post):
            self.unkept[path] = content

    def digests_of(self, names: Iterable[str]) -> dict[str, str]:
        """Digests of files of the content folder, "" for one that is not there."""
        for name in names:
            if name not in self.digests:
                path = self.content / name
                self.digests[name] = file_digest(path) if path.is_file() else ""
        return {name: self.digests[name] for name in names}

    def keep(self, paths: Sequence[Path]) -> None:
        """Write what is newly known; what is known of other content files than these is forgotten."""
        for path, content in self.unkept.items():
            write_whole(self.file(path), sealed(content.encode("utf-8", "surrogatepass")), lasting=False)
        files = {self.file(path, what) for path in paths for what in ("", CODE)}
        found = list(self.folder.glob("*")) if self.folder.is_dir() else []
        half_written = {file for file in found if file.name.startswith(WRITING)}  # some by another build, at work now
        sweep(half_written)
        for file in {*found} - files - half_written:
            file.unlink(missing_ok=True)


def read_one(content: Path, path: Path, coloured: Path, reader: str) -> tuple[str, Post | BuildError]:
    """The digest of a content file, and its post or what is wrong with it; `coloured` keeps its blocks of code."""
    code = CodeBlocks(coloured, reader)
    try:
        own = file_digest(path)
        post = read_post(path, content, shown(path), code)
        code.keep()
        return own, post
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


def as_plain(value: object) -> object:
    """What JSON has no word for; see `as_post`. Of options only those that were set: defaults stay defaults."""
    if isinstance(value, FigureOptions):
        return value.model_dump(exclude_unset=True)
    assert is_dataclass(value)
    return {one.name: getattr(value, one.name) for one in fields(value)}


def as_post(row: Mapping[str, Any]) -> Post:
    """A post, from what its JSON says."""
    return Post(
        **{key: tupled(value) for key, value in row.items() if key not in ("place", "figures", "claims", "values")}
        | {
            "place": Place(**row["place"]),
            "figures": tuple(map(as_figure, row["figures"])),
            "claims": tuple(
                Claim(**{**one, "expect": Expectation(**one["expect"]), "place": Place(**one["place"])})
                for one in row["claims"]
            ),
            "values": tuple(Value(**{**one, "place": Place(**one["place"])}) for one in row["values"]),
            "images": tuple(OwnImage(one["source"], tupled(one["files"])) for one in row["images"]),
            "references": tuple((anchor, Place(**place)) for anchor, place in row["references"]),
        }
    )


def as_figure(row: Mapping[str, Any]) -> FigureSpec:
    kind = KINDS.module(row["kind"]).Options
    return FigureSpec(
        **{key: tupled(value) for key, value in row.items()}
        | {
            "options": kind.model_validate(row["options"]),
            "otherwise": None if row["otherwise"] is None else kind.model_validate(row["otherwise"]),
            "place": Place(**row["place"]),
        }
    )


def tupled(value: Any) -> Any:
    """What was asked for holds tuples, which JSON writes as lists."""
    return tuple(map(tupled, value)) if isinstance(value, list) else value
