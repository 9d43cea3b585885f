"""Which modules a digest of code was made of, kept in the store once for each digest.

A figure's ingredients hold digests of code alone, so that they stay small; these lists tell which module it was that
changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.artifact import Artifact, ArtifactStore, digest
from generator.key import CODES

CALLED = "a list of the modules of a figure's code"
SHORT = 16  # digits of a module's digest that are kept


def list_key(code: str) -> str:
    """What the list of a digest of code is kept under."""
    return digest({"what": "modules", "code": code})


def keep(store: ArtifactStore, ingredients: Mapping[str, Any]) -> None:
    """Keep the lists of all code that is among these ingredients."""
    for code in strings(ingredients):
        if code in CODES and not store.whole(key := list_key(code), CALLED):
            store.put(key, Artifact(data={"modules": {name: one[:SHORT] for name, one in CODES[code].items()}}))


def recall(store: ArtifactStore, code: str) -> Mapping[str, str] | None:
    """The modules of a digest of code and their short digests; None where they are not known."""
    if code in CODES:
        return {name: one[:SHORT] for name, one in CODES[code].items()}
    kept = store.get(list_key(code), CALLED)
    return None if kept is None else kept.data["modules"]


def strings(value: Any) -> Iterator[str]:
    """All that is text in something JSON-able, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)
