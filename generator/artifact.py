"""What computing a figure gave: arrays and numbers, kept on disk under a content key.

An artifact holds no HTML, so the same artifact can be shown under any theme.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from generator import store_layout
from generator.deferred import Deferred
from generator.files import file_digest, sweep, write_whole
from generator.folders import WRITING
from generator.sealing import check_zip, sealed_zip
from generator.spec import BuildError, Step, shown
from generator.stopping import interrupts_later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Deferred("numpy")  # a site of text alone has no arrays

JSON_NAME = "artifact.json"
MOST_UNPACKED = 2**32  # bytes of an artifact in memory: a zip can be a thousandth of what it holds


@dataclass(frozen=True)
class Artifact:
    """Arrays by name (images: uint8, (height, width, 3), sRGB), JSON-able data, and named numbers.

    `measures` are what prose and claims may quote, by dotted names such as `cosine.deer.bird`; `intervals` are the ends
    of the 95 % intervals of those that are estimates.
    """

    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)  # ingredients, seconds, …; set by the runner
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measures:
    """Named numbers, and the 95 % intervals of those that are estimates; or why there are none."""

    values: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    failure: str = ""
    left_out: dict[str, str] = field(default_factory=dict)  # why there are none at a step, by its name


Course = Sequence[tuple[Step | None, Measures]]  # what is measured at each checkpoint, the newest last


def together(course: Course) -> Measures:
    """What is measured at the newest checkpoint, and at each whose step is known as NAME@STEP."""
    newest = course[-1][1]
    found = Measures(dict(newest.values), dict(newest.intervals), newest.failure)
    for step, measures in course:
        if step is None:
            continue
        if measures.failure:
            found.left_out[str(step)] = measures.failure
        found.values.update({f"{name}@{step}": value for name, value in measures.values.items()})
        found.intervals.update({f"{name}@{step}": ends for name, ends in measures.intervals.items()})
    return found


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value, the same whatever the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def on_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class ArtifactStore:
    """A folder of artifacts by key. What cannot be read back whole counts as absent, and is computed again.

    BuildError where the folder is laid out as this program does not know. tell: who is told of what was damaged.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None] = on_stderr) -> None:
        self.folder, self.tell = folder, tell
        self.added: set[str] = set()  # keys of what was put here through this object
        self.damaged: dict[str, str] = {}  # what was found damaged, by key, as it is called
        self.known: set[str] = set()  # keys of what was read back or put whole
        self.notes: list[set[str]] = []
        mark = folder / store_layout.NAME
        store_layout.check(mark.read_bytes() if mark.exists() else None, shown(folder))

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """Inside, the set fills with the keys of what is needed: got, put, or remembered from having been got."""
        needed: set[str] = set()
        self.notes.append(needed)
        try:
            yield needed
        finally:
            self.notes = [one for one in self.notes if one is not needed]

    def note(self, key: str) -> None:
        """What is under this key is needed, though it may not be got again."""
        for needed in self.notes:
            needed.add(key)

    @property
    def address(self) -> str:
        """What another process of this machine, or of the cluster, finds it by."""
        return str(self.folder.resolve())

    @property
    def cache(self) -> str:
        """The address of the store behind this one that is only read; "" where there is none."""
        return ""

    def mark(self, key: str) -> str:
        """What tells an artifact from another one under the same key; "" where there is none."""
        return file_digest(path) if (path := self.path(key)).exists() else ""

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"

    def get(self, key: str, called: str = "") -> Artifact | None:
        """The artifact, or None where there is none, or none that is whole, which is said as it is `called`."""
        found = self.read(key, called)
        if found is None:
            return None
        self.note(key)
        return found[1]

    def read(self, key: str, called: str = "") -> tuple[bytes, Artifact] | None:
        """The same with its bytes, needed or not."""
        try:
            content = self.content(key)
            found = content, unpacked(content)
        except FileNotFoundError:
            return None
        except (BuildError, MemoryError):  # the store cannot be asked, or the artifact be held
            raise
        except Exception:  # damage shows as anything, from zlib's errors to NotImplementedError
            self.known.discard(key)
            self.say_damaged({key: called or f"the artifact {key[:7]}"})
            return None
        self.known.add(key)
        return found

    def whole(self, key: str, called: str = "") -> bool:
        """Whether an artifact is there that can be read back; read at most once while it is."""
        return self.has(key) if key in self.known else self.read(key, called) is not None

    def say_damaged(self, found: Mapping[str, str]) -> None:
        """Tell of artifacts that were found damaged, each once."""
        for key, called in found.items():
            if key not in self.damaged:
                self.damaged[key] = called
                self.tell(f"store: {called} was damaged; computed again")

    def content(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def provenance(self, key: str) -> Mapping[str, Any]:
        """What an artifact was made of, without reading its arrays; empty where there is none that is whole."""
        return provenance_in(self.path(key))

    def has(self, key: str) -> bool:
        return self.path(key).exists()

    def put(self, key: str, artifact: Artifact) -> None:
        self.keep(key, packed(artifact))
        self.note(key)
        self.added.add(key)
        self.known.add(key)

    def put_first(self, key: str, artifact: Artifact) -> Artifact:
        """Put an artifact, unless another writer was first; what is there then, the same for all of them."""
        if not self.keep_first(key, packed(artifact)):
            found = self.get(key)
            if found is not None:
                return found
            self.keep(key, packed(artifact))  # what was there is damaged
        self.note(key)
        self.added.add(key)
        return artifact

    def keep(self, key: str, content: bytes) -> None:
        if not (mark := self.folder / store_layout.NAME).exists():
            write_whole(mark, store_layout.CONTENT)
        write_whole(self.path(key), content)

    def keep_first(self, key: str, content: bytes) -> bool:
        """Keep it if nothing is there; whether that was so."""
        path = self.path(key)
        whole = path.with_name(f"{WRITING}{uuid.uuid4().hex}")
        write_whole(whole, content)
        try:
            os.link(whole, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links: the last is the first
            write_whole(path, content)
        finally:
            whole.unlink()
        return True

    def drop(self, key: str) -> None:
        """Forget an artifact; nothing where there is none."""
        self.remove(key)
        self.known.discard(key)
        for needed in self.notes:
            needed.discard(key)

    def remove(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed build left half written."""
        sweep(self.folder.glob(f"*/{WRITING}*"))


class Borrowed(ArtifactStore):
    """Another store, read and left as it is: what is put here is kept by this process, while it lasts."""

    def __init__(self, store: ArtifactStore) -> None:
        super().__init__(store.folder, store.tell)
        self.store = store
        self.own: dict[str, bytes] = {}

    def content(self, key: str) -> bytes:
        return self.own[key] if key in self.own else self.store.content(key)

    def provenance(self, key: str) -> Mapping[str, Any]:
        return unpacked(self.own[key]).provenance if key in self.own else self.store.provenance(key)

    def has(self, key: str) -> bool:
        return key in self.own or self.store.has(key)

    def keep(self, key: str, content: bytes) -> None:
        self.own[key] = content

    def keep_first(self, key: str, content: bytes) -> bool:
        return self.own.setdefault(key, content) is content

    def drop(self, key: str) -> None:
        self.own.pop(key, None)

    def sweep(self) -> None:
        pass


def packed(artifact: Artifact) -> bytes:
    """An artifact as a file: a zip of NumPy's arrays, and JSON for all else, sealed; equal ones are equal bytes."""
    meta = {name: getattr(artifact, name) for name in ("data", "measures", "provenance", "intervals")}
    buffer = io.BytesIO()
    # Ctrl-C waits: a zip that is left open has words of its own for it, on stderr.
    with interrupts_later(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # allow_nan=False: a NaN is not JSON, and no page should print one unseen
        archive.writestr(member(JSON_NAME), json.dumps(meta, ensure_ascii=False, allow_nan=False))
        for name, array in artifact.arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            archive.writestr(member(f"{name}.npy"), content.getvalue())
    return sealed_zip(buffer.getvalue())


def member(name: str) -> zipfile.ZipInfo:
    """The head of a file in a zip. It tells no time: a clock that is before 1980 would be refused."""
    head = zipfile.ZipInfo(name)
    head.compress_type = zipfile.ZIP_DEFLATED
    return head


def unpacked(content: bytes) -> Artifact:
    """The artifact of such a file; anything may be raised where it is damaged, or of another program."""
    check_zip(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED:
            raise ValueError("it would unpack to far more than what figures are made of")
        # zipfile checks each member's CRC as it is read to its end
        members = {name: archive.read(name) for name in archive.namelist()}
    meta = json.loads(members.pop(JSON_NAME))
    arrays = {name.removesuffix(".npy"): array_of(content) for name, content in members.items()}
    intervals = {name: (number(low), number(high)) for name, (low, high) in meta.get("intervals", {}).items()}
    measures = {str(name): number(value) for name, value in meta["measures"].items()}
    return Artifact(arrays, dict(meta["data"]), measures, dict(meta["provenance"]), intervals)


def array_of(content: bytes) -> NDArray[Any]:
    """An array as `np.save` writes it. ValueError where its head tells of another number of bytes than there are.

    NumPy would ask for the memory first, and a head of a few bytes can tell of gigabytes.
    """
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("its arrays are of another version of NumPy's format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError("an array is larger, or smaller, than it says")
    file.seek(0)
    found: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return found


def provenance_in(file: Path | IO[bytes]) -> Mapping[str, Any]:
    """What the artifact in a file was made of, its arrays unread; empty where it is not there, or not whole."""
    try:
        with zipfile.ZipFile(file) as archive:
            return dict(json.loads(archive.read(JSON_NAME))["provenance"])
    except Exception:  # damage shows as anything
        return {}


def number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value
