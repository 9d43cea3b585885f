"""How a store is laid out, in a small file of its own: what another layout holds is neither misread nor removed.

A store without the file is of layout 1, which stores had before they said so.
"""

from __future__ import annotations

import json

from generator.foreign_json import object_from_json
from generator.spec import BuildError

NAME, LAYOUT = "layout.json", 1
CONTENT = json.dumps({"layout": LAYOUT}).encode() + b"\n"


def check(content: bytes | None, place: str) -> None:
    """BuildError, with what to do, unless the store's file, None where there is none, tells the layout of ours."""
    if content is None:
        return
    try:
        found = int(object_from_json(content)["layout"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise BuildError(
            f'the store {place}: its {NAME} is not {{"layout": {LAYOUT}}} or the like; write that if it is a store of '
            "ours that was damaged, else give another --store"
        ) from error
    if found != LAYOUT:
        by = "a newer Whatfires; update this one" if found > LAYOUT else "an older Whatfires; use that one"
        raise BuildError(
            f"the store {place} has layout {found}, and this Whatfires reads {LAYOUT}: it was written by {by}, or give "
            "another --store, for which all is computed anew. Nothing in it was changed"
        )
