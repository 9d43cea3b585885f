"""Bytes that say whether they are what was written: their SHA-256 stands at their end, or at their beginning.

At the end of a zip it is the archive's comment, so that the file stays a zip. What was written before there were seals
has none, and is checked by the zip's own sums; from now on each bit counts.
"""

from __future__ import annotations

import hashlib

MARK = b"sha256 "
SEAL = len(MARK) + 2 * hashlib.sha256().digest_size  # bytes
END, END_SIZE = b"PK\5\6", 22  # how the last record of a zip without a comment begins, and its bytes


class Damaged(ValueError):
    """These are not the bytes that were written."""


def seal_of(content: bytes) -> bytes:
    return MARK + hashlib.sha256(content).hexdigest().encode()


def sealed_zip(content: bytes) -> bytes:
    """A zip without a comment, with its seal as the comment; the last two bytes of the record are its length."""
    body = content[:-2] + SEAL.to_bytes(2, "little")
    return body + seal_of(body)


def check_zip(content: bytes) -> None:
    """Damaged, unless the bytes are those of a zip that was sealed, or that never was."""
    never = content[-END_SIZE:].startswith(END) and content.endswith(b"\0\0")
    if not never and content[-SEAL:] != seal_of(content[:-SEAL]):
        raise Damaged("it is not what was written")


def sealed(content: bytes) -> bytes:
    """The seal, on a line of its own, and the bytes."""
    return seal_of(content) + b"\n" + content


def opened(content: bytes) -> bytes:
    """The bytes below their seal. Damaged where they are others, or have none."""
    seal, _, body = content.partition(b"\n")
    if seal != seal_of(body):
        raise Damaged("it is not what was written")
    return body
