"""Images: stripes of one pixel, across or down, with noise."""

from pathlib import Path
from typing import Literal

import numpy as np

from generator.data import Images
from generator.spec import BuildError, Options, nearest

CLASSES = ("across", "down")
SPLITS = ("train", "validation", "test")


class Settings(Options):
    source: Literal["stripes"]
    images: int = 200


def missing(settings: Settings, root: Path) -> str:
    return ""  # they are made, so they are always at hand


def digest(settings: Settings, root: Path) -> str:
    return "stripes, first version"  # its settings are in the key beside it


def load(settings: Settings, split: str, root: Path) -> Images:
    if split not in SPLITS:
        raise BuildError(f"stripes have no split {split!r}{nearest(split, SPLITS)}")
    random = np.random.default_rng(SPLITS.index(split))
    labels = random.integers(0, 2, settings.images)
    stripes = np.tile(np.arange(16) % 2, (16, 1)) * 160
    clean = np.where(labels[:, None, None] == 1, stripes, stripes.T)
    pixels = clean + random.integers(0, 96, clean.shape)
    return Images(pixels.astype(np.uint8)[..., None], labels.astype(np.int64), CLASSES)
