"""Posts and artifacts -> pages. Everything that comes from data is escaped here, and nothing is computed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from generator import __version__, metadata, post_lists
from generator.artifact import Course
from generator.followed import followed
from generator.kept_pages import KeptPages, sha
from generator.obtained import Obtained
from generator.post_writer import PostWriter
from generator.quotes import told
from generator.rendered import Rendered
from generator.slugs import tag_path
from generator.spec import UNIT_PAGES, BuildError, BuildErrors, Job, Post, Site, UnitPage
from generator.themes import assets, environment, scripts_of, telling
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
)  # no author writes them


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
    writer = SiteWriter(site, posts, jobs, found, courses, exists, units, kept)
    writer.write()
    return writer.rendered


class SiteWriter:
    """Writes the pages of one site: each post's, and those that are made of all of them."""

    def __init__(
        self,
        site: Site,
        posts: Sequence[Post],
        jobs: Mapping[tuple[str, str], Job],
        found: Obtained,
        courses: Callable[[str], Course],
        exists: Callable[[str], bool],
        units: Sequence[UnitPage],
        kept: KeptPages | None,
    ) -> None:
        self.site, self.posts, self.jobs, self.found, self.courses = site, posts, jobs, found, courses
        self.exists, self.units, self.kept = exists, units, kept
        self.env = environment(site.theme)
        self.rendered = Rendered()
        self.errors: list[BuildError] = []
        self.dated = sorted(
            (post for post in posts if post.date), key=lambda post: (post.date, post.path), reverse=True
        )
        self.undated = [post for post in posts if not post.date]
        self.drafts = {post.path for post in posts if post.draft}
        self.unit_paths = {unit.path for unit in units}
        self.nav = self.navigation()
        self.card = self.rendered.card(site.title, site, "")
        self.told: dict[str, dict[str, Any]] = {}  # what lists tell of each post, by the path of its page
        self.words: dict[str, str] = {}  # of each post, likewise

    def write(self) -> None:
        self.write_posts()
        if self.errors:
            raise BuildErrors(self.errors)
        self.write_search()
        self.write_lists()
        self.write_claims()
        known = followed(self.posts, self.jobs, self.found.artifacts)
        theme = self.site.theme
        UnitWriter(known, self.writer_of, self.emit, self.rendered, self.exists, theme).write(self.units)
        self.rendered.files.update(assets(theme, {one.kind for job in self.jobs.values() for one in job.all()}))
        self.rendered.collect()

    def navigation(self) -> list[dict[str, str]]:
        """What every page links: the pages of units, those of the author that lie in no folder, and the claims."""
        found = [{"title": "Units", "path": f"{UNIT_PAGES}/index.html"}] if self.units else []
        found += map(post_lists.named, post_lists.top(self.undated))
        return found + [{"title": "Claims", "path": "claims.html"}] * any(post.claims for post in self.posts)

    def writer_of(self, post: Post) -> PostWriter:
        return PostWriter(
            self.env,
            post,
            self.jobs,
            self.found,
            self.courses,
            self.rendered,
            self.errors,
            self.exists,
            self.unit_paths,
        )

    def emit(
        self, path: str, template: str, scripts: Sequence[str] = (), root: str | None = None, **context: Any
    ) -> None:
        """Write a page, unless it stands. root: what leads to the site's folder, if not from where the page lies.

        The rest is what the template is given, besides what all are; `page` is among it.
        """
        root = "../" * path.count("/") if root is None else root
        site = self.site
        context |= {"site": site, "root": root, "nav": self.nav, "scripts": scripts, "generator_version": __version__}
        context["page"].setdefault("card", self.card)
        hidden = path in self.drafts or path == "404.html"
        context["head"] = metadata.described(context["page"], site) | {"hidden": hidden}

        def render() -> bytes:
            return self.env.get_template(template).render(context).encode()

        with telling(path, site.theme):
            self.rendered.write(path, self.kept, template, context, render)
        self.rendered.pages += 1

    def write_posts(self) -> None:
        """The page of each post, those below a page before it, as that shows them."""
        around, parts = post_lists.beside(self.dated), post_lists.in_series(self.dated)
        folders = post_lists.in_folders(self.undated)
        for post in post_lists.last_above(self.posts, folders):
            writer = self.writer_of(post)
            with telling(post.path, self.site.theme):
                # The author's own HTML, holes filled with escaped text; contents are the text of headings.
                body, contents = (Markup(writer.filled(text)) for text in (post.body, post.contents))  # noqa: S704
            summary = self.told[post.path] = self.summary(post, writer)
            words = self.words[post.path] = writer.words()
            minutes = max(1, round((words.count(" ") + 1) / WORDS_PER_MINUTE)) if post.date else None
            folder = dict(folders.get(post.path, {"above": [], "below": []}))
            shown = ("picture", "description")
            folder["below"] = [one | {name: self.told[one["path"]][name] for name in shown} for one in folder["below"]]
            self.emit(
                post.path,
                "post.html",
                scripts_of(post.figures, any(map(writer.is_timeline, post.figures)), self.site.theme),
                page={**summary, "contents": contents, "body": body, "minutes": minutes},
                beside=folder.get("beside") or around.get(post.path),
                series=parts.get(post.path),
                folder=folder,
            )
            if post.date:
                self.rendered.posts.append({**summary, "body": body})
        order = {post.path: number for number, post in enumerate(self.dated)}
        self.rendered.posts.sort(key=lambda one: order[one["path"]])

    def summary(self, post: Post, writer: PostWriter) -> dict[str, Any]:
        """What lists tell of a post, once its figures are written."""
        site, picture = self.site, writer.thumbnail()
        return {
            "title": post.title,
            "path": post.path,
            "date": post.date,
            "updated": post.updated,
            "draft": post.draft,
            "description": writer.quotes.description(),
            "authors": list(post.authors) or ([site.author] if site.author and post.date else []),
            "tags": [{"name": tag, "path": tag_path(tag)} for tag in post.tags],
            "picture": picture,
            "card": self.rendered.card(post.title, site, picture["url"]) if picture else self.card,
        }

    def write_lists(self) -> None:
        """The pages that list posts, and the one that a host shows in place of a page that is not there."""
        title = self.site.title
        listed = [
            {key: value for key, value in post.items() if key != "body"} | {"tags": post["tags"][:TAGS_IN_LISTS]}
            for post in self.rendered.posts
        ]
        page = {"title": title, "path": "index.html", "description": self.site.description}
        self.emit("index.html", "index.html", posts=listed, page=page)
        page = {"title": "Archive", "path": "archive.html", "description": f"All posts of {title}, by year"}
        self.emit("archive.html", "archive.html", years=list(post_lists.by_year(listed)), page=page)
        by_tag: dict[str, list[dict[str, Any]]] = {}
        for whole, one in zip(self.rendered.posts, listed, strict=True):
            for tag in dict.fromkeys(row["name"] for row in whole["tags"]):
                by_tag.setdefault(tag, []).append(one)
        rows = [{"name": tag, "path": tag_path(tag), "count": len(posts)} for tag, posts in sorted(by_tag.items())]
        page = {"title": "Tags", "path": "tags.html", "description": f"All tags of {title}"}
        self.emit("tags.html", "tags.html", tags=rows, page=page)
        for tag, posts in by_tag.items():
            page = {"title": f"Posts about {tag}", "path": tag_path(tag), "description": ""}
            self.emit(tag_path(tag), "tag.html", tag={"name": tag}, posts=posts, page=page)
        page = {"title": "Not found", "path": "404.html", "description": ""}
        self.emit("404.html", "404.html", root=f"{urlsplit(self.site.base_url).path.rstrip('/')}/", page=page)

    def write_claims(self) -> None:
        """The page of all claims, if there are any."""
        if not self.rendered.verdicts:
            return
        description = f"Every claim of {self.site.title}, and its state"
        page = {"title": "Claims", "path": "claims.html", "description": description}
        titles = {post.path: post.title for post in self.posts}
        self.emit(
            "claims.html", "claims.html", claims=list(map(told, self.rendered.verdicts)), titles=titles, page=page
        )

    def write_search(self) -> None:
        """The page on which the whole site can be searched. Its index is a script, which loads from file://, too."""
        rows = []
        for post in self.posts:
            text = f"{self.told[post.path]['description']} {self.words[post.path]}".strip()
            rows.append([post.path, post.title, post.date, " ".join(post.tags), text])
        page = {"title": "Search", "path": "search.html", "description": ""}
        self.emit("search.html", "search.html", ["search-index", "search"], page=page)
        context = {"rows": sha("\0".join(word for row in rows for word in row))}
        self.rendered.write(INDEX, self.kept, INDEX, context, lambda: search_index(rows))


def search_index(rows: list[list[str]]) -> bytes:
    return f"const searchIndex = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n".encode(
        "utf-8", "replace"
    )
