"""Whether a site of text alone stands as it was written: told before anything that could write it is loaded.

Such a site is made of its content folder, its theme, our code and the packages that are installed, and of nothing else.
So the digests of all these files, and of those of the site, say whether there is anything to do. A site with models or
data, which may lie anywhere, is never told from a glance: see `standing`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

FOLDER = "glances"  # of the store
HALF_WRITTEN = ".writing-"  # see `artifact.WRITING`; what else begins with a dot is no part of content or site


@dataclass(frozen=True)
class Asked:
    """A build, as the command line asks for it."""

    content: Path
    out: Path
    store: Path
    drafts: bool
    base_url: str | None = None

    @property
    def file(self) -> Path:
        """Where the last such build is kept."""
        name = json.dumps(
            [str(self.content.resolve()), str(self.out.resolve()), str(self.content), self.drafts, self.base_url]
        )
        return self.store / FOLDER / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    @cached_property
    def contents(self) -> dict[str, str]:
        """Digests of the content folder, as they are when they are asked for first: before anything is read of it."""
        return digests(self.content)


@dataclass(frozen=True)
class Glance:
    """A site and all that it was made of: digests of files, by folder and path. themes: folders of page templates."""

    content: Mapping[str, str]
    themes: Mapping[str, Mapping[str, str]]
    code: Mapping[str, str]
    python: str
    packages: list[str]
    site: Mapping[str, str]
    pages: int


def unchanged(asked: Asked) -> int | None:
    """The pages of the site, if a build would find nothing to do; else None."""
    with suppress(Exception):  # new, or damaged, which shows as anything
        kept = json.loads(asked.file.read_bytes())
        if asked.contents != kept["content"]:
            return None  # as after most edits; then nothing else need be looked at
        now = glance(asked, asked.contents, list(kept["themes"]), kept["pages"])
        return int(kept["pages"]) if kept == asdict(now) else None
    return None


def content_of(asked: Asked) -> dict[str, str] | None:
    """The content folder before a build; None where the site has models or data, or cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        settings = tomllib.loads((asked.content / "site.toml").read_text("utf-8"))
        return None if "models" in settings or "datasets" in settings else asked.contents
    return None


def keep(asked: Asked, content: Mapping[str, str] | None, themes: list[str], pages: int) -> None:
    """Note what a build wrote, from the content as it was before."""
    if content is None:
        return
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    asked.file.write_text(json.dumps(asdict(glance(asked, content, themes, pages))), "utf-8")


def glance(asked: Asked, content: Mapping[str, str], themes: list[str], pages: int) -> Glance:
    """What there is now, but for the content."""
    return Glance(
        content=content,
        themes={folder: digests(Path(folder)) for folder in themes},
        code=digests(Path(__file__).parent, ".py"),
        python=sys.version,
        packages=sorted(packages()),
        site=digests(asked.out),
        pages=pages,
    )


def digests(folder: Path, suffix: str = "") -> dict[str, str]:
    """Digests of all files below a folder by their paths in it, less what is hidden; "" for an empty folder.

    An unfinished file is told, so that the build that removes it is not taken for one with nothing to do.
    """
    found: dict[str, str] = {}
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        inside = os.path.relpath(root, folder)
        if not files and not folders:
            found[inside] = ""
        for name in files:
            if name.endswith(suffix) and (not name.startswith(".") or name.startswith(HALF_WRITTEN)):
                with open(os.path.join(root, name), "rb") as file:  # noqa: PTH118, PTH123  (a Path for each is slow)
                    found[f"{inside}/{name}"] = hashlib.sha256(file.read()).hexdigest()
    return found


def packages() -> Iterator[str]:
    """The packages that can be imported here, with their versions, as their installers name them."""
    for place in sys.path:
        if place.endswith(("site-packages", "dist-packages")) and Path(place).is_dir():
            yield from (name for name in os.listdir(place) if name.endswith("-info"))  # noqa: PTH208
