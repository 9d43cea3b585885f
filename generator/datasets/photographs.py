"""Images: squares cut from the photographs that scikit-image and scikit-learn carry in their packages.

A few hundred views of a cat, a cup, a rocket, a temple: natural images to hold synthetic ones against, without a
download. A class is a photograph. Too few to say what excites a unit most in the world.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from generator.artifact import digest as digest_of
from generator.data import Images
from generator.key import versions
from generator.spec import BuildError, Options, nearest

PACKAGES = {
    "skimage": (
        "data",
        ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "motorcycle_left.png", "rocket.jpg"),
    ),
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
}
SPLITS = ("train", "test")


class Settings(Options):
    """A row of site.toml's data sets."""

    source: Literal["photographs"]
    size: int = Field(224, ge=8, le=512, description="pixels on a side of every square")
    cuts: tuple[int, ...] = Field(
        (1, 2, 4), min_length=1, description="how many squares fit into a photograph's shorter side, cut by cut"
    )


def missing(settings: Settings, root: Path) -> str:
    absent = [package for package in PACKAGES if find_spec(package) is None]
    return f"the photographs come with {' and '.join(absent)}: pip install 'whatfires[examples]'" if absent else ""


def digest(settings: Settings, root: Path) -> str:
    return digest_of({name: versions().get(name, "") for name in ("scikit-image", "scikit-learn")})


def load(settings: Settings, split: str, root: Path) -> Images:
    """Every fifth square is for test, (images, size, size, 3)."""
    reason = missing(settings, root)
    if reason:
        raise BuildError(reason)
    if split not in SPLITS:
        raise BuildError(f"the photographs have no split {split!r}{nearest(split, SPLITS)}")
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    names: list[str] = []
    for package, (folder, files) in PACKAGES.items():
        home = Path(str(import_module(package).__file__)).parent / folder
        for name in files:
            with Image.open(home / name) as photograph:
                found = squares(photograph.convert("RGB"), settings)
            pixels += found
            labels += [len(names)] * len(found)
            names.append(name.partition(".")[0].replace("_", " "))
    chosen = (np.arange(len(pixels)) % 5 == 4) == (split == "test")
    return Images(np.stack(pixels)[chosen], np.array(labels, dtype=np.int64)[chosen], tuple(names))


def squares(photograph: Image.Image, settings: Settings) -> list[NDArray[np.uint8]]:
    """The squares of all cuts, each half over the next, at `size`; none that would be enlarged twofold."""
    found = []
    shorter = min(photograph.size)
    for cut in settings.cuts:
        side = shorter // cut
        if side * 2 < settings.size:
            continue
        for top in range(0, photograph.height - side + 1, side // 2):
            for left in range(0, photograph.width - side + 1, side // 2):
                box = (left, top, left + side, top + side)
                square = photograph.resize((settings.size, settings.size), Image.Resampling.BICUBIC, box=box)
                found.append(np.asarray(square, dtype=np.uint8))
    return found
