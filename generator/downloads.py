"""What can be taken away of a figure: an artifact's pictures, its numbers and its data, as the bytes of files.

Equal artifacts give equal bytes: nothing here tells the time, the machine or how long the computing took, but for the
`provenance` of `as_json`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from generator.artifact import Artifact
from generator.deferred import Deferred
from generator.images import is_picture, webp

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
else:
    np, Image = Deferred("numpy"), Deferred("PIL.Image")

FOLDER = "data"  # of the site, where the data of its figures lie
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can tell
UNIX, READABLE = 3, 0o644 << 16  # as zip files say who made a member, and who may read it


def pictures(artifact: Artifact) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays that pages show as pictures, by name."""
    return {name: array for name, array in artifact.arrays.items() if is_picture(array)}


def file_names(stem: str, names: Iterable[str], suffix: str) -> dict[str, str]:
    """A file name for each picture: the stem alone where there is only one. No two are alike.

    >>> file_names("cats", ["tabby cat"], ".png"), file_names("cats", ["a b", "a/b"], ".png")
    ({'tabby cat': 'cats.png'}, {'a b': 'cats-a-b.png', 'a/b': 'cats-a-b-2.png'})
    """
    names = list(names)
    if len(names) == 1:
        return {names[0]: stem + suffix}
    taken: dict[str, str] = {}  # names by what they are called in a file
    numbers: Counter[str] = Counter()
    for name in names:
        plain = wanted = re.sub(r"[^\w.-]+", "-", name)
        while wanted in taken:
            numbers[plain] += 1
            wanted = f"{plain}-{numbers[plain] + 1}"
        taken[wanted] = name
    return {name: f"{stem}-{called}{suffix}" for called, name in taken.items()}


def as_png(array: np.ndarray[Any, Any]) -> bytes:
    """PNG of the very pixels that the site's file of a picture decodes to; these are not always the array's."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(webp(array))) as picture:
        picture.save(buffer, "PNG")
    return buffer.getvalue()


def as_csv(artifact: Artifact) -> bytes:
    """The measures as a table: name, value, and the ends of the 95 % interval where there is one."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", "value", "low", "high"])
    for name, value in artifact.measures.items():
        table.writerow([name, value, *artifact.intervals.get(name, ("", ""))])
    return text.getvalue().encode()


def as_json(artifact: Artifact, **about: Any) -> bytes:
    """All that an artifact holds but its arrays, after what is told `about` it."""
    told = {
        **about,
        "measures": dict(artifact.measures),
        "intervals": {name: list(ends) for name, ends in artifact.intervals.items()},
        "data": artifact.data,
        # Not how long it took: the file is the same whenever it is made again.
        "provenance": {name: value for name, value in artifact.provenance.items() if name != "seconds"},
    }
    return (json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def as_npz(artifact: Artifact, drawn: bool) -> bytes:
    """A file for numpy.load: arrays, of pictures only where these are asked for, and data.json and measures.csv."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members(artifact, drawn):
            member = zipfile.ZipInfo(name, EPOCH)
            member.create_system, member.external_attr, member.compress_type = UNIX, READABLE, zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return buffer.getvalue()


def members(artifact: Artifact, drawn: bool) -> Iterator[tuple[str, bytes]]:
    text = json.dumps(artifact.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    yield "data.json", text.encode()
    yield "measures.csv", as_csv(artifact)
    for name, array in artifact.arrays.items():
        if drawn or not is_picture(array):
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            yield f"{name}.npy", content.getvalue()
