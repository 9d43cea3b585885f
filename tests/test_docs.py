"""The guide names everything that there is, and teaches what is so."""

import re
from pathlib import Path

import pytest
import yaml
from click import Group
from click.testing import CliRunner

from generator import teaching
from generator.cli import main
from generator.datasets import DATASETS
from generator.figures import KINDS
from generator.models import SOURCES
from generator.testing import KindContract
from tests.conftest import ROOT, SmallSite

NOT_COMMITTED = {"tests/actual/", "tests/figures/test_mean_image.py"}
PAGES = ROOT / "content" / "pages"
GUIDE = {path.stem: path.read_text() for path in [PAGES / "guide.md", *sorted((PAGES / "guide").glob("*.md"))]}
COMMANDS = {
    **main.commands,
    **{f"{name} {inner}": command for name, group in main.commands.items() if isinstance(group, Group) for inner, command in group.commands.items()},
}  # fmt: skip
FLAGS = {
    flag
    for command in COMMANDS.values()
    for option in command.params
    for flag in (*option.opts, *option.secondary_opts)
    if flag.startswith("--")
}


@pytest.mark.parametrize("name", KINDS)
def test_the_guide_has_a_page_for_every_kind(name: str) -> None:
    """With its example, live, and its options; its description is the kind's own."""
    text = (PAGES / "guide" / "figures" / f"{name}.md").read_text()
    front = yaml.safe_load(text.split("---")[1])

    assert front["description"] == teaching.kind(name).summary.replace('"', "'")
    assert f"```options\nkind: {name}\n```" in text
    assert f"```example\nid: {name}\nkind: {name}\n" in text


@pytest.mark.parametrize("name", SOURCES)
def test_the_guide_names_every_source_of_models(name: str) -> None:
    assert f"| `{name}` |" in GUIDE["models"]
    assert f"```options\nsource: {name}\n```" in GUIDE["models"]


@pytest.mark.parametrize("name", DATASETS)
def test_the_guide_names_every_source_of_data(name: str) -> None:
    assert f"| `{name}` |" in GUIDE["data"]


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_guide_and_the_readme_name_every_command(name: str) -> None:
    assert f"`whatfires {name}`" in GUIDE["commands"]
    assert f"whatfires {name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_the_guide_names_every_flag(flag: str) -> None:
    assert any(re.search(rf"{flag}\b", text) for text in GUIDE.values())


@pytest.mark.parametrize("block", ["figure", "claim", "front-matter", "site"])
def test_the_guide_has_the_keys_of_every_block(block: str) -> None:
    assert any(f"```options\nblock: {block}\n```" in text for text in GUIDE.values())


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_what_is_told_beside_the_code_is_there(name: str) -> None:
    """Targets of make, files that are linked, and files that are named with their folder."""
    text = (ROOT / name).read_text()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = {one for line in re.findall(r"(?:^|`)make ([a-z ]+)", text, re.MULTILINE) for one in line.split()}
    links = {link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link}
    named = set(re.findall(r"`((?:generator|tests|content)/[\w/.-]+)`", text)) - NOT_COMMITTED

    assert asked <= set(targets)
    assert [one for one in sorted(links | named) if not (ROOT / one).exists()] == []


def test_the_example_of_the_instruments_runs_as_it_stands() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE["instruments"], re.DOTALL)
    names: dict[str, object] = {}

    exec(example, names)

    assert names["found"].images.shape == (4, 3, 64, 64)  # type: ignore[attr-defined]
    assert (names["found"].activations > names["found"].before).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", sorted((ROOT / "generator" / "interp").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_the_guide_names_every_instrument(path: Path) -> None:
    assert f"`{path.stem}`" in GUIDE["instruments"]


def test_the_kind_that_the_guide_adds_works_as_it_stands(
    quick_site: SmallSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, template = re.findall(r"```(?:python|jinja)\n(.*?)```", GUIDE["extending"], re.DOTALL)[:2]
    (tmp_path / "added.py").write_text(module)
    theme = quick_site.content / "looks" / "figures"
    theme.mkdir(parents=True)
    (theme / "mean-image.html").write_text(template)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(KINDS.ours, "mean-image", "added")
    quick_site.toml(f'theme = "looks"\n{(quick_site.content / "site.toml").read_text()}')
    quick_site.figure("id: mean\nkind: mean-image\ndataset: digits\ncaption: Ten digits.")
    quick_site.build()
    taught = CliRunner().invoke(main, ["kinds", "mean-image"]).stdout
    KindContract().test_it_says_what_it_shows_and_describes_its_options("mean-image")

    assert f'description: "{teaching.kind("mean-image").summary}"' in GUIDE["extending"]
    assert "\nOptions:" not in taught, "a heading without options: dataset and split are those of other kinds"
    assert "  split: text (default test)\n      the part of it that is shown\n" in taught
    assert re.search(r'<img src="[^"]+\.webp"[^>]*\s+alt="The mean image, brightness 0\.\d\d"', quick_site.read())
