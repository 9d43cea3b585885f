"""A site on which nothing changed is left alone after a glance; whatever changes is seen."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator import glance, pipeline
from generator.cli import main
from tests.many_posts import write_report


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_report(tmp_path / "content", 2)
    return tmp_path


@pytest.fixture
def builds(site: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether a build looks closer; after it, the site is what a build elsewhere from nothing is."""
    build, calls = pipeline.build, []

    def noted(*given: object, **more: object) -> object:
        calls.append(given)
        return build(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "build", noted)

    def once(*options: str) -> bool:
        calls.clear()
        done = CliRunner().invoke(main, ["build", *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        closer = bool(calls)
        cold = ["build", "--out", "cold", "--store", "cold-store", *options]
        assert CliRunner().invoke(main, cold, catch_exceptions=False).exit_code == 0
        assert files(site / "site") == files(site / "cold")
        return closer

    return once


def files(folder: Path) -> dict[str, bytes]:
    """All files but the account of the build, which tells its seconds."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_nothing_changed(builds: Callable[..., bool]) -> None:
    assert builds()
    assert not builds()


def test_other_options_are_another_site(builds: Callable[..., bool]) -> None:
    builds()

    assert builds("--drafts")


@pytest.mark.parametrize(
    "change",
    [
        lambda site: (site / "content/posts/post-0001.md").write_text("---\ntitle: New\ndate: 2020-01-01\n---\n"),
        lambda site: (site / "content/posts/post-0001.md").unlink(),
        lambda site: (site / "content/posts/post-0001.md").rename(site / "content/posts/renamed.md"),
        lambda site: (site / "content/site.toml").write_text('title = "Other"\n'),
        lambda site: (site / "content/pages").mkdir() or (site / "content/pages/a.md").write_text("---\ntitle: A\n---\n"),
        lambda site: (site / "site/index.html").unlink(),
        lambda site: (site / "site/index.html").write_text("edited by hand"),
        lambda site: (site / "site/more.html").write_text("not ours"),
        lambda site: (site / "site/empty").mkdir(),
        lambda site: (site / "site/.writing-x").write_text("half"),
    ],
    ids=[
        "post edited", "post removed", "post renamed", "settings", "page added", "page of the site removed",
        "page of the site edited", "file in the site", "folder in the site", "half a file in the site",
    ],
)  # fmt: skip
def test_a_change_is_seen(site: Path, builds: Callable[..., bool], change: Callable[[Path], object]) -> None:
    builds()
    change(site)

    assert builds()
    assert not builds()


@pytest.mark.parametrize(
    ("where", "what"),
    [("generator.glance.installed", lambda: ["pillow-99.dist-info"]), ("generator.glance.sys.version", "4.0")],
)
def test_other_packages_are_seen(
    builds: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, where: str, what: object
) -> None:
    builds()
    monkeypatch.setattr(where, what)

    assert builds()


def test_an_edited_theme_is_seen(site: Path, builds: Callable[..., bool]) -> None:
    (site / "content/theme").mkdir()
    (site / "content/site.toml").write_text('title = "T"\ntheme = "theme"\n')
    (site / "content/theme/tags.html").write_text("one")
    builds()
    (site / "content/theme/tags.html").write_text("two")

    assert builds()


def test_edited_code_is_seen(site: Path, builds: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    builds()
    (site / "elsewhere").mkdir()
    monkeypatch.setattr(glance, "__file__", str(site / "elsewhere" / "glance.py"))

    assert builds()


def test_an_edit_while_the_site_is_built_is_seen_by_the_next_build(
    site: Path, builds: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = pipeline.build

    def edited(*given: object, **more: object) -> object:
        done = build(*given, **more)  # type: ignore[arg-type]
        with (site / "content/posts/post-0000.md").open("a") as file:
            file.write("\nMore.\n")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "build", edited)
        CliRunner().invoke(main, ["build"], catch_exceptions=False)

    assert builds()


@pytest.fixture
def figures(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same site, with a network whose code is elsewhere, a data set, and a claim that does not hold."""
    monkeypatch.syspath_prepend(site / "code")
    (site / "code").mkdir()
    (site / "code/glanced.py").write_text("from tests import nets\n\n\ndef make():\n    return nets.vision()\n")
    (site / "texts").mkdir()
    (site / "texts/a.txt").write_text("abc" * 50)
    (site / "content/site.toml").write_text(
        'title = "T"\n[datasets.texts]\nsource = "text"\npath = "../texts/*.txt"\n'
        '[models.net]\nsource = "python"\nfactory = "glanced:make"\nheight = 32\nwidth = 32\n'
        'classes = ["a", "b", "c", "d", "e"]\n'
    )
    (site / "content/posts/figure.md").write_text(
        "---\ntitle: F\ndate: 2026-01-01\n---\n\n"
        "```figure\nid: one\nkind: class-image\nmodel: net\nclasses: [a]\nsize: 32\nsteps: 1\n```\n\n"
        "```claim\nid: wrong\nfigure: one\ntext: It is\nexpect: a.logit > 1e9\n```\n"
    )
    return site


def test_a_site_with_figures_is_told_from_a_glance(figures: Path, builds: Callable[..., bool]) -> None:
    assert builds()
    assert not builds()

    again = CliRunner().invoke(main, ["build"])
    assert "0 figures computed, 1 kept" in again.output
    assert "claim broken: " in again.output


@pytest.mark.parametrize(
    "change",
    [
        lambda site: (site / "texts/a.txt").write_text("abd" * 50),
        lambda site: (site / "texts/b.txt").write_text("new"),
        lambda site: (site / "code/glanced.py").write_text("from tests import nets\n\n\ndef make():\n    net = nets.vision()\n    return net\n"),
        lambda site: [path.write_bytes(path.read_bytes()[:-1] + b"!") for path in site.glob(".whatfires/store/*/*.npz")],
        lambda site: [path.unlink() for path in site.glob(".whatfires/store/*/*.npz")],
    ],
    ids=["data edited", "data added", "factory edited", "artifact damaged", "artifact removed"],
)  # fmt: skip
def test_a_change_beside_the_content_is_seen(
    figures: Path, builds: Callable[..., bool], change: Callable[[Path], object]
) -> None:
    builds()
    change(figures)

    assert builds()
    assert not builds()


def test_a_shared_store_is_another_build(figures: Path, builds: Callable[..., bool]) -> None:
    builds()

    assert builds("--store", "memory://glance")
    assert builds("--store", "memory://glance")  # others may have changed it


def test_a_file_that_did_not_change_is_not_read_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CliRunner().invoke(main, ["build"], catch_exceptions=False)
    monkeypatch.setattr(glance, "YOUNG", -(10**12))  # as if the files had been written long ago
    CliRunner().invoke(main, ["build"], catch_exceptions=False)
    read, size = glance.look(str(site / "site/index.html"), None)
    monkeypatch.setattr("builtins.open", lambda *given: pytest.fail("read"))

    assert size == (site / "site/index.html").stat().st_size
    assert glance.look(str(site / "site/index.html"), read) == (read, 0)


def test_a_file_edited_with_its_time_kept_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    os.utime(file, ns=(10**18, 10**18))
    before, _ = glance.look(str(file), None)
    file.write_text("two")
    os.utime(file, ns=(10**18, 10**18))

    assert glance.look(str(file), before)[0][0] == hashlib.sha256(b"two").hexdigest()


def test_a_young_file_is_read_again(tmp_path: Path) -> None:
    """It could be edited once more at what its disk calls the same time."""
    file = tmp_path / "a"
    file.write_text("one")

    assert len(glance.look(str(file), None)[0]) == 1


def test_of_a_large_folder_no_more_is_read_than_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "MOST", 10)
    for name in "abc":
        (tmp_path / name).write_text("123456")
        os.utime(tmp_path / name, ns=(10**18, 10**18))
    monkeypatch.setattr(glance, "YOUNG", -(10**12))
    first = glance.looks(tmp_path, {}, "")
    (tmp_path / "c").write_text("123457")

    assert sum(len(row[0]) == 64 for row in first.values()) == 1
    assert glance.looks(tmp_path, first, "")["c"] != first["c"]
    assert {**glance.looks(tmp_path, first, ""), "c": ""} == {**first, "c": ""}
