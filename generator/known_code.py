"""What our own code reads as, kept in the store: reading it was a sixth of a build in which nothing changed.

Digests and names of modules, no code. The artifact's key holds the bytes of all of our code, and with them those of
its reader, and the version of Python, whose syntax trees they are of. Inside it, each module goes by its own bytes.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache

from generator.artifact import Artifact, ArtifactStore, digest
from generator.key import READ, Read, our_modules, package_digest, reading


def recall(store: ArtifactStore) -> None:
    """Let this process know what the store knows of our code; where that is nothing, read all of it and keep that."""
    key = digest({"what": "code as it reads", "package": package_digest(), "python": sys.version})
    kept = store.get(key, "what is known of how our own code reads")
    if kept is None:
        store.put(key, Artifact(data={"read": all_read()}))
        return
    READ.update({module: (code, tuple(names)) for module, (code, names) in kept.data["read"].items()})


@cache
def all_read() -> dict[str, Read]:
    """What all of our code reads as, which a process does once, however many stores it opens."""
    found = {}
    for name, source in our_modules():
        with suppress(SyntaxError, UnicodeDecodeError):  # told, with its place, by the figure that reaches it
            module, read = reading(name, source)
            found[module] = read
    return found
