"""Files of weights: damaged, of odd types, that claim to be huge, and pickles with code in them."""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from safetensors.torch import save
from torch import nn

from generator.interp.recurrent import CharRNN
from generator.looks import holds_together, lacking
from generator.models import char_rnn, linear_svm, python
from generator.weights import Checkpoint, weights_of
from tests.hostile.bytes_of import damaged

SHAPE = {"cell": "lstm", "layers": 1, "width": 4, "embedding": 3}
READER = {"shape": SHAPE, "symbols": "ab\n"}
CLASSIFIER = {"classes": ["a", "b"], "channels": 1, "height": 2, "width": 2}
SOURCES = {
    "char-rnn": (char_rnn, char_rnn.Settings(source="char-rnn")),
    "linear-svm": (linear_svm, linear_svm.Settings(source="linear-svm")),
    "python": (python, python.Settings(source="python", factory="tests.hostile.checkpoint_files:network")),
}
File = tuple[str, bytes]  # its ending and what it holds


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2))


def read(file: File, folder: Path) -> None:
    """All that a build does with a checkpoint, until it has a network of it."""
    suffix, content = file
    path = folder / f"step{suffix}"
    sight = InMemory(content)
    assert isinstance(Checkpoint(path, sight).outline, str)
    assert isinstance(lacking(io.BytesIO(content), suffix), str)
    holds_together(content, suffix)
    weights = weights_of(content, path)
    name = "char-rnn" if "symbols" in weights.about else "linear-svm" if "classes" in weights.about else "python"
    source, settings = SOURCES[name]
    source.load("fuzzed", settings, weights, 0, folder)


class InMemory:
    """A build's sight of one file that is on no disk."""

    def __init__(self, content: bytes, card: bytes | None = None) -> None:
        self.bytes, self.beside = content, card

    def sees(self, path: Path) -> bool:
        return True

    def digest(self, path: Path) -> str:
        return "0" * 64

    def content(self, path: Path) -> bytes:
        return self.bytes

    def card(self, path: Path) -> bytes | None:
        return self.beside


def safetensors(tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> bytes:
    return bytes(save(dict(tensors), {name: json.dumps(value) for name, value in about.items()}))


@cache
def sound() -> tuple[bytes, ...]:
    """Files that can be read: of a reader of characters, a classifier, and a network of the author's."""
    torch.manual_seed(0)
    classifier = {"linear.weight": torch.ones(2, 4), "linear.bias": torch.ones(2)}
    return (
        safetensors(CharRNN(3, **SHAPE).state_dict(), READER),  # type: ignore[arg-type]
        safetensors(classifier, CLASSIFIER),
        safetensors(network().state_dict(), {}),
    )


@cache
def sound_torch(zipped: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": network().state_dict()}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


HUGE = [0, 1, 2, 4, 2**16, 2**31, 2**32 + 1, 2**40, 2**62, 2**63, 2**64, -1]
TYPES = [
    "F64",
    "F32",
    "F16",
    "BF16",
    "F8_E4M3",
    "F8_E5M2",
    "F8_E8M0",
    "F4",
    "F6_E2M3",
    "I64",
    "I32",
    "I8",
    "U8",
    "U16",
    "U64",
    "BOOL",
    "C64",
    "XX",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(HUGE) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["shape", "width", "cell"]) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["0.weight", "0.bias", "linear.weight", "linear.bias", "head.bias", "__metadata__", "", "\0"])
ROWS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(TYPES),
        "shape": st.lists(st.sampled_from(HUGE), max_size=3),
        "data_offsets": st.lists(st.sampled_from([0, 4, 8, 16, 24, 2**40, -4]), min_size=2, max_size=2),
    }
)


def with_header(header: object, data: bytes, length: int | None) -> File:
    written = json.dumps(header).encode()
    size = (len(written) if length is None else length) % 2**64
    return ".safetensors", size.to_bytes(8, "little") + written + data


headers = st.builds(
    with_header,
    st.dictionaries(NAMES, ROWS | JSON, max_size=3) | JSON,
    st.binary(max_size=32),
    st.none() | st.none() | st.sampled_from(HUGE),
)


def claiming(which: int, key: str, value: Any) -> File:
    """A sound file that says something else of itself."""
    content = sound()[which]
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    about = header.setdefault("__metadata__", {})
    if key in SHAPE:
        about["shape"] = json.dumps({**SHAPE, key: value})
    else:
        about[key] = value if isinstance(value, str) else json.dumps(value)
    return with_header(header, content[8 + size :], None)


claims = st.builds(
    claiming, st.integers(0, 1), st.sampled_from([*SHAPE, *READER, *CLASSIFIER]), JSON | st.just("[" * 100_000)
)

GADGETS = [
    ("tests.hostile.canary", "trip"), ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"),
    ("builtins", "getattr"), ("subprocess", "run"), ("torch", "load"), ("torch.hub", "load"), ("operator", "attrgetter"),
    ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"), ("torch", "FloatStorage"),
    ("torch._utils", "_rebuild_sparse_tensor"), ("torch._utils", "_rebuild_qtensor"), ("torch", "Size"),
    ("torch._utils", "_rebuild_meta_tensor_no_storage"), ("collections", "OrderedDict"), ("collections", "Counter"),
    ("torch._tensor", "_rebuild_from_type_v2"), ("torch", "Tensor"), ("torch.nn.modules.linear", "Linear"),
    ("functools", "partial"), ("_codecs", "encode"), ("torch", "device"), ("torch.serialization", "_get_layout"),
]  # fmt: skip
CODE = "__import__('tests.hostile.canary').hostile.canary.trip()"


def gadget(module: str, name: str, argument: object, how: str) -> bytes:
    """A pickle's piece that calls a function of a module, in one of the ways in which pickles can."""
    given = pickle.dumps((argument,), 2)[2:-1]
    called = f"c{module}\n{name}\n".encode()
    return {
        "reduce": called + given + b"R",
        "new": called + given + b"\x81",
        "inst": b"(" + pickle.dumps(argument, 2)[2:-1] + f"i{module}\n{name}\n".encode(),
        "obj": b"(" + called + pickle.dumps(argument, 2)[2:-1] + b"o",
        "stack": pickle.dumps(module, 4)[11:-1] + pickle.dumps(name, 4)[11:-1] + b"\x93" + given + b"R",
        "build": called + given + b"R" + b"}X\x01\x00\x00\x00wK\x01sb",
    }[how]


CALLS = st.builds(
    lambda one, *more: gadget(*one, *more),
    st.sampled_from(GADGETS),
    st.sampled_from([CODE, f"python -c {CODE!r}", 2**40, "w", (2**40, 2**40), {"a": 1}, None, "x" * 50]),
    st.sampled_from(["reduce", "new", "inst", "obj", "stack", "build"]),
)
OPCODES = [one.code.encode("latin-1") for one in pickletools.opcodes]
PIECES = st.one_of(
    CALLS,
    CALLS,
    st.sampled_from(OPCODES),
    st.builds(lambda one, count: one * count, st.sampled_from([b"\x85", b"(t", b"]", b"}", b"2\x86", b"l"]), st.sampled_from([1, 90, 200, 5000])),
    st.sampled_from([b"K\x00", b"X\x01\x00\x00\x00w", b"h\x00", b"q\x00", b"\x94", b"a", b"s", b"Q", b"\x8a\x08" + b"\xff" * 8]),
)  # fmt: skip
PICKLES = st.one_of(
    st.builds(lambda pieces: b"\x80\x02}X\x01\x00\x00\x00w" + b"".join(pieces) + b"s.", st.lists(PIECES, max_size=6)),
    st.builds(lambda pieces: b"\x80\x02" + b"".join(pieces) + b".", st.lists(PIECES, max_size=6)),
)


@cache
def members(zipped: bool = True) -> Sequence[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(sound_torch(zipped))) as archive:
        return [(one.filename, archive.read(one)) for one in archive.infolist()]


def rebuilt(changed: str, put: bytes, how: str) -> File:
    """A zip of PyTorch with a member that holds something else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if how == "compressed" else zipfile.ZIP_STORED) as archive:
        for name, content in members():
            mine = name.endswith(changed)
            archive.writestr(name, content if how == "renamed" or not mine else put)
            if mine and how == "renamed":
                archive.writestr(name.upper(), put)
            if how == "bomb":
                archive.writestr(f"{name}.more", bytes(2_000_000), zipfile.ZIP_DEFLATED)
    return ".pt", buffer.getvalue()


def in_legacy(pickled: bytes, at: int) -> File:
    """The older format: pickles in a row, of which one is another."""
    own, file = sound_torch(False), io.BytesIO(sound_torch(False))
    ends = [0]
    for _ in range(5):
        list(pickletools.genops(file))
        ends.append(file.tell())
    return ".pth", own[: ends[at]] + pickled + own[ends[at + 1] :]


lazily = st.deferred
FILES = {
    "safetensors, damaged": lazily(lambda: st.tuples(st.just(".safetensors"), damaged(sound()))),
    "safetensors, headers": headers,
    "safetensors, claims": claims,
    "zips, damaged": lazily(lambda: st.tuples(st.sampled_from([".pt", ".bin"]), damaged([sound_torch(True)]))),
    "zips, members": st.builds(
        rebuilt,
        st.sampled_from(["data.pkl", "data/0", "version", "byteorder"]),
        PICKLES | lazily(lambda: damaged([members()[0][1]])),
        st.sampled_from(["stored", "stored", "compressed", "renamed", "bomb"]),
    ),
    "legacy, damaged": lazily(lambda: st.tuples(st.just(".pth"), damaged([sound_torch(False)]))),
    "legacy, pickles": st.builds(in_legacy, PICKLES, st.integers(0, 4)),
    "pickles": st.tuples(st.sampled_from([".pt", ".pth", ".safetensors"]), PICKLES),
}
