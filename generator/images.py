"""Arrays -> picture files, named by their pixels."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

SMALL = 96  # pixels: up to here a picture is kept exactly, and drawn with hard edges


@dataclass(frozen=True)
class Picture:
    """A picture of a page: where it lies, relative to the page, and its size in pixels."""

    url: str
    width: int
    height: int


def is_picture(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3


def picture_name(array: np.ndarray[Any, Any]) -> str:
    """A file name that only these pixels have."""
    shape = "×".join(map(str, array.shape)).encode()
    return f"{hashlib.sha256(shape + np.ascontiguousarray(array).tobytes()).hexdigest()[:20]}.webp"


def webp(array: np.ndarray[Any, Any]) -> bytes:
    """uint8, (height, width, 3), sRGB, as WebP: without loss where small, else at a quality that hides nothing."""
    buffer = io.BytesIO()
    lossless = max(array.shape[:2]) <= SMALL
    Image.fromarray(array).save(buffer, "WEBP", lossless=lossless, quality=90, method=4)
    return buffer.getvalue()
