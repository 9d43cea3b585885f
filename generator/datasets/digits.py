"""Images: 1,797 handwritten digits of 8 × 8 grey pixels, which scikit-learn carries in its package.

Every fifth image is for test. Alpaydin and Kaynak, 1998, https://doi.org/10.24432/C50P49.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from generator.artifact import digest as digest_of
from generator.data import Images
from generator.key import versions
from generator.spec import BuildError, Options, nearest

INK = 16  # the darkest grey level of the file; 0 is paper
SPLITS = ("train", "test")


class Settings(Options):
    """A row of site.toml's data sets."""

    source: Literal["digits"]


def missing(settings: Settings, root: Path) -> str:
    return "" if find_spec("sklearn") else "the digits come with scikit-learn: pip install 'whatfires[examples]'"


def digest(settings: Settings, root: Path) -> str:
    return digest_of({"digits": versions().get("scikit-learn", "")})


def load(settings: Settings, split: str, root: Path) -> Images:
    """Pixels are 0 for paper to 255 for ink, (images, 8, 8, 1)."""
    reason = missing(settings, root)
    if reason:
        raise BuildError(reason)
    if split not in SPLITS:
        raise BuildError(f"the digits have no split {split!r}{nearest(split, SPLITS)}")
    digits = import_module("sklearn.datasets").load_digits()
    pixels = np.round(digits.images * 255 / INK).astype(np.uint8)[..., None]
    chosen = (np.arange(len(pixels)) % 5 == 4) == (split == "test")
    return Images(pixels[chosen], digits.target[chosen].astype(np.int64), tuple(map(str, range(10))))
