"""Pages as they were written, remembered in the store by what each was made of: such a page is not rendered again.

One file for each folder that a site is written to, JSON, written whole. A page counts as standing only if the file in
the folder is, to the byte, what was written; where the memory is damaged, all pages are rendered.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from generator.artifact import digest
from generator.files import digests_below, file_digest, write_whole
from generator.folders import installed
from generator.key import package_digest
from generator.themes import theme_folders

FOLDER = "pages"


def common(theme: str) -> str:
    """Digest of what all pages are made of, besides what each of them shows: templates, and what fills them."""
    folders = [digests_below(Path(folder), hidden=True) for folder in theme_folders(theme)]
    return digest([folders, package_digest(), sys.version, installed()])


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class KeptPages:
    """The pages of a site folder; `common` is the digest of what they all are made of."""

    def __init__(self, store: Path, out: Path, common: str) -> None:
        self.out, self.common = out, common
        self.path = store / FOLDER / f"{digest(str(out.resolve()))[:16]}.json"
        self.before: dict[str, Any] = {}
        with suppress(Exception):  # new, or damaged, which shows as anything
            self.before = dict(json.loads(self.path.read_bytes()))
        self.now: dict[str, list[str]] = {}  # by path: what it is made of, and the digest of its bytes

    def made_of(self, template: str, context: Mapping[str, Any]) -> str:
        """The digest of all that a page shows."""
        page = context.get("page", {})
        if "body" in page:  # most of the page, and a digest is made of it in a tenth of the time that writing it takes
            context = {**context, "page": {**page, "body": sha(page["body"])}}
        text = json.dumps([self.common, template, context], default=repr, ensure_ascii=False, sort_keys=True)
        return sha(text)

    def stands(self, path: str, made_of: str) -> bool:
        """Whether the file at `path` in the folder was made of the same, and is as it was written."""
        row: Any = self.before.get(path)
        with suppress(OSError, TypeError, LookupError):
            if row[0] == made_of and row[1] == file_digest(self.out / path):
                self.now[path] = row
                return True
        return False

    def note(self, path: str, made_of: str, content: bytes) -> None:
        """Remember what is written to `path`."""
        self.now[path] = [made_of, hashlib.sha256(content).hexdigest()]

    def keep(self) -> None:
        if self.now != self.before:
            write_whole(self.path, json.dumps(self.now, separators=(",", ":")).encode(), lasting=False)
