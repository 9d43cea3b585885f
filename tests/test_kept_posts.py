"""A post is read again only where something that it was read from differs."""

import json
import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pymdownx.superfences import SuperFencesBlockPreprocessor

from generator import kept_posts
from generator.code_blocks import CodeBlocks
from generator.content import read_post
from generator.figures import KINDS
from generator.files import HOUR
from generator.folders import WRITING
from generator.kept_posts import KeptPosts, as_plain, as_post
from generator.sealing import opened, sealed
from generator.spec import BuildError, BuildErrors, Post
from tests.conftest import POST, SmallSite
from tests.many_posts import write_report

TEXT = "---\ntitle: Code\ndate: 2020-01-01\n---\n\n"
INCLUDING = '---\ntitle: Parts\ndate: 2020-01-01\n---\n\n--8<-- "parts/one.md"\n\nSee [another](a.md).\n'


@pytest.fixture
def read(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the posts that reading all of them reads; each must come out as it does where nothing is kept."""
    small_site.post(POST)
    (small_site.content / "parts").mkdir()
    (small_site.content / "parts" / "one.md").write_text("One part.\n")
    (small_site.content / "posts" / "parts.md").write_text(INCLUDING)
    reading = kept_posts.read_post
    calls: list[str] = []

    def noted(path: Path, root: Path, shown: str, code: CodeBlocks) -> Post:
        calls.append(path.name)
        return reading(path, root, shown, code)

    monkeypatch.setattr(kept_posts, "read_post", noted)

    def once() -> list[str]:
        calls.clear()
        kept = KeptPosts(small_site.store.folder, small_site.content)
        paths = sorted(small_site.content.glob("posts/*.md"))
        for path, post in zip(paths, kept.posts(paths), strict=True):
            if isinstance(post, BuildError):
                raise post
            assert repr(post) == repr(reading(path, small_site.content, kept_posts.shown(path)))
        kept.keep(paths)
        return list(calls)

    return once


def test_a_post_is_read_once(read: Callable[[], list[str]]) -> None:
    assert read() == ["a.md", "parts.md"]
    assert read() == []


def test_an_edited_post_is_read_again_and_no_other(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    small_site.post(POST + "\nMore.\n")

    assert read() == ["a.md", "parts.md"]  # the second links to it


def test_an_edited_part_is_read_again(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    (small_site.content / "parts" / "one.md").write_text("Another part.\n")

    assert read() == ["parts.md"]


def test_a_link_to_what_is_removed_is_told(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    (small_site.content / "posts" / "a.md").unlink()

    with pytest.raises(Exception, match="there is no such content file"):
        read()


@pytest.mark.parametrize("part", ["package_digest", "installed"])
def test_what_reads_posts_is_an_ingredient(
    read: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    read()
    monkeypatch.setattr(kept_posts, part, lambda: "another")

    assert read() == ["a.md", "parts.md"]


def test_damage_is_read_over(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    (path,) = small_site.store.folder.glob("posts/*/posts%a.md.json")
    path.write_text(path.read_text()[:-100])
    assert read() == ["a.md"]
    row = json.loads(opened(path.read_bytes()))
    row["post"]["figures"] = [{"kind": "none"}]
    path.write_bytes(sealed(json.dumps(row).encode()))

    assert read() == ["a.md"]
    for foreign in ('[{"key": 1}]', json.dumps({**row, "post": "text"}), "[" * 100_000):
        path.write_bytes(sealed(foreign.encode()))
        assert read() == ["a.md"]


def test_a_flipped_bit_in_what_is_kept_of_a_post_is_never_shown(
    read: Callable[[], list[str]], small_site: SmallSite
) -> None:
    read()
    (path,) = small_site.store.folder.glob("posts/*/posts%a.md.json")
    words = path.read_bytes()
    assert b"Words before" in words
    path.write_bytes(words.replace(b"Words before", b"Vords before"))

    assert read() == ["a.md"]


def test_a_flipped_bit_in_a_coloured_block_colours_it_again(tmp_path: Path) -> None:
    kept = CodeBlocks(tmp_path / "a.json")
    kept.coloured("x = 1", lambda: "<b>x</b>")
    kept.keep()
    path = tmp_path / "a.json"
    path.write_bytes(path.read_bytes().replace(b"<b>x", b"<b>y"))

    assert CodeBlocks(path).coloured("x = 1", lambda: "again") == "again"


def test_what_is_known_of_a_removed_post_is_forgotten(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    (small_site.content / "posts" / "parts.md").unlink()
    read()

    assert [path.name for path in small_site.store.folder.glob("posts/*/*")] == ["posts%a.md.json"]


def test_what_another_build_is_writing_is_left_to_it(read: Callable[[], list[str]], small_site: SmallSite) -> None:
    read()
    (folder,) = (small_site.store.folder / kept_posts.FOLDER).iterdir()
    young, old = (folder / f"{WRITING}{name}" for name in ("young", "old"))
    for path in (young, old):
        path.touch()
    os.utime(old, (time.time() - 2 * HOUR,) * 2)
    read()

    assert young.exists()
    assert not old.exists()


def test_many_posts_are_read_in_processes_as_in_one(tmp_path: Path) -> None:
    write_report(tmp_path, 50)
    paths = sorted(tmp_path.glob("posts/*.md"))
    paths[7].write_text("no front matter")
    paths[8].write_bytes(b"\xff")
    wrong = {
        7: "a content file starts with front matter",
        8: "is not UTF-8 text",
    }

    found = KeptPosts(tmp_path / "store", tmp_path).posts(paths)

    assert len(found) == len(paths)
    for number, (path, post) in enumerate(zip(paths, found, strict=True)):
        if number in wrong:
            assert isinstance(post, BuildError)
            assert wrong[number] in str(post)
            (error,) = post.errors if isinstance(post, BuildErrors) else [post]
            assert error.place is not None
            assert error.place.file.endswith(path.name)
        else:
            assert post == kept_posts.read_post(path, tmp_path, kept_posts.shown(path))


def test_a_process_that_is_killed_while_it_reads_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(tmp_path, 50)
    here, reading = os.getpid(), kept_posts.read_post

    def killed(path: Path, *more: Any) -> Post:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return reading(path, *more)

    monkeypatch.setattr(kept_posts, "read_post", killed)
    monkeypatch.setattr(kept_posts, "may_fork", lambda: True)

    with pytest.raises(BuildError, match="was killed"):
        KeptPosts(tmp_path / "store", tmp_path).posts(sorted(tmp_path.glob("posts/*.md")))


def test_code_is_coloured_once(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured: list[str] = []
    highlight = SuperFencesBlockPreprocessor.highlight

    def noted(self: Any, src: str, *more: Any, **options: Any) -> str:
        coloured.append(src)
        return highlight(self, src, *more, **options)

    monkeypatch.setattr(SuperFencesBlockPreprocessor, "highlight", noted)

    def body(text: str) -> str:
        small_site.post(f"{TEXT}{text}")
        path = small_site.content / "posts" / "a.md"
        kept = KeptPosts(small_site.store.folder, small_site.content)
        (post,) = kept.posts([path])
        assert isinstance(post, Post)
        kept.keep([path])
        return post.body

    first = body("```python\nx = 1\n```\n")
    assert coloured == ["x = 1"]
    assert '<span class="mi">1</span>' in first
    assert body("```python\nx = 1\n```\n\nWords.\n") == f"{first}\n<p>Words.</p>"
    assert coloured == ["x = 1"]
    body('```python\nx = 1\n```\n\n``` {.python title="x"}\nx = 1\n```\n\n```toml\nx = 1\n```\n')
    assert coloured == ["x = 1"] * 3  # the title and the language are part of it
    (file,) = small_site.store.folder.glob("posts/*/*%code.json")
    file.write_text("[damaged")
    body("```python\nx = 1\n```\n\nMore.\n")
    assert coloured == ["x = 1"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_of_each_kind_is_read_back_as_it_was(kind: str, tmp_path: Path) -> None:
    example = import_module(KINDS[kind]).EXAMPLE
    path = tmp_path / "posts" / "a.md"
    path.parent.mkdir()
    path.write_text(f"---\ntitle: A\ndate: 2020-01-01\n---\n\n```figure\nid: x\nkind: {kind}\n{example}\n```\n")
    post = read_post(path, tmp_path, "posts/a.md")

    again = as_post(json.loads(json.dumps(post, default=as_plain)))

    assert post.figures
    assert repr(again) == repr(post)
