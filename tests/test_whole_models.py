"""Atlases of whole models: paged lists with pictures in sheets, search in parts, and folders that stay narrow."""

import io
import json
import re
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from generator import unit_lists, unit_places, unit_search
from generator.finding import find
from generator.followed import Followed
from generator.plan import make_plan
from generator.progress import Quiet
from generator.unit_lists import MOST, SIDE, numbers_shown, sheet, thumbnail
from generator.unit_places import WIDE, numbered
from generator.unit_search import Found, Part
from generator.unit_writer import sought
from tests.conftest import SITE_TOML, SmallSite
from tests.wide_models import Wide, wide

UNITS, FEW = 2 * MOST + 50, unit_lists.FEW


@pytest.fixture(scope="module")
def site() -> Wide:
    """A layer of three pages of a list, and a small one."""
    return wide({"first": UNITS, "last": FEW})


def lists(site: Wide) -> list[str]:
    return [f"models/wide/first/{inside}index.html" for inside in ("", "page/2/", "page/3/")]


def loaded(script: bytes, function: str) -> list[object]:
    """What a script gives to a function, as JSON."""
    match = re.fullmatch(rf"unitSearch\.{function}\((.*)\);\n", script.decode())
    assert match
    return list(json.loads(f"[{match[1]}]"))


def test_a_large_layer_is_listed_in_pages_that_have_each_unit_once(site: Wide) -> None:
    numbers = [re.findall(r'<li data-number="(\d+)"', site.text(path)) for path in lists(site)]

    assert [len(one) for one in numbers] == [MOST, MOST, 50]
    assert [int(number) for one in numbers for number in one] == list(range(UNITS))
    assert "450 units; this page has channel 200 to channel 399." in site.text(lists(site)[1])
    assert not [path for path in site.files if path.startswith("models/wide/last/page/")]


def test_pages_of_a_list_lead_to_those_beside_them_and_say_which_they_are(site: Wide) -> None:
    first, middle, last = map(site.text, lists(site))
    navs = re.findall(r'<nav class="unit-pages" aria-label="([^"]+)">', middle)

    assert len(set(navs)) == 2
    assert 'rel="prev" href="../../../../../models/wide/first/index.html"' in middle
    assert 'rel="next" href="../../../../../models/wide/first/page/3/index.html"' in middle
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in last
    assert 'href="../../../models/wide/first/page/2/index.html" aria-label="Page 2">2</a>' in first
    assert 'aria-label="Page 3" aria-current="page">3</a>' in last
    assert len({re.findall(r"<title>(.*?)</title>", page)[0] for page in (first, middle, last)}) == 3


def test_units_have_neighbours_across_the_borders_of_pages_and_lead_back_to_theirs(site: Wide) -> None:
    before, after = (site.text(f"models/wide/first/{unit}/index.html") for unit in (MOST - 1, MOST))

    assert f'rel="next" href="../../../../models/wide/first/{MOST}/index.html"' in before
    assert f'rel="prev" href="../../../../models/wide/first/{MOST - 1}/index.html"' in after
    assert '<a href="../../../../models/wide/first/index.html">first</a>' in before
    assert '<a href="../../../../models/wide/first/page/2/index.html">first</a>' in after
    assert 'rel="next"' not in site.text(f"models/wide/first/{UNITS - 1}/index.html")
    assert 'rel="prev"' not in site.text("models/wide/last/0/index.html")


def test_the_page_of_a_large_model_lists_its_layers_with_their_counts_and_no_unit(site: Wide) -> None:
    page = site.text("models/wide/index.html")

    assert "<li data-number" not in page
    assert '<a href="../../models/wide/first/index.html">first</a> <span class="label">450 units</span>' in page
    assert f'<a href="../../models/wide/last/index.html">last</a> <span class="label">{FEW} units</span>' in page
    assert '<span class="label">450 units</span>' in site.text("models/index.html")


def test_what_a_reader_without_javascript_meets_is_said(site: Wide) -> None:
    for path in (*lists(site), "models/wide/index.html"):
        page = site.text(path)

        assert re.search(r'<div class="unit-search"[^>]* hidden>', page)
        assert "<noscript><p" in page


def test_the_pictures_of_a_page_are_one_sheet_that_has_the_pixels_of_each_unit(site: Wide) -> None:
    for path in lists(site):
        rows = re.findall(
            r'data-number="(\d+)".*?\n<svg viewBox="(\d+) (\d+) (\d+) (\d+)" width="(\d+)" height="(\d+)"[^>]*>'
            r'<image href="[./]+(media/[^"]+)" width="(\d+)" height="(\d+)"',
            site.text(path),
        )
        (name,) = {row[7] for row in rows}
        decoded = np.asarray(Image.open(io.BytesIO(site.files[name])).convert("RGB")).astype(int)

        assert "<img" not in site.text(path)
        assert decoded.shape[:2] == (int(rows[0][9]), int(rows[0][8]))
        for number, x, y, width, height in ([int(value) for value in row[:5]] for row in rows):
            expected = site.pictures["first", number].astype(int)
            found = decoded[y : y + height, x : x + width]

            assert found.shape == expected.shape
            # Of 16 levels of each colour no two are nearer; it is no other unit's picture.
            assert np.abs(found - expected).mean() < 4, number


def test_few_pictures_are_files_of_their_own(site: Wide) -> None:
    page = site.text("models/wide/last/index.html")

    assert len(set(re.findall(r'<img src="([^"]+)"', page))) == FEW
    assert "<image" not in page


def test_a_sheet_keeps_pictures_of_several_sizes_apart_and_makes_large_ones_small() -> None:
    tall = np.zeros((3 * SIDE, SIDE, 3), np.uint8)
    clear = np.zeros((8, 8, 4), np.uint8)
    pictures = [thumbnail(one) for one in (tall, clear, np.full((SIDE, SIDE, 3), 7, np.uint8))]
    pixels, places = sheet(pictures)

    assert [one.shape for one in pictures] == [(SIDE, SIDE // 3, 3), (8, 8, 3), (SIDE, SIDE, 3)]
    assert (pictures[1] == 255).all()
    for picture, place in zip(pictures, places, strict=True):
        x, y, width, height = place.values()
        assert (pixels[y : y + height, x : x + width] == picture).all()


def test_every_page_of_a_list_is_reached_from_every_other_in_few_steps() -> None:
    last = 5000
    links = {here: set(numbers_shown(here, last)) for here in range(1, last + 1)}
    reached, steps = {1}, 0
    while len(reached) < last:
        reached |= {number for here in reached for number in links[here]}
        steps += 1

    assert steps <= 5
    assert max(map(len, links.values())) <= 50


def test_no_folder_is_wide_and_units_of_small_layers_lie_where_they_did() -> None:
    layer = [numbered(unit) for unit in range(1_000_000)]
    folders = Counter(one.rpartition("/")[0] for one in layer)

    assert len(set(layer)) == len(layer)
    assert max(folders.values()) <= WIDE
    assert len(folders) - 1 + folders[""] < 3000  # what GitHub takes in one folder
    assert layer[:WIDE] == [str(unit) for unit in range(WIDE)]


def test_files_of_many_units_are_divided_and_what_a_post_shows_keeps_its_place(small_site: SmallSite) -> None:
    row = '\ndataset = "digits"\nunits = ["conv1[0:2]"]\n'
    small_site.toml(SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"' + row))
    small_site.figure("id: card\nkind: unit-card\nmodel: tiny-vision\nlayer: conv1\nunit: 0\ndataset: digits\n")
    small_site.build()
    first, second = (small_site.read(f"models/tiny-vision/conv1/{unit}/index.html") for unit in (0, 1))
    named = re.findall(r'(?:src|href)="[./]+/((?:media|data)/[^"]+)"', small_site.read())

    assert named
    assert all(name.count("/") == 1 for name in named)
    assert set(named) <= set(re.findall(r'(?:src|href)="[./]+/((?:media|data)/[^"]+)"', first))
    own = set(re.findall(r'(?:src|href)="[./]+/((?:media|data)/[^"]+)"', second)) - set(named)
    assert own
    assert all(re.fullmatch(r"(media|data)/(\w\w)/\2\w+\.\w+", name) for name in own)
    assert all((small_site.out / name).is_file() for name in own)
    names = [PurePosixPath(name).name for name in small_site.files() if name.startswith(("media/", "data/"))]
    assert len(set(names)) == len(names)


def test_a_second_build_of_a_large_model_writes_nothing(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_lists, "MOST", 3)
    row = '\ndataset = "digits"\nunits = ["conv1"]\n'
    small_site.toml(SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"' + row))
    small_site.post("---\ntitle: A post\ndate: 2026-01-02\n---\n\nWords.\n")
    small_site.build()
    small_site.post("---\ntitle: A post\ndate: 2026-01-02\n---\n\nOther words.\n")
    edited = small_site.build()

    assert edited.computed == 0
    assert edited.written == 3  # the post, the feed and the search of posts
    assert small_site.build().written == 0
    assert (small_site.out / "models/tiny-vision/conv1/index.html").is_file()


def test_a_unit_is_named_with_and_without_the_folder_of_its_thousand(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_places, "WIDE", 4)
    row = '\ndataset = "digits"\nunits = ["conv1"]\n'
    small_site.toml(SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"' + row))
    plan = make_plan(small_site.content, small_site.store, Quiet())
    found = [
        find(f"models/tiny-vision/conv1/{unit}/index.html#tiny-vision-conv1-5", plan, Quiet())
        for unit in ("5", "4-7/5")
    ]

    assert {one.post.path for one in found} == {"models/tiny-vision/conv1/4-7/5/index.html"}
    assert found[0].spec.options.unit == 5  # type: ignore[attr-defined]


def units(count: int) -> list[Found]:
    return [
        Found(0, number, f"channel {number}", ("cat", "dog")[number % 2 :], "inside-quotes" if number % 10 == 0 else "", 0.9)
        for number in range(count)
    ]  # fmt: skip


def answering(word: str, parts: list[Part]) -> Part | None:
    """The part that a word is looked for in, as units.js chooses it."""
    below = [part for part in parts if part.beginning.startswith(word)]
    if below:
        return min(below, key=lambda part: len(part.beginning))
    above = [part for part in parts if word.startswith(part.beginning) and part.total == len(part.rows)]
    return max(above, key=lambda part: len(part.beginning), default=None)


def test_every_unit_is_in_the_one_part_that_its_words_lead_to() -> None:
    every = units(5000)
    parts = unit_search.parts(every, most=4000)

    for unit in every[::7]:
        word = str(unit.unit)
        part = answering(word, parts)
        assert part is not None
        assert json.dumps(unit.row(), separators=(",", ":")) in part.rows, word


def test_a_part_is_small_and_where_it_lacks_units_it_says_how_many_there_are() -> None:
    parts = unit_search.parts(units(5000), most=4000)
    sizes = [len(unit_search.script(number, part)) for number, part in enumerate(parts)]
    counted = {part.beginning: part.total for part in parts if part.total > len(part.rows)}

    assert max(sizes) <= 4000 + 40
    assert counted["channel"] == 5000
    assert counted["cat"] == 2500
    assert counted["1"] == sum(str(number).startswith("1") for number in range(5000))
    assert [json.loads(part.rows[0])[1] for part in parts if part.beginning == "1"] == [1]  # the exact number first


def test_a_part_of_the_size_that_is_used_is_at_most_64_kilobytes() -> None:
    parts = unit_search.parts(units(20_000))

    assert max(len(unit_search.script(number, part)) for number, part in enumerate(parts)) <= 64_000 + 40
    assert len(unit_search.directory(parts, [("first", "models/m/first")])) < 4000


def test_all_units_of_a_model_that_is_not_that_large_are_one_part() -> None:
    (part,) = unit_search.parts(units(300))

    assert (part.beginning, part.total, len(part.rows)) == ("", 300, 300)


def test_the_search_of_a_site_has_its_units_with_labels_as_they_are(site: Wide) -> None:
    ((told,), (number, total, rows)) = (
        loaded(site.files["assets/units/wide/index.js"], "open"),
        loaded(site.files["assets/units/wide/0.js"], "take"),
    )

    assert told == {"layers": [["first", "models/wide/first"], ["last", "models/wide/last"]], "parts": [""]}
    assert (number, total, len(rows)) == (0, UNITS + FEW, UNITS + FEW)  # type: ignore[arg-type]
    assert rows[3] == [0, 3, "channel 3", "<b>zebra</b>"]  # type: ignore[index]
    assert "assets/units/wide/index.js" not in wide({"first": MOST}).files


def test_a_unit_is_found_by_the_concept_that_it_follows_and_text_that_is_none_breaks_nothing() -> None:
    follows = Followed("inside-quotes", "", True, True, {"auc": 0.98123}, "posts/a.html#count")
    told = {"unit": {"unit": 7, "label": "cell 7"}, "labels": ["\ud800", "É"], "follows": follows}
    unit = sought(2, told)
    (part,) = unit_search.parts([unit])

    assert unit.words() == {"7", "cell", "e", "inside", "quotes"}
    assert json.loads(part.rows[0]) == [2, 7, "cell 7", "?, É", "inside-quotes", 0.981]


def test_of_units_with_a_number_and_those_with_it_as_a_label_the_first_stand_first() -> None:
    every = [Found(layer, unit, f"channel {unit}", ("7",)) for layer in range(2) for unit in range(2000)]
    part = answering("7", unit_search.parts(every, most=4000))

    assert part is not None
    assert part.total == 4000
    assert [json.loads(row)[:2] for row in part.rows[:3]] == [[0, 7], [1, 7], [0, 0]]


def test_of_units_that_follow_a_concept_too_many_for_a_part_the_best_are_in_it() -> None:
    every = [Found(0, unit, f"cell {unit}", (), "inside-quotes", unit / 5000) for unit in range(5000)]
    part = answering("quotes", unit_search.parts(every, most=4000))

    assert part is not None
    assert [json.loads(row)[1] for row in part.rows[:3]] == [4999, 4998, 4997]
