"""The guide names everything that there is."""

import re
from pathlib import Path

import pytest

from generator.cli import main
from generator.datasets import DATASETS
from generator.figures import KINDS
from generator.models import SOURCES
from tests.conftest import ROOT

GUIDE = (ROOT / "content" / "pages" / "guide.md").read_text()
FLAGS = {
    flag
    for name in ("build", "figure", "check", "explain", "gc")
    for option in main.commands[name].params
    for flag in option.opts
    if flag.startswith("--")
}


@pytest.mark.parametrize("name", [*KINDS, *SOURCES, *DATASETS])
def test_the_guide_names_every_kind_and_source(name: str) -> None:
    assert f"| `{name}` |" in GUIDE


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_guide_and_the_readme_name_every_command(name: str) -> None:
    assert f"`whatfires {name}`" in GUIDE
    assert f"whatfires {name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_the_guide_names_every_flag(flag: str) -> None:
    assert flag in GUIDE


def test_the_example_of_the_instruments_runs_as_it_stands() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, object] = {}

    exec(example, names)

    assert names["found"].images.shape == (4, 3, 64, 64)  # type: ignore[attr-defined]
    assert (names["found"].activations > names["found"].before).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", sorted((ROOT / "generator" / "interp").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_the_guide_names_every_instrument(path: Path) -> None:
    assert f"`{path.stem}`" in GUIDE.partition("## The instruments alone")[2]
