"""Folders and zips of split/class/image: found, fingerprinted and read, for every source that has such files.

What they may hold is said in `archives`, and what is decoded in `decoding`.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.archives import Readers, files_below, readers
from generator.artifact import digest
from generator.data import Images
from generator.decoding import Unreadable, eight_bits, opened
from generator.files import file_digest
from generator.spec import BuildError, nearest

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


@dataclass(frozen=True)
class ImageFile:
    """One image, not yet read: where it belongs, how messages call it, how its bytes are had."""

    split: str
    label: str
    name: str
    shown: str
    read: Callable[[], bytes]


def located(paths: str | Sequence[str], root: Path) -> Path | None:
    """The first of the candidate paths, relative to `root`, that exists."""
    candidates = [paths] if isinstance(paths, str) else paths
    return next((root / path for path in candidates if (root / path).exists()), None)


def missing(paths: str | Sequence[str], root: Path) -> str:
    """Why none of the candidates can be read, and what to do; "" where one is at hand."""
    if located(paths, root) is not None:
        return ""
    candidates = [paths] if isinstance(paths, str) else paths
    return (
        f"there is no {' and no '.join(candidates)} in {root}; put a folder or a zip of split/class/image files there"
    )


def files_digest(path: Path) -> str:
    """SHA-256 of a zip's bytes, or of a folder's file names, sizes and bytes; no image is decoded."""
    if path.is_file():
        return file_digest(path)
    found = sorted(path / name for name in files_below(path) if Path(name).suffix.lower() in SUFFIXES)
    return digest([[one.relative_to(path).as_posix(), one.stat().st_size, file_digest(one)] for one in found])


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which 2.jpg comes before 10.jpg.

    >>> sorted(["10.jpg", "2.jpg", "a.jpg"], key=natural)
    ['2.jpg', '10.jpg', 'a.jpg']
    """
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


@contextmanager
def image_files(path: Path) -> Iterator[list[ImageFile]]:
    """All images of a folder or a zip, by split, class and number; the zip is open until the context is left."""
    with readers(path) as found:
        yield arranged(found, path)


def arranged(files: Readers, path: Path) -> list[ImageFile]:
    """The names that say split/class/image, sorted; other files are left alone."""
    found = []
    for name, read in files.items():
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if len(parts) == 3 and not hidden and PurePosixPath(name).suffix.lower() in SUFFIXES:
            found.append(ImageFile(parts[0], parts[1], parts[2], f"{path}/{name}", read))
    return sorted(found, key=lambda one: (one.split, one.label, natural(one.name)))


def read_images(path: Path, split: str, size: int | None = None) -> Images:
    """The images of one split, class after class; classes are sorted, and the same for every split.

    size: the images are resized to size × size pixels. Without it all must have one size. An image that cannot be
    read is skipped and named; BuildError where none can.
    """
    with image_files(path) as files:
        classes = tuple(sorted({one.label for one in files}))
        splits = sorted({one.split for one in files})
        if not files:
            raise BuildError(f"{path} holds no images named split/class/image, such as test/cat/1.jpg")
        if split not in splits:
            raise BuildError(f"{path} has no split {split!r}{nearest(split, splits)}")
        chosen = [one for one in files if one.split == split]
        first: ImageFile | None = None
        pixels = np.empty((0, 0, 0, 0), dtype=np.uint8)
        labels: list[str] = []
        names: list[str] = []
        skipped: list[str] = []
        for one in chosen:
            try:
                image = decoded(one, size, grey=pixels.shape[3] == 1 if first else None)
            except Unreadable as error:
                skipped.append(error.message)
                continue
            if first is None:
                first, pixels = one, np.empty((len(chosen), *image.shape), dtype=np.uint8)
            if image.shape != pixels.shape[1:]:
                raise BuildError(
                    f"{one.shown} has {image.shape[1]} × {image.shape[0]} pixels, {first.shown} "
                    f"{pixels.shape[2]} × {pixels.shape[1]}; set `size` to bring all to one size"
                )
            pixels[len(labels)] = image
            labels.append(one.label)
            names.append(f"{one.split}/{one.label}/{one.name}")
    if first is None:
        raise BuildError(skipped[0])
    index = {label: number for number, label in enumerate(classes)}
    numbers = np.array([index[label] for label in labels], dtype=np.int64)
    return Images(pixels[: len(labels)], numbers, classes, tuple(skipped), tuple(names))


def decoded(file: ImageFile, size: int | None, grey: bool | None = None) -> NDArray[np.uint8]:
    """uint8, (height, width, channels); grey: one channel, or three; the file's own choice if None."""
    with opened(content_of(file), f"image {file.shown}") as found:
        image = eight_bits(found)
        picture = image.convert("L" if (image.mode == "L" if grey is None else grey) else "RGB")
    if size is not None:
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def content_of(file: ImageFile) -> bytes:
    """Its bytes; Unreadable where its archive is damaged there."""
    try:
        return file.read()
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Unreadable(f"image {file.shown} cannot be read: {error}") from error
