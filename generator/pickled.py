"""PyTorch's files before they are read: what would end the process, or fill its memory, is found first.

`torch.load(weights_only=True)` executes nothing, and trusts all else: a small zip may hold gigabytes, and a tuple in a
tuple, some hundred thousand times, overflows the stack of C when it is hashed, which no `except` sees.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from contextlib import suppress
from typing import IO

DEEPEST = 100  # tuples in each other; torch.save nests some five
LEGACY = 5  # pickles, one after the other, with which files begin that are no zips
ZIP = b"PK\x03\x04"


def objection(content: bytes) -> str:
    """Why a file of PyTorch is not to be read, "" where it may be. What is raised of a damaged zip is zipfile's."""
    if not content.startswith(ZIP):
        file = io.BytesIO(content)
        with suppress(Exception):  # what is no pickle is told by who reads it
            if any(nested(file) for _ in range(LEGACY)):
                return "its tuples are nested too deeply"
        return ""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(one.file_size for one in members) > len(content):
            return "it is compressed, which torch.save does not do, and holds more than the file"
        for one in members:
            # PyTorch finds members whatever their case.
            if one.filename.lower().endswith(".pkl") and nested(archive.open(one)):
                return "its tuples are nested too deeply"
    return ""


def nested(file: IO[bytes]) -> bool:
    """Whether the pickle at hand holds tuples deeper than DEEPEST; the file is left at its end."""
    depths: list[int] = []  # of what is on the unpickler's stack
    marks: list[int] = []
    memo: dict[int, int] = {}
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "MARK":
            marks.append(len(depths))
            continue
        before, from_mark = opcode.stack_before, pickletools.markobject in opcode.stack_before
        count = before.index(pickletools.markobject) if from_mark else len(before)
        start = max((marks.pop() if from_mark else len(depths)) - count, 0)
        depth = max(depths[start:], default=0) + opcode.name.startswith("TUPLE")
        if depth > DEEPEST:
            return True
        if "PUT" in opcode.name or opcode.name == "MEMOIZE":
            memo[len(memo) if argument is None else int(argument)] = depths[-1]
            continue
        if "GET" in opcode.name:
            depth = memo[int(argument or 0)]
        depths[start:] = [depth] * len(opcode.stack_after)
    return False
