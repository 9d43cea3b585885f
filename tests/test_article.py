"""What an article may hold: math, citations, notes beside the text, the author's own images, and how posts hang together."""

import html
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from generator.artifact import ArtifactStore
from generator.content import read_post
from generator.metadata import bibtex
from generator.pipeline import build
from generator.spec import BuildErrors, Post, Site
from tests.conftest import POST, SmallSite

HEAD = "---\ntitle: {}\ndate: {}\n{}---\n\n"
BIB = """@article{olah2017,
  author = {Olah, Chris and Mordvintsev, Alexander},
  title = {Feature Visualization},
  journal = {Distill},
  year = {2017},
}
@misc{muller, author = {Andr{\\'e} M{\\"u}ller}, title = {On Stra{\\ss}en}, year = 2015}
"""
Read = Callable[..., Post]


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "content"
    (folder / "posts").mkdir(parents=True)
    (folder / "site.toml").write_text('title = "T"\nbase_url = "https://example.org/t"\nauthor = "A. Author"\n')
    (folder / "references.bib").write_text(BIB)
    return folder


def write(
    content: Path, body: str, name: str = "a", date: str = "2024-01-02", more: str = "", title: str = "A"
) -> Path:
    path = content / "posts" / f"{name}.md"
    path.write_text(HEAD.format(title, date, more) + body + "\n", "utf-8")
    return path


@pytest.fixture
def read(content: Path) -> Read:
    def once(body: str, **more: str) -> Post:
        return read_post(write(content, body, **more), content, "posts/a.md")

    return once


@pytest.fixture
def page(content: Path) -> Callable[..., str]:
    """A page of the site, as it is built."""

    def once(path: str = "posts/a.html", drafts: bool = False) -> str:
        build(content, content.parent / "site", ArtifactStore(content.parent / "store"), drafts=drafts)
        return (content.parent / "site" / path).read_text("utf-8")

    return once


def told(read: Read, body: str, **more: str) -> list[str]:
    with pytest.raises(BuildErrors) as found:
        read(body, **more)
    return str(found.value).splitlines()


def test_math_is_mathml_with_its_tex(read: Read) -> None:
    body = read("Scores $s = Wx + b$, and\n\n$$\\frac{1}{2}$$\n").body

    inline, block = re.findall(r"<math.*?</math>", body)
    assert 'display="inline"' in inline
    assert 'alttext="s = Wx + b"' in inline
    assert "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>" in block
    assert "xmlns" not in body


def test_prices_and_code_are_no_math(read: Read) -> None:
    body = read("It costs $5 and $6, or `$x$`.\n\n```sh\necho $HOME $PATH\n```\n").body

    assert "<math" not in body
    assert "$5 and $6" in body


def test_a_command_that_is_not_known_is_told_with_its_line(read: Read) -> None:
    (line,) = told(read, "Text.\n\nMore $\\foo{x} + 1$.")

    assert line == "posts/a.md:8: math: \\foo in '\\\\foo{x} + 1' is a command that latex2mathml does not know"


def test_math_that_cannot_be_read_is_told(read: Read) -> None:
    (line,) = told(read, "One $\\frac$ two.")

    assert line.startswith("posts/a.md:6: math: '\\\\frac' cannot be read as TeX")


def test_citations_are_numbered_as_they_come_and_listed(read: Read) -> None:
    post = read("First [@muller], then [@olah2017, p. 3; @muller].")
    text = html.unescape(re.sub(r'<span class="card".*?</span>(?=</span>)|<[^>]+>', "", post.body, flags=re.DOTALL))

    assert "First [1], then [2, p. 3; 1]." in text
    assert re.findall(r'<li id="ref-([^"]+)"', post.body) == ["muller", "olah2017"]
    assert "André Müller.\nOn Straßen.\n2015." in text
    assert "Feature Visualization." in text  # its capitals are the author's
    assert 'href="#cite-muller-2"' in post.body
    assert 'id="cite-muller-2"' in post.body
    assert post.reads == ("references.bib",)


def test_a_heading_of_the_authors_may_be_called_references_too(read: Read) -> None:
    body = read("## References\n\n[@olah2017]\n").body

    ids = re.findall(r' id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert 'id="references"' in body


def test_a_key_that_another_begins_with_is_numbered_where_it_is_cited_itself(read: Read, content: Path) -> None:
    (content / "references.bib").write_text(
        "".join(f"@misc{{{key}, title={{A}}}}\n" for key in ("ann20", "bob", "ann"))
    )
    body = read("[@ann20]\n\n[@bob]\n\n[@ann]\n").body

    assert re.findall(r'href="#ref-(\w+)">(\d)', body) == [("ann20", "1"), ("bob", "2"), ("ann", "3")]
    assert told(read, "[@ann20]\n\n[@an]\n")[0].startswith("posts/a.md:8: [@an]: no such reference")


def test_keys_that_differ_in_their_punctuation_alone_are_told_apart(read: Read, content: Path) -> None:
    (content / "references.bib").write_text("@misc{a:b, title={A}}\n@misc{a-b, title={B}}\n")
    body = read("[@a:b; @a-b]\n").body
    ids = re.findall(r' id="([^"]+)"', body)

    assert len(ids) == len(set(ids)) == 5
    assert set(re.findall(r'href="#([^"]+)"', body)) < set(ids)


def test_no_heading_takes_an_id_of_the_frame(read: Read) -> None:
    post = read("## Main\n\n## Other\n\n## More\n")

    assert '<h2 id="main-section">' in post.body
    assert 'href="#main-section"' in post.contents


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "the frame of the page"), ("## Main {#main}", "a heading"), ("Words\n{: #main }", "an element <p>")],
)
def test_a_block_with_an_id_that_is_there_already_is_told(read: Read, text: str, said: str) -> None:
    block = "```claim\nid: main\nfigure: f\nexpect: a > 1\ntext: T\n```\n"

    assert f"claim main: {said} has this id, too; call one of them otherwise" in told(read, f"{text}\n\n{block}")[0]


def test_captions_cite_too(read: Read) -> None:
    figure = "```figure\nid: x\nkind: templates\nmodel: m\ncaption: As in [@olah2017].\n```\n"
    post = read(f"{figure}\nAnd [@muller].")

    assert 'href="#ref-olah2017">1</a>' in post.figures[0].caption
    assert 'href="#ref-muller">2</a>' in post.body


def test_an_unknown_citation_is_told_with_the_nearest(read: Read) -> None:
    assert told(read, "Text.\n\nSee [@olah2018].") == [
        "posts/a.md:8: [@olah2018]: no such reference in content/references.bib; did you mean 'olah2017'?"
    ]


def test_a_mistake_in_the_bibliography_is_told_with_its_line(read: Read, content: Path) -> None:
    (content / "references.bib").write_text("@misc{one, title = {A}}\n\n@misc{two,\n title = \n}\n")
    (line,) = told(read, "See [@one].")

    assert line.startswith("content/references.bib:5: ")


def test_notes_stand_below_and_beside_and_are_read_aloud_once(read: Read) -> None:
    body = read("Word[^n], word.\n\n[^n]: A *note* with $x$ and [@olah2017].\n").body
    root = ElementTree.fromstring(f"<div>{html.unescape(body).replace('<hr>', '')}</div>")

    (beside,) = root.iter("small")
    assert beside.get("aria-hidden") == "true"
    assert "".join(beside.itertext()).startswith("1 A note with")
    assert not [one for one in beside.iter() if one.get("id")]
    assert all(link.get("tabindex") == "-1" for link in beside.iter("a"))
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))


def test_a_note_that_is_more_than_words_stands_below_alone(read: Read) -> None:
    assert "side-note" not in read("Word[^n].\n\n[^n]: A list:\n\n    - one\n").body


def picture(path: Path, width: int, height: int, **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((width, height)).save(path, **more)


def test_an_image_beside_a_post_is_shown_as_webp_with_its_size(content: Path, page: Callable[..., str]) -> None:
    picture(content / "posts" / "pics" / "one.png", 300, 200)
    write(content, "![A gradient](pics/one.png)")
    (tag,) = re.findall(r"<img[^>]*>", page())
    (name,) = re.findall(r'src="\.\./(media/[^"]+\.webp)"', tag)

    assert 'alt="A gradient"' in tag
    assert 'width="300"' in tag
    assert 'height="200"' in tag
    assert 'loading="lazy"' in tag
    with Image.open(BytesIO((content.parent / "site" / name).read_bytes())) as image:
        assert (image.format, image.size) == ("WEBP", (300, 200))


def test_a_large_image_comes_in_two_widths(content: Path, page: Callable[..., str]) -> None:
    picture(content / "posts" / "one.jpg", 4000, 1000)
    write(content, "![A gradient](one.jpg)")
    tag = re.findall(r"<img[^>]*>", page())[0]

    widths = re.findall(r"(media/\S+) (\d+)w", tag)
    assert [width for _, width in widths] == ["720", "1440"]
    for name, width in widths:
        with Image.open(content.parent / "site" / name) as image:
            assert image.size == (int(width), int(width) // 4)


def test_a_photograph_is_turned_as_its_camera_says_and_tells_no_place(content: Path, page: Callable[..., str]) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    picture(content / "posts" / "one.jpg", 300, 200, exif=exif)
    write(content, "![A gradient](one.jpg)")
    tag = re.findall(r"<img[^>]*>", page())[0]
    name = re.findall(r"media/[^\"]+", tag)[0]

    assert 'width="200" height="300"' in " ".join(sorted(re.findall(r'(?:width|height)="\d+"', tag), reverse=True))
    with Image.open(content.parent / "site" / name) as image:
        assert image.size == (200, 300)
        assert not image.getexif()


def test_a_drawing_is_carried_as_it_is(content: Path, page: Callable[..., str]) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40"/></svg>'
    (content / "posts" / "one.svg").write_bytes(drawing)
    write(content, "![A line](one.svg)")
    tag = re.findall(r"<img[^>]*>", page())[0]

    assert 'width="40"' in tag
    assert (content.parent / "site" / re.findall(r"media/[^\"]+", tag)[0]).read_bytes() == drawing


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("![What](none.png)", "image none.png: there is no such file; did you mean 'one.png'?"),
        ("![](one.png)", "image one.png: say in the brackets what it shows"),
        (
            "![What](https://example.org/a.png)",
            "image https://example.org/a.png: no page loads anything from elsewhere",
        ),
        ("![What](../../outside.png)", "image ../../outside.png: there is no such file"),
        ("![What](text.png)", "image text.png: it cannot be read as an image"),
        ("![What](long.png)", "image long.png: it has 50,000 × 2,001 pixels; at most 80,000,000 in all are read"),
        ("![What](endless.svg)", "image endless.svg: its entities are not read"),
    ],
)
def test_an_image_that_cannot_be_shown_is_told_with_its_line(
    content: Path, read: Read, body: str, message: str
) -> None:
    picture(content / "posts" / "one.png", 4, 4)
    picture(content.parent / "outside.png", 4, 4)
    (content / "posts" / "text.png").write_text("no image")
    (content / "posts" / "endless.svg").write_text('<!DOCTYPE a [<!ENTITY a "b">]><svg viewBox="0 0 1 1">&a;</svg>')
    if "long" in body:
        Image.new("1", (50_000, 2_001)).save(content / "posts" / "long.png")

    (line,) = told(read, f"Text.\n\n{body}")

    assert line.startswith(f"posts/a.md:8: {message}")


def test_an_ornament_needs_no_words(content: Path, read: Read) -> None:
    picture(content / "posts" / "one.png", 4, 4)

    assert 'alt=""' in read("![](one.png){role=presentation}").body


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("date: 2024-01-02\n", "posts/a.md:1: the key 'title' is missing"),
        ("title: ''\ndate: 2024-01-02\n", "posts/a.md:2: title: "),
        ("title: A\n", "posts/a.md:1: a post has a date, such as date: 2017-05-01"),
        ("title: A\ndate: soon\n", "posts/a.md:3: date: Invalid isoformat string: 'soon'"),
        ("title: A\ndate: 2024-01-02\nupdated: 2023-01-01\n", "posts/a.md:4: updated: 2023-01-01 is before its date"),
    ],
)
def test_front_matter_that_a_post_cannot_have(content: Path, front: str, message: str) -> None:
    path = content / "posts" / "a.md"
    path.write_text(f"---\n{front}---\n\nText.\n")

    with pytest.raises(BuildErrors) as found:
        read_post(path, content, "posts/a.md")

    assert str(found.value).startswith(message)


def test_two_files_of_one_address_are_told(content: Path, page: Callable[..., str]) -> None:
    write(content, "Text.", name="post")
    write(content, "Text.", name="Post")

    with pytest.raises(BuildErrors, match=r"posts/post\.md:1: its page posts/post\.html is also that of .*Post\.md"):
        page()


def test_a_reference_to_nothing_is_told(content: Path, page: Callable[..., str]) -> None:
    write(content, "## Heading\n\nSee [](#headin).")

    with pytest.raises(BuildErrors, match=r"posts/a\.md:8: \[\]\(#headin\) points to nothing; did you mean 'heading'"):
        page()


def test_posts_name_the_ones_before_and_after(content: Path, page: Callable[..., str]) -> None:
    for day, name in enumerate(("old", "mid", "new"), 1):
        write(content, "Text.", name=name, date=f"2024-01-0{day}", title=name.upper())

    middle = page("posts/mid.html")
    assert re.search(r'rel="prev" href="\.\./posts/old\.html">.*OLD', middle)
    assert re.search(r'rel="next" href="\.\./posts/new\.html">.*NEW', middle)
    assert 'rel="next"' not in page("posts/new.html")


def test_parts_of_a_series_name_one_another(content: Path, page: Callable[..., str]) -> None:
    for day, name in enumerate(("one", "two", "other"), 1):
        series = "" if name == "other" else "series: Cells\n"
        write(content, "Text.", name=name, date=f"2024-01-0{day}", title=name.upper(), more=series)

    assert "Part 2 of 2 of Cells" in page("posts/two.html")
    assert '<b aria-current="page" dir="auto">TWO</b>' in page("posts/two.html")
    assert "Cells" not in page("posts/other.html")


def test_the_archive_lists_all_posts_by_year(content: Path, page: Callable[..., str]) -> None:
    for name, date in (("one", "2023-05-01"), ("two", "2024-02-01"), ("three", "2024-03-01")):
        write(content, "Text.", name=name, date=date, title=name.upper())

    assert re.findall(r"<h2[^>]*>(\d+)</h2>|>([A-Z]+)</a>", page("archive.html")) == [
        ("2024", ""), ("", "THREE"), ("", "TWO"), ("2023", ""), ("", "ONE"),
    ]  # fmt: skip


def test_a_draft_says_so_and_hides_from_search_engines(content: Path, page: Callable[..., str]) -> None:
    write(content, "Text.", more="draft: true\n")
    write(content, "Text.", name="b")

    draft = page(drafts=True)
    assert '<p class="draft">Draft</p>' in draft
    assert '<meta name="robots" content="noindex">' in draft
    assert "noindex" not in page("posts/b.html", drafts=True)


def test_updated_posts_say_when(content: Path, page: Callable[..., str]) -> None:
    write(content, "Text.", more="updated: 2024-03-04\n")

    assert 'updated <time datetime="2024-03-04">' in page()
    assert "<updated>2024-03-04T00:00:00Z</updated>" in page("feed.xml")


def test_a_post_says_how_it_is_cited(content: Path, page: Callable[..., str]) -> None:
    write(content, "Text.", title="'Of {cells} & gates'", more="authors: [Ada Lovelace, Ch. Babbage]\n")
    entry = html.unescape(re.findall(r'aria-label="BibTeX"><code>(.*?)</code>', page(), re.DOTALL)[0])

    assert entry.startswith("@misc{lovelace2024cells,\n  title = {{Of cells \\& gates}},")
    assert "author = {Ada Lovelace and Ch. Babbage}" in entry
    assert "url = {https://example.org/t/posts/a.html}" in entry


def test_a_site_without_a_title_is_cited_all_the_same() -> None:
    page = {"authors": [], "title": "Cells", "date": "2024-01-02", "path": "posts/a.html"}

    assert bibtex(page, Site("", "", "", "", "en")).startswith("@misc{2024cells,\n")


@pytest.mark.parametrize("more", ["authors: [' ']", "tags: ['']"])
def test_an_author_or_tag_without_a_name_is_told(read: Read, content: Path, more: str) -> None:
    (content / "posts" / "a.md").write_text(f"---\ntitle: T\ndate: 2024-01-02\n{more}\n---\n")
    with pytest.raises(BuildErrors, match=r"a\.md:4: (authors|tags): one of them is empty"):
        read_post(content / "posts" / "a.md", content, "posts/a.md")


@pytest.mark.parametrize("name", ["what?", "a#b", "100%"])
def test_a_file_whose_page_no_link_would_lead_to_is_told(content: Path, name: str) -> None:
    path = write(content, "Text.", name=name)
    with pytest.raises(BuildErrors, match=r":1: its name has [?#%], which links cannot have as it is; rename the file"):
        read_post(path, content, path.name)


def test_a_link_leads_to_a_file_with_a_space_in_its_name_however_it_is_written(read: Read, content: Path) -> None:
    write(content, "Text.", name="my post")
    body = read("[one](my%20post.md#x) [two](<my post.md>)").body

    assert re.findall('href="([^"]+)"', body) == ["my post.html#x", "my post.html"]


def test_titles_run_in_their_own_direction(content: Path, page: Callable[..., str]) -> None:
    write(content, "טקסט", title="רשת עצבית")

    assert '<h1 dir="auto">רשת עצבית</h1>' in page()
    assert 'dir="auto">רשת עצבית</a>' in page("archive.html")


def test_the_feed_has_each_note_once_and_no_cards(content: Path, page: Callable[..., str]) -> None:
    write(content, "Word[^n] [@olah2017].\n\n[^n]: The note.\n")
    feed = html.unescape(page("feed.xml"))

    assert feed.count("The note.") == 1
    assert feed.count("Feature Visualization") == 1


def test_columns_of_tables_are_aligned_without_styles(read: Read) -> None:
    body = read("| a | b |\n| --- | ---: |\n| x | 1 |\n").body

    assert "style=" not in body
    assert '<td class="right">1</td>' in body


def test_figures_stand_side_by_side(read: Read) -> None:
    figure = "```figure\nid: {}\nkind: templates\nmodel: m\nplace: margin\n```\n"
    post = read(f"/// grid | 2\n{figure.format('x')}\n{figure.format('y')}\n///\n")

    assert re.search(r'<div class="side-by-side-figures columns-2">\s*<div class="hole" data-figure="x">', post.body)
    assert [one.layout for one in post.figures] == ["margin", "margin"]


def test_pages_of_a_folder_lie_below_the_page_of_its_name_in_their_order(small_site: SmallSite) -> None:
    for name, more in {
        "guide": "order: 1", "about": "order: 2", "guide/zebra": "order: 1\ndescription: Stripes.",
        "guide/ape": "order: 2", "guide/ape/hand": "", "alone/far": "",
    }.items():  # fmt: skip
        path = small_site.content / "pages" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntitle: The {path.stem}\n{more}\n---\n\nWords.\n")
    small_site.build()
    guide, ape, hand = (small_site.read(f"{name}.html") for name in ("guide", "guide/ape", "guide/ape/hand"))

    nav = re.search(r'<nav class="site-nav".*?</nav>', hand, re.DOTALL)
    assert nav is not None
    assert re.findall(r"\.\./(guide|about)\.html", nav[0]) == ["guide", "about"]
    assert 'aria-current="true">The guide' in nav[0]
    assert re.findall(r'<li><a href="guide/(\w+)\.html"><b>', guide) == ["zebra", "ape"]
    assert "<span>Stripes.</span>" in guide
    above = re.search(r'<nav class="above".*?</nav>', hand, re.DOTALL)
    assert above is not None
    assert re.findall(r">The (\w+)</a>", above[0]) == ["guide", "ape"]
    assert re.findall(r'rel="(prev|next)" href="([^"]+)"', ape) == [
        ("prev", "../guide/zebra.html"),
        ("next", "../guide/ape/hand.html"),
    ]


def test_an_example_is_a_figure_below_its_own_block(small_site: SmallSite) -> None:
    post = POST.replace("```figure", "```example", 1)
    small_site.post(post)
    small_site.build()
    page = small_site.read()

    assert page.index('<span class="nt">kind</span>') < page.index('<figure id="written"')
    small_site.post(post.replace("kind: sample", "kind: smaple"))
    with pytest.raises(BuildErrors, match=r"a\.md:\d+: figure written: unknown kind 'smaple'; did you mean 'sample'"):
        small_site.build()


def test_lists_show_some_of_many_tags_and_every_tag_has_its_page(content: Path, page: Callable[..., str]) -> None:
    """Else thousands of tags would stand in each of their thousands of pages."""
    write(content, "Words.", more=f"tags: [{', '.join(f'tag {number}' for number in range(40))}]\n")

    assert page("index.html").count('href="tags/tag-') == 12
    assert page().count('href="../tags/tag-') == 40
    assert 'href="../posts/a.html"' in page("tags/tag-39.html")


def test_an_entry_of_an_unknown_type_is_told_with_its_line(read: Read, content: Path) -> None:
    (content / "references.bib").write_text("@misc{two, title={B}}\n\n@boook{one, title={A}}\n")
    (line,) = told(read, "See [@one].")

    assert line == "content/references.bib:3: one: unknown type @boook; did you mean 'book'?"


def test_a_string_that_doubles_itself_ends_before_it_fills_the_memory(read: Read, content: Path) -> None:
    (content / "references.bib").write_text('@string{s = "abc"}\n' + "@string{s = s # s}\n" * 50)
    (line,) = told(read, "See [@one].")

    assert line == "content/references.bib:1: @string s has over 1,000 characters"


def test_a_reference_leads_to_the_web_and_nowhere_else(read: Read, content: Path) -> None:
    entry = "@misc{{{0}, title={{A}}, url={{{1}}}}}\n"
    text = entry.format("one", "javascript:alert(1)") + entry.format("two", "https://example.org/a")
    (content / "references.bib").write_text(text)
    body = read("See [@one; @two].").body

    assert 'href="https://example.org/a"' in body
    assert 'href="javascript:' not in body
    assert "javascript:alert(1)" in body
