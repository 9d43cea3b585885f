"""What posts are to each other: the one before and after, the parts of a series, the years of the archive.

And what pages are: those of a folder lie below the page of the same name, as pages/guide/keys.md below pages/guide.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from generator.spec import Post

Named = dict[str, str]  # a post as links name it: its title and path


def named(post: Post) -> Named:
    return {"title": post.title, "path": post.path}


def beside(last_first: Sequence[Post]) -> dict[str, dict[str, Named | None]]:
    """The posts before and after each, by the path of its page."""
    names = [None, *map(named, last_first), None]
    return {post.path: {"next": names[number], "previous": names[number + 2]} for number, post in enumerate(last_first)}


def in_series(newest_first: Sequence[Post]) -> dict[str, dict[str, Any]]:
    """Of each post that is a part of a series: its name, which part it is, and all parts by their dates."""
    parts: dict[str, list[Post]] = {}
    for post in reversed(newest_first):
        if post.series:
            parts.setdefault(post.series, []).append(post)
    return {
        post.path: {"name": name, "number": number, "parts": [named(one) for one in posts]}
        for name, posts in parts.items()
        for number, post in enumerate(posts, 1)
    }


def top(pages: Sequence[Post]) -> list[Post]:
    """The pages that every page links to, in their order: those that lie in no folder of their own."""
    return sorted((page for page in pages if "/" not in page.path), key=among)


def among(page: Post) -> tuple[int, str]:
    return page.order, page.path


def in_folders(pages: Sequence[Post]) -> dict[str, dict[str, Any]]:
    """Of each page, by its path: those above it, those below it, and the ones before and after where one reads on."""
    known = {page.path: page for page in pages}
    below: dict[str, list[Post]] = {}
    for page in sorted(pages, key=among):
        below.setdefault(above(page.path), []).append(page)

    def read(path: str) -> Iterator[str]:
        yield path
        for page in below.get(path, ()):
            yield from read(page.path)

    found: dict[str, dict[str, Any]] = {}
    for first in (page.path for page in pages if above(page.path) not in known):
        order = [known[path] for path in read(first)]
        around = beside(order[::-1])
        for path in (page.path for page in order):
            found[path] = {
                "above": [named(known[one]) for one in reversed(list(all_above(path))) if one in known],
                "below": [named(one) for one in below.get(path, ())],
                "beside": around[path],
            }
    return found


def last_above(posts: Sequence[Post], folders: Mapping[str, Mapping[str, Any]]) -> list[Post]:
    """The posts in their order, but each page after those below it, whose pictures it shows."""
    depths = {path: path.count("/") for path, folder in folders.items() if folder["below"]}
    return sorted(posts, key=lambda post: (post.path in depths, -depths.get(post.path, 0)))


def above(path: str) -> str:
    """The page that a page lies below: of guide/keys.html it is guide.html."""
    return f"{path.rpartition('/')[0]}.html"


def all_above(path: str) -> Iterator[str]:
    while "/" in path:
        yield (path := above(path))


def by_year(listed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The posts of lists, newest first, year by year."""
    for year, posts in groupby(listed, key=lambda post: post["date"][:4]):
        yield year, list(posts)
