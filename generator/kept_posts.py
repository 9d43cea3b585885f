"""Posts as they were read, kept in the store: one is read again only where something that it was read from differs.

What is kept of a post goes by the digest of its file, by how messages call that, and by what reads it: our code, and
the packages that are installed. Beside it stand the digests of the other files that it depends on. One file for each
content folder, JSON, written whole; where it is damaged, all posts are read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from generator.artifact import digest, file_digest, write_whole
from generator.content import read_post
from generator.figures import KINDS
from generator.key import package_digest
from generator.spec import FigureOptions, Post, shown

FOLDER = "posts"


def installed() -> list[str]:
    """The packages that can be imported here, with their versions, as their installers name them."""
    places = [Path(place) for place in sys.path if place.endswith(("site-packages", "dist-packages"))]
    return sorted(one.name for place in places if place.is_dir() for one in place.glob("*-info"))


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

    def post(self, path: Path) -> Post:
        """Read one content file, if it must be read. BuildErrors of everything that is wrong with it."""
        name, own = path.relative_to(self.content).as_posix(), file_digest(path)
        key = digest([self.reader, shown(path), own])
        row = self.before.get(name)
        if row is not None and row["key"] == key and row["reads"] == self.digests_of(row["reads"]):
            with suppress(ValueError, KeyError, TypeError):  # damaged
                post = as_post(row["post"])
                self.now[name] = row
                return post
        post = read_post(path, self.content, shown(path))
        row = {"key": key, "reads": self.digests_of(post.reads), "post": as_row(post)}
        # Not one that was edited while it was read; nor one with a kind whose options do not say the same when they
        # are read back, for the keys of its figures would then differ.
        if file_digest(path) == own and (not post.figures or repr(as_post(as_read(row["post"]))) == repr(post)):
            self.now[name] = row
        return post

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
