"""The contract of every kind, over its example."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml

from generator.artifact import ArtifactStore
from generator.figures import KINDS
from generator.pipeline import build
from generator.spec import BuildErrors, FigureOptions
from tests.conftest import ROOT, SmallSite

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def block(kind: str, more: str = "") -> str:
    return f"id: example\nkind: {kind}\n{import_module(KINDS[kind]).EXAMPLE}{more}"


@every_kind
def test_a_kind_renders_its_example_and_escapes_its_caption(kind: str, quick_site: SmallSite) -> None:
    example = yaml.safe_load(block(kind)) | {"caption": "Less < more & **bold**"}
    quick_site.figure(yaml.safe_dump(example))
    quick_site.build()
    page = quick_site.read()

    assert f'data-kind="{kind}"' in page
    assert page.count('<figure id="example"') == 1
    assert "Less &lt; more &amp; <strong>bold</strong>" in page
    assert page.count("<img") == page.count("alt="), "every picture has a text of its own"
    assert 'style="' not in page, "the Content-Security-Policy forbids inline styles"


@every_kind
def test_a_kind_gives_the_same_artifact_twice(kind: str, quick_site: SmallSite, tmp_path: Path) -> None:
    quick_site.figure(block(kind))
    quick_site.build()
    other = ArtifactStore(tmp_path / "other-store")
    build(quick_site.content, tmp_path / "other-site", other)
    (key,) = [path.stem for path in other.folder.glob("*/*.npz") if other.get(path.stem).provenance.get("device")]  # type: ignore[union-attr]
    one, two = quick_site.store.get(key), other.get(key)

    assert one is not None
    assert two is not None
    assert (one.data, one.measures) == (two.data, two.measures)
    assert set(one.arrays) == set(two.arrays)
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], two.arrays[name])


@every_kind
def test_a_kind_names_an_unknown_option_with_its_line_and_the_nearest_right_word(
    kind: str, quick_site: SmallSite
) -> None:
    quick_site.figure(block(kind, "modle: x\n"))
    line = 6 + block(kind, "modle: x\n").count("\n")

    with pytest.raises(BuildErrors, match=rf"a.md:{line}: figure example: unknown key 'modle'; did you mean 'model'\?"):
        quick_site.build()


@every_kind
def test_a_kind_names_an_option_of_the_wrong_type(kind: str, quick_site: SmallSite) -> None:
    quick_site.figure(block(kind, "seed: many\n"))

    with pytest.raises(BuildErrors, match=r"figure example: seed: .*integer.*, not 'many'"):
        quick_site.build()


@every_kind
def test_a_kind_says_what_it_shows_and_describes_its_options(kind: str) -> None:
    module = import_module(KINDS[kind])

    assert module.__doc__
    assert issubclass(module.Options, FigureOptions)
    assert all(field.description for field in module.Options.model_fields.values())


def test_every_kind_has_code_and_page_template_and_no_file_is_an_orphan() -> None:
    code = {path.stem.replace("_", "-") for path in (ROOT / "generator" / "figures").glob("*.py")} - {"--init--"}
    pages = {path.stem for path in (ROOT / "templates" / "figures").glob("*.*")}

    assert code == set(KINDS)
    assert pages == set(KINDS)
