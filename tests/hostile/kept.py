"""What a build kept, found damaged or foreign: it counts as not there."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from generator.artifact import JSON_NAME, Artifact, ArtifactStore, packed
from generator.files import file_digest
from generator.kept_posts import KeptPosts
from generator.spec import Post
from generator.weights import Checkpoint
from tests.hostile.bytes_of import damaged
from tests.hostile.canary import trip
from tests.hostile.checkpoint_files import HUGE, JSON, InMemory
from tests.hostile.written import HEAD, write

KEY = "0" * 64


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return trip, ("an artifact",)


@cache
def sound() -> bytes:
    arrays = {"image": np.zeros((2, 2, 3), np.uint8), "row": np.arange(3.0)}
    return packed(Artifact(arrays, {"names": ["a"]}, {"auc": 0.5}, {"seconds": 1}, {"auc": (0.4, 0.6)}))


def array_file(dtype: str, shape: list[int], data: bytes) -> bytes:
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {tuple(shape)}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def artifact_file(meta: str, array: bytes, compressed: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        archive.writestr(JSON_NAME, meta)
        archive.writestr("image.npy", array)
    return buffer.getvalue()


META = st.dictionaries(st.sampled_from(["data", "measures", "provenance", "intervals"]), JSON, max_size=4).map(
    json.dumps
)
ARRAYS = st.one_of(
    st.builds(array_file, st.sampled_from(["<f4", "|O", "|u1", "<U9", "|V9", "x", "<M8[s]"]), st.lists(st.sampled_from(HUGE), max_size=3), st.binary(max_size=12)),
    st.sampled_from([pickle.dumps(Code()), array_file("|O", [1], pickle.dumps(Code())), b"", b"PK\x03\x04"]),
)  # fmt: skip
ARTIFACTS = st.one_of(
    st.deferred(lambda: damaged([sound()])),
    st.builds(artifact_file, META | JSON.map(json.dumps) | st.just("[" * 100_000), ARRAYS, st.booleans()),
    st.binary(max_size=40),
    st.just(pickle.dumps(Code())),
)
ROWS = st.one_of(
    st.deferred(lambda: damaged([b'{"key": "", "reads": {}, "post": {"figures": []}}'])),
    JSON.map(lambda one: json.dumps(one).encode()),
    st.builds(lambda post: json.dumps({"key": "KEY", "reads": {}, "post": post}).encode(), JSON),
    st.just(b"[" * 100_000),
    st.binary(max_size=20),
)
CARDS = st.one_of(
    st.deferred(lambda: damaged([b'{"step": 500, "measures": {"loss": 1.5}, "weights": "' + b"0" * 64 + b'"}'])),
    JSON.map(lambda one: json.dumps(one).encode()),
    st.builds(lambda step: json.dumps({"step": step}).encode(), JSON),
    st.sampled_from([b"[" * 100_000, b'{"step": 1e999}', b'{"step": ' + b"9" * 5000 + b"}"]),
)


def read_artifact(content: bytes, folder: Path) -> str:
    store = ArtifactStore(folder / "store")
    store.path(KEY).parent.mkdir(parents=True, exist_ok=True)
    store.path(KEY).write_bytes(content)
    assert isinstance(store.provenance(KEY), dict)
    found = store.get(KEY)
    assert found is None or all(isinstance(one, np.ndarray) and one.dtype != object for one in found.arrays.values())
    assert found is None or all(isinstance(one, int | float) for one in found.measures.values())
    return "not there" if found is None else "read"


def read_kept_post(content: bytes, folder: Path) -> str:
    path = folder / "posts" / "kept.md"
    if not path.exists():
        write(path, f"{HEAD}A text.\n")
    posts = KeptPosts(folder / "store", folder)
    key = json.dumps(posts.key(path, file_digest(path)))
    file = posts.file(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.replace(b'"KEY"', key.encode()))
    (found,) = posts.posts([path])
    assert isinstance(found, Post)
    assert "A text." in found.body
    return "not there"


def read_card(content: bytes, folder: Path) -> None:
    checkpoint = Checkpoint(folder / "final.pt", InMemory(b"", content))
    assert checkpoint.step is None or isinstance(checkpoint.step, int)
    checkpoint.card()
