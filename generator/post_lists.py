"""What posts are to each other: the one before and after, the parts of a series, the years of the archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from generator.spec import Post

Named = dict[str, str]  # a post as links name it: its title and path


def named(post: Post) -> Named:
    return {"title": post.title, "path": post.path}


def beside(newest_first: Sequence[Post]) -> dict[str, dict[str, Named | None]]:
    """The posts before and after each, by the path of its page."""
    names = [None, *map(named, newest_first), None]
    return {
        post.path: {"next": names[number], "previous": names[number + 2]} for number, post in enumerate(newest_first)
    }


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


def by_year(listed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The posts of lists, newest first, year by year."""
    for year, posts in groupby(listed, key=lambda post: post["date"][:4]):
        yield year, list(posts)
