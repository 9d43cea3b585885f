"""Arrays -> picture files, named by their pixels."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.deferred import Deferred

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
else:
    np, Image = Deferred("numpy"), Deferred("PIL.Image")  # a site of text alone has no arrays

SMALL = 96  # pixels: up to here a picture is kept exactly, and drawn with hard edges
EXACT_BYTES = 10_000  # unless that takes more than this


@dataclass(frozen=True)
class Picture:
    """A picture of a page: where it lies, relative to the page, and its size in pixels."""

    url: str
    width: int
    height: int


def is_picture(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] in (3, 4)


def picture_name(array: np.ndarray[Any, Any]) -> str:
    """A file name that only these pixels have."""
    shape = "×".join(map(str, array.shape)).encode()
    return f"{hashlib.sha256(shape + np.ascontiguousarray(array).tobytes()).hexdigest()[:20]}.webp"


def webp(array: np.ndarray[Any, Any]) -> bytes:
    """uint8, (height, width, 3), sRGB, as WebP: without loss where small, else at a quality that hides nothing.

    Grain, as of synthetic images, does not shrink without loss, and needs no exact pixels: it counts as large. A fourth
    channel is opacity.
    """
    if max(array.shape[:2]) <= SMALL and len(exact := encoded(array, lossless=True)) <= EXACT_BYTES:
        return exact
    return encoded(array, lossless=False)


def encoded(array: np.ndarray[Any, Any], lossless: bool) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "WEBP", lossless=lossless, quality=90, method=4)
    return buffer.getvalue()


def sprite(icons: np.ndarray[Any, Any], columns: int) -> np.ndarray[Any, Any]:
    """Icons, (icons, height, width, 3), as one picture, row after row; what is left over is black.

    >>> sprite(np.zeros((5, 4, 4, 3), np.uint8), 3).shape
    (8, 12, 3)
    """
    count, height, width, _ = icons.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, 3), dtype=icons.dtype)
    sheet[:count] = icons
    grid = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, 3)
