"""Whole builds of a small site: what is done, and what is not done again."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from generator.artifact import Artifact, ArtifactStore
from generator.figures import sample
from generator.files import write_whole
from generator.pipeline import build
from generator.spec import BuildError, BuildErrors
from generator.themes import environment
from tests.conftest import POST, ROOT, SITE_TOML, SmallSite
from tests.forked import command, started


def test_values_and_references_are_filled_in(quick_site: SmallSite) -> None:
    quick_site.post(POST + "\n`{value:.1f} written.characters` and `{value:.0%} written.characters`.\n")
    quick_site.build()
    page = quick_site.read()
    words = re.sub(r"<[^>]+>", "", page)

    assert "Words before Figure 1, which has 30 characters." in words
    assert "30.0 and 3000%." in words
    assert 'class="hole"' not in page


def test_search_and_lists_tell_the_numbers_and_references_of_a_page(quick_site: SmallSite) -> None:
    """They were left out of the words that are searched, and a description was searched as it is written."""
    quick_site.post(POST)
    (quick_site.content / "pages" / "guide").mkdir(parents=True)
    page = POST.replace(
        "date: 2026-01-02\ntags: [small]", """description: 'Of {value:.1f} written.characters, it''s "so".'"""
    )
    (quick_site.content / "pages" / "guide" / "deep.md").write_text(page)
    (quick_site.content / "pages" / "guide.md").write_text("---\ntitle: Guide\n---\n")
    quick_site.build()
    rows = {row[0]: row[4] for row in json.loads(quick_site.read("assets/search-index.js").partition("= ")[2][:-2])}

    assert rows["posts/a.html"] == "Words before Figure 1, which has 30 characters."
    assert rows["guide/deep.html"] == f"Of 30.0, it’s “so”. {rows['posts/a.html']}"
    assert "<span>Of 30.0, it’s “so”.</span>" in quick_site.read("guide.html")


def test_a_figure_may_be_called_as_a_part_of_another_would_be(quick_site: SmallSite) -> None:
    block = POST.partition("\n\n```")[2].replace("id: written", "id: written-number")
    claim = "\n```claim\nid: written-sample-1\nfigure: written\nexpect: characters > 1\ntext: T\n```\n"
    quick_site.post(f"{POST}\n```{block}\n{claim}")
    quick_site.build()
    page = quick_site.read()
    ids = re.findall(r'\bid="([^"]+)"', page)
    named = re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', page)

    assert {"written", "written-number", "written-sample-1"} < set(ids)
    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)


def test_the_thumbnail_of_a_post_is_the_one_chosen_or_else_the_first_that_is_large_enough(
    quick_site: SmallSite,
) -> None:
    block = "\n```figure\nid: {0}\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\nsize: {1}\n```\n"
    post = "---\ntitle: Sizes\ndate: 2026-01-02\n---\n"
    small, large, larger = block.format("small", 32), block.format("large", 128), block.format("larger", 160)

    widths = []
    chosen = post.replace("Sizes", "Sizes\npicture: larger")
    for text in (post + small + large + larger, post + small, chosen + small + large + larger):
        quick_site.post(text)
        quick_site.build()
        widths.append(re.findall(r'post-picture.*?width="(\d+)"', quick_site.read("index.html")))

    assert widths == [["128"], ["32"], ["160"]]


def test_a_page_tells_how_many_threads_computed_a_figure_and_other_threads_compute_nothing_anew(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 7)
    small_site.build()
    monkeypatch.setattr("torch.get_num_threads", lambda: 3)

    assert small_site.build().computed == 0
    assert "<dt>threads</dt><dd>7</dd>" in small_site.read()


def test_a_second_build_computes_nothing_and_writes_nothing(small_site: SmallSite) -> None:
    first = small_site.build()
    times = {path: path.stat().st_mtime_ns for path in small_site.out.rglob("*")}
    second = small_site.build()

    assert (first.computed, second.computed, second.written, second.removed) == (1, 0, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in small_site.out.rglob("*")} == times


def test_a_second_build_imports_neither_torch_nor_what_renders(small_site: SmallSite) -> None:
    small_site.build()
    code = (
        "import sys; from pathlib import Path\n"
        "from generator.pipeline import build; from generator.artifact import ArtifactStore\n"
        "done = build(Path('content'), Path('site'), ArtifactStore(Path('store')))\n"
        "print(done.computed, done.written, {'torch', 'jinja2', 'rich'} & {*sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=small_site.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["0", "0", "set()"]


def test_a_changed_caption_recomputes_no_figure_and_rewrites_its_page(small_site: SmallSite) -> None:
    small_site.build()
    small_site.post(POST.replace("What it *writes*", "What it *dreams*"))
    done = small_site.build()

    assert done.computed == 0
    assert "<em>dreams</em>" in small_site.read()


def test_a_changed_option_recomputes_one_figure(small_site: SmallSite) -> None:
    two = POST + "\n```figure\nid: more\nkind: sample\nmodel: tiny-text\nlength: 20\n```\n"
    small_site.post(two)
    small_site.build()
    small_site.post(two.replace("length: 20", "length: 21"))

    assert small_site.build().computed == 1


def test_a_changed_theme_recomputes_nothing_and_rewrites_pages(small_site: SmallSite) -> None:
    small_site.build()
    theme = small_site.content / "theme"
    theme.mkdir()
    (theme / "claim.html").write_text("")
    (theme / "figure.html").write_text('<figure id="{{ figure.id }}">mine {{ content }}</figure>')
    small_site.toml('theme = "theme"\n' + SITE_TOML)
    done = small_site.build()

    assert done.computed == 0
    assert '<figure id="written">mine' in small_site.read()


def test_a_site_has_the_styles_and_scripts_of_the_kinds_that_it_shows_and_of_no_other(quick_site: SmallSite) -> None:
    quick_site.build()
    before = quick_site.read("assets/theme.css")
    text = "\n```figure\nid: cells\nkind: activation-text\nmodel: tiny-text\nunits: [{group: cell, index: 1}]\ntext: {literal: abcdef}\n```\n"
    quick_site.post(POST + text)
    quick_site.build()

    assert "\n.sample " in before
    assert "\n.claim " in before
    assert ".activation-text" not in before
    assert "\n.activation-text " in quick_site.read("assets/theme.css")
    assert {"theme.js", "search.js", "activation-text.js"} < {path.name for path in quick_site.out.glob("assets/*.js")}
    assert not (quick_site.out / "assets" / "attention.js").exists()


def test_after_any_edit_an_incremental_build_equals_a_cold_one(small_site: SmallSite, tmp_path: Path) -> None:
    small_site.build()
    small_site.post(POST.replace("length: 30", "length: 31").replace("small", "other"))
    small_site.post(POST.replace("A post", "Second"), "b")
    small_site.build()
    small_site.post(POST.replace("A post", "Third"), "c")
    (small_site.content / "posts" / "b.md").unlink()
    small_site.build()
    cold = tmp_path / "cold"
    build(small_site.content, cold, small_site.store)

    def told(files: dict[str, bytes]) -> dict[str, bytes]:
        report = json.loads(files.pop("report.json"))
        for figure in report["figures"]:
            figure.pop("cached")  # whether this build or an earlier one computed it
        return files | {"report": json.dumps(report).encode()}

    cold_files = {path.relative_to(cold).as_posix(): path.read_bytes() for path in cold.rglob("*") if path.is_file()}
    assert told(small_site.files()) == told(cold_files)


def test_what_no_page_refers_to_is_removed_and_dot_files_are_not(small_site: SmallSite) -> None:
    small_site.post(POST, "gone")
    small_site.build()
    (small_site.out / ".gitignore").write_text("*")
    (small_site.content / "posts" / "gone.md").unlink()
    done = small_site.build()

    assert not (small_site.out / "posts" / "gone.html").exists()
    assert (small_site.out / ".gitignore").exists()
    assert done.removed == 1


def test_a_folder_with_other_files_is_not_written_to(small_site: SmallSite) -> None:
    small_site.out.mkdir()
    (small_site.out / "thesis.tex").write_text("years of work")

    with pytest.raises(BuildError, match="did not write"):
        small_site.build()
    assert (small_site.out / "thesis.tex").exists()


def test_a_folder_with_a_report_of_another_tool_is_not_written_to(small_site: SmallSite) -> None:
    small_site.out.mkdir()
    (small_site.out / "report.json").write_text('{"tool": "other"}')

    with pytest.raises(BuildError, match="did not write"):
        small_site.build()


def test_the_content_is_no_place_for_the_site(small_site: SmallSite) -> None:
    for out in (small_site.folder, small_site.content):
        (out / "report.json").write_text('{"schema": 1, "pages": []}')
        with pytest.raises(BuildError, match="holds the content"):
            build(small_site.content, out, small_site.store)


def test_what_is_in_dot_folders_of_the_site_stays(small_site: SmallSite) -> None:
    """A published site is often a checkout of its own, and git needs its empty folders."""
    small_site.build()
    (small_site.out / ".git" / "refs").mkdir(parents=True)
    small_site.post(POST.replace("A post", "Another"))
    small_site.build()

    assert (small_site.out / ".git" / "refs").is_dir()


def test_what_a_page_loads_is_written_before_it_and_the_account_last(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.figure("id: t\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\nsize: 32\n")
    names = []

    def noted(path: Path, content: bytes, lasting: bool = True) -> None:
        names.append(path.relative_to(small_site.out).as_posix())
        write_whole(path, content)

    monkeypatch.setattr("generator.site_folder.write_whole", noted)
    small_site.build()
    pages = [name.endswith((".html", ".xml")) for name in names]

    assert names[0] == names[-1] == "report.json"  # the first only takes the folder
    assert pages[1:-1] == sorted(pages[1:-1])
    assert {True, False} == set(pages[1:-1])


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_build_that_was_stopped_while_it_wrote_is_gone_on_with(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    small_site.build()
    whole = small_site.files()
    shutil.rmtree(small_site.out)
    written = []

    def stop(path: Path, content: bytes, lasting: bool = True) -> None:
        if len(written) > after:
            raise KeyboardInterrupt
        written.append(path)
        write_whole(path, content)

    monkeypatch.setattr("generator.site_folder.write_whole", stop)
    with pytest.raises(KeyboardInterrupt):
        small_site.build()
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)
    small_site.build()

    assert {**small_site.files(), "report.json": b""} == {**whole, "report.json": b""}


def test_pages_that_would_overwrite_each_other_are_told(quick_site: SmallSite) -> None:
    page = "---\ntitle: T\n---\n\nText.\n"
    for name in ("index", "posts/a"):
        path = quick_site.content / "pages" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page)
    quick_site.post(POST.replace("[small]", "[C, C++]"))

    with pytest.raises(BuildErrors) as caught:
        quick_site.build()
    message = str(caught.value)
    assert "its page index.html is also that of every site" in message
    assert "its page posts/a.html is also that of content/pages/posts/a.md" in message
    assert "the tags 'C' and 'C++' would share a page" in message


def test_a_feed_is_well_formed_whatever_a_text_holds(quick_site: SmallSite) -> None:
    quick_site.post(POST.replace("Words before", "A bell \x07 and an escape \x1b"))
    quick_site.build()

    ElementTree.fromstring((quick_site.out / "feed.xml").read_bytes())


def test_a_figure_that_fails_in_an_unforeseen_way_does_not_stop_the_others(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.post(POST + "\n```figure\nid: fails\nkind: sample\nmodel: tiny-text\nlength: 20\n```\n")
    compute = sample.compute

    def fails(options: sample.Options, inputs: object) -> Artifact:
        assert options.length != 20
        return compute(options, inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(sample, "compute", fails)
    with pytest.raises(BuildErrors, match="figure fails: AssertionError"):
        small_site.build()
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)

    assert small_site.build().computed == 1


def test_a_build_that_fails_leaves_the_site_as_it_was_and_keeps_what_was_computed(small_site: SmallSite) -> None:
    small_site.build()
    before = small_site.files()
    small_site.post(
        POST.replace("length: 30", "length: 33")
        + "\n```figure\nid: bad\nkind: sample\nmodel: tiny-text\ntemperatures: [99.0]\n```\n"
    )

    with pytest.raises(BuildErrors, match=r"content/posts/a.md:18: figure bad: temperatures"):
        small_site.build()
    assert small_site.files() == before
    small_site.post(POST.replace("length: 30", "length: 33"))
    assert small_site.build().computed == 0


def test_all_errors_of_a_build_are_told_together(small_site: SmallSite) -> None:
    small_site.figure("id: a\nkind: smaple\n")
    small_site.post(POST.replace("model: tiny-text", "model: tiny-txet"), "b")
    small_site.post(POST.replace("#written", "#writen"), "c")
    small_site.post(
        "---\ntitle: x\ndate: 2026-01-02\n---\n\n"
        "```figure\nid: d\nkind: class-image\nmodel: tiny-vision\nclasses: [f]\n```\n",
        "d",
    )

    with pytest.raises(BuildErrors) as caught:
        small_site.build()

    assert [str(error) for error in caught.value.errors] == [
        "content/posts/a.md:8: unknown kind 'smaple'; did you mean 'sample'?".replace("unknown", "figure a: unknown"),
        "content/posts/b.md:12: figure written: unknown model 'tiny-txet'; did you mean 'tiny-text'?",
        "content/posts/c.md:7: [](#writen) points to nothing; did you mean 'written'?",
        "content/posts/d.md:10: figure d: unknown class 'f' of model tiny-vision; known: a, b, c, d, e",
    ]


def test_data_that_is_not_here_is_replaced_by_otherwise_and_the_page_says_so(quick_site: SmallSite) -> None:
    quick_site.toml(SITE_TOML + '\n[datasets.far]\nsource = "text"\npath = "nowhere/*.txt"\n')
    figure = "id: t\nkind: activation-text\nmodel: tiny-text\nunits: [{index: 1}]\ntext: {dataset: far, length: 9}\n"
    quick_site.figure(figure)
    with pytest.raises(BuildErrors, match=r"a.md:11: figure t: data set far: no file matches nowhere"):
        quick_site.build()
    quick_site.figure(figure + "otherwise: {text: {literal: here}}\n")
    quick_site.build()

    assert "far is not at hand" in quick_site.read()


def test_hostile_text_is_shown_as_text(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: t\nkind: activation-text\nmodel: tiny-text\nunits: [{index: 1}]\n"
        'text: {literal: "<script>alert(1)</script>&\\"\'"}\n'
    )
    quick_site.build()

    tags = re.findall(r"<script[^>]*>", quick_site.read())
    assert all('src="' in tag or 'type="application/' in tag for tag in tags)
    assert "alert(1)</script>" not in quick_site.read()


def test_the_feed_has_the_text_of_a_figure_without_the_data_of_its_scripts(quick_site: SmallSite) -> None:
    quick_site.figure(
        "id: t\nkind: activation-text\nmodel: tiny-text\nunits: [{index: 1}]\ntext: {literal: readable}\n"
    )
    quick_site.build()
    feed = unescape(quick_site.read("feed.xml"))

    assert "octet-stream" in quick_site.read()
    assert "readable" in re.sub(r"<[^>]+>", "", feed)
    assert "<script" not in feed


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value and ("rel", "canonical") not in attrs:
                self.links.append(value)
            if name == "id" and value:
                self.ids.append(value)


def test_every_link_and_anchor_resolves_and_nothing_is_loaded_from_elsewhere(quick_site: SmallSite) -> None:
    quick_site.build()
    pages = {path: Links() for path in quick_site.out.rglob("*.html")}
    for path, links in pages.items():
        links.feed(path.read_text())

    assert len(pages) == 7
    for path, links in pages.items():
        assert len(links.ids) == len(set(links.ids))
        for link in links.links:
            if link.startswith("data:"):
                continue
            target, _, anchor = link.partition("#")
            assert not target.startswith(("http", "//")), f"{path} loads or links {link}"
            if target and path.name == "404.html":  # it stands at any address, so it links from the site's root
                target = str(quick_site.out / target.removeprefix("/report/"))
            resolved = (path.parent / target).resolve() if target else path
            assert resolved.exists(), f"{path}: {link}"
            assert not anchor or anchor in pages[resolved].ids, f"{path}: {link}"


def test_report_tells_pages_figures_claims_and_models(quick_site: SmallSite) -> None:
    claim = "\n```claim\nid: long\nfigure: written\nexpect: characters >= 30\ntext: It writes enough.\n```\n"
    quick_site.post(POST + claim + claim.replace("id: long", "id: longer").replace(">= 30", "> 30"))
    done = quick_site.build()
    report = json.loads((quick_site.out / "report.json").read_text())

    assert done.broken == ("longer",)
    assert report["schema"] == 1
    assert report["pages"] == [{"path": "posts/a.html", "title": "A post", "figures": ["written"]}]
    (figure,) = report["figures"]
    assert set(figure) == {"id", "page", "kind", "model", "key", "cached", "seconds", "device", "files"} | {
        "measures",
        "intervals",
        "failure",
        "steps",
    }
    assert figure["measures"] == {"characters": 30, "tokens": 30}
    assert [(row["id"], row["status"], row["value"]) for row in report["claims"]] == [
        ("long", "holds", 30.0),
        ("longer", "broken", 30.0),
    ]
    assert set(report["models"]["tiny-text"]) == {"source", "checkpoint", "digest", "measures"}
    assert 'data-status="broken"' in quick_site.read()


def test_a_build_that_was_killed_is_gone_on_with_and_gives_the_same_site(small_site: SmallSite) -> None:
    """Killed at many moments, then built: as an undisturbed build with the same artifacts."""
    blocks = [
        f"\n```figure\nid: f{number}\nkind: sample\nmodel: tiny-text\nlength: {20 + number}\n```\n"
        for number in range(6)
    ]
    small_site.post(POST + "".join(blocks))
    for wait in (0.2, 0.5, 0.8):
        process = started(command, "build", "--store", "store", folder=small_site.folder)
        time.sleep(wait)
        process.kill()
        process.join()
    small_site.build()
    disturbed = small_site.files()
    undisturbed = small_site.folder / "undisturbed"
    build(small_site.content, undisturbed, small_site.store)

    again = {
        path.relative_to(undisturbed).as_posix(): path.read_bytes() for path in undisturbed.rglob("*") if path.is_file()
    }
    assert {name: content for name, content in disturbed.items() if name != "report.json"} == {
        name: content for name, content in again.items() if name != "report.json"
    }
    assert sorted(disturbed) == sorted(again)


def test_an_interrupted_build_keeps_what_it_computed(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    small_site.post(POST + "\n```figure\nid: more\nkind: sample\nmodel: tiny-text\nlength: 20\n```\n")
    put = ArtifactStore.put

    def put_then_interrupt(self: ArtifactStore, key: str, artifact: object) -> None:
        put(self, key, artifact)  # type: ignore[arg-type]
        if "samples" in artifact.data:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    monkeypatch.setattr(ArtifactStore, "put", put_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        small_site.build()
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)

    assert small_site.build().computed == 1


def test_two_sites_in_one_process_share_nothing(small_site: SmallSite, tmp_path: Path) -> None:
    other = SmallSite(tmp_path / "other", tmp_path / "other-store")
    other.toml(SITE_TOML.replace("Small <models>", "Other"))

    assert (small_site.build().computed, other.build().computed) == (1, 1)
    assert "Other" in other.read()
    assert "Small &lt;models&gt;" in small_site.read()


def test_a_site_needs_no_folder_for_compiled_templates(
    small_site: SmallSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "none"))
    environment.cache_clear()

    small_site.post(POST)
    small_site.build()

    assert environment("").bytecode_cache is None
    environment.cache_clear()
