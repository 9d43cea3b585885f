"""Names that go still work, and whoever uses one is told what to write instead, with file and line."""

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import AliasChoices, Field
from typing_extensions import deprecated

from generator import settings
from generator.cli import main
from generator.datasets import text
from generator.deprecation import deprecations, former
from generator.figures import measurements
from generator.settings import Settings
from generator.spec import BuildErrors, ImageChoice, Options
from generator.teaching import options as taught
from tests.conftest import SmallSite

TOML = """title = "Old names"
address = "https://example.org"

[datasets.words]
source = "text"
files = "texts/*.py"
"""
POST = """---
title: A post
date: 2026-01-02
---

```figure
id: sorts
kind: measurements
record: measured.json
grid: true
```
"""


class Row(text.Settings):
    path: str = Field(validation_alias=AliasChoices("path", "files"))


class Own(Settings):
    base_url: str = Field("", validation_alias=AliasChoices("base_url", "address"))


class Asked(measurements.Options):
    file: str = Field(validation_alias=AliasChoices("file", "record"))
    grid: bool = Field(True, deprecated="the theme draws it; leave it out")


@pytest.fixture
def site(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """A report in whose release three keys were renamed, and one goes, that still has them all."""
    monkeypatch.setattr(measurements, "Options", Asked)
    monkeypatch.setattr(text, "Settings", Row)
    monkeypatch.setattr(settings, "Settings", Own)
    small_site.toml(TOML)
    small_site.post(POST)
    return small_site


def warned(command: str, *more: str) -> list[str]:
    """The warnings that a command says."""
    done = CliRunner().invoke(main, [command, "--store", "store", *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [line for line in done.stderr.splitlines() if line.startswith("warning:")]


def test_each_is_told_once_with_file_and_line(site: SmallSite) -> None:
    assert warned("build") == [
        "warning: content/site.toml:2: address: this name is deprecated; write `base_url`",
        "warning: content/site.toml:6: datasets.words.files: this name is deprecated; write `path`",
        "warning: content/posts/a.md:9: figure sorts: record: this name is deprecated; write `file`",
        "warning: content/posts/a.md:10: figure sorts: grid: deprecated; the theme draws it; leave it out",
    ]


def test_they_are_told_until_they_are_put_right(site: SmallSite) -> None:
    first = warned("build")

    assert warned("build") == first, "a build with nothing to do says them, too"
    assert warned("build", "--drafts") == first, "and one that reads no post again"

    site.post(POST.replace("record:", "file:").replace("grid: true\n", ""))
    site.toml(TOML.replace("address", "base_url").replace("files", "path"))
    assert warned("build") == []


@pytest.mark.parametrize("command", ["check", "plan"])
def test_other_commands_that_plan_tell_them_too(site: SmallSite, command: str) -> None:
    assert len(warned(command)) == 4


def test_an_old_name_is_the_same_figure(site: SmallSite) -> None:
    site.build()
    site.post(POST.replace("record:", "file:"))

    assert site.build().computed == 0


def test_both_names_at_once_are_a_mistake(site: SmallSite) -> None:
    site.post(POST.replace("record:", "file: measured.json\nrecord:"))

    with pytest.raises(BuildErrors, match=r"a\.md:10: figure sorts: unknown key 'record'"):
        site.build()


def test_old_names_are_taught_no_more(site: SmallSite) -> None:
    assert "file" in {one.name for one in taught(Asked)}
    assert "record" not in {one.name for one in taught(Asked)}


class Inner(Options):
    steps: int = Field(1, validation_alias=AliasChoices("steps", "rounds"))


class Outer(Options):
    one: Inner | None = Field(None, validation_alias=AliasChoices("one", "single"))
    several: tuple[Inner, ...] = ()
    named: dict[str, Inner] = Field({})
    image: ImageChoice | Inner | None = None


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ({"one": {"steps": 2}}, []),
        ({"one": {"rounds": 2}}, ["one.rounds"]),
        ({"single": {"rounds": 2}}, ["single", "single.rounds"]),
        ({"several": [{"steps": 2}, {"rounds": 2}]}, ["several.1.rounds"]),
        ({"named": {"rounds": {"rounds": 2}}}, ["named.rounds.rounds"]),
        ({"image": {"rounds": 2}}, ["image.rounds"]),
    ],
)
def test_they_are_found_at_any_depth(written: dict[str, Any], keys: list[str]) -> None:
    found = list(deprecations(Outer.model_validate(written), written))

    assert [".".join(map(str, path)) for path, _ in found] == keys
    assert all(message.startswith(f"{key}: ") for key, (_, message) in zip(keys, found, strict=True))


def test_a_class_that_was_renamed_is_given_with_a_warning_of_who_asked() -> None:
    module: Any = ModuleType("module")
    module.__getattr__ = former("module", {"Choice": "generator.spec:ImageChoice"})

    with pytest.warns(
        DeprecationWarning, match=r"module\.Choice is deprecated: it is now generator\.spec\.ImageChoice"
    ) as told:
        assert module.Choice is ImageChoice

    assert Path(told[0].filename) == Path(__file__)
    with pytest.raises(AttributeError, match="'module' has no attribute 'Chioce'"):
        _ = module.Chioce


def test_a_function_that_goes_warns_of_who_called_it() -> None:
    @deprecated("write `new()`")
    def old() -> int:
        return 1

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert old() == 1

    assert [(str(one.message), Path(one.filename)) for one in told] == [("write `new()`", Path(__file__))]
