"""Models that read tokens, in a site: what their figures are named by, and what other kinds make of them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.spec import BuildErrors
from tests.conftest import ROOT, SITE_TOML, SmallSite

LENS = "id: lens\nkind: logit-lens\nmodel: tiny-transformer\ntext: {literal: the cat sat}\n"


@pytest.fixture
def own_model(small_site: SmallSite) -> Path:
    """A site with a logit lens on a model in its own content folder."""
    shutil.copytree(ROOT / "tests" / "tiny-gpt2", small_site.content / "tiny")
    small_site.toml(SITE_TOML.replace("tests:tiny-gpt2", "tiny"))
    small_site.figure(LENS)
    small_site.build()
    return small_site.content / "tiny"


def test_a_build_in_which_no_model_changed_loads_none(small_site: SmallSite, own_model: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom generator.artifact import ArtifactStore\n"
        "from generator.pipeline import build\n"
        f"done = build(Path('content'), Path('site'), ArtifactStore(Path({str(small_site.store.folder)!r})))\n"
        "print(done.computed, sorted({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=small_site.folder, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    assert done.stdout.strip() == "0 []"


def test_other_bytes_of_the_model_are_another_figure_and_another_folder_is_the_same(
    small_site: SmallSite, own_model: Path
) -> None:
    shutil.copytree(own_model, small_site.content / "moved")
    small_site.toml(SITE_TOML.replace("tests:tiny-gpt2", "moved"))
    assert small_site.build().computed == 0

    path = small_site.content / "moved" / "tokenizer_config.json"
    path.write_text(path.read_text() + "\n")
    assert small_site.build().computed == 1


def test_a_model_that_is_not_there_is_told_at_the_figure(small_site: SmallSite) -> None:
    small_site.toml(SITE_TOML.replace("tests:tiny-gpt2", "nowhere"))
    small_site.figure(LENS)

    with pytest.raises(BuildErrors, match=r"a.md:6: figure lens: pretrained nowhere: there is no folder .*nowhere"):
        small_site.build()


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("kind: sample\nmodel: tiny-vision", "model tiny-vision reads no text"),
        ("kind: attention\nmodel: tiny-text\ntext: {literal: abc}", "model tiny-text has no attention heads"),
        ("kind: logit-lens\nmodel: tiny-text\ntext: {literal: abc}", "model tiny-text has no head that gives tokens"),
    ],
)
def test_a_kind_says_what_it_cannot_do_with_a_model(quick_site: SmallSite, block: str, message: str) -> None:
    quick_site.figure(f"id: f\n{block}\n")

    with pytest.raises(BuildErrors, match=message):
        quick_site.build()


def test_a_transformer_writes_text_and_its_tokens_are_counted(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: f\nkind: sample\nmodel: tiny-transformer\nstart: the cat\ntemperatures: [0.5, 1.0]\nlength: 12\n"
        "caption: The `{value} f.tokens` tokens.\n"
    )
    quick_site.build()

    assert "continued by the network, token by token." in quick_site.read()
