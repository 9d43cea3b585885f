"""One good post, and one file for each mistake that an author makes, with the message that it gets."""

from pathlib import Path

import pytest

from generator.content import read_post
from generator.converter import ORDER, Converter
from generator.spec import BuildErrors, Post

INVALID = sorted((Path(__file__).parent / "content" / "invalid").glob("*.md"))


def read(path: Path) -> Post:
    return read_post(path, path.parent, path.name)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_line(path: Path) -> None:
    """The expected messages stand beside the file, in NAME.txt."""
    with pytest.raises(BuildErrors) as caught:
        read(path)

    assert str(caught.value).splitlines() == path.with_suffix(".txt").read_text().splitlines()


def post(tmp_path: Path, body: str) -> Post:
    path = tmp_path / "post.md"
    path.write_text(f"---\ntitle: T\ndate: 2026-02-03\nauthors: [A, B]\n---\n{body}")
    return read(path)


def test_front_matter_and_body_are_read(tmp_path: Path) -> None:
    found = post(tmp_path, "\n# Head\n\nText *em*.\n")

    assert (found.title, found.date, found.authors, found.path) == ("T", "2026-02-03", ("A", "B"), "post.html")
    assert "<em>em</em>" in found.body


def test_a_figure_in_a_fence_of_four_is_shown_not_made(tmp_path: Path) -> None:
    found = post(tmp_path, "\n````markdown\n```figure\nid: a\nkind: nonsense\n```\n````\n")

    assert found.figures == ()
    assert "kind: nonsense" in found.body


def test_an_example_is_a_figure_below_its_own_block(tmp_path: Path) -> None:
    found = post(tmp_path, "\n```example\nid: a\nkind: sample\nmodel: m\n```\n")
    listing, _, after = found.body.partition("</pre>")

    assert [figure.id for figure in found.figures] == ["a"]
    assert "kind" in listing
    assert "sample" in listing
    assert '"a"' in after


def test_values_and_references_in_captions_count(tmp_path: Path) -> None:
    found = post(
        tmp_path, "\n```figure\nid: a\nkind: sample\nmodel: m\ncaption: See [](#b), `{value:.1f} a.loss`.\n```\n"
    )

    assert [(value.figure, value.measure, value.format) for value in found.values] == [("a", "loss", ".1f")]
    assert [name for name, _ in found.references] == ["b"]


def test_a_link_to_a_content_file_becomes_a_link_to_its_page(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "about.md").write_text("")
    path = tmp_path / "posts" / "a.md"
    path.write_text("---\ntitle: T\ndate: 2024-01-01\n---\n[about](../pages/about.md#top)\n")

    assert 'href="../about.html#top"' in read_post(path, tmp_path, "a.md").body


def test_two_figures_keep_their_lines(tmp_path: Path) -> None:
    figure = "```figure\nid: {}\nkind: sample\nmodel: m\n```\n"
    found = post(tmp_path, "\n" + figure.format("a") + "\n" + figure.format("b"))

    assert [figure.place.line for figure in found.figures] == [7, 13]
    assert found.figures[1].at("model").line == 16


def test_the_steps_of_reading_are_done_in_the_order_that_is_said() -> None:
    steps = Converter({}, frozenset({"math", "citations", "notes"})).markdown.treeprocessors
    done = sorted(ORDER, key=steps.get_index_for_name)

    assert done == list(ORDER)
