"""Where the pages of units lie, those of their lists, and the parts of their search; always the same for one unit.

No folder gets wider than some thousand entries, however many units a layer has: GitHub asks for at most 3,000 in a
folder of a repository (https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits)
and shows the first thousand. What has a number below a thousand lies where it would in a small layer.
"""

from __future__ import annotations

from generator.spec import unit_folder

WIDE = 1000  # numbers that one folder holds
SEARCH = "assets/units"


def numbered(number: int) -> str:
    """Below a thousand the number itself; beyond, in a folder for each thousand.

    >>> numbered(999), numbered(3217)
    ('999', '3000-3999/3217')
    """
    start = number // WIDE * WIDE
    return f"{start}-{start + WIDE - 1}/{number}" if start else str(number)


def page_of_unit(model: str, layer: str, unit: int) -> str:
    """
    >>> page_of_unit("mine", "blocks.3", 3217)
    'models/mine/blocks.3/3000-3999/3217/index.html'
    """
    return f"{unit_folder(model, layer)}/{numbered(unit)}/index.html"


def page_of_list(model: str, layer: str = "", number: int = 1) -> str:
    """The list of a layer's units, or its page of this number, from 1; without a layer, the page of the model.

    >>> page_of_list("mine", "blocks.3"), page_of_list("mine", "blocks.3", 17)
    ('models/mine/blocks.3/index.html', 'models/mine/blocks.3/page/17/index.html')
    """
    inside = f"/page/{numbered(number)}" if number > 1 else ""
    return f"{unit_folder(model, layer)}{inside}/index.html"


def search_folder(model: str) -> str:
    """
    >>> search_folder("my/net")
    'assets/units/my-net'
    """
    return f"{SEARCH}/{unit_folder(model).rpartition('/')[2]}"


def part_of_search(model: str, number: int) -> str:
    """
    >>> part_of_search("mine", 1234)
    'assets/units/mine/1000-1999/1234.js'
    """
    return f"{search_folder(model)}/{numbered(number)}.js"
