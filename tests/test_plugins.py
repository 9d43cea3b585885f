"""What installed packages add: the example of one, and what is said of those that are wrong."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest

from generator import plugins
from generator.plugins import Table
from generator.spec import BuildError
from tests.conftest import ROOT

PACKAGE = ROOT / "tests" / "plugin"
TOML = """title = "Stripes"
theme = "night"

[datasets.stripes]
source = "stripes"

[datasets.texts]
source = "text"
path = "texts/*.txt"

[models.edges]
source = "edges"

[models.tiny]
source = "char-rnn"
corpus = "texts"
train = { width = 8, embedding = 4, steps = 3, batch = 4, window = 16 }
"""
POST = """---
title: Stripes
date: 2026-01-01
---

```figure
id: mean
kind: mean-stripes
dataset: stripes
caption: Stripes across and down leave a grid.
```

```figure
id: grown
kind: class-image
model: edges
classes: [across, down]
steps: 40
size: 32
caption: What excites two filters.
```

```figure
id: census
kind: unit-census
model: tiny
dataset: texts
language: prose
functions: {shouting: shouting}
documents: 3
length: 100
```
"""


def install(site: Path) -> None:
    """The package as an installer would leave it."""
    about = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    shutil.copytree(PACKAGE / "whatfires_stripes", site / "whatfires_stripes")
    info = site / f"whatfires_stripes-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in rows.items())
        for group, rows in about["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python where the package is installed."""
    site = tmp_path / "site-packages"
    site.mkdir()
    install(site)
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}

    def python(*given: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *given]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return python


def write(folder: Path) -> None:
    (folder / "content" / "posts").mkdir(parents=True)
    (folder / "content" / "texts").mkdir()
    for number in range(10):
        (folder / "content" / "texts" / f"{number}.txt").write_text("Some words, and SOME of them LOUD.\n" * 20)
    (folder / "content" / "site.toml").write_text(TOML)
    (folder / "content" / "posts" / "stripes.md").write_text(POST)


def test_the_example_adds_one_of_each_in_fewer_than_a_hundred_lines() -> None:
    groups = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["entry-points"]
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".html", ".css", ".toml")]
    lines = [line for path in files if path.name != "test_stripes.py" for line in path.read_text().splitlines()]

    assert set(groups) == {f"whatfires.{one}" for one in ("figures", "models", "datasets", "concepts", "themes")}
    assert len([line for line in lines if line.strip()]) < 100


def test_the_example_keeps_the_contracts(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(PACKAGE), "-c", os.devnull]
    done = run("-m", "pytest", *options, str(PACKAGE / "test_stripes.py"))

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " 17 passed" in f" {done.stdout.splitlines()[-1]}"


def test_what_a_package_adds_is_built_beside_ours(
    tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    write(tmp_path)
    done = run(str(ROOT / "build.py"))
    page = (tmp_path / "site" / "posts" / "stripes.html").read_text()

    assert done.returncode == 0, done.stderr
    assert "3 figures computed" in done.stdout
    assert 'data-kind="mean-stripes"' in page
    assert 'alt="The mean image, brightness 0.' in page
    assert "shouting" in page
    assert "#eef2f8" in (tmp_path / "site" / "assets" / "theme.css").read_text()

    again = run(str(ROOT / "build.py"))
    assert "0 figures computed, 3 kept" in again.stdout

    module = tmp_path / "site-packages" / "whatfires_stripes" / "mean_stripes.py"
    module.write_text(module.read_text().replace("mean.mean() / 255", "mean.max() / 255"))
    assert "1 figure computed, 2 kept" in run(str(ROOT / "build.py")).stdout


def test_what_a_package_adds_is_taught_and_known_where_a_name_is_wrong(
    tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    write(tmp_path)
    post = tmp_path / "content" / "posts" / "stripes.md"
    post.write_text(POST.replace("kind: mean-stripes", "kind: mean-strips").replace("shouting: shouting", "a: shoutng"))
    done = run(str(ROOT / "build.py"))

    kinds = run("-c", "from generator.cli import main; main(['kinds'])").stdout
    assert "what all of its pictures have in common" in kinds
    assert "unknown kind 'mean-strips'; did you mean 'mean-stripes'?" in done.stderr
    assert "did you mean 'shouting'?" in done.stderr


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Entry points of the group whatfires.figures, as if packages were installed."""

    def pretend(rows: Mapping[str, str]) -> None:
        found = [metadata.EntryPoint(name.strip(), value, "whatfires.figures") for name, value in rows.items()]
        monkeypatch.setattr(metadata, "entry_points", lambda group: found)
        plugins.added.cache_clear()

    yield pretend
    plugins.added.cache_clear()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"dream": "other.dream"}, "adds the kind 'dream', which Whatfires has itself"),
        ({"a": "one.a", "a ": "two.a"}, "two installed packages add the kind 'a'; remove one of them"),
        ({"../a": "one.a"}, r"calls a kind '\.\./a'; names are like mean-image"),
    ],
)
def test_names_that_clash_or_are_none_are_told(
    points: Callable[[Mapping[str, str]], None], rows: Mapping[str, str], message: str
) -> None:
    points(rows)

    with pytest.raises(BuildError, match=message):
        list(Table("figures", "kind", {"dream": "generator.figures.dream"}))


def test_a_package_that_cannot_be_imported_is_named(points: Callable[[Mapping[str, str]], None]) -> None:
    points({"mine": "no_such_package.mine"})

    with pytest.raises(BuildError, match="the kind mine, an installed package's no_such_package.mine, fails: Module"):
        Table("figures", "kind", {}).module("mine")
    with pytest.raises(BuildError, match="no_such_package, which adds to Whatfires, is no package with a folder"):
        plugins.template_folders()


def test_our_own_names_ask_no_package(
    points: Callable[[Mapping[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: pytest.fail("asked"))
    plugins.added.cache_clear()

    assert Table("figures", "kind", {"dream": "generator.figures.dream"})["dream"] == "generator.figures.dream"


def test_the_guide_shows_what_the_example_says() -> None:
    page = (ROOT / "content" / "pages" / "guide" / "packages.md").read_text().partition("## What is promised")[0]
    shown = re.findall(r"```(?:toml|python)\n(.*?)```", page, re.DOTALL)
    example = "\n".join(path.read_text() for path in (PACKAGE / "pyproject.toml", PACKAGE / "test_stripes.py"))

    assert len(shown) == 2
    assert all(block in example for block in shown)
