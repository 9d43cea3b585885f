"""Where artifacts are kept, as the command line says it: a folder, or an address that several machines share.

Addresses are those of fsspec, such as s3://bucket/report or gs://bucket/report; credentials are found as its back end
finds them, and are never written anywhere. What is known of posts and pages stays on this machine.

fsspec: https://filesystem-spec.readthedocs.io
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from generator import store_layout
from generator.artifact import ArtifactStore, provenance_in
from generator.deferred import Deferred
from generator.settings import cache_of
from generator.spec import BuildError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from fsspec import core as files
else:
    files = Deferred("fsspec.core")

HERE = Path(".whatfires/store")  # where what is known of posts and pages is kept, beside a shared store
PAUSES = (0.1, 0.3, 1.0, 3.0, 9.0)  # seconds before a request that failed is made again
SECRET = re.compile(r"://([^/@]+)@")  # of an address
Answer = TypeVar("Answer")


def store_at(address: str | Path, cache: str = "") -> ArtifactStore:
    """The store of a folder, or of an address; with a cache, one that is only read, behind it."""
    store = SharedStore(str(address)) if "://" in str(address) else ArtifactStore(Path(address))
    return CachedStore(store, store_at(cache)) if cache else store


def store_of(content: Path, address: str | Path, cache: str | None = None) -> ArtifactStore:
    """The store of a report, with the cache that is asked for, "" for none, or else that of its site.toml."""
    return store_at(address, cache_of(content) if cache is None else cache)


class SharedStore(ArtifactStore):
    """A store behind an address. Artifacts are written whole: a reader sees all of one, or none."""

    def __init__(self, address: str, folder: Path = HERE) -> None:
        super().__init__(folder)
        self.place = address.rstrip("/")
        self.marked = False  # whether it is known to say its layout

    def __reduce__(self) -> tuple[type[SharedStore], tuple[str, Path]]:
        return SharedStore, (self.place, self.folder)

    @cached_property
    def opened(self) -> tuple[AbstractFileSystem, str]:
        """The file system, and the path in it. BuildError where it is laid out as this program does not know."""
        try:
            system, root = files.url_to_fs(self.place)
        except (ImportError, ValueError, OSError) as error:  # not known, its package is not here, or nobody answers
            raise BuildError(self.told(f"--store {self.place}: {error}")) from error
        system.use_listings_cache = False
        try:
            mark = self.asked(lambda system: system.cat_file(f"{root}/{store_layout.NAME}"), system)
        except FileNotFoundError:
            return system, root
        store_layout.check(mark, self.told(self.place))
        self.marked = True
        return system, root

    @property
    def address(self) -> str:
        return self.place

    def told(self, message: str) -> str:
        """Without the name and password that an address may hold: messages end in logs that others read."""
        secret = SECRET.search(self.place)
        return message.replace(secret[1], "…") if secret else message

    def url(self, key: str) -> str:
        return f"{self.opened[1]}/{key[:2]}/{key}.npz"

    def asked(
        self, request: Callable[[AbstractFileSystem], Answer], system: AbstractFileSystem | None = None
    ) -> Answer:
        """What the file system answers; asked again after a while where it fails, for networks do."""
        system = system or self.opened[0]
        for pause in (*PAUSES, None):
            try:
                return request(system)
            except (FileNotFoundError, FileExistsError):
                raise
            except Exception as error:  # each back end has its own
                refused = isinstance(error, PermissionError)
                if pause is None or refused:
                    hint = "; where you may only read, give it as --cache" if refused else ""
                    raise BuildError(self.told(f"store {self.place}: {type(error).__name__}: {error}{hint}")) from error
                time.sleep(pause)
        raise AssertionError

    def content(self, key: str) -> bytes:
        found: bytes = self.asked(lambda system: system.cat_file(self.url(key)))
        return found

    def provenance(self, key: str) -> Mapping[str, Any]:
        try:
            return provenance_in(io.BytesIO(self.content(key)))
        except FileNotFoundError:
            return {}

    def has(self, key: str) -> bool:
        try:
            return bool(self.asked(lambda system: system.info(self.url(key))))
        except FileNotFoundError:
            return False

    def mark(self, key: str) -> str:
        try:
            return str(self.asked(lambda system: system.checksum(self.url(key))))
        except FileNotFoundError:
            return ""

    def keep(self, key: str, content: bytes) -> None:
        def put(system: AbstractFileSystem) -> None:
            system.makedirs(self.url(key).rpartition("/")[0], exist_ok=True)
            if not self.marked:
                system.pipe_file(f"{self.opened[1]}/{store_layout.NAME}", store_layout.CONTENT)
                self.marked = True
            system.pipe_file(self.url(key), content)

        self.asked(put)

    def keep_first(self, key: str, content: bytes) -> bool:
        def put(system: AbstractFileSystem) -> None:
            system.makedirs(self.url(key).rpartition("/")[0], exist_ok=True)
            system.pipe_file(self.url(key), content, mode="create")

        try:
            self.asked(put)
        except FileExistsError:
            return False
        return True

    def remove(self, key: str) -> None:
        def remove(system: AbstractFileSystem) -> None:
            if system.exists(self.url(key)):
                system.rm_file(self.url(key))

        self.asked(remove)

    def sweep(self) -> None:
        """Nothing is left half written there."""


class CachedStore(ArtifactStore):
    """A store, and a cache behind it that is only read: what is found there is kept in the store, too."""

    def __init__(self, own: ArtifactStore, behind: ArtifactStore) -> None:
        super().__init__(own.folder, own.tell)
        self.own, self.behind = own, behind

    @property
    def address(self) -> str:
        return self.own.address

    @property
    def cache(self) -> str:
        return self.behind.address

    def having(self, key: str) -> ArtifactStore:
        """Our own store, with the artifact in it if it is anywhere."""
        if not self.own.has(key) and (found := self.behind.read(key, f"the artifact {key[:7]} of the cache")):
            self.own.keep(key, found[0])
        return self.own

    def content(self, key: str) -> bytes:
        return self.having(key).content(key)

    def provenance(self, key: str) -> Mapping[str, Any]:
        return self.having(key).provenance(key)

    def has(self, key: str) -> bool:
        return self.having(key).has(key)

    def mark(self, key: str) -> str:
        return self.having(key).mark(key)

    def keep(self, key: str, content: bytes) -> None:
        self.own.keep(key, content)

    def keep_first(self, key: str, content: bytes) -> bool:
        return self.having(key).keep_first(key, content)

    def remove(self, key: str) -> None:
        self.own.remove(key)

    def sweep(self) -> None:
        self.own.sweep()
