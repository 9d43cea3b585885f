"""A site of text alone on which nothing changed is left alone after a glance; whatever changes is seen."""

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
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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
    [("generator.glance.packages", lambda: ["pillow-99.dist-info"]), ("generator.glance.sys.version", "4.0")],
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


def test_a_site_with_data_is_never_told_from_a_glance(site: Path, builds: Callable[..., bool]) -> None:
    (site / "content/site.toml").write_text('title = "T"\n[datasets.digits]\nsource = "digits"\n')

    assert builds()
    assert builds()
