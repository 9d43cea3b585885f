"""Every kind of figures, source of models and of data, and theme keeps its contract."""

import ast

import numpy as np
import pytest

from generator.datasets import DATASETS
from generator.figures import KINDS
from generator.models import SOURCES
from generator.testing import (
    ConceptContract,
    DatasetContract,
    KindContract,
    ModelContract,
    Report,
    ThemeContract,
    flaws,
)
from generator.themes import shipped
from tests.conftest import ROOT, SITE_TOML, SmallSite

SOURCE = {  # a model of each source
    "tiny-text": "char-rnn",
    "tiny-linear": "linear-svm",
    "tiny-vision": "python",
    "tiny-transformer": "transformers",
    "squeeze": "torchvision",
    "lite": "efficientnet-lite",
}
DATA = {"tiny-corpus": "text", "digits": "digits", "photographs": "photographs", "library": "python-stdlib"}
MORE = """
[models.squeeze]
source = "torchvision"
architecture = "squeezenet1_1"
weights = "random"
size = 64

[models.lite]
source = "efficientnet-lite"

[datasets.photographs]
source = "photographs"

[datasets.library]
source = "python-stdlib"
"""


@pytest.fixture
def report(quick_site: SmallSite) -> Report:
    return Report(quick_site.folder, SITE_TOML.partition("\n\n")[2] + MORE, quick_site.store.folder)


@pytest.mark.parametrize("kind", sorted(KINDS))
class TestKinds(KindContract): ...


@pytest.mark.parametrize("model", SOURCE)
class TestModels(ModelContract): ...


@pytest.mark.parametrize("dataset", DATA)
class TestDatasets(DatasetContract): ...


@pytest.mark.parametrize("theme", ["", *shipped()])
class TestThemes(ThemeContract): ...


@pytest.mark.parametrize("concept", ["tests.test_figures:upper"])
class TestConcepts(ConceptContract): ...


def upper(text: str) -> list[bool]:
    return [letter.isupper() for letter in text] if text else np.zeros(0, dtype=bool)  # type: ignore[return-value]


def test_a_source_without_a_contract_has_tests_of_its_own() -> None:
    assert set(SOURCE.values()) == set(SOURCES)
    assert set(DATA.values()) | {"cifar10", "image-folder"} == set(DATASETS)
    assert all((ROOT / f"tests/datasets/test_{name}.py").exists() for name in ("cifar10", "image_folder"))


def test_every_kind_has_code_and_page_template_and_no_file_is_an_orphan() -> None:
    code = {path.stem.replace("_", "-") for path in (ROOT / "generator" / "figures").glob("*.py")} - {"--init--"}
    pages = {path.stem for path in (ROOT / "templates" / "figures").glob("*.*")}

    assert code == set(KINDS.ours)
    assert pages == set(KINDS.ours)


@pytest.mark.parametrize("kind", sorted(KINDS.ours))
def test_the_file_of_a_kind_reads_from_top_to_bottom(kind: str) -> None:
    tree = ast.parse((ROOT / "generator" / "figures" / f"{kind.replace('-', '_')}.py").read_text())
    names = [
        ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else getattr(node, "name", "")
        for node in tree.body
    ]
    example, options, compute = (names.index(name) for name in ("EXAMPLE", "Options", "compute"))

    assert example < options
    assert compute == options + 1, "compute comes right after Options"
    assert all(isinstance(node, ast.FunctionDef) for node in tree.body[compute:]), "constants stand above Options"
    assert not any(isinstance(node, ast.FunctionDef) for node in tree.body[:compute]), "compute is the first function"


@pytest.mark.parametrize(
    ("page", "flaw"),
    [
        ('<img src="a.png">', "<img> without alt"),
        ("<svg></svg>", "<svg> without aria-label or aria-labelledby or aria-hidden"),
        ('<p id="a"></p><p id="a"></p>', "id a is there 2 times"),
        ('<label for="b">x</label>', "no id b"),
        ('<p style="color: red">x</p>', "<p style>"),
        ('<p onclick="x()">x</p>', "<p onclick>"),
        ("<body><script>x()</script></body>", "a script inside the page"),
        ("<p></div></p>", "</div> closes nothing"),
    ],
)
def test_a_flaw_of_a_page_is_found(page: str, flaw: str) -> None:
    assert flaws(page) == [flaw]
    assert flaws('<img src="a.png" alt="A"><label for="a">x</label><input id="a">') == []
