"""How the units of a layer are listed: which stand on which page of the list, and their pictures as one sheet.

A page of a list has at most MOST units: about 600 KB with their pictures, and no more to scroll than a reader does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from generator.deferred import Deferred
from generator.images import sprite

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
else:
    np, Image = Deferred("numpy"), Deferred("PIL.Image")

MOST = 200  # units on a page of a list
FEW = 24  # units whose pictures are files of their own, which are there already
SIDE = 96  # pixels of the longer side of a picture in a sheet; lists show them about so large
COLUMNS = 16  # of a sheet
BLOCK = 16  # pixels: WebP compresses such squares by themselves, so none may hold parts of two pictures

One = TypeVar("One")


def parts(units: Sequence[One], most: int = MOST) -> Iterator[Sequence[One]]:
    """The units of each page of a list.

    >>> list(parts("abcde", 2))
    ['ab', 'cd', 'e']
    """
    yield from (units[start : start + most] for start in range(0, len(units), most))


def numbers_shown(here: int, last: int) -> list[int]:
    """The pages that a page of a list links to: the first and the last, those beside it, and round ones.

    Ten or so for each digit of `last`, and each page can be reached in as many steps as that has digits.

    >>> numbers_shown(2, 5), numbers_shown(17, 450)[:14]
    ([1, 2, 3, 4, 5], [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 40])
    """
    found = {1, here, last}
    step = 1
    while step <= last:
        start = here // (10 * step) * 10 * step
        found |= set(range(start, start + 10 * step + 1, step))
        step *= 10
    return sorted(number for number in found if 1 <= number <= last)


def thumbnail(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A picture as sheets hold it, (height, width, 3), uint8: as it is or smaller, on white where transparent."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if (longest := max(height, width)) > SIDE:
        size = (max(1, round(width * SIDE / longest)), max(1, round(height * SIDE / longest)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(image)


def sheet(pictures: Sequence[np.ndarray[Any, Any]]) -> tuple[np.ndarray[Any, Any], list[dict[str, int]]]:
    """Thumbnails as one picture, and where each lies in it: x, y, width, height, in pixels."""
    height, width = (-(-max(one.shape[axis] for one in pictures) // BLOCK) * BLOCK for axis in (0, 1))
    icons = [np.pad(one, ((0, height - one.shape[0]), (0, width - one.shape[1]), (0, 0)), "edge") for one in pictures]
    places = [
        {"x": number % COLUMNS * width, "y": number // COLUMNS * height, "width": one.shape[1], "height": one.shape[0]}
        for number, one in enumerate(pictures)
    ]
    return sprite(np.stack(icons), min(COLUMNS, len(pictures))), places
