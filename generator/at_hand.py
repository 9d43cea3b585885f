"""The artifacts of a build: in memory up to a limit, and beyond it read from the store again when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from generator.artifact import Artifact, ArtifactStore
from generator.spec import BuildError, shown

MOST = 512 * 2**20  # bytes of arrays in memory


class AtHand(Mapping[str, Artifact]):
    """Artifacts by key, each as it was read at first. What they measured, and how, is always in memory."""

    def __init__(self, store: ArtifactStore, most: int = MOST) -> None:
        self.store, self.most, self.size = store, most, 0
        self.near: dict[str, Artifact] = {}
        self.accounts: dict[str, Artifact] = {}  # without arrays and data
        self.last: dict[str, Artifact] = {}  # the one that was read again last: a page asks for it several times

    def add(self, key: str, artifact: Artifact) -> None:
        self.accounts[key] = replace(artifact, arrays={}, data={})
        size = sum(array.nbytes for array in artifact.arrays.values())
        if self.size + size <= self.most:
            self.near[key] = artifact
            self.size += size

    def __getitem__(self, key: str) -> Artifact:
        if key not in self.accounts:
            raise KeyError(key)
        if key in self.near:
            return self.near[key]
        if key not in self.last:
            found = self.store.get(key)
            if found is None:
                raise BuildError(f"artifact {key} is not in the store {shown(self.store.folder)} any more; build again")
            self.last = {key: found}
        return self.last[key]

    def __contains__(self, key: object) -> bool:
        return key in self.accounts

    def __iter__(self) -> Iterator[str]:
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)
