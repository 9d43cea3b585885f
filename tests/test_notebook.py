"""`generator.show`: what a notebook may ask for, and what it gets."""

import subprocess
import sys

import numpy as np
import pytest

import generator
from generator.spec import BuildError
from tests.conftest import ROOT, SmallSite
from tests.test_remaking import TEMPLATES, computed, figure, key_of


def test_a_figure_of_the_report_is_shown_under_its_key_and_computed_once(small_site: SmallSite) -> None:
    small_site.build()
    before = computed(small_site)

    shown = generator.show("a#written", store="store")

    assert shown.key == key_of(figure("a#written")[1])
    assert f'data-key="{shown.key}"' in small_site.read()
    assert computed(small_site) == before


@pytest.mark.parametrize(
    "ask",
    [
        ((TEMPLATES,), {}),
        ((TEMPLATES.replace("id: t\n", ""),), {}),
        ((), {"kind": "templates", "model": "tiny-linear", "classes": ("0", "8")}),
        ((), {"kind": "templates", "model": "tiny-linear", "classes": np.array(["0", "8"])}),
    ],
)
def test_a_block_and_its_options_as_keywords_have_the_key_of_the_same_block_in_a_post(
    quick_site: SmallSite, ask: tuple[tuple[str, ...], dict[str, object]]
) -> None:
    quick_site.figure(TEMPLATES)
    quick_site.build()

    shown = generator.show(*ask[0], **ask[1], store=quick_site.store.folder)  # type: ignore[arg-type]

    assert f'data-key="{shown.key}"' in quick_site.read()


def test_what_a_notebook_computed_is_not_computed_again_by_a_build(small_site: SmallSite) -> None:
    small_site.figure(TEMPLATES)
    shown = generator.show("t", store="store")

    assert small_site.build().computed == 0
    assert shown.measures == small_site.store.get(shown.key).measures  # type: ignore[union-attr]


def test_the_report_is_found_from_a_folder_of_notebooks_beside_it_and_its_store_is_that_of_builds(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = small_site.folder / "notebooks" / "old"
    notebooks.mkdir(parents=True)
    monkeypatch.chdir(notebooks)

    shown = generator.show("written")

    assert list(small_site.folder.glob(f".whatfires/store/*/{shown.key}.npz"))
    assert not (notebooks / ".whatfires").exists()


def test_the_frame_holds_a_page_that_asks_for_no_file_and_arrays_are_at_hand(quick_site: SmallSite) -> None:
    shown = generator.show(TEMPLATES, store=quick_site.store.folder)

    assert shown._repr_html_().startswith('<iframe title="Figure t" ')
    assert "<h1>" not in shown.page.decode(), "the notebook has its own words around it"
    assert shown.arrays
    assert "page" not in repr(shown)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ({"kind": "templtes", "model": "tiny-linear"}, "did you mean 'templates'"),
        ({"kind": "templates", "model": "tiny-liner"}, "did you mean 'tiny-linear'"),
        ({"kind": "templates", "model": "tiny-linear", "clases": []}, "did you mean 'classes'"),
        ({"kind": "templates", "model": "tiny-linear", "classes": ["ten"]}, "unknown class 'ten'"),
        ({"model": "tiny-linear"}, "kind=…"),
        ({}, "kind=…"),
        ({"kind": "templates", "model": object()}, "text, numbers, lists and dicts"),
    ],
)
def test_what_is_wrong_is_told_with_the_right_word(quick_site: SmallSite, ask: dict[str, object], told: str) -> None:
    with pytest.raises(BuildError, match=told):
        generator.show(**ask, store=quick_site.store.folder)  # type: ignore[arg-type]


def test_unknown_figures_folders_without_a_report_and_two_wishes_at_once_are_told(
    quick_site: SmallSite, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(BuildError, match="did you mean 'written'"):
        generator.show("writen", store=quick_site.store.folder)
    with pytest.raises(BuildError, match="not both"):
        generator.show("written", kind="templates", store=quick_site.store.folder)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(BuildError, match="say content=FOLDER"):
        generator.show("written")


def test_a_name_that_the_package_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="shw"):
        generator.shw  # type: ignore[attr-defined]  # noqa: B018


def test_the_package_itself_costs_nothing_to_import() -> None:
    code = "import generator, sys; print(len([name for name in sys.modules if name.startswith('generator.')]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout.strip() == "0"
