"""Images: a folder or a zip of split/class/image files, such as test/cat/1.jpg. The folders' names are the classes.

Beside it may lie another with a mask of every image, such as test/cat/1.png.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from generator import image_files
from generator.artifact import digest as digest_of
from generator.data import Images
from generator.mask_files import read_masks
from generator.spec import BuildError, Options


class Settings(Options):
    """A row of site.toml's data sets."""

    source: Literal["image-folder"]
    path: str | tuple[str, ...] = Field(
        description="a folder or a zip, relative to content; of several, the first that exists"
    )
    size: int | None = Field(None, ge=1, le=4096, description="resize every image to size × size pixels")

    masks: str | tuple[str, ...] | None = Field(
        None,
        description="a folder or a zip of masks, split/class/image.png, relative to content; the palette index or grey "
        "value of a pixel is the number of its concept, 0 none",
    )
    concepts: tuple[str, ...] = Field((), description="what the masks show, by number, from 1; numbers if not given")


def missing(settings: Settings, root: Path) -> str:
    reason = image_files.missing(settings.path, root)
    return reason or ("" if settings.masks is None else image_files.missing(settings.masks, root))


def digest(settings: Settings, root: Path) -> str:
    masks = {} if settings.masks is None else {"masks": image_files.files_digest(at_hand(settings.masks, root))}
    files = image_files.files_digest(at_hand(settings.path, root))
    return digest_of({"files": files, "size": settings.size, **masks})


def load(settings: Settings, split: str, root: Path) -> Images:
    path = at_hand(settings.path, root)
    images = image_files.read_images(path, split, settings.size)
    if settings.masks is None:
        return images
    masks = read_masks(at_hand(settings.masks, root), path, images.names, settings.size)
    return replace(images, masks=masks, concepts=named(settings.concepts, int(masks.max()), split))


def named(concepts: tuple[str, ...], highest: int, split: str) -> tuple[str, ...]:
    """The names of all numbers in masks; BuildError where the author names fewer than there are."""
    if concepts and highest > len(concepts):
        raise BuildError(f"a mask of split {split} shows concept {highest}, but `concepts` names {len(concepts)}")
    return concepts or tuple(f"concept {number}" for number in range(1, highest + 1))


def at_hand(paths: str | tuple[str, ...], root: Path) -> Path:
    """The first path that exists; BuildError where none does."""
    path = image_files.located(paths, root)
    if path is None:
        raise BuildError(image_files.missing(paths, root))
    return path
