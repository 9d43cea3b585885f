"""Masks of images in a folder or zip beside theirs: for split/class/image.jpg the mask split/class/image.png.

A mask says of every pixel which concept it shows, by palette index or grey value; 0 is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.decoding import opened
from generator.image_files import ImageFile, content_of, image_files
from generator.spec import BuildError

MODES = ("P", "L")  # Pillow's names of a palette and of grey


def read_masks(masks: Path, images: Path, names: Sequence[str], size: int | None = None) -> NDArray[np.uint8]:
    """The masks of images of these names, such as test/cat/1.jpg: (names, height, width).

    size: they are resized to size × size pixels, as the images are, but no value is mixed with another. BuildError
    names a mask that is missing, cannot be read, or has another size than its image.
    """
    with image_files(images) as pictures, image_files(masks) as files:
        wanted = {f"{one.split}/{one.label}/{one.name}": one for one in pictures}
        found = {(one.split, one.label, one.name): one for one in files}
        decoded = []
        for name in names:
            one = wanted[name]
            mask = found.get((one.split, one.label, f"{PurePosixPath(one.name).stem}.png"))
            if mask is None:
                place = PurePosixPath(name).with_suffix(".png")
                raise BuildError(f"image {one.shown} has no mask; it should be {masks}/{place}")
            decoded.append(values(mask, one, size))
    return np.stack(decoded)


def values(mask: ImageFile, image: ImageFile, size: int | None) -> NDArray[np.uint8]:
    """One mask, (height, width)."""
    with opened(content_of(image), f"image {image.shown}") as picture:
        wanted = picture.size
    with opened(content_of(mask), f"mask {mask.shown}") as found:
        if found.size != wanted:
            raise BuildError(
                f"mask {mask.shown} has {found.width} × {found.height} pixels, its image {wanted[0]} × {wanted[1]}"
            )
        if found.mode not in MODES:
            raise BuildError(
                f"mask {mask.shown} is of mode {found.mode}; a mask has a palette or 256 greys, one a concept"
            )
        return np.array(found if size is None else found.resize((size, size), Image.Resampling.NEAREST))
