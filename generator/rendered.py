"""The files of a site while they are rendered, and what is noted on the way for the report and for lists.

Pictures are encoded beside the rendering, and files beyond what memory should hold lie on disk.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import TYPE_CHECKING, Any

from generator.claims import Verdict
from generator.images import picture_name, webp
from generator.kept_pages import KeptPages
from generator.social_card import card_name
from generator.spec import Site
from generator.spilling import Files

if TYPE_CHECKING:
    import numpy as np

MOST_ENCODING = 64  # pictures that are encoded while pages are rendered, and held meanwhile


@dataclass
class Rendered:
    """The files of a site, less those pictures that were there already (`kept`), and what other tools want to know."""

    files: Files = field(default_factory=Files)
    kept: set[str] = field(default_factory=set)
    posts: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    figure_files: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    encoding: dict[str, AsyncResult[bytes]] = field(default_factory=dict)  # pictures that are not among `files` yet
    pages: int = 0
    cards: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # by path: title, site, path of the picture

    def card(self, title: str, site: Site, picture: str) -> str:
        """The path of the picture that networks show beside a link; "" where no link to it could be absolute."""
        if not site.base_url:
            return ""
        path = card_name(title, site.title, picture)
        self.cards[path] = (title, site.title, picture)
        return path

    def write(
        self, path: str, kept: KeptPages | None, template: str, context: Mapping[str, Any], render: Callable[[], bytes]
    ) -> None:
        """Render a file, or keep the one that stands there where it was made of the same."""
        made_of = kept.made_of(template, context) if kept else ""
        if kept and kept.stands(path, made_of):
            self.kept.add(path)
            return
        self.files[path] = render()
        if kept:
            kept.note(path, made_of, self.files[path])

    def place(self, folder: str, name: str, many: bool) -> str:
        """Where a file that is named by what it holds lies; one of many in a folder by the first two letters.

        Pages of units may have ten thousand such files. What a post shows keeps its place, and is not there twice.
        """
        path = f"{folder}/{name}"
        there = path in self.files or path in self.kept or path in self.encoding
        return f"{folder}/{name[:2]}/{name}" if many and not there else path

    def picture(self, array: np.ndarray[Any, Any], exists: Callable[[str], bool], many: bool) -> str:
        """The path of a picture, written only where no file of its name, which is its pixels', is there."""
        path = self.place("media", picture_name(array), many)
        if exists(path):
            self.kept.add(path)
        elif path not in self.files and path not in self.encoding:
            if len(self.encoding) >= MOST_ENCODING:
                self.collect()
            self.encoding[path] = self.encoders.apply_async(webp, (array,))
        return path

    def collect(self) -> None:
        """Wait for the pictures that are being encoded."""
        for path, encoded in self.encoding.items():
            self.files[path] = encoded.get()
        self.encoding.clear()

    @cached_property
    def encoders(self) -> ThreadPool:
        pool = ThreadPool()  # Pillow encodes beside Python
        weakref.finalize(self, pool.terminate)
        return pool

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(verdict.claim.id for verdict in self.verdicts if verdict.status == "broken")
