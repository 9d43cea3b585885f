"""Images: a folder or a zip of split/class/image files, such as test/cat/1.jpg. The folders' names are the classes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from generator import image_files
from generator.artifact import digest as digest_of
from generator.data import Images
from generator.spec import BuildError, Options


class Settings(Options):
    """A row of site.toml's data sets."""

    source: Literal["image-folder"]
    path: str | tuple[str, ...] = Field(
        description="a folder or a zip, relative to content; of several, the first that exists"
    )
    size: int | None = Field(None, ge=1, le=4096, description="resize every image to size × size pixels")


def missing(settings: Settings, root: Path) -> str:
    return image_files.missing(settings.path, root)


def digest(settings: Settings, root: Path) -> str:
    return digest_of({"files": image_files.files_digest(at_hand(settings, root)), "size": settings.size})


def load(settings: Settings, split: str, root: Path) -> Images:
    return image_files.read_images(at_hand(settings, root), split, settings.size)


def at_hand(settings: Settings, root: Path) -> Path:
    """The path that exists; BuildError where none does."""
    path = image_files.located(settings.path, root)
    if path is None:
        raise BuildError(missing(settings, root))
    return path
