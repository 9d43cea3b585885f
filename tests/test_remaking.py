"""`whatfires figure`: how a figure is called, what is computed for it, what is written, and what is told."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import chromium, remaking
from generator.at_hand import AtHand
from generator.deferred import Deferred
from tests.conftest import POST, SITE_TOML, SmallSite
from tests.forked import command, started
from tests.test_cli import run

TEMPLATES = "id: t\nkind: templates\nmodel: tiny-linear\nclasses: ['0', '8']\n"
CONTROLLED = TEMPLATES + "control: random-weights\n"
MORE = "\n```figure\nid: more\nkind: sample\nmodel: tiny-text\nlength: 20\n{}```\n"
UNITS = SITE_TOML.replace(
    'factory = "tests.nets:vision"', 'factory = "tests.nets:vision"\ndataset = "digits"\nunits = ["conv1[0:2]"]'
).replace('corpus = "tiny-corpus"', 'corpus = "tiny-corpus"\ndataset = "tiny-corpus"\nunits = ["cell[0:1]"]')


def figure(*arguments: str) -> tuple[int, str]:
    return run("figure", *arguments, "--store", "store")


def computed(site: SmallSite) -> list[str]:
    """The kinds of the figures whose artifacts are kept."""
    kept = [site.store.get(path.stem) for path in site.store.folder.glob("*/*.npz")]
    return sorted(one.provenance["ingredients"]["kind"] for one in kept if one and "device" in one.provenance)


def key_of(output: str) -> str:
    (key,) = re.findall(r"key (\w{64})", output)
    return str(key)


@pytest.mark.parametrize(
    "name",
    [
        "posts/a.html#written", "posts/a.md#written", "content/posts/a.md#written", "./content/posts/a.md#written",
        "{here}/content/posts/a.md#written", "posts/a#written", "a#written", "a.md#written", "written",
    ],
)  # fmt: skip
def test_a_figure_is_found_by_its_page_its_file_its_post_or_its_id(quick_site: SmallSite, name: str) -> None:
    quick_site.build()
    code, output = figure(name.format(here=quick_site.folder))

    assert code == 0
    assert "posts/a.html#written: sample" in output
    assert f'data-key="{key_of(output)}"' in quick_site.read()


@pytest.mark.parametrize("name", ["pages/about.md#written", "about.html#written", "about#written"])
def test_a_page_that_is_no_post_is_found_as_well(quick_site: SmallSite, name: str) -> None:
    (quick_site.content / "pages").mkdir()
    (quick_site.content / "pages" / "about.md").write_text(POST.replace("date: 2026-01-02\n", ""))

    assert "about.html#written: sample" in figure(name)[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a#writen", "posts/a.html has no figure 'writen'; did you mean 'written'?"),
        ("writen", "there is no figure 'writen'; did you mean 'written'?"),
        ("posts/b.md#written", "no post 'posts/b.md'; did you mean 'posts/a.html'?"),
        ("cells#written", "no post 'cells'; known: a, second"),
        ("a", "a is a page; write a#ID with the id of a figure on it: written"),
        ("same", "figure same is in posts/a.html and posts/second.html; write POST#same"),
        ("models/tiny-text/cell/9#x", "no unit has a page 'models/tiny-text/cell/9'; there is none"),
    ],
)
def test_a_name_that_is_no_figure_s_is_told_with_the_nearest_that_is(
    quick_site: SmallSite, name: str, message: str
) -> None:
    quick_site.post(POST + (MORE.format("").replace("more", "same") if name == "same" else ""))
    quick_site.post(POST.replace("written", "same"), "second")
    code, output = figure(name)

    assert code == 1
    assert output == f"error: {message}\n"


def test_a_post_s_name_that_two_have_is_told(quick_site: SmallSite) -> None:
    (quick_site.content / "posts" / "old").mkdir()
    quick_site.post(POST, "old/a")

    assert "'a' may be" not in figure("posts/a.html#written")[1]
    assert "no post 'x'" in figure("x#written")[1]
    (quick_site.content / "posts" / "a.md").rename(quick_site.content / "posts" / "old" / "b.md")
    (quick_site.content / "posts" / "new").mkdir()
    quick_site.post(POST, "new/a")
    assert "'a' may be posts/new/a.html or posts/old/a.html; write which" in figure("a#written")[1]


@pytest.mark.parametrize(
    "name",
    ["models/tiny-vision/conv1/1/index.html#tiny-vision-conv1-1", "models/tiny-vision/conv1/1/#tiny-vision-conv1-1",
     "models/tiny-vision/conv1/1#tiny-vision-conv1-1", "tiny-vision-conv1-1"],
)  # fmt: skip
def test_the_figure_of_a_unit_s_page_is_found_and_no_other_model_is_trained_for_it(
    small_site: SmallSite, name: str
) -> None:
    small_site.toml(UNITS)
    code, output = figure(name)

    assert code == 0
    assert "models/tiny-vision/conv1/1/index.html#tiny-vision-conv1-1: unit-card" in output
    assert computed(small_site) == ["unit-card"]
    assert "tiny-text" not in output
    small_site.build()
    assert f'data-key="{key_of(output)}"' in small_site.read("models/tiny-vision/conv1/1/index.html")


def test_a_unit_without_a_page_is_told_with_the_nearest_that_has_one(small_site: SmallSite) -> None:
    small_site.toml(UNITS)

    assert "did you mean 'models/tiny-vision/conv1/1'?" in figure("models/tiny-vision/conv1/11#x")[1]


def test_only_the_figure_is_computed_and_what_was_computed_is_kept(small_site: SmallSite) -> None:
    small_site.post(POST + MORE.format(""))
    code, output = figure("a#more")
    again = figure("a#more")[1]

    assert code == 0
    assert "[1/1] more: computed in" in output
    assert "computed in" not in again
    assert len(computed(small_site)) == 1
    assert small_site.build().computed == 1


def test_again_neither_reads_nor_changes_what_is_kept(small_site: SmallSite) -> None:
    small_site.build()
    key = key_of(figure("written")[1])
    true = small_site.store.get(key)
    assert true is not None
    small_site.store.put(key, replace(true, measures={"characters": 7.0}))
    bytes_before = small_site.store.path(key).read_bytes()
    figure("written", "--out", "kept.csv")
    code, _ = figure("written", "--again", "--out", "again.csv")

    assert code == 0
    assert Path("kept.csv").read_text().splitlines()[1:] == ["characters,7.0,,"]
    assert "characters,30,," in Path("again.csv").read_text().splitlines()
    assert small_site.store.path(key).read_bytes() == bytes_before


def test_again_makes_figures_that_memory_would_not_hold_beside_others(
    quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AtHand.__init__, "__defaults__", (-1,))  # bytes that a build keeps in memory
    code, output = figure("written", "--again")

    assert code == 0, output
    assert "characters = 30" in output


def test_a_draft_s_figure_is_found_where_drafts_are_asked_for(quick_site: SmallSite) -> None:
    quick_site.post(POST.replace("tags:", "draft: true\ntags:").replace("written", "drafted"), "draft")

    assert "no figure 'drafted'" in figure("drafted")[1]
    assert figure("drafted", "--drafts")[0] == 0


def test_several_pictures_are_written_beside_each_other_and_told(quick_site: SmallSite) -> None:
    quick_site.figure(TEMPLATES)
    code, output = figure("t", "--out", "new/folder/rows.png")
    webp = figure("t", "--out", "rows.webp")[1]
    quick_site.build()

    assert code == 0
    assert output.splitlines()[-2:] == ["wrote new/folder/rows-row-000.png", "wrote new/folder/rows-row-001.png"]
    assert webp.splitlines() == ["wrote rows-row-000.webp", "wrote rows-row-001.webp"]
    (figure_,) = json.loads(quick_site.read("report.json"))["figures"]
    media = [quick_site.out / path for path in figure_["files"] if path.endswith(".webp")]
    assert [path.read_bytes() for path in media] == [Path(f"rows-row-00{n}.webp").read_bytes() for n in (0, 1)]
    for n, path in enumerate(media):
        with Image.open(path) as site, Image.open(f"new/folder/rows-row-00{n}.png") as remade:
            assert remade.mode == site.mode
            np.testing.assert_array_equal(np.asarray(remade), np.asarray(site))


def test_one_picture_is_written_under_the_very_name(quick_site: SmallSite) -> None:
    quick_site.figure("id: c\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\nsize: 32\n")

    assert figure("c", "--out", "class a.png")[1].splitlines()[-1] == "wrote class a.png"


def test_a_file_tells_its_measures_and_how_they_were_made(quick_site: SmallSite) -> None:
    for suffix in ("json", "csv", "npz"):
        assert figure("written", "--out", f"x.{suffix}")[0] == 0
    told = json.loads(Path("x.json").read_text())

    assert {name: told[name] for name in ("page", "id", "kind")} == {
        "page": "posts/a.html",
        "id": "written",
        "kind": "sample",
    }
    assert told["measures"]["characters"] == 30
    assert told["provenance"]["ingredients"]["kind"] == "sample"
    assert len(told["key"]) == 64
    with np.load("x.npz") as arrays:
        assert json.loads(arrays["data.json"]) == told["data"]
    with Path("x.csv").open() as table:
        assert {row["name"]: float(row["value"]) for row in csv.DictReader(table)} == told["measures"]


def test_a_control_is_written_in_place_of_its_figure_and_alone_computed(small_site: SmallSite) -> None:
    small_site.figure(CONTROLLED)
    figure("t", "--control", "--out", "control.json")
    alone = len(computed(small_site))
    figure("t", "--out", "figure.json")
    control, itself = (json.loads(Path(name).read_text()) for name in ("control.json", "figure.json"))

    assert alone == 1
    assert control["provenance"]["ingredients"]["weights"]["random"]
    assert control["measures"] != itself["measures"]
    assert control["key"] != itself["key"]


def test_without_out_the_measures_are_printed_and_what_can_be_written(quick_site: SmallSite) -> None:
    quick_site.figure(TEMPLATES)
    output = figure("t")[1]

    for suffix in remaking.SUFFIXES:
        assert re.search(rf"--out t(-row-000)?\{suffix} ", output)
    assert re.search(r"^cosine\.0\.8 = -?0\.\d+$", output, re.MULTILINE)
    assert "128 × 128 pixels" in output


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("x.pgn", "--out x.pgn: a figure is not written as .pgn; did you mean '.png'?"),
        ("x", "--out x: a figure is not written as a file without a suffix; known: .csv, .html, .json, .npz, .png, .webp"),
        ("content.png", "--out content.png: it is a folder; name a file in it"),
        ("a.md/x.png", "--out a.md/x.png: a.md is no folder that can be written to"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_told_before_anything_is_computed(
    small_site: SmallSite, out: str, message: str
) -> None:
    Path("content.png").mkdir()
    Path("a.md").write_text("")
    code, output = figure("written", "--out", out)

    assert code == 1
    assert output == f"error: {message}\n"
    assert computed(small_site) == []


def test_a_disk_that_is_full_is_told(quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(remaking, "write_whole", full)

    code, output = figure("written", "--out", "x.csv")

    assert code == 1
    assert output.endswith("\nerror: cannot write x.csv: No space left on device\n")


def test_a_picture_of_a_figure_that_has_none_is_refused_with_what_there_is(quick_site: SmallSite) -> None:
    code, output = figure("written", "--out", "x.webp")

    assert code == 1
    assert "figure written has no picture, a browser draws it; write .png or .html" in output


@pytest.mark.parametrize(
    ("body", "out", "message"),
    [
        (TEMPLATES, "x.csv", "content/posts/a.md:6: figure t has no control; its block may ask for one: `control: random-weights`"),
        (CONTROLLED, "x.html", "--control: a page, .html, has all parts of its figure; leave it out"),
    ],
)  # fmt: skip
def test_a_control_that_there_is_not_or_that_is_there_anyway_is_told(
    quick_site: SmallSite, body: str, out: str, message: str
) -> None:
    quick_site.figure(body)

    assert figure("t", "--control", "--out", out) == (1, f"error: {message}\n")


def test_without_playwright_a_drawn_figure_names_the_extra_and_the_way_without(
    quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "playwright", Deferred("no_playwright.sync_api"))
    code, output = figure("written", "--out", "x.png")

    assert code == 1
    assert "pip install 'whatfires[browser]'" in output
    assert "its page can be written without, as .html" in output
    assert figure("written", "--out", "x.html")[0] == 0


def test_a_browser_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/opt/browser")

    assert chromium.own() == "/opt/browser"


def test_without_a_browser_a_drawn_figure_names_the_way_to_one_and_the_way_without(quick_site: SmallSite) -> None:
    nowhere = {"PATH": "/nowhere", "PLAYWRIGHT_BROWSERS_PATH": "/nowhere"}
    call = ("figure", "written", "--out", "x.png")
    drawing = started(command, *call, folder=quick_site.folder, environment=nowhere, daemon=False)
    drawing.join()
    said = (quick_site.folder / "log").read_text()

    assert drawing.exitcode == 1
    assert "`playwright install chromium`" in said
    assert "its page can be written without, as .html" in said
    assert "Traceback" not in said


def test_a_page_alone_holds_its_pictures_and_names_no_file(quick_site: SmallSite) -> None:
    quick_site.figure(CONTROLLED + "caption: See [another](b.html), [here](#t) and [there](https://example.org/x).\n")
    figure("t", "--out", "t.html")
    page = Path("t.html").read_text()

    assert page.count('src="data:image/webp;base64,') == 4
    assert re.findall(r'\b(?:src|href)="(?!data:)([^"]*)"', page) == [
        "https://example.org/report/posts/a.html#t",
        "#t",
        "https://example.org/report/posts/b.html",
        "#t",
        "https://example.org/x",
    ]
    assert "<link" not in page


def test_links_of_a_page_alone_lead_nowhere_where_the_site_has_no_address(quick_site: SmallSite) -> None:
    quick_site.toml(SITE_TOML.replace('base_url = "https://example.org/report"\n', ""))
    quick_site.figure(TEMPLATES + "caption: See [another](b.html).\n")
    figure("t", "--out", "t.html")

    assert "<a>another</a>" in Path("t.html").read_text()


def test_figures_and_models_that_a_caption_quotes_are_computed_for_its_page_only(small_site: SmallSite) -> None:
    caption = "caption: It has `{value} written.characters`, and `{value:.0%} tiny-linear.accuracy`.\n"
    small_site.post(POST + MORE.format(caption))
    figure("more", "--out", "more.csv")
    for_numbers = len(computed(small_site))
    code, _ = figure("more", "--out", "more.html")
    page = re.sub(r"<[^>]+>", "", Path("more.html").read_text())

    assert (for_numbers, len(computed(small_site)), code) == (1, 2, 0)
    assert re.search(r"It has 30, and \d+%\.", page)


def test_layers_and_classes_are_looked_up_for_the_figure_alone(small_site: SmallSite) -> None:
    """To look up those of the others would load all models of the site."""
    other = "\n```figure\nid: other\nkind: templates\nmodel: tiny-vision\nlayer: conv9\n```\n"
    small_site.post(POST + other)

    assert figure("written")[0] == 0
    assert "a.md:22: figure other: unknown layer 'conv9' of model tiny-vision; did you mean 'conv" in figure("other")[1]
