"""Images and drawings that somebody else made."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import drawings
from generator.decoding import Unreadable, opened
from generator.image_files import read_images
from generator.own_images import file_of, looked_at
from generator.spec import BuildError

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(%pipe%touch ran) (w) file\n%%EOF\n"


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be so large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 1), (1, 50_000), (9_999, 9_999), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_of_absurd_size_is_refused_undecoded(tmp_path: Path, size: tuple[int, int]) -> None:
    content = claiming(*size)
    (tmp_path / "large.png").write_bytes(content)

    with pytest.raises(BuildError, match="image large"), opened(content, "image large") as image:
        image.convert("RGB")
    if size[0] * size[1] > 80_000_000:
        with pytest.raises(ValueError, match="too many pixels|at most 80,000,000 in all"):
            looked_at(tmp_path / "large.png", "large.png")


def test_a_format_that_is_not_named_is_not_tried(tmp_path: Path) -> None:
    """Pillow would hand EPS to Ghostscript, which is a language."""
    (tmp_path / "drawing.png").write_bytes(EPS)

    with pytest.raises(Unreadable, match="image x cannot be read"), opened(EPS, "image x") as image:
        image.load()
    with pytest.raises(ValueError, match="cannot be read as an image"):
        looked_at(tmp_path / "drawing.png", "drawing.png")


def test_a_text_in_a_png_that_unpacks_without_end_is_refused() -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    whole = buffer.getvalue()
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    bomb = whole[:33] + text + whole[33:]

    with pytest.raises(Unreadable, match="image bomb cannot be read"), opened(bomb, "image bomb") as image:
        image.load()


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">{}</svg>'


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>alert(1)</script>", "an element script"),
        ("<SCRIPT>alert(1)</SCRIPT>", "an element script"),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>', "an element script"),
        ("<foreignObject><b>x</b></foreignObject>", "an element foreignobject"),
        ('<rect onload="alert(1)"/>', "an attribute onload"),
        ('<a xlink:href="javascript:alert(1)"><text>x</text></a>', "an address 'javascript:alert"),
        ('<a href="java&#9;script:alert(1)"><text>x</text></a>', "an address"),
        ('<image href="https://evil.example/x.png"/>', "an address 'https://evil"),
        ('<image href="data:image/svg+xml,x"/>', "an address 'data:image/svg"),
        ('<use href="other.svg#x"/>', "an address 'other.svg"),
        ("<style>@import 'https://evil.example/x.css';</style>", "a style that loads"),
        ("<style>rect { fill: url(https://evil.example/x) }</style>", "a style that loads"),
        ('<rect style="fill: url(//evil.example)"/>', "an attribute style that loads"),
        ('<a href="#x"><animate attributeName="href" values="x"/></a>', "an element animate of href"),
        ('<a href="#x"><set attributeName="xlink:href" to="y"/></a>', "an element set of xlink:href"),
    ],
)
def test_a_drawing_that_runs_or_loads_something_is_refused(inside: str, said: str) -> None:
    with pytest.raises(ValueError, match="take that out") as told:
        drawings.size(SVG.format(inside).encode())
    assert said in str(told.value)


def test_a_style_sheet_of_a_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="its style sheet is not read"):
        drawings.size(b'<?xml-stylesheet href="https://evil.example/x.css"?>' + SVG.format("").encode())


def test_a_drawing_as_programs_make_them_is_carried() -> None:
    inside = (
        '<defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><style>*{stroke-linejoin:round}</style>'
        '<g clip-path="url(#c)"><use xlink:href="#g" style="fill: url(#g)"/></g>'
        '<a href="https://example.org/"><text>x</text></a><image href="data:image/png;base64,AAAA"/>'
    )
    head = b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">\n'

    assert drawings.size(head + SVG.format(inside).encode()) == (40, 20)


GREYS = np.arange(256, dtype=np.uint16).reshape(16, 16) * 256  # each of eight bits, in sixteen


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_greys_of_sixteen_bits_are_the_same_in_eight(tmp_path: Path, suffix: str) -> None:
    """Pillow's own conversion clips them at 255, so that they would be white."""
    path = tmp_path / f"grey.{suffix}"
    Image.fromarray(GREYS).save(path)
    (tmp_path / "data" / "test" / "cat").mkdir(parents=True)
    Image.fromarray(GREYS).save(tmp_path / "data" / "test" / "cat" / "1.png")
    own = looked_at(path, path.name)
    with Image.open(io.BytesIO(file_of(own, own.files[0][0], tmp_path))) as image:
        shown = np.asarray(image.convert("L"))

    assert np.array_equal(shown, GREYS // 256)
    assert np.array_equal(read_images(tmp_path / "data", "test").pixels[0, :, :, 0], GREYS // 256)


def test_greys_of_32_bits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data" / "test" / "cat" / "1.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(GREYS.astype(np.float32)).save(path, "TIFF")

    with pytest.raises(ValueError, match="its greys have 32 bits; save it with 8 or 16"):
        looked_at(path, "1.png")
    with pytest.raises(BuildError, match=r"image .*1\.png cannot be read: its greys have 32 bits"):
        read_images(tmp_path / "data", "test")
