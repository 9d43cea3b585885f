"""Images that somebody else made: opened only in formats that are named, and not where they are absurdly large."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from generator.deferred import Deferred
from generator.spec import BuildError

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = Deferred("PIL.Image")

# Pillow's names. Others are not even tried: EPS runs Ghostscript, and each is one more decoder of hostile bytes.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MOST_SIDE = 10_000  # pixels; a wider or higher image is refused before it is decoded
MOST_PIXELS = 80_000_000  # of one image: decoding takes three or four bytes for each


# As Pillow shows that a file is damaged; it calls a broken PNG a SyntaxError.
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, OverflowError, struct.error)


class Unreadable(BuildError):
    """An image file that is damaged, or none."""


@contextmanager
def opened(content: bytes, called: str) -> Iterator[Image.Image]:
    """An image, not decoded yet. Unreadable where it, or what is done with it inside, shows that it is damaged.

    BuildError where it has too many pixels on a side, or in all. called: in messages.
    """
    try:
        with glimpsed(content) as image:
            width, height = image.size
            if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
                raise BuildError(
                    f"{called} has {width:,} × {height:,} pixels; at most {MOST_SIDE:,} a side and {MOST_PIXELS:,} in "
                    "all are read, so scale it down"
                )
            yield image
    except BuildError:
        raise
    except Image.DecompressionBombError as error:
        raise BuildError(f"{called} has too many pixels: {error}") from error
    except DAMAGE as error:
        raise Unreadable(f"{called} cannot be read: {error}") from error


def glimpsed(content: bytes) -> Image.Image:
    """What the first bytes tell of an image in one of the formats; how large it is, is for the caller to judge."""
    Image.init()
    known = [one for one in FORMATS if one in Image.OPEN]  # by this Pillow
    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
        return Image.open(io.BytesIO(content), formats=known)


def check_greys(image: Image.Image) -> None:
    """ValueError of a picture with 32 bits a grey: no file says where its white is."""
    if image.mode == "F" or (image.mode == "I" and image.format != "PNG"):  # Pillow before 11 reads 16 bits of a PNG so
        raise ValueError("its greys have 32 bits; save it with 8 or 16")


def eight_bits(image: Image.Image) -> Image.Image:
    """A picture with 16 bits a grey as one with 8, any other as it is. ValueError as of `check_greys`.

    Pillow's own conversion clips: all but the darkest 255 of the 65,536 greys would be white.
    """
    check_greys(image)
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value / 256).convert("L")
