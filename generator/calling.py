"""What figures are called on the command line and in messages: a post, `#`, and an id, or a part of that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generator.spec import BuildError, Post, nearest

FigurePlace = tuple[str, str]  # the page of a figure in the site, and its id


def called(name: str, places: Sequence[FigurePlace], posts: Sequence[Post], root: Path) -> list[FigurePlace]:
    """The figures that a name calls: all of a post's, the one after a #, or all with an id.

    root: the content folder. BuildError, with the nearest right word, where there is none.
    """
    post, sign, id = name.partition("#")
    pages = {one: page for page in dict.fromkeys(page for page, _ in places) for one in names_of(page, posts, root)}
    ids = dict.fromkeys(id for _, id in places)
    if post not in pages:
        if sign or post not in ids:
            what = "post with figures" if sign else "post and no figure"
            raise BuildError(f"no {what} {post!r}{nearest(post, [*pages, *(() if sign else ids)])}")
        return [place for place in places if place[1] == post]
    own = [place for place in places if place[0] == pages[post]]
    found = [place for place in own if not sign or place[1] == id]
    if not found:
        raise BuildError(f"no figure {id!r} in {post}{nearest(id, [id for _, id in own])}")
    return found


def names_of(page: str, posts: Sequence[Post], root: Path) -> list[str]:
    """What a page is called by: its path in the site, its file's, or the bare name of that if no other has it."""
    file = next((post.place.file for post in posts if post.path == page), None)
    if file is None:
        return [page, page.removesuffix("/index.html")]
    alone = [bare(post.path) for post in posts].count(bare(page)) == 1
    return [page, file, source(page, root), page.removesuffix(".html"), *([bare(page)] if alone else [])]


def bare(page: str) -> str:
    return page.removesuffix(".html").rpartition("/")[2]


def source(page: str, root: Path) -> str:
    """The file of a post's page, relative to the content folder."""
    name = page.removesuffix(".html") + ".md"
    return name if (root / name).is_file() else f"pages/{name}"


def full_name(place: FigurePlace, posts: Sequence[Post], root: Path) -> str:
    """What a figure is called in messages, and can be called by, such as posts/cells.md#quote-cell."""
    page, id = place
    written = any(post.path == page for post in posts)
    return f"{source(page, root) if written else page}#{id}"
