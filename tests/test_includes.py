"""What a post includes is read as part of it, and its mistakes are told where they were written."""

import re
from pathlib import Path

import pytest

from generator import includes
from generator.content import read_post
from generator.spec import BuildErrors, Place, Post
from tests.conftest import SmallSite

FRONT = "---\ntitle: T\ndate: 2026-02-03\n---\n"  # four lines
FIGURE = "```figure\nid: {}\nkind: sample\nmodel: m\n```\n"


class Folder:
    """A content folder with one post, posts/a.md, and the files that it includes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, body: str) -> Post:
        self.write("content/posts/a.md", FRONT + body)
        return read_post(self.root / "content/posts/a.md", self.root / "content", "content/posts/a.md")

    def wrong(self, body: str) -> list[str]:
        with pytest.raises(BuildErrors) as caught:
            self.read(body)
        return str(caught.value).splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def test_an_included_file_reads_as_if_it_stood_in_the_post(folder: Folder) -> None:
    folder.write("content/parts/setup.md", "## Setup\n\nWe *read* it.\n\n" + FIGURE.format("inner"))
    included = folder.read('Before.\n\n--8<-- "parts/setup.md"\n\nAfter.\n')
    written = folder.read("Before.\n\n## Setup\n\nWe *read* it.\n\n" + FIGURE.format("inner") + "\nAfter.\n")

    assert included.body == written.body
    assert [figure.id for figure in included.figures] == ["inner"]


def test_figures_values_claims_and_references_know_the_file_and_line_that_they_are_written_on(folder: Folder) -> None:
    claim = "\n```claim\nid: holds\nfigure: one\nexpect: characters > 1\ntext: It does.\n```\n"
    words = "\nSee [](#one) and `{value} one.characters`.\n"
    folder.write("content/parts/first.md", "\n" + FIGURE.format("one") + claim + words)
    found = folder.read('One.\n\n--8<-- "parts/first.md"\n\n' + FIGURE.format("two"))
    one, two = found.figures

    assert (one.place, one.at("model")) == (Place("content/parts/first.md", 2), Place("content/parts/first.md", 5))
    assert (two.place, two.at("model")) == (Place("content/posts/a.md", 9), Place("content/posts/a.md", 12))
    assert found.claims[0].place == Place("content/parts/first.md", 10)
    assert found.values[0].place == Place("content/parts/first.md", 15)
    assert found.references == (("one", Place("content/parts/first.md", 15)),)


def test_includes_nest_and_the_place_is_that_of_the_innermost_file(folder: Folder) -> None:
    folder.write("content/outer.md", 'Outer.\n\n--8<-- "deep/inner.md"\n')
    folder.write("content/deep/inner.md", "Inner `{values} x.y`.\n")

    assert folder.wrong('--8<-- "outer.md"\n') == [
        "content/deep/inner.md:1: `{values} x.y` is not like `{value} figure-id.measure` or `{value:.2f} figure-id.measure`"
    ]


def test_an_unknown_key_inside_an_included_figure_is_told_with_that_files_line(folder: Folder) -> None:
    folder.write("content/part.md", "Words.\n\n" + FIGURE.format("one").replace("model: m", "modle: m"))

    messages = folder.wrong('\n\n\n--8<-- "part.md"\n')

    assert "content/part.md:6: figure one: unknown key 'modle'; did you mean 'model'?" in messages


def test_a_mistake_after_an_include_is_told_with_the_posts_own_line(folder: Folder) -> None:
    folder.write("content/part.md", "1\n2\n3\n4\n")

    assert folder.wrong('--8<-- "part.md"\n\n' + FIGURE.format("Bad")) == [
        "content/posts/a.md:8: figure id 'Bad' must be lower-case letters, digits and hyphens"
    ]


def test_a_missing_file_is_told_with_the_nearest_right_word(folder: Folder) -> None:
    folder.write("content/parts/setup.md", "")

    assert folder.wrong('One.\n\n--8<-- "parts/setpu.md"\n') == [
        "content/posts/a.md:7: include 'parts/setpu.md': no such file in content; did you mean 'parts/setup.md'?"
    ]


def test_a_file_outside_the_content_folder_is_refused_also_through_a_link(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "link.md").symlink_to(tmp_path / "secret.md")

    assert folder.wrong('--8<-- "../secret.md"\n--8<-- "link.md"\n--8<-- "/etc/hostname"\n') == [
        f"content/posts/a.md:{line}: include '{name}': it lies outside the content folder content"
        for line, name in ((5, "../secret.md"), (6, "link.md"), (7, "/etc/hostname"))
    ]


def test_a_circle_is_told_once_with_all_that_are_in_it(folder: Folder) -> None:
    folder.write("content/one.md", '--8<-- "two.md"\n')
    folder.write("content/two.md", 'Two.\n--8<-- "one.md"\n')

    assert folder.wrong('--8<-- "one.md"\n') == [
        "content/two.md:2: include 'one.md': it includes itself (one.md → two.md → one.md)"
    ]


@pytest.mark.parametrize("line", ["--8<-- parts/a.md", "--8<--", '--8<-- "a.md" "b.md"', '--8<-- "a.md'])
def test_a_line_that_is_nearly_an_include_is_told(folder: Folder, line: str) -> None:
    assert folder.wrong(f"{line}\n") == [f'content/posts/a.md:5: {line!r} is not like --8<-- "parts/setup.md"']


def test_a_file_that_is_no_text_or_a_post_is_refused(folder: Folder, tmp_path: Path) -> None:
    folder.write("content/posts/b.md", FRONT)
    (tmp_path / "content" / "latin.md").write_bytes(b"caf\xe9")

    assert folder.wrong('--8<-- "posts/b.md"\n--8<-- "latin.md"\n') == [
        "content/latin.md:1: is not UTF-8 text (unexpected end of data at byte 3)",
        "content/posts/a.md:5: include 'posts/b.md': it has front matter, and so is a post of its own",
    ]


def test_a_fence_that_an_included_file_leaves_open_is_told(folder: Folder) -> None:
    folder.write("content/part.md", "Words.\n\n```python\nx = 1\n")

    assert folder.wrong('--8<-- "part.md"\n') == [
        "content/part.md:3: this fence is not closed in its file, and would run on into others"
    ]


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_inside_fenced_code_an_include_is_shown_and_not_made(folder: Folder, fence: str) -> None:
    found = folder.read(f'{fence}markdown\n--8<-- "no/such.md"\n{fence}\n')

    assert "--8&lt;-- " in re.sub("<[^>]+>", "", found.body)


def test_an_escaped_include_is_shown_without_its_semicolon(folder: Folder) -> None:
    text = re.sub("<[^>]+>", "", folder.read('    ;--8<-- "no/such.md"\n').body)

    assert text.startswith("--8&lt;-- ")
    assert ";--8" not in text


def test_an_include_that_stands_further_in_brings_its_lines_as_far_in(folder: Folder) -> None:
    folder.write("content/part.md", "more\n\n" + FIGURE.format("one"))
    found = folder.read('- item\n\n    --8<-- "part.md"\n\n- last\n')

    assert re.search(r"<li>\s*<p>item</p>\s*<p>more</p>\s*<div class=\"hole\" data-figure=\"one\"", found.body)


def test_a_file_that_is_included_twice_is_named_where_its_ids_clash(folder: Folder) -> None:
    folder.write("content/part.md", FIGURE.format("one"))

    assert folder.wrong('--8<-- "part.md"\n\n--8<-- "part.md"\n') == [
        "content/part.md:1: two blocks have the id 'one'; its file is included twice"
    ]


def test_an_id_in_two_files_is_told_with_the_place_of_the_other(folder: Folder) -> None:
    folder.write("content/part.md", FIGURE.format("one"))

    assert folder.wrong(FIGURE.format("one") + '\n--8<-- "part.md"\n') == [
        "content/part.md:1: two blocks have the id 'one'; the first is at content/posts/a.md:5"
    ]


def test_includes_that_double_each_other_end(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(includes, "MOST_LINES", 1000)
    for number in range(40):
        folder.write(f"content/{number}.md", f'--8<-- "{number + 1}.md"\n' * 2)
    folder.write("content/40.md", "x\n")

    assert folder.wrong('--8<-- "0.md"\n') == ["content/40.md:1: with all that it includes it has over 1,000 lines"]


def test_a_page_is_written_again_when_what_it_includes_is_edited(quick_site: SmallSite) -> None:
    post = '---\ntitle: A post\ndate: 2026-01-02\n---\n\n--8<-- "part.md"\n'
    (quick_site.content / "part.md").write_text("first words\n")
    quick_site.post(post)
    quick_site.build()
    before = quick_site.read()
    (quick_site.content / "part.md").write_text("other words\n")
    done = quick_site.build()

    assert "first words" in before
    assert "other words" in quick_site.read()
    assert done.computed == 0
