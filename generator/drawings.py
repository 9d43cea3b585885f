"""Drawings (SVG) of authors: their size, and whether anything in them would run or be asked for elsewhere.

In a page a drawing is an image, in which nothing runs. But it is a file of the site as well, and who opens that gives
its scripts the site's own address. So one that has any is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

LENGTH = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(px)?\s*")
RUNNING = {"script", "foreignobject", "handler", "listener", "iframe", "embed", "object", "audio", "video", "link"}
MOVING = {"set", "animate"}  # which can give an address to an element that has none
INSIDE = re.compile(r"\s*(#|data:image/(png|jpeg|gif|webp)[;,])", re.IGNORECASE)
WEB = re.compile(r"\s*https?://", re.IGNORECASE)
LOADING = re.compile(r"@import|url\(\s*['\"]?(?!#|data:image/(png|jpeg|gif|webp)[;,])|javascript:", re.IGNORECASE)


def size(content: bytes) -> tuple[int, int]:
    """The size that a drawing gives itself, in pixels. ValueError where it gives none, or would run something."""
    for mark, what in ((b"<!ENTITY", "entities are"), (b"<?xml-stylesheet", "style sheet is")):
        if mark in content:
            raise ValueError(f"its {what} not read")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ValueError(f"it cannot be read as SVG ({error})") from error
    for what in running(root):
        raise ValueError(f"it has {what}, which would run or load something for who opens the file; take that out")
    sides = [LENGTH.fullmatch(root.get(side, "")) for side in ("width", "height")]
    box = root.get("viewBox", "").replace(",", " ").split()
    if all(sides):
        numbers = [float(side["number"]) for side in sides if side]
    elif len(box) == 4:
        numbers = [float(one) for one in box[2:]]
    else:
        raise ValueError("it says neither its width and height in pixels nor a viewBox")
    return max(1, round(numbers[0])), max(1, round(numbers[1]))


def running(root: ElementTree.Element) -> Iterator[str]:
    """What in a drawing would run something or ask for it elsewhere."""
    for element in root.iter():
        tag = local(element.tag)
        if tag in RUNNING:
            yield f"an element {tag}"
        if tag == "style" and LOADING.search("".join(element.itertext())):
            yield "a style that loads something"
        for name, value in element.items():
            attribute = local(name)
            if attribute.startswith("on"):
                yield f"an attribute {attribute}"
            elif attribute in ("href", "src") and not (INSIDE.match(value) or (tag == "a" and WEB.match(value))):
                yield f"an address {value[:40]!r}"
            elif tag in MOVING and attribute == "attributename" and local(value).rpartition(":")[2] in ("href", "src"):
                yield f"an element {tag} of {value}"
            elif LOADING.search(value):
                yield f"an attribute {attribute} that loads something"


def local(name: str) -> str:
    """A name without its namespace, in small letters."""
    return name.rpartition("}")[2].lower()
