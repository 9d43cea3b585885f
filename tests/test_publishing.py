"""What a site has for hosts, search engines and social networks, and a page as one file."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from PIL import Image

from generator import __version__, starter
from generator.artifact import ArtifactStore
from generator.cli import main
from generator.content import read_post
from generator.lock import locked
from generator.pipeline import Stage, build
from generator.publish import beyond_limits
from generator.single_file import single_file
from generator.spec import BuildError
from generator.typography import printed
from tests.golden import GOLDEN

ATOM = "{http://www.w3.org/2005/Atom}"
MAPS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ADDRESS = "https://example.org/repo"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report of two posts, with a picture in one of them."""
    monkeypatch.chdir(tmp_path)
    posts = tmp_path / "content" / "posts"
    posts.mkdir(parents=True)
    (tmp_path / "content" / "site.toml").write_text(f'title = "T & U"\nbase_url = "{ADDRESS}/"\nauthor = "A. Author"\n')
    (posts / "one.md").write_text(
        '---\ntitle: "One <1>"\ndate: 2024-01-02\nupdated: 2024-03-04\ntags: [x]\n---\n\nWords, [two](two.md). ![Grey](g.png)\n'
    )
    (posts / "two.md").write_text("---\ntitle: Two\ndate: 2024-02-03\n---\n\nMore words.\n")
    Image.linear_gradient("L").save(posts / "g.png")
    return tmp_path


@pytest.fixture
def site(report: Path) -> Callable[..., Path]:
    def once(base_url: str | None = None) -> Path:
        build(report / "content", report / "site", ArtifactStore(report / "store"), stage=Stage(base_url=base_url))
        return report / "site"

    return once


def meta(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page))


def test_a_post_tells_machines_what_it_is(site: Callable[..., Path]) -> None:
    page = (site() / "posts" / "one.html").read_text()
    told = meta(page)
    article = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)[0])

    assert f'<link rel="canonical" href="{ADDRESS}/posts/one.html">' in page
    assert told["og:title"] == "One &lt;1&gt;"
    assert told["og:type"] == "article"
    assert article["@type"] == "ScholarlyArticle"
    assert article["headline"] == "One <1>"
    assert (article["datePublished"], article["dateModified"]) == ("2024-01-02", "2024-03-04")
    assert article["author"] == [{"@type": "Person", "name": "A. Author"}]


def test_the_card_of_a_site_is_a_picture_of_the_right_size(site: Callable[..., Path]) -> None:
    out = site()
    address = meta((out / "index.html").read_text())["og:image"]

    assert address.startswith(f"{ADDRESS}/media/card-")
    with Image.open(out / address.removeprefix(f"{ADDRESS}/")) as card:
        assert (card.format, card.size) == ("PNG", (1200, 630))


def test_without_an_address_nothing_is_absolute(site: Callable[..., Path]) -> None:
    out = site(base_url="")

    assert not (out / "sitemap.xml").exists()
    assert "canonical" not in (out / "index.html").read_text()
    assert "og:image" not in (out / "index.html").read_text()


def test_the_sitemap_names_every_page_with_its_day(site: Callable[..., Path]) -> None:
    out = site()
    rows = ElementTree.parse(out / "sitemap.xml").getroot()
    found = {row.findtext(f"{MAPS}loc"): row.findtext(f"{MAPS}lastmod") for row in rows}

    assert found == {
        f"{ADDRESS}/": None,
        f"{ADDRESS}/posts/one.html": "2024-03-04",
        f"{ADDRESS}/posts/two.html": "2024-02-03",
    }
    assert f"Sitemap: {ADDRESS}/sitemap.xml" in (out / "robots.txt").read_text()
    assert (out / ".nojekyll").exists()


def test_the_feed_is_as_readers_of_feeds_want_it(site: Callable[..., Path]) -> None:
    """RFC 4287, 4.1: what a feed and its entries must have, once; ids are absolute and unique; moments have a zone."""
    feed = ElementTree.parse(site() / "feed.xml").getroot()
    entries = feed.findall(f"{ATOM}entry")

    for one in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1
        datetime.fromisoformat((one.findtext(f"{ATOM}updated") or "").replace("Z", "+00:00"))
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    ids = [one.findtext(f"{ATOM}id") or "" for one in (feed, *entries)]
    assert len(set(ids)) == len(ids) == 3
    links = [link.get("href", "") for link in feed.iter(f"{ATOM}link")]
    assert all(address.startswith(f"{ADDRESS}/") for address in [*ids, *links])
    assert {link.get("rel") for link in feed.findall(f"{ATOM}link")} == {"self", "alternate"}
    assert [one.findtext(f"{ATOM}title") for one in entries] == ["Two", "One <1>"]


def test_the_page_for_what_is_not_there_works_at_any_depth(site: Callable[..., Path]) -> None:
    page = (site() / "404.html").read_text()

    assert 'href="/repo/assets/theme.css"' in page
    assert not re.findall(r'(?:href|src)="(?!/repo/|#|https:)[^"]', page)
    assert '<meta name="robots" content="noindex">' in page


def test_the_address_can_be_said_elsewhere(site: Callable[..., Path]) -> None:
    assert "https://other.org/x/posts/one.html" in (site(base_url="https://other.org/x") / "sitemap.xml").read_text()


def test_one_file_holds_all_that_its_page_loads(site: Callable[..., Path]) -> None:
    text = single_file(site(), "posts/one.html", ADDRESS).decode()

    assert not re.findall(r'<(?:link rel="stylesheet"|script src=)', text)
    assert not re.findall(r'<img[^>]* src="(?!data:)', text)
    assert f'href="{ADDRESS}/posts/two.html"' in text
    assert "'sha256-" in re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
    assert "'self'" not in text


def test_without_an_address_links_to_other_pages_lead_nowhere(site: Callable[..., Path]) -> None:
    assert "<a>two</a>" in single_file(site(base_url=""), "posts/one.html", "").decode()


def test_one_file_has_the_words_of_its_page_whatever_they_are(site: Callable[..., Path], report: Path) -> None:
    """Such as those that the page itself begins its downloads with, or that a picture's sources are written by."""
    path = report / "content" / "posts" / "one.md"
    words = 'Downloads are [there](two.md).\n\n`<img srcset="a 1x" sizes="9rem">`\n'
    path.write_text(path.read_text() + "\n" + words)
    page = (site() / "posts" / "one.html").read_text()
    text = single_file(site(), "posts/one.html", ADDRESS).decode()
    code = '<code>&lt;img srcset="a 1x" sizes="9rem"&gt;</code>'

    assert code in page
    assert code in text
    assert "<p>Downloads are <a" in text


def test_one_file_holds_a_picture_of_which_drawings_show_parts_once() -> None:
    text = single_file(GOLDEN / "site", "posts/images.html", "").decode()
    whole = re.findall(r'<image id="(picture\.\d)" href="data:image/webp;base64,\w', text)

    assert whole == ["picture.1", "picture.2"]
    assert re.findall(r'<use href="#(picture\.\d)"/>', text) == whole
    assert not re.findall(r'<image[^>]* href="(?!data:)', text)
    assert "Downloads" in (GOLDEN / "site" / "posts" / "images.html").read_text()
    assert "Downloads" not in text


def test_export_knows_the_nearest_page(site: Callable[..., Path]) -> None:
    site()
    done = CliRunner().invoke(main, ["export", "posts/on.html", "--single-file", "x.html"])

    assert done.exit_code == 1
    assert "no page 'posts/on.html' in site; did you mean 'posts/one.html'?" in done.stderr


def test_a_second_build_of_one_folder_stops(report: Path) -> None:
    command = [sys.executable, "-c", "from generator.cli import main; main()", "build", "--store", "store"]
    with locked(report / "site"):
        done = subprocess.run(command, capture_output=True, text=True, cwd=report, env=os.environ, check=False)

    assert done.returncode == 1
    assert (
        "error: another process builds or watches site; wait for it or stop it, or choose another --out" in done.stderr
    )
    assert not (report / "site" / "index.html").exists()
    assert subprocess.run(command, capture_output=True, cwd=report, env=os.environ, check=False).returncode == 0


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_computed(report: Path) -> None:
    (report / "file").write_text("")
    done = CliRunner().invoke(main, ["build", "--out", "file/site"])

    assert done.exit_code == 1
    assert "error: cannot write to file/site: Not a directory" in done.stderr


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("one\n{% if %}", "theme/tag.html:2: Expected an expression, got 'end of statement block', while tags/x.html"),
        ("one\n\n{{ page.nothing }}", "theme/tag.html:3: 'dict object' has no attribute 'nothing', while tags/x.html"),
        ("{{ 1 / 0 }}", "theme/tag.html:1: division by zero, while tags/x.html was rendered"),
        ('{% extends "none.html" %}', "the theme has no template none.html, while tags/x.html was rendered"),
    ],
)
def test_a_mistake_in_a_theme_is_told_with_its_line_and_the_page(
    report: Path, site: Callable[..., Path], template: str, message: str
) -> None:
    toml = report / "content" / "site.toml"
    toml.write_text('theme = "theme"\n' + toml.read_text())
    (report / "content" / "theme").mkdir()
    (report / "content" / "theme" / "tag.html").write_text(template)

    with pytest.raises(BuildError) as found:
        site()

    assert message in str(found.value)


def test_a_new_report_builds_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = starter.new_report(tmp_path / "my-report")
    monkeypatch.chdir(tmp_path / "my-report")
    done = build(Path("content"), Path("site"), ArtifactStore(Path("store")))
    page = Path("site/posts/what-does-it-see.html").read_text()

    assert len(files) == len(starter.FILES)
    assert done.computed == 1
    assert done.broken == ()
    assert "Claim holds" in re.sub(r"\s+", " ", page)
    assert "{{" not in "".join(path.read_text() for path in files if path.suffix != ".yml")
    assert not re.search(r"(?<!\$)\{\{", (tmp_path / "my-report/.github/workflows/publish.yml").read_text())


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (None, f"whatfires~={__version__}"),
        ("{", f"whatfires~={__version__}"),
        (
            '{"url": "https://x.org/w.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            "whatfires @ git+https://x.org/w.git@abc",
        ),
        ('{"url": "https://x.org/w.whl", "archive_info": {}}', "whatfires @ https://x.org/w.whl"),
        (
            '{"url": "file:///home/me/whatfires", "dir_info": {}}',
            "# Installed here from a folder; give its repository: whatfires @ git+https://github.com/…\nwhatfires",
        ),
    ],
)
def test_a_workflow_installs_what_is_installed_here(
    came: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata.PathDistribution, "read_text", lambda self, name: came)
    monkeypatch.setattr(metadata, "distribution", lambda name: metadata.PathDistribution(Path()))

    assert starter.origin() == told


def test_nothing_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")

    with pytest.raises(BuildError, match="full is there already"):
        starter.new_report(tmp_path / "full")


@pytest.mark.parametrize("title", ["How it counts", "'Quoted': a \"title\" # and more", "日本語", "true", "1984"])
def test_a_new_post_is_a_draft_with_its_title(report: Path, title: str) -> None:
    path = starter.new_post(report / "content", title)
    post = read_post(path, report / "content", "new.md")

    assert (post.title, post.draft, post.date) == (printed(title), True, date.today().isoformat())
    with pytest.raises(BuildError, match="is there already"):
        starter.new_post(report / "content", title)


def test_a_post_needs_a_report_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["new", "post", "Title"])

    assert done.exit_code == 1
    assert "start with `whatfires new NAME`" in done.stderr


def test_what_github_pages_does_not_take_is_told(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "pack").write_bytes(bytes(900))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "large.npz").write_bytes(bytes(600))
    (tmp_path / "index.html").write_bytes(bytes(500))

    assert list(beyond_limits(tmp_path)) == []
    assert list(beyond_limits(tmp_path, 1100, 600)) == []
    large, site = beyond_limits(tmp_path, 1099, 599)
    assert large.startswith("data/large.npz has")
    assert site.startswith("the site has")
