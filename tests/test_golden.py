"""Pages are as they were accepted; `python -m tests.golden` accepts them as they are now."""

import io
import shutil
import zipfile
from pathlib import Path

import html5lib
import numpy as np
import pytest
from PIL import Image

from tests.golden import GOLDEN, rendered

ACTUAL = Path(__file__).parent / "actual"


def same(name: str, one: bytes, two: bytes) -> bool:
    """Pictures by their pixels and data by what they hold, which an encoder's next version keeps; the rest by the byte."""
    if name.endswith(".npz"):
        with zipfile.ZipFile(io.BytesIO(one)) as first, zipfile.ZipFile(io.BytesIO(two)) as second:
            return [(name, first.read(name)) for name in first.namelist()] == [
                (name, second.read(name)) for name in second.namelist()
            ]
    if not name.endswith(".webp"):
        return one == two
    return bool(np.array_equal(*(np.asarray(Image.open(io.BytesIO(content))) for content in (one, two))))


def test_the_site_is_as_it_was_accepted() -> None:
    found = rendered()
    golden = {
        path.relative_to(GOLDEN / "site").as_posix(): path.read_bytes()
        for path in (GOLDEN / "site").rglob("*")
        if path.is_file()
    }
    differ = [
        name
        for name in sorted(set(found) | set(golden))
        if name not in found or name not in golden or not same(name, found[name], golden[name])
    ]
    shutil.rmtree(ACTUAL, ignore_errors=True)
    for name, content in found.items() if differ else ():
        path = ACTUAL / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    assert not differ, f"these differ from the accepted pages; open {ACTUAL}/index.html: {differ}"


@pytest.mark.parametrize("name", sorted(path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.html")))
def test_a_page_is_html_without_a_mistake(name: str) -> None:
    """As the standard's parser reads it. A carriage return that a text holds can be written in no other way."""
    parser = html5lib.HTMLParser()
    parser.parse((GOLDEN / name).read_text("utf-8"))

    assert [error for error in parser.errors if error[2] != {"charAsInt": 13}] == []
