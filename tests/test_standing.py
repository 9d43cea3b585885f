"""Pages are not rendered again where they stand already; every ingredient of theirs that changes renders them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from generator import pipeline, site_folder
from generator.artifact import Artifact
from generator.builds import by_content
from generator.files import digests_below
from generator.pipeline import build
from generator.spec import BuildErrors
from tests.conftest import POST, SITE_TOML, SmallSite

QUOTED = "\nIt was right {share} of the time.\n".replace("{share}", "`{value:.2f} tiny-linear.accuracy`")


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all that the site needs."""
    folder = tmp_path_factory.mktemp("computed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        first = SmallSite(folder, folder / "store")
        first.post(POST + QUOTED)
        first.build()
    return folder / "store"


@pytest.fixture
def site(small_site: SmallSite, computed: Path) -> SmallSite:
    """Built, in a theme of its author's, with a quoted measure of a model that no figure shows."""
    shutil.copytree(computed, small_site.store.folder)
    theme = small_site.content / "theme"
    theme.mkdir()
    (theme / "figure.html").write_text("one {{ content }}")
    small_site.toml('theme = "theme"\n' + SITE_TOML)
    small_site.post(POST + QUOTED)
    small_site.build()
    return small_site


@pytest.fixture
def rendered(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Whether a build renders; what stands after it is what a build into an empty folder writes."""
    render = site_folder.render_site

    def once() -> bool:
        calls = []

        def noted(*given: object) -> object:
            calls.append(given)
            return render(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(site_folder, "render_site", noted)
        site.build()
        stands = bool(calls)
        cold = site.folder / "cold"
        build(site.content, cold, site.store)
        files = {path.relative_to(cold).as_posix(): path.read_bytes() for path in cold.rglob("*") if path.is_file()}
        assert told(site.files()) == told(files)
        return stands

    return once


def told(files: dict[str, bytes]) -> dict[str, bytes]:
    """Less that which says whether this build or an earlier one computed a figure."""
    report = json.loads(files["report.json"])
    for figure in report["figures"]:
        figure.pop("cached")
    return {**files, "report.json": json.dumps(report).encode()}


def artifacts(site: SmallSite, what: str) -> dict[str, Artifact]:
    """Those with a measure of this name, by key."""
    every = {path.stem: site.store.get(path.stem) for path in site.store.folder.glob("*/*.npz")}
    return {key: one for key, one in every.items() if one is not None and what in one.measures}


def change_measure(site: SmallSite, name: str) -> None:
    for key, artifact in artifacts(site, name).items():
        site.store.put(key, replace(artifact, measures={**artifact.measures, name: 0.125}))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


CHANGES: dict[str, Callable[[SmallSite], object]] = {
    "the text of a post": lambda site: site.post(POST.replace("Words", "More words") + QUOTED),
    "a caption": lambda site: site.post(POST.replace("What it", "All it") + QUOTED),
    "another post": lambda site: site.post(POST, "b"),
    "the title of the site": lambda site: site.toml('theme = "theme"\n' + SITE_TOML.replace("Small", "Tiny")),
    "the theme": lambda site: site.toml(SITE_TOML),
    "a page template": lambda site: write(site.content / "theme" / "figure.html", "another {{ content }}"),
    "a hidden page template": lambda site: write(site.content / "theme" / ".inner" / "part.html", ""),
    "a style sheet": lambda site: write(site.content / "theme" / "figures" / "sample.css", "p {}"),
    "a measure of a figure": lambda site: change_measure(site, "characters"),
    "a measure of a model": lambda site: change_measure(site, "accuracy"),
    "a page that was edited": lambda site: write(site.out / "posts" / "a.html", "edited"),
    "a page that was removed": lambda site: (site.out / "posts" / "a.html").unlink(),
    "a file that no page refers to": lambda site: write(site.out / "media" / "more.webp", ""),
    "a half-written file": lambda site: write(site.out / "posts" / ".writing-a", ""),
    "an empty folder": lambda site: (site.out / "more").mkdir(),
}


def test_nothing_is_rendered_where_nothing_changed(site: SmallSite, rendered: Callable[[], bool]) -> None:
    assert not rendered()


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_rendered(site: SmallSite, rendered: Callable[[], bool], change: str) -> None:
    CHANGES[change](site)

    assert rendered()


def test_a_template_behind_a_link_is_an_ingredient(
    site: SmallSite, rendered: Callable[[], bool], tmp_path: Path
) -> None:
    write(tmp_path / "shared" / "sample.html", "one")
    (site.content / "theme" / "figures").symlink_to(tmp_path / "shared")
    first = rendered()
    write(tmp_path / "shared" / "sample.html", "two")

    assert first
    assert rendered()


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("generator.kept_pages.package_digest", lambda: "other"),
        ("generator.kept_pages.sys.version", "4.0"),
        ("generator.kept_pages.installed", lambda: ["pillow-99.dist-info"]),
    ],
    ids=["our code", "Python", "packages"],
)
def test_pages_of_other_code_are_rendered(
    site: SmallSite, rendered: Callable[[], bool], monkeypatch: pytest.MonkeyPatch, where: str, what: object
) -> None:
    monkeypatch.setattr(where, what)

    assert rendered()


def test_a_damaged_artifact_is_computed_again(site: SmallSite) -> None:
    (key,) = artifacts(site, "characters")
    site.store.path(key).write_bytes(b"damaged")

    assert site.build().computed == 1


def test_what_hidden_folders_of_the_site_hold_is_not_read(site: SmallSite) -> None:
    """A published site is often a checkout of its own."""
    before = digests_below(site.out, hidden=False)
    write(site.out / ".git" / "config", "")

    assert digests_below(site.out, hidden=False) == before
    assert ".git/config" in digests_below(site.out, hidden=True)


def test_a_template_that_is_edited_while_pages_are_written_is_rendered_by_the_next_build(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = site.content / "theme" / "figure.html"
    site.out.joinpath("posts", "a.html").unlink()
    write_site = pipeline.write_site

    def edited_meanwhile(*given: object) -> object:
        template.write_text("two {{ content }}")
        try:
            return write_site(*given)  # type: ignore[arg-type]
        finally:
            template.write_text("three {{ content }}")

    monkeypatch.setattr(pipeline, "write_site", edited_meanwhile)
    site.build()
    monkeypatch.undo()
    monkeypatch.chdir(site.folder)
    template.write_text("one {{ content }}")
    site.build()

    assert "one " in site.read()


def test_a_build_whose_pages_stand_has_finished_though_another_came_between(site: SmallSite) -> None:
    """Else `gc` would keep what the other wanted, as of the last build that came to its end."""
    site.post((POST + QUOTED).replace("length: 30", "length: 31"))
    pipeline.build(site.content, site.folder / "elsewhere", site.store)
    site.post(POST + QUOTED)
    outcome = site.build()
    rows = by_content(site.store)[str(site.content.resolve())]

    assert outcome.written == 0
    assert [build.finished for _, build in rows] == [True, True]


def test_broken_claims_of_pages_that_stand_are_told(site: SmallSite) -> None:
    claim = "\n```claim\nid: long\nfigure: written\nexpect: characters > 99\ntext: It writes a lot.\n```\n"
    site.post(POST + claim)
    first, second = site.build(), site.build()

    assert (first.broken, second.broken) == (("long",), ("long",))
    assert (second.pages, second.reused, second.written) == (first.pages, 1, 0)


def test_a_build_that_failed_is_not_noted(site: SmallSite) -> None:
    site.post(POST + "\n`{value} written.words`\n")
    for _ in range(2):
        with pytest.raises(BuildErrors, match="no measure 'words'"):
            site.build()
