"""The picture of the layers is what the imports say; `python -m tests.architecture` draws it anew."""

import re
from xml.etree import ElementTree

import pytest

from generator import drawings
from tests.architecture import LETTER, PAD, PICTURE, TOGETHER, areas, boxes, drawn, graph, package, palette
from tests.test_layers import TREES

PAGE = PICTURE.with_suffix(".md").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"
MOST_WORDS = 1000


def test_the_picture_of_the_guide_is_what_the_imports_say() -> None:
    assert PICTURE.read_text("utf-8") == drawn(), "the code has other layers; python -m tests.architecture draws them"


def test_every_module_stands_in_one_area_of_the_picture() -> None:
    every = [name for area in areas().values() for name in area.names]
    alone = {name for name in TREES if name and package(name) not in TOGETHER}

    assert len(every) == len(set(every))
    assert set(every) == alone | {f"{one}.*" for one in TOGETHER}


def test_no_area_below_imports_the_order_of_a_build() -> None:
    order = set(areas()["order"].names)

    assert not [name for name, found in graph().items() if found & order and name not in order | {""}]


def test_the_picture_is_a_drawing_that_an_author_may_have_and_says_what_it_shows() -> None:
    root = ElementTree.fromstring(drawn())
    named = [root.find(f"{SVG}{tag}") for tag in ("title", "desc")]

    assert drawings.size(drawn().encode()) == (int(root.attrib["width"]), int(root.attrib["height"]))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [one.attrib["id"] for one in named if one is not None]
    assert named[1] is not None
    assert all(name in str(named[1].text) for area in areas().values() for name in area.names)


def test_no_name_of_the_picture_is_wider_than_its_box() -> None:
    wide = [
        text
        for box in boxes().values()
        for kind, text in box.lines
        if kind == "name" and len(text) * LETTER > box.width - 2 * PAD
    ]

    assert not wide


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_of_the_picture_have_the_contrast_that_small_text_needs(scheme: int) -> None:
    """4.5 to 1: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    colours = {name: luminance(pair[scheme]) for name, pair in palette().items()}

    for name in ("ink", "muted"):
        low, high = sorted((colours[name], colours["panel"]))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_page_tells_of_each_area_of_the_picture_and_of_modules_that_there_are() -> None:
    (alternative,) = re.findall(r"!\[(.+)\]\(architecture\.svg\)", PAGE)
    modules = set(re.findall(r"`([a-z_]+)`", PAGE)) - {"compute"}

    assert all(area.title.lower() in alternative for area in areas().values())
    assert modules <= set(TREES)
    assert len(modules) > 8
    assert len(PAGE.split()) < MOST_WORDS
