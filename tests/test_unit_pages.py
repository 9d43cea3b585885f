"""Pages of single units: which there are, where they lie, and that nothing is computed twice for them."""

import json
import re
from pathlib import Path

import pytest

from generator.pipeline import with_known_units
from generator.pipeline import with_units as with_plan
from generator.plan import make_plan
from generator.progress import Quiet
from generator.spec import BuildError, BuildErrors
from tests.conftest import SITE_TOML, SmallSite

ROW = '\ndataset = "digits"\nunits = [{}]\n'
CARD = """
id: card
kind: unit-card
model: tiny-vision
layer: conv1
unit: 3
dataset: digits
images: 20
steps: 2
diverse: 0
"""


def with_units(site: SmallSite, *units: str) -> None:
    row = ROW.format(", ".join(f'"{one}"' for one in units))
    site.toml(SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"' + row))


def pages(site: SmallSite) -> list[str]:
    found = (path.relative_to(site.out).parent.as_posix() for path in site.out.glob("models/*/*/*/index.html"))
    return sorted(found)


def test_a_card_in_a_post_has_a_page_and_is_computed_once(small_site: SmallSite) -> None:
    small_site.figure(CARD)
    done = small_site.build()

    assert done.computed == 1
    assert pages(small_site) == ["models/tiny-vision/conv1/3"]
    assert 'href="../models/tiny-vision/conv1/3/index.html"' in small_site.read()
    page = small_site.read("models/tiny-vision/conv1/3/index.html")
    assert '<figure id="tiny-vision-conv1-3"' in page
    keys = [re.findall(r'data-key="(\w+)"', text) for text in (page, small_site.read())]
    assert keys[0] == keys[1]


def test_units_that_a_grid_names_have_pages_and_those_of_a_whole_layer_have_not(small_site: SmallSite) -> None:
    grid = "id: grid\nkind: unit-grid\nmodel: tiny-vision\nlayer: conv1\nsteps: 2\ndataset: digits\nimages: 20\n"
    small_site.figure(grid + 'units: [5, "0:2"]\n')
    small_site.build()

    assert pages(small_site) == [f"models/tiny-vision/conv1/{unit}" for unit in (0, 1, 5)]
    assert small_site.read().count('href="../models/tiny-vision/conv1/') == 3
    small_site.figure(grid)
    small_site.build()
    assert pages(small_site) == []
    assert "../models/" not in small_site.read()


def test_the_row_of_a_model_asks_for_units_of_layers(small_site: SmallSite) -> None:
    with_units(small_site, "conv*[0:2]", "head[4]")
    small_site.build()

    assert pages(small_site) == [
        f"models/tiny-vision/{one}" for one in ("conv1/0", "conv1/1", "conv2/0", "conv2/1", "head/4")
    ]
    assert "<h1>E</h1>" in small_site.read("models/tiny-vision/head/4/index.html")


def test_pages_are_linked_listed_and_told_to_other_tools(small_site: SmallSite) -> None:
    with_units(small_site, "conv1[0:3]")
    small_site.build()
    middle = small_site.read("models/tiny-vision/conv1/1/index.html")

    for name in ("0", "2"):
        assert re.search(rf'rel="(prev|next)" href="../../../../models/tiny-vision/conv1/{name}/index.html"', middle)
    assert 'rel="prev"' not in small_site.read("models/tiny-vision/conv1/0/index.html")
    listing = small_site.read("models/tiny-vision/conv1/index.html")
    assert len(re.findall(r'<li data-number="\d"', listing)) == 3
    assert 'loading="lazy"' in listing
    assert 'href="models/index.html"' in small_site.read("index.html")
    report = json.loads((small_site.out / "report.json").read_text())
    paths = [page["path"] for page in report["pages"]]
    assert paths[-3:] == [f"models/tiny-vision/conv1/{unit}/index.html" for unit in range(3)]
    named = {figure["id"] for figure in report["figures"]}
    assert {"tiny-vision-conv1-0", "tiny-vision-conv1-1", "tiny-vision-conv1-2"} <= named


def test_the_page_of_a_model_lists_the_units_of_its_layers_and_leads_to_the_list_of_its_only_one(
    small_site: SmallSite,
) -> None:
    with_units(small_site, "conv1[0:3]")
    small_site.build()
    only = small_site.read("models/tiny-vision/index.html")
    with_units(small_site, "conv1[0:3]", "conv2[0]")
    small_site.build()
    both = small_site.read("models/tiny-vision/index.html")

    assert '<a href="../../models/tiny-vision/conv1/index.html">conv1</a> <span class="label">3 units</span>' in only
    assert (only.count("<li data-number="), both.count("<li data-number=")) == (0, 4)


def test_a_second_build_computes_and_writes_nothing_and_another_caption_no_page(small_site: SmallSite) -> None:
    with_units(small_site, "conv1[0:2]")
    small_site.figure(CARD + "caption: One.\n")
    first, second = small_site.build(), small_site.build()
    small_site.figure(CARD + "caption: Two.\n")
    third = small_site.build()

    assert (first.computed, second.computed, second.written) == (3, 0, 0)
    assert third.computed == 0


def test_asking_for_more_units_computes_only_these_and_a_page_not_asked_for_goes(small_site: SmallSite) -> None:
    with_units(small_site, "conv1[0:2]")
    small_site.build()
    with_units(small_site, "conv1[1:3]")
    done = small_site.build()

    assert done.computed == 1
    assert pages(small_site) == ["models/tiny-vision/conv1/1", "models/tiny-vision/conv1/2"]


def test_pages_do_not_change_the_keys_of_other_figures(small_site: SmallSite) -> None:
    small_site.figure(CARD)
    small_site.build()
    with_units(small_site, "conv1[0]")

    assert small_site.build().computed == 1


def test_without_the_data_set_pages_show_synthetic_images_and_say_so(small_site: SmallSite) -> None:
    with_units(small_site, "conv1[0]")
    toml = (small_site.content / "site.toml").read_text()
    small_site.toml(toml.replace('dataset = "digits"\nunits', 'dataset = "absent"\nunits') + '\n[datasets.absent]\nsource = "image-folder"\npath = "none"\n')  # fmt: skip
    small_site.build()
    page = small_site.read("models/tiny-vision/conv1/0/index.html")

    assert "data set absent is not at hand" in page
    assert "Natural, from most to least" not in page


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("covn1", r"models.tiny-vision.units: no layer 'covn1' has units; did you mean 'conv1'\?"),
        ("conv1[6:20]", "layer conv1 of model tiny-vision has units 0:8; 6:20 is no part of them"),
        ("conv1[a]", r"models.tiny-vision.units: .*'conv1\[a\]' is no layer"),
    ],
)
def test_what_site_toml_asks_for_wrongly_is_told(small_site: SmallSite, units: str, message: str) -> None:
    with_units(small_site, units)

    with pytest.raises(BuildError, match=message):
        small_site.build()


def test_units_without_a_data_set_are_refused(small_site: SmallSite) -> None:
    small_site.toml(
        SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"\nunits = ["conv1"]')
    )

    with pytest.raises(BuildError, match=r"models.tiny-vision.units: .*name a `dataset`"):
        small_site.build()


def test_no_post_can_lie_among_the_pages_of_units(small_site: SmallSite) -> None:
    page = small_site.content / "pages" / "models" / "mine.md"
    page.parent.mkdir(parents=True)
    page.write_text("---\ntitle: Mine\n---\n\nText.\n")

    with pytest.raises(BuildErrors, match=r"mine.md:1: its page models/mine.html would lie among those of units"):
        small_site.build()


def test_a_hostile_class_is_text_on_its_page(small_site: SmallSite) -> None:
    with_units(small_site, "head[0]")
    toml = (small_site.content / "site.toml").read_text()
    small_site.toml(toml.replace('classes = ["a"', "classes = ['<script>alert(1)</script>'"))
    small_site.build()

    for path in sorted(Path(small_site.out).rglob("*.html")):
        assert "<script>alert" not in path.read_text()


def test_a_model_that_the_build_trains_is_trained_before_its_units_are_asked_for(small_site: SmallSite) -> None:
    small_site.figure(CARD.replace("tiny-vision", "tiny-linear").replace("conv1", "linear"))
    small_site.build()

    assert pages(small_site) == ["models/tiny-linear/linear/3"]


def test_a_network_that_fails_is_told_with_its_figure(small_site: SmallSite) -> None:
    small_site.toml(
        SITE_TOML.replace("tests.nets:vision", "tests.nets:fixed_size").replace("height = 32", "height = 40")
    )
    small_site.figure(CARD.replace("conv1", '"0"'))
    small_site.build()  # the layer itself can be looked at, if not the whole network: it has a figure, and no page

    assert pages(small_site) == []
    with_units(small_site, "0[1]")
    toml = (small_site.content / "site.toml").read_text()
    small_site.toml(toml.replace("tests.nets:vision", "tests.nets:fixed_size").replace("height = 32", "height = 40"))
    with pytest.raises(BuildError, match="model tiny-vision cannot be run on images of 40 × 32 pixels"):
        small_site.build()


def test_a_control_with_random_weights_has_records_of_its_own(small_site: SmallSite) -> None:
    small_site.figure(CARD + "control: random-weights\n")
    done = small_site.build()
    report = json.loads((small_site.out / "report.json").read_text())
    measures = next(figure["measures"] for figure in report["figures"] if figure["id"] == "card")

    assert done.computed == 2
    assert measures["natural.best"] != measures["control.natural.best"]
    assert pages(small_site) == ["models/tiny-vision/conv1/3"]


CONTEXTS = "id: cell\nkind: top-contexts\nmodel: tiny-text\nunit: {group: cell, index: 5}\ndataset: tiny-corpus\n"


def with_cells(site: SmallSite, *units: str, dataset: str = "tiny-corpus") -> None:
    listed = ", ".join(f"'{one}'" for one in units)
    row = f'\ndataset = "{dataset}"\nunits = [{listed}]\n'
    site.toml(SITE_TOML.replace('corpus = "tiny-corpus"', 'corpus = "tiny-corpus"' + row, 1))


def test_units_of_a_network_that_reads_have_pages_with_their_contexts(small_site: SmallSite) -> None:
    with_cells(small_site, "cell[0:3]")
    small_site.figure(CONTEXTS)
    done = small_site.build()

    assert done.computed == 4
    assert pages(small_site) == [f"models/tiny-text/cell/{unit}" for unit in (0, 1, 2, 5)]
    assert 'href="../models/tiny-text/cell/5/index.html"' in small_site.read()
    middle = small_site.read("models/tiny-text/cell/1/index.html")
    assert "<h1>Cell 1</h1>" in middle
    assert re.search('rel="prev" href="[^"]*/cell/0/index.html">← cell 0', middle)
    assert re.search('rel="next" href="[^"]*/cell/2/index.html">cell 2 →', middle)
    listing = small_site.read("models/tiny-text/cell/index.html")
    assert listing.count('class="outline"') == 4
    assert '<li data-number="2">' in listing


CENSUS = "id: count\nkind: unit-census\nmodel: tiny-text\ndataset: tiny-corpus\ndocuments: 3\nlength: 200\n"


def test_the_page_of_a_unit_says_which_concept_it_follows_in_the_words_of_a_census(small_site: SmallSite) -> None:
    with_cells(small_site, "cell[0:2]")
    small_site.build()
    without = small_site.read("models/tiny-text/cell/1/index.html")
    small_site.figure(CENSUS)
    done = small_site.build()
    page, listing = (small_site.read(f"models/tiny-text/cell/{one}index.html") for one in ("1/", ""))
    (artifact,) = [
        found
        for path in small_site.folder.glob("store/*/*.npz")
        if "units" in (found := small_site.store.get(path.stem)).data  # type: ignore[union-attr]
    ]
    (own,) = [one for one in artifact.data["units"] if (one["group"], one["number"]) == ("cell", 1)]  # type: ignore[union-attr]

    assert done.computed == 1  # the census alone
    assert "census" not in without
    said = re.search(
        r'<a href="../../../../posts/a.html#count">the census</a> it follows <strong>([\w-]+)</strong> \(.*?\) best.*'
        r"AUC <strong>([\d.]+)</strong>, interval ([\d.]+) to ([\d.]+),.*<strong>(Readable|Not readable)</strong>",
        page,
    )
    assert said
    assert said.groups() == (
        own["concept"],
        *(f"{score:.3f}" for score in own["scores"].values()),
        "Readable" if own["readable"] else "Not readable",
    )
    assert f'data-concept="{own["concept"]}" data-auc="{own["scores"]["auc"]}"' in listing


def test_a_page_of_contexts_is_small(small_site: SmallSite) -> None:
    with_cells(small_site, "cell", "hidden[0]")
    small_site.build()

    assert len(pages(small_site)) == 9
    assert all(path.stat().st_size <= 60_000 for path in small_site.out.glob("models/**/index.html"))


def test_pages_of_contexts_need_their_data_set(small_site: SmallSite) -> None:
    with_cells(small_site, "cell[0]", dataset="absent")
    toml = (small_site.content / "site.toml").read_text()
    small_site.toml(toml + '\n[datasets.absent]\nsource = "text"\npath = "none/*.txt"\n')

    with pytest.raises(BuildError, match="models.tiny-text.units: data set absent is not at hand .*show nothing else"):
        small_site.build()


def test_a_group_that_is_not_there_is_told_with_the_nearest(small_site: SmallSite) -> None:
    with_cells(small_site, "cel[0]")

    with pytest.raises(BuildError, match=r"models.tiny-text.units: no layer 'cel' has units; did you mean 'cell'\?"):
        small_site.build()


def test_a_star_asks_for_every_unit_of_the_network(small_site: SmallSite) -> None:
    row = '\ndataset = "digits"\nunits = "*"\n'
    small_site.toml(SITE_TOML.replace('factory = "tests.nets:vision"', 'factory = "tests.nets:vision"' + row))
    units = with_plan(make_plan(small_site.content, small_site.store, Quiet()), Quiet()).units

    assert len(units) == 2 * 8 + 2 * 12 + 12 + 48 + 5  # of convolutions, of ReLUs, of the pool, flattened, and classes


def test_a_plan_knows_the_pages_of_units_where_no_model_need_be_trained_for_them(small_site: SmallSite) -> None:
    """A network's units are known once it is there: commands that compute nothing train none to count them."""

    def known() -> int:
        plan = make_plan(small_site.content, small_site.store, Quiet(), loading=False)
        assert len(with_known_units(plan).jobs) == len(plan.jobs) + len(with_known_units(plan).units)
        return len(with_known_units(plan).units)

    with_units(small_site, "conv1[0:2]")
    assert known() == 2

    with_cells(small_site, "cell[0:3]")
    assert known() == 0
    small_site.build()
    assert known() == 3
