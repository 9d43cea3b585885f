"""What goes with the pages: the feed, and report.json, the build's account for other tools; and what hosts refuse."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator import __version__
from generator.artifact import together
from generator.foreign_json import object_from_json
from generator.library import Library
from generator.obtained import Obtained
from generator.rendered import Rendered
from generator.spec import Job, Post, Site, UnitPage
from generator.themes import environment
from generator.unit_writer import unit_title

IN_FEED = 30  # posts, the newest: readers of feeds keep what they have seen
# No reader of feeds runs scripts, and a figure's may hold megabytes of data; without our styles, a note beside the text
# and a card would stand in the middle of a line, and both are in lists below the text, too.
IN_FEED_NOT = re.compile(
    r'<script\b.*?</script>\n?|<small [^>]*class="side-note".*?</small>|<span class="card".*?</span>(?=</span>)',
    re.DOTALL,
)
MOST_SITE, MOST_FILE = 10**9, 10**8  # bytes that GitHub Pages takes
# https://www.w3.org/TR/xml/#charsets: not even escaped may these stand in a document.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def feed(site: Site, posts: Sequence[Mapping[str, Any]]) -> bytes:
    """Atom, with full text of the newest posts; links are absolute where site.toml has a base_url."""
    entries = [
        {
            **post,
            "updated": f"{post['updated'] or post['date']}T00:00:00Z",
            "id": f"{site.base_url}/{post['path']}",
            "body": IN_FEED_NOT.sub("", post["body"]),
        }
        for post in posts[:IN_FEED]
    ]
    updated = max((entry["updated"] for entry in entries), default="1970-01-01T00:00:00Z")
    page = environment(site.theme).get_template("feed.xml")
    text = page.render(site=site, posts=entries, updated=updated, generator_version=__version__)
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text).encode()


def sitemap(site: Site, pages: Sequence[tuple[str, str]]) -> bytes:
    """The addresses of pages, (path, day of the last change or ""), for search engines; they must be absolute."""
    rows = "".join(
        f"<url><loc>{html.escape(f'{site.base_url}/{path}'.removesuffix('index.html'))}</loc>"
        f"{f'<lastmod>{day}</lastmod>' if day else ''}</url>\n"
        for path, day in pages
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{rows}</urlset>\n".encode()


def robots(site: Site) -> bytes:
    """Everything may be read; where the sitemap is, if it can be said."""
    where = f"\nSitemap: {site.base_url}/sitemap.xml\n" if site.base_url else ""
    return f"User-agent: *\nAllow: /\n{where}".encode()


def report(
    posts: Sequence[Post],
    units: Sequence[UnitPage],
    jobs: Mapping[tuple[str, str], Job],
    found: Obtained,
    library: Library,
    rendered: Rendered,
) -> bytes:
    """report.json, schema 1: pages, figures with their measures, claims with their verdicts, models."""
    used = sorted({job.options.model for job in jobs.values() if job.options.model})
    figures = []
    for (page, id), job in jobs.items():
        made, measures = found.account(job).provenance, together(found.course(job))
        figures.append(
            {
                "id": id,
                "page": page,
                "kind": job.kind,
                "model": job.options.model,
                "key": job.key,
                "cached": not found.computed & {one.key for one in job.all()},
                "seconds": made.get("seconds"),
                "device": made.get("device"),
                "measures": measures.values,
                "intervals": measures.intervals,
                "failure": measures.failure or None,
                "steps": [
                    {"step": one.step, "key": one.key, "failure": found.measures(one).failure or None}
                    for one in (job.series() if job.step is not None else ())
                ],
                "files": rendered.figure_files.get((page, id), []),
            }
        )
    claims = [
        {
            "id": one.claim.id,
            "page": one.page,
            "text": one.claim.text,
            "figure": one.claim.figure,
            "expect": str(one.claim.expect),
            **asdict(one.now),
            "history": [asdict(moment) for moment in one.history],
        }
        for one in rendered.verdicts
    ]
    account = {
        "schema": 1,
        "pages": [
            {"path": post.path, "title": post.title, "figures": [figure.id for figure in post.figures]}
            for post in posts
        ]
        + [{"path": one.path, "title": unit_title(one), "figures": [one.figure.id]} for one in units],
        "figures": figures,
        "claims": claims,
        "models": {name: model_row(name, library) for name in used},
    }
    return (json.dumps(account, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def model_row(name: str, library: Library) -> dict[str, Any]:
    """A model's source, its checkpoint's name and digest (of the recipe, where it was trained here), its measures."""
    checkpoint = library.checkpoint(name)
    return {
        "source": library.models[name].settings.source,
        "checkpoint": checkpoint.path.name if checkpoint else None,
        "digest": library.digest(name),
        "measures": dict(library.measures(name)),
    }


def same_report(old: bytes, new: bytes) -> bool:
    """Whether a new account tells nothing that the old one does not, but for which figures came from the store.

    A build that computes nothing must leave the site as it is, to the byte.
    """
    if old == new:
        return True

    def told(content: bytes) -> Any:
        account = object_from_json(content)
        return {**account, "figures": [{**figure, "cached": None} for figure in account["figures"]]}

    try:
        return bool(told(old) == told(new))
    except (ValueError, KeyError, TypeError):
        return False


def beyond_limits(site: Path, most: int = MOST_SITE, most_file: int = MOST_FILE) -> Iterator[str]:
    """Why GitHub Pages would not take a site, in sentences; sizes in bytes.

    https://docs.github.com/en/pages/getting-started-with-github-pages/github-pages-limits
    """
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file() and ".git" not in path.parts}
    for path, size in sizes.items():
        if size > most_file:
            yield (
                f"{path.relative_to(site).as_posix()} has {size / 1e6:,.0f} MB; GitHub takes no file of more than "
                f"{most_file / 1e6:,.0f} MB"
            )
    if (total := sum(sizes.values())) > most:
        yield (
            f"the site has {total / 1e9:.2f} GB; GitHub Pages takes {most / 1e9:g} GB. Most of a large site are pages "
            "of units: fewer `units` in site.toml are fewer pages"
        )
