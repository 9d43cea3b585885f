"""Whether data that a build has read are still what its keys say; what was computed from others is not kept.

A key is made of digests that are taken before anything is computed, and computing may take hours. So the data are
digested once more when it is done. Weights need no second look: what is loaded is checked by its digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from generator.artifact import ArtifactStore
from generator.files import file_digest
from generator.library import Library
from generator.spec import BuildError, Changed, shown


def drop_changed(library: Library, store: ArtifactStore, files: Mapping[str, str]) -> list[Changed]:
    """Forget what this run computed from data that changed since they were planned with; an error for each of them.

    The data are those data sets that were opened, and `files`: the planned digests of others, by their names in the
    content folder.
    """
    changed: dict[str, str] = {}  # what is no longer so, by the digest that was planned with
    for name in sorted(library.opened):
        planned = library.dataset_digest(name)
        try:
            same = library.digest_data(name) == planned
        except (BuildError, OSError):  # removed meanwhile
            same = False
        if not same:
            changed[planned] = f"data set {name}"
    for name, planned in files.items():
        path = library.root / name
        if not path.is_file() or file_digest(path) != planned:
            changed[planned] = f"file {shown(path)}"
    for one in {store, library.store}:  # the second has what several figures share
        drop_made_of(one, tuple(changed))
    return [Changed(f"{what} changed while figures were computed from it; build again") for what in changed.values()]


def drop_made_of(store: ArtifactStore, digests: Sequence[str]) -> None:
    """Forget what this run put into the store whose ingredients tell one of the digests: figures, weights, readings."""
    for key in store.added if digests else ():
        artifact = store.get(key)
        if artifact is not None and any(one in json.dumps(artifact.provenance) for one in digests):
            store.drop(key)
