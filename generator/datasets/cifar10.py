"""Images: CIFAR-10, 60,000 colour photographs of 32 × 32 pixels in ten classes.

From a folder or a zip of split/class/image files, or from torchvision's own copy. Nothing is
downloaded unless the row says so. Krizhevsky, 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from generator import image_files, interp
from generator.artifact import digest as digest_of
from generator.data import Images
from generator.spec import BuildError, Options, nearest

SPLITS = {"train": True, "test": False}
BATCHES = "cifar-10-batches-py"  # the folder that torchvision makes
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Settings(Options):
    """A row of site.toml's data sets."""

    source: Literal["cifar10"]
    path: str | tuple[str, ...] = Field(
        (), description="a folder or a zip of split/class/image files; of several, the first that exists"
    )
    folder: str | None = Field(
        None, description="the folder that holds torchvision's cifar-10-batches-py; read where no path exists"
    )
    download: bool = Field(False, description="let torchvision download 170 MB into `folder` if they are not there")

    @model_validator(mode="after")
    def _somewhere(self) -> Settings:
        if not self.path and self.folder is None:
            raise ValueError("give path, folder, or both")
        if self.download and self.folder is None:
            raise ValueError("download needs a folder to put the images in")
        return self


def missing(settings: Settings, root: Path) -> str:
    if image_files.located(settings.path, root) is not None or settings.download or has_batches(settings, root):
        return ""
    reasons = [image_files.missing(settings.path, root)] if settings.path else []
    if settings.folder is not None:
        reasons.append(
            f"there is no {BATCHES} in {root / settings.folder}; `download = true` lets torchvision fetch it"
        )
    return "; ".join(reasons)


def digest(settings: Settings, root: Path) -> str:
    path = image_files.located(settings.path, root)
    if path is not None:
        return image_files.files_digest(path)
    # torchvision checks every file against its known MD5 before it reads it: there is only one such copy.
    return digest_of({"torchvision": BATCHES})


def load(settings: Settings, split: str, root: Path) -> Images:
    path = image_files.located(settings.path, root)
    if path is not None:
        return image_files.read_images(path, split)
    reason = missing(settings, root)
    if reason:
        raise BuildError(reason)
    if split not in SPLITS:
        raise BuildError(f"CIFAR-10 has no split {split!r}{nearest(split, SPLITS)}")
    folder = root / str(settings.folder)
    try:
        images = interp.vision.torchvision.datasets.CIFAR10(folder, train=SPLITS[split], download=settings.download)
    except (OSError, RuntimeError) as error:
        raise BuildError(f"CIFAR-10 in {folder} cannot be read: {error}") from error
    return Images(images.data, np.array(images.targets, dtype=np.int64), CLASSES)


def has_batches(settings: Settings, root: Path) -> bool:
    return settings.folder is not None and (root / settings.folder / BATCHES).is_dir()
