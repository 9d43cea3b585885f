"""An author's own images, which lie beside the posts: looked at when a post is read, written as WebP with the site.

A file is named by the bytes that it was made from, so that one which is there need not be made again. An image that is
wider than twice the text is written in two widths, and the browser chooses. Drawings (SVG) are carried as they are.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from generator import drawings
from generator.decoding import DAMAGE, MOST_PIXELS, check_greys, eight_bits, glimpsed
from generator.deferred import Deferred
from generator.spec import OwnImage

if TYPE_CHECKING:
    from PIL import Image, ImageOps
else:
    Image, ImageOps = Deferred("PIL.Image"), Deferred("PIL.ImageOps")  # a post without images needs neither

FOLDER = "media"
WIDTHS = (720, 1440)  # pixels: the text is 34rem wide, up to 680 pixels, and screens have up to two for each of these
SIZES = "(min-width: 38rem) 34rem, 100vw"


def looked_at(path: Path, source: str) -> OwnImage:
    """An image's files and sizes, from a look at its first bytes. ValueError where it is none that can be shown."""
    content = path.read_bytes()
    name = hashlib.sha256(content).hexdigest()[:20]
    if path.suffix.lower() == ".svg":
        width, height = drawings.size(content)
        return OwnImage(source, ((f"{FOLDER}/{name}.svg", width, height),))
    try:
        with warnings.catch_warnings(action="ignore"), glimpsed(content) as image:
            check_greys(image)
            width, height = image.size
            large = width * height > MOST_PIXELS  # of which nothing more is looked at
            turned = not large and image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # as cameras note it
            moves = not large and getattr(image, "n_frames", 1) > 1
            suffix = (image.format or "").lower()
    except Image.DecompressionBombError as error:
        raise ValueError(f"it has too many pixels: {error}") from error
    except DAMAGE as error:
        raise ValueError(f"it cannot be read as an image ({error})") from error
    if large:
        raise ValueError(
            f"it has {width:,} × {height:,} pixels; at most {MOST_PIXELS:,} in all are read, so scale it down"
        )
    if moves:
        return OwnImage(source, ((f"{FOLDER}/{name}.{suffix}", width, height),))
    width, height = (height, width) if turned else (width, height)
    widths = [one for one in WIDTHS if one < width] or [width]
    widths = widths if widths[-1] == WIDTHS[-1] or width in widths else [*widths, width]
    return OwnImage(
        source, tuple((f"{FOLDER}/{name}-{one}.webp", one, max(1, round(height * one / width))) for one in widths)
    )


def file_of(image: OwnImage, path: str, root: Path) -> bytes:
    """The bytes of one of its files."""
    source = root / image.source
    if not path.endswith(".webp") or (len(image.files) == 1 and "-" not in path):
        return source.read_bytes()
    width = next(width for name, width, _ in image.files if name == path)
    with glimpsed(source.read_bytes()) as opened:
        opened.draft("RGB", (width, width))  # JPEG decodes at a half, a quarter or an eighth where that is enough
        picture = eight_bits(opened)
        few = picture.mode in ("1", "L", "P") and opened.format != "JPEG"
        picture = ImageOps.exif_transpose(picture)
        picture = picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB")
        if picture.width != width:
            picture = picture.resize(
                (width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS
            )
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=few, quality=90, method=4)
    return buffer.getvalue()
