"""Each ingredient changes the key of a figure; what is not one does not."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generator import key as key_module
from generator.key import code_digest, read_code
from generator.plan import make_plan
from generator.progress import Quiet
from tests.conftest import POST, SITE_TOML, SmallSite, forget_code
from tests.nets import vision


def key_of(site: SmallSite) -> str:
    (job,) = make_plan(site.content, site.store, Quiet()).jobs.values()
    return job.key


FIGURE = """
id: coloured
kind: activation-text
model: tiny-text
units: [{group: cell, index: 0}]
text: {dataset: tiny-corpus, length: 40}
caption: A caption.
"""


@pytest.fixture
def site(small_site: SmallSite) -> SmallSite:
    small_site.figure(FIGURE)
    return small_site


def test_the_same_figure_has_the_same_key(site: SmallSite) -> None:
    assert key_of(site) == key_of(site)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index: 0", "index: 1"),
        ("length: 40", "length: 41"),
        ("caption:", "seed: 1\ncaption:"),
    ],
)
def test_an_option_changes_the_key(site: SmallSite, old: str, new: str) -> None:
    before = key_of(site)

    site.figure(FIGURE.replace(old, new))

    assert key_of(site) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A caption.", "Another."),
        ("id: coloured", "id: painted"),
        ("caption:", "place: wide\ncaption:"),
        ("length: 40", "start: 0, length: 40"),
    ],
)
def test_caption_id_layout_and_a_written_default_do_not_change_the_key(site: SmallSite, old: str, new: str) -> None:
    before = key_of(site)

    site.figure(FIGURE.replace(old, new))

    assert key_of(site) == before


def test_the_recipe_of_a_model_that_is_trained_changes_the_key(site: SmallSite) -> None:
    before = key_of(site)

    site.toml(SITE_TOML.replace("steps = 3", "steps = 4"))

    assert key_of(site) != before


def test_the_bytes_of_the_data_change_the_key(site: SmallSite) -> None:
    before = key_of(site)

    (site.content / "texts" / "text9.py").write_text("x = 1\n")

    assert key_of(site) != before


def test_the_name_of_a_data_set_or_model_does_not_change_the_key(site: SmallSite) -> None:
    before = key_of(site)

    site.toml(SITE_TOML.replace("tiny-corpus", "other-corpus").replace("tiny-text", "other-text"))
    site.figure(FIGURE.replace("tiny-corpus", "other-corpus").replace("tiny-text", "other-text"))

    assert key_of(site) == before


def test_where_a_data_set_was_found_does_not_change_the_key(site: SmallSite) -> None:
    def key_with(more: str) -> str:
        row = f'\n[datasets.photos]\nsource = "cifar10"\npath = "photos"\n{more}\n'
        site.toml(SITE_TOML + row)
        (site.content / "photos").mkdir(exist_ok=True)
        site.figure("id: d\nkind: dissection\nmodel: tiny-vision\nlayer: relu1\ndataset: photos\n")
        return key_of(site)

    assert key_with("") == key_with('folder = "/somewhere"') == key_with('folder = "/else"\ndownload = true')


def test_the_bytes_of_a_checkpoint_change_the_key(site: SmallSite) -> None:
    site.toml(
        SITE_TOML.replace('corpus = "tiny-corpus"\n', 'corpus = "tiny-corpus"\ncheckpoints = "*.safetensors"\n', 1)
    )
    trained = key_of(site)
    (site.content / "step-1.safetensors").write_bytes(b"one")
    one = key_of(site)
    (site.content / "step-1.safetensors").write_bytes(b"two")

    assert len({trained, one, key_of(site)}) == 3


def test_the_newest_checkpoint_counts_and_its_name_does_not(site: SmallSite) -> None:
    site.toml(
        SITE_TOML.replace('corpus = "tiny-corpus"\n', 'corpus = "tiny-corpus"\ncheckpoints = "*.safetensors"\n', 1)
    )
    (site.content / "step-9.safetensors").write_bytes(b"nine")
    before = key_of(site)
    (site.content / "step-9.safetensors").rename(site.content / "step-10.safetensors")
    (site.content / "step-8.safetensors").write_bytes(b"eight")

    assert key_of(site) == before


def test_the_checkpoint_before_the_newest_counts_where_a_kind_compares_them(small_site: SmallSite) -> None:
    """Class images are held against it; what stood before that, and what other kinds show, is as it was."""
    row = 'factory = "tests.nets:vision"\n'
    small_site.toml(SITE_TOML.replace(row, f'{row}checkpoints = "*.safetensors"\n', 1))

    def keys(**seeds: int) -> list[str]:
        for name, seed in seeds.items():
            torch.manual_seed(seed)
            save_file(dict(vision().state_dict()), small_site.content / f"{name}.safetensors")
        found = []
        for body in (
            "id: one\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\n",
            "id: one\nkind: templates\nmodel: tiny-vision\n",
        ):
            small_site.figure(body)
            found.append(key_of(small_site))
        return found

    alone, another = keys(step2=2), keys(step1=1)
    changed, older = keys(step1=3), keys(step0=0)

    assert len({alone[0], another[0], changed[0]}) == 3
    assert older[0] == changed[0]
    assert alone[1] == another[1] == changed[1] == older[1]


def test_versions_of_libraries_change_the_key(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(site)

    monkeypatch.setattr("generator.jobs.versions", lambda: {"torch": "0.1"})

    assert key_of(site) != before


def test_code_changes_the_key_and_its_comments_do_not(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also code that the kind only reaches: here the areas behind the search for a unit."""
    original = key_module.source_of
    path = original("generator.interp.separation")
    assert path is not None
    edited = tmp_path / "separation.py"

    def digest_with(text: str) -> str:
        edited.write_text(text)
        monkeypatch.setattr(
            key_module, "source_of", lambda name: edited if name.endswith("separation") else original(name)
        )
        forget_code()
        try:
            return code_digest("generator.figures.activation_text")
        finally:
            forget_code()

    before = digest_with(path.read_text())

    assert digest_with(path.read_text() + "\n# a comment\n") == before
    assert digest_with(path.read_text().replace('"""How well units', '"""How badly units')) == before
    assert digest_with(path.read_text().replace("others / 2", "others / 3")) != before


def test_the_code_of_a_data_set_is_part_of_a_model_that_is_trained_on_it(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It splits the data: with other splits, a trained model may have read what is now held out."""
    before = key_of(site)
    monkeypatch.setattr(
        "generator.library.code_digest", lambda name: "other" if name.endswith("datasets.text") else code_digest(name)
    )
    site.figure("id: s\nkind: sample\nmodel: tiny-text\nlength: 9\n")
    other = key_of(site)
    monkeypatch.undo()
    monkeypatch.chdir(site.folder)

    assert other not in {before, key_of(site)}


def test_a_kind_reaches_the_instruments_that_it_uses_and_no_others() -> None:
    digests = {kind: code_digest(f"generator.figures.{kind}") for kind in ("sample", "unit_census", "templates")}

    assert len(set(digests.values())) == 3


@pytest.mark.parametrize("terms", [10, 500, 900])
def test_code_as_deep_as_python_reads_it_is_read(terms: int) -> None:
    one, other = (read_code(f"import os\nx = {' + '.join(['1'] * terms)}  # {what}", "m", False) for what in "ab")

    assert one == other
    assert "os" in one[1]
    assert read_code(f"import os\nx = {' + '.join(['1'] * (terms - 1))}", "m", False) != one


def test_code_that_is_deeper_is_told_as_python_tells_it() -> None:
    with pytest.raises(SyntaxError, match="nested too deeply"):
        read_code(" + ".join(["1"] * 20_000), "m", False)


def test_equal_figures_are_computed_once(small_site: SmallSite) -> None:
    small_site.post(POST + POST.partition("```figure")[2].join(["\n```figure", ""]).replace("id: written", "id: again"))
    plan = make_plan(small_site.content, small_site.store, Quiet())

    assert len(plan.jobs) == 2
    assert small_site.build().computed == 1
