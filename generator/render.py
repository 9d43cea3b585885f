"""Posts and artifacts -> pages. Everything that comes from data is escaped here, and nothing is computed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from generator import __version__, metadata, post_lists
from generator.artifact import Course
from generator.followed import followed
from generator.kept_pages import KeptPages, sha
from generator.obtained import Obtained
from generator.post_writer import PostWriter, Rendered, told
from generator.spec import (
    UNIT_PAGES,
    BuildError,
    BuildErrors,
    Job,
    Post,
    Site,
    UnitPage,
)
from generator.themes import assets, environment, scripts_of, tag_path, telling
from generator.unit_writer import UnitWriter

WORDS_PER_MINUTE = 230
# Of a post. Its own page shows all; thousands of them would stand in each of their thousands of pages.
TAGS_IN_LISTS = 12
INDEX = "assets/search-index.js"
GENERATED = (
    "index.html",
    "archive.html",
    "search.html",
    "404.html",
    "tags.html",
    "claims.html",
)  # pages that no author writes


def render_site(
    site: Site,
    posts: Sequence[Post],
    jobs: Mapping[tuple[str, str], Job],
    found: Obtained,
    courses: Callable[[str], Course],
    exists: Callable[[str], bool],
    units: Sequence[UnitPage] = (),
    kept: KeptPages | None = None,
) -> Rendered:
    """All files of the site, but for pictures that are there already, and for pages that `kept` says to stand there.

    BuildErrors where prose or a claim names a measure that its figure does not have.
    """
    rendered = Rendered()
    env = environment(site.theme)
    env.globals["bibtex"] = metadata.bibtex
    errors: list[BuildError] = []
    drafts = {post.path for post in posts if post.draft}
    dated = sorted((post for post in posts if post.date), key=lambda post: (post.date, post.path), reverse=True)
    undated = [post for post in posts if not post.date]
    nav = list(map(post_lists.named, post_lists.top(undated)))
    if units:
        nav.insert(0, {"title": "Units", "path": f"{UNIT_PAGES}/index.html"})
    pages = {unit.path for unit in units}
    if any(post.claims for post in posts):
        nav.append({"title": "Claims", "path": "claims.html"})

    site_card = rendered.card(site.title, site, "")

    def writer_of(post: Post) -> PostWriter:
        return PostWriter(env, post, jobs, found, courses, rendered, errors, exists, pages)

    def emit(path: str, template: str, scripts: Sequence[str] = (), root: str | None = None, **context: Any) -> None:
        root = "../" * path.count("/") if root is None else root
        context |= {"site": site, "root": root, "nav": nav, "scripts": scripts, "generator_version": __version__}
        context["page"].setdefault("card", site_card)
        context["head"] = metadata.described(context["page"], site) | {"hidden": path in drafts or path == "404.html"}
        with telling(path, site.theme):
            rendered.write(path, kept, template, context, lambda: env.get_template(template).render(context).encode())
        rendered.pages += 1

    around, parts, folders = post_lists.beside(dated), post_lists.in_series(dated), post_lists.in_folders(undated)
    pictures: dict[str, dict[str, Any] | None] = {}  # that stand for pages, by their paths
    for post in post_lists.last_above(posts, folders):
        writer = writer_of(post)
        with telling(post.path, site.theme):
            body = Markup(writer.filled(post.body))  # noqa: S704  (the author's own HTML, holes filled with escaped text)
        picture = pictures[post.path] = writer.thumbnail()
        summary = {
            "title": post.title,
            "path": post.path,
            "date": post.date,
            "updated": post.updated,
            "draft": post.draft,
            "description": writer.described(),
            "authors": list(post.authors) or ([site.author] if site.author and post.date else []),
            "tags": [{"name": tag, "path": tag_path(tag)} for tag in post.tags],
            "picture": picture,
        }
        summary["card"] = rendered.card(post.title, site, picture["url"]) if picture else site_card
        contents = Markup(writer.filled(post.contents))  # noqa: S704  (the text of headings, holes filled likewise)
        minutes = max(1, round((post.text.count(" ") + 1) / WORDS_PER_MINUTE)) if post.date else None
        page = {**summary, "contents": contents, "body": body, "minutes": minutes}
        scripts = scripts_of(post.figures, any(map(writer.is_timeline, post.figures)), site.theme)
        folder = folders.get(post.path, {"above": [], "below": []})
        folder = folder | {"below": [{**one, "picture": pictures[one["path"]]} for one in folder["below"]]}
        beside = folder.get("beside") or around.get(post.path)
        emit(post.path, "post.html", scripts, page=page, beside=beside, series=parts.get(post.path), folder=folder)
        if post.date:
            rendered.posts.append({**summary, "body": body})
    if errors:
        raise BuildErrors(errors)
    write_search(posts, rendered, kept, emit)
    order = {post.path: number for number, post in enumerate(dated)}
    rendered.posts.sort(key=lambda one: order[one["path"]])
    listed = [
        {key: value for key, value in post.items() if key != "body"} | {"tags": post["tags"][:TAGS_IN_LISTS]}
        for post in rendered.posts
    ]
    emit(
        "index.html",
        "index.html",
        posts=listed,
        page={"title": site.title, "path": "index.html", "description": site.description},
    )
    page = {"title": "Archive", "path": "archive.html", "description": f"All posts of {site.title}, by year"}
    emit("archive.html", "archive.html", years=list(post_lists.by_year(listed)), page=page)
    tags = sorted({tag for post in dated for tag in post.tags})
    page = {"title": "Tags", "path": "tags.html", "description": f"All tags of {site.title}"}
    counts = Counter(tag for post in dated for tag in set(post.tags))
    rows = [{"name": tag, "path": tag_path(tag), "count": count} for tag, count in sorted(counts.items())]
    emit("tags.html", "tags.html", tags=rows, page=page)
    page = {"title": "Not found", "path": "404.html", "description": ""}
    emit("404.html", "404.html", root=f"{urlsplit(site.base_url).path.rstrip('/')}/", page=page)
    by_tag: dict[str, list[dict[str, Any]]] = {tag: [] for tag in tags}
    for whole, one in zip(rendered.posts, listed, strict=True):
        for tag in whole["tags"]:
            by_tag[tag["name"]].append(one)
    for tag, tagged in by_tag.items():
        page = {"title": f"Posts about {tag}", "path": tag_path(tag), "description": ""}
        emit(tag_path(tag), "tag.html", tag={"name": tag}, posts=tagged, page=page)
    if rendered.verdicts:
        page = {"title": "Claims", "path": "claims.html", "description": f"Every claim of {site.title}, and its state"}
        titles = {post.path: post.title for post in posts}
        emit("claims.html", "claims.html", claims=list(map(told, rendered.verdicts)), titles=titles, page=page)
    known = followed(posts, jobs, found.artifacts)
    UnitWriter(known, writer_of, emit, rendered, exists, site.theme).write(units)
    rendered.files.update(assets(site.theme, {one.kind for job in jobs.values() for one in job.all()}))
    rendered.collect()
    return rendered


def write_search(posts: Sequence[Post], rendered: Rendered, kept: KeptPages | None, emit: Callable[..., None]) -> None:
    """The page on which the whole site can be searched. Its index is a script, which loads from file://, too."""
    rows = [
        [post.path, post.title, post.date, " ".join(post.tags), f"{post.description} {post.text}".strip()]
        for post in posts
    ]
    page = {"title": "Search", "path": "search.html", "description": ""}
    emit("search.html", "search.html", ["search-index", "search"], page=page)
    context = {"rows": sha("\0".join(word for row in rows for word in row))}
    rendered.write(INDEX, kept, INDEX, context, lambda: search_index(rows))


def search_index(rows: list[list[str]]) -> bytes:
    return f"const searchIndex = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n".encode(
        "utf-8", "replace"
    )
